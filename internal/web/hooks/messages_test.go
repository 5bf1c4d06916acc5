package hooks_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/casehook/casehook/internal/web/webtest"
	"github.com/casehook/casehook/internal/wire/wiretest"
)

// hostile is a name that would break out of HTML.
const hostile = `"><script>alert(1)</script>`

const noteType = `
key: note
name: Note
reference: NT-{seq:04}
name_template: "{title}"
fields:
  type: object
  properties:
    title: { title: Title, type: string }
    amount: { title: Amount, type: integer }
states:
  - { key: draft, name: Draft, color: blue }
edit: change
transitions:
  - { key: open, name: Open, to: draft }
  - { key: change, name: Change, from: [draft] }
`

// world is a console with an endpoint that takes messages and one that refuses them.
type world struct {
	console   *webtest.World
	t         testing.TB
	good, bad string // ids of endpoints
	manager   *webtest.Browser
	received  chan string // triggers that the good endpoint took
}

func start(t testing.TB, variables ...string) *world {
	t.Helper()
	w := &world{console: webtest.Start(t, variables...), t: t, received: make(chan string, 100)}
	receiver := httptest.NewServer(wiretest.Handler(t, http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		if strings.HasPrefix(r.URL.Path, "/bad") {
			rw.Header().Set("Content-Type", "application/json")
			rw.WriteHeader(http.StatusUnprocessableEntity)
			return
		}
		w.received <- r.Header.Get("X-Atfinity-Event")
	})))
	t.Cleanup(receiver.Close)
	w.console.API(http.MethodPut, "/v1/case-types/note", []byte(noteType), nil)
	w.good = w.endpoint(map[string]any{"name": "crm", "url": receiver.URL + "/good"})
	w.bad = w.endpoint(map[string]any{
		"name": "billing " + hostile, "url": receiver.URL + "/bad", "policy": map[string]any{"retries": []string{}},
	})
	w.manager = w.console.Person("mara@example.com", "manager", "RESTRICTED")
	return w
}

// endpoint makes an endpoint for new cases, and returns its id.
func (w *world) endpoint(settings map[string]any) string {
	w.t.Helper()
	settings["triggers"] = []string{"case_created"}
	var made struct{ ID string }
	w.console.API(http.MethodPost, "/v1/endpoints", settings, &made)
	return made.ID
}

// create makes a case, and waits until both endpoints were sent its message. It returns the attempts' ids.
func (w *world) create(title string) (good, bad string) {
	w.t.Helper()
	w.console.API(http.MethodPost, "/v1/case-types/note/cases",
		map[string]any{"data": map[string]any{"title": title, "amount": 9007199254740993}}, nil)
	return w.newest(w.good, ""), w.newest(w.bad, "")
}

// newest waits for an attempt at an endpoint that differs from one before, and returns its id.
func (w *world) newest(endpoint, before string) string {
	w.t.Helper()
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		var found struct{ Items []struct{ ID string } }
		w.console.API(http.MethodGet, "/v1/attempts?limit=1&endpoint="+endpoint, nil, &found)
		if len(found.Items) > 0 && found.Items[0].ID != before {
			return found.Items[0].ID
		}
	}
	w.t.Fatal("the endpoint was sent nothing")
	return ""
}

// want fails unless a page has all the texts and the status.
func want(t testing.TB, p webtest.Page, status int, texts ...string) {
	t.Helper()
	if p.Status != status {
		t.Errorf("%s: status %d, want %d: %s", p.Path, p.Status, status, p.Text())
	}
	for _, text := range texts {
		if !strings.Contains(p.Text(), text) && !strings.Contains(p.HTML, text) {
			t.Errorf("%s lacks %q:\n%s", p.Path, text, p.Text())
		}
	}
	if strings.Contains(p.HTML, hostile) || strings.Contains(p.HTML, "javascript:") {
		t.Errorf("%s has a hostile text as it is", p.Path)
	}
}

var rows = regexp.MustCompile(`<tr data-id="`)

