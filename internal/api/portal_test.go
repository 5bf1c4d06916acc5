package api_test

import (
	"bytes"
	"database/sql"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/casehook/casehook/internal/access"
	"github.com/casehook/casehook/internal/session"
	"github.com/casehook/casehook/internal/wire/wiretest"
)

func (w *world) storyOfPortalLinks(path string) {
	t := w.t
	made := w.post("/v1/portal-links", `{"endpoint": "`+strip(path)+`", "hours": 2}`).is(201, "")
	if !strings.HasPrefix(made.text("url"), "https://cases.example/portal#secret=chp_"+made.text("id")+".") {
		t.Errorf("the URL is %s", made.text("url"))
	}
	made.has(members{"endpoint": strip(path), "metadata": nil, "created_by": "admin"})
	value := w.post("/v1/portal-links", `{"metadata": {"key": "a", "value": "b"}}`).is(201, "")
	all := w.get("/v1/portal-links").is(200, "")
	if len(all.items()) != 2 || bytes.Contains(all.body, []byte("chp_")) {
		t.Errorf("the portal links are %s", all.body)
	}
	hasMembers(t, "the second", all.items()[1].(map[string]any)["metadata"], members{"key": "a", "value": "b"})
	for _, link := range []answer{made, value} {
		w.do("DELETE", link.header.Get("Location"), nil).is(204, "")
	}
	if all := w.get("/v1/portal-links").is(200, "").items(); len(all) != 0 {
		t.Errorf("revoked, the portal links are %v", all)
	}
}

// receiver makes a portal link, opens it, and returns the headers of requests in its session.
func (w *world) receiver(body string, maker ...string) (link answer, header []string) {
	w.t.Helper()
	link = w.post("/v1/portal-links", body, maker...).is(201, "")
	return link, w.opened(link)
}

// opened opens a portal link, and returns the headers of requests in its session.
func (w *world) opened(link answer) []string {
	w.t.Helper()
	_, fragment, _ := strings.Cut(link.text("url"), "#")
	secret, err := url.ParseQuery(fragment)
	must(w.t, err)
	l, err := w.services.People.Portal.Open(w.t.Context(), secret.Get("secret"), "cases.example", "192.0.2.1")
	must(w.t, err)
	answered := httptest.NewRecorder()
	ctx, err := w.sessions.Load(w.t.Context(), httptest.NewRequestWithContext(w.t.Context(), "POST", "/portal", nil))
	must(w.t, err)
	must(w.t, w.sessions.SignIn(ctx, answered,
		session.User{Tenant: l.Tenant, PortalLink: l.ID, Ends: l.ExpiresAt}))
	cookie := answered.Result().Cookies()[0]
	return []string{"Authorization", "", "Cookie", cookie.Name + "=" + cookie.Value}
}

// portalTest is a world with endpoints of two customers, each of which has accepted and refused messages.
type portalTest struct {
	world     *world
	endpoints map[string]string // paths, by name
	attempts  map[string]string // ids of refused ones, by the names of endpoints
	replays   map[string]string // ids, by the names of endpoints
	taken     [2]string         // paths of cases from before and after the endpoints were made
}

func newPortalTest(w *world) *portalTest {
	w.t.Helper()
	s := &portalTest{
		world: w, endpoints: map[string]string{}, attempts: map[string]string{}, replays: map[string]string{},
	}
	refuse := func(rw http.ResponseWriter, _ *http.Request) { rw.WriteHeader(http.StatusTeapot) }
	receiver := httptest.NewServer(wiretest.Handler(w.t, http.HandlerFunc(refuse)))
	w.t.Cleanup(receiver.Close)
	w.putTypes()
	s.taken[0] = w.open(`{"client": "Early"}`)
	for name, customer := range map[string]string{"mine": "acme", "sibling": "acme", "theirs": "other"} {
		s.endpoints[name] = w.post("/v1/endpoints", `{"name": "`+name+`", "url": "`+receiver.URL+`/`+name+`",
			"triggers": ["case_created", "case_changed"], "policy": {"retries": []},
			"metadata": {"customer": "`+customer+`", "tier": "gold"}, "headers": {"X-Key": "sesame"}}`).is(201, "").
			header.Get("Location")
	}
	w.deliver()
	s.taken[1] = w.open(`{"client": "Ann"}`)
	for name, path := range s.endpoints {
		w.awaitDelivered(path)
		s.attempts[name] = w.get(path+"/attempts").is(200, "").items()[0].(map[string]any)["id"].(string)
		s.replays[name] = w.post(path+"/replays", `{"since": "now"}`).is(201, "").text("id")
	}
	return s
}

