package api_test

import (
	"context"
	"crypto/tls"
	"encoding/binary"
	"fmt"
	"io"
	"log"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/casehook/casehook/internal/access"
	"github.com/casehook/casehook/internal/api"
	"github.com/casehook/casehook/internal/oidc"
	"github.com/casehook/casehook/internal/outbound"
	"github.com/casehook/casehook/internal/store/storetest"
)

// inside is the address of the servers of this test, which people use by name. No answer may show it.
const inside = "127.0.0.77"

// names returns a resolver that knows the names of this test, and asks no other.
func names(t *testing.T) *net.Resolver {
	t.Helper()
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	must(t, err)
	done := make(chan struct{})
	go func() { defer close(done); answerNames(conn) }()
	t.Cleanup(func() { conn.Close(); <-done })
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "udp", conn.LocalAddr().String())
	}}
}

// answerNames answers questions of RFC 1035, section 4: inside.example and forbidden.example exist, broken.example
// fails, and other names do not exist.
func answerNames(conn net.PacketConn) {
	const head, refused, failed, missing = 12, 0x8400, 0x8402, 0x8403
	packet := make([]byte, 2048)
	for {
		n, from, err := conn.ReadFrom(packet)
		if err != nil {
			return
		}
		labels, at := []string{}, head
		for ; packet[at] != 0 && at < n; at += 1 + int(packet[at]) {
			labels = append(labels, string(packet[at+1:at+1+int(packet[at])]))
		}
		end, isA := at+5, binary.BigEndian.Uint16(packet[at+1:]) == 1
		answer := slices.Clone(packet[:min(end, n)])
		clear(answer[4:head])
		answer[5] = 1
		address := map[string]string{"inside.example": inside,
			"forbidden.example": "10.1.2.3"}[strings.Join(labels, ".")]
		code := uint16(refused)
		switch {
		case labels[0] == "broken":
			code = failed
		case address == "":
			code = missing
		case isA:
			answer[7] = 1
			answer = append(answer, 0xc0, head, 0, 1, 0, 1, 0, 0, 0, 0, 0, 4)
			answer = append(answer, net.ParseIP(address).To4()...)
		}
		binary.BigEndian.PutUint16(answer[2:], code)
		conn.WriteTo(answer, from)
	}
}

// server serves inside, and returns its port.
func server(t *testing.T, with func(net.Listener) net.Listener, h http.HandlerFunc) (port string) {
	t.Helper()
	l, err := net.Listen("tcp", inside+":0")
	must(t, err)
	_, port, _ = net.SplitHostPort(l.Addr().String())
	if h == nil {
		l.Close() // nothing listens there
		return port
	}
	s := &http.Server{Handler: h, ErrorLog: log.New(io.Discard, "", 0)}
	done := make(chan struct{})
	go func() { defer close(done); s.Serve(with(l)) }()
	t.Cleanup(func() { s.Close(); <-done })
	return port
}

// failures returns URLs by their kind of failure, with the text that the log has of each.
func failures(t *testing.T) map[string]struct{ url, logged string } {
	t.Helper()
	plain := func(l net.Listener) net.Listener { return l }
	silent, stop := context.WithCancel(t.Context())
	t.Cleanup(stop)
	own := httptest.NewUnstartedServer(nil)
	own.StartTLS()
	certificates := own.TLS.Certificates
	own.Close()
	secure := func(l net.Listener) net.Listener { return tls.NewListener(l, &tls.Config{Certificates: certificates}) }
	hanging := server(t, plain, func(http.ResponseWriter, *http.Request) { <-silent.Done() })
	trap := server(t, plain, func(http.ResponseWriter, *http.Request) { t.Error("a redirect was followed") })
	redirecting := server(t, plain, func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "http://inside.example:"+trap+"/metadata", http.StatusFound)
	})
	garbage := server(t, plain, func(w http.ResponseWriter, _ *http.Request) {
		conn, _, err := w.(http.Hijacker).Hijack()
		if err == nil {
			conn.Close()
		}
	})
	at := func(scheme, port string) string { return scheme + "://inside.example:" + port + "/x" }
	return map[string]struct{ url, logged string }{
		"missing":   {"https://missing.example/x", "no such host"},
		"resolver":  {"https://broken.example/x", "lookup broken.example"},
		"forbidden": {"http://forbidden.example/x", "10.1.2.3"},
		"refused":   {at("http", server(t, plain, nil)), inside},
		"untrusted": {at("https", server(t, secure, func(http.ResponseWriter, *http.Request) {})), inside},
		"plaintext": {at("https", hanging), inside},
		"timeout":   {at("http", hanging), "timeout"},
		"redirect":  {at("http", redirecting), ""},
		"closed":    {at("http", garbage), ""},
	}
}

