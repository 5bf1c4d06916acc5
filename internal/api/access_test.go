package api_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/casehook/casehook/internal/wire/wiretest"
)

// caseReceiver is a receiver that records the cases of its messages.
type caseReceiver struct {
	server *httptest.Server
	mu     sync.Mutex
	cases  []string
}

func (w *world) caseReceiver() *caseReceiver {
	e := &caseReceiver{}
	e.server = httptest.NewServer(wiretest.Handler(w.t, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		var m struct {
			Case json.Number `json:"case_id"`
		}
		json.NewDecoder(r.Body).Decode(&m)
		e.mu.Lock()
		defer e.mu.Unlock()
		e.cases = append(e.cases, m.Case.String())
	})))
	w.t.Cleanup(e.server.Close)
	return e
}

// drain returns the cases of the messages since the last call.
func (e *caseReceiver) drain() []string {
	e.mu.Lock()
	defer e.mu.Unlock()
	received := e.cases
	e.cases = nil
	return received
}

// subscribe creates an endpoint that subscribes to creations, and returns its path.
func (w *world) subscribe(to *caseReceiver, header ...string) string {
	w.t.Helper()
	return w.post("/v1/endpoints", `{"url": "`+to.server.URL+`", "triggers": ["case_created"], "start": "beginning"}`,
		header...).is(201, "").header.Get("Location")
}

// awaitDelivered waits until all messages of endpoints and their replays are delivered.
func (w *world) awaitDelivered(paths ...string) {
	w.t.Helper()
	for _, path := range paths {
		w.eventually(path+" is settled", func() bool {
			w.sequence()
			running := false
			for _, r := range w.get(path+"/replays").is(200, "").items() {
				running = running || r.(map[string]any)["state"] == "running"
			}
			lag := w.get(path+"/lag").is(200, "")
			return !running && lag.text("entries") == "0" && lag.text("parked") == "0"
		})
	}
}

// narrowed is the case type note under another key, which these roles may read.
func narrowed(key, roles string) string {
	return strings.Replace(strings.Replace(note, `"note"`, `"`+key+`"`, 1), `"fields"`,
		`"access": {"read": `+roles+`}, "fields"`, 1)
}

func (w *world) write(key string) (id string) {
	w.t.Helper()
	return w.post("/v1/case-types/"+key+"/cases", `{"data": {"text": "x"}}`).is(201, "").text("id")
}

// Users who may not read a case type may neither put it, nor let themselves into it, nor
// receive its messages by any endpoint of theirs.
func TestAccessKeepsManagersOut(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, w *world) {
		manager := []string{"Authorization", w.token(`{"name": "m", "role": "manager"}`)}
		w.do("PUT", "/v1/case-types/note", note).is(201, "")
		w.do("PUT", "/v1/case-types/closed", narrowed("closed", `["admin"]`)).is(201, "")
		w.do("PUT", "/v1/case-types/closed", narrowed("closed", `["admin", "manager"]`),
			manager...).is(409, "case_type.key_taken")
		w.do("PUT", "/v1/case-types/closed", narrowed("closed", `["admin"]`), manager...).is(409, "case_type.key_taken")
		w.get("/v1/case-types/closed", manager...).is(404, "case_type.not_found")
		w.get("/v1/case-types/closed?version=1", manager...).is(404, "case_type.not_found")
		w.post("/v1/case-types/closed/callbacks/write/secret", "", manager...).is(404, "case_type.not_found")
		if all := w.get("/v1/case-types", manager...).is(200, "").items(); len(all) != 1 {
			t.Errorf("a manager lists %d types", len(all))
		}
		open, closed := w.write("note"), w.write("closed")
		mine, theirs := w.caseReceiver(), w.caseReceiver()
		path, all := w.subscribe(mine, manager...), w.subscribe(theirs)
		w.deliver()
		expect := func(e *caseReceiver, path string, want ...string) {
			t.Helper()
			w.awaitDelivered(path)
			received := e.drain()
			slices.Sort(received)
			if slices.Sort(want); !slices.Equal(received, want) {
				t.Errorf("received %v, want %v (%s is open, %s is closed)", received, want, open, closed)
			}
		}
		expect(mine, path, open)
		expect(theirs, all, open, closed)
		for _, of := range []string{path, all} { // no endpoint of another owner serves a manager
			id := strings.TrimPrefix(of, "/v1/endpoints/")
			if received, _, _ := w.poll("after=beginning&triggers=case_created&endpoint="+id,
				manager...); len(received) != 1 || received[0].Subject != "case/"+open {
				t.Errorf("a manager polls %v as %s", received, of)
			}
			if _, _, messages := w.preview("true", "&endpoint="+id, manager...); len(messages) != 1 {
				t.Errorf("a manager previews %v", messages)
			}
		}
		if received, _, _ := w.poll("after=beginning&endpoint=" +
			strings.TrimPrefix(path, "/v1/endpoints/")); len(received) != 1 {
			t.Errorf("the manager's endpoint would get %v", received)
		}
		message := w.get("/v1/attempts?subject=case/"+closed).is(200, "").
			items()[0].(map[string]any)["message"].(string)
		w.post(all+"/resend", `{"message": "`+message+`"}`, manager...).is(404, "message.not_found")
		for _, as := range [][]string{manager, nil} { // for each caller, the owner counts
			w.post(path+"/replays", `{"since": "beginning"}`, as...).is(201, "")
			expect(mine, path, open)
		}
		w.post(all+"/resend", `{"message": "`+message+`"}`).is(201, "")
		expect(theirs, all, closed)
		deliveries := w.get("/v1/cases/"+closed+"/deliveries").is(200, "")
		if strings.Contains(string(deliveries.body), strings.TrimPrefix(path, "/v1/endpoints/")) {
			t.Errorf("the manager's endpoint is among the deliveries: %s", deliveries.body)
		}
		w.storyOfOwners(ownership{
			expect: expect, receiver: mine, path: path, open: open, closed: closed, manager: manager,
		})
	})
}

