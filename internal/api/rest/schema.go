package rest

import (
	"encoding/json"

	"github.com/danielgtaylor/huma/v2"
)

// Component adds a schema to the components of a document, and returns a reference to it.
func Component(r huma.Registry, name string, s *huma.Schema) *huma.Schema {
	s.PrecomputeMessages()
	r.Map()[name] = s
	return &huma.Schema{Ref: "#/components/schemas/" + name}
}

// Embedded returns a JSON Schema as a part of the document, which has the same dialect.
func Embedded(schema []byte) *huma.Schema {
	var parts map[string]json.RawMessage
	if err := json.Unmarshal(schema, &parts); err != nil {
		panic("rest: a schema: " + err.Error()) // it is made of our own types
	}
	delete(parts, "$schema")
	s := &huma.Schema{Extensions: make(map[string]any, len(parts))}
	for name, part := range parts {
		s.Extensions[name] = part
	}
	return s
}
