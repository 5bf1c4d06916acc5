package cases

import (
	"github.com/danielgtaylor/huma/v2"

	"github.com/casehook/casehook/internal/casetype"
)

// Data is a case's data, as a client sets it.
type Data map[string]any

// UnmarshalJSON keeps numbers as they are written. Null is the same as no data.
func (d *Data) UnmarshalJSON(raw []byte) (err error) {
	if string(raw) == "null" {
		return nil
	}
	*d, err = casetype.Decode(raw)
	return err
}

// Schema describes any object; the case type describes its members.
func (Data) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{Type: huma.TypeObject, AdditionalProperties: true}
}
