package server

import (
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/casehook/casehook/internal/outbound"
	"github.com/casehook/casehook/internal/testclient"
	"github.com/casehook/casehook/internal/waits"
)

// reachTest is a server with two tenants, and the services that they call.
type reachTest struct {
	server   *Server
	t        *testing.T
	operator string
	acme     string // the token of its administrator
}

// reach starts a server. Only the server can reach inside.
func reach(t *testing.T) (r *reachTest, inside *httptest.Server) {
	inside = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("X-Inside", "for nobody's eyes")
		w.WriteHeader(http.StatusTeapot)
		w.Write([]byte(`{"inside": "for nobody's eyes"}`))
	}))
	t.Cleanup(inside.Close)
	address, err := outbound.ParseAllowed(strings.TrimPrefix(inside.URL, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	c := Config{Data: filepath.Join(t.TempDir(), "data"), Allow: []outbound.AllowedPrefix{address},
		Variable: func(name string) (string, bool) {
			value, ok := map[string]string{"CASEHOOK_VAR_INSIDE": inside.URL + "/s3cret",
				"CASEHOOK_VAR_KEY": "s3cret"}[name]
			return value, ok
		}}
	s, _ := start(t, c)
	r = &reachTest{server: s, t: t}
	if r.operator, err = OperatorBearer(c, time.Now()); err != nil {
		t.Fatal(err)
	}
	r.acme = call(t, s, "POST /v1/tenants", r.operator, `{"key": "acme"}`)["token"].(string)
	return r, inside
}

// asks puts a case type whose callback has a URL, creates a case, and returns why that was refused.
func (r *reachTest) asks(token, url string) string {
	r.t.Helper()
	call(r.t, r.server, "PUT /v1/case-types/note",
		token, `{"key": "note", "fields": {"type": "object", "properties": {}}, "states": [{"key": "open"}],
		"transitions": [{"key": "write", "to": "open", "about_to_submit": {"url": "`+url+`", "retries": []}}]}`)
	return r.refusal("POST", "/v1/case-types/note/cases", token, `{}`)
}

// refusal returns the body of an answer that must not be a success.
func (r *reachTest) refusal(method, path, token, body string) string {
	r.t.Helper()
	request, err := http.NewRequestWithContext(r.t.Context(), method, r.server.URL()+path, strings.NewReader(body))
	if err != nil {
		r.t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+token)
	request.Header.Set("Content-Type", "application/json")
	response, err := testclient.Client.Do(request)
	if err != nil {
		r.t.Fatal(err)
	}
	defer response.Body.Close()
	var said strings.Builder
	response.Write(&said)
	if response.StatusCode < 400 {
		r.t.Errorf("%s %s: %s", method, path, &said)
	}
	if strings.Contains(said.String(), "s3cret") || strings.Contains(said.String(), "nobody's eyes") {
		r.t.Errorf("%s %s shows what nobody may see: %s", method, path, &said)
	}
	return said.String()
}

// The settings of the server's start apply to the first tenant. Another tenant calls the addresses,
// and uses the variables, that the operator grants it.
func TestATenantReachesWhatTheOperatorLetsIt(t *testing.T) {
	t.Parallel()
	r, inside := reach(t)
	has := func(said, what string) {
		t.Helper()
		if !strings.Contains(said, what) {
			t.Errorf("%s does not say %q", said, what)
		}
	}
	has(r.asks(r.server.Token(), "${CASEHOOK_VAR_INSIDE}/x"), "answered 418")
	has(r.asks(r.server.Token(), "${CASEHOOK_VAR_KEY}/x"), "does not hold the beginning of a URL")
	has(r.asks(r.acme, "${CASEHOOK_VAR_INSIDE}/x"), "not granted to this tenant")
	has(r.asks(r.acme, inside.URL+"/x"), "can't be reached")
	call(t, r.server, "PATCH /v1/tenants/acme", r.operator,
		`{"variables": ["CASEHOOK_VAR_INSIDE"], "allow_addresses": ["127.0.0.1/32:1"]}`)
	has(r.asks(r.acme, "${CASEHOOK_VAR_INSIDE}/x"), "can't be reached") // another port
	shown := call(t, r.server, "PATCH /v1/tenants/acme", r.operator,
		`{"allow_addresses": ["127.0.0.0/8", "127.0.0.1/8", "[fd00::]/8:443"]}`)
	if got := shown["allow_addresses"].([]any); len(got) != 2 || got[0] != "127.0.0.0/8" ||
		shown["variables"].([]any)[0] != "INSIDE" {
		t.Errorf("the tenant is shown as %v", shown)
	}
	has(r.asks(r.acme, "${CASEHOOK_VAR_INSIDE}/x"), "answered 418")
	wrong := r.refusal("PATCH", "/v1/tenants/acme", r.operator,
		`{"variables": ["a b"], "allow_addresses": ["10.0.0.0/8", "localhost"]}`)
	has(wrong, "/variables/0")
	has(wrong, "/allow_addresses/1")
	for _, url := range []string{"https://mine.example/?s=${CASEHOOK_VAR_KEY}", "${CASEHOOK_VAR_INSIDE}.mine.example/",
		"${CASEHOOK_VAR_INSIDE}/../x"} {
		has(r.refusal("PUT", "/v1/case-types/other",
			r.acme, `{"key": "other", "fields": {"type": "object", "properties": {}}, "states": [{"key": "open"}],
			"transitions": [{"key": "write", "to": "open", "about_to_submit": {"url": "`+url+`"}}]}`), "/transitions/0/about_to_submit/url")
	}
	call(t, r.server, "PATCH /v1/tenants/acme", r.operator, `{"variables": [], "allow_addresses": []}`)
	has(r.asks(r.acme, inside.URL+"/x"), "can't be reached")
}

// An answer from an address that is not public is stored nowhere.
func TestAnswersFromInsideAreNotKept(t *testing.T) {
	t.Parallel()
	r, inside := reach(t)
	call(t, r.server, "PUT /v1/case-types/note", r.server.Token(),
		`{"key": "note", "fields": {"type": "object", "properties": {}}, "states": [{"key": "open"}],
			"transitions": [{"key": "write", "to": "open"}]}`)
	made := call(t, r.server, "POST /v1/endpoints", r.server.Token(),
		`{"url": "`+inside.URL+`", "triggers": ["case_created"], "policy": {"retries": []}}`)
	call(t, r.server, "POST /v1/case-types/note/cases", r.server.Token(), `{}`)
	path := "/v1/endpoints/" + made["id"].(string)
	shown := func(path string) string {
		status, body := get(t, r.server, path, r.server.Token())
		_ = status
		return body
	}
	var attempts string
	for late := waits.Context(t); !strings.Contains(attempts, `"status":418`); attempts = shown(path + "/attempts") {
		if late.Err() != nil {
			t.Fatal("nothing was tried")
		}
	}
	tested := call(t, r.server, "POST "+path+"/test", r.server.Token(), `{"trigger": "case_created"}`)
	for what, said := range map[string]any{"the attempts": attempts, "the test": tested,
		"the dead": shown(path + "/dead")} {
		text, _ := said.(string)
		if m, is := said.(map[string]any); is {
			text = strings.Join(texts(m), " ")
		}
		if strings.Contains(text, "nobody's eyes") {
			t.Errorf("%s show %s", what, text)
		}
	}
	if !strings.Contains(attempts, "withheld") {
		t.Errorf("the attempts don't say why: %s", attempts)
	}
}

// texts returns all texts in a value.
func texts(v any) (all []string) {
	switch v := v.(type) {
	case string:
		return []string{v}
	case map[string]any:
		for _, one := range v {
			all = append(all, texts(one)...)
		}
	case []any:
		for _, one := range v {
			all = append(all, texts(one)...)
		}
	}
	return all
}
