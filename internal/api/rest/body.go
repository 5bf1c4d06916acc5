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

// maxOpenBody bounds the body of a request without a credential, in bytes.
const maxOpenBody = 16 << 10

// ReadBody reads the whole body, up to the configured size.
func (k *Kernel) ReadBody(x *Exchange) ([]byte, error) {
	limit := k.config.MaxBody
	if x.Principal.Role == "" {
		limit = min(limit, maxOpenBody)
	}
	body, err := x.Body(limit)
	if err != nil {
		return nil, err
	}
	raw, err := io.ReadAll(io.LimitReader(body, leastLarge))
	if err == nil && len(raw) == leastLarge {
		if x.endLarge, err = k.memory.startLarge(x.Request.Context(), x.Principal); err != nil {
			return nil, err
		}
		var rest []byte
		rest, err = io.ReadAll(body)
		raw = append(raw, rest...)
	}
	if err != nil {
		return nil, Unreadable(err)
	}
	x.raw = yaml.WithoutBOM(raw)
	return x.raw, nil
}

// Unreadable returns the error of a body that could not be read to its end. It returns io.EOF and errors with a code
// unchanged.
func Unreadable(err error) error {
	var tooLarge *http.MaxBytesError
	var known *fault.Error
	if err == nil || err == io.EOF || errors.As(err, &tooLarge) || errors.As(err, &known) {
		return err
	}
	return fault.Wrap(err, fault.Invalid, "request.incomplete",
		"The request's body could not be read to its end. Send it again.")
}

// decode reads a JSON body strictly: it refuses unknown and repeated names with their
// paths, and keeps numbers as they are written.
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
	parsed, err := casetype.DecodeSent(raw)
	if err != nil {
		e := *fault.As(err)
		e.Detail = "The request's body can't be read; send one JSON object in UTF-8."
		return &e
	}
	var result huma.ValidateResult
	path := huma.NewPathBuffer(nil, 0)
	path.Push("body")
	huma.Validate(k.OpenAPI().Components.Schemas, schema, path, huma.ModeWriteToServer, floats(parsed), &result)
	if len(result.Errors) > 0 {
		return fault.In("request.body_invalid", "The request's body is not as described: see fields.",
			explainUnknown(k.OpenAPI().Components.Schemas.SchemaFromRef(schema.Ref), fieldsOf(result.Errors))...)
	}
	if err := json.Unmarshal(raw, into); err != nil {
		return misfit(err)
	}
	return nil
}

// explainUnknown adds suggestions to the faults of unknown members. In a body that sets a case's data, most unknown
// members are fields of the case.
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
		nearest := spelling.DidYouMean(name, known)
		wrong[i].Message += nearest
		if ofCase && (nearest == "" || strings.Contains(nearest, `"data"`)) {
			wrong[i].Message += "; the fields of a case go below data"
		}
	}
	return wrong
}

// misfit returns the fault of a body that fits the schema but not the Go type.
func misfit(err error) error {
	refusal := fault.In("request.body_invalid", "The request's body is not as described: see fields.")
	refusal.Err = err
	var mismatch *json.UnmarshalTypeError
	if errors.As(err, &mismatch) {
		refusal.Fields = []fault.Field{{Path: pointer("body." + mismatch.Field),
			Message: "does not fit into " + mismatch.Type.String()}}
	}
	return refusal
}

// CheckContentType refuses a body of any type but the accepted ones.
func (x *Exchange) CheckContentType(accepted ...string) error {
	sent, _, _ := mime.ParseMediaType(x.Request.Header.Get("Content-Type"))
	for _, t := range accepted {
		if sent == t {
			return nil
		}
	}
	return fault.New(fault.UnsupportedMedia, "request.content_type",
		"The body's Content-Type is %q; send %s.", sent, accepted[0])
}

// floats replaces, in place, the numbers in decoded JSON by float64s, which huma validates. Validation only compares
// them with bounds, so a number beyond the greatest float64 becomes that one.
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
