package casetype

import (
	"bytes"
	_ "embed"
	"sync"

	"github.com/casehook/casehook/internal/schema"
	"github.com/casehook/casehook/internal/yaml"
)

//go:embed definition.schema.json
var definitionSchema []byte

// metaschema is that of JSON Schema 2020-12, without vocabularies and dynamic references.
//
//go:embed metaschema.json
var metaschema []byte

// Schema returns the JSON Schema of definitions, for editors and documentation.
func Schema() []byte { return bytes.Clone(definitionSchema) }

// compiledDefinition is [Schema], compiled.
var compiledDefinition = sync.OnceValue(func() *schema.Schema {
	compiled, err := schema.Compile(nil, schema.Source{
		Document: yaml.ReadJSON(definitionSchema).Value,
		Others:   map[string]any{draft2020: yaml.ReadJSON(metaschema).Value},
	})
	if err != nil {
		panic("casetype: definition.schema.json: " + err.Error())
	}
	return compiled
})
