package docs

import (
	"maps"
	"net/url"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"
)

// yamlType is the content type of a definition.
const yamlType = "application/yaml"

// samples makes examples of requests and answers from the examples in schemas.
type samples struct{ registry huma.Registry }

// mostOptional is the number of optional members in an example without required ones.
const mostOptional = 2

// of returns an example of a schema: with all members if whole is set, as in answers, and otherwise with the required
// ones.
func (s samples) of(schema *huma.Schema, whole bool, depth int) any {
	for schema.Ref != "" {
		schema = s.registry.SchemaFromRef(schema.Ref)
	}
	switch {
	case depth > 6:
		return nil
	case len(schema.Examples) > 0:
		return schema.Examples[0]
	case schema.Default != nil:
		return schema.Default
	case len(schema.Enum) > 0:
		return schema.Enum[0]
	case len(schema.AnyOf) > 0:
		return s.of(schema.AnyOf[0], whole, depth+1)
	}
	switch schema.Type {
	case huma.TypeObject:
		return s.object(schema, whole, depth)
	case huma.TypeArray:
		return []any{s.of(schema.Items, whole, depth+1)}
	case huma.TypeInteger, huma.TypeNumber:
		return 1
	case huma.TypeBoolean:
		return false
	case huma.TypeString:
		return map[string]string{"date-time": "2026-03-14T15:09:26.535Z"}[schema.Format]
	}
	return map[string]any{}
}

func (s samples) object(schema *huma.Schema, whole bool, depth int) map[string]any {
	out, optional := map[string]any{}, 0
	for _, name := range slices.Sorted(maps.Keys(schema.Properties)) {
		p := schema.Properties[name]
		needed := slices.Contains(schema.Required, name)
		if !needed && !whole && (len(schema.Required) > 0 || len(p.Examples) == 0 || optional == mostOptional) {
			continue
		}
		if !needed {
			optional++
		}
		out[name] = s.of(p, whole, depth+1)
	}
	return out
}

func (s samples) text(schema *huma.Schema, whole, lines bool) string {
	indent := ""
	if lines {
		indent = "  "
	}
	return jsonText(s.of(schema, whole, 0), indent)
}

// curl returns the command that sends a request to an operation.
func (s samples) curl(op *huma.Operation) string {
	path, query := op.Path, url.Values{}
	for _, p := range op.Parameters {
		values := parameterValues(p)
		switch {
		case p.In == "path":
			path = strings.ReplaceAll(path, "{"+p.Name+"}", url.PathEscape(values[0]))
		case p.In == "query" && p.Required:
			query[p.Name] = values
		}
	}
	if len(query) > 0 {
		path += "?" + query.Encode()
	}
	method := ""
	if op.Method != "GET" {
		method = "-X " + op.Method + " "
	}
	parts := []string{"curl " + method + `"$URL` + path + `"`}
	if len(op.Security) > 0 {
		token := "$CASEHOOK_TOKEN"
		if op.Security[0]["operator"] != nil {
			token = "$OPERATOR_TOKEN"
		}
		parts = append(parts, `-H "Authorization: Bearer `+token+`"`)
	}
	return strings.Join(append(parts, s.bodyOptions(op)...), " \\\n  ")
}

// bodyOptions returns the options of a command that sends a body.
func (s samples) bodyOptions(op *huma.Operation) []string {
	if op.RequestBody == nil {
		return nil
	}
	content := op.RequestBody.Content
	switch {
	case content[yamlType] != nil:
		return []string{"-H 'Content-Type: " + yamlType + "'", "--data-binary @definition.yaml"}
	case content["application/json"] != nil:
		body := strings.ReplaceAll(s.text(content["application/json"].Schema, false, false), "'", `'\''`)
		return []string{"-H 'Content-Type: application/json'", "-d '" + body + "'"}
	}
	return []string{"--data-binary @file"}
}

// answer returns an example of a success in JSON; empty: the operation has none.
func (s samples) answer(op *huma.Operation) (status, body string) {
	for _, status := range slices.Sorted(maps.Keys(op.Responses)) {
		if media := op.Responses[status].Content["application/json"]; status < "300" && media != nil {
			return status, s.text(media.Schema, true, true)
		}
	}
	return "", ""
}
