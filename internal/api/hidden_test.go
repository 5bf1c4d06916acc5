package api_test

import (
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/casehook/casehook/internal/access"
	"github.com/casehook/casehook/internal/wire/wiretest"
)

// hiddenTest is a world in which one thing of each kind is hidden from an asker. For each kind there is also the name
// of a thing that does not exist.
type hiddenTest struct {
	world  *world
	asker  []string // headers
	role   access.Role
	hidden map[string]string // by the word in braces in a request
	nobody map[string]string
	seen   map[string]string // things that the asker sees
}

// confidential is a case type under a key. How narrows who may know of it.
func confidential(key, how string) string {
	return fmt.Sprintf(`{"key": %q, "kind": "claim", %s "edit": "edit",
		"fields": {"type": "object", "properties": {
			"text": {"type": "string"}, "amount": {"type": "number"}, "secret": {"type": "string", "x-classification": "RESTRICTED"}}},
		"states": [{"key": "open"}, {"key": "done"}],
		"transitions": [{"key": "write", "to": "open"}, {"key": "edit", "from": ["open"]}, {"key": "close", "from": ["open"], "to": "done"},
			{"key": "ask", "from": ["open"], "to": "open", "about_to_submit": {"url": "${CASEHOOK_VAR_CALLBACKS}/x", "retries": []}}],
		"documents": [{"key": "letter", "template": "{text}"}, {"key": "sealed", "template": "{secret}"}], "proofs": [{"key": "paper"}]}`, key, how)
}

// Every operation answers about a hidden thing as about one that does not exist; so do lists, counts and names.
func TestHiddenThingsLookLikeMissingOnes(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ how, token string }{
		"above the clearance": {`"security_classification": "RESTRICTED",`, `{"name": "asker", "role": "admin", "clearance": "PUBLIC"}`},
		"left out by access":  {`"access": {"read": ["admin"]},`, `{"name": "asker", "role": "manager"}`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			onBoth(t, func(t *testing.T, w *world) {
				s := &hiddenTest{world: w, hidden: map[string]string{}, nobody: map[string]string{},
					seen: map[string]string{}}
				s.setUp(c.token)
				lists := s.lists()
				before := s.readAll(lists)
				s.hide(c.how)
				for path, then := range s.readAll(lists) {
					if then != before[path] {
						t.Errorf("%s tells of what is hidden: before it\n%s\nwith it\n%s", path, before[path], then)
					}
				}
				s.askAll(lists)
			})
		})
	}
}

// receiver refuses some paths.
func (s *hiddenTest) receiver() string {
	r := httptest.NewServer(wiretest.Handler(s.world.t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/taken" {
			w.WriteHeader(http.StatusTeapot)
		}
	})))
	s.world.t.Cleanup(r.Close)
	return r.URL
}

// setUp creates the things that the asker sees.
func (s *hiddenTest) setUp(token string) {
	s.world.t.Helper()
	s.world.answers(200, `{}`)
	s.world.deliver()
	s.asker = []string{"Authorization", s.world.token(token)}
	s.role = access.Role(s.world.get("/v1/session", s.asker...).is(200, "").text("role"))
	s.world.do("PUT", "/v1/case-types/open", confidential("open", "")).is(201, "")
	for _, slug := range []string{"seen", "carried", "uncarried"} {
		s.world.post("/v1/labels", `{"slug": "`+slug+`"}`).is(201, "")
	}
	s.hidden["label"], s.nobody["label"] = "carried", "uncarried"
	for _, of := range []map[string]string{s.hidden, s.nobody} {
		of["contact"], of["lost"] = strip(s.world.ada()), strip(s.world.ada())
	}
	s.seen["contact"] = strip(s.world.ada())
	for _, of := range []map[string]string{s.hidden, s.nobody} { // two, each of which gets a name
		of["mine"] = strip(s.world.post("/v1/endpoints",
			`{"url": "https://crm.example/mine", "triggers": ["case_finished"]}`, s.asker...).is(201, "").
			header.Get("Location"))
	}
	s.seen["user"] = strip(s.world.person("ada@example.org", "viewer"))
	seen := s.world.post("/v1/case-types/open/cases", `{"data": {"text": "seen", "secret": "closed"}}`).is(201, "").
		header.Get("Location")
	s.seen["case"] = strip(seen)
	if s.role == access.Admin { // a case's version counts what is done with it, seen or not
		s.hidden["sealed"] = s.world.post(seen+"/documents", `{"key": "sealed"}`).is(201, "").text("id")
	}
	s.seen["endpoint"] = strip(s.world.post("/v1/endpoints",
		`{"name": "seen", "url": "`+s.receiver()+`/taken", "clearance": "PUBLIC",
		"triggers": ["case_created"]}`, s.asker...).is(201, "").header.Get("Location"))
}

