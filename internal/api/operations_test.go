package api_test

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"math/big"
	"mime/multipart"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/casehook/casehook/internal/access"
	"github.com/casehook/casehook/internal/outbound"
)

// form makes a multipart body out of fields in pairs; a name that begins with @
// is a file's.
func form(fields ...string) (body, contentType string) {
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	for i := 0; i+1 < len(fields); i += 2 {
		if name, isFile := strings.CutPrefix(fields[i], "@"); isFile {
			part, _ := w.CreateFormFile(name, "päss.txt")
			part.Write([]byte(fields[i+1]))
			continue
		}
		w.WriteField(fields[i], fields[i+1])
	}
	w.Close()
	return b.String(), w.FormDataContentType()
}

// TestEveryOperationWorks runs one story in which every operation succeeds; each answer is checked against the OpenAPI
// document.
func TestEveryOperationWorks(t *testing.T) {
	t.Parallel()
	w := start(t)
	w.story()
	w.storyOfASession()
	w.storyOfSessions()
	w.storyOfOwnTokens()
	for _, d := range w.operations() {
		for status := range d.responses() {
			if status < "300" && !w.seen[d.id+" "+status] {
				t.Errorf("%s never succeeded with %s", d.id, status)
			}
		}
	}
}

// story has every operation succeed. Other tests run it too, with something around each request.
func (w *world) story() {
	w.t.Helper()
	w.get("/healthz", "Authorization", "").is(200, "")
	w.get("/readyz", "Authorization", "").is(200, "")
	w.storyOfTypes()
	path := w.storyOfCases()
	w.storyOfQuestions(path)
	w.storyOfMarks(path)
	w.storyOfAttachments(path)
	w.storyOfContacts(path)
	w.storyOfEndpoints()
	w.storyOfTheJournal()
	w.storyOfClaims()
	w.storyOfViews()
	w.storyOfJobs()
	w.storyOfPresences()
	w.get("/v1/sessions").is(200, "")
	w.get("/v1/own-tokens").is(200, "")
	w.storyOfTokens()
	w.storyOfTenants()
	w.storyOfPeople()
	w.storyOfTheAudit()
	w.storyOfMigrations()
	w.do("DELETE", path, nil).is(204, "")
	w.get(path).is(404, "case.not_found")
}

func (w *world) storyOfTypes() {
	t := w.t
	put := w.do("PUT", "/v1/case-types/loan?file=loan.yaml", loan, "Content-Type", "text/yaml; charset=utf-8").
		is(201, "")
	secrets := put.json()["callback_secrets"].(map[string]any)
	if len(secrets) != 2 || !strings.HasPrefix(secrets["submit"].(string), "whsec_") {
		t.Errorf("the new secrets are %v", secrets)
	}
	again := w.do("PUT", "/v1/case-types/loan", loan, "Content-Type", "application/x-yaml").is(200, "")
	if again.json()["unchanged"] != true || len(again.json()["callback_secrets"].(map[string]any)) != 0 {
		t.Errorf("put again, it answers %s", again.body)
	}
	doubtful := strings.NewReplacer("name: Loan", "name: Credit", "has(data.client)",
		"has(data.client) && (!has(data.amount) || data.amount != null)")
	changed := w.do("PUT", "/v1/case-types/loan", doubtful.Replace(loan), "Content-Type",
		"application/yaml").is(200, "")
	if !strings.Contains(string(changed.body),
		`"warnings":[{"path":"/transitions/3/precondition","message":"line 29: compares data.amount with null`) {
		t.Errorf("it warns of %s", changed.body)
	}
	if changed.text("version") != "2" {
		t.Errorf("changed, it is version %s", changed.text("version"))
	}
	w.do("PUT", "/v1/case-types/note", note).is(201, "")
	w.get("/v1/case-types/loan/openapi").is(200, "")
	w.get("/v1/case-types/loan/openapi?version=1").is(200, "")
	if name := w.get("/v1/case-types/loan?version=1").is(200, "").text("name"); name != "Loan" {
		t.Errorf("version 1 is called %s", name)
	}
	if all := w.get("/v1/case-types").is(200, "").items(); len(all) != 2 {
		t.Errorf("there are %d case types", len(all))
	}
	since := w.post("/v1/case-types/note/retire", "").is(200, "").text("retired_at")
	w.post("/v1/case-types/note/cases", `{}`).is(409, "case_type.retired")
	if got := w.get("/v1/case-types/note").is(200, "").text("retired_at"); got != since ||
		!strings.HasSuffix(got, "Z") {
		t.Errorf("retired at %q, not %q", got, since)
	}
	if got := w.post("/v1/case-types/note/restore", "").is(200, "").json(); got["retired_at"] != nil ||
		got["key"] != "note" {
		t.Errorf("restored, it is %v", got)
	}
	w.storyOfCallbackSecrets(secrets["submit"].(string))
}

