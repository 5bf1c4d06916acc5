package event

// Proofs are files that people attach to a case.
var (
	CaseProofsUploaded = define[Proofs](80, "case.proofs_uploaded", "Proofs were uploaded to a case.")
	CaseProofsDeleted  = define[Proofs](81, "case.proofs_deleted", "Proofs of a case were deleted.")
)

// Proofs names the proofs that were affected.
type Proofs struct {
	Keys []string `json:"keys"`
	IDs  []string `json:"ids"`
}
