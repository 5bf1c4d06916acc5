package casetype_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/casehook/casehook/internal/casetype"
)

// saidOf returns the faults or the warnings of a definition in which a transition has a condition.
func saidOf(defs, properties, condition string) string {
	ct, err := casetype.Parse("", []byte("key: k\nstates: [{key: s, final: true}]\nfields:\n  type: object\n  $defs: "+defs+
		"\n  properties: "+properties+"\ntransitions:\n  - {key: t, to: s}\n  - key: u\n    from: [s]\n    precondition: "+
		`"`+condition+"\"\n"))
	if err != nil {
		return err.Error()
	}
	if len(ct.Warnings()) > 0 {
		return ct.Warnings().Error()
	}
	return ""
}

const (
	mayBeAbsent = "may be absent"
	noField     = "is not a field"
	neverIs     = "never is"
	notOfItem   = "is not a field of i;"
	neverSame   = "never the same"
)

func TestConditionsAreCheckedThroughReferencesAndAllOf(t *testing.T) {
	const defs = `{street: {properties: {city: {type: string}}, required: [city]}, list: {type: array, items: {properties: {a: {}}}}, ` +
		`few: {enum: [a, b]}, whole: {type: integer}}`
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
		got := saidOf(defs, properties, test.condition)
		if !strings.Contains(got, test.want) || (got == "") != (test.want == "") {
			t.Errorf("%s with %s: %q, want %q", test.condition, properties, got, test.want)
		}
	}
}

// Schemas are looked into to a depth of eight. What is deeper is not known, so that nothing is said of it.
func TestConditionsAreCheckedToADepthOfEight(t *testing.T) {
	for _, test := range []struct{ schema, condition, want string }{
		{`{properties: {city: {type: string}}}`, "has(data.f) && data.f.city != ''", mayBeAbsent},
		{`{type: array, items: {properties: {a: {}}}}`, "has(data.f) && data.f.all(i, has(i.z))", notOfItem},
		{`{enum: [a, b]}`, "has(data.f) && data.f == 'zz'", neverIs},
		{`{type: integer}`, "has(data.f) && data.f == '5'", neverSame},
	} {
		nested, defs := test.schema, "{d0: "+test.schema
		for depth := 1; depth <= 9; depth++ {
			nested = "{allOf: [" + nested + "]}"
			defs += fmt.Sprintf(", d%d: {$ref: '#/$defs/d%d'}", depth, depth-1)
			want := test.want
			if depth == 9 {
				want = ""
			}
			for _, f := range []string{nested, fmt.Sprintf("{$ref: '#/$defs/d%d'}", depth-1)} {
				if got := saidOf(defs+"}", "{f: "+f+"}", test.condition); !strings.Contains(got, want) || (got == "") != (want == "") {
					t.Errorf("%s, depth %d, %s: %q, want %q", test.condition, depth, f, got, want)
				}
			}
		}
	}
}