func (w *world) storyOfCallbackSecrets(first string) {
	t := w.t
	const path = "/v1/case-types/loan/callbacks/submit/secret"
	rotated := w.post(path, "").is(200, "")
	if rotated.text("secret") == first || !strings.HasPrefix(rotated.text("secret"), "whsec_") ||
		rotated.text("transition") != "submit" {
		t.Errorf("rotated, it is %s", rotated.body)
	}
	supplied := w.post(path, `{"secret": "whsec_c2VzYW1lc2VzYW1lc2VzYW1lc2VzYW1l", "overlap": "1h"}`).is(200, "")
	if supplied.json()["secret"] != nil || supplied.json()["expires_at"] != nil {
		t.Errorf("supplied, it is %s", supplied.body)
	}
	listed := w.get(path+"s").is(200, "")
	var prints []any
	for i, item := range listed.items() {
		s := item.(map[string]any)
		if prints = append(prints, s["fingerprint"]); (s["expires_at"] == nil) != (i == 0) || s["created_at"] == nil {
			t.Errorf("the secret %d is listed as %v", i, s)
		}
	}
	want := []any{"ac515b9a644b2e5b", outbound.Fingerprint(rotated.text("secret")), outbound.Fingerprint(first)}
	if !slices.Equal(prints, want) || bytes.Contains(listed.body, []byte("whsec_")) {
		t.Errorf("listed are %s; want the fingerprints %v", listed.body, want)
	}
	w.do("DELETE", path+"s/"+rotated.text("id"), nil).is(204, "")
	w.storyOfCallbackCredentials()
	if left := w.get(path + "s").items(); len(left) != 2 {
		t.Errorf("deleted, %v are left", left)
	}
}

func (w *world) storyOfCallbackCredentials() {
	t := w.t
	const path = "/v1/case-types/loan/callbacks/submit/credentials"
	w.get(path).is(404, "callback.no_credentials")
	set := w.do("PUT", path, `{"origin": "https://callbacks.example.com", "headers": {"ServiceAuthorization": "s3cr3t"},
		"auth": {"type": "bearer", "token": "s3cr3t"}}`).is(200, "")
	got := w.get(path).is(200, "")
	if bytes.Contains(got.body, []byte("s3cr3t")) || !bytes.Equal(got.body, set.body) {
		t.Errorf("the credentials are shown as %s, and were as %s", got.body, set.body)
	}
	hasMembers(t, "the credentials", got.json(), members{"origin": "https://callbacks.example.com"})
	hasMembers(t, "the headers", got.json()["headers"], members{"ServiceAuthorization": "(hidden)"})
	hasMembers(t, "the authentication", got.json()["auth"], members{"type": "bearer", "token": "(hidden)"})
	const same = `"headers": {"serviceauthorization": "(hidden)"}, "auth": {"type": "bearer", "token": "(hidden)"}}`
	w.do("PUT", path, `{"origin": "https://callbacks.example.com", `+same).is(200, "")
	w.do("PUT", path, `{"origin": "https://elsewhere.example.com", `+same).is(422, "callback.credentials_invalid")
	w.do("DELETE", path, nil).is(204, "")
	w.do("DELETE", path, nil).is(404, "callback.no_credentials")
}

// secretOf returns the id of the newest secret of a callback of loans.
func (w *world) secretOf(callback string) string {
	all := w.get("/v1/case-types/loan/callbacks/"+callback+"/secrets").is(200, "").items()
	return all[0].(map[string]any)["id"].(string)
}

func (w *world) storyOfMigrations() {
	path := w.aging()
	did := w.post("/v1/case-types/aging/migrate", `{}`).is(200, "").json()
	if did["moved"] != json.Number("1") || did["next"] != nil || did["dry_run"] != false {
		w.t.Errorf("migrated: %v", did)
	}
	if got := w.get(path).is(200, "").text("type_version"); got != "2" {
		w.t.Errorf("it works by version %s", got)
	}
}