// names returns the names of the endpoints that a list of endpoints has.
func (s *portalTest) names(g answer) (names []string) {
	s.world.t.Helper()
	for _, item := range g.is(200, "").items() {
		names = append(names, item.(map[string]any)["name"].(string))
	}
	slices.Sort(names)
	return names
}

// TestAReceiverReachesTheirOperationsAlone calls every operation of the OpenAPI document in a receiver's session. The
// golden file lists those that are not refused.
func TestAReceiverReachesTheirOperationsAlone(t *testing.T) {
	t.Parallel()
	w := start(t)
	endpoint := w.post("/v1/endpoints", `{"url": "https://x.example", "triggers": ["case_created"]}`).is(201, "")
	_, header := w.receiver(`{"endpoint": "` + endpoint.text("id") + `"}`)
	var reached bytes.Buffer
	for _, d := range w.operations() {
		if !d.inTenant() || d.id == "delete-session" { // which ends the session
			continue
		}
		g := w.do(d.method, d.concrete(), nil, header...)
		denied := g.status == 403 && g.text("code") == "access.denied"
		if denied == access.Receiver.Permits(access.Operation(d.id)) || g.status == 401 {
			t.Errorf("%s: %d %s", d.id, g.status, g.body)
		}
		if !denied {
			fmt.Fprintln(&reached, d.id)
		}
	}
	golden(t, "receiver.txt", reached.Bytes())
	w.get("/v1/tenants", header...).is(403, "tenant.operator_required")
	me := w.get("/v1/session", header...).is(200, "")
	me.has(members{
		"source": "ui", "role": "receiver", "name": "Receiver of x.example", "user_id": nil, "token_id": nil,
	})
	w.do("DELETE", "/v1/session", nil, header...).is(204, "")
	w.get("/v1/session", header...).is(401, "")
	audit := string(w.get("/v1/audit?limit=3").is(200, "").body)
	of := `"portal_link/` + me.text("portal_link") + `"`
	if !strings.Contains(audit, `"session.ended"`) || !strings.Contains(audit, of) {
		t.Errorf("the audit tells of the sign-out: %s", audit)
	}
}

// TestAReceiverSeesTheEndpointsInScopeAlone calls every operation that a receiver may carry out about an endpoint of
// another customer: it is answered as about one that does not exist, and lists have nothing of it.
func TestAReceiverSeesTheEndpointsInScopeAlone(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, w *world) {
		s := newPortalTest(w)
		_, one := w.receiver(`{"endpoint": "` + strip(s.endpoints["mine"]) + `"}`)
		_, some := w.receiver(`{"metadata": {"key": "customer", "value": "acme"}}`)
		for _, c := range []struct {
			header []string
			sees   []string
		}{{one, []string{"mine"}}, {some, []string{"mine", "sibling"}}} {
			s.seesOnly(c.header, c.sees)
			s.refusesOthers(c.header, c.sees)
		}
		// A change of the metadata counts at once.
		w.do("PATCH", s.endpoints["sibling"], `{"metadata": {"customer": "other"}}`).is(200, "")
		s.seesOnly(some, []string{"mine"})
		s.refusesOthers(some, []string{"mine"})
	})
}

