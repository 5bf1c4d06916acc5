package casetype_test

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/casehook/casehook/internal/casetype"
)

// doubts are edits of the permit that leave it valid, but probably not as meant.
var doubts = []struct{ name, old, new, want string }{
	{"nothing", "", "", ""},
	{"a state that nobody reaches", "  - key: granted\n", "  - key: limbo\n    final: true\n  - key: granted\n", "30 /states/2: is a state to which no transition leads; only callbacks"},
	{"a state without a way out", "    final: true\n", "", "30 /states/2: is a state that no transition leads out of, and is not final: write final: true"},
	{"roles that may not write", "roles: [manager]", "roles: [viewer]", "46 /transitions/3/roles: lists only roles that may not write"},
	{"roles that access leaves out", "edit: edit\n", "edit: edit\naccess: {write: [caseworker]}\n", "46 /transitions/3/roles: lists only roles that may not write"},
	{"a condition that is never true", "roles: [manager]", "precondition: 'false'", "46 /transitions/3/precondition: is never true"},
	{"a field that may be absent", "has(data.cost) && data.cost > 0", "data.cost > 0", "40 /transitions/2/precondition: reads data.cost, which may be absent"},
	{"a member that may be absent", "has(data.cost) && data.cost > 0", "has(data.site) && data.site.street != ''", "40 /transitions/2/precondition: reads data.site.street, which may be absent"},
	{"a member that is required", "has(data.cost) && data.cost > 0", "has(data.site) && data.site.city != ''", ""},
	{"a field that the transition requires", "precondition: has(data.cost) && data.cost > 0", "required: [cost]\n    precondition: data.cost > 0", ""},
	{"a field that a transition before requires", "    roles: [manager]\n", "    precondition: data.cost < 9\n  - {key: again, from: [draft], required: [cost]}\n", ""},
	{"a field of before", "has(data.cost) && data.cost > 0", "before.cost > 0", ""},
	{"a comparison with null", "has(data.cost) && data.cost > 0", "data.applicant != null", "40 /transitions/2/precondition: compares data.applicant with null, which it never is: write has(data.applicant)"},
	{"a number in quotes", "has(data.cost) && data.cost > 0", `has(data.cost) && data.cost == "5"`, "40 /transitions/2/precondition: compares data.cost, which is a number, with text: they are never the same; numbers"},
	{"a text that is no state", "has(data.cost) && data.cost > 0", `state == 'reviw'`, `40 /transitions/2/precondition: compares state with "reviw", which it never is (did you mean "review"?)`},
	{"a state among those that are none", "has(data.cost) && data.cost > 0", `true && !(state in ['draft', 'finished'])`, `40 /transitions/2/precondition: compares state with "finished", which it never is; there are draft, review, granted`},
	{"a text that the enum has not", "has(data.cost) && data.cost > 0", `has(data.kind) && data.kind == 'new-building'`, `40 /transitions/2/precondition: compares data.kind with "new-building", which it never is (did you mean "new_building"?)`},
	{"a text that is never in the list", "has(data.cost) && data.cost > 0", `has(data.kinds) && 'z' in data.kinds`, `40 /transitions/2/precondition: looks for "z" in data.kinds, which never holds it; there are a, b`},
	{"a text that the enum has", "has(data.cost) && data.cost > 0", `has(data.kind) && data.kind in ['repair'] && state == 'draft' && before.kind != 'repair'`, ``},
	{"a boolean in quotes", "has(data.cost) && data.cost > 0", `has(data.urgent) && data.urgent == 'true'`, `40 /transitions/2/precondition: compares data.urgent, which is true or false, with text: they are never the same; true and false are written without quotes`},
	{"a number as one of two conditions", "has(data.cost) && data.cost > 0", `has(data.cost) && (data.cost || state == 'draft')`, `40 /transitions/2/precondition: uses data.cost, which is a number, as a condition: compare it, data.cost > 0`},
	{"a number for each item", "has(data.cost) && data.cost > 0", `has(data.parts) && data.parts.all(p, has(p.area) && p.area)`, `40 /transitions/2/precondition: uses p.area, which is a number, as a condition`},
	{"a final state that is left", "    roles: [manager]\n", "  - {key: reopen, from: [granted], to: draft}\n", "31 /states/2/final: is true of a state that a transition leads out of"},
	{"a viewer among the roles", "roles: [manager]", "roles: [manager, viewer]", "46 /transitions/3/roles/1: may never submit a transition: viewers only read"},
	{"a viewer before the roles", "roles: [manager]", "roles: [viewer, manager]", "46 /transitions/3/roles/0: may never submit a transition: viewers only read"},
	{"a minimum above the maximum", "minimum: 0", "minimum: 10, maximum: 9.5", "9 /fields/properties/cost/minimum: is above maximum, so that no value fits"},
	{"a length above the most", "label: {type: string", "label: {type: string, minLength: 5, maxLength: 2", "23 /fields/properties/parts/items/properties/label/minLength: is above maxLength"},
	{"fewer items than there have to be", "kinds: {type: array", "kinds: {type: array, minItems: 5, maxItems: 2", "26 /fields/properties/kinds/minItems: is above maxItems"},
	{"a maximum of text", "applicant: {type: string", "applicant: {type: string, maximum: 5", "8 /fields/properties/applicant/maximum: has no effect: it judges a number, and this is text; write maxLength"},
	{"a length of a number", "minimum: 0", "maxLength: 4", "9 /fields/properties/cost/maxLength: has no effect: it judges text, and this is a number; write maximum"},
	{"bounds of one of two types", "minimum: 0", "minimum: 5, maximum: 5", ""},
	{"a callback without URL", "    roles: [manager]\n", "    about_to_submit: {timeout: 1s}\n", "46 /transitions/3/about_to_submit: has no URL, so that nobody is asked"},
	{"two braces", "of {applicant}", "of {{applicant}}", "50 /documents/0/template: writes {applicant} as it is, since {{ stands for one brace"},
	{"a dollar", "of {applicant}", "of ${applicant}", "50 /documents/0/template: writes a $ before applicant"},
	{"a dollar at the beginning", `"# {case.reference} of`, `"${applicant} of`, "50 /documents/0/template: writes a $ before applicant"},
	{"a dollar at the end", `of {applicant}"`, `of {applicant} in $"`, ""},
	{"a price", "of {applicant}", "of ${cost}", ""},
}