func (w *world) storyOfCases() (path string) {
	t := w.t
	w.answers(200, `{"data": {"client": "Ann", "amount": 12345678901234567890.10}}`)
	made := w.post("/v1/case-types/loan/cases",
		`{"transition": "open_asked", "data": {"client": "ann"}, "color": "teal"}`).is(201, "")
	path = made.header.Get("Location")
	made.has(members{"ETag": `"r1"`, "color": "teal", "name": "Ann"})
	if !bytes.Contains(made.body, []byte(`"amount":12345678901234567890.10`)) {
		t.Errorf("the number changed: %s", made.body)
	}
	w.open(`{"client": "Bob"}`)
	edited := w.do("PATCH", path, `{"data": {"email": "ann@example.com"}, "name": "Hers", "color": null}`, "If-Match",
		`"r1"`).is(200, "")
	edited.has(members{"color": "gray", "name": "Hers", "ETag": `"r2"`})
	if back := w.do("PATCH", path, `{"name": null}`, "If-Match", "*").is(200, ""); back.text("name") != "Ann" {
		t.Errorf("the name is not back: %s", back.body)
	}
	w.answers(200, `{"warnings": ["Are you sure?"]}`)
	moved := w.post(path+"/transitions/submit", `{"data": {"amount": 5}, "ignore_warning": true}`, "If-Match",
		`"r3"`).is(200, "")
	moved.has(members{"state": "review", "state_name": "In review", "ETag": `"r4"`})
	if got := w.get(path).is(200, ""); got.text("revision") != "4" || got.header.Get("ETag") != `"r4"` {
		t.Errorf("got: %s %s", got.header, got.body)
	}
	w.storyOfLists(path)
	return path
}

func (w *world) storyOfLists(path string) {
	t := w.t
	w.get("/v1/cases/facets?type=loan").is(200, "")
	for query, want := range map[string]int{"": 2, "?type=loan": 2, "?type=note": 0, "?state=review": 1, "?q=BOB": 1,
		"?q=ann%40ex": 1, "?limit=1": 1} {
		if n := len(w.get("/v1/cases"+query).is(200, "").items()); n != want {
			t.Errorf("%q lists %d cases, not %d", query, n, want)
		}
	}
	entries := w.get(path+"/history").is(200, "").items()
	if len(entries) != 4 {
		t.Fatalf("the history has %d entries", len(entries))
	}
	newest, oldest := entries[0].(map[string]any), entries[3].(map[string]any)
	hasMembers(t, "it was by", newest["by"], members{"name": "admin", "source": "api", "address": "127.0.0.1"})
	if asked := newest["callback"].(map[string]any); asked["status"].(interface{ String() string }).String() != "200" ||
		!slices.Equal(asked["warnings"].([]any), []any{"Are you sure?"}) {
		t.Errorf("the callback answered %v", asked)
	}
	if changes := newest["changes"].([]any); changes[0].(map[string]any)["path"] != "data/amount" {
		t.Errorf("it changed %v", changes)
	}
	var set []string
	for _, change := range oldest["changes"].([]any) {
		set = append(set, change.(map[string]any)["path"].(string))
	}
	if !slices.Equal(set, []string{"name", "color", "data/amount", "data/client"}) {
		t.Errorf("the creation set %v", set)
	}
	w.post(path+"/comments", `{"text": "First"}`).is(201, "")
	w.post(path+"/comments", `{"text": "Second"}`).is(201, "")
	if all := w.get(path+"/comments").is(200, "").items(); len(all) != 2 || all[0].(map[string]any)["text"] != "First" {
		t.Errorf("the comments are %v", all)
	}
	w.do("PUT", path+"/case-roles", `{"group": "clerks", "roles": []}`).is(204, "")
	if all := w.get(path+"/case-roles").is(200, "").items(); len(all) != 0 {
		t.Errorf("the roles on the case are %v", all)
	}
}

