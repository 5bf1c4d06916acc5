package casetype_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/casehook/casehook/internal/casetype"
	"github.com/casehook/casehook/internal/fault"
)

// borrowed is a definition with the names of other systems.
const borrowed = `
key: 2nd_Permit-Type
name_template: "{3rdParty} {site.Reg No (#1)}"
fields:
  type: object
  properties:
    3rdParty: {type: string}
    a-b: {type: integer}
    a&b(c): {type: string}
    _old: {type: string}
    site: {type: object, properties: {"Reg No (#1)": {type: string}, "a/b": {type: boolean}}}
    secret: {type: string, x-classification: PRIVATE}
    secret-b: {type: string}
    kept(: {type: string, x-classification: PRIVATE}
states: [{key: 1stState}, {key: SecondState, final: true}]
transitions:
  - {key: 0-Create, to: 1stState}
  - key: MoveOn
    from: [1stState]
    to: SecondState
    fields: [a-b, secret, "kept(", secret-b]
    precondition: '"a-b" in data && data["a-b"] > 1 && (!("3rdParty" in data) || data["3rdParty"] != "x")'
documents:
  - {key: Letter_1, template: "{a-b} and {a&b(c)} {{ kept( }}"}
`

func TestKeysAndNamesMayBeThoseOfOtherSystems(t *testing.T) {
	ct, err := casetype.Parse("", []byte(borrowed))
	if err != nil || len(ct.Warnings()) > 0 {
		t.Fatal(err, ct.Warnings())
	}
	data := decode(t, `{"3rdParty": "Ada", "a-b": 2, "a&b(c)": "x", "site": {"Reg No (#1)": "R1", "a/b": true}}`)
	if wrong := validate(t, ct, data, "/data"); len(wrong) > 0 {
		t.Error(wrong)
	}
	if name := ct.FormatName(data, casetype.Identity{}); name != "Ada R1" {
		t.Errorf("the name is %q", name)
	}
	text, err := casetype.Interpolate(ct.Documents[0].Template, data, casetype.Identity{}, nil, 100)
	if err != nil || text != "2 and x { kept( }" {
		t.Errorf("the document is %q, %v", text, err)
	}
	for _, value := range []string{"1", "2"} {
		data["a-b"] = json.Number(value)
		if ok, err := holds(ct, "MoveOn", casetype.Input{Data: data}); err != nil || ok != (value == "2") {
			t.Errorf("with %s, the condition is %v, %v", value, ok, err)
		}
	}
	err = ct.Meets("MoveOn", casetype.Input{Data: map[string]any{}}, casetype.Restricted)
	if fields := fault.As(err).Fields; len(fields) != 2 || fields[1].Path != "/data/a-b" {
		t.Errorf("the fields that the condition reads: %v", fields)
	}
	for _, name := range []string{"/a-b", "/site/a~1b"} {
		wrong := validate(t, ct, decode(t, `{"a-b": "", "site": {"a/b": 1}}`), "")
		if len(wrong) != 2 || wrong[0].Path != name && wrong[1].Path != name {
			t.Errorf("the faults of wrong values are %v", wrong)
		}
	}
}

func TestAFieldIsHiddenWhateverItsName(t *testing.T) {
	ct, err := casetype.Parse("", []byte(borrowed))
	if err != nil {
		t.Fatal(err)
	}
	shown, err := casetype.Load(ct.JSONFor(casetype.Public))
	if err == nil {
		t.Errorf("a definition whose document has no template any more can't be loaded: %v", shown.Documents)
	}
	var d struct {
		Fields      struct{ Properties map[string]any }
		Transitions []struct{ Fields []string }
		Documents   []struct{ Template string }
	}
	if err := json.Unmarshal(ct.JSONFor(casetype.Public), &d); err != nil {
		t.Fatal(err)
	}
	got := fmt.Sprint(len(d.Fields.Properties), d.Transitions[1].Fields, d.Documents)
	if want := "6 [a-b secret-b] [{}]"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestTheLongestKeysAreLoadedAgain(t *testing.T) {
	long := strings.Repeat("kK9-_", 14)
	source := strings.NewReplacer("2nd_Permit-Type", long, "1stState", long, "MoveOn", long, "_old", long).
		Replace(borrowed)
	ct, err := casetype.Parse("", []byte(source))
	if err != nil {
		t.Fatal(err)
	}
	if again, err := casetype.Load(ct.JSON()); err != nil || again.Reference != strings.ToUpper(long)+"-{seq}" {
		t.Error(err)
	}
	for _, key := range []string{"2nd_Permit-Type", "1stState", "MoveOn", "_old"} {
		if _, err := casetype.Parse("", []byte(strings.ReplaceAll(borrowed, key, long+"x"))); err == nil {
			t.Errorf("a longer key in place of %s is accepted", key)
		}
	}
}

func TestNamesThatDifferInCaseAloneAreDoubtful(t *testing.T) {
	source := strings.NewReplacer("SecondState", "1STSTATE", "_old", "3RDPARTY", "MoveOn", "0-CREATE").Replace(borrowed)
	ct, err := casetype.Parse("", []byte(source))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, w := range ct.Warnings() {
		if !strings.Contains(w.Message, "in upper and lower case alone") {
			t.Error(w)
		}
		got = append(got, w.Path)
	}
	if want := "[/fields/properties/3rdParty /states/1/key /transitions/1/key]"; fmt.Sprint(got) != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestAdviceOnANameInBracketsIsCEL(t *testing.T) {
	for condition, want := range map[string]string{
		`data["a-b"] > 1`:        `reads data["a-b"], which may be absent, and then the condition is not met: write "a-b" in data && ...`,
		`data["a-b"] != null`:    `write "a-b" in data if it has to be set, !("a-b" in data) if it must not be`,
		`before["a-c"] == 1`:     `reads before["a-c"], which is not a field`,
		`data.site["a/b"].c > 1`: `reads data.site["a/b"].c, but data.site["a/b"] is true or false`,
	} {
		source := strings.Replace(borrowed, `'"a-b" in data && data["a-b"] > 1 && `+
			`(!("3rdParty" in data) || data["3rdParty"] != "x")'`, "'"+condition+"'", 1)
		ct, err := casetype.Parse("", []byte(source))
		if err == nil {
			err = ct.Warnings()
		}
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", condition, err)
		}
	}
}
