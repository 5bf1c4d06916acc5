package event

// CaseDeclined: a state with the outcome declined was entered.
var CaseDeclined = define[NoDetails](41, "case.declined", "A case entered a state that means refusal.")
