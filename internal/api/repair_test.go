package api_test

import (
	"context"
	"database/sql"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"github.com/casehook/casehook/internal/delivery"
	"github.com/casehook/casehook/internal/id"
	"github.com/casehook/casehook/internal/outbound"
	"github.com/casehook/casehook/internal/wire/wiretest"
)

// storyOfRepairs repairs an endpoint that is behind.
func (w *world) storyOfRepairs(path string) {
	t := w.t
	lag := w.get(path+"/lag").is(200, "")
	if lag.text("entries") != "0" || lag.json()["oldest"] != nil || lag.json()["estimated"] != false {
		t.Errorf("it is behind: %s", lag.body)
	}
	old := w.post("/v1/endpoints",
		`{"url": "https://old.example.com/", "triggers": ["case_created"], "start": "beginning"}`).is(201, "").
		header.Get("Location")
	if lag := w.get(old+"/lag").is(200, ""); lag.text("entries") == "0" || lag.json()["oldest"] == nil {
		t.Errorf("it began in the past, and is not behind: %s", lag.body)
	}
	w.do("PATCH", old, `{"status": "paused"}`).is(200, "")
	backlog := w.get("/v1/metrics/backlog").is(200, "")
	backlog.has(members{"entries": w.get(old + "/lag").text("entries"), "more": false})
	all := w.get("/v1/endpoints?limit=200").items()
	if backlog.text("endpoints") != strconv.Itoa(len(all)) || backlog.text("stopped") == "0" {
		t.Errorf("of %d endpoints, what is owed is %s", len(all), backlog.body)
	}
	w.do("DELETE", old, nil).is(204, "")
	w.storyOfReplays()
}

func (w *world) storyOfReplays() {
	t := w.t
	dead, parked := w.refused(`{"retries": []}`), w.refused(`{}`)
	w.deliverAll()
	if lag := w.get(parked+"/lag").is(200, ""); lag.text("entries") != "0" || lag.text("parked") == "0" ||
		lag.json()["oldest"] == nil {
		t.Errorf("a parked message is not in the lag: %s", lag.body)
	}
	tries := w.get(dead+"/attempts").is(200, "").items()
	message := tries[0].(map[string]any)["message"].(string)
	again := w.post(dead+"/resend", `{"message": "`+message+`"}`).is(201, "")
	again.has(members{"kind": "resend", "state": "running", "messages": "1", "left": "1"})
	made := w.post(dead+"/replays",
		`{"since": "beginning", "until": "2991-01-01T00:00:00Z", "triggers": ["case_created"],
			"subject": "case/4539148803436467"}`).is(201, "")
	replay := made.header.Get("Location")
	made.has(members{"kind": "replay", "progress": "0", "asked_by": "admin"})
	if made.text("left") == "0" {
		t.Errorf("nothing is left: %s", made.body)
	}
	if g := w.get(replay).is(200, ""); g.text("id") != made.text("id") || g.text("subject") != "case/4539148803436467" {
		t.Errorf("got %s", g.body)
	}
	if all := w.get(dead+"/replays?limit=1").is(200, ""); len(all.items()) != 1 ||
		all.items()[0].(map[string]any)["id"] != made.text("id") {
		t.Errorf("the replays are %s", all.body)
	} else if rest := w.get(dead+"/replays?cursor="+all.text("next")).is(200, "").items(); len(rest) != 1 {
		t.Errorf("the rest of the replays are %v", rest)
	}
	w.do("DELETE", replay, nil).is(204, "")
	if g := w.get(replay).is(200, ""); g.text("state") != "cancelled" || g.json()["ended_at"] == nil ||
		g.json()["left"] != nil {
		t.Errorf("cancelled: %s", g.body)
	}
	w.storyOfTests(dead)
	w.storyOfTheDead(dead)
	w.storyOfParked(parked)
	for _, path := range []string{dead, parked} {
		w.do("DELETE", path, nil).is(204, "")
	}
}

// The receiver refuses everything. A test leaves no trace.
func (w *world) storyOfTests(path string) {
	t := w.t
	before := len(w.get(path+"/attempts").is(200, "").items())
	g := w.post(path+"/test", `{"trigger": "contact.created"}`).is(200, "")
	g.has(members{
		"delivered": false, "status": "400", "reason": "400 Bad Request", "trigger": "contact.created", "failure": nil,
	})
	if after := len(w.get(path+"/attempts").is(200, "").items()); after != before {
		t.Errorf("the test is an attempt")
	}
}

