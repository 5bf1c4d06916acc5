package casetype

import (
	"bytes"
	_ "embed"
	"fmt"
	"regexp"
	"regexp/syntax"
	"sync"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

//go:embed definition.schema.json
var definitionSchema []byte

// Schema returns the JSON Schema of definitions, for editors and documentation.
func Schema() []byte { return bytes.Clone(definitionSchema) }

// compiledDefinition is [Schema], ready to validate. It is ours and compiles.
var compiledDefinition = sync.OnceValue(func() *jsonschema.Schema {
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(definitionSchema))
	if err != nil {
		panic("casetype: definition.schema.json: " + err.Error())
	}
	schema, err := compile("https://casehook.dev/schemas/case-type.json", doc)
	if err != nil {
		panic("casetype: definition.schema.json: " + err.Error())
	}
	return schema
})

// sealed refuses to load anything: a schema is all there is to itself.
type sealed struct{}

func (sealed) Load(url string) (any, error) {
	return nil, fmt.Errorf("refers to %s, and nothing outside the definition is loaded", url)
}

// compile compiles a JSON Schema 2020-12 that refers to nothing but itself and
// the published metaschema.
func compile(url string, doc any) (*jsonschema.Schema, error) {
	c := jsonschema.NewCompiler()
	c.DefaultDraft(jsonschema.Draft2020)
	c.AssertFormat()
	c.AssertVocabs()
	c.UseLoader(sealed{})
	c.UseRegexpEngine(compilePattern)
	c.RegisterVocabulary(propertyNames)
	if err := c.AddResource(url, doc); err != nil {
		return nil, err
	}
	return c.Compile(url)
}

// maxPattern bounds the instructions of a compiled pattern: matching takes their
// number times the length of the text. Repeating one thing up to 1000 times fits.
const maxPattern = 2500

var errPattern = fmt.Errorf("is a pattern of more than %d steps; say lengths with minLength and maxLength", maxPattern)

func compilePattern(source string) (jsonschema.Regexp, error) {
	parsed, err := syntax.Parse(source, syntax.Perl)
	if err != nil {
		return nil, err
	}
	program, err := syntax.Compile(parsed.Simplify())
	if err != nil {
		return nil, err
	}
	if len(program.Inst) > maxPattern {
		return nil, errPattern
	}
	return regexp.Compile(source)
}

// namesKeyword stands in for propertyNames in compiled schemas, since the library
// reports faults of that one at a wrong place.
const namesKeyword = "x-casehook-property-names"

var propertyNames = &jsonschema.Vocabulary{
	URL: "https://casehook.dev/vocabularies/property-names",
	Compile: func(ctx *jsonschema.CompilerContext, object map[string]any) (jsonschema.SchemaExt, error) {
		if _, ok := object[namesKeyword]; !ok {
			return nil, nil
		}
		return names{ctx.Enqueue([]string{namesKeyword})}, nil
	},
}

type names struct{ schema *jsonschema.Schema }

func (n names) Validate(ctx *jsonschema.ValidatorContext, v any) {
	object, _ := v.(map[string]any)
	for name := range object {
		if err := ctx.Validate(n.schema, name, []string{name}); err != nil {
			ctx.AddErr(err)
		}
	}
}
