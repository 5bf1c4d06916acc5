package event

// CaseTypeSwitched: the case works by another case type from now on.
var CaseTypeSwitched = define[TypeSwitch](15, "case.type_switched", "A case was switched to another case type.")

// TypeSwitch names the case types by their keys.
type TypeSwitch struct {
	From string `json:"from"`
	To   string `json:"to"`
}
