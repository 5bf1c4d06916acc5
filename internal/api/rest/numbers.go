package rest

import (
	"reflect"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"
)

// describeNumbers describes id parameters as integers, like the ids in bodies. They are read as texts all the same,
// so that a text that is not a number is answered with 404. The tag is number:"id", or number:"id,none" for an id or
// the word none.
func describeNumbers(op *huma.Operation, parameters reflect.Type) {
	for _, f := range reflect.VisibleFields(parameters) {
		tag, ok := f.Tag.Lookup("number")
		if !ok {
			continue
		}
		for _, p := range op.Parameters {
			if p.Name == f.Tag.Get(p.In) {
				p.Schema, p.Example = numberSchema(p.Schema, tag), nil
			}
		}
	}
}

func numberSchema(read *huma.Schema, tag string) *huma.Schema {
	least := 1.0
	number := &huma.Schema{Type: huma.TypeInteger, Format: "int64", Minimum: &least}
	for _, example := range read.Examples {
		if n, err := strconv.ParseInt(example.(string), 10, 64); err == nil {
			number.Examples = append(number.Examples, n)
		}
	}
	shown := number
	if _, words, ok := strings.Cut(tag, ","); ok {
		word := &huma.Schema{Type: huma.TypeString, Enum: []any{words}}
		shown = &huma.Schema{AnyOf: []*huma.Schema{number, word}, Examples: number.Examples}
		number.Examples = nil
	}
	shown.Description = read.Description
	return shown
}
