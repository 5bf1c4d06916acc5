package casetype_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/casehook/casehook/internal/casetype"
	"github.com/casehook/casehook/internal/schema"
)

// valued is a case type with a field f of a schema.
func valued(t testing.TB, more, field string) *casetype.Type {
	t.Helper()
	ct, err := casetype.Parse("", []byte(`{"key": "v", `+more+`
		"states": [{"key": "s"}], "transitions": [{"key": "t", "to": "s"}], "fields": {"type": "object", "properties": {"f": `+field+`}, "$defs": {
			"address": {"type": "object", "properties": {"street": {"type": "string"}, "town": {"type": "string"}}},
			"node": {"type": "object", "properties": {"name": {"type": "string"},
				"below": {"x-casehook-type": "collection", "items": {"$ref": "#/$defs/node"}}}}}}}`))
	if err != nil {
		t.Fatalf("%s: %v", field, err)
	}
	return ct
}

// Each line of the file is a value of a type, right or wrong, with what is said of a wrong one.
func TestValuesOfEachType(t *testing.T) {
	raw, err := os.ReadFile("testdata/values.json")
	if err != nil {
		t.Fatal(err)
	}
	var types []struct {
		Schema json.RawMessage
		Right  []json.RawMessage
		Wrong  [][2]json.RawMessage // the value, and a part of the message with its path
	}
	if err := json.Unmarshal(raw, &types); err != nil {
		t.Fatal(err)
	}
	for _, one := range types {
		plain, blank := valued(t, "", string(one.Schema)), valued(t, `"blank": "allow", `, string(one.Schema))
		loaded, err := casetype.Load(blank.JSON())
		if err != nil {
			t.Errorf("%s: %v", one.Schema, err)
			continue
		}
		for _, value := range one.Right {
			data := decode(t, `{"f": `+string(value)+`}`)
			if wrong := validate(t, plain, data, ""); len(wrong) > 0 {
				t.Errorf("%s: %s: %v", one.Schema, value, wrong)
			}
			kept, err := casetype.Encode(data)
			if want := string(value); err == nil && !strings.Contains(want, " ") && string(kept) != `{"f":`+want+`}` {
				t.Errorf("%s became %s", value, kept)
			}
		}
		for _, value := range one.Wrong {
			var want string
			if err := json.Unmarshal(value[1], &want); err != nil {
				t.Fatal(err)
			}
			for _, ct := range []*casetype.Type{plain, blank, loaded} {
				wrong := validate(t, ct, decode(t, `{"f": `+string(value[0])+`}`), "")
				if len(wrong) == 0 || !strings.HasPrefix(wrong[0].Path+" "+wrong[0].Message, want) {
					t.Errorf("%s: %s: %v, want %q", one.Schema, value[0], wrong, want)
				}
			}
		}
		for _, value := range []string{`null`, `""`, `{}`} {
			for _, data := range []string{`{"f": ` + value + `}`} {
				if wrong := validate(t, blank, decode(t, data), ""); len(wrong) > 0 {
					t.Errorf("%s, blank: %s: %v", one.Schema, data, wrong)
				}
			}
		}
	}
}

func TestBlankPartsAreValidAtAnyDepthWhereTheTypeAllowsThem(t *testing.T) {
	const field = `{"x-casehook-type": "collection", "items": {"$ref": "#/$defs/address"}}`
	const data = `{"f": [
		{"id": null, "value": {"street": null, "town": ""}}, {"id": "2", "value": {}}, {"id": "3", "value": ""}]}`
	if wrong := validate(t, valued(t, `"blank": "allow", `, field), decode(t, data), ""); len(wrong) > 0 {
		t.Error(wrong)
	}
	if wrong := validate(t, valued(t, `"blank": "refuse", `, field), decode(t, data), ""); len(wrong) != 2 {
		t.Error(wrong)
	}
}

