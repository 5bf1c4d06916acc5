package casetype_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/casehook/casehook/internal/casetype"
)

const defaulting = `{"key": "k", "states": [{"key": "s"}], "transitions": [{"key": "t", "to": "s"}], "fields": {"type": "object", "properties": {
	"currency": {"type": "string", "default": "EUR"}, "count": {"type": "integer", "default": 0}, "note": {"type": "string"},
	"site": {"type": "object", "properties": {"country": {"type": "string", "default": "CH"}, "zip": {"type": "string"}}},
	"owner": {"type": "object", "default": {"kind": "person"}, "properties": {"kind": {"type": "string"}, "lang": {"type": "string", "default": "de"}}},
	"tags": {"type": "array", "items": {"type": "string"}, "default": ["new"]}}}}`

func TestADefaultIsFilledInWhereNothingWasSubmitted(t *testing.T) {
	ct, err := casetype.Parse("", []byte(defaulting))
	if err != nil {
		t.Fatal(err)
	}
	const rest = `"owner":{"kind":"person","lang":"de"},"tags":["new"]`
	for submitted, want := range map[string]string{
		`{}`:                                 `{"currency":"EUR","count":0,` + rest + `}`,
		`{"currency":"USD","count":2}`:       `{"currency":"USD","count":2,` + rest + `}`,
		`{"currency":null,"tags":[]}`:        `{"count":0,"owner":{"kind":"person","lang":"de"},"tags":[]}`,
		`{"site":{},"owner":{"kind":"x"}}`:   `{"currency":"EUR","count":0,"site":{"country":"CH"},"owner":{"kind":"x","lang":"de"},"tags":["new"]}`,
		`{"site":{"country":"DE"}}`:          `{"currency":"EUR","count":0,"site":{"country":"DE"},` + rest + `}`,
		`{"site":"wrong","owner":null}`:      `{"currency":"EUR","count":0,"site":"wrong","tags":["new"]}`,
		`{"site":{"country":null},"note":1}`: `{"currency":"EUR","count":0,"site":{"country":null},"note":1,` + rest + `}`,
	} {
		in := decode(t, submitted)
		got := ct.Complete(casetype.Merge(nil, in), in)
		if diff := cmp.Diff(decode(t, want), got); diff != "" {
			t.Errorf("%s: %s", submitted, diff)
		}
		if diff := cmp.Diff(decode(t, submitted), in); diff != "" {
			t.Errorf("Complete changed the submitted data: %s", diff)
		}
	}
}

// Defaults had no effect in earlier versions and were not checked.
func TestADefaultOfAStoredDefinitionThatDoesNotFitHasNoEffect(t *testing.T) {
	stored := strings.Replace(defaulting, `"default": "EUR"`, `"default": 5`, 1)
	stored = strings.Replace(stored, `"items": {"type": "string"}`, `"items": {"type": "string", "default": "x"}`, 1)
	if _, err := casetype.Parse("", []byte(stored)); err == nil {
		t.Error("Parse accepts it")
	}
	ct, err := casetype.Load([]byte(stored))
	if err != nil {
		t.Fatal(err)
	}
	want := decode(t, `{"count":0,"owner":{"kind":"person","lang":"de"},"tags":["new"]}`)
	if diff := cmp.Diff(want, ct.Complete(nil, nil)); diff != "" {
		t.Error(diff)
	}
}

// A default may fit its own schema, and require a field that is optional without it.
func TestDefaultsThatAskForMoreAreWarnedOf(t *testing.T) {
	for rule, warned := range map[string]bool{
		`"dependentRequired": {"currency": ["note"]}`: true, `"maxProperties": 2`: true,
		`"if": {"required": ["count"]}, "then": {"required": ["note"]}`: true, `"required": ["note"]`: false, `"title": "x"`: false,
	} {
		definition := strings.Replace(defaulting, `"fields": {`, `"fields": {`+rule+`, `, 1)
		put, err := casetype.Parse("", []byte(definition))
		if err != nil {
			t.Fatalf("%s: %v", rule, err)
		}
		if got := strings.Contains(put.Warnings().Error(), "/fields: has defaults that ask for more"); got != warned {
			t.Errorf("%s: the warnings are %v", rule, put.Warnings())
		}
		stored, err := casetype.Load([]byte(definition))
		if diff := cmp.Diff(put.Complete(nil, nil), stored.Complete(nil, nil)); diff != "" || err != nil {
			t.Errorf("%s: the loaded type has other defaults: %v %s", rule, err, diff)
		}
	}
}
