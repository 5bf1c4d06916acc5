package event

// CaseCreated: a case was committed for the first time.
var CaseCreated = define[Creation](10, "case.created", "A case was created.")

// Creation says by which transition.
type Creation struct {
	Transition string `json:"transition"`
}
