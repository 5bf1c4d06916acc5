package api_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/casehook/casehook/internal/casetype"
	"github.com/casehook/casehook/internal/delivery"
	"github.com/casehook/casehook/internal/outbound"
	"github.com/casehook/casehook/internal/store/storetest"
	"github.com/casehook/casehook/internal/wire/wiretest"
)

// canary returns a word that only data of a classification contains.
func canary(class casetype.Classification) string { return strings.ToLower(string(class)) + "canary" }

// above lists the canaries that a clearance may not see.
func above(clearance casetype.Classification) (words []string) {
	for _, class := range casetype.Classifications() {
		if !clearance.Sees(class) {
			words = append(words, canary(class))
		}
	}
	return words
}

// secrets is a case type with a field of each classification. A transition asks a
// callback of each clearance, one that answers with warnings and one with errors.
func secrets(key string, class casetype.Classification, callbacks string) string {
	var asks []string
	for _, c := range casetype.Classifications() {
		for _, how := range []string{"warn", "refuse", "data", "fill"} {
			asks = append(asks, fmt.Sprintf(`{"key": "%s_%s", "from": ["open"], "to": "open",
				"about_to_submit": {"url": "%s/%[2]s/%[1]s", "clearance": %[4]q, "messages": "cleared", "retries": []}}`, how, strings.ToLower(string(c)), callbacks, c))
		}
	}
	return fmt.Sprintf(`{"key": %q, "name": %q, "kind": "claim", "security_classification": %q, "edit": "edit",
		"name_template": "{topic} {privatecanary_note} {restrictedcanary_note}",
		"fields": {"type": "object", "required": ["topic"], "properties": {
			"topic": {"type": "string"},
			"privatecanary_note": {"type": "string", "maxLength": 60, "title": "privatecanary title", "x-classification": "PRIVATE"},
			"restrictedcanary_note": {"type": "string", "maxLength": 60, "x-classification": "RESTRICTED"}},
			"dependentRequired": {"topic": ["restrictedcanary_note"]}},
		"states": [{"key": "open"}, {"key": "done", "final": true}],
		"transitions": [{"key": "create", "to": "open"}, {"key": "edit", "from": ["open"]},
			{"key": "close", "from": ["open"], "to": "done", "fields": ["topic", "privatecanary_note"], "precondition": "data.restrictedcanary_note == 'never'"},
			%s],
		"documents": [{"key": "letter_public", "template": "{topic}"}, {"key": "letter_private", "template": "{privatecanary_note}"},
			{"key": "letter_restricted", "template": "{case.name}"}],
		"proofs": [{"key": "paper"}]}`, key, strings.ToLower(string(class))+"canary of a type", class, strings.Join(asks, ","))
}

// clearanceTest is a world with a reader, a receiver and callbacks of each clearance.
type clearanceTest struct {
	jobs      []string // paths, of each clearance
	world     *world
	bearer    map[casetype.Classification]string
	endpoint  map[casetype.Classification]string // its path
	documents []string
	proofs    []string
	cases     map[casetype.Classification]string // their paths, by their own classification
	gone      string
	replays   []string
	contact   string // its path; in each case it has a role that is named by the case's classification

	mu        sync.Mutex
	delivered map[string][]string // by "/PRIVATE" for receivers, "/private/warn" for callbacks: requests, headers first
	arrived   chan string         // bodies at the receivers
	callbacks string              // the URL of all callbacks
}

