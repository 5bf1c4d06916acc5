package api_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/casehook/casehook/internal/api"
	"github.com/casehook/casehook/internal/casetype"
	"github.com/casehook/casehook/internal/store"
	"github.com/casehook/casehook/internal/store/storetest"
	"github.com/casehook/casehook/internal/waits"
	"github.com/casehook/casehook/internal/wire"
)

// storyOfTheJournal polls and streams the messages of the story so far.
func (w *world) storyOfTheJournal() {
	t := w.t
	first := w.get("/v1/journal?after=beginning&limit=2").is(200, "")
	messages := first.json()["messages"].([]any)
	if len(messages) != 2 || first.json()["more"] != true {
		t.Fatalf("polled: %s", first.body)
	}
	if m := messages[0].(map[string]any); m["trigger"] != "case_created" ||
		m["body"].(map[string]any)["case_name"] != "Ann" {
		t.Errorf("the first message is %v", m)
	}
	rest := w.get("/v1/journal?limit=1000&after="+first.text("next")).is(200, "")
	if n := len(rest.json()["messages"].([]any)); n < 20 || rest.json()["more"] != false {
		t.Errorf("the rest has %d messages", n)
	}
	if next := w.get("/v1/journal?after="+rest.text("next")).is(200, ""); len(next.json()["messages"].([]any)) != 0 {
		t.Errorf("there is more: %s", next.body)
	}
	crm := w.post("/v1/endpoints",
		`{"url": "https://crm.example.com/hooks", "triggers": ["case_finished", "case_created"]}`).is(201, "")
	for query, want := range map[string]int{
		"&endpoint=" + crm.text("id"): 3, "&triggers=case_created": 3, "&triggers=case_created,contact.*": 5, "&triggers=*.created": 2,
		"&sources=ui": 0, "&endpoint=" + crm.text("id") + "&triggers=claim.*": 0,
	} {
		g := w.get("/v1/journal?after=beginning&limit=1000"+query).is(200, "")
		if n := len(g.json()["messages"].([]any)); n != want {
			t.Errorf("%s gives %d messages, not %d", query, n, want)
		}
	}
	stream := w.get("/v1/stream?after=beginning&endpoint="+crm.text("id")).is(200, "")
	if n := bytes.Count(stream.body, []byte("\nevent: case_created\ndata: {")); n != 3 {
		t.Errorf("the stream has %d creations: %s", n, stream.body)
	}
	w.do("DELETE", crm.header.Get("Location"), nil).is(204, "")
}

// polledMessage is a message as clients read it.
type polledMessage struct {
	ID, Trigger, Subject, Source string
	Sequence                     int64
	Timestamp                    time.Time
	Headers                      map[string]string
	Body                         jsonText
}

// jsonText is JSON as it was sent. It is a string because cmp compares slices element by element.
type jsonText string

// UnmarshalJSON keeps the text.
func (j *jsonText) UnmarshalJSON(text []byte) error {
	*j = jsonText(text)
	return nil
}

// poll polls the journal once.
func (w *world) poll(query string, header ...string) (messages []polledMessage, next string, more bool) {
	w.t.Helper()
	g := w.get("/v1/journal?"+query, header...).is(200, "")
	var page struct {
		Messages []polledMessage
		Next     string
		More     bool
	}
	must(w.t, json.Unmarshal(g.body, &page))
	return page.Messages, page.Next, page.More
}

// messages returns the messages of all entries of the journal, as readers get them who name no triggers.
func (w *world) messages(clearance casetype.Classification) (all []polledMessage) {
	w.t.Helper()
	w.sequence()
	found, err := w.store.Journal(w.t.Context(), 0, 10_000)
	must(w.t, err)
	for _, e := range found.Entries {
		for _, m := range (wire.View{Clearance: clearance}).Messages(e, "1.2.3") {
			if m.Hidden {
				continue
			}
			h := polledMessage{m.ID, m.Trigger, e.Subject, string(e.Actor.Source), e.Version,
				e.At.Truncate(time.Millisecond), map[string]string{}, jsonText(m.Body)}
			for _, header := range m.Header {
				h.Headers[header.Name] = header.Value
			}
			all = append(all, h)
		}
	}
	return all
}

// sequence assigns positions to all that is committed.
func (w *world) sequence() {
	w.t.Helper()
	must(w.t, w.store.CatchUp(w.t.Context()))
}

// onBoth runs a test on a world on each database.
func onBoth(t *testing.T, test func(t *testing.T, w *world), change ...func(*api.Config)) {
	t.Run("sqlite", func(t *testing.T) {
		test(t, startOn(t, "sqlite", storetest.SQLite(t, filepath.Join(t.TempDir(), "db"), databaseKey), change...))
	})
	t.Run("postgres", func(t *testing.T) { test(t, startOn(t, "pgx", storetest.Postgres(t, databaseKey), change...)) })
}