// ownership is an endpoint of a manager, who may read one of two cases.
type ownership struct {
	expect       func(r *caseReceiver, path string, cases ...string) // checks what an endpoint delivers next
	receiver     *caseReceiver
	path         string   // of the endpoint
	open, closed string   // ids of cases
	manager      []string // headers
}

// storyOfOwners changes the owner of an endpoint several times.
func (w *world) storyOfOwners(o ownership) {
	t := w.t
	replay := func() { t.Helper(); w.post(o.path+"/replays", `{"since": "beginning"}`).is(201, "") }
	if shown := w.get(o.path).is(200, ""); !strings.HasPrefix(shown.text("owner"), "token/tok_") {
		t.Errorf("it shows %s", shown.body)
	}
	w.do("PATCH", o.path, `{"take_over": true}`).is(200, "")
	replay()
	o.expect(o.receiver, o.path, o.open, o.closed)
	w.do("PATCH", o.path, `{"description": "changed by somebody else"}`, o.manager...).is(200, "")
	replay()
	o.expect(o.receiver, o.path, o.open, o.closed)
	w.do("PATCH", o.path, `{"url": "`+o.receiver.server.URL+`/moved"}`, o.manager...).is(200, "")
	replay()
	o.expect(o.receiver, o.path, o.open)
	w.do("PUT", "/v1/case-types/closed", narrowed("closed", `["manager"]`)).is(200, "")
	replay()
	o.expect(o.receiver, o.path, o.open, o.closed)
	w.do("DELETE", "/v1/tokens/"+strings.TrimPrefix(w.get(o.path).text("owner"), "token/"), nil).is(204, "")
	replay()
	o.expect(o.receiver, o.path, o.open)
	w.do("PUT", "/v1/case-types/note", narrowed("note", `["viewer"]`)).is(200, "")
	w.write("note")
	o.expect(o.receiver, o.path)
}

// A stream ends at once when its client may read less.
func TestAStreamEndsWhereReadingDoes(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, w *world) {
		w.do("PUT", "/v1/case-types/note", note).is(201, "")
		s := w.stream("triggers=case_created", "Authorization", w.token(`{"name": "m", "role": "manager"}`))
		if _, ok := s.next(); !ok { // it has begun
			t.Fatal("it ended")
		}
		w.do("PUT", "/v1/case-types/note", narrowed("note", `["admin"]`)).is(200, "")
		w.write("note")
		w.do("PUT", "/v1/case-types/other", strings.Replace(note, `"note"`, `"other"`, 1)).is(201, "")
		seen := w.write("other")
		w.sequence()
		must(t, w.engine.Feed().Catch(t.Context()))
		for {
			e, ok := s.next()
			if !ok {
				t.Fatal("it ended")
			}
			if strings.Contains(e.data, `"subject"`) {
				if !strings.Contains(e.data, "case/"+seen) {
					t.Errorf("it receives %s", e.data)
				}
				return
			}
		}
	}, lasting)
}

var (
	accessSteps = flag.Int("access.steps", 12, "changes of who may read what")
	accessSeed  = flag.Uint64("access.seed", 1, "of these changes")
)

// No endpoint ever receives a case that its owner may not read. After each change of rights, its new, replayed and
// polled messages are those that its owner may read then.
func TestNoEndpointReceivesCasesItsOwnerMayNotRead(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, w *world) {
		c := &accessWalk{world: w, r: rand.New(rand.NewPCG(*accessSeed, 0)), reads: map[string][]string{},
			typeOf: map[string]string{}}
		c.setUp()
		w.deliver()
		for range *accessSteps {
			c.change()
			c.check()
		}
		t.Logf("%d changes, %d cases, %d messages received, with the seed %d", *accessSteps, len(c.cases), c.received,
			*accessSeed)
	})
}

