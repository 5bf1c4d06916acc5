// Package schemas has the JSON Schemas (draft 2020-12) of the files that people write, for their editors. A server
// serves them at /schemas/, and casehook schema prints them. The parsers have tests that keep them in step.
package schemas

import (
	_ "embed"
	"encoding/json"
	"sync"

	"github.com/casehook/casehook/internal/casetype"
	"github.com/casehook/casehook/internal/wire"
)

// The names of the schemas.
const (
	CaseType = "case-type" // a definition
	Apply    = "apply"     // the file of casehook apply
)

// Names lists the schemas.
func Names() []string { return []string{CaseType, Apply} }

// Of returns the schema with a name, or nil.
func Of(name string) []byte {
	switch name {
	case CaseType:
		return casetype.Schema()
	case Apply:
		return applyFile()
	}
	return nil
}

//go:embed apply.schema.json
var applySchema []byte

// applyFile completes the schema of the file with the triggers, and with the schema of definitions: editors load one
// document more reliably than references between several.
var applyFile = sync.OnceValue(func() []byte {
	whole, definition := decode(applySchema), decode(casetype.Schema())
	parts := whole["$defs"].(map[string]any)
	for name, part := range definition["$defs"].(map[string]any) {
		parts[name] = part
	}
	for _, name := range []string{"$schema", "$id", "$defs"} {
		delete(definition, name)
	}
	parts["apply_definition"] = definition
	parts["apply_trigger"] = triggers()
	out, err := json.MarshalIndent(whole, "", "  ")
	if err != nil {
		panic("schemas: " + err.Error())
	}
	return append(out, '\n')
})

// triggers lists the triggers with their descriptions, as editors show them beside their suggestions.
func triggers() map[string]any {
	var all []any
	for _, t := range wire.Triggers() {
		all = append(all, map[string]any{"const": t.Name, "description": t.Description})
	}
	return map[string]any{"description": "A trigger.", "anyOf": all}
}

func decode(document []byte) (v map[string]any) {
	if err := json.Unmarshal(document, &v); err != nil {
		panic("schemas: " + err.Error()) // it is ours
	}
	return v
}
