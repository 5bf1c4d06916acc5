package server

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/casehook/casehook/internal/outbound"
	"github.com/casehook/casehook/internal/wire"
	"github.com/casehook/casehook/internal/wire/wiretest"
)

// firstMessages has the first message of each trigger that a receiver got.
type firstMessages struct {
	mu   sync.Mutex
	all  map[string]message
	more chan struct{} // signals a new trigger
}

type message struct {
	header http.Header
	body   []byte
}

func (h *firstMessages) ServeHTTP(_ http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	trigger := wire.TriggerOf(body)
	h.mu.Lock()
	defer h.mu.Unlock()
	if _, known := h.all[trigger]; !known {
		h.all[trigger] = message{r.Header, body}
	}
	select {
	case h.more <- struct{}{}:
	default:
	}
}

// of waits for a trigger's first message.
func (h *firstMessages) of(t *testing.T, trigger string) message {
	t.Helper()
	for deadline := time.After(2 * time.Minute); ; {
		h.mu.Lock()
		a, ok := h.all[trigger]
		h.mu.Unlock()
		if ok {
			return a
		}
		select {
		case <-h.more:
		case <-deadline:
			t.Fatalf("%s does not come", trigger)
		}
	}
}

func newFirstMessages(t *testing.T) (*firstMessages, string) {
	h := &firstMessages{all: map[string]message{}, more: make(chan struct{}, 1)}
	receiver := httptest.NewServer(wiretest.Handler(t, h))
	t.Cleanup(receiver.Close)
	return h, receiver.URL
}

// varying are the values that differ between messages of one trigger.
var varying = map[string]*regexp.Regexp{
	"webhook-id": regexp.MustCompile(`^msg_[0-9A-Za-z_-]{24}$`), "webhook-timestamp": regexp.MustCompile(`^[0-9]{10}$`),
	"webhook-signature": regexp.MustCompile(`^v1,[0-9A-Za-z+/]{43}=$`), "webhook-sequence": regexp.MustCompile(`^[1-9][0-9]*$`),
}

// shape returns what the headers of all messages of a trigger have in common. The subject must be
// the one of the body.
func shape(t *testing.T, what string, header http.Header, body []byte) map[string]string {
	t.Helper()
	shaped := map[string]string{}
	for name, values := range header {
		name, value := strings.ToLower(name), strings.Join(values, "; ")
		switch name {
		case "content-length", "accept-encoding", "host", "traceparent", "webhook-test":
			continue
		case "webhook-subject":
			if want := subjectIn(t, body); value != want {
				t.Errorf("%s: the subject is %s, and the body is about %s", what, value, want)
			}
			value, _, _ = strings.Cut(value, "/")
		}
		if pattern := varying[name]; pattern != nil {
			if !pattern.MatchString(value) {
				t.Errorf("%s: the header %s is %s", what, name, value)
			}
			value = "varies"
		}
		shaped[name] = value
	}
	return shaped
}

// subjectIn returns the subject that a body is about.
func subjectIn(t *testing.T, body []byte) string {
	t.Helper()
	var b struct {
		Case     json.Number `json:"case_id"`
		Endpoint string      `json:"endpoint_id"`
		Claim    struct{ ID json.Number }
		Contact  struct{ ID json.Number }
		Type     string `json:"type"` // of CloudEvents
		Subject  string `json:"subject"`
	}
	if err := json.Unmarshal(body, &b); err != nil {
		t.Fatal(err)
	}
	switch {
	case b.Type != "":
		return strings.Split(b.Type, ".")[2] + "/" + b.Subject
	case b.Endpoint != "":
		return "endpoint/" + b.Endpoint
	case b.Contact.ID != "":
		return "contact/" + b.Contact.ID.String()
	}
	return "case/" + b.Case.String() + b.Claim.ID.String()
}

// A sample has the headers of real messages.
func TestSamplesHaveTheHeadersOfRealMessages(t *testing.T) {
	t.Parallel()
	s, _ := start(t, Config{
		Data:  filepath.Join(t.TempDir(), "data"),
		Allow: []outbound.AllowedPrefix{{Prefix: netip.MustParsePrefix("127.0.0.0/8")}},
	})
	real, realURL := newFirstMessages(t)
	tested, testedURL := newFirstMessages(t)
	var names []string
	for _, trigger := range wire.Triggers() {
		names = append(names, `"`+trigger.Name+`"`)
	}
	call(t, s, "POST /v1/endpoints", s.Token(),
		`{"url": "`+realURL+`", "triggers": [`+strings.Join(names, ", ")+`]}`)
	fireAll(t, s, real)
	tester := call(t, s, "POST /v1/endpoints",
		s.Token(), `{"url": "`+testedURL+`", "triggers": ["endpoint.failing"]}`)
	for _, item := range call(t, s, "GET /v1/triggers", s.Token(), "")["items"].([]any) {
		shown := item.(map[string]any)
		name := shown["name"].(string)
		sent := real.of(t, name)
		want := shape(t, name, sent.header, sent.body)
		call(t, s, "POST /v1/endpoints/"+tester["id"].(string)+"/test", s.Token(), `{"trigger": "`+name+`"}`)
		sample := tested.of(t, name)
		if diff := cmp.Diff(want, shape(t, name+", tested", sample.header, sample.body)); diff != "" {
			t.Errorf("the sample of %s (-real +sample): %s", name, diff)
		}
		header := http.Header{}
		for _, h := range shown["headers"].([]any) {
			h := h.(map[string]any)
			header[h["name"].(string)] = []string{h["example"].(string)}
		}
		body, err := json.Marshal(shown["example"])
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, shape(t, name+", in the catalogue", header, exactly(t, name, body))); diff != "" {
			t.Errorf("the catalogue's example of %s (-real +example): %s", name, diff)
		}
	}
}