func (w *world) storyOfTheDead(path string) {
	t := w.t
	first := w.get(path+"/dead?limit=1").is(200, "")
	rest := w.get(path+"/dead?cursor="+first.text("next")).is(200, "").items()
	d := first.items()[0].(map[string]any)
	hasMembers(t, "the first", d, members{"reason": "400 Bad Request", "trigger": "case_created", "state": "dead"})
	if len(rest) == 0 {
		t.Error("no other is dead")
	}
	one := `{"messages": ["` + d["message"].(string) + `"]}`
	retry := w.post(path+"/dead/retry", one).is(201, "")
	if retry.text("kind") != "retry" || retry.text("messages") != "1" {
		t.Errorf("it is retried by %s", retry.body)
	}
	if all := w.get(path+"/dead?state=retrying").is(200, "").items(); len(all) != 1 ||
		all[0].(map[string]any)["message"] != d["message"] {
		t.Errorf("retried are %v", all)
	}
	w.post(path+"/dead/retry", one).is(404, "message.not_dead")
	w.do("DELETE", retry.header.Get("Location"), nil).is(204, "")
	if g := w.post(path+"/dead/drop", one).is(200, ""); g.text("count") != "1" {
		t.Errorf("dropped %s", g.body)
	}
	if all := w.get(path+"/dead?state=dropped").is(200, "").items(); len(all) != 1 {
		t.Errorf("dropped are %v", all)
	}
	if all := w.get(path+"/dead").is(200, "").items(); len(all) != len(rest) {
		t.Errorf("dead are %v, want %v", all, rest)
	}
}

func (w *world) storyOfParked(path string) {
	t := w.t
	first := w.get(path+"/parked?limit=1").is(200, "")
	rest := w.get(path+"/parked?cursor="+first.text("next")).is(200, "").items()
	p := first.items()[0].(map[string]any)
	if p["reason"] != "400 Bad Request" || p["trigger"] != "case_created" || !strings.HasPrefix(p["subject"].(string),
		"case/") || p["replay"] != nil || p["asked"] != nil || len(rest) == 0 {
		t.Errorf("parked are %v and %v", p, rest)
	}
	name := `"` + p["message"].(string) + `"`
	one := `{"messages": [` + name + `, "msg_none", ` + name + `]}` // twice is once
	if g := w.post(path+"/parked/retry", one).is(200, ""); g.text("count") != "1" {
		t.Errorf("hurried %s", g.body)
	}
	if g := w.post(path+"/parked/drop", `{"all": true}`).is(200, ""); g.text("count") == "1" {
		t.Errorf("dropped %s", g.body)
	}
	if g := w.get(path+"/parked?limit=1").is(200, ""); g.items()[0].(map[string]any)["asked"] != "drop" {
		t.Errorf("parked are %s", g.body)
	}
}

