package rest

import (
	"encoding/json"

	"github.com/danielgtaylor/huma/v2"
)

// Optional is a text in a change: it is set, cleared (null), or left as it is (absent).
type Optional struct {
	set  bool
	text string
}

// UnmarshalJSON is called for null too, and not for an absent member.
func (o *Optional) UnmarshalJSON(raw []byte) error {
	o.set = true
	return json.Unmarshal(raw, &o.text)
}

// Schema describes a text or null.
func (Optional) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{Type: huma.TypeString, Nullable: true}
}

// Pointer returns nil for an absent text, and "" for null.
func (o Optional) Pointer() *string {
	if !o.set {
		return nil
	}
	return &o.text
}

// Object is a JSON object that is written as it is. An empty one is written as null.
type Object []byte

// MarshalJSON returns the object.
func (o Object) MarshalJSON() ([]byte, error) {
	if len(o) == 0 {
		return []byte("null"), nil
	}
	return o, nil
}

// Schema describes any object.
func (Object) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{Type: huma.TypeObject, AdditionalProperties: true}
}

// Value is any JSON value that is written as it is. An empty one is written as null.
type Value []byte

// MarshalJSON returns the value.
func (v Value) MarshalJSON() ([]byte, error) { return Object(v).MarshalJSON() }

// Schema describes any value.
func (Value) Schema(huma.Registry) *huma.Schema { return &huma.Schema{} }

// OrNull returns nil, which is shown as null, for the zero value, and otherwise a pointer to v.
func OrNull[T comparable](v T) *T {
	var zero T
	if v == zero {
		return nil
	}
	return &v
}

// Set assigns *with. If with is nil, it changes nothing.
func Set[T any](to *T, with *T) {
	if with != nil {
		*to = *with
	}
}