// hide creates a hidden thing of each kind.
func (s *hiddenTest) hide(how string) {
	s.world.t.Helper()
	url, h := s.receiver(), s.hidden
	s.world.do("PUT", "/v1/case-types/hushedtype", confidential("hushedtype", how)).is(201, "")
	h["type"] = "hushedtype"
	endpoint := s.world.post("/v1/endpoints", `{"name": "hushedname", "url": "`+
		url+`/refused", "triggers": ["case_created"], "policy": {"retries": []}, "metadata": {"of": "hushedname"}}`).is(201, "")
	write := func() string {
		return s.world.post("/v1/case-types/hushedtype/cases", `{"data": {"text": "closed", "secret": "closed"}}`,
			"Idempotency-Key", s.world.t.Name()+fmt.Sprint(len(h))).is(201, "").header.Get("Location")
	}
	path := write()
	h["case"] = strip(path)
	s.world.post(path+"/comments", `{"text": "closed"}`).is(201, "")
	s.world.do("PUT", path+"/labels/carried", nil).is(200, "")
	s.world.do("PUT", path+"/contacts/"+h["contact"]+"/claimant", nil).is(200, "")
	s.world.do("PUT", path+"/contacts/"+h["lost"]+"/claimant", nil).is(200, "")
	s.world.do("PUT", path+"/assignee", `{"user_id": `+s.seen["user"]+`}`).is(200, "")
	h["document"] = s.world.post(path+"/documents", `{"key": "letter"}`).is(201, "").text("id")
	h["proof"] = s.world.do("POST", path+"/proofs?key=paper&filename=x", "x", "Content-Type",
		"text/plain").is(201, "").text("id")
	h["gone"] = strip(write())
	s.world.post("/v1/cases/"+h["gone"]+"/transitions/ask", `{}`).is(200, "")
	s.world.post(path+"/transitions/ask", `{}`).is(200, "")
	h["question"] = s.world.get("/v1/questions?case="+h["case"]).is(200, "").items()[0].(map[string]any)["id"].(string)
	h["queue"], h["open"] = "hushedqueue", s.world.openQuestions("hushedqueue", "hushedtype").ID
	s.world.do("DELETE", "/v1/cases/"+h["gone"], nil).is(204, "")
	if s.role == access.Admin { // others see all endpoints
		h["name"], h["renamed"], h["url"] = "hushedname", "hushedtoo", url+"/refused"
		s.world.post("/v1/endpoints",
			`{"name": "hushedtoo", "url": "https://crm.example/", "triggers": ["case_finished"]}`).is(201, "")
		h["endpoint"] = strip(endpoint.header.Get("Location"))
		h["link"] = s.world.post("/v1/portal-links", `{"endpoint": "`+h["endpoint"]+`"}`).is(201, "").text("id")
		h["secret"] = s.world.get("/v1/endpoints/"+h["endpoint"]+"/secrets").is(200, "").
			items()[0].(map[string]any)["id"].(string)
		h["replay"] = s.world.post("/v1/endpoints/"+h["endpoint"]+"/replays", `{"since": "beginning"}`).is(201, "").
			text("id")
	}
	s.awaitAttempt(path)
	s.name()
}

// awaitAttempt waits for the attempt at a message about a hidden case.
func (s *hiddenTest) awaitAttempt(path string) {
	s.world.t.Helper()
	var tried []any
	s.world.eventually("the case's message is tried", func() bool {
		s.world.sequence()
		tried = s.world.get("/v1/attempts?outcome=failed&case="+strip(path)).is(200, "").items()
		return len(tried) > 0
	})
	attempt := tried[0].(map[string]any)
	s.hidden["attempt"], s.hidden["message"] = attempt["id"].(string), attempt["message"].(string)
	s.world.awaitDelivered("/v1/endpoints/" + s.seen["endpoint"])
}

