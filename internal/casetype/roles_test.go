package casetype_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/casehook/casehook/internal/casetype"
)

// staffed returns a type with roles of its own.
func staffed(settings, transition string) (*casetype.Type, error) {
	return casetype.Parse("", []byte(`{"key":"k","fields":{"type":"object","properties":{"n":{"type":"integer"}}},
		"states":[{"key":"a"}],"transitions":[{"key":"create","to":"a"},{"key":"t","from":["a"]`+transition+`}]`+
		settings+`}`))
}

const officers = `,"roles":{"officer":{},"clerk":{},"[OWNER]":{},"nobody":{}},
	"role_map":{"officer":["manager","town-officer","caseworker"],"clerk":["town-clerk","manger"],"nobody":[]}`

func TestRolesOfATypeAreThoseThatTheyAreMappedTo(t *testing.T) {
	for roles, want := range map[string][]string{
		`["officer"]`:              {"manager", "town-officer", "caseworker"},
		`["officer","viewer"]`:     {"manager", "town-officer", "caseworker", "viewer"},
		`["caseworker","officer"]`: {"caseworker", "manager", "town-officer"}, `["clerk"]`: {"town-clerk", "manger"},
		`["[OWNER]"]`: {"[OWNER]"}, `["nobody"]`: {}, `["manager"]`: {"manager"},
	} {
		ct, err := staffed(officers+`,"access":{"read":`+roles+`,"write":`+roles+`}`, `,"roles":`+roles)
		if err != nil {
			t.Fatal(err)
		}
		loaded, err := casetype.Load(ct.JSON())
		if err != nil {
			t.Fatal(err)
		}
		readers, err := casetype.Readers(ct.JSON())
		if err != nil {
			t.Fatal(err)
		}
		for _, got := range [][]string{
			ct.Transitions[1].Roles, ct.Access.Read, ct.Access.Write, loaded.Transitions[1].Roles, readers.Roles,
		} {
			if diff := cmp.Diff(want, got); diff != "" || got == nil {
				t.Errorf("%s (-want +got):\n%s", roles, diff)
			}
		}
		written := `"access":{"read":` + roles + `,"write":` + roles + `}`
		if got := string(loaded.JSON()); !strings.Contains(got, written) || loaded.Transitions[0].Roles != nil {
			t.Errorf("%s", got)
		}
	}
	ct, err := staffed("", "")
	if err != nil {
		t.Fatal(err)
	}
	if readers, err := casetype.Readers(ct.JSON()); err != nil || readers.Roles != nil || ct.Access.Write != nil {
		t.Errorf("without access: %v, %v", readers, err)
	}
}

func TestRolesHaveToBeKnown(t *testing.T) {
	for _, test := range []struct{ settings, transition, want string }{
		{officers, `,"roles":["oficer"]`, `/transitions/1/roles/0: "oficer" is not a role (did you mean "officer"?)`},
		{officers + `,"access":{"read":["x"]}`, ``, `/access/read/0: "x" is not a role; there are admin, manager, caseworker, viewer, [OWNER], clerk, nobody, officer`},
		{officers + `,"access":{"write":["x"]}`, ``, `/access/write/0: "x" is not a role`},
		{officers + `,"access":{"fields":{"m":{"update":["manager"]}}}`, ``, `/access/fields/m: "m" is not a field`},
		{officers + `,"access":{"fields":{"n":{"update":["x"]}}}`, ``, `/access/fields/n/update/0: "x" is not a role`},
		{officers + `,"access":{"fields":{"n":{"read":["x"]}}}`, ``, `/access/fields/n/read/0: "x" is not a role`},
		{officers + `,"access":{"states":{"a":{"read":["x"]}}}`, ``, `/access/states/a/read/0: "x" is not a role`},
		{officers + `,"access":{"states":{"a":{"update":["x"]}}}`, ``, `/access/states/a/update/0: "x" is not a role`},
		{officers + `,"access":{"states":{"b":{"read":["clerk"]}}}`, ``, `/access/states/b: is not a state; there are a`},
		{officers + `,"access":{"fields":{"n":{"create":["x"]}}}`, ``, `/access/fields/n/create/0: "x" is not a role`},
		{`,"roles":{"manager":{}}`, ``, `/roles/manager: is a role of users and tokens already`},
		{`,"roles":{"a b":{}}`, ``, `is not a role: letters, digits, _ and -`},
		{`,"roles":{"officer":{"of":"case"}}`, ``, `/roles/officer`},
		{`,"roles":{"officer":{}},"role_map":{"oficer":["manager"]}`, ``, `/role_map/oficer: is not one of roles (did you mean "officer"?)`},
		{`,"roles":{"officer":{}},"role_map":{"officer":["a clerk"]}`, ``, `/role_map/officer/0: is not a role`},
	} {
		_, err := staffed(test.settings, test.transition)
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s%s: %v, want %s", test.settings, test.transition, err, test.want)
		}
	}
}

