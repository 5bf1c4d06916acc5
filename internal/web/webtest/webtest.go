// Package webtest has what tests of the console's pages need: a server with its own database, people who are signed
// in, and the pages that they get.
package webtest

import (
	"bufio"
	"bytes"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/netip"
	"net/url"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"

	"github.com/casehook/casehook/internal/outbound"
	"github.com/casehook/casehook/internal/server"
	"github.com/casehook/casehook/internal/testclient"
)

// World is a running server.
type World struct {
	t     testing.TB
	URL   string
	Token string // an administrator's
	host  string // of its tenant; empty: that of the URL

	config server.Config
}

// Start starts a server on SQLite, which stops at the end of the test. Callbacks and receivers may be on this machine.
// Variables are those of its definitions: pairs of names, without CASEHOOK_VAR_, and values.
func Start(t testing.TB, variables ...string) *World {
	t.Helper()
	return StartWith(t, func(*server.Config) {}, variables...)
}

// StartWith is Start with other settings of the server.
func StartWith(t testing.TB, change func(*server.Config), variables ...string) *World {
	t.Helper()
	local := outbound.AllowedPrefix{Prefix: netip.MustParsePrefix("127.0.0.0/8")}
	config := server.Config{
		Data: t.TempDir(), Listen: "127.0.0.1:0", Log: slog.New(slog.DiscardHandler),
		Allow: []outbound.AllowedPrefix{local},
		Variable: func(name string) (string, bool) {
			for i := 0; i < len(variables); i += 2 {
				if name == "CASEHOOK_VAR_"+variables[i] {
					return variables[i+1], true
				}
			}
			return "", false
		},
	}
	change(&config)
	s, err := server.Start(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Wait(); err != nil {
			t.Error(err)
		}
	})
	return &World{t: t, URL: s.URL(), Token: s.Token(), config: config}
}

// Operator returns an operator's credential.
func (w *World) Operator() string {
	w.t.Helper()
	bearer, err := server.OperatorBearer(w.config, time.Now())
	if err != nil {
		w.t.Fatal(err)
	}
	return bearer
}

// Tenant makes another tenant with a host name, and returns the world as its administrator sees it.
func (w *World) Tenant(key, host string) *World {
	w.t.Helper()
	operator := &World{t: w.t, URL: w.URL, Token: w.Operator()}
	operator.API(http.MethodPost, "/v1/tenants", map[string]any{"key": key, "hosts": []string{host}}, nil)
	var made struct {
		Token string `json:"token"`
	}
	operator.API(http.MethodPost, "/v1/tenants/"+key+"/administrators", nil, &made)
	return &World{t: w.t, URL: w.URL, Token: made.Token, host: host}
}