// TestSamplesGoByTheVeryRoad checks the requests of samples, and that the guard checks their addresses.
func TestSamplesGoByTheVeryRoad(t *testing.T) {
	t.Parallel()
	w := start(t)
	var signed string
	arrived := make(chan *http.Request, 99)
	receiver := httptest.NewServer(wiretest.Handler(t, http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		raw, _ := io.ReadAll(r.Body)
		hook, err := standardwebhooks.NewWebhook(signed)
		if err == nil {
			err = hook.Verify(raw, r.Header)
		}
		if err != nil {
			t.Errorf("the signature: %v", err)
		}
		arrived <- r
		io.WriteString(rw, "thanks")
	})))
	defer receiver.Close()
	made := w.post("/v1/endpoints", `{"url": "`+receiver.URL+
		`", "triggers": ["case_created"], "headers": {"X-Key": "sesame"}, "keep_answers": true}`).is(201, "")
	path := made.header.Get("Location")
	signed = made.text("secret")
	w.do("PATCH", path, `{"status": "paused"}`).is(200, "")
	for _, trigger := range []string{"case_created", "case_finished", "claim.closed", "contact.created"} {
		g := w.post(path+"/test", `{"trigger": "`+trigger+`"}`).is(200, "")
		r := <-arrived
		g.has(members{"delivered": true, "trigger": trigger, "message": r.Header.Get("webhook-id")})
		if r.Header.Get("webhook-test") != "true" || r.Header.Get("X-Key") != "sesame" {
			t.Errorf("%s: it is sent with %v", trigger, r.Header)
		}
		if strings.Contains(string(g.body), "sesame") || !strings.Contains(string(g.body), "thanks") {
			t.Errorf("%s: %s", trigger, g.body)
		}
	}
	w.do("PATCH", path, `{"url": "http://169.254.169.254/", "headers": {"X-Key": "sesame"}}`).is(200, "")
	if g := w.post(path+"/test", `{"trigger": "case_created"}`).is(200, ""); g.json()["delivered"] != false ||
		g.json()["status"] != nil || g.text("failure") != "refused_address" {
		t.Errorf("guarded: %s", g.body)
	}
	w.post(path+"/test", `{"trigger": "none"}`).is(404, "trigger.not_found")
	w.post("/v1/endpoints/ep_1/test", `{"trigger": "case_created"}`).is(404, "endpoint.not_found")
	if g := w.get(path+"/lag").is(200, ""); g.text("entries") != "0" || len(w.get(path+"/attempts").items()) != 0 {
		t.Errorf("the tests left traces: %s", g.body)
	}
}

// TestTestsAreBounded has receivers that do not answer, so that no room is left.
func TestTestsAreBounded(t *testing.T) {
	t.Parallel()
	w := start(t)
	leave, entered := make(chan struct{}), make(chan struct{}, 99)
	receiver := httptest.NewServer(wiretest.Handler(t,
		http.HandlerFunc(func(http.ResponseWriter, *http.Request) { entered <- struct{}{}; <-leave })))
	defer receiver.Close()
	path := w.post("/v1/endpoints", `{"url": "`+receiver.URL+`", "triggers": ["case_created"]}`).is(201, "").
		header.Get("Location")
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() { w.post(path+"/test", `{"trigger": "case_created"}`) })
		<-entered
	}
	w.post(path+"/test", `{"trigger": "case_created"}`).is(429, "test.busy")
	close(leave)
	all.Wait()
	w.post(path+"/test", `{"trigger": "case_created"}`).is(200, "")
}

func TestItIsClearWhichMessagesAreMeant(t *testing.T) {
	t.Parallel()
	w := start(t)
	w.putTypes()
	w.open(`{"client": "Ann"}`)
	path := w.refused(`{"retries": []}`)
	w.deliverAll()
	for _, of := range []string{"/dead/retry", "/dead/drop", "/parked/retry", "/parked/drop"} {
		for _, body := range []string{`{}`, `{"all": false}`, `{"all": true, "messages": ["msg_1"]}`} {
			if g := w.post(path+of, body).is(422, "message.which"); !strings.Contains(string(g.body),
				`"path":"/messages"`) {
				t.Errorf("%s %s: %s", of, body, g.body)
			}
		}
		code := "message.not_found"
		if of == "/dead/retry" {
			code = "message.not_dead"
		}
		w.post(path+of, `{"messages": ["msg_1", "no message"]}`).is(404, code)
	}
	if n := len(w.get(path+"/dead").is(200, "").items()); n != 1 {
		t.Errorf("%d are dead", n)
	}
}

// refused creates an endpoint that refuses the existing cases, and returns its path.
func (w *world) refused(policy string, header ...string) string {
	w.t.Helper()
	receiver := httptest.NewServer(wiretest.Handler(w.t,
		http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) {
			rw.Header()["Date"] = nil // the same in all answers
			rw.WriteHeader(400)
		})))
	w.t.Cleanup(receiver.Close)
	return w.post("/v1/endpoints",
		`{"url": "`+receiver.URL+`", "triggers": ["case_created"], "start": "beginning", "policy": `+policy+`}`,
		header...).is(201, "").header.Get("Location")
}