func TestDoubtfulDefinitionsGetWarnings(t *testing.T) {
	for _, d := range doubts {
		ct, err := casetype.Parse("p.yaml", []byte(strings.Replace(permit, d.old, d.new, 1)))
		if err != nil {
			t.Errorf("%s: %v", d.name, err)
			continue
		}
		var got []string
		for _, w := range ct.Warnings() {
			if w.File != "p.yaml" {
				t.Errorf("%s: the file is %q", d.name, w.File)
			}
			got = append(got, fmt.Sprintf("%d %s: %s", w.Line, w.Path, w.Message))
		}
		if d.want == "" && got == nil {
			continue
		}
		if len(got) != 1 || d.want == "" || !strings.HasPrefix(got[0], d.want) {
			t.Errorf("%s: %q, want %q", d.name, got, d.want)
		}
		loaded, err := casetype.Load(ct.JSON())
		if err != nil || loaded.Warnings() != nil {
			t.Errorf("%s, loaded: %v, %v", d.name, loaded.Warnings(), err)
		}
	}
	// Without a callback, no case enters or leaves such a state.
	const lost = `{"key":"k","fields":{"type":"object","properties":{}},"states":[{"key":"a","final":true},{"key":"b"}],
"transitions":[{"key":"t","to":"a"},
{"key":"u","from":["b"],"to":"a"}]}`
	ct, err := casetype.Parse("", []byte(lost))
	if err != nil {
		t.Fatal(err)
	}
	want := "definition:1: /states/1: is a state that no case can reach: no transition leads to it from where cases " +
		"begin\n" +
		"definition:3: /transitions/1/from: lists only states that no case can reach, so that the transition can " +
		"never be taken"
	if diff := cmp.Diff(want, ct.Warnings().Error()); diff != "" {
		t.Error(diff)
	}
}

func TestVariablesThatAreNotSetAreListedOnce(t *testing.T) {
	source, err := os.ReadFile("../../examples/kyc.yaml")
	if err != nil {
		t.Fatal(err)
	}
	kyc, err := casetype.Parse("kyc.yaml", source)
	if err != nil {
		t.Fatal(err)
	}
	none := func(string) (string, bool) { return "", false }
	got := kyc.Unset(none, "is not set")
	if len(got) != 1 || got[0].Line == 0 {
		t.Fatalf("%v", got)
	}
	got[0].Line = 0
	want := casetype.Faults{{
		File: "kyc.yaml", Path: "/transitions/1/about_to_submit/url", Message: "${CASEHOOK_VAR_CALLBACKS} is not set",
	}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if got := kyc.Unset(func(string) (string, bool) { return "https://a.example", true }, ""); got != nil {
		t.Errorf("%v", got)
	}
	if len(kyc.Warnings()) > 0 {
		t.Errorf("the example has warnings: %v", kyc.Warnings())
	}
}

// Where no transition moves cases, all stay where they are created.
func TestAStateWithoutAWayOutIsRightWhereNothingMoves(t *testing.T) {
	for transitions, want := range map[string]string{
		`{"key":"c","to":"a"},{"key":"e","from":["a"]}`:                                   "",
		`{"key":"c","to":"a"},{"key":"e","from":["a"]},{"key":"m","from":["a"],"to":"b"}`: "/states/1: is a state that no transition leads out of",
	} {
		states := `"states":[{"key":"a"}],`
		if want != "" {
			states = `"states":[{"key":"a"},{"key":"b"}],`
		}
		got := findings(`{"key":"k",` + states + `"fields":{"type":"object","properties":{}},
			"transitions":[` + transitions + `]}`)
		if !fits(got, want) {
			t.Errorf("%s: %q, want %q", transitions, got, want)
		}
	}
}