// name finds, for each hidden thing, an unused name of the same kind.
func (s *hiddenTest) name() {
	plain := map[string]string{"type": "nobodystype", "queue": "nobodysqueue", "name": "nobodysname", "renamed": "nobodystoo",
		"url": "https://nobody.example/refused"}
	for kind, id := range s.hidden {
		switch {
		case s.nobody[kind] != "":
		case plain[kind] != "":
			s.nobody[kind] = plain[kind]
		case strings.HasPrefix(id, "msg_"):
			s.nobody[kind] = "msg_" + strings.Repeat("A", len(id)-4)
		default:
			s.nobody[kind] = nobodys(id)
		}
		if s.nobody[kind] == "" {
			s.world.t.Fatalf("no unused name for %s", id)
		}
	}
}

// lists are the requests whose answers must not change when something is hidden.
func (s *hiddenTest) lists() map[string][]string {
	endpoint, endpoints := "/v1/endpoints/"+s.seen["endpoint"], []string{}
	backlog := []string{}
	if s.role == access.Admin { // others see all endpoints
		backlog = append(backlog, "/v1/metrics/backlog")
		endpoints = append(endpoints, "/v1/endpoints", "/v1/endpoints?limit=1")
	}
	return map[string][]string{
		"list-cases":      {"/v1/cases", "/v1/cases?limit=1", "/v1/cases?q=closed", "/v1/cases?label=carried", "/v1/cases?assignee=" + s.seen["user"]},
		"count-cases":     {"/v1/cases/facets", "/v1/cases/facets?label=carried"},
		"list-case-types": {"/v1/case-types"}, "list-contacts": {"/v1/contacts"},
		"list-labels": {"/v1/labels"}, "list-views": {"/v1/views"},
		"list-sessions":     {"/v1/sessions"},
		"list-own-tokens":   {"/v1/own-tokens"},
		"list-portal-links": {"/v1/portal-links"}, "list-jobs": {"/v1/jobs"},
		"list-endpoints": endpoints, "get-targets": {"/v1/triggers/case_comment/targets"},
		"export-audit": {"/v1/audit/export", "/v1/audit/export?format=jsonl"},
		"list-audit":   {"/v1/audit", "/v1/audit?limit=1", "/v1/audit?outcome=done"},
		"list-tokens":  {"/v1/tokens"}, "list-users": {"/v1/users"},
		"list-questions": {"/v1/questions", "/v1/questions?verdict=accepted"},
		"find-attempts":  {"/v1/attempts?outcome=failed", "/v1/attempts?contains=closed", "/v1/attempts?contains=hushed"}, "list-problems": {"/v1/problems"},
		"count-attempts":       {"/v1/attempts/facets", "/v1/attempts/facets?endpoint=" + s.seen["endpoint"]},
		"get-delivery-metrics": {"/v1/metrics/deliveries?step=hour", "/v1/metrics/deliveries?step=hour&endpoint=" + s.seen["endpoint"]},
		"get-backlog":          backlog, "list-colleagues": {"/v1/colleagues"},
		"poll-journal":   {"/v1/journal?after=beginning&triggers=case_created"},
		"preview-filter": {"/v1/filter-preview?filter=true&triggers=case_created"},
		"get-lag":        {endpoint + "/lag"}, "list-attempts": {endpoint + "/attempts"},
		"get-endpoint-health": {endpoint + "/health"},
		"list-dead":           {endpoint + "/dead"}, "list-parked": {endpoint + "/parked"}, "list-replays": {endpoint + "/replays"},
	}
}

func (s *hiddenTest) readAll(lists map[string][]string) map[string]string {
	s.world.t.Helper()
	for _, id := range []string{s.seen["endpoint"], s.hidden["mine"], s.nobody["mine"]} {
		s.world.awaitDelivered("/v1/endpoints/" + id)
	}
	all := map[string]string{}
	for _, o := range slices.Sorted(maps.Keys(lists)) {
		if !s.role.Permits(access.Operation(o)) {
			continue
		}
		for _, path := range lists[o] {
			all[path] = stable(s.world.get(path, s.asker...).is(200, ""))
		}
	}
	return all
}

