package casetype_test

import (
	"strings"
	"testing"

	"github.com/casehook/casehook/internal/casetype"
)

func withRules(ofType, own string) string {
	return `{"key":"k","fields":{"type":"object","properties":{"n":{"type":"integer"},
			"secret":{"type":"string","x-classification":"PRIVATE"}}},"states":[{"key":"a"}],"rules":` + ofType + `,
		"transitions":[{"key":"t","to":"a","rules":` + own + `}]}`
}

func TestRulesAreChecked(t *testing.T) {
	for rule, want := range map[string]string{
		`{"refuse":"has(data.n)","message":"No."}`:                     "",
		`{"set":{"n":"1 + 1"},"when":"state == ''"}`:                   "",
		`{"refuse":"has(data.n)"}`:                                     "has no message",
		`{"message":"No."}`:                                            "has 0 of refuse, warn and set",
		`{"warn":"true","set":{"n":"1"},"message":"No."}`:              "has 2 of refuse, warn and set",
		`{"set":{"n":"1"},"message":"No."}`:                            "sets fields, which has no message",
		`{"set":{"m":"1"}}`:                                            `"m" is not a field`,
		`{"set":{"n":"data.m"}}`:                                       "set/n: reads data.m, which is not a field",
		`{"warn":"1","message":"No."}`:                                 "warn: yields int, not true or false",
		`{"refuse":"true","message":"No.","field":"m"}`:                `field: "m" is not a field`,
		`{"refuse":"true","when":"data.m == 1","message":"No."}`:       "when: reads data.m, which is not a field",
		`{"refuse":"true","message":"No.","because":"it is not open"}`: "because: is not a known key",
	} {
		for place, source := range map[string]string{"/rules/0": withRules("["+rule+"]", "[]"),
			"/transitions/0/rules/0": withRules("[]", "["+rule+"]")} {
			got := findings(source)
			if strings.Contains(got, place) != (want != "") || !strings.Contains(got, want) {
				t.Errorf("%s at %s: %q, want %q", rule, place, got, want)
			}
		}
	}
}

// Readers who do not see a field are not shown the rules that name it.
func TestRulesAreHiddenWithTheFieldsThatTheyName(t *testing.T) {
	const plain = `{"refuse":"has(data.n)","message":"No."}`
	for _, rule := range []string{
		`{"set":{"secret":"'x'"}}`, `{"set":{"n":"size(data.secret)"}}`,
		`{"refuse":"true","message":"Only secret ones."}`,
		`{"warn":"true","message":"No.","field":"secret"}`, `{"warn":"true","when":"has(data.secret)","message":"No."}`,
	} {
		ct, err := casetype.Parse("", []byte(withRules("["+plain+","+rule+"]", "["+rule+"]")))
		if err != nil {
			t.Fatal(err)
		}
		shown := string(ct.JSONFor(casetype.Public))
		if strings.Contains(shown, "secret") || !strings.Contains(shown, `"has(data.n)"`) {
			t.Errorf("%s: the definition shows %s", rule, shown)
		}
		if !ct.Transitions[0].Guarded() {
			t.Errorf("%s: the transition is not guarded by the rule of the type", rule)
		}
	}
}