// exactly returns a trigger's example unchanged: decoding a number as a float may change it.
func exactly(t *testing.T, trigger string, shown []byte) []byte {
	t.Helper()
	example := wire.Examples(trigger, "dev")[0].Body
	var a, b any
	if json.Unmarshal(shown, &a) != nil || json.Unmarshal(example, &b) != nil || !cmp.Equal(a, b) {
		t.Errorf("the example of %s is %s", trigger, shown)
	}
	return example
}

// fireAll makes all triggers fire.
func fireAll(t *testing.T, s *Server, real *firstMessages) {
	do := func(method, path, body string) map[string]any {
		t.Helper()
		return call(t, s, method+" "+path, s.Token(), body)
	}
	id := func(answer map[string]any) string { return fmt.Sprintf("/v1/cases/%.0f", answer["id"]) }
	do("PUT", "/v1/case-types/note", `{"key": "note", "edit": "edit",
		"fields": {"type": "object", "properties": {"text": {"type": "string"}}},
		"states": [{"key": "open"}, {"key": "yes", "outcome": "approved", "final": true}, {"key": "no", "outcome": "declined"}],
		"transitions": [{"key": "write", "to": "open"}, {"key": "edit", "from": ["open"]},
			{"key": "approve", "from": ["open"], "to": "yes"}, {"key": "decline", "from": ["open"], "to": "no"}],
		"documents": [{"key": "letter", "template": "# {case.reference}"}], "proofs": [{"key": "passport"}]}`)
	define := func(key, properties string) {
		do("PUT", "/v1/case-types/"+key,
			`{"key": "`+key+`", "kind": "claim", "fields": {"type": "object", "properties": {`+properties+`}},
			"states": [{"key": "filed"}, {"key": "settled", "final": true}],
			"transitions": [{"key": "file", "to": "filed"}, {"key": "settle", "from": ["filed"], "to": "settled"},
				{"key": "again", "from": ["settled"], "to": "filed"}]}`)
	}
	define("motor", "")
	define("travel", "")
	note := id(do("POST", "/v1/case-types/note/cases", `{}`))
	do("PATCH", note, `{"data": {"text": "new"}}`)
	do("POST", note+"/comments", `{"text": "hello"}`)
	letter := do("POST", note+"/documents", `{"key": "letter"}`)
	passport := do("POST", note+"/proofs?key=passport&filename=p.json", `{}`)
	do("POST", note+"/transitions/approve", `{}`)
	do("POST", id(do("POST", "/v1/case-types/note/cases", `{}`))+"/transitions/decline", `{}`)

	do("POST", "/v1/labels", `{"slug": "urgent"}`)
	user := do("POST", "/v1/users", `{"email": "ada@example.org", "name": "Ada", "role": "caseworker"}`)
	claim := id(do("POST", "/v1/case-types/motor/cases", `{}`))
	do("PUT", claim+"/labels/urgent", "")
	do("DELETE", claim+"/labels/urgent", "")
	do("PUT", claim+"/assignee", fmt.Sprintf(`{"user_id": %.0f}`, user["id"]))
	do("DELETE", claim+"/assignee", "")
	do("POST", claim+"/transitions/settle", `{}`)
	do("POST", claim+"/transitions/again", `{}`)
	do("POST", claim+"/switch-type", `{"type": "travel"}`)
	define("travel", `"country": {"type": "string"}`)
	do("POST", "/v1/case-types/travel/migrate", `{}`)
	do("DELETE", claim, "")
	ada := do("POST", "/v1/contacts", `{"first_name": "Ada", "last_name": "Meier"}`)
	contact := fmt.Sprintf("/contacts/%.0f", ada["id"])
	do("PATCH", "/v1"+contact, `{"city": "Zurich"}`)
	do("PUT", note+contact+"/client", "")
	do("DELETE", note+contact+"/client", "")
	do("DELETE", "/v1"+contact, "")
	do("DELETE", fmt.Sprint(note, "/documents?id=", letter["id"]), "")
	do("DELETE", fmt.Sprint(note, "/proofs/", passport["id"]), "")
	failAndRecover(t, real, do)
}

// failAndRecover makes an endpoint fail, recover, and answer 410.
func failAndRecover(t *testing.T, real *firstMessages, do func(method, path, body string) map[string]any) {
	var status atomic.Int64
	status.Store(http.StatusServiceUnavailable)
	flaky := httptest.NewServer(wiretest.Handler(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(int(status.Load()))
	})))
	t.Cleanup(flaky.Close)
	do("POST", "/v1/endpoints", `{"url": "`+flaky.URL+`", "triggers": ["case_created"]}`)
	for range 6 {
		do("POST", "/v1/case-types/note/cases", `{}`)
	}
	real.of(t, "endpoint.failing")
	status.Store(http.StatusNoContent)
	real.of(t, "endpoint.recovered")
	status.Store(http.StatusGone)
	do("POST", "/v1/case-types/note/cases", `{}`)
	real.of(t, "endpoint.disabled")
}
