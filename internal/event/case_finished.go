package event

// CaseFinished: a final state was entered.
var CaseFinished = define[None](50, "case.finished", "A case entered a final state.")