// volatile are the parts of answers that differ each time.
var volatile = regexp.MustCompile(`\b[a-z]{2,4}_[0-9a-f]{32}\b|\bmsg_[A-Za-z0-9_-]+|\bwhsec_[A-Za-z0-9+/=]+|` +
	`\d{4}-\d\d-\d\dT[0-9:.]+Z|"next":"[^"]*"|\b[0-9]{16}\b|"entry":[^,}]*`)

// stable returns an answer without the parts that differ each time.
func stable(g answer) string {
	headers := []string{}
	for name, values := range g.header {
		switch name {
		case "Date", "Content-Length", "X-Request-Id":
		default:
			headers = append(headers, name+": "+strings.Join(values, ", "))
		}
	}
	slices.Sort(headers)
	return volatile.ReplaceAllString(fmt.Sprintf("%d %s\n%s", g.status, strings.Join(headers, "\n"), g.body), "-")
}

// question is a request that names something, in braces. A thing that nobody has is answered with
// the status, and with 404 by default.
type question struct {
	method, path, body string
	status             int
}

// questions are those that name what may be hidden, by operation.
func (s *hiddenTest) questions() map[access.Operation][]question {
	ep, seen := "/v1/endpoints/{endpoint}", "/v1/cases/"+s.seen["case"]
	attachment := func(method, suffix string) []question {
		return []question{
			{method, "/v1/cases/{case}/documents/{document}" + suffix, "", 0}, {method, seen + "/documents/{sealed}" + suffix, "", 0},
			{method, seen + "/documents/{document}" + suffix, "", 0},
		}
	}
	ofCase := func(method, suffix, body string) []question {
		return []question{{method, "/v1/cases/{case}" + suffix, body, 0},
			{method, "/v1/cases/{gone}" + suffix, body, 0}}
	}
	ofEndpoint := func(method, suffix, body string) []question { return []question{{method, ep + suffix, body, 0}} }
	ofContact := func(suffix string) []question {
		return []question{{"GET", "/v1/contacts/{contact}" + suffix, "", 200}}
	}
	created := `"url": "https://crm.example/", "triggers": ["case_created"]`
	return map[access.Operation][]question{
		"get-claim": {{"GET", "/v1/claims/{case}", "", 0}, {"GET", "/v1/claims/{gone}", "", 0}},
		"get-case":  ofCase("GET", "", ""), "get-history": ofCase("GET", "/history", ""), "list-comments": ofCase("GET", "/comments", ""),
		"set-presence": ofCase("PUT", "/presence", `{}`), "list-presences": ofCase("GET", "/presence", ""), "delete-presence": ofCase("DELETE", "/presence", ""),
		"list-case-roles": ofCase("GET", "/case-roles", ""), "set-case-roles": ofCase("PUT", "/case-roles", `{"group": "x", "roles": []}`),
		"list-documents": ofCase("GET", "/documents", ""), "list-proofs": ofCase("GET", "/proofs", ""),
		"list-case-contacts": ofCase("GET", "/contacts", ""), "list-case-deliveries": ofCase("GET", "/deliveries", ""),
		"add-comment": ofCase("POST", "/comments", `{"text": "x"}`), "add-label": ofCase("PUT", "/labels/seen", ""),
		"remove-label": append(ofCase("DELETE", "/labels/seen", ""), question{"DELETE", seen + "/labels/{label}", "", 200}),
		"assign-case":  ofCase("PUT", "/assignee", `{"user_id": `+s.seen["user"]+`}`), "unassign-case": ofCase("DELETE", "/assignee", ""),
		"edit-case":         ofCase("PATCH", "", `{"data": {"text": "y"}}`),
		"submit-transition": append(ofCase("POST", "/transitions/close", `{}`), ofCase("POST", "/transitions/nothing", `{}`)...),
		"switch-type": append(ofCase("POST", "/switch-type", `{"type": "open"}`),
			question{"POST", seen + "/switch-type", `{"type": "{type}"}`, 422}),
		"link-contact":      ofCase("PUT", "/contacts/"+s.seen["contact"]+"/claimant", ""),
		"unlink-contact":    ofCase("DELETE", "/contacts/"+s.seen["contact"]+"/claimant", ""),
		"generate-document": ofCase("POST", "/documents", `{"key": "letter"}`),
		"upload-proof":      ofCase("POST", "/proofs?key=paper&filename=x", "x"),
		"download-document": attachment("GET", "/content"), "delete-document": attachment("DELETE", ""),
		"delete-documents": {{"DELETE", "/v1/cases/{case}/documents?id={document}", "", 0}, {"DELETE", seen + "/documents?id={sealed}", "", 0}},
		"download-proof":   ofCase("GET", "/proofs/{proof}/content", ""), "delete-proof": ofCase("DELETE", "/proofs/{proof}", ""),
		"delete-case": ofCase("DELETE", "", ""),
		"dry-run-transition": {{"POST", "/v1/dry-runs", `{"case": {case}}`, 0}, {"POST", "/v1/dry-runs", `{"case": {gone}, "transition": "ask"}`, 0},
			{"POST", "/v1/dry-runs", `{"type": "{type}"}`, 0}, {"POST", "/v1/dry-runs", `{"case": {case}, "callback": "https://crm.example/"}`, 0}},
		"run-backtest": {{"POST", "/v1/backtests", `{"type": "{type}", "transition": "open", "callback": "https://crm.example/"}`, 0}},
		"start-transition": {{"GET", "/v1/starts?case={case}&transition=close", "", 0}, {"GET", "/v1/starts?case={gone}&transition=ask", "", 0},
			{"GET", "/v1/starts?type={type}&transition=open", "", 0}},
		"check-page": {{"POST", "/v1/page-checks", `{"case": {case}, "transition": "close"}`, 0}, {"POST", "/v1/page-checks", `{"case": {gone}, "transition": "ask"}`, 0},
			{"POST", "/v1/page-checks", `{"type": "{type}", "transition": "open"}`, 0}},
		"get-question":   {{"GET", "/v1/questions/{question}", "", 0}},
		"claim-question": {{"POST", "/v1/questions/claim", `{"queue": "{queue}"}`, 200}}, "answer-question": {{"POST", "/v1/questions/{open}/answer", `{}`, 0}},
		"list-questions": {{"GET", "/v1/questions?case={case}", "", 200}, {"GET", "/v1/questions?case={gone}", "", 200},
			{"GET", "/v1/questions?type={type}", "", 200}},
		"create-case": {{"POST", "/v1/case-types/{type}/cases", `{"data": {"text": "x"}}`, 0}, {"POST", "/v1/case-types/{type}/cases", `{"data": {"x": 1}}`, 0}},
		"get-case-type": {{"GET", "/v1/case-types/{type}", "", 0}, {"GET", "/v1/case-types/{type}?version=1", "", 0},
			{"GET", "/v1/case-types/{type}?version=7", "", 0}},
		"get-case-type-openapi":  {{"GET", "/v1/case-types/{type}/openapi", "", 0}, {"GET", "/v1/case-types/{type}/openapi?version=7", "", 0}},
		"rotate-callback-secret": {{"POST", "/v1/case-types/{type}/callbacks/ask/secret", "", 0}, {"POST", "/v1/case-types/{type}/callbacks/no/secret", "", 0}},
		"retire-case-type":       {{"POST", "/v1/case-types/{type}/retire", "", 0}},
		"restore-case-type":      {{"POST", "/v1/case-types/{type}/restore", "", 0}},
		"migrate-cases": {{"POST", "/v1/case-types/{type}/migrate", `{}`, 0},
			{"POST", "/v1/case-types/{type}/migrate", `{"to": 9, "states": {"a": "b"}}`, 0}},
		"list-shadow-differences":     {{"GET", "/v1/case-types/{type}/callbacks/ask/shadow", "", 0}},
		"list-callback-secrets":       {{"GET", "/v1/case-types/{type}/callbacks/ask/secrets", "", 0}, {"GET", "/v1/case-types/{type}/callbacks/no/secrets", "", 0}},
		"delete-callback-secret":      {{"DELETE", "/v1/case-types/{type}/callbacks/ask/secrets/sec_1", "", 0}},
		"get-callback-credentials":    {{"GET", "/v1/case-types/{type}/callbacks/ask/credentials", "", 0}},
		"set-callback-credentials":    {{"PUT", "/v1/case-types/{type}/callbacks/ask/credentials", `{"origin": "https://x.example"}`, 0}},
		"delete-callback-credentials": {{"DELETE", "/v1/case-types/{type}/callbacks/ask/credentials", "", 0}},
		"put-case-type":               {{"PUT", "/v1/case-types/{type}", `{"key": "{type}"}`, 422}}, // see tellsOfKeysAlone
		"count-cases":                 {{"GET", "/v1/cases/facets?type={type}&label={label}", "", 200}},
		"list-cases":                  {{"GET", "/v1/cases?type={type}", "", 200}, {"GET", "/v1/cases?type={type}&state=open", "", 200}, {"GET", "/v1/cases?label={label}", "", 200}},

		"get-contact": ofContact(""), "get-contact-history": ofContact("/history"), "list-contact-cases": ofContact("/cases"),
		"list-contact-deliveries": ofContact("/deliveries"), "list-contacts": {{"GET", "/v1/contacts?q=ada", "", 200}},
		"update-contact": {{"PATCH", "/v1/contacts/{contact}", `{"city": "London"}`, 200}},
		"delete-contact": {{"DELETE", "/v1/contacts/{contact}", "", 204}, {"DELETE", "/v1/contacts/{lost}?unlink=true", "", 204}, {"GET", "/v1/contacts/{contact}", "", 404},
			{"PUT", seen + "/contacts/{lost}/claimant", "", 404}, {"DELETE", "/v1/contacts/{contact}", "", 404}},
		"create-job": {{"POST", "/v1/jobs", `{"cases": [{case}], "action": {"kind": "unassign"}}`, 201}, {"POST", "/v1/jobs", `{"select": {"type": "{type}"}, "action": {"kind": "unassign"}}`, 201},
			{"POST", "/v1/jobs", `{"select": {"label": "{label}", "q": "closed"}, "action": {"kind": "unassign"}}`, 201}},
		"list-jobs": {{"GET", "/v1/jobs", "", 200}}, "get-job": {{"GET", "/v1/jobs/{case}", "", 404}}, "list-job-cases": {{"GET", "/v1/jobs/{case}/cases", "", 404}},
		"cancel-job":    {{"DELETE", "/v1/jobs/{case}", "", 404}},
		"list-sessions": {{"GET", "/v1/sessions", "", 200}}, "end-session": {{"DELETE", "/v1/sessions/{label}", "", 404}},
		"end-other-sessions": {{"DELETE", "/v1/sessions", "", 409}},
		"list-own-tokens":    {{"GET", "/v1/own-tokens", "", 200}}, "delete-own-token": {{"DELETE", "/v1/own-tokens/{label}", "", 404}},
		"create-own-token": {{"POST", "/v1/own-tokens", `{"name": "{label}"}`, 409}},
		"list-views":       {{"GET", "/v1/views", "", 200}}, "delete-view": {{"DELETE", "/v1/views/{label}", "", 404}},
		"create-view": {{"POST", "/v1/views", `{"name": "{label}", "page": "/cases", "query": "label={label}"}`, 201}},
		"create-portal-link": {{"POST", "/v1/portal-links", `{"endpoint": "{endpoint}"}`, 422},
			{"POST", "/v1/portal-links", `{"metadata": {"key": "of", "value": "{name}"}}`, 422}},
		"delete-portal-link": {{"DELETE", "/v1/portal-links/{link}", "", 0}},
		"edit-label":         {{"PATCH", "/v1/labels/{label}", `{"name": "Same"}`, 200}}, "get-label": {{"GET", "/v1/labels/{label}", "", 200}},
		"delete-label": {{"DELETE", "/v1/labels/{label}", "", 204}, {"GET", "/v1/labels/{label}", "", 404}, {"PUT", seen + "/labels/{label}", "", 404},
			{"DELETE", "/v1/labels/{label}", "", 404}, {"POST", "/v1/labels", `{"slug": "{label}"}`, 201}},

		"get-endpoint": ofEndpoint("GET", "", ""), "get-endpoint-health": ofEndpoint("GET", "/health", ""), "get-lag": ofEndpoint("GET", "/lag", ""),
		"list-attempts": ofEndpoint("GET", "/attempts", ""), "list-dead": ofEndpoint("GET", "/dead", ""), "list-parked": ofEndpoint("GET", "/parked", ""),
		"list-endpoint-secrets": ofEndpoint("GET", "/secrets", ""), "rotate-endpoint-secret": ofEndpoint("POST", "/secrets", `{}`),
		"delete-endpoint-secret": ofEndpoint("DELETE", "/secrets/{secret}", ""),
		"list-replays":           ofEndpoint("GET", "/replays", ""), "get-replay": ofEndpoint("GET", "/replays/{replay}", ""),
		"cancel-replay": ofEndpoint("DELETE", "/replays/{replay}", ""),
		"create-replay": append(ofEndpoint("POST", "/replays", `{"since": "beginning"}`),
			question{"POST", "/v1/endpoints/" + s.seen["endpoint"] + "/replays", `{"since": "beginning", "subject": "case/{case}"}`, 201}),
		"resend-message": append(ofEndpoint("POST", "/resend", `{"message": "{message}"}`),
			question{"POST", "/v1/endpoints/" + s.seen["endpoint"] + "/resend", `{"message": "{message}"}`, 0}),
		"retry-dead": append(ofEndpoint("POST", "/dead/retry", `{"all": true}`),
			question{"POST", "/v1/endpoints/" + s.seen["endpoint"] + "/dead/retry", `{"messages": ["{message}"]}`, 0}),
		"drop-dead":    ofEndpoint("POST", "/dead/drop", `{"messages": ["{message}"]}`),
		"retry-parked": ofEndpoint("POST", "/parked/retry", `{"all": true}`), "drop-parked": ofEndpoint("POST", "/parked/drop", `{"all": true}`),
		"test-endpoint": ofEndpoint("POST", "/test", `{"trigger": "case_created"}`),
		"update-endpoint": append(ofEndpoint("PATCH", "", `{"url": "https://crm.example/mine"}`),
			question{"PATCH", "/v1/endpoints/{mine}", `{"name": "{renamed}"}`, 200}),
		"create-endpoint": {{"POST", "/v1/endpoints", `{"name": "{name}", ` + created + `}`, 201}},
		"set-targets":     {{"PUT", "/v1/triggers/case_comment/targets", `{"urls": ["{url}"]}`, 200}, {"PUT", "/v1/triggers/case_comment/targets", `{"urls": []}`, 200}},
		"delete-endpoint": ofEndpoint("DELETE", "", ""),

		"get-attempt": {{"GET", "/v1/attempts/{attempt}", "", 0}}, "list-problems": {{"GET", "/v1/problems", "", 200}},
		"get-delivery-metrics": {{"GET", "/v1/metrics/deliveries?endpoint={endpoint}&since=2026-01-01T00:00:00Z&until=2026-01-01T00:01:00Z", "", 200}},
		"find-attempts": {{"GET", "/v1/attempts?case={case}", "", 200}, {"GET", "/v1/attempts?subject=case/{gone}", "", 200},
			{"GET", "/v1/attempts?message={message}", "", 200}, {"GET", "/v1/attempts?endpoint={endpoint}", "", 200}},
		"poll-journal": {{"GET", "/v1/journal?endpoint={endpoint}", "", 0}}, "stream-journal": {{"GET", "/v1/stream?endpoint={endpoint}", "", 0}},
		"preview-filter": {{"GET", "/v1/filter-preview?endpoint={endpoint}&filter=true", "", 0},
			{"GET", "/v1/filter-preview?triggers=case_created&filter=case.type%20%3D%3D%20%22{type}%22", "", 200}},
	}
}