// seesOnly checks what the lists have.
func (s *portalTest) seesOnly(header, sees []string) {
	s.world.t.Helper()
	if names := s.names(s.world.get("/v1/endpoints", header...)); !slices.Equal(names, sees) {
		s.world.t.Errorf("the receiver sees the endpoints %v", names)
	}
	if names := s.names(s.world.get("/v1/endpoints?limit=1", header...)); len(names) != 1 {
		s.world.t.Errorf("a page has the endpoints %v", names)
	}
	for _, path := range []string{"/v1/attempts?limit=200", "/v1/problems"} {
		found := map[string]bool{}
		for _, item := range s.world.get(path, header...).is(200, "").items() {
			found[item.(map[string]any)["endpoint_id"].(string)] = true
		}
		for name, endpoint := range s.endpoints {
			if found[strip(endpoint)] != slices.Contains(sees, name) {
				s.world.t.Errorf("%s has %s: %v", path, name, found[strip(endpoint)])
			}
		}
	}
	counted := 0
	for _, one := range s.world.get("/v1/attempts/facets", header...).is(200, "").json()["failures"].([]any) {
		n, err := one.(map[string]any)["count"].(json.Number).Int64()
		must(s.world.t, err)
		counted += int(n)
	}
	failed := len(s.world.get("/v1/attempts?outcome=failed&limit=200", header...).is(200, "").items())
	if counted != failed {
		s.world.t.Errorf("%d failures are counted, and %d are listed", counted, failed)
	}
	for name := range s.endpoints {
		if all := s.world.get("/v1/attempts?endpoint="+strip(s.endpoints[name]), header...).is(200, "").
			items(); (len(all) > 0) != slices.Contains(sees, name) {
			s.world.t.Errorf("of %s the receiver finds %v", name, all)
		}
	}
}

// bodiesOfReceivers has valid bodies for the operations of receivers.
var bodiesOfReceivers = map[access.Operation]string{
	"resend-message": `{"message": "msg_1"}`, "retry-dead": `{"all": true}`, "retry-parked": `{"all": true}`,
	"create-replay": `{"since": "beginning"}`, "test-endpoint": `{"trigger": "case_created"}`,
}

// refusesOthers calls each operation on an endpoint, for each that the receiver does not see.
func (s *portalTest) refusesOthers(header, sees []string) {
	s.world.t.Helper()
	for _, d := range s.world.operations() {
		if !access.Receiver.Permits(access.Operation(d.id)) || !strings.Contains(d.path, "{id}") {
			continue
		}
		for name := range s.endpoints {
			if slices.Contains(sees, name) {
				continue
			}
			about := func(endpoint, attempt, replay string) answer {
				path := strings.ReplaceAll(d.path, "{replay_id}", replay)
				if d.id == "get-attempt" {
					endpoint = attempt
				}
				var body any
				if text, has := bodiesOfReceivers[access.Operation(d.id)]; has {
					body = text
				}
				return s.world.do(d.method, strings.ReplaceAll(path, "{id}", endpoint), body, header...)
			}
			got := about(strip(s.endpoints[name]), s.attempts[name], s.replays[name])
			const none = "00000000000000000000000000000000"
			want := about("ep_"+none, "att_"+none, "rpl_"+none)
			if a, b := masked(got, s.endpoints[name]), masked(want, "ep_"+none); got.status != 404 || a != b {
				s.world.t.Errorf("%s of %s: %d %s; of what does not exist: %d %s",
					d.id, name, got.status, a, want.status, b)
			}
		}
	}
}

