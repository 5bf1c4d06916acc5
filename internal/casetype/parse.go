package casetype

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
)

// The bounds of a definition.
const (
	maxSource = 1 << 20 // bytes
	maxNodes  = 20_000  // values, with YAML aliases expanded
)

// Parse reads a definition from YAML or JSON. File names it in faults. The error
// is a [Faults] that lists all that is wrong.
func Parse(file string, source []byte) (*Type, error) {
	t, wrong := parse(source, false)
	return t, wrong.in(file)
}

// in returns the faults as those of a file, in their order; nil when there are none.
func (f Faults) in(file string) error {
	if len(f) == 0 {
		return nil
	}
	for i := range f {
		f[i].File = file
	}
	return f.ordered()
}

func parse(source []byte, stored bool) (*Type, Faults) {
	if len(source) > maxSource {
		return nil, Faults{{Line: 1, Message: fmt.Sprintf("is larger than %d bytes", maxSource)}}
	}
	doc := read(source)
	if doc.value == nil && len(doc.wrong) > 0 {
		return nil, doc.wrong
	}
	c := checker{tree: doc, stored: stored}
	c.check()
	if len(c.wrong) > 0 {
		return nil, c.wrong
	}
	t, err := build(&c)
	if err != nil {
		return nil, Faults{{Line: 1, Message: err.Error()}}
	}
	return t, nil
}

// read takes as JSON what is JSON, for JSON's own escapes, and the rest as YAML.
func read(source []byte) tree {
	if bytes.HasPrefix(bytes.TrimLeft(source, " \t\r\n"), []byte("{")) && json.Valid(source) {
		return readJSON(source, true, maxNodes)
	}
	return readYAML(source, maxNodes)
}

// Load makes a Type from the JSON that [Type.JSON] gave. It may be older than some
// rules: names are reserved in upper case too, and a URL has to be one that can be
// called.
func Load(definitionJSON []byte) (*Type, error) {
	t, wrong := parse(definitionJSON, true)
	return t, wrong.in("")
}

// build makes the type of a document in which nothing is wrong.
func build(c *checker) (*Type, error) {
	raw, err := encode(c.value)
	if err != nil {
		return nil, err
	}
	t := &Type{
		fields: c.order["/fields/properties"], schema: c.schema, described: c.described, judges: c.countJudges(),
		preconditions: c.programs, integers: c.integers(),
	}
	if err := json.Unmarshal(raw, &t.Definition); err != nil {
		return nil, err
	}
	var fields bytes.Buffer
	if err := c.encodeOrdered(&fields, c.root()["fields"], "/fields"); err != nil {
		return nil, err
	}
	t.Fields = fields.Bytes()
	t.setDefaults()
	t.index(c.fieldSchemas())
	t.json, err = encode(t.Definition)
	return t, err
}

func (t *Type) index(schemas map[string]any) {
	t.classes = map[string]Classification{}
	for name, schema := range schemas {
		t.classes[name] = Public
		if object, ok := schema.(map[string]any); ok {
			if class, ok := object["x-classification"].(string); ok {
				t.classes[name] = Classification(class)
			}
		}
	}
	t.indexClasses()
}

// setDefaults fills in what the definition leaves out.
func (d *Definition) setDefaults() {
	fill(&d.Name, d.Key)
	fill(&d.Kind, Case)
	fill(&d.Classification, Public)
	fill(&d.Reference, strings.ToUpper(d.Key)+"-{seq}")
	for i := range d.States {
		fill(&d.States[i].Name, d.States[i].Key)
	}
	for i := range d.Transitions {
		fill(&d.Transitions[i].Name, d.Transitions[i].Key)
	}
	for _, c := range d.Callbacks() {
		c.Ask.setDefaults()
	}
	for i := range d.Documents {
		fill(&d.Documents[i].Name, d.Documents[i].Key)
	}
	for i := range d.Proofs {
		fill(&d.Proofs[i].Name, d.Proofs[i].Key)
	}
}

func (a *Ask) setDefaults() {
	a.URL = canonicalURL(a.URL)
	fill(&a.Timeout, DefaultTimeout)
	fill(&a.Budget, DefaultBudget)
	fill(&a.FailurePolicy, Fail)
	if a.Retries == nil {
		a.Retries = DefaultRetries()
	}
}

func fill[T comparable](to *T, with T) {
	var zero T
	if *to == zero {
		*to = with
	}
}
