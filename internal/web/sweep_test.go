package web_test

import (
	"fmt"
	"net/http"
	"net/url"
	"os"
	"strings"
	"testing"

	"github.com/casehook/casehook/internal/access"
	"github.com/casehook/casehook/internal/api"
	"github.com/casehook/casehook/internal/api/rest"
	"github.com/casehook/casehook/internal/web"
	"github.com/casehook/casehook/internal/web/webtest"
)

// hostile is a text that would run if a page did not escape it, in an element, an attribute, or a script.
const hostile = `"><script>alert(1)</script><img src=x onerror=alert(2)>'`

// pages returns the operations of all pages, by pattern.
func pages() map[string]access.Operation {
	return web.Register(api.Services{}, api.Console{Kernel: rest.New(rest.Config{})}, web.Config{}).Pages()
}

// things has an id of each kind of thing in a world, by the name that patterns have for it.
type things map[string]string

// fill makes a thing of each kind, whose texts are hostile.
func fill(t *testing.T, w *webtest.World) things {
	t.Helper()
	definition, err := os.ReadFile("../../examples/kyc.yaml")
	if err != nil {
		t.Fatal(err)
	}
	w.API(http.MethodPut, "/v1/case-types/kyc", definition, nil)
	var made struct {
		ID     any    `json:"id"`
		Secret string `json:"secret"`
	}
	post := func(path string, body map[string]any) string {
		made.ID = nil
		w.API(http.MethodPost, path, body, &made)
		if n, ok := made.ID.(float64); ok {
			return fmt.Sprintf("%.0f", n)
		}
		return fmt.Sprint(made.ID)
	}
	w.API(http.MethodPost, "/v1/labels", map[string]any{"slug": "hostile", "name": hostile}, nil)
	one := post("/v1/case-types/kyc/cases", map[string]any{"data": map[string]any{
		"client_name": hostile, "nationalities": []string{"NO"}, "company": map[string]any{"name": hostile},
	}})
	w.API(http.MethodPut, "/v1/cases/"+one+"/labels/hostile", nil, nil)
	w.API(http.MethodPost, "/v1/cases/"+one+"/comments", map[string]any{"text": hostile}, nil)
	w.API(http.MethodPost, "/v1/views", map[string]any{"name": hostile, "page": "/cases", "shared": true}, nil)
	contact := post("/v1/contacts", map[string]any{"is_business": true, "business_name": hostile})
	w.API(http.MethodPut, "/v1/cases/"+one+"/contacts/"+contact+"/claimant", nil, nil)
	endpoint := post("/v1/endpoints", map[string]any{
		"name": "hostile", "description": hostile, "url": "https://receiver.example/?q=" + url.QueryEscape(hostile),
		"triggers": []string{"case_created"}, "filter": `message.trigger != "` + `<script>alert(1)</script>` + `"`,
	})
	w.API(http.MethodPost, "/v1/tokens", map[string]any{"name": hostile}, nil)
	return things{
		"id": one, "case": one, "endpoint": endpoint, "contact": contact, "key": "kyc", "type": "kyc",
		"transition": "submit", "slug": "hostile", "trigger": "case_created",
	}
}

// address returns the address of a page, whose parameters are things. The page of a kind has its own id.
func (th things) address(pattern string) (method, path string) {
	method, path, _ = strings.Cut(pattern, " ")
	own := map[string]string{
		"/endpoints/": th["endpoint"], "/contacts/": th["contact"], "/types/": th["type"], "/people/": "1",
		"/labels/": "hostile",
	}
	for prefix, id := range own {
		if strings.HasPrefix(path, prefix) {
			path = strings.Replace(path, "{id}", id, 1)
		}
	}
	for name, id := range th {
		path = strings.ReplaceAll(path, "{"+name+"}", id)
	}
	for strings.Contains(path, "{") && !strings.HasSuffix(path, "{$}") { // a thing that there is none of
		before, rest, _ := strings.Cut(path, "{")
		_, after, _ := strings.Cut(rest, "}")
		path = before + "none" + after
	}
	return method, strings.TrimSuffix(path, "{$}")
}

func TestEveryPageIsForThoseWhoMayDoTheSameByAPI(t *testing.T) {
	t.Parallel()
	w := webtest.Start(t)
	th := fill(t, w)
	nobody := w.Browser()
	people := map[access.Role]*webtest.Browser{}
	for _, role := range []access.Role{access.Viewer, access.Caseworker, access.Manager} {
		people[role] = w.Person(string(role)+"@example.org", string(role), "RESTRICTED")
	}
	people[access.Receiver] = w.Receiver(map[string]any{"endpoint": th["endpoint"]})
	for pattern, operation := range pages() {
		method, path := th.address(pattern)
		if operation == "" || path == "/live" || path == "/sign-out" {
			continue
		}
		send := func(b *webtest.Browser) webtest.Page {
			if method == http.MethodPost {
				return b.Post(path, url.Values{})
			}
			return b.Get(path)
		}
		if got := send(nobody); !strings.HasPrefix(got.Path, "/sign-in") {
			t.Errorf("%s: someone who is not signed in gets %d at %s", pattern, got.Status, got.Path)
		}
		for role, b := range people {
			got := send(b)
			if refused := got.Status == http.StatusForbidden; refused == role.Permits(operation) {
				t.Errorf("%s: a %s gets %d; %s permits it: %v", pattern, role, got.Status, operation, !refused)
			}
			if got.Status >= http.StatusInternalServerError {
				t.Errorf("%s: a %s gets %d: %s", pattern, role, got.Status, got.Text())
			}
		}
	}
}