// deliverAll delivers to the endpoints on this machine until each has been sent all creations. Then it stops, so that
// nothing else writes during a story.
func (w *world) deliverAll() {
	w.t.Helper()
	out := outbound.New(outbound.Config{AllowPrefixes: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}})
	defer out.Close()
	engine := delivery.New(w.store, out, delivery.Config{Node: id.New("node"), Version: "1.2.3",
		Poll: 20 * time.Millisecond, Jitter: func() float64 { return 0.5 }, Log: w.logger(),
		Progress: w.progress.Made})
	ctx, stop := context.WithCancel(w.t.Context())
	stopped := make(chan error, 1)
	go func() { stopped <- engine.Run(ctx) }()
	db, err := sql.Open(w.driver, w.dsn)
	must(w.t, err)
	defer db.Close()
	w.eventually("all messages are sent", func() bool {
		var waiting int
		must(w.t, db.QueryRowContext(ctx, `
			select count(*) from endpoints e
			join journal j on j.tenant = e.tenant and j.version = 1 and j.subject like 'case/%'
			where cast(e.settings as text) like '%http://127.%'
				and not exists (select 1 from attempts a where a.endpoint = e.id and a.subject = j.subject)`).Scan(&waiting))
		return waiting == 0
	})
	stop()
	must(w.t, <-stopped)
}

func TestAReplayThatMakesNoSenseIsRefused(t *testing.T) {
	t.Parallel()
	w := start(t)
	w.putTypes()
	w.open(`{"client": "Ann"}`)
	path := w.refused(`{"retries": []}`)
	w.deliverAll()
	message := w.get(path+"/attempts").is(200, "").items()[0].(map[string]any)["message"].(string)
	for body, at := range map[string]string{
		`{"since": "beginning", "triggers": ["case_finished"]}`:                        "/triggers/0",
		`{"since": "beginning", "subject": "the case"}`:                                "/subject",
		`{"since": "2026-11-02T00:00:00Z", "until": "2026-11-01T00:00:00Z"}`:           "/until",
		`{"since": "beginning", "triggers": ["case_created", "none"], "subject": "x"}`: "/triggers/1",
	} {
		if g := w.post(path+"/replays", body).is(422, "replay.invalid"); !strings.Contains(string(g.body),
			`"path":"`+at+`"`) {
			t.Errorf("%s: %s", body, g.body)
		}
	}
	replay := w.post(path+"/replays", `{"since": "beginning"}`).is(201, "").header.Get("Location")
	w.do("DELETE", replay, nil).is(204, "")
	w.do("DELETE", replay, nil).is(409, "replay.ended")
	w.do("PATCH", path, `{"triggers": ["case_finished"]}`).is(200, "")
	w.post(path+"/resend", `{"message": "`+message+`"}`).is(422, "message.unwanted")
	w.do("PATCH", path, `{"triggers": ["case_created"]}`).is(200, "")
	w.open(`{"client": "Bob"}`)
	w.remove(1)
	w.post(path+"/resend", `{"message": "`+message+`"}`).is(422, "journal.removed")
	w.post(path+"/replays", `{"since": "2001-01-01T00:00:00Z"}`).is(422, "journal.removed")
	for range 100 {
		w.post(path+"/replays", `{"since": "beginning"}`).is(201, "")
	}
	w.post(path+"/replays", `{"since": "beginning"}`).is(409, "replay.too_many")
}

func TestAnEndpointMayBeginInThePast(t *testing.T) {
	t.Parallel()
	w := start(t)
	w.putTypes()
	for range 3 {
		w.open(`{"client": "Ann"}`)
	}
	for from, want := range map[string]string{"": "0", `, "start": "now"`: "0", `, "start": "beginning"`: "3",
		`, "start": "2001-01-01T00:00:00Z"`: "3", `, "start": "2991-01-01T00:00:00+01:00"`: "0"} {
		made := w.post("/v1/endpoints", `{"url": "https://a.example", "triggers": ["case_created"]`+from+`}`).
			is(201, "")
		if got := w.get(made.header.Get("Location")+"/lag").is(200, "").text("entries"); got != want {
			t.Errorf("%s: it is %s entries behind, want %s", from, got, want)
		}
	}
	for _, wrong := range []string{"yesterday", "2026-02-30T00:00:00Z", "0001-01-01T00:00:00Z"} {
		g := w.post("/v1/endpoints", `{"url": "https://a.example", "triggers": ["case_created"], "start": "`+
			wrong+`"}`).is(422, "request.body_invalid")
		if !strings.Contains(string(g.body), `"path":"/start"`) {
			t.Errorf("%s: %s", wrong, g.body)
		}
	}
}

