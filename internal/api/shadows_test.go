package api_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/casehook/casehook/internal/waits"
	"github.com/casehook/casehook/internal/wire/wiretest"
)

// shadowed is a case type whose callback has a shadow.
func shadowed(shadow, more string) string {
	return `
key: shadowed
edit: edit
` + more + `
fields:
  type: object
  properties:
    text: { type: string }
    amount: { type: number }
    secret: { type: string, x-classification: RESTRICTED }
states: [{ key: new }]
transitions:
  - key: open
    to: new
    about_to_submit: { url: "${CASEHOOK_VAR_CALLBACKS}/live", retries: [], shadow: { url: "` + shadow + `" } }
  - { key: edit, from: [new] }
`
}

// shadow is the next version of a callback.
type shadow struct {
	url string

	mu       sync.Mutex
	status   int
	answer   string
	requests []*http.Request
	bodies   []string
}

func (w *world) newShadow() *shadow {
	s := &shadow{status: 200}
	server := httptest.NewServer(wiretest.Callback(w.t, s))
	w.t.Cleanup(server.Close)
	s.url = server.URL + "/next?token=s3cret"
	return s
}

func (s *shadow) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.requests, s.bodies = append(s.requests, r), append(s.bodies, string(body))
	w.WriteHeader(s.status)
	io.WriteString(w, s.answer)
}

func (s *shadow) answers(status int, body string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.status, s.answer = status, body
}

// asked returns how often it was asked.
func (s *shadow) asked() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.requests)
}

// runShadows asks shadows until the test ends.
func (w *world) runShadows() {
	ctx, stop := context.WithCancel(w.t.Context())
	ended := make(chan struct{})
	go func() { defer close(ended); w.services.Casework.Shadows.Run(ctx) }()
	w.t.Cleanup(func() { stop(); <-ended })
}

const differencesPath = "/v1/case-types/shadowed/callbacks/open/shadow"

// differences waits until a number of differences is kept, and returns them, the newest first.
func (w *world) differences(n int) (all []map[string]any) {
	w.t.Helper()
	var found []any
	waits.Poll(w.t, "differences, which nobody tells of", func() bool {
		found = w.get(differencesPath).is(200, "").items()
		return len(found) >= n
	})
	for _, d := range found {
		all = append(all, d.(map[string]any))
	}
	return all
}

// changed returns the paths of a difference's changes.
func changed(difference map[string]any) (paths []string) {
	for _, c := range difference["changes"].([]any) {
		paths = append(paths, c.(map[string]any)["path"].(string))
	}
	return paths
}

