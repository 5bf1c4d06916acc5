package event

import "encoding/json"

// CaseChanged: a commit changed the case's data, name or colour.
var CaseChanged = define[Changes](20, "case.changed", "Data, name or colour of a case changed.")

// Changes is a diff, ordered by path.
type Changes struct {
	Changes []Change `json:"changes"`
}

// Change is one field before and after. Of a case, Path is "name", "color", or
// "data/" and the field's name; of a contact it is the name of the detail. An
// absent value is null.
type Change struct {
	Path   string          `json:"path"`
	Before json.RawMessage `json:"before"`
	After  json.RawMessage `json:"after"`
	Class  string          `json:"class,omitempty"` // the higher classification of the two; empty: PUBLIC
}
