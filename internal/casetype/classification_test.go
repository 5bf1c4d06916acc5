package casetype_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/casehook/casehook/internal/casetype"
)

func TestAClearanceSeesWhatIsClassifiedAtMostAsHigh(t *testing.T) {
	all := []casetype.Classification{casetype.Public, casetype.Private, casetype.Restricted}
	for i, clearance := range all {
		for j, class := range all {
			if got, want := clearance.Sees(class), j <= i; got != want {
				t.Errorf("%s sees %s: %v, want %v", clearance, class, got, want)
			}
		}
		if clearance.Sees("SECRET") || clearance.Sees("") {
			t.Errorf("%s sees data of an unknown classification", clearance)
		}
	}
	for _, none := range []casetype.Classification{"", "TOP"} {
		if none.Sees(casetype.Public) {
			t.Errorf("the clearance %q sees data", none)
		}
	}
}

func TestClassificationsAreOrdered(t *testing.T) {
	const none, unknown = casetype.Classification(""), casetype.Classification("SECRET")
	for _, test := range []struct{ a, b, higher, lower casetype.Classification }{
		{casetype.Public, casetype.Private, casetype.Private, casetype.Public},
		{casetype.Private, casetype.Restricted, casetype.Restricted, casetype.Private},
		{casetype.Private, casetype.Private, casetype.Private, casetype.Private},
		{none, casetype.Public, casetype.Public, none},
		{none, none, none, none},
		{casetype.Restricted, unknown, unknown, casetype.Restricted},
	} {
		for _, pair := range [][2]casetype.Classification{{test.a, test.b}, {test.b, test.a}} {
			if got := casetype.Higher(pair[0], pair[1]); got != test.higher {
				t.Errorf("the higher of %q and %q is %q", pair[0], pair[1], got)
			}
			if got := casetype.Lower(pair[0], pair[1]); got != test.lower {
				t.Errorf("the lower of %q and %q is %q", pair[0], pair[1], got)
			}
		}
	}
	for class, want := range map[casetype.Classification]int{
		none: 0, unknown: 0, casetype.Public: 1, casetype.Private: 2, casetype.Restricted: 3,
	} {
		if class.Level() != want {
			t.Errorf("%q is at level %d", class, class.Level())
		}
	}
	if !casetype.Public.SeesClass("") || casetype.Public.SeesClass("PRIVATE") || none.SeesClass("") {
		t.Error("the journal's empty classification is PUBLIC")
	}
}

const classified = `{"key":"k","states":[{"key":"s"}],"transitions":[{"key":"t","to":"s"}],"fields":{"type":"object",
	"properties":{"open":{},"own":{"x-classification":"PRIVATE"},"shut":{"x-classification":"RESTRICTED"}}},NAMED
	"documents":[{"key":"d","template":"TEMPLATE"}]}`

func classifiedType(t *testing.T, named, template string) *casetype.Type {
	t.Helper()
	source := strings.NewReplacer("NAMED", named, "TEMPLATE", template).Replace(classified)
	ct, err := casetype.Parse("", []byte(source))
	if err != nil {
		t.Fatal(err)
	}
	return ct
}

func TestTheFieldsAboveAClearanceAreUnseen(t *testing.T) {
	ct := classifiedType(t, "", "x")
	for clearance, want := range map[casetype.Classification]string{
		"": "open own shut", casetype.Public: "own shut", casetype.Private: "shut", casetype.Restricted: "",
		"SECRET": "open own shut",
	} {
		if got := strings.Join(ct.Unseen(clearance), " "); got != want {
			t.Errorf("with the clearance %q, unseen are %q", clearance, got)
		}
	}
	data := map[string]any{"open": 1, "own": 2, "shut": 3}
	for clearance, want := range map[casetype.Classification]map[string]any{
		casetype.Public: {"own": 2, "shut": 3}, casetype.Private: {"shut": 3}, casetype.Restricted: nil,
	} {
		if diff := cmp.Diff(want, ct.Hidden(data, clearance)); diff != "" {
			t.Errorf("hidden from %s (-want +got):\n%s", clearance, diff)
		}
	}
	if got := ct.HighestIn(map[string]any{"open": 1, "own": 2}); got != casetype.Private {
		t.Errorf("the highest of the data is %s", got)
	}
}

func TestADocumentIsClassifiedByTheFieldsThatItsReaderSees(t *testing.T) {
	for _, test := range []struct {
		named, template string
		clearance, want casetype.Classification
	}{
		{"", "{open}", casetype.Restricted, casetype.Public},
		{"", "{own} {shut}", casetype.Restricted, casetype.Restricted},
		{"", "{own} {shut}", casetype.Private, casetype.Private},
		{"", "{own} {shut}", casetype.Public, casetype.Public},
		{"", "{case.id} {case.reference}", casetype.Restricted, casetype.Public},
		{"", "{case.name}", casetype.Restricted, casetype.Public},
		{`"name_template":"{own}",`, "{case.name}", casetype.Restricted, casetype.Private},
		{`"name_template":"{own}",`, "{open}", casetype.Restricted, casetype.Public},
		{`"name_template":"{own}",`, "{case.name}", casetype.Public, casetype.Public},
	} {
		ct := classifiedType(t, test.named, test.template)
		if got := ct.DocumentClassification(ct.Documents[0], test.clearance); got != test.want {
			t.Errorf("%s %s for %s: %s, want %s", test.named, test.template, test.clearance, got, test.want)
		}
	}
	named := classifiedType(t, `"name_template":"{case.id} {own}",`, "x")
	if named.NameClassification() != casetype.Private {
		t.Errorf("the name is %s", named.NameClassification())
	}
}