// ServeHTTP serves all receivers and callbacks. They repeat the body that they got.
func (s *clearanceTest) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	s.mu.Lock()
	s.delivered[r.URL.Path] = append(s.delivered[r.URL.Path], fmt.Sprint(r.Header)+string(body))
	s.mu.Unlock()
	switch how := r.URL.Path[strings.LastIndexByte(r.URL.Path, '/')+1:]; how {
	case "warn":
		json.NewEncoder(w).Encode(map[string]any{"warnings": []string{"I was told " + string(body)}})
	case "refuse":
		json.NewEncoder(w).
			Encode(map[string]any{"errors": []string{"I was told " + string(body)}, "warnings": []string{string(body)}})
	case "fill": // whatever it may see
		var asked struct {
			Now struct {
				Data map[string]any `json:"case_data"`
			} `json:"case_details"`
		}
		must(s.world.t, json.Unmarshal(body, &asked))
		for name, value := range asked.Now.Data {
			asked.Now.Data[name] = fmt.Sprint(value, "!")
		}
		json.NewEncoder(w).Encode(map[string]any{"data": asked.Now.Data})
	case "data":
		fmt.Fprint(w, `{"data": {"topic": "told", "restrictedcanary_note": 7, "privatecanary_note": 7}}`)
	default:
		wiretest.Check(s.world.t, r.Header, body)
		w.Write(body)
		s.arrived <- r.URL.Path + string(body)
	}
}

// TestNobodyReadsWhatIsAboveThem plants canaries, reads everything as each clearance, and looks for
// them. A new operation that reads belongs in reads.
func TestNobodyReadsWhatIsAboveThem(t *testing.T) {
	t.Parallel()
	for name, dsn := range map[string]func() (driver, dsn string){
		"sqlite": func() (string, string) {
			return "sqlite", storetest.SQLite(t, filepath.Join(t.TempDir(), "db"), databaseKey)
		},
		"postgres": func() (string, string) { return "pgx", storetest.Postgres(t, databaseKey) },
	} {
		t.Run(name, func(t *testing.T) {
			driver, dsn := dsn()
			s := newClearanceTest(startOn(t, driver, dsn))
			s.plant()
			s.probe()
			s.finish()
			s.readAll()
			s.checkDelivered()
			for _, class := range casetype.Classifications()[1:] {
				if strings.Contains(s.world.log.String(), canary(class)) {
					t.Errorf("the log has a %s", canary(class))
				}
			}
		})
	}
}

func newClearanceTest(w *world) *clearanceTest {
	w.t.Helper()
	s := &clearanceTest{world: w, bearer: map[casetype.Classification]string{},
		endpoint: map[casetype.Classification]string{},
		cases:    map[casetype.Classification]string{}, delivered: map[string][]string{},
		arrived: make(chan string, 10_000)}
	server := httptest.NewServer(s)
	w.t.Cleanup(server.Close)
	s.callbacks = server.URL
	out := outbound.New(outbound.Config{AllowPrefixes: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}})
	w.t.Cleanup(out.Close)
	engine := delivery.New(w.store, out, delivery.Config{Node: "one", Version: "1.2.3", Poll: 20 * time.Millisecond,
		Jitter: func() float64 { return 0.5 }, Log: w.logger(), Progress: w.progress.Made})
	ctx, stop := context.WithCancel(w.t.Context())
	stopped := make(chan error, 1)
	go func() { stopped <- engine.Run(ctx) }()
	w.t.Cleanup(func() { stop(); <-stopped })
	for _, class := range casetype.Classifications() {
		w.do("PUT", "/v1/case-types/"+strings.ToLower(string(class)),
			secrets(strings.ToLower(string(class)), class, server.URL)).is(201, "")
		made := w.post("/v1/tokens", fmt.Sprintf(`{"name": "of %s", "role": "admin", "clearance": %q}`, class, class)).
			is(201, "")
		s.bearer[class] = made.text("token")
		s.endpoint[class] = w.post("/v1/endpoints",
			fmt.Sprintf(`{"url": "%s/%s", "triggers": %s, "policy": {"order": "strict"}}`, server.URL, class,
				s.triggers()),
			s.as(class)...).is(201, "").header.Get("Location")
	}
	return s
}

func (s *clearanceTest) as(class casetype.Classification) []string {
	return []string{"Authorization", "Bearer " + s.bearer[class]}
}

