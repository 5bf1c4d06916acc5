package casetype_test

import (
	"fmt"
	"strings"
	"testing"
)

// findingsOf returns the faults or the warnings of a definition in which a transition has a condition.
func findingsOf(defs, properties, condition string) string {
	return findings(strings.NewReplacer("DEFS", defs, "PROPERTIES", properties, "CONDITION", condition).Replace(`key: k
states: [{key: s, final: true}]
fields:
  type: object
  $defs: DEFS
  properties: PROPERTIES
transitions:
  - {key: t, to: s}
  - {key: u, from: [s], precondition: "CONDITION"}
`))
}

const (
	mayBeAbsent = "may be absent"
	noField     = "is not a field"
	neverIs     = "never is"
	notOfItem   = "is not a field of i;"
	neverSame   = "never the same"
)

func TestConditionsAreCheckedThroughReferencesAndAllOf(t *testing.T) {
	const defs = `{street: {properties: {city: {type: string}}, required: [city]}, whole: {type: integer},
    list: {type: array, items: {properties: {a: {}}}}, few: {enum: [a, b]}}`
	for properties, test := range map[string]struct{ condition, want string }{
		`{s: {properties: {city: {type: string}}}}`:                                                 {"has(data.s) && data.s.city != ''", mayBeAbsent},
		`{s: {$ref: '#/$defs/street'}}`:                                                             {"has(data.s) && data.s.city != ''", ""},
		`{s: {allOf: [{minProperties: 1}, {$ref: '#/$defs/street'}]}}`:                              {"has(data.s) && data.s.city != ''", ""},
		`{l: {$ref: '#/$defs/list'}}`:                                                               {"has(data.l) && data.l.all(i, has(i.z))", notOfItem},
		`{l: {allOf: [{minItems: 1}, {$ref: '#/$defs/list'}]}}`:                                     {"has(data.l) && data.l.all(i, has(i.z))", notOfItem},
		`{l: {type: array, prefixItems: [{properties: {a: {}}}], allOf: [{$ref: '#/$defs/list'}]}}`: {"has(data.l) && data.l.all(i, has(i.z))", ""},
		`{l: {type: array, prefixItems: [{properties: {a: {}}}], items: {properties: {b: {}}}}}`:    {"has(data.l) && data.l.all(i, has(i.z))", notOfItem},
		`{k: {$ref: '#/$defs/few'}}`:                                                                {"has(data.k) && data.k == 'zz'", neverIs},
		`{k: {allOf: [{maxLength: 9}, {$ref: '#/$defs/few'}]}}`:                                     {"has(data.k) && data.k == 'zz'", neverIs},
		`{n: {$ref: '#/$defs/whole'}}`:                                                              {"has(data.n) && data.n == '5'", neverSame},
		`{n: {allOf: [{minimum: 1}, {$ref: '#/$defs/whole'}]}}`:                                     {"has(data.n) && data.n == '5'", neverSame},
		`{n: {allOf: [{$ref: '#/$defs/whole'}, {minimum: 1}]}}`:                                     {"has(data.n) && data.n == '5'", neverSame},
		`{any: true}`: {"has(data.any) && has(data.any.x)", ""},
	} {
		got := findingsOf(defs, properties, test.condition)
		if !fits(got, test.want) {
			t.Errorf("%s with %s: %q, want %q", test.condition, properties, got, test.want)
		}
	}
}

// Conditions are checked against schemas to a depth of eight. Deeper schemas are taken as unknown.
func TestConditionsAreCheckedToADepthOfEight(t *testing.T) {
	for _, test := range []struct{ schema, outside, condition, want string }{
		{`{properties: {city: {type: string}}}`, "", "has(data.f) && data.f.city != ''", mayBeAbsent},
		{`{type: array, items: {properties: {a: {}}}}`, "type: array, ", "has(data.f) && data.f.all(i, has(i.z))", notOfItem},
		{`{enum: [a, b]}`, "", "has(data.f) && data.f == 'zz'", neverIs},
		{`{type: integer}`, "", "has(data.f) && data.f == '5'", neverSame},
	} {
		nested, defs := test.schema, "{d0: "+test.schema
		for depth := 1; depth <= 9; depth++ {
			nested = "{allOf: [" + nested + "]}"
			defs += fmt.Sprintf(", d%d: {$ref: '#/$defs/d%d'}", depth, depth-1)
			want := test.want
			if depth == 9 {
				want = ""
			}
			for _, inside := range []string{nested[1:], fmt.Sprintf("$ref: '#/$defs/d%d'}", depth-1)} {
				f := "{" + test.outside + inside
				if got := findingsOf(defs+"}", "{f: "+f+"}", test.condition); !fits(got, want) {
					t.Errorf("%s, depth %d, %s: %q, want %q", test.condition, depth, f, got, want)
				}
			}
		}
	}
}