func TestTheAccessToAFieldIsResolvedAndHidden(t *testing.T) {
	ct, err := casetype.Parse("", []byte(`{"key":"k","fields":{"type":"object","properties":{"n":{},
		"secret":{"x-classification":"RESTRICTED"}}},"states":[{"key":"a"}],"transitions":[{"key":"create","to":"a"}],
		"access":{"fields":{"n":{"create":["officer"],"update":["[OWNER]"]},"secret":{"update":["manager"]}}}`+
		officers+`}`))
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		field   string
		creates bool
		want    []string
	}{
		{"n", true, []string{"manager", "town-officer", "caseworker"}}, {"n", false, []string{"[OWNER]"}}, {"secret", true, nil},
		{"secret", false, []string{"manager"}}, {"other", false, nil},
	} {
		if diff := cmp.Diff(test.want, ct.Access.Setters(test.field, test.creates)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", test.field, diff)
		}
	}
	got := string(ct.JSONFor(casetype.Private))
	if strings.Contains(got, "secret") || !strings.Contains(got, `"update":["[OWNER]"]`) {
		t.Errorf("%s", got)
	}
}

func TestRolesThatNobodyHasGetAWarning(t *testing.T) {
	for _, test := range []struct{ settings, transition, want string }{
		{`,"roles":{"officer":{}},"role_map":{"officer":["manager"]}`, `,"roles":["officer"]`, ""},
		{`,"roles":{"officer":{}}`, `,"roles":["officer"]`, ""},
		{`,"roles":{"officer":{}},"role_map":{"officer":["town-clerk"]}`, `,"roles":["officer"]`, ""},
		{`,"roles":{"officer":{}},"role_map":{"officer":[]}`, `,"roles":["officer"]`, "/role_map/officer: is empty, so that nobody has the role"},
		{`,"roles":{"officer":{}},"access":{"write":["caseworker"]}`, `,"roles":["officer"]`, ""},
		{`,"roles":{"reader":{}},"role_map":{"reader":["viewer"]}`, `,"roles":["reader"]`, "/transitions/1/roles: lists only roles that may not write"},
		{`,"roles":{"reader":{}},"role_map":{"reader":["manager"]},"access":{"write":["reader"]}`, `,"roles":["caseworker"]`, "/transitions/1/roles: lists only roles that may not write"},
		{`,"roles":{"reader":{}},"role_map":{"reader":["caseworker"]},"access":{"write":["reader"]}`, `,"roles":["caseworker"]`, ""},
	} {
		ct, err := staffed(test.settings, test.transition)
		if err != nil {
			t.Fatal(err)
		}
		if got := ct.Warnings(); len(got) > 1 || !strings.Contains(fmt.Sprint(got), test.want) ||
			(len(got) > 0) != (test.want != "") {
			t.Errorf("%s%s: %v, want %s", test.settings, test.transition, got, test.want)
		}
	}
}