func TestPollingMissesNothingAndRepeatsNothing(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		w.putTypes()
		w.get("/v1/journal").is(200, "") // from here on the end is held in memory
		for i := range 40 {
			w.open(fmt.Sprintf(`{"client": "<b>&\u2028é %d"}`, i))
		}
		want := w.messages(casetype.Restricted)
		for _, limit := range []int{1, 3, 1000} { // a creation has two triggers, so pages of 1 and 3 cut entries apart
			var all []polledMessage
			for next, more := "beginning", true; more; {
				var messages []polledMessage
				messages, next, more = w.poll(fmt.Sprintf("limit=%d&after=%s", limit, next))
				all = append(all, messages...)
			}
			if diff := cmp.Diff(want, all); diff != "" {
				t.Errorf("by %d (-journal +polled):\n%s", limit, diff)
			}
		}
	})
}

func TestAPlaceInTheJournalMayBeNowOrATime(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		w.putTypes()
		w.open(`{"client": "Ann"}`)
		_, now, _ := w.poll("")
		for range 5 {
			w.open(`{"client": "Bob"}`)
		}
		all := w.messages(casetype.Restricted)
		if messages, _, _ := w.poll("after=" + now); len(messages) != 10 {
			t.Errorf("%d messages came since now", len(messages))
		}
		for i := 0; i < len(all); i += 2 {
			at := all[i].Timestamp
			// the first of that millisecond
			from := slices.IndexFunc(all, func(h polledMessage) bool { return h.Timestamp.Equal(at) })
			messages, _, _ := w.poll("after=" + at.Format(time.RFC3339Nano))
			if len(messages) != len(all)-from {
				t.Errorf("%d messages came since the %d. of %d", len(messages), from, len(all))
			}
			if i > 0 {
				continue
			}
			if messages, _, _ := w.poll("after=" + at.Add(-time.Hour).Format(time.RFC3339)); len(messages) != len(all) {
				t.Errorf("%d messages came since an hour before", len(messages))
			}
		}
		if messages, _, _ := w.poll("after=2999-01-01T00:00:00Z"); len(messages) != 0 {
			t.Errorf("the future has %v", messages)
		}
	})
}

func TestAPlaceIsItsTenantsAlone(t *testing.T) {
	w := start(t)
	_, mine, _ := w.poll("")
	theirs := w.post(tenantsPath, `{"key": "theirs"}`).is(201, "").text("token")
	g := w.get("/v1/journal?after="+mine, "Authorization", "Bearer "+theirs).is(400, "journal.after_invalid")
	if !strings.Contains(string(g.body), `"query.after"`) {
		t.Errorf("it says %s", g.body)
	}
	w.get("/v1/stream?after="+mine, "Authorization", "Bearer "+theirs).is(400, "journal.after_invalid")
	w.get("/v1/stream", "Last-Event-ID", "made up").is(400, "journal.after_invalid")
	if _, again, _ := w.poll(""); again == mine || len(again) < 40 {
		t.Errorf("the place shows where it is: %s, %s", mine, again)
	}
}

func TestALongPollAnswersAsSoonAsThereIsSomething(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		w.deliver()
		w.putTypes()
		_, next, _ := w.poll("")
		answered := make(chan []polledMessage, 1)
		go func() {
			messages, _, _ := w.poll("wait=60&triggers=case_state_changed&after=" + next)
			answered <- messages
		}()
		path := w.open(`{"client": "Ann"}`)
		if messages := <-answered; len(messages) != 1 ||
			path != "/v1/cases/"+strings.TrimPrefix(messages[0].Subject, "case/") {
			t.Errorf("it received %v", messages)
		}
	})
}

// events is an open stream.
type events struct {
	t    testing.TB
	body *bufio.Reader
	end  context.CancelFunc
}

// sse is one event.
type sse struct{ id, event, data string }

// stream opens a stream.
func (w *world) stream(query string, header ...string) *events {
	w.t.Helper()
	ctx, cancel := context.WithCancel(waits.Context(w.t))
	w.t.Cleanup(cancel)
	response, err := w.server.Client().
		Do(w.request(request{"GET", "/v1/stream?" + query, nil, header}).WithContext(ctx))
	must(w.t, err)
	w.t.Cleanup(func() { response.Body.Close() })
	if response.StatusCode != 200 || response.Header.Get("Content-Type") != "text/event-stream" {
		w.t.Fatalf("the stream is %s: %s", response.Status, response.Header)
	}
	return &events{w.t, bufio.NewReader(response.Body), cancel}
}

