package event

// A case is closed in a final state, and open in any other. Its creation decides
// its first status; these are the changes after it.
var (
	CaseClosed   = define[None](52, "case.closed", "An open case entered a final state.")
	CaseReopened = define[None](53, "case.reopened", "A closed case left its final state.")
)