func TestItemsOfCollectionsGetIDs(t *testing.T) {
	ct := valued(t, "", `{"$ref": "#/$defs/node"}`)
	n := 0
	newID := func() (string, error) { n++; return fmt.Sprint("new", n), nil }
	for data, want := range map[string]string{
		`{}`: `{}`,
		`{"f": {"below": [{"value": {"name": "a"}}, {"id": null, "value": {"below": [{"id": "", "value": {}}]}}, {"id": "7", "value": 1}]}}`:// kept
		`{"f": {"below": [{"id": "new1", "value": {"name": "a"}}, {"id": "new3", "value": {"below": [{"id": "new2", "value": {}}]}}, {"id": "7", "value": 1}]}}`,
		`{"f": {"below": "x", "name": 5}}`: `{"f": {"below": "x", "name": 5}}`,
		`{"f": {"below": [1, null]}}`:      `{"f": {"below": [1, null]}}`,
	} {
		n = 0
		sent := decode(t, data)
		got, err := ct.Identify(casetype.Budget(t.Context()), sent, newID)
		if diff := cmp.Diff(decode(t, want), got); diff != "" || err != nil {
			t.Errorf("%s: %v\n%s", data, err, diff)
		}
		if diff := cmp.Diff(decode(t, data), sent); diff != "" {
			t.Errorf("the data that were given changed:\n%s", diff)
		}
	}
	broken := errors.New("no randomness")
	_, err := ct.Identify(casetype.Budget(t.Context()), decode(t, `{"f": {"below": [{"value": {}}]}}`),
		func() (string, error) { return "", broken })
	if !errors.Is(err, broken) {
		t.Error(err)
	}
}

// A schema that describes the same collection twice doubles the work with each level.
func TestIDsAreMadeWithinTheBudget(t *testing.T) {
	ct := valued(t, "", `{"$ref": "#/properties/g"}, "g": {"allOf": [
		{"properties": {"c": {"$ref": "#/properties/g"}, "l": {"x-casehook-type": "collection"}}},
		{"properties": {"c": {"$ref": "#/properties/g"}}}]}`)
	work := schema.NewBudget(t.Context(), 10_000)
	_, err := ct.Identify(work, decode(t, chain(`{"c":`, `}`, 60)), func() (string, error) { return "", nil })
	if err != nil || work.Used() > 10_000 {
		t.Errorf("%v after %d steps", err, work.Used())
	}
}

// Authors could write keywords of their own that begin with x-.
func TestLabelsOfStoredDefinitionsMayBeAnything(t *testing.T) {
	if _, err := casetype.Load([]byte(withFields(`"f": {"enum": ["N"], "x-labels": ["North"]}`))); err != nil {
		t.Error(err)
	}
}

func TestTypesOfValuesAreCheckedInDefinitions(t *testing.T) {
	for field, want := range map[string]string{
		`{"x-casehook-type": "yesno"}`:                              `/x-casehook-type: is not one of the types of values (did you mean "yes_no"?)`,
		`{"x-casehook-type": "date", "type": "integer"}`:            "/x-casehook-type: has a type of its own: leave type out beside it",
		`{"x-casehook-other": 1}`:                                   "/x-casehook-other: begins with x-casehook-, which is reserved",
		`{"casehook:ids": true}`:                                    "/casehook:ids: is not a keyword",
		`{"x-casehook-type": "number_text", "indexed": true}`:       "/indexed: needs a field of one kind",
		`{"enum": ["N"], "x-labels": ["North"]}`:                    "/x-labels: is not an object of texts",
		`{"enum": ["N"], "x-labels": {"N": 1}}`:                     "/x-labels/N: is not text",
		`{"enum": ["N"], "x-labels": {"S": "South"}}`:               "/x-labels/S: is a label for what the enum beside it does not list",
		`{"enum": ["N"], "x-labels": {"N": "North"}}`:               "",
		`{"x-casehook-type": "date", "minimum": 0, "maximum": 1}`:   "",
		`{"x-casehook-type": "yes_no", "minimum": 0}`:               "/minimum: has no effect",
		`{"x-casehook-type": "money_gbp", "default": "12"}`:         "",
		`{"x-casehook-type": "money_gbp", "default": "12.5"}`:       "/default: does not fit its own schema: is not an amount of pence",
		`{"x-casehook-type": "collection", "items": {"type": "x"}}`: `/items/type: "x" is not one of the types`,
	} {
		got := findings(withFields(`"f": ` + field))
		if want == "" && got != "" || !strings.Contains(got, want) {
			t.Errorf("%s: %q, want %q", field, got, want)
		}
	}
}
