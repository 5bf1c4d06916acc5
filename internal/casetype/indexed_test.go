package casetype_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/casehook/casehook/internal/casetype"
)

// definitionOf returns a definition with fields, each a name and its schema.
func definitionOf(fields ...string) string {
	return `{"key": "kyc", "fields": {"type": "object", "$defs": {"day": {"type": "string", "format": "date"}},
		"properties": {` + strings.Join(fields, ", ") + `}}, "states": [{"key": "open"}],
		"transitions": [{"key": "create", "to": "open"}]}`
}

func parsed(t *testing.T, fields ...string) *casetype.Type {
	t.Helper()
	typ, err := casetype.Parse("kyc.json", []byte(definitionOf(fields...)))
	if err != nil {
		t.Fatal(err)
	}
	return typ
}

func TestAFieldIsIndexedIfItsValuesHaveAnOrder(t *testing.T) {
	for schema, want := range map[string]string{
		`{"type": "string", "indexed": true}`:                              "",
		`{"type": ["string", "null"], "indexed": true}`:                    "",
		`{"type": "string", "indexed": false}`:                             "",
		`{"enum": ["a", "b"], "indexed": true}`:                            "",
		`{"$ref": "#/$defs/day", "indexed": true}`:                         "",
		`{"type": "boolean", "indexed": true}`:                             "",
		`{"type": "object", "indexed": false}`:                             "",
		`{"type": "object", "indexed": true}`:                              "needs a field of one kind",
		`{"type": "array", "indexed": true}`:                               "needs a field of one kind",
		`{"type": ["string", "number"], "indexed": true}`:                  "needs a field of one kind",
		`{"indexed": true}`:                                                "needs a field of one kind",
		`{"type": "string", "indexed": "yes"}`:                             "is neither true nor false",
		`{"type": "object", "properties": {"b": {"indexed": true}}}`:       "a field is indexed as a whole",
		`{"type": "string", "allOf": [{"indexed": true, "minLength": 1}]}`: "a field is indexed as a whole",
		`{"type": "string", "sortable": true}`:                             "write indexed: true",
	} {
		_, err := casetype.Parse("kyc.json", []byte(definitionOf(`"a": `+schema)))
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want) ||
			!strings.Contains(err.Error(), "/fields/properties/a/")) {
			t.Errorf("%s: %v; want %q", schema, err, want)
		}
	}
	var many []string
	for i := range casetype.MaxIndexed + 1 {
		many = append(many, fmt.Sprintf(`"f%d": {"type": "string", "indexed": true}`, i))
	}
	parsed(t, many[1:]...)
	_, err := casetype.Parse("kyc.json", []byte(definitionOf(many...)))
	if err == nil || !strings.Contains(err.Error(), "/fields/properties/f20/indexed: is one too many") {
		t.Errorf("21 indexed fields: %v", err)
	}
}

// The index has no roles, so that whoever may read the field would get too few cases, and others too many.
func TestAFieldThatOnlySomeRolesReadIsNotIndexed(t *testing.T) {
	definition := definitionOf(`"a": {"type": "string", "indexed": true}`, `"b": {"type": "string", "indexed": true}`)
	definition = strings.Replace(definition, `{"key": "kyc",`,
		`{"key": "kyc", "access": {"fields": {"a": {"read": ["manager"]}}},`, 1)
	typ, err := casetype.Parse("kyc.json", []byte(definition))
	if err != nil {
		t.Fatal(err)
	}
	all := casetype.Restricted.WithAllRoles()
	if typ.IsIndexed("a", all) || typ.IndexedAs("a") != "" || !typ.IsIndexed("b", all) {
		t.Errorf("a is indexed: %v, b: %v", typ.IsIndexed("a", all), typ.IsIndexed("b", all))
	}
	if w := fmt.Sprint(typ.Warnings()); !strings.Contains(w, "/fields/properties/a/indexed: indexes nothing") {
		t.Errorf("the warnings are %s", w)
	}
}