// accessWalk is a random sequence of changes. At first, each of its first two people owns an endpoint.
type accessWalk struct {
	world    *world
	r        *rand.Rand
	types    []string            // their keys
	reads    map[string][]string // by type: the roles that may read it; absent: all
	cases    []string            // all of them
	typeOf   map[string]string   // the type of each
	received int

	roles     []string // of the people
	disabled  []bool   // they are disabled
	users     []string // their paths
	paths     []string // of the endpoints
	receivers []*caseReceiver
	owners    []int // of the endpoints; -1: the token of an administrator
}

func (c *accessWalk) setUp() {
	for _, key := range []string{"one", "two", "three"} {
		c.types = append(c.types, key)
		c.world.do("PUT", "/v1/case-types/"+key, strings.Replace(note, `"note"`, `"`+key+`"`, 1)).is(201, "")
	}
	for i, role := range []string{"admin", "manager"} {
		email := role + "@example.org"
		c.users, c.roles, c.disabled = append(c.users, c.world.person(email, role)), append(c.roles, role),
			append(c.disabled, false)
		c.receivers, c.owners = append(c.receivers, c.world.caseReceiver()), append(c.owners, i)
		c.paths = append(c.paths,
			c.world.subscribe(c.receivers[i], "Authorization", "", "Cookie", c.world.signIn(email)))
	}
}

// may reports whether the owner of an endpoint may read a case.
func (c *accessWalk) may(endpoint int, id string) bool {
	roles, narrowed := c.reads[c.typeOf[id]]
	owner := c.owners[endpoint]
	if !narrowed || owner < 0 {
		return true
	}
	return !c.disabled[owner] && (c.roles[owner] == "admin" || slices.Contains(roles, c.roles[owner]))
}

// check changes cases, replays an old entry, and compares the messages.
func (c *accessWalk) check() {
	created := []string{}
	for range 1 + c.r.IntN(3) {
		key := c.types[c.r.IntN(len(c.types))]
		id := c.world.write(key)
		c.typeOf[id], c.cases, created = key, append(c.cases, id), append(created, id)
	}
	again := c.cases[c.r.IntN(len(c.cases))]
	c.world.awaitDelivered(c.paths...)
	for _, path := range c.paths {
		c.world.post(path+"/replays", `{"since": "beginning", "subject": "case/`+again+`"}`).is(201, "")
	}
	c.world.awaitDelivered(c.paths...)
	for i, e := range c.receivers {
		c.compare("received", e.drain(), i, append(slices.Clone(created), again))
		var polled []string
		for next, more := "beginning", true; more; {
			var messages []polledMessage
			messages, next, more = c.world.poll("after=" + next + "&limit=1000&endpoint=" +
				strings.TrimPrefix(c.paths[i], "/v1/endpoints/"))
			for _, m := range messages {
				polled = append(polled, strings.TrimPrefix(m.Subject, "case/"))
			}
		}
		c.compare("polled", polled, i, c.cases)
	}
}

func (c *accessWalk) compare(what string, got []string, endpoint int, all []string) {
	c.world.t.Helper()
	var want []string
	for _, id := range all {
		if c.may(endpoint, id) {
			want = append(want, id)
		}
	}
	slices.Sort(got)
	slices.Sort(want)
	if c.received += len(got); !slices.Equal(got, want) {
		c.world.t.Fatalf("seed %d: endpoint %d was %s of %v, and its owner may read %v", *accessSeed, endpoint,
			what, got, want)
	}
}

// change makes a random change of rights.
func (c *accessWalk) change() {
	person, endpoint, key := c.r.IntN(2), c.r.IntN(2), c.types[c.r.IntN(len(c.types))]
	switch c.r.IntN(6) {
	case 0, 1:
		roles := []string{"manager", "caseworker", "viewer"}[c.r.IntN(3):]
		list, _ := json.Marshal(roles) // texts always encode
		c.reads[key] = roles
		c.world.do("PUT", "/v1/case-types/"+key, narrowed(key, string(list))).is(200, "")
	case 2:
		delete(c.reads, key)
		c.world.do("PUT", "/v1/case-types/"+key, strings.Replace(note, `"note"`, `"`+key+`"`, 1)).is(200, "")
	case 3:
		c.roles[person] = []string{"admin", "manager", "caseworker", "viewer"}[c.r.IntN(4)]
		c.world.do("PATCH", c.users[person], `{"role": "`+c.roles[person]+`"}`).is(200, "")
	case 4:
		c.disabled[person] = !c.disabled[person]
		c.world.do("PATCH", c.users[person], fmt.Sprintf(`{"disabled": %v}`, c.disabled[person])).is(200, "")
	case 5:
		c.owners[endpoint] = -1
		if c.r.IntN(2) == 0 && !c.disabled[person] && slices.Contains([]string{"admin", "manager"}, c.roles[person]) {
			c.owners[endpoint] = person
			c.world.do("PATCH", c.paths[endpoint], `{"take_over": true}`, "Authorization", "", "Cookie",
				c.world.signIn([]string{"admin", "manager"}[person]+"@example.org")).is(200, "")
			return
		}
		c.world.do("PATCH", c.paths[endpoint], `{"take_over": true}`).is(200, "")
	}
}
