package schema_test

import (
	"errors"
	"fmt"
	"math/big"
	"slices"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"

	"github.com/casehook/casehook/internal/schema"
)

// libraryCompile compiles a schema by the library, which is the reference.
func libraryCompile(doc any) (*jsonschema.Schema, error) {
	c := jsonschema.NewCompiler()
	c.DefaultDraft(jsonschema.Draft2020)
	c.AssertFormat()
	c.UseRegexpEngine(func(source string) (jsonschema.Regexp, error) {
		p, err := schema.CompilePattern(nil, source)
		if err != nil {
			return nil, err
		}
		return patternOf{p, source}, nil
	})
	c.AssertVocabs()
	c.RegisterVocabulary(propertyNames)
	if err := c.AddResource("schema:x", renamed(doc)); err != nil {
		return nil, err
	}
	return c.Compile("schema:x")
}

// propertyNames stands in for the keyword, since the library reports faults of that
// one at a wrong place.
var propertyNames = &jsonschema.Vocabulary{
	URL: "https://casehook.dev/vocabularies/property-names",
	Compile: func(ctx *jsonschema.CompilerContext, object map[string]any) (jsonschema.SchemaExt, error) {
		if _, ok := object["x-names"]; !ok {
			return nil, nil
		}
		return names{ctx.Enqueue([]string{"x-names"})}, nil
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

// renamed copies a schema with its propertyNames under the name of the stand-in.
func renamed(v any) any {
	switch v := v.(type) {
	case map[string]any:
		out := map[string]any{}
		for name, value := range v {
			if name == "propertyNames" {
				name = "x-names"
			}
			out[name] = renamed(value)
		}
		return out
	case []any:
		out := []any{}
		for _, item := range v {
			out = append(out, renamed(item))
		}
		return out
	}
	return v
}

// libraryComplaints lists the library's complaints, in our words.
func libraryComplaints(err error) []string {
	var invalid *jsonschema.ValidationError
	if !errors.As(err, &invalid) {
		return nil
	}
	var all []complaint
	flatten(invalid, &all)
	var lines []string
	for _, c := range all {
		lines = append(lines, schema.Pointer("", c.path...)+" "+c.message)
	}
	slices.Sort(lines)
	return slices.Compact(lines)
}

type complaint struct {
	path    []string
	message string
}

func flatten(e *jsonschema.ValidationError, all *[]complaint) {
	at := e.InstanceLocation
	add := func(message string, more ...string) {
		*all = append(*all, complaint{slices.Concat(at, more), message})
	}
	switch k := e.ErrorKind.(type) {
	case *kind.Required:
		for _, name := range k.Missing {
			add("is required", name)
		}
	case *kind.DependentRequired:
		for _, name := range k.Missing {
			add(fmt.Sprintf("is required when %s is given", k.Prop), name)
		}
	case *kind.AdditionalProperties:
		for _, name := range k.Properties {
			add("is not a known name here", name)
		}
	case *kind.FalseSchema:
		switch {
		case strings.HasSuffix(e.SchemaURL, "/unevaluatedProperties"), strings.HasSuffix(e.SchemaURL,
			"/additionalProperties"):
			add("is not a known name here")
		default:
			add("must be absent")
		}
	case *kind.AnyOf:
		add("fits none of the allowed forms: " + libraryForms(e, at))
	case *kind.OneOf:
		if len(k.Subschemas) > 0 {
			add("fits more than one of the forms of which it must fit one")
		} else {
			add("fits none of the allowed forms: " + libraryForms(e, at))
		}
	default:
		if len(e.Causes) == 0 {
			add(explain(e.ErrorKind))
		}
		for _, cause := range e.Causes {
			flatten(cause, all)
		}
	}
}

func libraryForms(e *jsonschema.ValidationError, at []string) string {
	var parts []string
	for _, cause := range e.Causes {
		var all []complaint
		flatten(cause, &all)
		var says []string
		for _, c := range all {
			says = append(says,
				strings.TrimSpace(schema.Pointer("", c.path[min(len(at), len(c.path)):]...)+" "+c.message))
		}
		slices.Sort(says)
		parts = append(parts, strings.Join(slices.Compact(says), ", "))
	}
	if text := strings.Join(parts, "; or "); len(text) <= 400 {
		return text
	}
	return fmt.Sprintf("there are %d", len(parts))
}

var typeNames = map[string]string{
	"null": "null", "boolean": "true or false", "object": "an object", "array": "a list",
	"number": "a number", "integer": "a whole number", "string": "text",
}

func explain(k jsonschema.ErrorKind) string {
	switch k := k.(type) {
	case *kind.Type:
		var want []string
		for _, t := range k.Want {
			want = append(want, typeNames[t])
		}
		if k.Got == "number" && slices.Contains(k.Want, "integer") {
			return "is not " + strings.Join(want, " or ")
		}
		return fmt.Sprintf("is %s, not %s", typeNames[k.Got], strings.Join(want, " or "))
	case *kind.Enum:
		return "is not one of " + values(k.Want)
	case *kind.Const:
		return "is not " + values([]any{k.Want})
	case *kind.Format:
		example := map[string]string{"date": "2026-03-14", "time": "15:09:26Z", "date-time": "2026-03-14T15:09:26Z",
			"duration": "P3D or PT15M", "uri": "https://example.com/a"}[k.Want]
		if example != "" {
			return "is not a valid " + k.Want + ", such as " + example
		}
		return "is not a valid " + k.Want
	case *kind.Pattern:
		return "does not match the pattern " + k.Want
	case *kind.MinLength:
		return fmt.Sprintf("is shorter than %s", counted(k.Want, "character"))
	case *kind.MaxLength:
		return fmt.Sprintf("is longer than %s", counted(k.Want, "character"))
	case *kind.MinItems:
		return fmt.Sprintf("has fewer than %s", counted(k.Want, "item"))
	case *kind.MaxItems:
		return fmt.Sprintf("has more than %s", counted(k.Want, "item"))
	case *kind.UniqueItems:
		return fmt.Sprintf("holds the same item twice, at %d and %d", k.Duplicates[0], k.Duplicates[1])
	case *kind.MinProperties:
		return fmt.Sprintf("has fewer entries than %d", k.Want)
	case *kind.MaxProperties:
		return fmt.Sprintf("has more entries than %d", k.Want)
	case *kind.Contains:
		return "holds no item of the form that it must hold"
	case *kind.MinContains:
		return fmt.Sprintf("holds fewer than %d items of the form that it must hold", k.Want)
	case *kind.MaxContains:
		return fmt.Sprintf("holds more than %d items of the form that it may hold", k.Want)
	case *kind.Not:
		return "matches a schema that it must not match"
	}
	return explainNumber(k)
}

func explainNumber(k jsonschema.ErrorKind) string {
	number := func(r *big.Rat) string { return strings.TrimSuffix(strings.TrimRight(r.FloatString(3), "0"), ".") }
	switch k := k.(type) {
	case *kind.Minimum:
		return "is below " + number(k.Want)
	case *kind.Maximum:
		return "is above " + number(k.Want)
	case *kind.ExclusiveMinimum:
		return "is not above " + number(k.Want)
	case *kind.ExclusiveMaximum:
		return "is not below " + number(k.Want)
	case *kind.MultipleOf:
		return "is not a multiple of " + number(k.Want)
	}
	return fmt.Sprintf("%T", k)
}

func values(all []any) string {
	var parts []string
	for _, v := range all {
		part, isText := v.(string)
		if !isText || part == "" {
			part = asJSON(v)
		}
		parts = append(parts, part)
	}
	if len(parts) > 20 {
		parts = append(parts[:20], "...")
	}
	return strings.Join(parts, ", ")
}

func counted(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
