package casetype_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/casehook/casehook/internal/casetype"
)

// starting returns a type whose transition create has these further settings.
func starting(settings string) (*casetype.Type, error) {
	return casetype.Parse("", []byte(`{"key":"k","fields":{"type":"object","properties":{
		"reason":{"enum":["resident","visitor"]},"count":{"type":"integer"},"note":{"type":["string","null"]},
		"list":{"type":"array","items":{"type":"string"}},"box":{"$ref":"#/$defs/box"},"free":{"type":"object"},
		"secret":{"type":"string","x-classification":"RESTRICTED"}},
		"$defs":{"box":{"type":"object","required":["size"],"properties":{"size":{"type":"integer"},
			"lid":{"type":"object","properties":{"electric":{"type":"string"}}}}}}},
		"states":[{"key":"a"}],"transitions":[{"key":"create","to":"a"`+settings+`}]}`))
}

func TestS1AndS8AStartPutsInWhatIsMissing(t *testing.T) {
	const defaults = `,"defaults":{"reason":"resident","box.lid.electric":"No","count":12345678901234567890}`
	for _, test := range []struct{ name, settings, data, want string }{
		{"S1: nothing is there", defaults, `{}`,
			`{"reason":"resident","box":{"lid":{"electric":"No"}},"count":12345678901234567890}`},
		{"S1: all is there", defaults, `{"reason":"visitor","box":{"lid":{"electric":"Yes"}},"count":1}`,
			`{"reason":"visitor","box":{"lid":{"electric":"Yes"}},"count":1}`},
		{"S1: a member is missing", defaults, `{"reason":null,"box":{"size":3,"lid":{}},"count":0}`,
			`{"reason":"resident","box":{"size":3,"lid":{"electric":"No"}},"count":0}`},
		{"S1: something else is in its place", defaults, `{"box":5,"reason":"","count":1}`, `{"box":5,"reason":"","count":1}`},
		{"S1: no defaults", ``, `{"count":1}`, `{"count":1}`},
		{"S8: nothing is there", `,"nullify":["note","list","box","free","count"]`, `{}`,
			`{"note":null,"list":[],"box":{},"free":{},"count":null}`},
		{"S8: a value stays", `,"nullify":["note","list","box"]`, `{"note":"x","list":["a"],"box":{"size":1}}`,
			`{"note":"x","list":["a"],"box":{"size":1}}`},
		{"S8: members", `,"nullify":["box.lid","box.lid.electric","box.size"]`, `{}`,
			`{"box":{"lid":{"electric":null},"size":null}}`},
		{"both", `,"defaults":{"count":1},"nullify":["list"]`, `{"note":"x"}`, `{"note":"x","count":1,"list":[]}`},
	} {
		ct, err := starting(test.settings)
		if err != nil {
			t.Errorf("%s: %v", test.name, err)
			continue
		}
		loaded, err := casetype.Load(ct.JSON())
		if err != nil {
			t.Fatal(err)
		}
		for _, ct := range []*casetype.Type{ct, loaded} {
			data := decode(t, test.data)
			got := ct.Begin(ct.Transitions[0], data)
			if diff := cmp.Diff(decode(t, test.want), got); diff != "" {
				t.Errorf("%s (-want +got):\n%s", test.name, diff)
			}
			if diff := cmp.Diff(decode(t, test.data), data); diff != "" {
				t.Errorf("%s: the data were changed (-want +got):\n%s", test.name, diff)
			}
		}
	}
}

func TestDefaultsOfAStartFitTheirFields(t *testing.T) {
	for settings, want := range map[string]string{
		`,"defaults":{"reson":"resident"}`:              `/transitions/0/defaults/reson: "reson" is not a field (did you mean "reason"?)`,
		`,"defaults":{"reason":"tourist"}`:              `/transitions/0/defaults/reason: does not fit the schema of reason: `,
		`,"defaults":{"box.lid":{"electric":1}}`:        `/transitions/0/defaults/box.lid: does not fit the schema of box.lid: /electric is a number, not text`,
		`,"defaults":{"box.lid.weight":1}`:              `"box.lid.weight" is not a field`,
		`,"defaults":{"count.x":1}`:                     `"count.x" is not a field`,
		`,"defaults":{"note":null}`:                     `is null, which is no value: list the field in nullify`,
		`,"nullify":["lst"]`:                            `/transitions/0/nullify/0: "lst" is not a field (did you mean "list"?)`,
		`,"nullify":["box.lid.weight"]`:                 `/transitions/0/nullify/0: "box.lid.weight" is not a field; there are electric`,
		`,"defaults":{"list":["a"]},"nullify":["list"]`: `/transitions/0/nullify/0: has a default too`,
		`,"defaults":["reason"]`:                        `/transitions/0/defaults: is a list, not an object`,
		`,"defaults":{"free.anything":1}`:               ``,
		`,"defaults":{"box":{"size":1}}`:                ``,
	} {
		_, err := starting(settings)
		if got := ""; err != nil {
			got = err.Error()
			if want == "" || !strings.Contains(got, want) {
				t.Errorf("%s: %s", settings, got)
			}
		} else if want != "" {
			t.Errorf("%s: no fault", settings)
		}
	}
}

func TestStartsAndOffersThatNameHiddenFieldsAreLeftOut(t *testing.T) {
	ct, err := starting(`,"defaults":{"count":1,"secret":"x"},"offered_if":"has(data.secret)","nullify":["list"]`)
	if err != nil {
		t.Fatal(err)
	}
	got := string(ct.JSONFor(casetype.Private))
	if !strings.Contains(got, `"defaults":{"count":1}`) || !strings.Contains(got, `"nullify":["list"]`) ||
		strings.Contains(got, "secret") || strings.Contains(got, "offered_if") {
		t.Errorf("%s", got)
	}
}

func TestATransitionIsOfferedIfItsConditionIsTrue(t *testing.T) {
	for condition, want := range map[string]bool{
		"": true, "state == 'a'": true, "state != 'a'": false, "has(data.count)": true, "has(data.note)": false,
		"data.note == 'x'": false, "data.count > 0 && name == 'n'": true, "data.free > 1": false,
	} {
		settings := `,"offered_if":"` + condition + `"`
		if condition == "" {
			settings = ""
		}
		ct, err := starting(strings.Replace(settings, "data.free", "data.free.x", 1))
		if err != nil {
			t.Fatal(err)
		}
		in := casetype.Input{Data: decode(t, `{"count":1,"free":{"x":"y"}}`), State: "a", Name: "n"}
		if got := ct.Evaluation(in, nil).Offers("create"); got != want {
			t.Errorf("%s: %v", condition, got)
		}
	}
	ct, err := starting(`,"offered_if":"data.note == 'x'"`)
	if err != nil || !strings.Contains(ct.Warnings().Error(), "and then the transition is not offered") {
		t.Errorf("%v, %v", ct.Warnings(), err)
	}
	if _, err := starting(`,"offered_if":"data.nope == 'x'"`); err == nil {
		t.Error("a name that is no field is not refused")
	}
}