func TestMessagesAreListedAndFiltered(t *testing.T) {
	t.Parallel()
	w := start(t)
	want(t, w.manager.Get("/messages"), 200, "Nothing was sent yet", "New endpoint")
	good, _ := w.create("A note " + hostile)
	all := w.manager.Get("/messages")
	want(t, all, 200, "case_created", "crm", "billing", "422", "200", "NT-0001", "GET /v1/attempts")
	for query, wanted := range map[string]int{
		"": 2, "?outcome=failed": 1, "?outcome=delivered": 1, "?endpoint=" + w.good: 1, "?trigger=case_created": 2,
		"?trigger=case_comment": 0, "?class=timeout": 0, "?status=422": 1, "?status=x": 2,
		"?contains=nt-0001": 2, "?contains=NT-0001&outcome=failed": 1, "?contains=nowhere": 0,
		"?contains=" + url.QueryEscape(hostile): 2, "?subject=case/1": 0, "?time=1h": 2, "?at=2020-01-01T00:00": 0,
		"?endpoint=nothing": 0, "?trigger=" + url.QueryEscape(hostile): 0,
	} {
		page := w.manager.Get("/messages" + query)
		want(t, page, 200)
		if got := len(rows.FindAllString(page.HTML, -1)); got != wanted {
			t.Errorf("%s: %d rows, want %d", query, got, wanted)
		}
	}
	want(t, w.manager.Get("/messages?outcome=failed&time=1h"), 200, "last hour", "Remove the filter outcome failed")
	want(t, w.manager.Get("/messages?contains=NT-0001"), 200, "Remove the filter contains NT-0001", "contains=NT-0001")
	counted := w.manager.Get("/messages?outcome=delivered&endpoint=" + w.bad)
	if !strings.Contains(counted.HTML, `&amp;status=422">422 <span class="count">1</span>`) ||
		!strings.Contains(counted.HTML, `&amp;outcome=failed">Failed <span class="count">1</span>`) {
		t.Errorf("the failures are not counted: %s", counted.Text())
	}
	if other := w.manager.Get("/messages?endpoint=" + w.good); strings.Contains(other.HTML, "status=422") {
		t.Error("failures of another endpoint are counted")
	}
	for q, path := range map[string]string{
		good: "/messages/" + good, "msg_x": "/messages?message=msg_x", "case_created": "/messages?trigger=case_created",
		"17":         "/messages?subject=case%2F17",
		"contact/17": "/messages?subject=contact%2F17", "nt-0001": "/messages?contains=nt-0001",
		"a/b": "/messages?contains=a%2Fb", w.bad: "/messages?endpoint=" + w.bad,
	} {
		if got := w.manager.Get("/messages?q=" + url.QueryEscape(q)); got.Path != path {
			t.Errorf("a search for %q leads to %s, want %s", q, got.Path, path)
		}
	}
}

func TestAMessageTellsWhatHappened(t *testing.T) {
	t.Parallel()
	w := start(t)
	good, bad := w.create("A note " + hostile)
	want(t, w.manager.Get("/messages/"+good), 200, "case_created to", "NT-0001", "A case was created",
		"Body is what was sent", "webhook-id", "curl -X POST", `"case_user_readable_id":`, "#v1")
	want(t, w.manager.Get("/messages/"+bad+"?outcome=failed"), 200, "The receiver refused the content.",
		"Given up", "422 Unprocessable Entity", "Resend", "Drop 1 message", "/messages?outcome=failed")
	want(t, w.manager.Get("/messages/att_0000"), 404)
}

