//go:build unix

package e2e_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/casehook/casehook/internal/api"
	"github.com/casehook/casehook/internal/api/rest"
	"github.com/casehook/casehook/internal/testclient"
	"github.com/casehook/casehook/internal/waits"
	"github.com/casehook/casehook/internal/web"
	"github.com/casehook/casehook/internal/wire/wiretest"
)

// consoleServer starts the program with a callback that warns of each submission for review, and loads a case type.
func consoleServer(t *testing.T) *console {
	t.Helper()
	callback := httptest.NewServer(wiretest.Callback(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		answer := map[string]any{}
		if strings.HasSuffix(r.URL.Path, "/submit") {
			answer["warnings"] = []string{"There is no passport number yet."}
		}
		if err := json.NewEncoder(w).Encode(answer); err != nil {
			t.Error(err)
		}
	})))
	t.Cleanup(callback.Close)
	c := emptyServer(t, "CASEHOOK_VAR_CALLBACKS="+callback.URL)
	definition, err := os.ReadFile("../examples/kyc.yaml")
	if err != nil {
		t.Fatal(err)
	}
	c.api(http.MethodPut, "/v1/case-types/kyc", string(definition))
	return c
}

// emptyServer starts the program for the first time.
func emptyServer(t *testing.T, env ...string) *console {
	t.Helper()
	data := filepath.Join(t.TempDir(), "data")
	c := &console{t: t}
	c.url = startLine(t, exec.Command(filepath.Join(programs(t), "casehook"), "serve", "--data", data,
		"--listen", "127.0.0.1:0", "--allow-address", "127.0.0.0/8"),
		regexp.MustCompile(`listens on (http://\S+)`), env...)
	text, err := os.ReadFile(filepath.Join(data, "admin-token"))
	if err != nil {
		t.Fatal(err)
	}
	c.token = strings.TrimSpace(string(text))
	return c
}

// console is a running server with a console.
type console struct {
	t          *testing.T
	url, token string
}

// api sends a request to the API, and returns the answer of a success.
func (c *console) api(method, path, body string) map[string]any {
	t := c.t
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, c.url+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+c.token)
	request.Header.Set("Content-Type", "application/json")
	if method == http.MethodPut {
		request.Header.Set("Content-Type", "application/yaml")
	}
	answer, err := testclient.Client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	var got map[string]any
	if err := json.NewDecoder(answer.Body).Decode(&got); err != nil || answer.StatusCode >= 300 {
		t.Fatalf("%s %s: %s %v %v", method, path, answer.Status, got, err)
	}
	return got
}

// setUp makes the first account in the console.
func (b *browser) setUp(token string) {
	b.t.Helper()
	b.open("/setup#token=" + token)
	b.fill("name", "Ada Lovelace")
	b.fill("email", "ada@example.org")
	b.fill("password", "correct horse battery")
	b.press("Make the account")
	b.at("/")
}

func TestACaseworkersDay(t *testing.T) {
	t.Parallel()
	c := consoleServer(t)
	b := openBrowser(t, c.url)
	b.setUp(c.token)
	b.sees("Overview", "Cases by state")

	b.keys("c")
	b.sees("New KYC review")
	b.fill("data/client_name", "Acme Corp")
	b.fill("data/email", "no address")
	b.press("Open a review")
	b.sees("1 fault.", "Nothing was saved", "is not a valid email")
	b.wait("the focus on the fault", `document.activeElement.id === "data/email"`)
	b.fill("data/email", "office@acme.example")
	b.fill("data/country", "NO")
	b.press("Add")
	b.fill("data/nationalities/0", "NO") // an item that was added has an id of its own
	b.press("Open a review")
	b.sees("Ada Lovelace created the case, in Draft", "KYC-0001")

	b.press("Submit for review")
	b.sees("goes to In review")
	b.run(chromedp.Click(`.form-foot .button.primary`))
	b.sees("There is no passport number yet.", "Continue anyway")
	b.press("Continue anyway")
	b.sees("moved it from Draft to In review", "warned, continued anyway")

	proof := filepath.Join(t.TempDir(), "passport.pdf")
	if err := os.WriteFile(proof, []byte("%PDF-1.4 a passport"), 0o600); err != nil {
		t.Fatal(err)
	}
	b.run(chromedp.SetUploadFiles(`.drop input[type=file]`, []string{proof}, chromedp.ByQuery))
	b.sees("1 of 3", "passport.pdf", "uploaded Passport")

	b.fill("comment", "Ask the register.")
	b.press("Comment")
	b.sees("Ada Lovelace commented", "Ask the register.")

	b.fill("data/phone", "+47 55 90 17 00")
	b.sees("Draft kept in this browser.")
	b.run(chromedp.Reload())
	b.sees("Your draft is back.")
	b.wait("the draft", `document.getElementById("data/phone").value === "+47 55 90 17 00"`)
	b.run(chromedp.Click(`[aria-label="Sign out"]`))
	b.sees("You are signed out.")
	b.wait("no draft", `!Object.keys(localStorage).some((name) => name.startsWith("draft "))`)
}