func TestAShadowIsAskedTheSameAndItsDifferencesAreKept(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, w *world) {
		next := w.newShadow()
		w.do("PUT", "/v1/case-types/shadowed", shadowed(next.url, ""), "Content-Type", "application/yaml").is(201, "")
		w.do("PUT", "/v1/case-types/shadowed/callbacks/open/credentials",
			`{"origin": "${CASEHOOK_VAR_CALLBACKS}", "headers": {"X-Secret": "s3cret"}}`).is(200, "")
		w.runShadows()
		open := func(status int) answer {
			t.Helper()
			return w.post("/v1/case-types/shadowed/cases", `{"data": {"text": "<é>"}}`).is(status, "")
		}
		w.answers(200, `{"data": {"text": "live", "amount": 1.0}}`)
		next.answers(200, `{"data": {"text": "next", "amount": 1}, "warnings": ["Hm."]}`)
		if data := open(201).json()["data"].(map[string]any); data["text"] != "live" {
			t.Errorf("the case has %v", data)
		}
		d := w.differences(1)[0]
		hasMembers(t, "the difference", d, members{"live": "accepted", "verdict": "warnings", "status": "200",
			"question": "about_to_submit", "url": strings.TrimSuffix(next.url, "?token=s3cret")})
		if diff := cmp.Diff([]string{"data/text", "warnings"}, changed(d)); diff != "" {
			t.Error(diff)
		}
		asked := w.get("/v1/questions").is(200, "").items()
		hasMembers(t, "the only question", asked[0], members{"webhook_id": d["webhook_id"].(string)})
		header := next.requests[0].Header
		if header.Get("dry-run") != "true" || header.Get("X-Secret") != "" || header.Get("webhook-signature") == "" {
			t.Errorf("the shadow is asked with %v", header)
		}
		if id := header.Get("webhook-id"); id != d["shadow_webhook_id"] || id == d["webhook_id"] {
			t.Errorf("the shadow is asked as %s: %v", id, d)
		}

		next.answers(200, `{ "data": {"amount": 1.00, "text": "live"} }`) // the same, written otherwise
		open(201)
		waits.Poll(t, "the shadow is asked, of which nobody tells", func() bool { return next.asked() == 2 })
		next.answers(500, "")
		open(201)
		d = w.differences(2)[0]
		hasMembers(t, "a failure", d, members{"verdict": "failed", "status": "500", "failure": "answered 500"})
		w.answers(200, `{"errors": ["No."]}`)
		next.answers(200, `{"errors": ["No!"]}`)
		open(422)
		all := w.differences(3)
		hasMembers(t, "another message", all[0], members{"live": "errors", "verdict": "errors"})
		if len(all) != 3 || !cmp.Equal(changed(all[0]), []string{"errors"}) {
			t.Errorf("the differences are %v", all)
		}
		if n := len(w.get("/v1/questions").is(200, "").items()); n != 4 {
			t.Errorf("there are %d questions", n)
		}
	})
}

// Dry runs ask no shadow, and a shadow can't be called at an address that is not allowed.
func TestWhatAShadowIsNotAsked(t *testing.T) {
	t.Parallel()
	w := start(t)
	next := w.newShadow()
	w.do("PUT", "/v1/case-types/shadowed", shadowed(next.url, ""), "Content-Type", "application/yaml").is(201, "")
	w.runShadows()
	w.answers(200, "")
	next.answers(500, "")
	w.post("/v1/dry-runs", `{"type": "shadowed", "transition": "open"}`).is(200, "")
	w.post("/v1/case-types/shadowed/cases", `{}`).is(201, "")
	w.differences(1)
	if n := next.asked(); n != 1 {
		t.Errorf("the shadow is asked %d times", n)
	}
	inside := shadowed("https://10.0.0.1/next", "")
	w.do("PUT", "/v1/case-types/shadowed", inside, "Content-Type", "application/yaml").is(200, "")
	w.post("/v1/case-types/shadowed/cases", `{}`).is(201, "")
	d := w.differences(2)[0]
	hasMembers(t, "the difference", d, members{"verdict": "failed"})
	if failure := d["failure"].(string); !strings.Contains(failure, "address that may not be called") {
		t.Errorf("the failure is %q", failure)
	}
	w.do("PUT", "/v1/case-types/shadowed", shadowed("pull:checks", ""), "Content-Type", "application/yaml").
		is(422, "case_type.invalid")
}

