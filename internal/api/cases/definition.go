package cases

import (
	"encoding/json"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/casehook/casehook/internal/api/rest"
	"github.com/casehook/casehook/internal/casetype"
)

// Definition is a definition of a case type, in JSON.
type Definition rest.Object

// MarshalJSON returns the definition.
func (d Definition) MarshalJSON() ([]byte, error) { return rest.Object(d).MarshalJSON() }

// Schema describes a definition, as a component. Its parts are components of their own.
func (Definition) Schema(r huma.Registry) *huma.Schema {
	const root = "Definition"
	var s struct {
		Parts map[string]json.RawMessage `json:"$defs"`
	}
	if r.Map()[root] == nil {
		if err := json.Unmarshal(casetype.Schema(), &s); err != nil {
			panic("cases: the schema of definitions: " + err.Error()) // it is our own
		}
		for name, part := range s.Parts {
			s := rest.Embedded(asComponent(part))
			if name == "document" { // its other members are left out if they name fields hidden from the caller
				s.Extensions["required"] = json.RawMessage(`["key"]`)
			}
			rest.Component(r, definitionPart(name), s)
		}
		rest.Component(r, root, rest.Embedded(asComponent(casetype.Schema())))
	}
	return &huma.Schema{Ref: "#/components/schemas/" + root}
}

// definitionPart names the component of a part that the schema defines.
func definitionPart(name string) string {
	if better := map[string]string{"ask": "callback", "asked": "callbacks"}[name]; better != "" {
		name = better
	}
	return "Definition" + strings.ToUpper(name[:1]) + name[1:]
}

// asComponent returns a schema without the keywords of a document, with its references pointing to components.
func asComponent(raw []byte) rest.Value {
	var s map[string]any
	if err := json.Unmarshal(raw, &s); err != nil {
		panic("cases: the schema of definitions: " + err.Error()) // it is our own
	}
	for _, name := range []string{"$schema", "$id", "$defs"} {
		delete(s, name)
	}
	shown, err := json.Marshal(movedToComponents(s))
	if err != nil {
		panic("cases: the schema of definitions: " + err.Error()) // it was JSON
	}
	return shown
}

// describeDefault moves a default into the description: type generators treat a member with a default as always
// present.
func describeDefault(s map[string]any) {
	value, ok := s["default"]
	if _, isSchema := value.(map[string]any); !ok || isSchema {
		return
	}
	delete(s, "default")
	described, _ := s["description"].(string)
	text, err := json.Marshal(value)
	if err == nil {
		s["description"] = strings.TrimSpace(described + " Default: " + strings.Trim(string(text), `"`) + ".")
	}
}

// movedToComponents rewrites references in place, so that they point to components. It removes references to the
// metaschema of JSON Schema, another document, which clients could not load.
func movedToComponents(v any) any {
	switch v := v.(type) {
	case map[string]any:
		if ref, ok := v["$ref"].(string); ok {
			name, inside := strings.CutPrefix(ref, "#/$defs/")
			if v["$ref"] = "#/components/schemas/" + definitionPart(name); !inside {
				delete(v, "$ref")
			}
		}
		if v["type"] == huma.TypeObject && v["additionalProperties"] == nil {
			v["additionalProperties"] = true // generated types would not allow them otherwise
		}
		describeDefault(v)
		for key, part := range v {
			v[key] = movedToComponents(part)
		}
		if all, ok := v["allOf"].([]any); ok && len(all) == 1 && len(all[0].(map[string]any)) == 0 {
			delete(v, "allOf")
		}
	case []any:
		for i, part := range v {
			v[i] = movedToComponents(part)
		}
	}
	return v
}