// A receiver sees what their endpoint was sent, and nothing that its sender has noted.
func TestAReceiverSeesWhatTheEndpointWasSent(t *testing.T) {
	t.Parallel()
	w := start(t)
	s := newPortalTest(w)
	path := s.endpoints["mine"]
	_, header := w.receiver(`{"endpoint": "` + strip(path) + `"}`)
	shown := w.get(path, header...).is(200, "")
	shown.has(members{"owner": nil, "token": nil, "name": "mine"})
	for _, hidden := range []string{"gold", "sesame", "tok_"} {
		for _, path := range []string{path, "/v1/endpoints", path + "/health", path + "/replays"} {
			if g := w.get(path, header...).is(200, ""); bytes.Contains(g.body, []byte(hidden)) {
				t.Errorf("%s shows %s: %s", path, hidden, g.body)
			}
		}
	}
	attempt := w.get("/v1/attempts/"+s.attempts["mine"], header...).is(200, "")
	attempt.has(members{"body_state": "same"})
	if body, _ := json.Marshal(attempt.json()["body"]); !strings.Contains(string(body), "Ann") {
		t.Errorf("the body is %s", body)
	}
	for _, item := range w.get(path+"/replays", header...).is(200, "").items() {
		hasMembers(t, "the administrator's replay", item, members{"asked_by": "", "left": nil})
	}
	db, err := sql.Open(w.driver, w.dsn)
	must(t, err)
	defer db.Close()
	found := func() int { return len(w.get("/v1/attempts?contains=ann", header...).is(200, "").items()) }
	if found() == 0 {
		t.Error("the receiver does not find what was sent")
	}
	_, err = db.ExecContext(t.Context(), "update attempts set body_sha256 = 'another'")
	must(t, err)
	if n := found(); n != 0 {
		t.Errorf("the receiver finds %d attempts by what they are not shown", n)
	}
	w.get("/v1/attempts/"+s.attempts["mine"], header...).is(200, "").
		has(members{"body_state": "differs", "body": nil})
	if all := w.get("/v1/attempts/"+s.attempts["mine"]).is(200, ""); all.json()["body"] == nil {
		t.Error("an administrator does not see a body that differs")
	}
}

// A receiver sends messages of their endpoint again: those of its time, as the sender would.
func TestAReceiverRepairsTheirMessages(t *testing.T) {
	t.Parallel()
	w := start(t)
	s := newPortalTest(w)
	path := s.endpoints["mine"]
	_, header := w.receiver(`{"endpoint": "` + strip(path) + `"}`)
	attempts := func() []any { return w.get(path+"/attempts?limit=200", header...).is(200, "").items() }
	before := len(attempts())
	message := attempts()[0].(map[string]any)["message"].(string)
	resent := w.post(path+"/resend", `{"message": "`+message+`"}`, header...).is(201, "")
	resent.has(members{"asked_by": "Receiver of mine", "left": nil})
	w.awaitDelivered(path)
	if n := len(attempts()); n != before+1 {
		t.Errorf("resent, there are %d attempts instead of %d", n, before)
	}
	w.post(path+"/dead/retry", `{"all": true}`, header...).is(201, "")
	w.awaitDelivered(path)
	w.post(path+"/replays", `{"since": "beginning"}`, header...).is(201, "")
	w.awaitDelivered(path)
	for _, a := range attempts() {
		if subject := a.(map[string]any)["subject"]; subject != "case/"+strip(s.taken[1]) {
			t.Errorf("it was sent a message about %v, from before its time", subject)
		}
	}
	running := w.post(path+"/replays", `{"since": "now"}`, header...).is(201, "")
	w.do("DELETE", running.header.Get("Location"), nil, header...)
	w.post(path+"/test", `{"trigger": "case_created"}`, header...).is(200, "").has(members{"status": "418"})
	forged := `{"trigger": "case_created", "body": {"forged": true}}`
	w.post(path+"/test", forged, header...).is(422, "request.body_invalid")
	secret := w.get(path+"/secrets").is(200, "").items()[0].(map[string]any)["id"].(string)
	w.post(path+"/test", `{"trigger": "case_created", "secret_id": "`+secret+`"}`, header...).
		is(404, "endpoint.secret_not_found")
	w.do("PATCH", path, `{"status": "paused"}`, header...).is(403, "access.denied")
	audit := w.get("/v1/audit?limit=200").is(200, "")
	for _, want := range []string{
		`"endpoint.tested"`, `"replay.started"`, `"name":"Receiver of mine"`, `"portal_link.created"`,
	} {
		if !bytes.Contains(audit.body, []byte(want)) {
			t.Errorf("the audit lacks %s", want)
		}
	}
	if bytes.Contains(audit.body, []byte("chp_")) || strings.Contains(w.log.String(), "chp_") {
		t.Error("the audit or the log has the secret of a link")
	}
}

