package delivery

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/casehook/casehook/internal/delivery/machine"
	"github.com/casehook/casehook/internal/outbound"
	"github.com/casehook/casehook/internal/wire"
)

// spellings are the ways in which receivers repeat a secret.
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
	for _, secret := range []string{
		"sesame-open", "two words/and=more", `a"b\c/d<e>&f`, "abcdabcd", "AbC+/def+/==", "t=1,v1=00ff00ff",
	} {
		q := outbound.Request{Private: []outbound.Header{
			{Name: "X-Key", Value: secret}, {Name: "X-Start", Value: secret[:6]},
		}}
		for name, spelt := range spellings {
			told := spelt(secret)
			r := withoutSecrets(q,
				outbound.Result{
					Header: http.Header{"X-Echo": {"you sent " + told}},
					Body:   []byte("you sent " + told + ", and " + told),
				})
			if all := string(r.Body) + r.Header.Get("X-Echo"); strings.Contains(all, told) ||
				strings.Count(all, "you sent "+redacted) != 2 {
				t.Errorf("%q as %s is kept: %q %v", secret, name, r.Body, r.Header)
			}
			for n := shortestCut; n <= len(told); n++ {
				r := withoutSecrets(q, outbound.Result{Truncated: true, Body: []byte("you sent " + told[:n])})
				left, _ := strings.CutPrefix(string(r.Body), "you sent ")
				if len(strings.ReplaceAll(left, redacted, "")) >= shortestCut {
					t.Errorf("%q as %s, cut after %d bytes, is kept: %q", secret, name, n, r.Body)
				}
			}
		}
	}
}

// A secret has more spellings than can be searched for, so answers of an endpoint with secrets are kept only if its
// settings say so.
func TestAnswersToSecretsAreKeptOnlyWhereTheEndpointSaysSo(t *testing.T) {
	const secret = "sesame-open"
	reversed := []rune(secret)
	slices.Reverse(reversed)
	withSecret := outbound.Request{Private: []outbound.Header{{Name: "Authorization", Value: "Bearer " + secret}}}
	answered := func(body string) outbound.Result {
		return outbound.Result{
			Class: outbound.Answered, Status: 500, Header: http.Header{"X-Echo": {body}}, Body: []byte(body),
		}
	}
	for _, spelt := range []string{
		secret, strings.ToUpper(secret), hex.EncodeToString([]byte(secret)), base64.StdEncoding.EncodeToString([]byte(secret)),
		base64.RawURLEncoding.EncodeToString([]byte("key: " + secret)), url.QueryEscape(secret), "s\u0065same-open", "%73esame-open",
		"&#115;esame-open", "s e s a m e - o p e n", string(reversed), fmt.Sprintf("%q", secret), fmt.Sprint([]byte(secret)), secret[:6],
		"sesame" + "​" + "-open",
	} {
		o := classify(&machine.Message{Body: &wire.Message{}}, withSecret, answered(spelt), false)
		want := o
		want.attempt.Response, want.attempt.Status, want.Verdict = withheld, 500, machine.Unreachable
		if diff := cmp.Diff(want, o, cmp.AllowUnexported(outcome{})); diff != "" {
			t.Errorf("%s (-want +got):\n%s", spelt, diff)
		}
	}
	for name, o := range map[string]outcome{
		"an endpoint that says so":         classify(&machine.Message{Body: &wire.Message{}}, withSecret, answered("why it failed"), true),
		"an endpoint that is sent nothing": classify(&machine.Message{Body: &wire.Message{}}, outbound.Request{}, answered("why it failed"), false),
	} {
		if !strings.Contains(o.attempt.Response, "why it failed") {
			t.Errorf("%s: the attempt keeps %s", name, o.attempt.Response)
		}
	}
}

func TestAnAnswerThatIsWholeKeepsItsEnd(t *testing.T) {
	q := outbound.Request{Private: []outbound.Header{{Name: "X-Key", Value: "sesame-open"}}}
	for _, r := range []outbound.Result{
		{Body: []byte("open sesame")}, {Truncated: true, Body: []byte("open sesame it is")},
	} {
		if got := withoutSecrets(q, r); string(got.Body) != string(r.Body) {
			t.Errorf("%q became %q", r.Body, got.Body)
		}
	}
}

// The cost of one endless answer is bounded.
func TestATextThatEndsWithinASecretIsCut(t *testing.T) {
	q := outbound.Request{Private: []outbound.Header{{Name: "X-Key", Value: strings.Repeat("a", 2000)}}}
	r := withoutSecrets(q, outbound.Result{Truncated: true, Body: []byte(strings.Repeat("a", keptResponse))})
	if len(r.Body) >= shortestCut {
		t.Errorf("%d bytes are kept", len(r.Body))
	}
}