// addresses matches addresses. No answer may show them, except for the client's own.
var addresses = regexp.MustCompile(`\b(?:\d{1,3}\.){3}\d{1,3}(:\d+)?|\[[0-9a-f:]+\]:\d+|::1\b|\blookup \w|read udp|dial tcp`)

// leaks lists the addresses in an answer.
func leaks(body string) (all []string) {
	for _, found := range addresses.FindAllString(body, -1) {
		if found != "127.0.0.1" { // of the client itself
			all = append(all, found)
		}
	}
	return all
}

// Messages to users about failed requests of Casehook's own name no address and no resolver; the operator's log has
// them. The test covers every operation that reads, and fails until a new one is listed.
func TestFailuresNameNoAddressAnywhere(t *testing.T) {
	t.Parallel()
	for name, open := range map[string]func(t *testing.T) (driver, dsn string){
		"sqlite": func(t *testing.T) (string, string) {
			return "sqlite", storetest.SQLite(t, filepath.Join(t.TempDir(), "db"), databaseKey)
		},
		"postgres": func(t *testing.T) (string, string) { return "pgx", storetest.Postgres(t, databaseKey) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			driver, dsn := open(t)
			w := startSending(t, driver, dsn, outbound.Config{AllowPrefixes: loopback, Resolver: names(t)},
				func(c *api.Config) {
					c.OIDC = oidc.New(oidc.Config{Issuer: "http://" + inside + ":1", ClientID: "casehook"})
				})
			f := &failureTest{world: w, kinds: failures(t), endpoints: map[string]string{}}
			f.setUp()
			f.submit()
			f.world.deliver()
			f.test()
			f.await()
			f.look()
			f.logged()
		})
	}
}

type failureTest struct {
	world     *world
	kinds     map[string]struct{ url, logged string }
	endpoints map[string]string // paths, by kind
	path      string            // of a case whose callbacks failed
	job       string            // of a job that asked them
	all       []answer          // the answers that people see
}

func (f *failureTest) shown(g answer) answer {
	f.world.t.Helper()
	f.all = append(f.all, g)
	if found := leaks(string(g.body)); len(found) > 0 {
		f.world.t.Errorf("%s shows %q: %s", g.op, found, g.body)
	}
	return g
}

// setUp makes an endpoint for each kind of failure, one whose token fails for each, and a
// case type that asks callbacks which fail.
func (f *failureTest) setUp() {
	f.world.t.Helper()
	var transitions []string
	for _, kind := range slices.Sorted(maps.Keys(f.kinds)) {
		url := f.kinds[kind].url
		settings := `"triggers": ["case_created", "endpoint.failing"], "policy": {"retries": [], "timeout": "1s", "order": "none"}`
		f.endpoints[kind] = f.world.post("/v1/endpoints", `{"url": "`+url+`", `+settings+`}`).is(201, "").
			header.Get("Location")
		f.endpoints["oauth "+kind] = f.world.post("/v1/endpoints", `{"url": "https://crm.example/", `+settings+`,
			"auth": {"type": "oauth2", "token_url": "`+strings.Replace(url, "http://", "https://", 1)+`",
				"client_id": "x", "client_secret": "sesame-open"}}`).is(201, "").header.Get("Location")
		for policy, prefix := range map[string]string{"fail": "ask_", "ignore": "ignore_"} {
			transitions = append(transitions, fmt.Sprintf(`{"key": %q, "from": ["open"], "to": "open",
				"about_to_submit": {"url": %q, "timeout": "1s", "retries": [], "failure_policy": %q},
				"about_to_start": {"url": %[2]q, "timeout": "1s", "retries": []}}`, prefix+kind, url, policy))
		}
	}
	f.world.do("PUT", "/v1/case-types/note",
		strings.Replace(note, `"transitions": [`, `"transitions": [`+strings.Join(transitions, ",")+",", 1)).is(201, "")
}

