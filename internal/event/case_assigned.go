package event

// A case is assigned to one user or to no-one. Passed on from one user to the
// next it is assigned, and not unassigned before.
var (
	CaseAssigned   = define[Person](64, "case.assigned", "A case was assigned to a user.")
	CaseUnassigned = define[Person](65, "case.unassigned", "A case is no longer assigned to anyone.")
)

// Person is a user, by the name of that time. With an assignment it is who has
// the case now; else who had it.
type Person struct {
	UserID int64  `json:"user_id"`
	Name   string `json:"name"`
}
