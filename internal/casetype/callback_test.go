package casetype_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/casehook/casehook/internal/casetype"
)

const (
	fieldAndStates = `"fields":{"type":"object","properties":{"n":{"type":"integer"}}},
		"states":[{"key":"a"},{"key":"b"},{"key":"c"},{"key":"d"}]`
	asks = `{"url":"https://example.com/ask"}`
)

// moving returns a type with the states a, b, c and d, and these transitions.
func moving(t *testing.T, transitions ...string) *casetype.Type {
	t.Helper()
	ct, err := casetype.Parse("", []byte(`{"key":"k",`+fieldAndStates+`,
		"transitions":[`+strings.Join(transitions, ",")+`],
		"switch":{"about_to_submit":`+asks+`},"delete":{"about_to_submit":`+asks+`}}`))
	if err != nil {
		t.Fatal(err)
	}
	return ct
}

// free and guarded return a transition; without from it creates.
func free(key, from, to string) string { return guarded(key, from, to, "") }

func guarded(key, from, to, guard string) string {
	if from != "" {
		from = fmt.Sprintf(`"from":[%q],`, from)
	}
	return fmt.Sprintf(`{"key":%q,%s%s"to":%q}`, key, from, guard, to)
}

const byManagers = `"roles":["manager"],`

func keysOf(transitions []casetype.Transition) (keys []string) {
	for _, tr := range transitions {
		keys = append(keys, tr.Key)
	}
	return keys
}

// transitionsOf returns the transitions of passages.
func transitionsOf(passages []casetype.Passage) (all []casetype.Transition) {
	for _, p := range passages {
		all = append(all, p.Transition)
	}
	return all
}

func TestATransitionIsGuardedByRolesRequiredFieldsAConditionOrACallback(t *testing.T) {
	for guard, want := range map[string]bool{
		"": false, byManagers: true, `"required":["n"],`: true,
		`"precondition":"state != 'b'",`: true, `"about_to_submit":` + asks + `,`: true, `"fields":["n"],`: false,
	} {
		tr, _ := moving(t, guarded("t", "", "a", guard)).Transition("t")
		if tr.Guarded() != want {
			t.Errorf("with %q it is guarded: %v", guard, tr.Guarded())
		}
	}
}

func TestTheGuardsOfAStateAreThoseThatPeopleHaveToPass(t *testing.T) {
	opens, closed := free("open", "", "a"), guarded("closed", "", "a", byManagers)
	for _, test := range []struct {
		name        string
		transitions []string
		state       string
		want        []string
		known       bool
	}{
		{"anybody creates cases in it", []string{opens, guarded("g", "b", "a", byManagers)}, "a", nil, true},
		{"some create cases in it", []string{closed}, "a", []string{"closed"}, true},
		{"no transition leads to it", []string{opens}, "b", nil, false},
		{"anybody moves cases to it", []string{opens, free("m", "a", "b")}, "b", nil, true},
		{"some move cases to it", []string{opens, guarded("m", "a", "b", byManagers)}, "b", []string{"m"}, true},
		{"anybody and some do", []string{opens, free("m", "a", "b"), guarded("n", "a", "b", byManagers)}, "b", []string{"n"}, true},
		{"open, after a guarded creation elsewhere", []string{opens, guarded("closed", "", "c", byManagers), `{"key":"m","from":["a","c"],"to":"b"}`}, "b", nil, true},
		{"behind a guarded creation", []string{closed, free("m", "a", "b")}, "b", []string{"closed"}, true},
		{"two behind a guarded creation", []string{closed, free("m", "a", "b"), free("n", "b", "c")}, "c", []string{"closed"}, true},
		{"listed before what leads to it", []string{free("n", "b", "c"), free("m", "a", "b"), opens}, "c", nil, true},
		{"behind itself", []string{closed, free("m", "a", "b"), free("n", "b", "c"), free("back", "c", "b")}, "c", []string{"closed"}, true},
		{"only from states that callbacks reach", []string{opens, free("m", "c", "b"), free("n", "b", "c")}, "c", nil, false},
	} {
		got, known := moving(t, test.transitions...).Guards(test.state)
		if diff := cmp.Diff(test.want, keysOf(transitionsOf(got))); diff != "" || known != test.known {
			t.Errorf("%s: known: %v, guards (-want +got):\n%s", test.name, known, diff)
		}
	}
}

func TestTheGuardsBetweenTwoStatesAreThoseOfAllTransitionsUnlessOneHasNone(t *testing.T) {
	opens, one, two := free("open", "", "a"), guarded("one", "a", "b", byManagers), guarded("two", "a", "b", byManagers)
	for _, test := range []struct {
		name        string
		transitions []string
		to          string
		want        []string
	}{
		{"one", []string{opens, one}, "b", []string{"one"}},
		{"two", []string{opens, one, two}, "b", []string{"one", "two"}},
		{"one and a free one", []string{opens, one, free("free", "a", "b")}, "b", nil},
		{"a free one from elsewhere", []string{opens, one, free("other", "c", "b")}, "b", []string{"one"}},
		{"a guarded one from elsewhere", []string{opens, one, guarded("other", "c", "b", byManagers)}, "b", []string{"one"}},
		{"a free one to elsewhere", []string{opens, one, free("other", "a", "c")}, "b", []string{"one"}},
		{"to itself", []string{opens, guarded("self", "a", "a", byManagers)}, "a", nil},
		{"none", []string{opens}, "b", nil},
	} {
		got := keysOf(transitionsOf(moving(t, test.transitions...).Between("a", test.to)))
		if diff := cmp.Diff(test.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", test.name, diff)
		}
	}
}

func TestACallbackIsFoundByItsName(t *testing.T) {
	ct := moving(t, free("open", "", "a"), guarded("x", "a", "b", `"about_to_submit":{"url":"https://example.com/x"},
		"pages":[{"key":"1"},{"key":"2","mid_event":{"url":"https://example.com/page"}}],`))
	submits := func(name string) casetype.Point { return casetype.Point{Name: name, Question: casetype.AboutToSubmit} }
	for point, want := range map[casetype.Point]string{
		submits("x"): "https://example.com/x", submits(casetype.SwitchCallback): "https://example.com/ask",
		submits(casetype.DeleteCallback): "https://example.com/ask", submits("open"): "", submits(casetype.TypeSecret): "",
		{Name: "x", Question: casetype.Submitted}:           "",
		{Name: "x", Question: casetype.MidEvent, Page: "2"}: "https://example.com/page",
		{Name: "x", Question: casetype.MidEvent, Page: "1"}: "",
	} {
		if got, ok := ct.Callback(point); got.URL != want || ok != (want != "") {
			t.Errorf("%+v: %q, %v", point, got.URL, ok)
		}
	}
	names := []string{"x", casetype.SwitchCallback, casetype.DeleteCallback}
	if diff := cmp.Diff(names, ct.CallbackNames()); diff != "" {
		t.Errorf("the names (-want +got):\n%s", diff)
	}
}

// TestG1ABlankCallbackIsNone: a definition may name a callback and leave its URL blank.
func TestG1ABlankCallbackIsNone(t *testing.T) {
	ct := moving(t, free("open", "", "a"), guarded("x", "a", "b", `"about_to_submit":{"url":" "},"about_to_start":{},
		"submitted":{"url":""},"pages":[{"key":"1","mid_event":{"url":"\t"}}],`))
	for _, c := range ct.Callbacks() {
		if c.Name == "x" {
			t.Errorf("%s is a callback", c.Path)
		}
	}
}
