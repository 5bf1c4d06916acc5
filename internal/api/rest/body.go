package rest

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

// ReadBody reads a whole body, of at most the configured size.
func (k *Kernel) ReadBody(x *Exchange) ([]byte, error) {
	limit := k.config.MaxBody
	if x.Principal.Role == "" {
		limit = min(limit, maxOpenBody)
	}
	body, err := x.Body(limit)
	if err != nil {
		return nil, err
	}
	raw, err := io.ReadAll(body)
	if err != nil {
		return nil, Unreadable(err)
	}
	x.raw = yaml.WithoutMark(raw)
	return x.raw, nil
}

// Unreadable says that a body broke off, which is not ours to repair.
func Unreadable(err error) error {
	var tooLarge *http.MaxBytesError
	var told *fault.Error
	if err == nil || err == io.EOF || errors.As(err, &tooLarge) || errors.As(err, &told) {
		return err
	}
	return fault.Wrap(err, fault.Invalid, "request.incomplete", "The request's body could not be read to its end.")
}

// decode reads a JSON body strictly: names that are unknown or come twice are
// refused with their place, and numbers are kept as they are written.
func (k *Kernel) decode(x *Exchange, schema *huma.Schema, required bool, into any) error {
	raw, err := k.ReadBody(x)
	if err != nil {
		return err
	}
	if len(raw) == 0 && !required {
		return nil
	}
	if err := x.CheckContentType("application/json"); err != nil {
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
	huma.Validate(k.OpenAPI().Components.Schemas, schema, place, huma.ModeWriteToServer, floats(parsed), &result)
	if len(result.Errors) > 0 {
		return fault.In("request.body_invalid", "The request's body is not as described: see fields.",
			explainUnknown(k.OpenAPI().Components.Schemas.SchemaFromRef(schema.Ref), fieldsOf(result.Errors))...)
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

// CheckContentType refuses bodies of other types than the given ones.
func (x *Exchange) CheckContentType(taken ...string) error {
	sent, _, _ := mime.ParseMediaType(x.Request.Header.Get("Content-Type"))
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