func (w *world) storyOfMarks(path string) {
	t := w.t
	made := w.post("/v1/labels", `{"slug": "fast_track", "color": "teal"}`).is(201, "")
	label := made.header.Get("Location")
	if made.text("name") != "fast_track" || label != "/v1/labels/fast_track" {
		t.Errorf("made %s at %s", made.body, label)
	}
	if l := w.do("PATCH", label, `{"name": "Fast track", "color": null}`).is(200, ""); l.text("name") != "Fast track" ||
		l.json()["color"] != nil {
		t.Errorf("changed: %s", l.body)
	}
	if all := w.get("/v1/labels").is(200, "").items(); len(all) != 1 ||
		w.get(label).is(200, "").text("name") != "Fast track" {
		t.Errorf("the labels are %v", all)
	}
	grace := w.post("/v1/users", `{"email": "grace@example.org", "name": "Grace Hopper"}`).is(201, "").text("id")
	all := w.get("/v1/colleagues").is(200, "")
	if !strings.Contains(string(all.body), `{"id":`+grace+`,"name":"Grace Hopper"}`) {
		t.Errorf("the colleagues are %s", all.body)
	}
	for _, step := range []struct {
		method, path, body, labels, assignee string
		commits                              bool
	}{
		{"PUT", "/labels/fast_track", "", `["fast_track"]`, `null`, true},
		{"PUT", "/labels/fast_track", "", `["fast_track"]`, `null`, false},
		{"PUT", "/assignee", `{"user_id": ` + grace + `}`, `["fast_track"]`, `{"user_id":` + grace + `,"name":"Grace Hopper"}`, true},
		{"DELETE", "/assignee", "", `["fast_track"]`, `null`, true},
		{"DELETE", "/assignee", "", `["fast_track"]`, `null`, false},
		{"DELETE", "/labels/fast_track", "", `[]`, `null`, true},
		{"DELETE", "/labels/none", "", `[]`, `null`, false},
		{"PUT", "/labels/fast_track", "", `["fast_track"]`, `null`, true},
	} {
		version, _ := strconv.Atoi(w.get(path).text("version"))
		if step.commits {
			version++
		}
		var body any
		if step.body != "" {
			body = step.body
		}
		g := w.do(step.method, path+step.path, body).is(200, "")
		if !bytes.Contains(g.body, []byte(`"labels":`+step.labels+`,"assigned_to":`+step.assignee+`,`)) ||
			g.text("version") != strconv.Itoa(version) {
			t.Errorf("%s %s: version %d: %s", step.method, step.path, version, g.body)
		}
	}
	for query, want := range map[string]int{"?label=fast_track": 1, "?label=none": 0, "?assignee=none": 2,
		"?assignee=" + grace: 0} {
		if n := len(w.get("/v1/cases"+query).is(200, "").items()); n != want {
			t.Errorf("%q lists %d cases, not %d", query, n, want)
		}
	}
	w.do("DELETE", label, nil).is(409, "label.in_use")
	w.storyOfSwitches()
	w.do("DELETE", w.post("/v1/labels", `{"slug": "b", "name": "B"}`).is(201, "").header.Get("Location"),
		nil).is(204, "")
}

func (w *world) storyOfSwitches() {
	t := w.t
	path := w.open(`{"client": "Zoe", "amount": 5}`)
	refused := w.post(path+"/switch-type", `{"type": "note"}`).is(422, "case.switch_data")
	if !bytes.Contains(refused.body, []byte(`{"path":"/data/amount",`)) ||
		!bytes.Contains(refused.body, []byte(`{"path":"/data/client",`)) {
		t.Errorf("refused: %s", refused.body)
	}
	w.do("POST", path+"/switch-type", `{"type": "note", "drop": true}`, "If-Match",
		`"r9"`).is(409, "case.version_conflict")
	switched := w.do("POST", path+"/switch-type", `{"type": "note", "drop": true}`, "If-Match", `"r1"`).is(200, "")
	switched.has(members{"type": "note", "state": "open", "ETag": `"r2"`, "Location": path})
	w.do("DELETE", path, nil).is(204, "")
}

func (w *world) storyOfAttachments(path string) {
	t := w.t
	made := w.post(path+"/documents", `{"key": "summary"}`).is(201, "")
	pdf := w.get(made.header.Get("Location")).is(200, "")
	if !bytes.HasPrefix(pdf.body, []byte("%PDF-")) || pdf.header.Get("Content-Type") != "application/pdf" {
		t.Errorf("the document is %.20q: %s", pdf.body, pdf.header)
	}
	several := w.post(path+"/documents", `{"keys": ["summary", "letter"]}`, "Idempotency-Key", "several").is(201, "")
	var ids []string
	for i, item := range several.items() {
		item := item.(map[string]any)
		ids = append(ids, item["id"].(string))
		if item["key"] != []string{"summary", "letter"}[i] ||
			item["case_version"] != several.items()[0].(map[string]any)["case_version"] {
			t.Errorf("document %d is %v", i, item)
		}
		w.get(item["content_path"].(string)).is(200, "")
	}
	if again := w.post(path+"/documents", `{"keys": ["summary", "letter"]}`, "Idempotency-Key",
		"several").is(201, ""); string(again.body) != string(several.body) {
		t.Errorf("asked again, it answers %s", again.body)
	}
	w.do("DELETE", path+"/documents?id="+strings.Join(ids, "&id="), nil).is(204, "")
	body, contentType := form("key", "passport", "@file", "from a form")
	inForm := w.do("POST", path+"/proofs", body, "Content-Type", contentType).is(201, "")
	raw := w.do("POST", path+"/proofs?key=passport&filename=a.txt", "the file itself", "Content-Type",
		"text/plain").is(201, "")
	for _, want := range []struct {
		answer
		contents, disposition string
	}{
		{inForm, "from a form", "attachment; filename*=utf-8''p%C3%A4ss.txt"}, {raw, "the file itself", "attachment; filename=a.txt"},
	} {
		file := w.get(want.header.Get("Location")).is(200, "")
		if string(file.body) != want.contents {
			t.Errorf("the proof is %q", file.body)
		}
		file.has(members{
			"Content-Disposition": want.disposition, "ETag": `"` + want.text("sha256") + `"`,
			"X-Content-Type-Options": "nosniff",
		})
	}
	w.storyOfRanges(raw.header.Get("Location"))
	for folder, n := range map[string]int{"documents": 1, "proofs": 2} {
		if all := w.get(path+"/"+folder).is(200, "").items(); len(all) != n {
			t.Errorf("there are %d %s", len(all), folder)
		}
	}
	for _, g := range []answer{made, raw} {
		file := g.header.Get("Location")
		w.do("DELETE", strings.TrimSuffix(file, "/content"), nil).is(204, "")
		w.get(file).is(404, "")
	}
}

