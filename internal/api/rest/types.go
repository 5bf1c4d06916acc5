package rest

import (
	"encoding/json"

	"github.com/danielgtaylor/huma/v2"
)

// Optional is a text that may be set, set to nothing (null), or left alone.
type Optional struct {
	set  bool
	text string
}

// UnmarshalJSON is called for null too, and not for what is absent.
func (o *Optional) UnmarshalJSON(raw []byte) error {
	o.set = true
	return json.Unmarshal(raw, &o.text)
}

// Schema is that of a text or null.
func (Optional) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{Type: huma.TypeString, Nullable: true}
}

// Pointer returns nil for what was left alone, and "" for null.
func (o Optional) Pointer() *string {
	if !o.set {
		return nil
	}
	return &o.text
}

// Object is a JSON object that is passed on as it is; empty, it is null.
type Object []byte

// MarshalJSON passes the object on.
func (o Object) MarshalJSON() ([]byte, error) {
	if len(o) == 0 {
		return []byte("null"), nil
	}
	return o, nil
}

// Schema is that of any object.
func (Object) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{Type: huma.TypeObject, AdditionalProperties: true}
}

// Value is any JSON value that is passed on as it is; empty, it is null.
type Value []byte

// MarshalJSON passes the value on.
func (v Value) MarshalJSON() ([]byte, error) { return Object(v).MarshalJSON() }

// Schema is that of anything.
func (Value) Schema(huma.Registry) *huma.Schema { return &huma.Schema{} }

// OrNull returns null for what is not set.
func OrNull[T comparable](v T) *T {
	var zero T
	if v == zero {
		return nil
	}
	return &v
}

// Set changes what a request changes; what is nil stays.
func Set[T any](to *T, with *T) {
	if with != nil {
		*to = *with
	}
}
