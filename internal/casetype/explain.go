package casetype

import (
	"errors"
	"fmt"
	"math/big"
	"slices"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"
)

// complaint is one thing that a schema holds against a value.
type complaint struct {
	path        []string
	message     string
	unknown     bool   // the complaint is that there is such a name
	unevaluated string // location of the unevaluatedProperties that it comes from
}

// name is the last token of the path.
func (c complaint) name() string {
	if len(c.path) == 0 {
		return ""
	}
	return c.path[len(c.path)-1]
}

// complaints flattens what a validation says. Messages never quote the value.
func complaints(err error) []complaint {
	var invalid *jsonschema.ValidationError
	if !errors.As(err, &invalid) {
		return nil
	}
	var all []complaint
	flatten(invalid, &all)
	return all
}

func flatten(e *jsonschema.ValidationError, all *[]complaint) {
	add := func(message string, more ...string) {
		path := append(slices.Clone(e.InstanceLocation), more...)
		*all = append(*all, complaint{path: path, message: message})
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
			(*all)[len(*all)-1].unknown = true
		}
	case *kind.FalseSchema:
		add("must be absent")
		if at := strings.TrimSuffix(e.SchemaURL, "/unevaluatedProperties"); at != e.SchemaURL && len(e.InstanceLocation) > 0 {
			last := &(*all)[len(*all)-1]
			last.message, last.unknown, last.unevaluated = "is not a known name here", true, e.SchemaURL
		}
	case *kind.AnyOf:
		add("fits none of the allowed forms: " + forms(e))
	case *kind.OneOf:
		if len(k.Subschemas) > 0 {
			add("fits more than one of the forms of which it must fit one")
		} else {
			add("fits none of the allowed forms: " + forms(e))
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

// forms says in one line what each alternative holds against the value.
func forms(e *jsonschema.ValidationError) string {
	var parts []string
	for _, cause := range e.Causes {
		var all []complaint
		flatten(cause, &all)
		var says []string
		for _, c := range all {
			at := pointer("", c.path[min(len(e.InstanceLocation), len(c.path)):]...)
			says = append(says, strings.TrimSpace(at+" "+c.message))
		}
		slices.Sort(says)
		parts = append(parts, strings.Join(slices.Compact(says), ", "))
	}
	text := strings.Join(parts, "; or ")
	if len(text) > 400 {
		return fmt.Sprintf("there are %d", len(parts))
	}
	return text
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
		return "is not one of " + list(k.Want)
	case *kind.Const:
		return "is not " + list([]any{k.Want})
	case *kind.Format:
		if errors.Is(k.Err, errPattern) {
			return errPattern.Error()
		}
		return "is not a valid " + k.Want
	case *kind.Pattern:
		return "does not match the pattern " + k.Want
	case *kind.MinLength:
		return fmt.Sprintf("is shorter than %s", count(k.Want, "character"))
	case *kind.MaxLength:
		return fmt.Sprintf("is longer than %s", count(k.Want, "character"))
	case *kind.MinItems:
		return fmt.Sprintf("has fewer than %s", count(k.Want, "item"))
	case *kind.MaxItems:
		return fmt.Sprintf("has more than %s", count(k.Want, "item"))
	case *kind.UniqueItems:
		return fmt.Sprintf("holds the same item twice, at %d and %d", k.Duplicates[0], k.Duplicates[1])
	case *kind.MinProperties:
		return fmt.Sprintf("has fewer entries than %d", k.Want)
	case *kind.MaxProperties:
		return fmt.Sprintf("has more entries than %d", k.Want)
	}
	return explainNumber(k)
}

func explainNumber(k jsonschema.ErrorKind) string {
	switch k := k.(type) {
	case *kind.Minimum:
		return "is below " + decimal(k.Want)
	case *kind.Maximum:
		return "is above " + decimal(k.Want)
	case *kind.ExclusiveMinimum:
		return "is not above " + decimal(k.Want)
	case *kind.ExclusiveMaximum:
		return "is not below " + decimal(k.Want)
	case *kind.MultipleOf:
		return "is not a multiple of " + decimal(k.Want)
	case *kind.Contains:
		return "holds no item of the form that it must hold"
	case *kind.MinContains:
		return fmt.Sprintf("holds fewer than %d items of the form that it must hold", k.Want)
	case *kind.MaxContains:
		return fmt.Sprintf("holds more than %d items of the form that it may hold", k.Want)
	case *kind.PropertyNames:
		return fmt.Sprintf("has the name %q, which it may not have", k.Property)
	case *kind.Not:
		return "has the form that it must not have"
	}
	return "does not fit the schema"
}

func list(values []any) string {
	var parts []string
	for _, v := range values {
		raw, err := encode(v)
		if err != nil {
			raw = []byte("?")
		}
		if s, ok := v.(string); ok && s != "" {
			raw = []byte(s)
		}
		parts = append(parts, string(raw))
	}
	if len(parts) > 20 {
		parts = append(parts[:20], "...")
	}
	return strings.Join(parts, ", ")
}

func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

func decimal(r *big.Rat) string {
	if digits, exact := r.FloatPrec(); exact && digits <= 20 {
		if text := r.FloatString(digits); len(text) <= 40 {
			return text
		}
	}
	f, _ := new(big.Float).SetRat(r).Float64()
	return fmt.Sprint(f)
}