func (s *clearanceTest) triggers() string {
	var names []string
	for _, item := range s.world.get("/v1/triggers").is(200, "").items() {
		names = append(names, item.(map[string]any)["name"].(string))
	}
	raw, _ := json.Marshal(names)
	return string(raw)
}

const planted = `{"topic": %q, "privatecanary_note": "privatecanary %[1]s", "restrictedcanary_note": "restrictedcanary %[1]s"}`

// plant creates, as a user who sees everything, a case of each type with comments, files and the rest.
func (s *clearanceTest) plant() {
	s.world.post("/v1/labels", `{"slug": "urgent"}`).is(201, "")
	s.contact = s.world.ada()
	for _, class := range casetype.Classifications() {
		word := "open"
		if class != casetype.Public {
			word = canary(class)
		}
		create := fmt.Sprintf(`{"data": `+planted+`}`, word)
		made := s.world.post("/v1/case-types/"+strings.ToLower(string(class))+"/cases", create).is(201, "")
		path := made.header.Get("Location")
		s.cases[class] = path
		s.world.do("PATCH", path,
			`{"data": {"privatecanary_note": "privatecanary 2", "restrictedcanary_note": "restrictedcanary 2"}}`).
			is(200, "")
		s.world.do("PATCH", path, fmt.Sprintf(`{"data": {"topic": "%s 2"}}`, word)).is(200, "")
		s.world.post(path+"/comments", fmt.Sprintf(`{"text": "%s said"}`, word)).is(201, "")
		s.world.do("PUT", path+"/labels/urgent", nil).is(200, "")
		s.world.do("PUT", path+strings.TrimPrefix(s.contact, "/v1")+"/"+word, nil).is(200, "")
		for _, key := range []string{"letter_public", "letter_private", "letter_restricted"} {
			s.documents = append(s.documents,
				s.world.post(path+"/documents", `{"key": "`+key+`"}`).is(201, "").header.Get("Location"))
		}
		s.proofs = append(s.proofs, s.world.do("POST", path+"/proofs?key=paper&filename="+word+".txt",
			word, "Content-Type", "text/plain").is(201, "").header.Get("Location"))
		for _, clearance := range casetype.Classifications() {
			status := 200
			if !clearance.Sees(class) {
				status = 502
			}
			s.world.post(path+"/transitions/warn_"+strings.ToLower(string(clearance)),
				`{"ignore_warning": true}`).is(status, "")
			s.world.post(path+"/transitions/fill_"+strings.ToLower(string(clearance)), `{}`).is(status, "")
		}
		if class == casetype.Restricted {
			s.gone = s.world.post("/v1/case-types/restricted/cases", create).is(201, "").header.Get("Location")
			s.world.do("DELETE", s.gone, nil).is(204, "")
		}
	}
}