func TestAReceiverSeesTheirEndpointAlone(t *testing.T) {
	t.Parallel()
	w := webtest.Start(t)
	th := fill(t, w)
	w.Person("ada@example.org", "admin", "RESTRICTED")
	var mine struct{ ID string }
	w.API(http.MethodPost, "/v1/endpoints", map[string]any{
		"name": "mine", "url": "https://mine.example/", "triggers": []string{"case_created"},
		"metadata": map[string]string{"note": "a difficult customer"},
	}, &mine)
	receiver := w.Receiver(map[string]any{"endpoint": mine.ID})
	shown := 0
	for pattern, operation := range pages() {
		method, path := th.address(pattern)
		if method != http.MethodGet || path == "/live" || operation == "" {
			continue
		}
		for _, path := range []string{path, strings.Replace(path, th["endpoint"], mine.ID, 1)} {
			page := receiver.Get(path)
			if page.Status == http.StatusOK {
				shown++
			}
			for _, hidden := range []string{
				th["endpoint"], "alert(1)", "KYC review", `href="/cases`, "/catalogue", "/jump", "a difficult customer", "whsec_",
				"sec_", "curl -X", "Save this view", "New endpoint", "/edit", "Drop", "Behind",
			} {
				if strings.Contains(page.HTML, hidden) && !strings.Contains(path, hidden) {
					t.Errorf("%s, %d, shows a receiver %s", page.Path, page.Status, hidden)
				}
			}
		}
	}
	if shown < 6 {
		t.Errorf("a receiver sees %d pages", shown)
	}
	if got := receiver.Get("/"); got.Path != "/messages" {
		t.Errorf("the overview leads a receiver to %s", got.Path)
	}
	if got := receiver.Get("/endpoints/" + th["endpoint"]); got.Status != http.StatusNotFound {
		t.Errorf("another endpoint is answered with %d", got.Status)
	}
}

// Pages are told of commits. A receiver's is not: it would show when something happens to cases.
func TestAReceiversPagesAreNotToldOfCommits(t *testing.T) {
	t.Parallel()
	w := webtest.Start(t)
	th := fill(t, w)
	manager := w.Person("mara@example.org", "manager", "RESTRICTED").Live()
	receiver := w.Receiver(map[string]any{"endpoint": th["endpoint"]}).Live()
	for _, events := range []<-chan string{manager, receiver} {
		if got := <-events; got != "ready" {
			t.Fatalf("the first event is %q", got)
		}
	}
	w.API(http.MethodPost, "/v1/cases/"+th["case"]+"/comments", map[string]any{"text": "x"}, nil)
	if got := <-manager; got != "changed" {
		t.Errorf("a manager's page is told %q", got)
	}
	select {
	case got := <-receiver:
		t.Errorf("a receiver's page is told %q", got)
	default:
	}
}

func TestNoPageRunsWhatPeopleWrote(t *testing.T) {
	t.Parallel()
	w := webtest.Start(t)
	th := fill(t, w)
	admin := w.Person("ada@example.org", "admin", "RESTRICTED")
	shown := 0
	for pattern := range pages() {
		method, path := th.address(pattern)
		if method != http.MethodGet || path == "/live" {
			continue
		}
		for _, query := range []string{"", "?q=" + url.QueryEscape(hostile), "?to=" + url.QueryEscape(hostile)} {
			page := admin.Get(path + query)
			if strings.Contains(page.HTML, "alert(1)") {
				shown++
			}
			for _, raw := range []string{"<script>alert", "<img src=x", "javascript:"} {
				if strings.Contains(page.HTML, raw) {
					t.Errorf("%s has %s", page.Path, raw)
				}
			}
			if policy := page.Header.Get("Content-Security-Policy"); strings.Contains(policy, "unsafe") ||
				!strings.Contains(policy, "frame-ancestors 'none'") {
				t.Errorf("%s has the policy %q", page.Path, policy)
			}
			if strings.Contains(page.HTML, " style=") || strings.Contains(page.HTML, " onclick=") {
				t.Errorf("%s has a style or a script of its own, which the policy forbids", page.Path)
			}
		}
	}
	if shown < 10 {
		t.Errorf("only %d pages show what people wrote", shown)
	}
}

func TestNoPageShowsAnotherTenants(t *testing.T) {
	t.Parallel()
	w := webtest.Start(t)
	th := fill(t, w)
	stranger := w.Tenant("acme", "acme.example").Person("eve@example.org", "admin", "RESTRICTED")
	for pattern := range pages() {
		method, path := th.address(pattern)
		if path == "/live" || path == "/sign-out" {
			continue
		}
		var page webtest.Page
		if method == http.MethodPost {
			page = stranger.Post(path, url.Values{})
		} else {
			page = stranger.Get(path)
		}
		for _, theirs := range []string{"alert(1)", th["endpoint"], "KYC review"} {
			if strings.Contains(page.HTML, theirs) && !strings.Contains(path, theirs) {
				t.Errorf("%s shows %s of another tenant", page.Path, theirs)
			}
		}
	}
}

func TestAFormOfAnotherSiteIsRefused(t *testing.T) {
	t.Parallel()
	w := webtest.Start(t)
	fill(t, w)
	admin := w.Person("ada@example.org", "admin", "RESTRICTED")
	for pattern := range pages() {
		method, path, _ := strings.Cut(pattern, " ")
		if method != http.MethodPost {
			continue
		}
		if got := admin.From("https://elsewhere.example").Post(path, url.Values{}); got.Status != http.StatusForbidden {
			t.Errorf("%s: a form of another site gets %d", pattern, got.Status)
		}
	}
}