// From the first start to the first webhook, a person needs nothing but the console.
func TestFromTheFirstStartToTheFirstWebhook(t *testing.T) {
	t.Parallel()
	receiver := httptest.NewServer(wiretest.Handler(t, http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})))
	t.Cleanup(receiver.Close)
	c := emptyServer(t)
	b := openBrowser(t, c.url)
	b.setUp(c.token)
	b.sees("From nothing to the first webhook")

	b.press("Upload a case type")
	b.press("Begin with an example")
	b.press("Upload")
	b.sees("Saved.", "KYC review, version 1")
	b.keys("g", "o")
	b.press("Add an endpoint")
	b.fill("url", receiver.URL+"/webhooks")
	b.run(chromedp.Click(`input[name=triggers][value=case_created]`), chromedp.Click(`.form-foot .button.primary`))
	b.sees("whsec_")
	b.keys("g", "o")
	b.press("Create a case")
	b.fill("data/client_name", "Acme Corp")
	b.press("Open a review")
	b.sees("KYC-0001")
	b.keys("g", "m")
	b.sees("case_created", "200")
	b.keys("g", "o")
	b.wait("no steps", `!document.querySelector(".steps")`)
}

func TestAListIsWorkedOnByKeys(t *testing.T) {
	t.Parallel()
	c := consoleServer(t)
	b := openBrowser(t, c.url)
	b.setUp(c.token)
	var last map[string]any
	for _, name := range []string{"Acme", "Brightwater", "Chidi"} {
		last = c.api(http.MethodPost, "/v1/case-types/kyc/cases", `{"data":{"client_name":"`+name+`"}}`)
	}
	b.keys("g", "c")
	b.at("/cases")
	b.keys("?")
	b.sees("Next and previous row")
	b.keys(kb.Escape)
	b.keys("j", "j")
	b.wait("the cursor in the second row", `document.querySelector("tr.cursor").rowIndex === 2`)
	b.keys("x", "j", "X")
	b.sees("2 selected")
	c.api(http.MethodPost, fmt.Sprintf("/v1/cases/%.0f/comments", last["id"]), `{"text": "Hello"}`)
	b.sees("v2", "2 selected") // what is selected stays so when the page is renewed
	b.keys("a")
	b.wait("the dialog", `document.querySelector("#bulk-assign[open]")`)
	b.run(chromedp.SetValue(`#bulk-assignee`, "1"), chromedp.Click(`#bulk-assign .button.primary`))
	b.sees("2 of 2 cases done.")
	b.keys("g", "c")
	b.at("/cases")
	b.sees("Ada Lovelace")
	b.keys("j", kb.Enter)
	b.wait("a case", `location.pathname.startsWith("/cases/")`)
	b.sees("2 of 3")
	b.keys("j")
	b.sees("3 of 3")
	b.keys("k")
	b.sees("2 of 3")
	b.keys(kb.Escape)
	b.at("/cases")
	b.wait("the same row", `document.querySelector("tr.cursor")`)
	b.keys("/")
	b.wait("the search", `document.activeElement.type === "search"`)
	b.run(chromedp.KeyEvent("bright"), chromedp.KeyEvent(kb.Enter))
	b.sees("Brightwater")
	b.wait("the others are gone", `!document.body.innerText.includes("Chidi")`)
}

func TestPagesAreLiveAndRowsHoldStill(t *testing.T) {
	t.Parallel()
	c := consoleServer(t)
	b := openBrowser(t, c.url)
	b.setUp(c.token)
	var at string
	create := func(name string) {
		c.api(http.MethodPost, "/v1/case-types/kyc/cases", `{"data":{"client_name":"`+name+`"}}`)
	}
	create("Acme")
	b.open("/cases")
	b.sees("Live", "Acme")
	create("Brightwater")
	b.sees("1 new")
	b.wait("the rows hold still", `document.querySelectorAll("tbody tr[data-id]").length === 1`)
	b.press("1 new")
	b.sees("Brightwater")
	b.run(chromedp.Click(`[aria-label="Pause live updates"]`))
	b.sees("Paused")

	b.press("Brightwater")
	b.wait("a case", `location.pathname.startsWith("/cases/")`)
	b.run(chromedp.Location(&at))
	path := "/v1" + strings.TrimPrefix(at, c.url) + "/presence"
	waits.Poll(t, "the server knows who is at the case", func() bool { // another process
		return strings.Contains(fmt.Sprint(c.api(http.MethodGet, path, "")), "Ada Lovelace")
	})
}

