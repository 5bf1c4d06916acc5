package event

// CaseStateChanged: the state differs before and after; creation counts.
var CaseStateChanged = define[StateChange](30, "case.state_changed", "A case entered another state, or its first.")

// StateChange is a move between states.
type StateChange struct {
	From       string `json:"from,omitempty"`       // empty on creation
	To         string `json:"to"`                   // the state really entered
	Transition string `json:"transition,omitempty"` // empty when none was used
}
