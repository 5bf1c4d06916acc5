package event

// CaseCreated: a case was committed for the first time.
var CaseCreated = define[Creation](10, "case.created", "A case was created.")

// Creation has the transition of a creation and the case's own colour; the snapshot has the rest.
type Creation struct {
	Transition string `json:"transition"`
	Color      string `json:"color,omitempty"`
}