func TestEverybodyCanUseThePages(t *testing.T) {
	t.Parallel()
	c := consoleServer(t)
	b := openBrowser(t, c.url)
	open := []string{"/sign-in", "/setup", "/operator", "/portal"}
	b.accessibleAt(open...)
	b.window(1280, "light")
	b.setUp(c.token)
	b.accessibleAt("/cases", "/messages") // that are empty
	endpoint, pages := c.onePageOfEach(b)
	for _, pattern := range unseen(append(open, pages...)) {
		t.Errorf("%s is not looked at", pattern)
	}
	b.accessibleAt(pages...)
	b.window(1280, "light")
	link := c.api(http.MethodPost, "/v1/portal-links", fmt.Sprintf(`{"endpoint":%q}`, endpoint))
	b.open(strings.TrimPrefix(fmt.Sprint(link["url"]), c.url))
	b.press("Open")
	b.at("/messages")
	b.accessibleAt("/messages", pages[0], "/endpoints", "/endpoints/"+endpoint, "/problems")
}

// unseen returns the patterns of the console's pages that none of some addresses is of.
func unseen(seen []string) (patterns []string) {
	mux, all := http.NewServeMux(), map[string]bool{}
	site := web.Register(api.Services{}, api.Console{Kernel: rest.New(rest.Config{})}, web.Config{})
	for pattern := range site.Pages() {
		mux.HandleFunc(pattern, func(http.ResponseWriter, *http.Request) {})
		all[pattern] = strings.HasPrefix(pattern, "GET ")
	}
	// Parts of pages, and what leads elsewhere.
	noPages := []string{"/live", "/views", "/queues/next", "/jump", "/documents/none"}
	for _, page := range append(noPages, seen...) {
		_, pattern := mux.Handler(httptest.NewRequest(http.MethodGet, page, nil))
		delete(all, pattern)
	}
	for pattern, isPage := range all {
		if isPage {
			patterns = append(patterns, pattern)
		}
	}
	return patterns
}

// onePageOfEach makes a thing of each kind, and returns an endpoint and the pages of all. The first is a message's.
func (c *console) onePageOfEach(b *browser) (endpoint string, pages []string) {
	c.t.Helper()
	made := func(path, body string) string {
		switch id := c.api(http.MethodPost, path, body)["id"].(type) {
		case float64:
			return fmt.Sprintf("%.0f", id)
		default:
			return fmt.Sprint(id)
		}
	}
	endpoint = made("/v1/endpoints", `{"name":"crm","url":"http://127.0.0.1:1/","triggers":["case_created"]}`)
	id := made("/v1/case-types/kyc/cases",
		`{"data":{"client_name":"Acme","nationalities":["NO"],"company":{"name":"Acme"}}}`)
	b.open("/messages")
	b.wait("an attempt", `document.querySelector("tbody tr[data-id]")`)
	var message string
	b.run(chromedp.Evaluate(`new URL(document.querySelector("tbody tr[data-id] a").href).pathname`, &message))
	contact := made("/v1/contacts", `{"is_business":true,"business_name":"Acme"}`)
	job := made("/v1/jobs", `{"cases":[`+id+`],"action":{"kind":"unassign"}}`)
	made("/v1/cases/"+id+"/transitions/submit",
		`{"ignore_warning":true,"data":{"email":"office@acme.example","country":"NO"}}`)
	asked := c.api(http.MethodGet, "/v1/questions", "")["items"].([]any)[0].(map[string]any)["id"]
	return endpoint, []string{
		message, message + "/replay", "/messages", "/endpoints", "/endpoints/new", "/endpoints/" + endpoint,
		"/endpoints/" + endpoint + "/edit", "/portal-links", "/catalogue", "/replays", "/problems",
		"/", "/none", "/cases", "/cases?q=acme&type=kyc", "/queues", "/cases/new", "/cases/" + id,
		"/cases/" + id + "/transitions/approve", "/jobs", "/jobs/new?type=kyc", "/jobs/" + job, "/contacts", "/contacts/new",
		"/contacts/" + contact, "/questions", fmt.Sprint("/questions/", asked), "/callbacks", "/dry-run", "/people",
		"/people/new", "/people/1", "/tokens", "/audit", "/settings", "/profile", "/types", "/types/new", "/types/kyc",
		"/types/kyc/forms", "/labels",
	}
}

