package event

// Documents are made from a case by its type's templates.
var (
	CaseDocumentsGenerated = define[Documents](70, "case.documents_generated", "Documents of a case were generated.")
	CaseDocumentsDeleted   = define[Documents](71, "case.documents_deleted", "Documents of a case were deleted.")
)

// Documents names the documents that were affected, by the keys of the case type.
type Documents struct {
	Keys []string `json:"keys"`
	IDs  []string `json:"ids"`
}
