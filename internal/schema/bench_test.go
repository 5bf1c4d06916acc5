package schema_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/casehook/casehook/internal/schema"
)

// ordinary is a schema as case types have them, and data that fit.
const ordinary = `{"type":"object","required":["name","email"],"additionalProperties":false,"properties":{
	"name":{"type":"string","minLength":1,"maxLength":200},"email":{"type":"string","format":"email"},
	"born":{"type":"string","format":"date"},"score":{"type":"integer","minimum":0,"maximum":100},
	"level":{"enum":["low","medium","high"]},"exposed":{"type":"boolean"},
	"nationalities":{"type":"array","uniqueItems":true,"items":{"type":"string","pattern":"^[A-Z]{2}$"}},
	"company":{"type":"object","required":["name"],"properties":{"name":{"type":"string"},"address":{"$ref":"#/$defs/address"}},"unevaluatedProperties":false}},
	"$defs":{"address":{"type":"object","properties":{"street":{"type":"string"},"zip":{"type":"string","maxLength":10},"country":{"type":"string","pattern":"^[A-Z]{2}$"}}}}}`

const ordinaryData = `{"name":"Ada","email":"ada@example.com","born":"1990-02-28","score":42,"level":"low","exposed":false,
	"nationalities":["CH","DE"],"company":{"name":"Acme","address":{"street":"Main","zip":"8000","country":"CH"}}}`

func BenchmarkValidate(b *testing.B) {
	items := make([]any, 20_000)
	for i := range items {
		items[i] = numbers(i%500, 1)[0]
	}
	var patterns []any
	for i := range 400 {
		patterns = append(patterns, map[string]any{"pattern": fmt.Sprintf("^(a|b)+%d?$", i)})
	}
	for _, c := range []struct {
		name       string
		doc, value any
	}{
		{"ordinary", read(b, ordinary), read(b, ordinaryData)},
		{"20000 numbers, enum of 500", map[string]any{"items": map[string]any{"enum": numbers(0, 500)}}, items},
		{"400 patterns, 2 kB", map[string]any{"allOf": patterns}, strings.Repeat("ab", 1000)},
	} {
		library, err := libraryCompile(c.doc)
		if err != nil {
			b.Fatal(err)
		}
		ours := compile(b, asJSON(c.doc))
		b.Run(c.name+"/library", func(b *testing.B) {
			for b.Loop() {
				_ = library.Validate(c.value)
			}
		})
		b.Run(c.name, func(b *testing.B) {
			for b.Loop() {
				if _, err := ours.Validate(schema.NewBudget(b.Context(), 1<<30), c.value); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