// Readers see no part of a difference that is above them.
func TestDifferencesOfShadowsHideWhatIsAboveTheReader(t *testing.T) {
	t.Parallel()
	w := start(t)
	next := w.newShadow()
	definition := shadowed(next.url, "security_classification: PRIVATE")
	w.do("PUT", "/v1/case-types/shadowed", definition, "Content-Type", "application/yaml").is(201, "")
	w.runShadows()
	w.answers(200, `{"data": {"text": "live", "secret": "a"}}`)
	next.answers(200, `{"data": {"text": "next", "secret": "b"}, "warnings": ["The secret is b."]}`)
	w.post("/v1/case-types/shadowed/cases", `{}`).is(201, "")
	if got := changed(w.differences(1)[0]); !cmp.Equal(got, []string{"data/secret", "data/text", "warnings"}) {
		t.Errorf("an administrator sees %v", got)
	}
	reader := w.token(`{"name": "reader", "role": "manager", "clearance": "PRIVATE"}`)
	seen := w.get(differencesPath, "Authorization", reader).is(200, "").items()
	if got := changed(seen[0].(map[string]any)); !cmp.Equal(got, []string{"data/text"}) {
		t.Errorf("who is cleared for less sees %v", got)
	}
	low := w.token(`{"name": "low", "role": "manager", "clearance": "PUBLIC"}`)
	w.get(differencesPath, "Authorization", low).is(404, "case_type.not_found")
	clerk := w.token(`{"name": "clerk", "role": "caseworker"}`)
	w.get(differencesPath, "Authorization", clerk).is(403, "access.denied")
	theirs := "Bearer " + w.post("/v1/tenants", `{"key": "acme"}`).is(201, "").text("token")
	w.get(differencesPath, "Authorization", theirs).is(404, "case_type.not_found")
}

// Creations of a type of which a reader does not read all states are not there for them: the state is not kept.
func TestDifferencesOfShadowsHideStates(t *testing.T) {
	t.Parallel()
	w := start(t)
	next := w.newShadow()
	definition := shadowed(next.url, "access: { states: { new: { read: [clerk] } } }\nroles: { clerk: {} }")
	w.do("PUT", "/v1/case-types/shadowed", definition, "Content-Type", "application/yaml").is(201, "")
	w.runShadows()
	w.answers(200, `{"data": {"text": "live"}}`)
	next.answers(200, `{"data": {"text": "next"}}`)
	w.post("/v1/case-types/shadowed/cases", `{}`).is(201, "")
	w.differences(1)
	reader := w.token(`{"name": "reader", "role": "manager"}`)
	if seen := w.get(differencesPath, "Authorization", reader).is(200, "").items(); len(seen) > 0 {
		t.Errorf("who may not read the case sees %v", seen)
	}
}

// The live answers of questions that wait count as their bodies do.
func TestLongAnswersOfQuestionsToShadowsAreBounded(t *testing.T) {
	t.Parallel()
	w := start(t)
	next := w.newShadow()
	w.do("PUT", "/v1/case-types/shadowed", shadowed(next.url, ""), "Content-Type", "application/yaml").is(201, "")
	w.answers(200, `{}`+strings.Repeat(" ", 6<<20))
	for range 4 { // of which two have room in 16 MiB
		w.post("/v1/case-types/shadowed/cases", `{}`).is(201, "")
	}
	w.runShadows()
	waits.Poll(t, "the shadow is asked, of which nobody tells", func() bool { return next.asked() >= 2 })
	w.answers(200, `{}`)
	next.answers(500, "")
	w.post("/v1/case-types/shadowed/cases", `{}`).is(201, "") // the last one
	w.differences(1)
	if n := next.asked(); n != 3 {
		t.Errorf("the shadow is asked %d times, want 3", n)
	}
}

// Questions to shadows that are too many are dropped, and nobody waits for them.
func TestQuestionsToShadowsAreBounded(t *testing.T) {
	t.Parallel()
	w := start(t)
	next := w.newShadow()
	w.do("PUT", "/v1/case-types/shadowed", shadowed(next.url, ""), "Content-Type", "application/yaml").is(201, "")
	w.answers(200, "")
	const waiting, more = 200, 20
	for range waiting + more {
		w.post("/v1/case-types/shadowed/cases", `{}`).is(201, "")
	}
	w.runShadows()
	waits.Poll(t, "the shadow is asked, of which nobody tells", func() bool { return next.asked() >= waiting })
	next.answers(500, "")
	w.post("/v1/case-types/shadowed/cases", `{}`).is(201, "") // the last one
	w.differences(1)
	if n := next.asked(); n != waiting+1 {
		t.Errorf("the shadow is asked %d times, want %d", n, waiting+1)
	}
}
