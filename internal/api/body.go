package api

import (
	"encoding/json"
	"errors"
	"io"
	"maps"
	"math"
	"mime"
	"net/http"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/validation"

	"github.com/casehook/casehook/internal/casetype"
	"github.com/casehook/casehook/internal/fault"
	"github.com/casehook/casehook/internal/spelling"
	"github.com/casehook/casehook/internal/yaml"
)

// maxOpenBody is the greatest body of those who have no credential, in bytes.
const maxOpenBody = 16 << 10

// read reads a whole body, of at most a configured size.
func (a *API) read(x *exchange) ([]byte, error) {
	limit := a.config.MaxBody
	if x.principal.Role == "" {
		limit = min(limit, maxOpenBody)
	}
	body, err := x.body(limit)
	if err != nil {
		return nil, err
	}
	raw, err := io.ReadAll(body)
	if err != nil {
		return nil, unreadable(err)
	}
	x.raw = yaml.WithoutMark(raw)
	return x.raw, nil
}

// unreadable says that a body broke off, which is not ours to repair.
func unreadable(err error) error {
	var tooLarge *http.MaxBytesError
	var told *fault.Error
	if err == nil || err == io.EOF || errors.As(err, &tooLarge) || errors.As(err, &told) {
		return err
	}
	return fault.Wrap(err, fault.Invalid, "request.incomplete", "The request's body could not be read to its end.")
}

// decode reads a JSON body strictly: names that are unknown or come twice are
// refused with their place, and numbers are kept as they are written.
func (a *API) decode(x *exchange, schema *huma.Schema, required bool, into any) error {
	raw, err := a.read(x)
	if err != nil {
		return err
	}
	if len(raw) == 0 && !required {
		return nil
	}
	if err := x.contentType("application/json"); err != nil {
		return err
	}
	parsed, err := casetype.Decode(raw)
	if err != nil {
		e := *fault.As(err)
		e.Detail = "The request's body can't be read; send one JSON object in UTF-8."
		return &e
	}
	var result huma.ValidateResult
	place := huma.NewPathBuffer(nil, 0)
	place.Push("body")
	huma.Validate(a.huma.OpenAPI().Components.Schemas, schema, place, huma.ModeWriteToServer, floats(parsed), &result)
	if len(result.Errors) > 0 {
		return fault.In("request.body_invalid", "The request's body is not as described: see fields.",
			explainUnknown(a.huma.OpenAPI().Components.Schemas.SchemaFromRef(schema.Ref), fieldsOf(result.Errors))...)
	}
	if err := json.Unmarshal(raw, into); err != nil {
		return misfit(err)
	}
	return nil
}

// explainUnknown says of members that a body does not have which ones were probably meant.
// In the bodies that set a case's fields, it is most often one of these.
func explainUnknown(body *huma.Schema, wrong []fault.Field) []fault.Field {
	if body == nil {
		return wrong
	}
	known := slices.Sorted(maps.Keys(body.Properties))
	ofCase := body.Properties["data"] != nil && body.Properties["ignore_warning"] != nil
	for i, f := range wrong {
		name := strings.TrimPrefix(f.Path, "/")
		if f.Message != validation.MsgUnexpectedProperty || strings.Contains(name, "/") {
			continue
		}
		if nearest := spelling.DidYouMean(name, known); nearest != "" {
			wrong[i].Message += nearest
		} else if ofCase {
			wrong[i].Message += "; the fields of a case go below data"
		}
	}
	return wrong
}

// misfit explains what the schema lets pass and Go does not hold.
func misfit(err error) error {
	refusal := fault.In("request.body_invalid", "The request's body is not as described: see fields.")
	refusal.Err = err
	var mismatch *json.UnmarshalTypeError
	if errors.As(err, &mismatch) {
		refusal.Fields = []fault.Field{{Path: pointer("body." + mismatch.Field), Message: "does not fit into " + mismatch.Type.String()}}
	}
	return refusal
}

// contentType refuses bodies of other types than the given ones.
func (x *exchange) contentType(taken ...string) error {
	sent, _, _ := mime.ParseMediaType(x.request.Header.Get("Content-Type"))
	for _, t := range taken {
		if sent == t {
			return nil
		}
	}
	return fault.New(fault.UnsupportedMedia, "request.content_type",
		"The body's Content-Type is %q; send %s.", sent, taken[0])
}

// floats turns JSON into what huma validates, in place. Only sizes are judged by it,
// so the greatest float stands for what is beyond.
func floats(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for name, value := range v {
			v[name] = floats(value)
		}
	case []any:
		for i, item := range v {
			v[i] = floats(item)
		}
	case json.Number:
		f, _ := v.Float64()
		return math.Max(-math.MaxFloat64, math.Min(f, math.MaxFloat64))
	}
	return v
}

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

// pointer returns nil for what was left alone, and "" for null.
func (o Optional) pointer() *string {
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