func (w *world) storyOfRanges(file string) {
	t := w.t
	r, err := http.NewRequestWithContext(t.Context(), "GET", w.server.URL+file, nil)
	must(t, err)
	for _, want := range []struct {
		name, value, contents string
		status                int
	}{
		{"Range", "bytes=4-7", "file", 206}, {"If-None-Match", w.get(file).header.Get("ETag"), "", 304},
	} {
		r.Header = http.Header{"Authorization": {"Bearer " + w.bearer}, want.name: {want.value}}
		response, err := w.server.Client().Do(r)
		must(t, err)
		var b bytes.Buffer
		b.ReadFrom(response.Body)
		response.Body.Close()
		if response.StatusCode != want.status || b.String() != want.contents {
			t.Errorf("%s: %d %q", want.name, response.StatusCode, b.String())
		}
	}
	w.get(file, "Range", "bytes=900-").is(416, "request.range")
}

func (w *world) storyOfEndpoints() {
	t := w.t
	made := w.post("/v1/endpoints",
		`{"name": "crm", "url": "https://crm.example.com/hooks", "triggers": ["case_created", "case_changed"],
		"description": "Two\nlines", "metadata": {"team": "billing"}, "headers": {"X-Api-Key": "sesame-open"},
		"policy": {"retries": ["5s", "2m"], "timeout": "3s", "concurrency": 2, "order": "strict", "rate_limit": 2.5}}`).is(201, "")
	if !strings.HasPrefix(made.text("secret"), "whsec_") {
		t.Errorf("its secret is %s", made.text("secret"))
	}
	path := made.header.Get("Location")
	changed := w.do("PATCH", path, `{"status": "paused", "policy": {"retries": []}}`).is(200, "")
	policy := changed.json()["policy"].(map[string]any)
	changed.has(members{"status": "paused"})
	hasMembers(t, "the policy", policy, members{"retries": []any{}, "timeout": "3s", "rate_limit": "2.5"})
	w.storyOfSettings(path)
	w.storyOfSecrets(path)
	w.do("PATCH", path, `{"resume": "head"}`).is(422, "endpoint.invalid")
	if g := w.do("PATCH", path, `{"status": "active", "resume": "head"}`).is(200, ""); g.text("status") != "active" {
		t.Errorf("resumed: %s", g.body)
	}
	w.do("PATCH", path, `{"status": "paused", "resume": "cursor"}`).is(200, "")
	own := changed.text("token")
	if !strings.HasPrefix(own, "tok_") || changed.json()["ignore_own"] != false ||
		len(changed.json()["sources"].([]any)) != 2 {
		t.Errorf("its triggers are %s", changed.body)
	}
	if g := w.do("PATCH", path, `{"sources": ["ui"], "ignore_own": true, "token": "`+own+`"}`).
		is(200, ""); !bytes.Contains(g.body, []byte(`"sources":["ui"],"ignore_own":true`)) {
		t.Errorf("changed: %s", g.body)
	}
	if g := w.get(path).is(200, ""); g.json()["secret"] != nil || g.text("name") != "crm" {
		t.Errorf("it shows %s", g.body)
	}
	if all := w.get("/v1/endpoints").is(200, "").items(); len(all) != 1 {
		t.Errorf("there are %d endpoints", len(all))
	}
	w.storyOfAttempts(path)
	w.storyOfRepairs(path)
	w.storyOfPortalLinks(path)
	if h := w.get(path+"/health").is(200, "").json(); h["condition"] != "healthy" || h["breaker"] != "closed" ||
		h["reason"] != nil {
		t.Errorf("its health is %v", h)
	}
	if all := w.get("/v1/triggers").is(200, "").items(); len(all) < 9 {
		t.Errorf("there are %d triggers", len(all))
	}
	set := w.do("PUT", "/v1/triggers/case_created/targets",
		`{"urls": ["https://crm.example.com/hooks", "https://new.example.com/"]}`).is(200, "").items()
	old, made2 := set[0].(map[string]any), set[1].(map[string]any)
	if old["created"] != false || old["secret"] != nil || made2["created"] != true || made2["secret"] == nil {
		t.Errorf("the targets are %v", set)
	}
	if all := w.get("/v1/triggers/case_created/targets").is(200, "").items(); len(all) != 2 ||
		all[1].(map[string]any)["secret"] != nil {
		t.Errorf("the targets are %v", all)
	}
	w.do("DELETE", path, nil).is(204, "")
	w.get(path).is(404, "endpoint.not_found")
}