func TestPagesLackTheFieldsAboveAClearance(t *testing.T) {
	const pages = `"pages":[
		{"key":"1","show_if":"shut=\"x\"","fields":[{"name":"open","label":"Open ${shut}","show_if":"shut=\"x\""},{"name":"shut"}]},
		{"key":"2","show_if":"open=\"x\"","fields":[{"name":"shut.part"},{"label":"Read ${shut}"},{"label":"Read"}]}]`
	source := strings.NewReplacer(`"key":"t"`, `"key":"t",`+pages, "NAMED", "", "TEMPLATE", "x").Replace(classified)
	ct, err := casetype.Parse("", []byte(source))
	if err != nil {
		t.Fatal(err)
	}
	got := string(ct.JSONFor(casetype.Private))
	const want = `"pages":[{"fields":[{"name":"open"}],"key":"1","name":"1"},` +
		`{"fields":[{"label":"Read"}],"key":"2","name":"2","show_if":"open=\"x\""}]`
	if !strings.Contains(got, want) || strings.Contains(got, "shut") {
		t.Errorf("shown is %s", got)
	}
}

func TestAConditionOfAPageThatNobodyCanReadIsToldOf(t *testing.T) {
	const pages = `"pages":[{"key":"1","show_if":"open=x","fields":[{"name":"open","show_if":"open='x'"},
		{"name":"own","show_if":"open=\"x\""}]}]`
	source := strings.NewReplacer(`"key":"t"`, `"key":"t",`+pages, "NAMED", "", "TEMPLATE", "x").Replace(classified)
	ct, err := casetype.Parse("", []byte(source))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, w := range ct.Warnings() {
		got = append(got, w.Path)
	}
	want := []string{"/transitions/0/pages/0/fields/0/show_if", "/transitions/0/pages/0/show_if"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestAFieldThatSomeRolesMayReadNeedsOneOfThem(t *testing.T) {
	const clerks = casetype.Classification("PRIVATE|clerk,officer")
	const both = clerks + "|auditor"
	if got := casetype.Private.LimitedTo([]string{"officer", "clerk", "officer"}); got != clerks || !got.Limited() {
		t.Errorf("limited to clerks and officers is %q", got)
	}
	for _, test := range []struct {
		clearance, class casetype.Classification
		want             bool
	}{
		{"PRIVATE clerk", clerks, true}, {"RESTRICTED caseworker officer", clerks, true}, {"PRIVATE caseworker", clerks, false},
		{"PRIVATE cler", clerks, false}, {"PRIVATE", clerks, false}, {"PUBLIC clerk", clerks, false}, {"RESTRICTED", clerks, false},
		{"PRIVATE clerk", both, false}, {"PRIVATE clerk auditor", both, true}, {"PRIVATE *", both, true}, {"PRIVATE admin", both, false},
		{"", clerks, false}, {"SECRET *", clerks, false}, {"PRIVATE clerk", casetype.Private, true},
		{"PRIVATE clerk", casetype.Restricted, false}, {"PRIVATE ", casetype.Private.LimitedTo(nil), false},
		{"PRIVATE ", "PRIVATE|", false}, {"RESTRICTED *", casetype.Private.LimitedTo(nil), true},
	} {
		if got := test.clearance.Sees(test.class); got != test.want {
			t.Errorf("%q sees %q: %v", test.clearance, test.class, got)
		}
	}
	if got := casetype.Private.WithRoles("caseworker", "clerk officer"); got != "PRIVATE caseworker clerk officer" {
		t.Errorf("with roles it is %q", got)
	}
	if got := casetype.Classification("").WithAllRoles(); got != "" {
		t.Errorf("no clearance becomes %q", got)
	}
	for got, want := range map[casetype.Classification]casetype.Classification{
		both.Plain(): casetype.Private, both.AtMost(casetype.Public): "PUBLIC|clerk,officer|auditor", clerks.AtMost("RESTRICTED x"): clerks,
		casetype.Lower("RESTRICTED a", "PRIVATE|b"): casetype.Private, casetype.Higher(clerks, casetype.Restricted): "RESTRICTED|clerk,officer",
		casetype.Higher("", clerks): clerks, casetype.Higher(clerks, ""): clerks,
	} {
		if got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
	if clerks.Level() != 2 || casetype.Classification("PUBLIC a").Level() != 1 {
		t.Error("roles change a level")
	}
}

// The higher of two classifications is seen by those alone who see both.
func TestTheHigherOfTwoIsSeenByWhoSeesBoth(t *testing.T) {
	var classes, clearances []casetype.Classification
	lists := [][]string{{"a"}, {"b"}, {"a", "c"}, {"b", "c"}, {}}
	for _, level := range casetype.Classifications() {
		classes, clearances = append(classes, level), append(clearances, level, level.WithAllRoles())
		for _, roles := range lists {
			classes = append(classes, level.LimitedTo(roles))
			clearances = append(clearances, level.WithRoles(roles...))
		}
	}
	all := casetype.Public
	for _, a := range classes {
		for _, b := range classes {
			higher := casetype.Higher(a, b)
			for _, c := range clearances {
				if got, want := c.Sees(higher), c.Sees(a) && c.Sees(b); got != want {
					t.Errorf("%q sees %q, the higher of %q and %q: %v", c, higher, a, b, got)
				}
			}
			all = casetype.Higher(all, higher)
		}
	}
	for i := range 20 {
		all = casetype.Higher(all, casetype.Public.LimitedTo([]string{strings.Repeat("r", i+1)}))
	}
	if all != "RESTRICTED|*" {
		t.Errorf("with many lists it is %q, not left to administrators", all)
	}
}