const typeWithDocuments = `
key: filed
fields: { type: object, properties: { proof: { x-casehook-type: document, title: Proof } } }
states: [{ key: open, name: Open }]
transitions: [{ key: open, name: File it, to: open }, { key: edit, from: [open] }]
edit: edit
`

func TestADocumentIsUploadedInAForm(t *testing.T) {
	t.Parallel()
	c := consoleServer(t)
	b := openBrowser(t, c.url)
	b.setUp(c.token)
	c.api(http.MethodPut, "/v1/case-types/filed", typeWithDocuments)
	name := filepath.Join(t.TempDir(), "passport.pdf")
	if err := os.WriteFile(name, []byte("%PDF-1.4 a passport"), 0o600); err != nil {
		t.Fatal(err)
	}
	b.open("/cases/new?type=filed")
	choose := chromedp.SetUploadFiles(`[data-document] input[type=file]`, []string{name}, chromedp.ByQuery)
	b.run(choose)
	b.sees("passport.pdf", "Clear")
	b.press("Clear")
	b.wait("no document", `!document.querySelector("[data-document] a")`)
	b.accessible("a form with a document")
	b.run(choose)
	b.wait("the document", `document.querySelector("[data-document] a")`)
	b.press("File it")
	b.sees("Ada Lovelace created the case", "passport.pdf")
	b.run(chromedp.Evaluate(`void fetch(document.querySelector("[data-document] a").href)
		.then((answer) => answer.text()).then((text) => window.contents = text)`, nil))
	b.wait("the contents", `window.contents === "%PDF-1.4 a passport"`)
}

func TestAnIntegratorsDay(t *testing.T) {
	t.Parallel()
	c := consoleServer(t)
	var down atomic.Bool
	receiver := httptest.NewServer(wiretest.Handler(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if down.Load() {
			http.Error(w, "the database is down", http.StatusServiceUnavailable)
		}
	})))
	t.Cleanup(receiver.Close)
	b := openBrowser(t, c.url)
	b.setUp(c.token)

	b.open("/messages")
	b.sees("Live")
	b.open("/endpoints/new")
	b.fill("url", receiver.URL+"/webhooks")
	b.fill("name", "crm")
	b.run(chromedp.Click(`input[name=triggers][value=case_created]`), chromedp.Click(`.form-foot .button.primary`))
	b.sees("whsec_", "crm")

	create := func(name string) {
		c.api(http.MethodPost, "/v1/case-types/kyc/cases", `{"data":{"client_name":"`+name+`"}}`)
	}
	b.open("/messages")
	b.sees("Live")
	create("Acme")
	b.sees("case_created", "crm", "200")

	down.Store(true)
	create("Brightwater")
	b.sees("1 new")
	b.press("1 new")
	b.sees("503")
	b.keys("j", kb.Enter)
	b.sees("The receiver can’t answer now", "Try now", "Why it was sent")
	down.Store(false)
	b.press("Try now")
	b.sees("Delivered since, by a later try")
	b.open("/messages?outcome=delivered")
	b.wait("two deliveries", `document.querySelectorAll("tbody tr[data-id]").length === 2`)

	b.open("/endpoints")
	b.press("crm")
	b.sees("Attempts", "Settings")
	b.press("Rotate…")
	b.press("Make it")
	b.sees("whsec_")
	b.press("New replay…")
	b.press("Start the replay")
	b.sees("The replay has started.", "2 delivered, 0 failed; asked for by Ada Lovelace")

	b.press("New link…")
	b.press("Make the link")
	b.sees("This is the portal link.")
	var link string
	b.run(chromedp.Evaluate(`document.querySelector("code.secret").textContent`, &link))
	down.Store(true)
	create("Cedar")
	b.open(strings.TrimPrefix(link, c.url))
	b.sees("Webhook portal", "Opening the portal signs them out.")
	b.wait("the secret, and not in the address", `document.getElementById("secret").value && !location.hash`)
	b.press("Open")
	b.at("/messages")
	b.sees("Receiver of crm", "503")
	b.wait("no way to the cases", `!document.querySelector("a[href^='/cases'], #jump")`)
	b.run(chromedp.Click(`tbody tr[data-id]:first-child .m-trigger a`))
	b.sees("The receiver can’t answer now", "Body is what was sent")
	down.Store(false)
	b.press("Try now")
	b.wait("that it is tried again, or was already", `["It is tried again at once", "It was not waiting any more"].some(
		(text) => document.body.innerText.includes(text))`)
	b.sees("Delivered since, by a later try")
}
