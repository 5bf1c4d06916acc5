package event

// CaseFinished: a final state was entered.
var CaseFinished = define[NoDetails](50, "case.finished", "A case entered a final state.")