// API sends a request to the API with the first administrator's token, and decodes the answer into out unless it is
// nil. Any answer but a success fails the test.
func (w *World) API(method, path string, body, out any) {
	w.t.Helper()
	text, ok := body.([]byte)
	if !ok && body != nil {
		var err error
		if text, err = json.Marshal(body); err != nil {
			w.t.Fatal(err)
		}
	}
	request, err := http.NewRequestWithContext(w.t.Context(), method, w.URL+path, bytes.NewReader(text))
	if err != nil {
		w.t.Fatal(err)
	}
	request.Host = w.host
	request.Header.Set("Authorization", "Bearer "+w.Token)
	request.Header.Set("Content-Type", "application/json")
	if ok {
		request.Header.Set("Content-Type", "application/yaml")
	}
	answer, err := testclient.Client.Do(request)
	if err != nil {
		w.t.Fatal(err)
	}
	defer answer.Body.Close()
	got, err := io.ReadAll(answer.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	if answer.StatusCode >= 300 {
		w.t.Fatalf("%s %s: %s: %s", method, path, answer.Status, got)
	}
	if out != nil {
		if err := json.Unmarshal(got, out); err != nil {
			w.t.Fatalf("%s %s: %v: %s", method, path, err, got)
		}
	}
}

// Browser is a person's browser.
type Browser struct {
	w      *World
	client *http.Client
	origin string // of the page that sends forms
	site   string // that leads to pages, as Sec-Fetch-Site says; empty: it is not said
}

// From returns the browser with a page of another site open.
func (b Browser) From(origin string) *Browser {
	b.origin = origin
	return &b
}

// Led returns the browser as one that is led to pages by a site: same-origin, cross-site or none.
func (b Browser) Led(site string) *Browser {
	b.site = site
	return &b
}

// Password is the password of the people that tests make.
const Password = "correct horse battery"

// Person makes a user with a role and a clearance, and signs them in.
func (w *World) Person(email, role, clearance string) *Browser {
	w.t.Helper()
	w.API(http.MethodPost, "/v1/users", map[string]any{
		"email": email, "name": strings.ToUpper(email[:1]) + email[1:strings.Index(email, "@")], "role": role,
		"clearance": clearance, "password": Password,
	}, nil)
	b := w.Browser()
	if got := b.Post("/sign-in", url.Values{"email": {email}, "password": {Password}, "to": {"/"}}); got.Path != "/" {
		w.t.Fatalf("%s can't sign in: %s %s", email, got.Path, got.Text())
	}
	return b
}

// Receiver makes a portal link, as POST /v1/portal-links takes it, and returns a browser in which it is open.
func (w *World) Receiver(link map[string]any) *Browser {
	w.t.Helper()
	var made struct{ URL string }
	w.API(http.MethodPost, "/v1/portal-links", link, &made)
	_, secret, _ := strings.Cut(made.URL, "#secret=")
	b := w.Browser()
	if got := b.Post("/portal", url.Values{"secret": {secret}}); got.Path != "/messages" {
		w.t.Fatalf("the portal link leads to %s: %s", got.Path, got.Text())
	}
	return b
}

// Browser returns a browser in which nobody is signed in.
func (w *World) Browser() *Browser {
	jar, err := cookiejar.New(nil)
	if err != nil {
		w.t.Fatal(err)
	}
	return &Browser{w: w, client: &http.Client{Transport: testclient.Transport, Jar: jar}, origin: w.URL}
}

// Page is a page that a browser got, behind all redirections.
type Page struct {
	Status int
	Path   string // with its query
	Header http.Header
	HTML   string
}

// Get gets a page.
func (b *Browser) Get(path string) Page {
	b.w.t.Helper()
	request, err := http.NewRequestWithContext(b.w.t.Context(), http.MethodGet, b.w.URL+path, nil)
	if err != nil {
		b.w.t.Fatal(err)
	}
	return b.send(request)
}

// Live returns the names of the events that a live page gets, until the end of the test.
func (b *Browser) Live() <-chan string {
	b.w.t.Helper()
	request, err := http.NewRequestWithContext(b.w.t.Context(), http.MethodGet, b.w.URL+"/live", nil)
	if err != nil {
		b.w.t.Fatal(err)
	}
	request.Host = b.w.host
	answer, err := b.client.Do(request)
	if err != nil {
		b.w.t.Fatal(err)
	}
	events := make(chan string, 1000)
	go func() {
		defer answer.Body.Close()
		defer close(events)
		for lines := bufio.NewScanner(answer.Body); lines.Scan(); {
			if name, is := strings.CutPrefix(lines.Text(), "event: "); is {
				events <- name
			}
		}
	}()
	return events
}

// Post sends a form.
func (b *Browser) Post(path string, form url.Values) Page {
	b.w.t.Helper()
	body := strings.NewReader(form.Encode())
	request, err := http.NewRequestWithContext(b.w.t.Context(), http.MethodPost, b.w.URL+path, body)
	if err != nil {
		b.w.t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	request.Header.Set("Origin", b.origin)
	return b.send(request)
}

func (b *Browser) send(request *http.Request) Page {
	b.w.t.Helper()
	request.Host = b.w.host
	request.Header.Set("Accept", "text/html")
	if b.site != "" {
		request.Header.Set("Sec-Fetch-Site", b.site)
	}
	answer, err := b.client.Do(request)
	if err != nil {
		b.w.t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		b.w.t.Fatal(err)
	}
	return Page{answer.StatusCode, answer.Request.URL.RequestURI(), answer.Header, string(text)}
}

// Text returns the text of a page, without its navigation and with single spaces.
func (p Page) Text() string {
	root, err := html.Parse(strings.NewReader(p.HTML))
	if err != nil {
		return p.HTML
	}
	var words []string
	var visit func(*html.Node)
	visit = func(n *html.Node) {
		switch {
		case n.Type == html.TextNode:
			words = append(words, strings.Fields(n.Data)...)
		case n.Type == html.ElementNode && (n.Data == "nav" || n.Data == "head" || n.Data == "template"):
			return
		}
		for child := n.FirstChild; child != nil; child = child.NextSibling {
			visit(child)
		}
	}
	visit(root)
	return strings.Join(words, " ")
}

// Undo sends the form that takes back what was just done. A page without one fails the test.
func (b *Browser) Undo(p Page) Page {
	b.w.t.Helper()
	path, form := p.undo()
	if path == "" {
		b.w.t.Fatalf("%s offers no undo: %s", p.Path, p.Text())
	}
	return b.Post(path, form)
}

// CanUndo reports whether a page offers to take back what was just done.
func (p Page) CanUndo() bool {
	path, _ := p.undo()
	return path != ""
}

// undo returns the form of the notice about what was just done.
func (p Page) undo() (path string, form url.Values) {
	root, err := html.Parse(strings.NewReader(p.HTML))
	if err != nil {
		return "", nil
	}
	form = url.Values{}
	for n := range root.Descendants() {
		if n.Data != "div" || attribute(n, "class") != "undo" {
			continue
		}
		for part := range n.Descendants() {
			switch part.Data {
			case "form":
				path = attribute(part, "action")
			case "input":
				form.Set(attribute(part, "name"), attribute(part, "value"))
			}
		}
	}
	return path, form
}

// attribute returns an attribute of an element; empty: it has none.
func attribute(n *html.Node, name string) string {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}
