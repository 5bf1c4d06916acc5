package event

// CaseApproved: a state with the outcome approved was entered.
var CaseApproved = define[NoDetails](40, "case.approved", "A case entered a state that means approval.")