func (w *world) storyOfSettings(path string) {
	t := w.t
	shows := func(g answer, want string) {
		t.Helper()
		if !bytes.Contains(g.is(200, "").body, []byte(want)) || bytes.Contains(g.body, []byte("sesame")) {
			t.Errorf("it does not show %s: %s", want, g.body)
		}
	}
	shows(w.get(path), `"description":"Two\nlines","metadata":{"team":"billing"},"headers":{"X-Api-Key":"(hidden)"}`)
	shows(w.do("PATCH", path,
		`{"metadata": {"team": null, "a": "b"}, "headers": {"X-Api-Key": "(hidden)", "X-More": "sesame-two"}, "description": ""}`),
		`"description":"","metadata":{"a":"b"},"headers":{"X-Api-Key":"(hidden)","X-More":"(hidden)"}`)
	moved := w.do("PATCH", path, `{"url": "https://elsewhere.example.com/", "headers": {"X-More": null}}`).
		is(422, "endpoint.invalid")
	if !bytes.Contains(moved.body, []byte(`"path":"/headers/X-Api-Key"`)) {
		t.Errorf("moved: %s", moved.body)
	}
	shows(w.do("PATCH", path, `{"filter": "case.type == 'kyc' && message.source != 'ui'"}`),
		`"filter":"case.type == 'kyc' && message.source != 'ui'"`)
	unfit := w.do("PATCH", path, `{"filter": "case.type == 'kyc' &&\n  case.stat == 'open'"}`).
		is(422, "endpoint.invalid")
	if !bytes.Contains(unfit.body,
		[]byte(`"path":"/filter","message":"is not CEL at line 2, column 7: undefined field 'stat' (did you mean \"state\"?)`)) {
		t.Errorf("the filter: %s", unfit.body)
	}
	shows(w.get(path), `"filter":"case.type == 'kyc'`)
	shows(w.do("PATCH", path, `{"filter": ""}`), `"filter":""`)
	shows(w.get("/v1/filter-preview?filter=true&triggers=case_*"), `"entries":`)
	shows(w.do("PATCH", path, `{"headers": {"x-more": null}}`), `"headers":{"X-Api-Key":"(hidden)"}`)
	w.storyOfAuth(path, shows)
}

func (w *world) storyOfAuth(path string, shows func(answer, string)) {
	t := w.t
	shows(w.get(path), `"auth":{"type":"none"},"tls":{"expires_at":null}`)
	shows(w.do("PATCH", path,
		`{"auth": {"type": "oauth2", "token_url": "https://login.example.com/token", "client_id": "casehook",
			"client_secret": "sesame-three", "scopes": ["hooks:write"]}}`),
		`"auth":{"type":"oauth2","token_url":"https://login.example.com/token","client_id":"casehook","client_secret":"(hidden)","scopes":["hooks:write"]}`)
	w.do("PATCH", path,
		`{"auth": {"type": "oauth2", "token_url": "https://elsewhere.example.com/token",
			"client_id": "casehook", "client_secret": "(hidden)"}}`).is(422, "endpoint.invalid")
	shows(w.do("PATCH", path, `{"auth": {"type": "basic", "username": "casehook", "password": "sesame-four"}}`),
		`"auth":{"type":"basic","username":"casehook","password":"(hidden)"}`)
	before := w.get(path).text("revision")
	if same := w.do("PATCH", path,
		`{"auth": {"type": "basic", "username": "casehook", "password": "(hidden)"}, "headers": {"X-Api-Key": "(hidden)"}}`).is(200, ""); same.text("revision") != before {
		t.Errorf("the shown settings, sent back, changed something: %s", same.body)
	}
	pair := certificate(t)
	body, err := json.Marshal(map[string]any{"tls": pair,
		"auth": map[string]string{"type": "bearer", "token": "sesame-five"}})
	must(t, err)
	set := w.do("PATCH", path, string(body)).is(200, "")
	shown := set.json()["tls"].(map[string]any)
	if shown["certificate"] != pair["certificate"] || shown["key"] != "(hidden)" || shown["expires_at"] == nil ||
		bytes.Contains(set.body, []byte("PRIVATE")) {
		t.Errorf("it shows %s", set.body)
	}
	shows(w.do("PATCH", path, `{"tls": {}, "auth": {"type": "none"}}`),
		`"auth":{"type":"none"},"tls":{"expires_at":null}`)
}

