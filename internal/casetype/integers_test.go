package casetype_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/casehook/casehook/internal/casetype"
)

func TestIntegersAreListedByTheDefinition(t *testing.T) {
	const defs = `$defs: {whole: {type: integer}, line: {properties: {n: {type: integer}, next: {$ref: "#/$defs/line"}}}}`
	for name, c := range map[string]struct{ a, want string }{
		"itself":                  {`{type: integer}`, "/a"},
		"or null":                 {`{type: [integer, "null"]}`, "/a"},
		"or any number":           {`{type: [integer, number]}`, ""},
		"a number":                {`{type: number}`, ""},
		"anything":                {`true`, ""},
		"reference":               {`{$ref: "#/$defs/whole"}`, "/a"},
		"property":                {`{properties: {b: {type: integer}, c: {type: number}}}`, "/a/b"},
		"names escaped":           {`{properties: {"x/~*": {type: integer}}}`, "/a/x~1~0~2"},
		"item":                    {`{items: {type: integer}}`, "/a/*"},
		"first items":             {`{prefixItems: [{type: number}, {type: integer}]}`, "/a/1"},
		"items behind":            {`{prefixItems: [{type: number}, {type: integer}], items: {type: integer}}`, "-/a/0 /a/* /a/1"},
		"items are others":        {`{prefixItems: [{type: integer}], items: {type: number}}`, "/a/0"},
		"items not looked at":     {`{prefixItems: [true], unevaluatedItems: {type: integer}}`, "-/a/0 /a/*"},
		"other names":             {`{properties: {b: {type: number}}, additionalProperties: {type: integer}}`, "-/a/b /a/*"},
		"others in objects":       {`{additionalProperties: {properties: {n: {type: integer}}}}`, "/a/*/n"},
		"an object beside":        {`{properties: {b: {properties: {n: {type: integer}}}}, additionalProperties: {type: integer}}`, "/a/* /a/b/n"},
		"names by pattern":        {`{patternProperties: {"^n": {type: integer}}, additionalProperties: {type: integer}}`, "/a/*"},
		"closed":                  {`{patternProperties: {"^n": {type: integer}}, additionalProperties: false}`, "/a/*"},
		"patterns beside names":   {`{properties: {b: {}}, patternProperties: {"^n": {type: integer}}, additionalProperties: {type: number}}`, ""},
		"other names by patterns": {`{allOf: [{properties: {b: {}}, patternProperties: {"^n": {type: integer}}}, {additionalProperties: {}}]}`, "-/a/b /a/*"},
		"open beside patterns":    {`{allOf: [{patternProperties: {"^n": {type: integer}}}, {additionalProperties: {}}]}`, ""},
		"patterns differ":         {`{patternProperties: {"^n": {type: integer}, "^m": {type: number}}, additionalProperties: false}`, ""},
		"all of":                  {`{allOf: [{type: integer}, {minimum: 1}]}`, "/a"},
		"all of, below":           {`{allOf: [{properties: {b: {type: integer}}}, {properties: {c: {type: integer}}}]}`, "/a/b /a/c"},
		"all of, together":        {`{properties: {b: {type: number}}, allOf: [{properties: {b: {type: integer}}}]}`, "/a/b"},
		"all of references":       {`{allOf: [{$ref: "#/$defs/whole"}], maximum: 3}`, "/a"},
		"any of, alike":           {`{anyOf: [{type: integer, maximum: 3}, {type: integer, minimum: 7}]}`, "/a"},
		"any of, different":       {`{anyOf: [{type: integer}, {type: number, minimum: 7}]}`, ""},
		"any of, no others":       {`{anyOf: [{type: integer}, {type: string}, {enum: [x]}, {const: null}]}`, "/a"},
		"any of, or anything":     {`{anyOf: [{type: integer}, {}]}`, ""},
		"any of, with a type":     {`{type: integer, anyOf: [{minimum: 3}, {maximum: 1}]}`, "/a"},
		"any of true":             {`{anyOf: [{type: integer}, true]}`, ""},
		"one of, alike": {`{oneOf: [{properties: {kind: {const: x}, n: {type: integer}}},
			{properties: {kind: {const: y}, n: {type: integer}}}]}`, "/a/n"},
		"one of, different": {`{oneOf: [{properties: {kind: {const: x}, n: {type: integer}}},
			{properties: {kind: {const: y}, n: {type: number}}}]}`, ""},
		"one of, each its own": {`{oneOf: [{properties: {n: {type: integer}}}, {properties: {m: {type: integer}}}]}`, "/a/m /a/n"},
		"one beside all":       {`{properties: {n: {type: number}}, anyOf: [{properties: {n: {type: integer}}}, {required: [b]}]}`, ""},
		"then":                 {`{properties: {n: {type: number}}, if: {required: [b]}, then: {properties: {n: {type: integer}}}}`, ""},
		"then and else":        {`{if: {required: [b]}, then: {type: integer}, else: {type: integer}}`, "/a"},
		"not":                  {`{not: {type: integer}}`, ""},
		"lists of lists":       {`{items: {prefixItems: [{type: integer}]}}`, "/a/*/0"},
		"itself again":         {`{$ref: "#/$defs/line"}`, "/a/n /a/next/n /a/next/next/n"},
	} {
		ct, err := casetype.Parse("", []byte(fmt.Sprintf("key: k\nstates: [{key: s}]\ntransitions: [{key: t, to: s}]\n"+
			"fields: {type: object, %s, properties: {a: %s}}", defs, c.a)))
		if err != nil {
			t.Errorf("%s:\n%v", name, err)
			continue
		}
		if diff := cmp.Diff(strings.Fields(c.want), ct.Integers()); diff != "" && len(ct.Integers())+len(c.want) > 0 {
			t.Errorf("%s: -want +got:\n%s", name, diff)
		}
	}
}