// hideNothing are operations that neither name nor list anything that can be hidden: their answers are always the same.
var hideNothing = []access.Operation{
	"create-contact", "create-label", "create-token", "create-user", "delete-session", "get-session", "change-password", "list-triggers",
	"delete-token", "get-user", "update-user", // all permitted callers see all of them
}

// askAll asks each question about the hidden thing and about one that does not exist.
func (s *hiddenTest) askAll(lists map[string][]string) {
	s.world.t.Helper()
	questions := s.questions()
	last := []access.Operation{"delete-label", "delete-contact"}
	all := slices.DeleteFunc(access.Operations(), func(o access.Operation) bool { return slices.Contains(last, o) })
	all = append(all, last...)
	for _, o := range all {
		asked := questions[o]
		if _, listed := lists[string(o)]; len(asked) == 0 && !listed && !slices.Contains(hideNothing, o) {
			s.world.t.Errorf("%s is asked nothing: say what it might tell of what is hidden", o)
		}
		for _, q := range asked {
			if s.role.Permits(o) {
				s.ask(o, q)
			}
		}
	}
	s.tellsOfKeysAlone()
	s.keepsWhatIsHidden()
}

func (s *hiddenTest) ask(o access.Operation, q question) {
	s.world.t.Helper()
	about, ok := q.with(s.hidden)
	nothing, _ := q.with(s.nobody)
	if !ok {
		return // everybody sees these
	}
	if q.status == 0 {
		q.status = 404
	}
	send := func(q question) answer {
		var body any
		header := slices.Clone(s.asker)
		if q.body != "" {
			body = q.body
		}
		if strings.Contains(q.path, "/proofs?") {
			header = append(header, "Content-Type", "text/plain")
		}
		if strings.HasSuffix(q.body, `}`) && q.method == "PATCH" && strings.HasPrefix(q.path, "/v1/cases/") {
			header = append(header, "If-Match", `"r99"`)
		}
		return s.world.do(q.method, q.path, body, header...)
	}
	known, missed := send(about), send(nothing)
	if missed.status != q.status {
		s.world.t.Errorf("%s %s %s of what nobody has: %d %s", o, nothing.path, nothing.body, missed.status,
			missed.body)
	}
	a, b := stable(known), stable(missed)
	for _, name := range braces.FindAllString(q.path+q.body, -1) {
		kind := strings.Trim(name, "{}")
		a, b = strings.ReplaceAll(a, s.hidden[kind], name), strings.ReplaceAll(b, s.nobody[kind], name)
	}
	if a != b {
		s.world.t.Errorf("%s: %s %s\nof what is hidden is answered %s\nand of what nobody has %s", o, q.path,
			q.body, a, b)
	}
}