// certificate returns a certificate that expires in an hour, and its key.
func certificate(t testing.TB) map[string]string {
	t.Helper()
	public, private, err := ed25519.GenerateKey(rand.Reader)
	must(t, err)
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour),
		NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, public, private)
	must(t, err)
	key, err := x509.MarshalPKCS8PrivateKey(private)
	must(t, err)
	block := func(kind string, der []byte) string {
		return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
	}
	return map[string]string{"certificate": block("CERTIFICATE", der), "key": block("PRIVATE KEY", key)}
}

func (w *world) storyOfSecrets(path string) {
	t := w.t
	first := w.get(path+"/secrets").is(200, "").items()[0].(map[string]any)
	drawn := w.post(path+"/secrets", `{"overlap": "1h"}`).is(201, "")
	key := drawn.text("secret")
	supplied := w.post(path+"/secrets", `{"secret": "whsec_c2VzYW1lc2VzYW1lc2VzYW1lc2VzYW1l", "overlap": "168h"}`).
		is(201, "")
	pair := w.post(path+"/secrets", `{"kind": "v1a"}`).is(201, "")
	if supplied.json()["secret"] != nil || pair.json()["secret"] != nil || !strings.HasPrefix(key, "whsec_") ||
		!strings.HasPrefix(pair.text("public_key"), "whpk_") {
		t.Errorf("made %s, %s and %s", drawn.body, supplied.body, pair.body)
	}
	all := w.get(path+"/secrets").is(200, "")
	var ids []any
	expiring := 0
	for _, item := range all.items() {
		s := item.(map[string]any)
		ids = append(ids, s["id"])
		if s["expires_at"] != nil {
			expiring++
		}
	}
	if want := []any{pair.text("id"), supplied.text("id"), drawn.text("id"), first["id"]}; !slices.Equal(ids, want) ||
		expiring != 2 {
		t.Errorf("the secrets are %s", all.body)
	}
	if !bytes.Contains(all.body, []byte(pair.text("public_key"))) || bytes.Contains(all.body, []byte("whsec_")) ||
		bytes.Contains(all.body, []byte("whsk_")) {
		t.Errorf("the secrets are shown as %s", all.body)
	}
	w.do("DELETE", path+"/secrets/"+drawn.text("id"), nil).is(204, "")
	w.do("DELETE", path+"/secrets/"+supplied.text("id"), nil).is(204, "")
	w.do("DELETE", path+"/secrets/"+pair.text("id"), nil).is(409, "endpoint.last_secret")
}

func (w *world) storyOfTenants() {
	t := w.t
	made := w.post("/v1/tenants", `{"key": "acme", "name": "Acme", "hosts": ["ACME.example", "www.acme.example"]}`).
		is(201, "")
	theirs := made.text("token")
	if all := w.get("/v1/case-types", "Authorization", "Bearer "+theirs).is(200, "").items(); len(all) != 0 {
		t.Errorf("the new tenant has %v", all)
	}
	if all := w.get("/v1/tenants").is(200, "").items(); len(all) < 2 ||
		all[len(all)-1].(map[string]any)["key"] != "acme" {
		t.Errorf("the tenants are %v", all)
	}
	for host, of := range map[string]string{"acme.example": theirs, "WWW.acme.example.:8080": theirs,
		"elsewhere.example": w.bearer} {
		w.get("/v1/cases", "Authorization", "Bearer "+of, "Host", host).is(200, "")
	}
	w.get("/v1/cases", "Authorization", "Bearer "+theirs, "Host", "elsewhere.example").is(200, "")
	w.get("/v1/cases", "Host", "acme.example").is(401, "token.invalid")
	again := w.post(made.header.Get("Location")+"/administrators", "").is(201, "")
	w.get("/v1/tokens", "Authorization", "Bearer "+again.text("token")).is(200, "")
	changed := w.do("PATCH", made.header.Get("Location"), `{"name": "Acme Ltd", "hosts": []}`).is(200, "")
	if changed.text("name") != "Acme Ltd" || len(changed.json()["hosts"].([]any)) != 0 {
		t.Errorf("changed: %s", changed.body)
	}
	w.get("/v1/cases", "Host", "acme.example").is(200, "")
}

