package cases

import (
	"github.com/danielgtaylor/huma/v2"

	"github.com/casehook/casehook/internal/casetype"
)

// Data is a case's data, as a client sets it.
type Data map[string]any

// UnmarshalJSON keeps numbers as they are written. Null is as absent.
func (d *Data) UnmarshalJSON(raw []byte) (err error) {
	if string(raw) == "null" {
		return nil
	}
	*d, err = casetype.Decode(raw)
	return err
}

// Schema is that of any object: what is in it, the case type knows.
func (Data) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{Type: huma.TypeObject, AdditionalProperties: true}
}
