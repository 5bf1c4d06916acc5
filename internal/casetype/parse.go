package casetype

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/casehook/casehook/internal/schema"
	"github.com/casehook/casehook/internal/spelling"
	"github.com/casehook/casehook/internal/yaml"
)

// The bounds of a definition.
const (
	maxSource = 16 << 20  // bytes
	maxNodes  = 1_000_000 // values, with YAML aliases expanded
)

// Parse reads a definition from YAML or JSON. File names it in faults. The error is a [Faults] that lists
// all faults.
func Parse(file string, source []byte) (*Type, error) { return parse(nil, file, source) }

// ParseContext is Parse within a request: when that ends, the error is the context's.
func ParseContext(ctx context.Context, file string, source []byte) (*Type, error) {
	return parse(ctx, file, source)
}

func parse(ctx context.Context, file string, source []byte) (*Type, error) {
	t, wrong, err := read(source, checker{budget: schema.NewBudget(ctx, stepsFor(source))})
	if err != nil {
		return nil, fmt.Errorf("checking a definition: %w", err)
	}
	if t != nil {
		t.inFile(file)
	}
	return t, wrong.in(file)
}

// inFile names the file in the warnings of the definition.
func (t *Type) inFile(file string) {
	for i := range t.warnings {
		t.warnings[i].File = file
	}
	for i := range t.variables {
		t.variables[i].at.File = file
	}
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

// read makes a type of a source, with a checker that has its budget and rules. The
// error is that of a request which has ended.
func read(source []byte, c checker) (*Type, Faults, error) {
	if len(source) > maxSource {
		return nil, Faults{{Line: 1, Message: fmt.Sprintf("is larger than %d bytes", maxSource)}}, nil
	}
	options := yaml.Options{MaxNodes: maxNodes, Text: spelling.Composed}
	if c.stored {
		options.MaxNodes = 0
	}
	c.doc = yaml.Read(source, options)
	for _, f := range c.doc.Faults {
		c.wrong = append(c.wrong, Fault{Line: f.Line, Path: f.Path, Message: f.Message})
	}
	if c.doc.Value == nil && len(c.wrong) > 0 {
		return nil, c.wrong, nil
	}
	switch c.check(); {
	case errors.Is(c.stop, schema.ErrSpent):
		return nil, Faults{{Line: 1, Message: tooCostly(c.budget.Used())}}, nil
	case c.stop != nil:
		return nil, nil, c.stop
	case len(c.wrong) > 0:
		return nil, c.wrong, nil
	}
	t, err := build(&c)
	if err != nil {
		return nil, Faults{{Line: 1, Message: err.Error()}}, nil
	}
	return t, nil, nil
}

// Load makes a Type from the JSON of [Type.JSON]. That may be older than some rules: names in upper case
// were not reserved, URLs were not checked, and the cost of checking was not bounded.
func Load(definitionJSON []byte) (*Type, error) {
	t, wrong, err := read(definitionJSON, checker{stored: true})
	if err != nil {
		return nil, err
	}
	return t, wrong.in("")
}

// build makes the type of a document without faults.
func build(c *checker) (*Type, error) {
	others := maps.Clone(c.root())
	delete(others, "fields") // these keep the order in which they are written
	raw, err := yaml.JSON(others)
	if err != nil {
		return nil, err
	}
	t := &Type{
		fields: c.doc.Keys("/fields/properties"), schema: c.schema, preconditions: c.programs, targets: c.targets,
		offers: c.offers, whens: c.whens, rules: c.rules, starts: c.starts,
		integers: c.integers(), defaults: c.defaults, places: c.places(), indexed: c.indexedFields(),
		warnings: c.warnings.ordered(), variables: c.variables,
	}
	if err := json.Unmarshal(raw, &t.Definition); err != nil {
		return nil, err
	}
	if t.Fields, err = c.doc.Root().Member("fields").JSON(); err != nil {
		return nil, err
	}
	t.documents = c.documents
	t.setDefaults()
	t.json, err = yaml.JSON(t.Definition)
	t.resolveRoles()
	t.index(c.fieldSchemas())
	t.joinRules()
	return t, err
}

func (t *Type) index(schemas map[string]any) {
	t.classes, t.titles = map[string]Classification{}, map[string]string{}
	for name, schema := range schemas {
		t.classes[name] = Public
		if class, ok := object(schema)["x-classification"].(string); ok {
			t.classes[name] = Classification(class)
		}
		if readers := t.Access.Fields[name].Read; readers != nil {
			t.classes[name] = t.classes[name].LimitedTo(readers)
		}
		if title := text(object(schema)["title"]); title != "" {
			t.titles[name] = title
		}
	}
	t.indexClasses()
	t.indexed = slices.DeleteFunc(t.indexed, func(f indexedField) bool { return t.Classification(f.name).Limited() })
}

// setDefaults fills in what the definition leaves out.
func (d *Definition) setDefaults() {
	fill(&d.Name, d.Key)
	fill(&d.Kind, Case)
	fill(&d.Classification, Public)
	if d.Blank == BlankRefused {
		d.Blank = "" // the default has one spelling
	}
	d.dropBlankCallbacks()
	if d.Dialect == QuickCase {
		d.Dialect = ""
	}
	if d.CallbackSecret == SecretPerTransition {
		d.CallbackSecret = "" // the default has one spelling
	}
	fill(&d.Reference, strings.ToUpper(d.Key)+"-{seq}")
	for i := range d.States {
		fill(&d.States[i].Name, d.States[i].Key)
	}
	for i := range d.Transitions {
		tr := &d.Transitions[i]
		fill(&tr.Name, tr.Key)
		for j := range tr.Pages {
			fill(&tr.Pages[j].Name, tr.Pages[j].Key)
		}
	}
	for _, c := range d.Callbacks() {
		c.Settings.setDefaults()
		if c.Question == AboutToSubmit { // the others have no such setting
			fill(&c.Settings.FailurePolicy, Fail)
		}
	}
	for i := range d.Documents {
		fill(&d.Documents[i].Name, d.Documents[i].Key)
	}
	for i := range d.Proofs {
		fill(&d.Proofs[i].Name, d.Proofs[i].Key)
	}
}

func (s *CallbackSettings) setDefaults() {
	s.URL = canonicalURL(s.URL)
	if s.Shadow.URL != "" {
		s.Shadow.URL = canonicalURL(s.Shadow.URL)
	}
	fill(&s.Timeout, DefaultTimeout)
	fill(&s.Budget, DefaultBudget)
	if s.Retries == nil {
		s.Retries = DefaultRetries()
	}
}

func fill[T comparable](to *T, with T) {
	var zero T
	if *to == zero {
		*to = with
	}
}
