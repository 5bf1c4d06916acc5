package event

// A case is assigned to one user or to no-one. When it passes from one user to another, it is assigned
// again and not unassigned before.
var (
	CaseAssigned   = define[Person](64, "case.assigned", "A case was assigned to a user.")
	CaseUnassigned = define[Person](65, "case.unassigned", "A case is no longer assigned to anyone.")
)

// Person is a user, with their name at that time: the new assignee, or the former one of a case that is no longer
// assigned.
type Person struct {
	UserID int64  `json:"user_id"`
	Name   string `json:"name"`
}