// probe provokes problems as each clearance, and checks their texts.
func (s *clearanceTest) probe() {
	for _, clearance := range casetype.Classifications() {
		for _, transition := range []string{"refuse_restricted", "warn_restricted", "data_restricted"} {
			s.jobs = append(s.jobs, s.world.worked(
				`{"select": {}, "action": {"kind": "transition", "transition": "`+transition+`"}}`, s.as(clearance)...))
		}
		for class, path := range s.cases {
			for _, r := range []struct{ method, path, body string }{
				{"PATCH", path, `{"data": {"topic": 7}}`},
				{"PATCH", path, `{"data": {"topic": null}}`},
				{"PATCH", path, `{"data": {"topci": "x", "note": "x", "privatecanry": "x"}}`},
				{"POST", path + "/transitions/close", `{}`},
				{"POST", path + "/transitions/close", `{"data": {"topic": "x"}}`},
				{"POST", path + "/transitions/refuse_public", `{}`},
				{"POST", path + "/transitions/refuse_private", `{}`},
				{"POST", path + "/transitions/refuse_restricted", `{}`},
				{"POST", path + "/transitions/warn_restricted", `{}`},
				{"POST", path + "/transitions/data_public", `{}`},
				{"POST", path + "/transitions/data_private", `{}`},
				{"POST", path + "/transitions/data_restricted", `{}`},
				{"GET", "/v1/starts?case=" + strip(path) + "&transition=close", ""},
				{"POST", "/v1/page-checks", `{"case": ` + strip(path) + `, "transition": "close", "data": {"topic": 7, "privatecanry": "x"}}`},
				{"POST", "/v1/page-checks", `{"case": ` + strip(path) + `, "transition": "close"}`},
				{"POST", "/v1/dry-runs", `{"case": ` + strip(path) + `, "transition": "refuse_public"}`},
				{"POST", "/v1/dry-runs", `{"case": ` + strip(path) + `, "transition": "warn_restricted", "ignore_warning": true}`},
				{"POST", "/v1/dry-runs", `{"case": ` + strip(path) + `, "transition": "fill_restricted"}`},
				{"POST", "/v1/dry-runs", `{"case": ` + strip(path) + `, "transition": "data_private"}`},
				{"POST", "/v1/dry-runs", `{"case": ` + strip(path) + `, "data": {"topic": 7}}`},
				{"POST", "/v1/dry-runs", `{"case": ` + strip(path) + `, "callback": "` + s.callbacks + "/" + strings.ToLower(string(clearance)) + `/warn"}`},
				{"POST", path + "/type", `{"type": "restricted"}`},
				{"DELETE", path + strings.TrimPrefix(s.contact, "/v1") + "/nothing", ""},
				{"POST", "/v1/case-types/public/cases", `{"data": {"topic": "x"}}`},
				{"POST", "/v1/case-types/" + strings.ToLower(string(class)) + "/cases", `{"data": {}}`},
			} {
				g := s.world.do(r.method, r.path, r.body, s.as(clearance)...)
				s.showsNothingAbove(clearance, g)
				if !clearance.Sees(class) && strings.HasPrefix(r.path, path) {
					g.is(404, "")
				}
			}
		}
		for _, word := range above(clearance) { // a requested thing is unknown, whether it exists or not
			for _, name := range []string{word + "_note", word + "_nothing"} {
				g := s.world.do("PATCH", s.cases[casetype.Public], `{"data": {"`+name+`": "x"}}`,
					s.as(clearance)...).is(422, "case.data_invalid")
				if message := fmt.Sprint(g.json()["fields"]); !strings.Contains(message,
					"message:is not a field of public path:") {
					s.world.t.Errorf("%s writes %s: %s", clearance, name, message)
				}
			}
		}
	}
	s.world.do("PATCH", s.cases[casetype.Public], `{"data": {"topic": "changed from below"}}`,
		s.as(casetype.Public)...).is(200, "")
	if g := s.world.get(s.cases[casetype.Public]).is(200, ""); !bytes.Contains(g.body, []byte("restrictedcanary 2")) ||
		!bytes.Contains(g.body, []byte("privatecanary 2")) {
		s.world.t.Errorf("a change by a lower clearance touched hidden data: %s", g.body)
	}
}

// showsNothingAbove looks for what a clearance may not see in an answer.
func (s *clearanceTest) showsNothingAbove(clearance casetype.Classification, g answer) {
	s.world.t.Helper()
	for _, word := range above(clearance) {
		if answer := fmt.Sprint(g.header) + string(g.body); strings.Contains(strings.ToLower(answer), word) {
			s.world.t.Errorf("%s reads a %s in the answer %d to %s: %s", clearance, word, g.status, g.op, answer)
		}
	}
}