// submit asks each callback.
func (f *failureTest) submit() {
	f.world.t.Helper()
	f.path = "/v1/cases/" + f.world.write("note")
	for kind := range f.kinds {
		if g := f.shown(f.world.post(f.path+"/transitions/ask_"+kind, `{}`)); g.status != 502 && g.status != 504 {
			f.world.t.Errorf("%s: %d %s", kind, g.status, g.body)
		}
		f.job = f.world.worked(`{"cases": [` + strip(f.path) + `],
			"action": {"kind": "transition", "transition": "ask_` + kind + `"}}`)
		f.shown(f.world.get(f.job+"/cases?result=failed").is(200, ""))
		f.shown(f.world.post(f.path+"/transitions/ignore_"+kind, `{}`).is(200, ""))
		f.shown(f.world.get("/v1/starts?case=" + strip(f.path) + "&transition=ask_" + kind))
		f.shown(f.world.post("/v1/dry-runs", `{"case": `+strip(f.path)+`, "transition": "ask_`+kind+`"}`).is(200, ""))
		f.shown(f.world.post("/v1/dry-runs",
			`{"case": `+strip(f.path)+`, "transition": "ask_`+kind+`", "callback": "`+f.kinds[kind].url+`"}`).is(200, ""))
	}
	f.shown(f.world.get("/v1/oidc/login", "Authorization", "").is(502, "oidc.unreachable"))
	for range 5 {
		f.world.write("note")
	}
}

// worked starts a job, and returns its path once it is done.
func (w *world) worked(body string, headers ...string) string {
	w.t.Helper()
	path := w.post("/v1/jobs", body, headers...).is(201, "").header.Get("Location")
	ctx, stop := context.WithCancel(w.t.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		w.services.Casework.Jobs.Run(ctx)
	}()
	w.eventually("the job ends", func() bool { return w.get(path, headers...).is(200, "").text("state") != "running" })
	stop()
	<-ended
	return path
}

// test sends a sample to each endpoint.
func (f *failureTest) test() {
	f.world.t.Helper()
	for _, path := range f.endpoints {
		f.shown(f.world.post(path+"/test", `{"trigger": "case_created"}`).is(200, ""))
	}
}

// await waits until every unreachable endpoint is reported as failing.
func (f *failureTest) await() {
	f.world.t.Helper()
	f.world.eventually("all endpoints but one are failing", func() bool {
		failing, _, _ := f.world.poll("after=beginning&limit=1000&triggers=endpoint.failing")
		return len(failing) >= len(f.endpoints)-1 // a redirect is an answer: it shows that the endpoint is there
	})
}

// withoutMessages are operations whose answers have nothing from sent messages.
var withoutMessages = []access.Operation{
	"download-document", "download-proof", "get-claim", "get-contact", "get-contact-history", "get-label",
	"get-replay", "get-user", "list-callback-secrets", "list-shadow-differences", "get-callback-credentials",
	"list-contact-cases", "list-contact-deliveries", "get-session",
	"stream-journal",   // has what poll-journal has
	"start-transition", // failed when it was started
}