// A request for removed entries is refused with the oldest position that is left.
func TestNothingBeginsBelowWhatIsKept(t *testing.T) {
	t.Parallel()
	w := start(t)
	w.putTypes()
	for range 3 {
		w.open(`{"client": "Ann"}`)
	}
	w.remove(1)
	body := func(start string) string {
		return `{"url": "https://a.example", "triggers": ["case_created"], "start": "` + start + `"}`
	}
	g := w.post("/v1/endpoints", body("2001-01-01T00:00:00Z")).is(422, "journal.removed")
	if !strings.Contains(string(g.body), `"path":"/start"`) {
		t.Errorf("refused: %s", g.body)
	}
	for start, want := range map[string]string{"beginning": "2", "2991-01-01T00:00:00Z": "0"} {
		path := w.post("/v1/endpoints", body(start)).is(201, "").header.Get("Location")
		if got := w.get(path+"/lag").is(200, "").text("entries"); got != want {
			t.Errorf("%s: it is %s entries behind, want %s", start, got, want)
		}
	}
}

// remove removes the journal's entries up to a position, as retention does.
func (w *world) remove(upTo int) {
	w.t.Helper()
	db, err := sql.Open(w.driver, w.dsn)
	must(w.t, err)
	defer db.Close()
	_, err = db.ExecContext(w.t.Context(), "delete from journal where id <= $1", upTo)
	must(w.t, err)
}

func TestRepairsNeedTheirCasesClearanceAsOfNow(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, w *world) {
		w.do("PUT", "/v1/case-types/note", note).is(201, "")
		w.do("PUT", "/v1/case-types/vault", strings.Replace(note, `"key": "note"`,
			`"key": "vault", "security_classification": "RESTRICTED"`, 1)).is(201, "")
		var paths []string
		for range 3 {
			paths = append(paths,
				w.post("/v1/case-types/note/cases", `{"data": {"text": "x"}}`).is(201, "").header.Get("Location"))
		}
		lower := []string{"Authorization", w.token(`{"name": "lower", "role": "admin", "clearance": "PRIVATE"}`)}
		dead, parked := w.refused(`{"retries": []}`, lower...), w.refused(`{}`, lower...)
		w.deliverAll()
		for _, list := range []string{dead + "/dead", parked + "/parked"} {
			if all := w.get(list, lower...).is(200, "").items(); len(all) != 3 {
				t.Fatalf("%s has %v", list, all)
			}
		}
		hidden := map[string]string{} // by list, in their order
		for _, path := range paths[:2] {
			w.post(path+"/switch-type", `{"type": "vault"}`).is(200, "")
		}
		for _, list := range []string{dead + "/dead", parked + "/parked"} {
			for next := "?limit=1"; next != ""; {
				g := w.get(list+next, lower...).is(200, "")
				for _, item := range g.items() {
					if subject := item.(map[string]any)["subject"]; subject !=
						strings.Replace(strings.TrimPrefix(paths[2], "/v1/"), "cases", "case", 1) {
						t.Errorf("%s tells of %s", list, subject)
					}
				}
				if next = ""; g.json()["next"] != nil {
					next = "?limit=1&cursor=" + g.text("next")
				}
			}
			all, seen := w.get(list).is(200, "").items(), w.get(list, lower...).is(200, "").items()
			if len(all) != 3 || len(seen) != 1 {
				t.Errorf("%s has %d for all, %d for who sees less", list, len(all), len(seen))
			}
			for _, item := range all {
				if message := item.(map[string]any)["message"].(string); message !=
					seen[0].(map[string]any)["message"] {
					hidden[list] = message
				}
			}
		}
		for path, code := range map[string]string{"/dead/retry": "message.not_dead", "/dead/drop": "",
			"/parked/retry": "", "/parked/drop": ""} {
			on := map[bool]string{true: dead, false: parked}[strings.HasPrefix(path, "/dead")]
			which := `{"messages": ["` + hidden[on+path[:strings.LastIndex(path, "/")]] + `"]}`
			w.post(on+path, which, lower...).is(404, code)
			if path != "/dead/retry" {
				w.post(on+path, which).is(200, "")
			}
		}
	})
}