func (w *world) storyOfPresences() {
	path := w.open(`{"client": "Here", "amount": 1}`)
	other := w.token(`{"name": "Grace", "role": "caseworker"}`)
	token, _, _ := access.ParseBearer(strings.TrimPrefix(other, "Bearer "))
	w.do("PUT", path+"/presence", `{"editing": true}`, "Authorization", other).is(200, "")
	seen := w.do("PUT", path+"/presence", `{}`).is(200, "").items()
	if len(seen) != 1 || seen[0].(map[string]any)["editing"] != true {
		w.t.Errorf("there are %v", seen)
	}
	w.do("DELETE", path+"/presence", nil, "Authorization", other).is(204, "")
	if left := w.get(path+"/presence").is(200, "").items(); len(left) != 0 {
		w.t.Errorf("there are still %v", left)
	}
	w.do("DELETE", "/v1/tokens/"+token, nil).is(204, "")
}

func (w *world) storyOfJobs() {
	t := w.t
	made := w.post("/v1/jobs", `{"select": {"state": "none", "assignee": "none"}, "at_most": 1,
		"action": {"kind": "transition", "transition": "submit", "data": {"amount": 1.50}}}`).is(201, "")
	path := made.header.Get("Location")
	if shown := w.get(path).is(200, ""); !strings.Contains(string(shown.body), `"data":{"amount":1.50}`) {
		t.Errorf("the job is %s", shown.body)
	}
	if all := w.get("/v1/jobs").is(200, "").items(); len(all) != 1 {
		t.Errorf("the jobs are %v", all)
	}
	if all := w.get(path+"/cases?result=waiting").is(200, "").items(); len(all) != 0 {
		t.Errorf("its cases are %v", all)
	}
	w.do("DELETE", path, nil).is(204, "")
	wrong := w.post("/v1/jobs", `{"select": {"where": ["x"]}, "action": {"kind": "unassign"}}`)
	if !strings.Contains(string(wrong.body), `"path":"/select/where"`) {
		t.Errorf("a wrong filter: %d %s", wrong.status, wrong.body)
	}
}

func (w *world) storyOfViews() {
	t := w.t
	made := w.post("/v1/views", `{"name": "Drafts", "page": "/cases", "query": "?type=kyc&state=draft&cursor=x"}`).is(201, "")
	if made.text("query") != "state=draft&type=kyc" {
		t.Errorf("the query is %s", made.text("query"))
	}
	shared := w.post("/v1/views", `{"name": "Failed", "page": "/messages", "query": "outcome=failed", "shared": true}`)
	if all := w.get("/v1/views").is(200, "").items(); len(all) != 2 {
		t.Errorf("the views are %v", all)
	}
	viewer := w.token(`{"name": "views", "role": "viewer"}`)
	token, _, _ := access.ParseBearer(strings.TrimPrefix(viewer, "Bearer "))
	all := w.get("/v1/views", "Authorization", viewer).is(200, "").items()
	if len(all) != 1 || all[0].(map[string]any)["own"] != false {
		t.Errorf("a colleague sees %v", all)
	}
	w.post("/v1/views", `{"name": "x", "page": "/cases", "shared": true}`, "Authorization", viewer).is(403, "access.denied")
	w.do("DELETE", shared.header.Get("Location"), nil, "Authorization", viewer).is(403, "access.denied")
	w.do("DELETE", made.header.Get("Location"), nil, "Authorization", viewer).is(404, "view.not_found")
	for _, path := range []string{
		made.header.Get("Location"), shared.header.Get("Location"), "/v1/tokens/" + token,
	} {
		w.do("DELETE", path, nil).is(204, "")
	}
}

func (w *world) storyOfTokens() {
	t := w.t
	made := w.post("/v1/tokens", `{"name": "crm", "expires_at": "2991-01-01T00:00:00+01:00"}`).is(201, "")
	if made.text("expires_at") != "2990-12-31T23:00:00.000Z" {
		t.Errorf("it ends %s", made.text("expires_at"))
	}
	all := w.get("/v1/tokens", "Authorization", "Bearer "+made.text("token")).is(200, "")
	if len(all.items()) != 2 || bytes.Contains(all.body, []byte("chk_")) {
		t.Errorf("the tokens are %s", all.body)
	}
	w.do("DELETE", made.header.Get("Location"), nil).is(204, "")
	w.get("/v1/tokens", "Authorization", "Bearer "+made.text("token")).is(401, "token.invalid")
}
