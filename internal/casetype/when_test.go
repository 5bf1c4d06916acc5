package casetype_test

import (
	"strings"
	"testing"

	"github.com/casehook/casehook/internal/casetype"
)

// asksWhen returns a case type with a callback at each point, which has a condition. More are further settings.
func asksWhen(when, more string) string {
	ask := `{"url":"https://example.com","when":"` + when + `"` + more + `}`
	return `{"key":"k","name_template":"{secret}","states":[{"key":"a"}],
		"fields":{"type":"object","properties":{"n":{"type":"integer"},
			"secret":{"type":"string","x-classification":"PRIVATE"}}},
		"transitions":[{"key":"t","to":"a","about_to_start":` + ask + `,"about_to_submit":[{"url":"https://example.com"},` +
		strings.Replace(ask, "{", `{"key":"two",`, 1) + `],"submitted":` + ask + `,
			"pages":[{"key":"1","mid_event":` + ask + `}]}],
		"switch":{"about_to_submit":` + ask + `},"delete":{"about_to_submit":` + ask + `}}`
}

func TestTheConditionsOfCallbacksAreChecked(t *testing.T) {
	points := []string{
		"/transitions/0/about_to_start/when", "/transitions/0/about_to_submit/1/when", "/transitions/0/submitted/when",
		"/transitions/0/pages/0/mid_event/when", "/switch/about_to_submit/when", "/delete/about_to_submit/when",
	}
	for when, want := range map[string]string{
		"has(data.m)": "reads data.m, which is not a field", "1": "not true or false", "has(data.n)": "",
	} {
		got := findings(asksWhen(when, ""))
		for _, point := range points {
			if strings.Contains(got, point) != (want != "") || !strings.Contains(got, want) {
				t.Errorf("%s at %s: %s", when, point, got)
			}
		}
	}
	for when, refused := range map[string]bool{
		"has(data.secret)": true, "before.secret == ''": true, "data.exists(k, k == 'x')": true,
		"'secret' in data": true, "data[state] == 1": true, "data.n == 1 && name != ''": false,
	} {
		got := findings(asksWhen(when, `,"clearance":"PUBLIC"`))
		const above = "reads data.secret, which is PRIVATE, and the callback is cleared for PUBLIC"
		if strings.Contains(got, above) != refused {
			t.Errorf("%s: %s", when, got)
		}
	}
}

// A reader who does not see what a condition reads is told neither the condition nor whether it was true.
func TestAConditionOfACallbackIsAsSecretAsWhatItReads(t *testing.T) {
	at := casetype.Point{Name: "t", Question: casetype.AboutToSubmit, Callback: "two"}
	for when, want := range map[string]casetype.Classification{
		"has(data.n)": casetype.Public, "has(before.secret)": casetype.Private, "name == ''": casetype.Private,
		"data == before": casetype.Private,
	} {
		ct, err := casetype.Parse("", []byte(asksWhen(when, "")))
		if err != nil {
			t.Fatal(err)
		}
		if got := ct.WhenClass(at); got != want {
			t.Errorf("%s is %s, want %s", when, got, want)
		}
		hidden := strings.Contains(when, "secret")
		if n := strings.Count(string(ct.JSONFor(casetype.Public)), `"when"`); (n == 0) != hidden {
			t.Errorf("%s: the definition shows %d conditions", when, n)
		}
	}
}
