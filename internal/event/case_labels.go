package event

// Labels belong to a tenant and are set on cases; each is added and removed by itself.
var (
	CaseLabelAdded   = define[Label](62, "case.label_added", "A label was added to a case.")
	CaseLabelRemoved = define[Label](63, "case.label_removed", "A label was removed from a case.")
)

// Label names the label.
type Label struct {
	Slug string `json:"slug"`
}
