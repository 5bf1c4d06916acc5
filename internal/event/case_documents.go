package event

// Documents are made from a case by its type's templates.
var (
	CaseDocumentsGenerated = define[Documents](70, "case.documents_generated", "Documents of a case were generated.")
	CaseDocumentsDeleted   = define[Documents](71, "case.documents_deleted", "Documents of a case were deleted.")
)

// Documents names the documents that were affected, by the keys of the case type.
type Documents struct {
	Keys    []string `json:"keys"`
	IDs     []string `json:"ids"`
	Classes []string `json:"classifications,omitempty"` // of each, where they differ; empty: all have the fact's
}

// as returns the documents without the hidden ones, and reports whether any is left.
func (d Documents) as(sees func(class string) bool) (Documents, bool) {
	var shown Documents
	for i, class := range d.Classes {
		if sees(class) && i < len(d.Keys) && i < len(d.IDs) {
			shown.Keys, shown.IDs = append(shown.Keys, d.Keys[i]), append(shown.IDs, d.IDs[i])
		}
	}
	return shown, len(shown.Keys) > 0
}