// next returns what comes next, up to an empty line; false when the stream has ended.
func (e *events) next() (s sse, ok bool) {
	e.t.Helper()
	for {
		line, err := e.body.ReadString('\n')
		if err == io.EOF {
			return s, false
		}
		must(e.t, err)
		name, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), ": ")
		switch name {
		case "id":
			s.id = value
		case "event":
			s.event = value
		case "data":
			s.data = value
		case "":
			if value == "" {
				return s, true
			}
		}
	}
}

// message returns the next event that has data.
func (e *events) message() (s sse, h polledMessage) {
	e.t.Helper()
	for {
		s, ok := e.next()
		if !ok {
			e.t.Fatal("the stream ended")
		}
		if s.data != "" {
			must(e.t, json.Unmarshal([]byte(s.data), &h))
			return s, h
		}
	}
}

func lasting(c *api.Config) { c.Follow.Lifetime = time.Minute }

func TestAStreamResumesExactly(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		w.deliver()
		w.putTypes()
		begun := w.stream("")
		first, _ := begun.next()
		if first.id == "" || first.data != "" {
			t.Errorf("it begins with %v", first)
		}
		for i := range 5 {
			w.open(fmt.Sprintf(`{"client": "client %d"}`, i))
		}
		want := w.messages(casetype.Restricted)
		var all []polledMessage
		last := first.id
		for len(all) < len(want) { // cut off behind each message, within an entry too
			s := w.stream("after=beginning&triggers=case_*", "Last-Event-ID", last)
			e, h := s.message()
			if e.event != h.Trigger {
				t.Errorf("an event %s of %s", e.event, h.Trigger)
			}
			all, last = append(all, h), e.id
			s.end()
		}
		if diff := cmp.Diff(want, all); diff != "" {
			t.Errorf("(-journal +streamed):\n%s", diff)
		}
		path := w.open(`{"client": "live"}`) // to one that waits at the end
		if _, h := w.stream("", "Last-Event-ID", last).
			message(); "/v1/"+strings.Replace(h.Subject, "case", "cases", 1) != path {
			t.Errorf("it received %v", h)
		}
	}, lasting)
}

func TestAStreamMovesPastWhatIsNotWanted(t *testing.T) {
	w := start(t, lasting, func(c *api.Config) { c.Follow.KeepAlive = 20 * time.Millisecond })
	w.deliver()
	w.putTypes()
	s := w.stream("triggers=case_finished")
	first, _ := s.next()
	w.open(`{"client": "Ann"}`)
	all := len(w.messages(casetype.Restricted))
	for {
		e, ok := s.next()
		if !ok {
			t.Fatal("the stream ended")
		}
		if e.id == "" || e.id == first.id {
			continue
		}
		if messages, _, _ := w.poll("after=" + e.id); len(messages) == 0 {
			break
		} else if len(messages) != all {
			t.Fatalf("it is at %v", messages)
		}
	}
}

func TestAStreamEndsWithItsCredentials(t *testing.T) {
	w := start(t, lasting, func(c *api.Config) { c.Follow.KeepAlive = 20 * time.Millisecond })
	made := w.post("/v1/tokens", `{"name": "listener"}`).is(201, "")
	bearer := "Bearer " + made.text("token")
	manager := w.post("/v1/tokens", `{"name": "manager", "role": "manager"}`).is(201, "")
	streams := []*events{w.stream("", "Authorization", bearer),
		w.stream("", "Authorization", "Bearer "+manager.text("token"))}
	for _, s := range streams {
		for range 4 {
			if _, ok := s.next(); !ok {
				t.Fatal("it ended by itself")
			}
		}
	}
	w.do("DELETE", made.header.Get("Location"), nil).is(204, "")
	for ok := true; ok; {
		_, ok = streams[0].next()
	}
	for range 4 {
		if _, ok := streams[1].next(); !ok {
			t.Fatal("another token's stream ended too")
		}
	}
	w.get("/v1/stream", "Authorization", bearer).is(401, "token.invalid")
}

func TestStreamsEndWhenTheServerDoes(t *testing.T) {
	stop := make(chan struct{})
	w := start(t, lasting, func(c *api.Config) { c.Follow.Stop = stop })
	s := w.stream("")
	polled := make(chan string, 1)
	go func() {
		_, next, _ := w.poll("wait=60")
		polled <- next
	}()
	s.next()
	close(stop)
	if _, ok := s.next(); ok {
		t.Error("it goes on")
	}
	if next := <-polled; next == "" {
		t.Error("the poll does not return where to continue")
	}
}

func TestStreamsAreBounded(t *testing.T) {
	w := start(t, lasting, func(c *api.Config) { c.Follow.PerClient, c.Follow.PerTenant = 2, 3 })
	other := w.token(`{"name": "other"}`)
	third := w.token(`{"name": "third"}`)
	first := w.stream("")
	w.stream("")
	w.get("/v1/stream").is(429, "journal.too_many")
	w.get("/v1/journal?wait=1").is(429, "journal.too_many")
	w.get("/v1/journal").is(429, "journal.too_many")
	w.poll("", "Authorization", other)
	w.stream("", "Authorization", other)
	w.get("/v1/stream", "Authorization", third).is(429, "journal.too_many")
	first.end()
	w.eventually("a client that leaves makes room", func() bool {
		return w.get("/v1/journal?wait=1&after=2999-01-01T00:00:00Z").status == 200
	})
}