// finish creates a last case, which all receivers get.
func (s *clearanceTest) finish() {
	s.world.post("/v1/case-types/public/cases", `{"data": {"topic": "theend", "restrictedcanary_note": ""}}`).
		is(201, "")
	for waiting := len(casetype.Classifications()); waiting > 0; {
		if body := <-s.arrived; strings.Contains(body, "theend") && strings.Contains(body, "claim.created") {
			waiting--
		}
	}
	s.replay()
	// Its earlier attempts keep their bodies.
	s.world.do("PATCH", s.endpoint[casetype.Restricted], `{"clearance": "PUBLIC"}`).is(200, "")
}

// replay replays the journal to all endpoints.
func (s *clearanceTest) replay() {
	for _, class := range casetype.Classifications() {
		s.replays = append(s.replays, s.world.post(s.endpoint[class]+"/replays", `{"since": "beginning"}`,
			s.as(class)...).is(201, "").header.Get("Location"))
	}
	for _, replay := range s.replays {
		s.world.eventually("the replay ends", func() bool {
			g := s.world.get(replay).is(200, "")
			return g.text("state") == "done" && g.text("delivered") != "0"
		})
	}
}

// reads returns the paths of every operation that reads, for one who knows all ids.
func (s *clearanceTest) reads() map[string][]string {
	var inCases []string
	for _, path := range s.cases {
		inCases = append(inCases, path)
	}
	inCases = append(inCases, s.gone)
	each := func(from []string, suffix string) (paths []string) {
		for _, path := range from {
			paths = append(paths, path+suffix)
		}
		return paths
	}
	var endpoints []string
	for _, path := range s.endpoint {
		endpoints = append(endpoints, path)
	}
	polled, streamed := []string{"/v1/journal?after=beginning&limit=1000"}, []string{"/v1/stream?after=beginning"}
	for _, path := range endpoints {
		id := strings.TrimPrefix(path, "/v1/endpoints/")
		polled, streamed = append(polled, polled[0]+"&endpoint="+id), append(streamed, streamed[0]+"&endpoint="+id)
	}
	found := []string{"/v1/attempts?limit=200", "/v1/attempts?outcome=delivered&trigger=case_created"}
	for _, path := range inCases {
		found = append(found, "/v1/attempts?case="+strings.TrimPrefix(path, "/v1/cases/"))
	}
	asked := []string{"/v1/questions?limit=200", "/v1/questions?verdict=errors&type=public", "/v1/questions?type=restricted"}
	for _, path := range inCases {
		asked = append(asked, "/v1/questions?case="+strings.TrimPrefix(path, "/v1/cases/"))
	}
	var filtered []string
	for _, path := range endpoints {
		filtered = append(filtered,
			"/v1/filter-preview?filter=true&entries=200&endpoint="+strings.TrimPrefix(path, "/v1/endpoints/"))
	}
	types := []string{"/v1/case-types/public", "/v1/case-types/private", "/v1/case-types/restricted"}
	return map[string][]string{
		"health":    {"/healthz"},
		"ready":     {"/readyz"},
		"get-case":  each(inCases, ""),
		"get-claim": each(claimsOf(inCases), ""),
		"list-cases": {"/v1/cases", "/v1/cases?limit=1", "/v1/cases?type=restricted", "/v1/cases?q=privatecanary",
			"/v1/cases?q=restrictedcanary", "/v1/cases?label=urgent"},
		"count-cases":              {"/v1/cases/facets", "/v1/cases/facets?type=restricted", "/v1/cases/facets?q=privatecanary"},
		"get-history":              append(each(inCases, "/history"), each(inCases, "/history?limit=1")...),
		"list-comments":            each(inCases, "/comments"),
		"list-case-roles":          each(inCases, "/case-roles"),
		"list-documents":           each(inCases, "/documents"),
		"download-document":        s.documents,
		"list-proofs":              each(inCases, "/proofs"),
		"download-proof":           s.proofs,
		"get-case-type":            append(each(types, ""), each(types, "?version=1")...),
		"get-case-type-openapi":    append(each(types, "/openapi"), each(types, "/openapi?version=1")...),
		"list-case-types":          {"/v1/case-types"},
		"list-endpoints":           {"/v1/endpoints", "/v1/endpoints?limit=1"},
		"get-endpoint":             endpoints,
		"list-endpoint-secrets":    each(endpoints, "/secrets"),
		"list-callback-secrets":    each(types, "/callbacks/warn_private/secrets"),
		"list-shadow-differences":  each(types, "/callbacks/warn_private/shadow"),
		"get-callback-credentials": each(types, "/callbacks/warn_private/credentials"),
		"list-attempts":            each(endpoints, "/attempts?limit=100"),
		"get-lag":                  each(endpoints, "/lag"),
		"get-endpoint-health":      each(endpoints, "/health"),
		"list-triggers":            {"/v1/triggers"},
		"get-targets":              {"/v1/triggers/case_created/targets"},
		"list-tokens":              {"/v1/tokens"},
		"list-audit":               {"/v1/audit"},
		"export-audit":             {"/v1/audit/export", "/v1/audit/export?format=jsonl"},
		"list-labels":              {"/v1/labels"},
		"list-views":               {"/v1/views"},
		"list-sessions":            {"/v1/sessions"},
		"list-own-tokens":          {"/v1/own-tokens"},
		"list-portal-links":        {"/v1/portal-links"},
		"list-jobs":                {"/v1/jobs"},
		"list-presences":           each(inCases, "/presence"),
		"get-job":                  s.jobs,
		"list-job-cases":           each(s.jobs, "/cases"),
		"list-problems":            {"/v1/problems"},
		"get-delivery-metrics":     append(s.metrics(endpoints), "/v1/metrics/deliveries?step=hour"),
		"get-backlog":              {"/v1/metrics/backlog"},
		"list-colleagues":          {"/v1/colleagues"},
		"get-label":                {"/v1/labels/urgent"},
		"list-users":               {"/v1/users"},
		"get-user":                 {"/v1/users/1"},
		"get-session":              {"/v1/session"},
		"find-attempts":            found,
		"get-attempt":              s.attempts(),
		"count-attempts":           {"/v1/attempts/facets", "/v1/attempts/facets?trigger=case_created"},
		"list-questions":           asked,
		"start-transition":         s.starts(),
		"get-question":             s.asked(),
		"poll-journal":             polled,
		"preview-filter":           append(each(filtered, ""), "/v1/filter-preview?filter=true&entries=200"),
		"stream-journal":           streamed,
		"list-case-deliveries":     each(inCases, "/deliveries"),
		"list-contact-deliveries":  {s.contact + "/deliveries"},

		"list-replays": each(endpoints, "/replays"),
		"list-dead":    append(each(endpoints, "/dead"), each(endpoints, "/dead?state=delivered")...),
		"list-parked":  each(endpoints, "/parked"),
		"get-replay":   s.replays,

		"list-contacts":       {"/v1/contacts", "/v1/contacts?q=ada"},
		"get-contact":         {s.contact},
		"get-contact-history": {s.contact + "/history"},
		"list-case-contacts":  each(inCases, "/contacts"),
		"list-contact-cases":  {s.contact + "/cases", s.contact + "/cases?limit=1"},
	}
}