var braces = regexp.MustCompile(`\{([a-z]+)\}`)

// with puts ids in the place of what stands in braces; false: there is none of a kind.
func (q question) with(ids map[string]string) (question, bool) {
	ok := true
	put := func(text string) string {
		return braces.ReplaceAllStringFunc(text, func(name string) string {
			id := ids[strings.Trim(name, "{}")]
			ok = ok && id != ""
			return id
		})
	}
	q.path, q.body = put(q.path), put(q.body)
	return q, ok
}

// tellsOfKeysAlone puts a type with a hidden type's key. The answer can't hide that the key is taken; it shows nothing
// else.
func (s *hiddenTest) tellsOfKeysAlone() {
	s.world.t.Helper()
	for range 2 {
		g := s.world.do("PUT", "/v1/case-types/hushedtype", note2("hushedtype"),
			s.asker...).is(409, "case_type.key_taken")
		if body := string(g.body); strings.Contains(body, "clear") || strings.Contains(body, "access") {
			s.world.t.Errorf("it shows why: %s", body)
		}
	}
}

func note2(key string) string { return strings.Replace(note, `"note"`, `"`+key+`"`, 1) }

// keepsWhatIsHidden checks, as a user who sees it, that the asker changed nothing hidden.
func (s *hiddenTest) keepsWhatIsHidden() {
	s.world.t.Helper()
	g := s.world.get("/v1/cases/"+s.hidden["case"]).is(200, "")
	for _, kept := range []string{`"labels":["carried"]`, `"contact_id":` + s.hidden["contact"],
		`"contact_id":` + s.hidden["lost"], `"version":8`} {
		if !strings.Contains(string(g.body), kept) {
			s.world.t.Errorf("the hidden case lost %s: %s", kept, g.body)
		}
	}
	if all := s.world.get("/v1/cases/"+s.hidden["case"]+"/contacts").is(200, "").items(); len(all) != 2 {
		s.world.t.Errorf("its contacts are %v", all)
	}
	if id := s.hidden["endpoint"]; id != "" {
		if g := s.world.get("/v1/endpoints/"+id).is(200, ""); g.text("name") != "hushedname" ||
			g.text("url") != s.hidden["url"] {
			s.world.t.Errorf("the hidden endpoint is %s", g.body)
		}
		if audit := s.world.get("/v1/audit?limit=200").is(200, ""); !strings.Contains(string(audit.body), id) {
			s.world.t.Error("a reader who sees the endpoint finds nothing of it in the audit")
		}
	}
}