func TestAClientThatDoesNotReadHoldsNobodyUp(t *testing.T) {
	w := start(t, lasting)
	w.deliver()
	w.putTypes()
	stuck := w.stream("after=beginning") // never read
	reader := w.stream("after=beginning")
	long := strings.Repeat("x", 30)
	for i := range 300 { // more than the buffers between take
		path := w.open(`{"client": "` + long + `"}`)
		w.post(path+"/comments", `{"text": "x"}`).is(201, "")
		if i == 299 {
			for {
				if _, h := reader.message(); "/v1/"+strings.Replace(h.Subject, "case", "cases", 1) == path &&
					h.Trigger == "case_comment" {
					break
				}
			}
		}
	}
	stuck.end()
}

func TestAStreamTakesASession(t *testing.T) {
	w := start(t, lasting, func(c *api.Config) { c.Follow.KeepAlive = 20 * time.Millisecond })
	person := w.person("ada@example.org", "manager")
	cookie := w.signIn("ada@example.org")
	s := w.stream("", "Authorization", "", "Cookie", cookie)
	for range 3 { // its session is loaded again each time
		if _, ok := s.next(); !ok {
			t.Fatal("it ended")
		}
	}
	w.do("PATCH", person, `{"role": "viewer"}`).is(200, "")
	for ok := true; ok; {
		_, ok = s.next()
	}
}

func TestCasesHiddenFromARoleAreNotInItsJournal(t *testing.T) {
	w := start(t)
	w.do("PUT", "/v1/case-types/note", note).is(201, "")
	closed := strings.Replace(strings.Replace(note, `"note"`, `"closed"`, 1), `"fields"`,
		`"access": {"read": ["admin"]}, "fields"`, 1)
	w.do("PUT", "/v1/case-types/closed", closed).is(201, "")
	for _, key := range []string{"note", "closed"} {
		w.post("/v1/case-types/"+key+"/cases", `{"data": {"text": "x"}}`).is(201, "")
	}
	manager := w.token(`{"name": "m", "role": "manager"}`)
	own, _, _ := w.poll("after=beginning")
	less, _, _ := w.poll("after=beginning", "Authorization", manager)
	if len(own) != 4 || len(less) != 2 || less[0].ID != own[0].ID {
		t.Errorf("an administrator receives %d messages, a manager %d", len(own), len(less))
	}
}

func TestListeningTakesKnownTriggers(t *testing.T) {
	w := start(t)
	for _, triggers := range []string{"nothing", "case_created,claim.nothing*", "[", "%00", ","} {
		g := w.get("/v1/journal?triggers="+triggers).is(400, "journal.triggers_unknown")
		if !strings.Contains(string(g.body), `"query.triggers"`) {
			t.Errorf("%s: %s", triggers, g.body)
		}
	}
	w.get("/v1/journal?endpoint=ep_00000000000000000000000000000000").is(404, "endpoint.not_found")
	w.get("/v1/stream?endpoint=ep_00000000000000000000000000000000").is(404, "endpoint.not_found")
	r := w.request(request{"HEAD", "/v1/stream", nil, nil})
	response, err := w.server.Client().Do(r)
	must(t, err)
	if response.Body.Close(); response.StatusCode != http.StatusOK {
		t.Errorf("HEAD is %s", response.Status)
	}
}

func TestAPlaceBelowWhatIsKeptIsGone(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		w.putTypes()
		for i := range 5 {
			w.open(fmt.Sprintf(`{"client": "client %d"}`, i))
		}
		_, first, _ := w.poll("limit=1&after=beginning")
		all := w.messages(casetype.Restricted)
		var removal store.Removal
		must(t, w.store.Update(t.Context(), func(tx *store.Tx) error {
			_, r, err := tx.ExpireJournal(t.Context(), all[4].Timestamp, time.Now())
			removal = r
			return err
		}))
		must(t, w.store.PurgeJournal(t.Context(), removal.UpTo))
		g := w.get("/v1/journal?after="+first).is(410, "journal.removed")
		if !strings.Contains(g.text("detail"), "after=beginning") {
			t.Errorf("it says %s", g.body)
		}
		w.get("/v1/stream", "Last-Event-ID", first).is(410, "journal.removed")
		messages, _, _ := w.poll("after=beginning")
		if diff := cmp.Diff(all[4:], messages); diff != "" {
			t.Errorf("(-kept +polled):\n%s", diff)
		}
	})
}
