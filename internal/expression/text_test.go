package expression_test

import (
	"strings"
	"testing"

	"golang.org/x/text/unicode/norm"
	"pgregory.net/rapid"

	"github.com/casehook/casehook/internal/expression"
)

func TestTextsAreTheSameComposedAndDecomposed(t *testing.T) {
	for _, name := range []string{"Zo\u00eb", "Zoe\u0308"} { // in the data
		data := `{"n":"` + name + `","l":["` + name + `"],"m":{"` + name + `":"` + name + `"},"accent":"\u0308"}`
		for _, own := range []string{"Zo\u00eb", "Zoe\u0308", `Zoe\u0308`, `Zo\u00eb`} { // in the expression
			for _, source := range []string{
				`data.n == "TEXT"`, `!(data.n != "TEXT")`, `"TEXT" in data.l`, `data.n in ["x", "TEXT"]`, `"TEXT" in data.m`,
				`data.m["TEXT"] == data.n`, `data.l == ["TEXT"]`, `{"a": data.n} == {"a": "TEXT"}`, `data.m == {"TEXT": "TEXT"}`,
				`data.n.startsWith("TEXT")`, `data.n.contains("TEXT")`, `data.n.matches("^TEXT$")`, `size(data.n) == 3`,
				`data.n <= "TEXT" && data.n >= "TEXT"`, `data.n.indexOf("\u00eb") == 2`, `data.n.endsWith("e\u0308")`,
				`"Zoe" + data.accent == data.n`, `("Zoe" + data.accent).endsWith("\u00eb")`, `["Zoe" + data.accent] == data.l`,
				`data.l.exists(x, x == "TEXT")`, `data.n != "Zoe" && data.n != "ZO\u00cb"`,
			} {
				source = strings.ReplaceAll(source, "TEXT", own)
				if got, err := holds(t, source, data); err != nil || !got {
					t.Errorf("%+q of %+q: %v, %v", source, data, got, err)
				}
			}
		}
	}
}

func TestFieldsOfObjectsAreComposed(t *testing.T) {
	p, wrong := language(expression.Limits{Cost: 1000}).Compile(`box.text == "\u00e9" && box.text in ["\u00e9"]`)
	if wrong != nil {
		t.Fatal(wrong)
	}
	values := expression.ValueMap{"box": boxObject.Of(&box{text: "e\u0301"}), "data": map[string]any{}}
	if holds, err := p.Evaluate(values); err != nil || !holds {
		t.Errorf("%v, %v", holds, err)
	}
}

func TestTextsAreEqualIfTheirCompositionsAre(t *testing.T) {
	p, wrong := language(expression.Limits{Cost: 10_000}).Compile(`data.a == data.b`)
	if wrong != nil {
		t.Fatal(wrong)
	}
	text := rapid.StringOf(rapid.SampledFrom([]rune("ae\u00e9\u00e8\u0301\u0300\u0323\u1ea1\u212bA\u030a\uac00\u1100\u1161")))
	rapid.Check(t, func(r *rapid.T) {
		a, b := text.Draw(r, "a"), text.Draw(r, "b")
		for _, pair := range [][2]string{{a, b}, {norm.NFD.String(a), a}, {norm.NFC.String(a), norm.NFD.String(a)}} {
			data := expression.Data(map[string]any{"a": pair[0], "b": pair[1]}, nil)
			got, err := p.Evaluate(expression.ValueMap{"data": data})
			if want := norm.NFD.String(pair[0]) == norm.NFD.String(pair[1]); err != nil || got != want {
				r.Fatalf("%+q == %+q is %v, %v", pair[0], pair[1], got, err)
			}
		}
	})
}
