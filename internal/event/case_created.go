package event

// CaseCreated: a case was committed for the first time.
var CaseCreated = define[Creation](10, "case.created", "A case was created.")

// Creation says by which transition, and with which colour of its own; the case's
// snapshot says the rest.
type Creation struct {
	Transition string `json:"transition"`
	Color      string `json:"color,omitempty"`
}