// The holder of a link sees no more than its maker saw.
func TestAReceiverSeesNoMoreThanTheMakerOfTheLink(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, w *world) {
		s := newPortalTest(w)
		w.do("PUT", "/v1/case-types/walled", narrowed("walled", `["admin"]`)).is(201, "")
		walled := w.write("walled")
		for _, path := range s.endpoints {
			w.awaitDelivered(path)
		}
		manager := w.token(`{"name": "m", "role": "manager"}`)
		low := w.token(`{"name": "low", "role": "admin", "clearance": "PUBLIC"}`)
		scope := `{"metadata": {"key": "customer", "value": "acme"}}`
		w.post("/v1/portal-links", scope, "Authorization", low).is(422, "portal_link.invalid") // they see none
		w.do("PATCH", s.endpoints["sibling"], `{"clearance": "PUBLIC"}`).is(200, "")
		for name, c := range map[string]struct {
			maker []string
			sees  []string // endpoints
			about int      // attempts about the walled case
		}{
			"an administrator": {nil, []string{"mine", "sibling"}, 2},
			"a manager":        {[]string{"Authorization", manager}, []string{"mine", "sibling"}, 0},
			"a low one":        {[]string{"Authorization", low}, []string{"sibling"}, 0},
		} {
			_, header := w.receiver(scope, c.maker...)
			if names := s.names(w.get("/v1/endpoints", header...)); !slices.Equal(names, c.sees) {
				t.Errorf("by a link of %s they see %v", name, names)
			}
			about := w.get("/v1/attempts?subject=case/"+walled, header...).is(200, "").items()
			if len(about) != c.about {
				t.Errorf("by a link of %s they see %d attempts about a walled case", name, len(about))
			}
		}
	})
}

func TestARevokedPortalLinkEndsItsSessions(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, w *world) {
		endpoint := w.post("/v1/endpoints", `{"url": "https://x.example", "triggers": ["case_created"]}`).is(201, "")
		link, first := w.receiver(`{"endpoint": "` + endpoint.text("id") + `"}`)
		second := w.opened(link)
		other, kept := w.receiver(`{"endpoint": "` + endpoint.text("id") + `"}`)
		for _, header := range [][]string{first, second, kept} {
			w.get("/v1/endpoints", header...).is(200, "")
		}
		w.do("DELETE", link.header.Get("Location"), nil).is(204, "")
		for _, header := range [][]string{first, second} {
			w.get("/v1/endpoints", header...).is(401, "")
		}
		w.get("/v1/endpoints", kept...).is(200, "")
		db, err := sql.Open(w.driver, w.dsn)
		must(t, err)
		defer db.Close()
		var sessions int
		count := "select count(*) from sessions where portal_link <> ''"
		must(t, db.QueryRowContext(t.Context(), count).Scan(&sessions))
		if sessions != 1 {
			t.Errorf("%d sessions are left", sessions)
		}
		w.do("DELETE", link.header.Get("Location"), nil).is(404, "portal_link.not_found")
		w.do("DELETE", other.header.Get("Location"), nil).is(204, "")
	})
}

func TestPortalLinksAreBounded(t *testing.T) {
	t.Parallel()
	w := start(t)
	endpoint := w.post("/v1/endpoints", `{"url": "https://x.example", "triggers": ["case_created"]}`).is(201, "")
	body := `{"endpoint": "` + endpoint.text("id") + `"}`
	made := w.post("/v1/portal-links", body).is(201, "")
	db, err := sql.Open(w.driver, w.dsn)
	must(t, err)
	defer db.Close()
	_, err = db.ExecContext(t.Context(), `
		insert into portal_links (id, tenant, name, endpoint, metadata_key, metadata_value, role, clearance, hash,
			created_by, created_at, expires_at)
		with recursive n(n) as (select 1 union all select n + 1 from n where n < 9999)
		select id || n, tenant, name, endpoint, metadata_key, metadata_value, role, clearance, hash,
			created_by, created_at, expires_at
		from portal_links, n`)
	must(t, err)
	w.post("/v1/portal-links", body).is(409, "portal_link.too_many")
	w.do("DELETE", made.header.Get("Location"), nil).is(204, "")
	w.post("/v1/portal-links", body).is(201, "")
}