// metrics returns the paths of the metrics of endpoints.
func (s *clearanceTest) metrics(endpoints []string) (paths []string) {
	for _, e := range endpoints {
		paths = append(paths, "/v1/metrics/deliveries?endpoint="+strip(e))
	}
	return paths
}

// attempts returns the paths of all attempts.
func (s *clearanceTest) attempts() []string { return s.all("/v1/attempts") }

// asked returns the paths of all questions.
func (s *clearanceTest) asked() []string { return s.all("/v1/questions") }

// all returns the paths of all items of a list.
func (s *clearanceTest) all(list string) (paths []string) {
	for next := list + "?limit=200"; next != ""; {
		g := s.world.get(next, s.as(casetype.Restricted)...).is(200, "")
		for _, item := range g.items() {
			paths = append(paths, list+"/"+item.(map[string]any)["id"].(string))
		}
		cursor, more := g.json()["next"].(string)
		if next = ""; more {
			next = list + "?limit=200&cursor=" + cursor
		}
	}
	return paths
}

// notOfATenant are operations that only an operator may carry out, or that redirect to a provider.
var notOfATenant = []string{"list-tenants", "begin-oidc", "finish-oidc"}

// starts are the starts of a transition of each case.
func (s *clearanceTest) starts() (paths []string) {
	for _, path := range s.cases {
		paths = append(paths, "/v1/starts?case="+strip(path)+"&transition=close")
	}
	return paths
}

