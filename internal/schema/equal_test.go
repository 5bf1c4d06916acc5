package schema_test

import (
	"encoding/json"
	"fmt"
	"testing"

	"pgregory.net/rapid"

	"github.com/casehook/casehook/internal/schema"
)

const (
	composed   = "\u00e9"
	decomposed = "e\u0301"
)

func TestTextsAreEqualInASchemaIfTheirCodePointsAre(t *testing.T) {
	for _, keyword := range []string{"const", "enum"} {
		for _, form := range []string{composed, decomposed} {
			value := any(form)
			if keyword == "enum" {
				value = []any{form, "x"}
			}
			s := compile(t, asJSON(map[string]any{keyword: value}))
			for _, text := range []string{composed, decomposed} {
				if fits := len(complaints(t, s, text)) == 0; fits != (text == form) {
					t.Errorf("%s %+q and %+q: %v", keyword, form, text, fits)
				}
			}
		}
	}
	unique := compile(t, `{"uniqueItems":true}`)
	for _, others := range []int{0, 6, 7, 20} { // more than eight items are hashed
		items := append(numbers(0, others), composed, decomposed)
		if found := complaints(t, unique, items); len(found) > 0 {
			t.Errorf("%d others: %q", others, found)
		}
	}
}

func TestEqualComposesTexts(t *testing.T) {
	for _, c := range []struct {
		a, b any
		same bool
	}{
		{composed, decomposed, true}, {decomposed, composed, true}, {composed, composed, true},
		{composed, "e", false}, {[]any{composed}, []any{decomposed}, true},
		{map[string]any{"a": composed}, map[string]any{"a": decomposed}, true},
		{nil, nil, true}, {true, true, true}, {true, false, false}, {nil, false, false}, {false, []any{}, false},
		{nil, map[string]any{}, false}, {json.Number("1"), 1, true},
		{json.Number("1.0"), int64(1), true}, {1.5, 1.5, true},
	} {
		if schema.Equal(c.a, c.b) != c.same {
			t.Errorf("%#v and %#v: %v", c.a, c.b, !c.same)
		}
	}
}

// Values are compared in three ways: a constant by its hash first, few items each with each other, and many by
// their hashes first.
func TestValuesAreEqualHoweverTheyAreCompared(t *testing.T) {
	text := rapid.SampledFrom([]any{composed, decomposed, "e", composed + "x", decomposed + "x"})
	nested := rapid.Map(text, func(v any) any { return []any{v, map[string]any{"a": v}} })
	value := rapid.OneOf(text, nested, anyValue(2))
	unique := compile(t, `{"uniqueItems":true}`)
	rapid.Check(t, func(t *rapid.T) {
		a, b := value.Draw(t, "a"), value.Draw(t, "b")
		constant, err := schema.Compile(nil, schema.Source{Document: map[string]any{"const": a}})
		if err != nil {
			t.Fatal(err)
		}
		same := len(complaints(t, constant, b)) == 0
		others := make([]any, 9)
		for i := range others {
			others[i] = fmt.Sprint("other ", i)
		}
		few, many := complaints(t, unique, []any{a, b}), complaints(t, unique, append(others, a, b))
		if (len(few) > 0) != same || (len(many) > 0) != same {
			t.Errorf("as a constant: %v; of few: %q; of many: %q", same, few, many)
		}
	})
}
