package event

// CaseCommented: a comment was added.
var CaseCommented = define[Comment](60, "case.commented", "A comment was added to a case.")

// Comment names the comment.
type Comment struct {
	ID string `json:"id"`
}