func TestAMessageIsRepaired(t *testing.T) {
	t.Parallel()
	w := start(t)
	good, bad := w.create("A note")
	<-w.received
	want(t, w.manager.Post("/messages/"+good+"/resend", nil), 200, "It is being sent again.")
	want(t, w.manager.Post("/messages/"+good+"/retry", nil), 200, "It was not waiting any more")
	want(t, w.manager.Post("/messages/"+good+"/drop", nil), 200, "It was not waiting any more")
	if got := <-w.received; got != "case_created" {
		t.Errorf("the receiver was sent %q", got)
	}
	want(t, w.manager.Get("/messages/"+bad+"/replay"), 200, "1 message of 1 subject", "Send 1 message again")
	want(t, w.manager.Post("/messages/"+bad+"/replay", nil), 200, "They are being sent again")
	again := w.newest(w.bad, bad)
	for end := time.Now().Add(20 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		if strings.Contains(w.manager.Get("/messages/"+again).Text(), "Given up") || time.Now().After(end) {
			break
		}
	}
	want(t, w.manager.Post("/messages/"+again+"/drop", url.Values{"state": {"dead"}}), 200, "Dropped")
	want(t, w.manager.Get("/messages/"+bad+"/replay"), 200, "No message to")
}

func TestAMessageTellsWhatWasAskedBefore(t *testing.T) {
	t.Parallel()
	callback := httptest.NewServer(wiretest.Callback(t, http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) {
		io.WriteString(rw, "{}")
	})))
	t.Cleanup(callback.Close)
	w := start(t, "CALLBACKS", callback.URL)
	asks := strings.Replace(noteType, "to: draft }", `to: draft,
      about_to_submit: { url: "${CASEHOOK_VAR_CALLBACKS}/asked" } }`, 1)
	w.console.API(http.MethodPut, "/v1/case-types/note", []byte(asks), nil)
	good, _ := w.create("A note")
	want(t, w.manager.Get("/messages/"+good), 200, "${CASEHOOK_VAR_CALLBACKS}/asked answered 200 in", "Its questions")
}

func TestSelectedMessagesAreResent(t *testing.T) {
	t.Parallel()
	w := start(t)
	good, bad := w.create("A note")
	<-w.received
	form := url.Values{"attempt": {good, bad, good}}
	want(t, w.manager.Post("/messages/selected", form), 200, "2 messages will be sent again", "1 to crm",
		"1 to billing", "gets those messages twice", "Send 2 messages again", "NT-0001")
	want(t, w.manager.Post("/messages/resend", form), 200, "2 messages are being sent again")
	if got := <-w.received; got != "case_created" {
		t.Errorf("the receiver was sent %q", got)
	}
	w.console.API(http.MethodDelete, "/v1/endpoints/"+w.bad, nil, nil)
	low := w.console.Person("ad@example.com", "admin", "RESTRICTED")
	want(t, low.Post("/messages/resend", form), 200, "1 message is being sent again", "1 can’t be")
	want(t, low.Post("/messages/resend", url.Values{}), 422, "Select at least one message")
	want(t, low.Post("/messages/selected", url.Values{"attempt": {"att_1"}}), 404)
}

func TestProblemsAreGrouped(t *testing.T) {
	t.Parallel()
	w := start(t)
	want(t, w.manager.Get("/problems"), 200, "No problem")
	w.create("First")
	w.create("Second")
	w.until("/problems", "All 2 failures")
	want(t, w.manager.Get("/problems"), 200, "1 problem without", "billing", "422",
		"The receiver refused the content.", "goes on", "/messages/att_")
	want(t, w.console.Person("vi@example.com", "viewer", "RESTRICTED").Get("/problems"), 403)
	want(t, w.console.Person("lo@example.com", "manager", "PUBLIC").Get("/problems"), 200, "No problem")
}

func TestOnlyManagersSeeMessages(t *testing.T) {
	t.Parallel()
	w := start(t)
	good, _ := w.create("A note")
	viewer := w.console.Person("vi@example.com", "viewer", "RESTRICTED")
	for _, path := range []string{"/messages", "/messages/" + good, "/messages/" + good + "/replay"} {
		want(t, viewer.Get(path), 403)
	}
	want(t, viewer.Post("/messages/"+good+"/resend", nil), 403)
	low := w.console.Person("lo@example.com", "manager", "PUBLIC")
	want(t, low.Get("/messages"), 200, "Nothing was sent yet")
	want(t, low.Get("/messages/"+good), 404)
	want(t, low.Post("/messages/"+good+"/resend", nil), 404)
}