// look calls every operation that reads.
func (f *failureTest) look() {
	f.world.t.Helper()
	paths := map[access.Operation][]string{
		"list-cases": {"/v1/cases"}, "count-cases": {"/v1/cases/facets"}, "get-case": {f.path},
		"get-history": {f.path + "/history?limit=200"}, "list-comments": {f.path + "/comments"},
		"list-case-roles": {f.path + "/case-roles"},
		"list-documents":  {f.path + "/documents"}, "list-proofs": {f.path + "/proofs"},
		"list-case-contacts": {f.path + "/contacts"},
		"list-case-types":    {"/v1/case-types"}, "get-case-type": {"/v1/case-types/note"},
		"get-case-type-openapi": {"/v1/case-types/note/openapi"}, "list-labels": {"/v1/labels"},
		"list-contacts":        {"/v1/contacts"},
		"list-case-deliveries": {f.path + "/deliveries"}, "list-endpoints": {"/v1/endpoints?limit=200"},
		"get-targets":   {"/v1/triggers/case_created/targets"},
		"list-triggers": {"/v1/triggers"}, "find-attempts": {"/v1/attempts?limit=200"},
		"poll-journal":   {"/v1/journal?after=beginning&limit=1000"},
		"preview-filter": {"/v1/filter-preview?filter=true&entries=200"}, "list-audit": {"/v1/audit?limit=200"},
		"export-audit": {"/v1/audit/export", "/v1/audit/export?format=jsonl"}, "list-tokens": {"/v1/tokens"},
		"list-users": {"/v1/users"},
		"list-views": {"/v1/views"}, "list-sessions": {"/v1/sessions"}, "list-own-tokens": {"/v1/own-tokens"},
		"list-portal-links": {"/v1/portal-links"}, "list-problems": {"/v1/problems"},
		"get-delivery-metrics": {"/v1/metrics/deliveries"}, "get-backlog": {"/v1/metrics/backlog"},
		"list-colleagues": {"/v1/colleagues"}, "count-attempts": {"/v1/attempts/facets"},
		"list-jobs": {"/v1/jobs"}, "list-presences": {f.path + "/presence"}, "get-job": {f.job},
		"list-job-cases": {f.job + "/cases"},
	}
	for _, path := range f.endpoints {
		for o, suffix := range map[access.Operation]string{
			"get-endpoint": "", "get-endpoint-health": "/health", "list-attempts": "/attempts",
			"list-dead": "/dead", "list-parked": "/parked",
			"list-replays": "/replays", "get-lag": "/lag", "list-endpoint-secrets": "/secrets",
		} {
			paths[o] = append(paths[o], path+suffix)
		}
	}
	for _, item := range f.world.get("/v1/attempts?limit=200").is(200, "").items() {
		paths["get-attempt"] = append(paths["get-attempt"], "/v1/attempts/"+item.(map[string]any)["id"].(string))
	}
	for next := "/v1/questions?limit=200"; next != ""; {
		paths["list-questions"] = append(paths["list-questions"], next)
		page := f.world.get(next).is(200, "")
		for _, item := range page.items() {
			paths["get-question"] = append(paths["get-question"], "/v1/questions/"+item.(map[string]any)["id"].(string))
		}
		cursor, more := page.json()["next"].(string)
		if next = ""; more {
			next = "/v1/questions?limit=200&cursor=" + cursor
		}
	}
	for _, d := range f.world.operations() {
		if o := access.Operation(d.id); d.inTenant() && d.method == "GET" && len(paths[o]) == 0 &&
			!slices.Contains(withoutMessages, o) {
			f.world.t.Errorf("%s is not looked at: say where it may tell of a failure", o)
		}
	}
	for _, asked := range paths {
		for _, path := range asked {
			f.shown(f.world.get(path).is(200, ""))
		}
	}
	var everything strings.Builder
	for _, g := range f.all {
		everything.Write(g.body)
	}
	for _, words := range []string{
		"the name missing.example was not found", "forbidden.example is not at a public address",
		"no connection to inside.example: connection refused",
		"no TLS connection to inside.example: x509: the certificate is not for inside.example",
		"no complete answer within the timeout",
		"no token from inside.example", "302 Found", "endpoint.failing",
	} {
		if !strings.Contains(everything.String(), words) {
			f.world.t.Errorf("no answer shows %q", words)
		}
	}
}

// logged checks the operator's log.
func (f *failureTest) logged() {
	f.world.t.Helper()
	text := f.world.log.String()
	for kind, c := range f.kinds {
		for _, path := range []string{f.endpoints[kind], f.endpoints["oauth "+kind]} {
			if c.logged == "" {
				continue
			}
			shown := slices.ContainsFunc(strings.Split(text, "\n"), func(line string) bool {
				return strings.Contains(line, strip(path)) &&
					(strings.Contains(line, c.logged) || strings.Contains(line, inside))
			})
			if !shown {
				f.world.t.Errorf("the log lacks %q of the endpoint whose failure is %s", c.logged, kind)
			}
		}
	}
	for _, words := range []string{"the OpenID Connect provider can't be used", inside + ":1"} {
		if !strings.Contains(text, words) {
			f.world.t.Errorf("the log lacks %q", words)
		}
	}
	if strings.Contains(text, "sesame-open") {
		f.world.t.Error("the log has a secret")
	}
}
