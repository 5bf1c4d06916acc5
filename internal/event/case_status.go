package event

// A case is closed in a final state, and open in any other. A creation in a final state closes it; a
// creation in another state reopens nothing.
var (
	CaseClosed   = define[NoDetails](52, "case.closed", "A case entered a final state, by its creation too.")
	CaseReopened = define[NoDetails](53, "case.reopened", "A closed case left its final state.")
)