func TestSortableFormsHaveTheOrderOfTheValues(t *testing.T) {
	typ := parsed(t, `"n": {"type": "number", "indexed": true}`, `"d": {"$ref": "#/$defs/day", "indexed": true}`,
		`"t": {"type": "string", "indexed": true}`, `"b": {"type": "boolean", "indexed": true}`)
	for field, ordered := range map[string][]string{
		"n": {
			"-1e1000", "-123456789012345678901234567890", "-1000", "-99.5", "-99.45", "-99", "-0.5", "-0.25", "-1e-9",
			"0 -0 0.0 0e5", "1e-1000", "0.001 1e-3", "0.0011", "0.5", "1 1.0 10e-1", "9", "10", "9007199254740992",
			"9007199254740993", "123456789012345678901234567890", "1e1000",
		},
		"d": {"0000-01-01", "1969-12-31T23:59:59.999999Z", "1970-01-01 1970-01-01T01:00:00+01:00", "2026-01-31",
			"2026-01-31T23:59:60Z 2026-01-31t23:59:59z", "2026-02-01", "9999-12-31"},
		"t": {"_", "A a", "ab", "Straße STRASSE", "É e\u0301"},
		"b": {"false", "true"},
	} {
		var forms []string
		for _, line := range ordered {
			var same []string
			for written := range strings.FieldsSeq(line) {
				conditions := []casetype.Condition{{Field: field, Operator: "=", Value: written}}
				ranges, wrong := typ.Ranges(conditions, casetype.Public)
				if len(wrong) > 0 || !ranges[0].Single() {
					t.Fatalf("%s: %v, %v", written, ranges, wrong)
				}
				same = append(same, ranges[0].From)
				var value any = written
				if field == "n" || field == "b" {
					value = json.Number(written)
				}
				if field == "b" {
					value = written == "true"
				}
				got := typ.IndexedValues(map[string]any{field: value}, typ)
				want := []casetype.IndexedValue{{Field: field, Level: 1, Value: ranges[0].From}}
				if !slices.Equal(got, want) {
					t.Errorf("%s is indexed as %v, want %v", written, got, want)
				}
			}
			if same = slices.Compact(same); len(same) > 1 {
				t.Errorf("%s have the forms %q", line, same)
			}
			forms = append(forms, same[0])
		}
		if !slices.IsSorted(forms) || len(slices.Compact(slices.Clone(forms))) != len(forms) {
			t.Errorf("%s: %q are not in order", field, forms)
		}
	}
}

func TestConditionsOnFieldsAreRefused(t *testing.T) {
	typ := parsed(t, `"n": {"type": "number", "indexed": true}`,
		`"d": {"type": "string", "format": "date-time", "indexed": true}`,
		`"b": {"type": "boolean", "indexed": true}`, `"plain": {"type": "string"}`,
		`"secret": {"type": "string", "indexed": true, "x-classification": "PRIVATE"}`)
	for condition, want := range map[string]string{
		"n=ten":     "data.n is compared with a number such as 12.50",
		"n=":        "data.n is compared with a number such as 12.50",
		"n=1e99999": "data.n is compared with a number such as 12.50",
		"d=monday":  "data.d is compared with a date or a time such as 2026-01-31 or 2026-01-31T08:00:00Z",
		"b=1":       "data.b is compared with true or false",
		"plain=1":   "data.plain is not an indexed field of kyc; it has data.n, data.d, data.b",
		"secret=1":  "data.secret is not an indexed field of kyc; it has data.n, data.d, data.b",
		"nothing=1": "data.nothing is not an indexed field of kyc; it has data.n, data.d, data.b",
	} {
		field, value, _ := strings.Cut(condition, "=")
		_, wrong := typ.Ranges([]casetype.Condition{{Field: field, Operator: "=", Value: value}}, casetype.Public)
		if len(wrong) != 1 || wrong[0].Path != "query.where" || wrong[0].Message != want {
			t.Errorf("%s: %v, want %q", condition, wrong, want)
		}
	}
	if typ.IsIndexed("secret", casetype.Public) || !typ.IsIndexed("secret", casetype.Private) ||
		typ.IsIndexed("plain", casetype.Private) {
		t.Error("indexed fields are not those that the clearance sees")
	}
}

func TestADefinitionTellsWhichFieldsAreIndexedAnew(t *testing.T) {
	const number, text = `"a": {"type": "number", "indexed": true}`, `"a": {"type": "string", "indexed": true}`
	const hidden = `"a": {"type": "number", "indexed": true, "x-classification": "PRIVATE"}`
	const plain, other = `"a": {"type": "number"}`, `"b": {"type": "string", "indexed": true}`
	for _, test := range []struct {
		before, after []string
		fields        []string
		changed       bool
	}{
		{[]string{number}, []string{number}, nil, false},
		{[]string{plain}, []string{number}, []string{"a"}, true},
		{[]string{number}, []string{plain}, nil, true},
		{[]string{number}, []string{text, other}, []string{"a", "b"}, true},
		{[]string{hidden}, []string{number}, []string{"a"}, true},
		{[]string{number, other}, []string{other, number}, nil, false},
	} {
		fields, changed := parsed(t, test.after...).Reindexed(parsed(t, test.before...))
		if !cmp.Equal(fields, test.fields) || changed != test.changed {
			t.Errorf("%v after %v: %v, %t", test.after, test.before, fields, changed)
		}
	}
}