// readAll reads everything as each clearance.
func (s *clearanceTest) readAll() {
	reads := s.reads()
	own := map[casetype.Classification]bool{} // which clearances read the canary of their own class
	for _, d := range s.world.operations() {
		if d.method != "GET" || slices.Contains(notOfATenant, d.id) {
			continue
		}
		if len(reads[d.id]) == 0 {
			s.world.t.Errorf("%s reads, and is not in this test", d.id)
		}
		for _, path := range reads[d.id] {
			for _, clearance := range casetype.Classifications() {
				g := s.world.get(path, s.as(clearance)...)
				s.showsNothingAbove(clearance, g)
				own[clearance] = own[clearance] || bytes.Contains(g.body, []byte(canary(clearance)))
				for class, hidden := range s.cases {
					if !clearance.Sees(class) && strings.HasPrefix(path, hidden) {
						g.is(404, "")
					}
				}
			}
		}
	}
	for i, clearance := range casetype.Classifications() {
		for word, want := range map[string][]int{canary(casetype.Private): {0, 2, 3}, canary(casetype.Restricted): {0, 0, 3}} {
			found := s.world.get("/v1/cases?q="+word, s.as(clearance)...).items()
			if len(found) != want[i] {
				s.world.t.Errorf("%s finds %d cases by %s", clearance, len(found), word)
			}
		}
		if linked := s.world.get(s.contact+"/cases", s.as(clearance)...).items(); len(linked) != i+1 {
			s.world.t.Errorf("%s finds %d cases of the contact", clearance, len(linked))
		}
		for j, document := range s.documents[:3] {
			want := 404
			if j <= i {
				want = 200
			}
			s.world.get(document, s.as(clearance)...).is(want, "")
		}
		if made := s.world.get(s.cases[casetype.Public]+"/documents", s.as(clearance)...).items(); len(made) != i+1 {
			s.world.t.Errorf("%s lists %d documents", clearance, len(made))
		}
	}
	for _, class := range casetype.Classifications()[1:] {
		if !own[class] {
			s.world.t.Errorf("%s reads no %s at all", class, canary(class))
		}
	}
}

// checkDelivered checks the bodies that receivers and callbacks got.
func (s *clearanceTest) checkDelivered() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, clearance := range casetype.Classifications() {
		var received string
		for path, requests := range s.delivered {
			if strings.EqualFold(strings.Split(path, "/")[1], string(clearance)) {
				received += strings.Join(requests, "\n")
			}
		}
		if received == "" {
			s.world.t.Errorf("%s received nothing", clearance)
		}
		hidden := above(clearance)
		for _, class := range casetype.Classifications() {
			if !clearance.Sees(class) {
				hidden = append(hidden, `["letter_`+strings.ToLower(string(class)))
			}
		}
		for _, word := range hidden {
			if at := strings.Index(strings.ToLower(received), word); at >= 0 {
				s.world.t.Errorf("%s received: %s", clearance, received[max(0, at-300):min(len(received), at+100)])
			}
		}
		if clearance != casetype.Public && !strings.Contains(received, canary(clearance)) {
			s.world.t.Errorf("%s received no %s", clearance, canary(clearance))
		}
	}
}
