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

// Several callbacks of a point are a list, in which each but one has a key. A list of one is the same as an object.
func TestSeveralCallbacksOfAPointAreAList(t *testing.T) {
	asks := func(list string) string { return `"about_to_submit":` + list + `,` }
	const one, two = `{"key":"one","url":"https://example.com/one"}`, `{"url":"https://example.com/two"}`
	alone := moving(t, free("open", "", "a"), guarded("x", "a", "b", asks(two)))
	listed := moving(t, free("open", "", "a"), guarded("x", "a", "b", asks(`[`+two+`,{"key":"blank","url":" "}]`)))
	if diff := cmp.Diff(string(alone.JSON()), string(listed.JSON())); diff != "" {
		t.Errorf("a list of one (-object +list):\n%s", diff)
	}
	several, err := casetype.Load(moving(t, free("open", "", "a"),
		guarded("x", "a", "b", asks(`[`+one+`,`+two+`]`))).JSON())
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]string{}
	for _, c := range several.Callbacks() {
		if settings, ok := several.Callback(c.Point); ok && c.Name == "x" {
			found[c.Path] = c.Callback + " " + settings.URL
		}
	}
	want := map[string]string{
		"/transitions/1/about_to_submit/0": "one https://example.com/one",
		"/transitions/1/about_to_submit/1": " https://example.com/two",
	}
	if diff := cmp.Diff(want, found); diff != "" {
		t.Errorf("the callbacks (-want +got):\n%s", diff)
	}
}

func TestAListOfCallbacksIsChecked(t *testing.T) {
	const ask = `{"url":"https://example.com"}`
	for list, want := range map[string]string{
		`[{"key":"x","url":"https://example.com"},` + ask + `]`: "",
		`[` + ask + `,` + ask + `]`:                             "about_to_submit/1: has no key, and neither has",
		`[{"key":"x"},{"key":"x"}]`:                             "about_to_submit/1/key: is the key of",
		`[{"key":"x","url":"https://example.com","budget":"4m"},{"url":"https://example.com","budget":"61s"}]`: "5m1s together",
		`[]`:                                     "about_to_submit: is an empty list",
		`[` + repeated(6, `{"key":"k%d"}`) + `]`: "about_to_submit: has more than 5 items",
		`[{"key":"x","urll":"y"}]`:               `about_to_submit/0/urll: is not a known key (did you mean "url"?)`,
		`{"urll":"y"}`:                           `about_to_submit/urll: is not a known key (did you mean "url"?)`,
		`[{"url":"file:///x"}]`:                  "about_to_submit/0/url: ",
		`[[` + ask + `]]`:                        "about_to_submit/0: is a list, not an object",
	} {
		got := findings(`{"key":"k",` + fieldAndStates + `,
			"transitions":[{"key":"t","to":"a","about_to_submit":` + list + `}]}`)
		if want == "" && strings.Contains(got, "about_to_submit") || !strings.Contains(got, want) {
			t.Errorf("%s: %q, want %q", list, got, want)
		}
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
