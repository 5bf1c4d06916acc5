package delivery

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/casehook/casehook/internal/outbound"
)

// spellings are the ways in which receivers repeat what they got.
var spellings = map[string]func(string) string{
	"as it is": func(s string) string { return s },
	"JSON": func(s string) string {
		text, _ := json.Marshal(s)
		return strings.Trim(string(text), `"`)
	},
	"JSON with markup": func(s string) string { return strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) },
	"JSON with slashes": func(s string) string {
		return strings.NewReplacer(`\`, `\\`, `"`, `\"`, "/", `\/`).Replace(s)
	},
	"slashes": func(s string) string { return strings.ReplaceAll(s, "/", `\/`) },
	"a form":  url.QueryEscape,
	"a URL":   func(s string) string { return strings.ReplaceAll(url.QueryEscape(s), "+", "%20") },
	"HTML": func(s string) string {
		return strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&#34;").Replace(s)
	},
}

func TestNoSpellingOfASecretIsKeptOfAnAnswer(t *testing.T) {
	for _, secret := range []string{"sesame-open", "two words/and=more", `a"b\c/d<e>&f`, "abcdabcd", "AbC+/def+/==", "t=1,v1=00ff00ff"} {
		q := outbound.Request{Private: []outbound.Header{{Name: "X-Key", Value: secret}, {Name: "X-Start", Value: secret[:6]}}}
		for name, spelt := range spellings {
			told := spelt(secret)
			r := withoutSecrets(q, outbound.Result{Header: http.Header{"X-Echo": {"you sent " + told}}, Body: []byte("you sent " + told + ", and " + told)})
			if all := string(r.Body) + r.Header.Get("X-Echo"); strings.Contains(all, told) || strings.Count(all, "you sent "+redacted) != 2 {
				t.Errorf("%q as %s is kept: %q %v", secret, name, r.Body, r.Header)
			}
			for n := shortestCut; n <= len(told); n++ {
				r := withoutSecrets(q, outbound.Result{Truncated: true, Body: []byte("you sent " + told[:n])})
				if left, _ := strings.CutPrefix(string(r.Body), "you sent "); len(strings.ReplaceAll(left, redacted, "")) >= shortestCut {
					t.Errorf("%q as %s, cut after %d bytes, is kept: %q", secret, name, n, r.Body)
				}
			}
		}
	}
}

func TestAnAnswerThatIsWholeKeepsItsEnd(t *testing.T) {
	q := outbound.Request{Private: []outbound.Header{{Name: "X-Key", Value: "sesame-open"}}}
	for _, r := range []outbound.Result{{Body: []byte("open sesame")}, {Truncated: true, Body: []byte("open sesame it is")}} {
		if got := withoutSecrets(q, r); string(got.Body) != string(r.Body) {
			t.Errorf("%q became %q", r.Body, got.Body)
		}
	}
}

// What one endless answer costs is bounded.
func TestWhatEndsWithinASecretManyTimesIsCut(t *testing.T) {
	q := outbound.Request{Private: []outbound.Header{{Name: "X-Key", Value: strings.Repeat("a", 2000)}}}
	r := withoutSecrets(q, outbound.Result{Truncated: true, Body: []byte(strings.Repeat("a", keptResponse))})
	if len(r.Body) >= shortestCut {
		t.Errorf("%d bytes are kept", len(r.Body))
	}
}