func TestIntegersAreComputedWithWhereverTheDefinitionSaysSo(t *testing.T) {
	const fields = `{type: object, properties: {
		all: {allOf: [{type: integer}, {minimum: 0}]},
		prices: {properties: {rate: {type: number}}, additionalProperties: {type: integer}},
		pair: {prefixItems: [{type: number}, {type: integer}], items: {type: integer}},
		one: {oneOf: [{type: integer}, {type: string}]},
		named: {properties: {größe: {type: integer}}}}}`
	for _, condition := range []string{
		`data.all / 2 == 3 && type(data.all) == int`,
		`data.prices.apples / 2 == 3 && data.prices["pears"] % 2 == 1 && data.prices.rate / 2 == 3.5`,
		`data.pair[0] / 2 == 3.5 && data.pair[1] / 2 == 3 && data.pair[2] / 2 == 3`,
		`type(data.one) == int && data.named["größe"] / 2 == 3`,
	} {
		ct, err := casetype.Parse("",
			[]byte("key: k\nstates: [{key: s}]\ntransitions: [{key: t, to: s, precondition: '"+condition+
				"'}]\nfields: "+fields))
		if err != nil {
			t.Fatalf("%s:\n%v", condition, err)
		}
		for _, seven := range []string{"7", "7.0", "70e-1"} {
			data := decode(t,
				strings.ReplaceAll(`{"all":7,"prices":{"apples":7,"pears":7,"rate":7},"pair":[7,7,7],"one":7,
				"named":{"gro\u0308ße":7}}`, "7", seven))
			if wrong := validate(t, ct, data, ""); len(wrong) > 0 {
				t.Errorf("%v", wrong)
			}
			if holds, err := holds(ct, "t", casetype.Input{Data: data}); err != nil || !holds {
				t.Errorf("%s with %s: %v, %v", condition, seven, holds, err)
			}
		}
	}
}
