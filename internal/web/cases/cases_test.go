package cases_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strings"
	"testing"

	"github.com/casehook/casehook/internal/waits"
	"github.com/casehook/casehook/internal/web/webtest"
	"github.com/casehook/casehook/internal/wire/wiretest"
)

// kyc starts a server with the example's case type, and a callback that answers as reply says.
func kyc(t *testing.T, reply func(path string, question map[string]any) any) *webtest.World {
	t.Helper()
	callback := httptest.NewServer(wiretest.Callback(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		var question map[string]any
		if err := json.Unmarshal(body, &question); err != nil {
			t.Error(err)
		}
		answer := reply(r.URL.Path, question)
		if answer == nil {
			answer = map[string]any{}
		}
		if err := json.NewEncoder(w).Encode(answer); err != nil {
			t.Error(err)
		}
	})))
	t.Cleanup(callback.Close)
	w := webtest.Start(t, "CALLBACKS", callback.URL)
	definition, err := os.ReadFile("../../../examples/kyc.yaml")
	if err != nil {
		t.Fatal(err)
	}
	w.API(http.MethodPut, "/v1/case-types/kyc", definition, nil)
	return w
}

func accept(string, map[string]any) any { return nil }

// client makes a case of a client, and returns its path.
func client(w *webtest.World, data map[string]any) string {
	var made struct {
		ID int64 `json:"id"`
	}
	w.API(http.MethodPost, "/v1/case-types/kyc/cases", map[string]any{"data": data}, &made)
	return fmt.Sprintf("/cases/%d", made.ID)
}

// wants checks that a page has texts.
func wants(t *testing.T, page webtest.Page, status int, texts ...string) {
	t.Helper()
	if page.Status != status {
		t.Errorf("%s: status %d, want %d", page.Path, page.Status, status)
	}
	text := page.Text()
	for _, want := range texts {
		if !strings.Contains(text, want) {
			t.Errorf("%s lacks %q:\n%s", page.Path, want, text)
		}
	}
}

// wantsNot checks that a page lacks texts, in its source too.
func wantsNot(t *testing.T, page webtest.Page, texts ...string) {
	t.Helper()
	for _, text := range texts {
		if strings.Contains(page.HTML, text) {
			t.Errorf("%s has %q", page.Path, text)
		}
	}
}

func TestCasesAreListedFilteredAndSearched(t *testing.T) {
	t.Parallel()
	w := kyc(t, accept)
	ada := w.Person("ada@example.org", "caseworker", "RESTRICTED")
	wants(t, ada.Get("/cases"), http.StatusOK, "There are no cases yet", "New case")
	client(w, map[string]any{"client_name": "Acme Corp"})
	client(w, map[string]any{"client_name": "Halvorsen Shipping"})
	wants(t, ada.Get("/cases"), http.StatusOK, "KYC-0001", "Acme Corp", "KYC-0002", "Draft",
		"GET /v1/cases?sort=-last_activity")
	found := ada.Get("/cases?q=halv&type=kyc")
	wants(t, found, http.StatusOK, "Halvorsen Shipping", "type KYC review")
	wantsNot(t, found, "Acme Corp")
	wants(t, ada.Get("/cases?state=closed"), http.StatusOK, "No case is like this")
	wants(t, found, http.StatusOK, "sort=relevance") // in the call of the API that does the same
	long := ada.Get("/cases?q=" + strings.Repeat("a", 300))
	wants(t, long, http.StatusUnprocessableEntity, "This search can’t be done", "must have 1 to 200 characters")
	if got := ada.Get("/jump?q=KYC-0002"); !strings.HasPrefix(got.Path, "/cases/") || strings.Contains(got.Path, "?") {
		t.Errorf("a reference leads to %s", got.Path)
	}
}

func TestACaseIsCreatedEditedAndMoved(t *testing.T) {
	t.Parallel()
	w := kyc(t, accept)
	ada := w.Person("ada@example.org", "caseworker", "RESTRICTED")
	wants(t, ada.Get("/cases/new"), http.StatusOK, "New KYC review", "Client", "Country of residence")
	refused := ada.Post("/cases/new", url.Values{
		"type": {"kyc"}, "transition": {"create"}, "data/client_name": {""}, "data/email": {"no address"},
		"data/expected_turnover": {"a lot"}, "data/company/name": {"Acme"}, "data/nationalities/0": {"norway"},
	})
	wants(t, refused, http.StatusUnprocessableEntity, "Nothing was saved", "Client : is required.", "E-mail : is not",
		"Expected turnover a year : is text", "Nationalities, 1 : does not match")
	for _, kept := range []string{`value="no address"`, `value="a lot"`, `value="norway"`} {
		if !strings.Contains(refused.HTML, kept) {
			t.Errorf("the form lost %s", kept)
		}
	}
	made := ada.Post("/cases/new", url.Values{
		"type": {"kyc"}, "transition": {"create"}, "data/client_name": {"Acme Corp"}, "data/email": {"a@acme.example"},
		"data/expected_turnover": {"12345678901234567890123"}, "data/politically_exposed": {"no"},
		"data/nationalities/0": {"NO"}, "data/nationalities/4": {"SE"}, "data/company/address/city": {""},
	})
	wants(t, made, http.StatusOK, "Acme Corp", "KYC-0001", "Ada created the case, in Draft",
		`"Submit for review" needs: Country of residence.`)
	path, _, _ := strings.Cut(made.Path, "?")
	var saved struct {
		Revision int64                      `json:"revision"`
		Data     map[string]json.RawMessage `json:"data"`
	}
	w.API(http.MethodGet, "/v1"+path, nil, &saved)
	for name, want := range map[string]string{
		"expected_turnover": "12345678901234567890123", "politically_exposed": "false", "nationalities": `["NO","SE"]`,
		"company": "",
	} {
		if got := strings.ReplaceAll(string(saved.Data[name]), " ", ""); got != want {
			t.Errorf("%s is %s, want %s", name, got, want)
		}
	}
	edited := ada.Post(path, url.Values{
		"revision": {fmt.Sprint(saved.Revision)}, "data/client_name": {"Acme Corp"}, "data/country": {"NO"},
		"data/email": {"a@acme.example"}, "data/expected_turnover": {"12345678901234567890123"},
		"data/politically_exposed": {"no"}, "data/nationalities/0": {"NO"}, "data/nationalities/1": {"SE"},
	})
	wants(t, edited, http.StatusOK, "Ada changed 1 field", "Country of residence NO", "asked /kyc/edit accepted")
	wants(t, ada.Post(path+"/transitions/submit", url.Values{
		"data/client_name": {"Acme Corp"}, "data/country": {"NO"}, "data/email": {"a@acme.example"},
		"data/expected_turnover": {"12345678901234567890123"}, "data/politically_exposed": {"no"},
		"data/nationalities/0": {"NO"}, "data/nationalities/1": {"SE"},
	}), http.StatusOK, "moved it from Draft to In review", "Return for completion")
	wants(t, ada.Post(path+"/transitions/return", nil), http.StatusOK, "moved it from In review to Draft")
}

func TestSomebodyWhoIsOvertakenKeepsTheirEntries(t *testing.T) {
	t.Parallel()
	w := kyc(t, accept)
	ada := w.Person("ada@example.org", "caseworker", "RESTRICTED")
	path := client(w, map[string]any{"client_name": "Acme Corp"})
	w.API(http.MethodPatch, "/v1"+path, map[string]any{"data": map[string]any{"country": "SE"}}, nil)
	page := ada.Post(path, url.Values{"revision": {"1"}, "data/client_name": {"Acme Ltd"}, "data/country": {"SE"}})
	wants(t, page, http.StatusUnprocessableEntity, "Somebody changed the case while you worked on it")
	if !strings.Contains(page.HTML, `value="Acme Ltd"`) || !strings.Contains(page.HTML, `name="revision" value="2"`) {
		t.Error("the form lost what was entered, or is based on the old revision")
	}
}

func TestACallbacksWordsAreShownAsItSaidThem(t *testing.T) {
	t.Parallel()
	w := kyc(t, func(path string, question map[string]any) any {
		if path == "/kyc/submit" {
			return map[string]any{"warnings": []string{"There is no passport <number> yet."}}
		}
		return map[string]any{"errors": []string{"The register knows no such client."}}
	})
	ada := w.Person("ada@example.org", "caseworker", "RESTRICTED")
	path := client(w, map[string]any{"client_name": "Acme", "country": "NO", "email": "a@acme.example"})
	same := url.Values{"data/client_name": {"Acme"}, "data/country": {"NO"}, "data/email": {"a@acme.example"}}
	refused := ada.Post(path, url.Values{"data/client_name": {"Acme Ltd"}, "data/country": {"NO"},
		"data/email": {"a@acme.example"}})
	wants(t, refused, http.StatusUnprocessableEntity, "refused the submission",
		"“The register knows no such client.”")
	warned := ada.Post(path+"/transitions/submit", same)
	wants(t, warned, http.StatusUnprocessableEntity, "“There is no passport <number> yet.”", "Continue anyway")
	same.Set("ignore_warning", "true")
	wants(t, ada.Post(path+"/transitions/submit", same), http.StatusOK, "warned, continued anyway",
		"There is no passport <number> yet.")
}

func TestOneSeesOfACaseWhatTheClearanceAllows(t *testing.T) {
	t.Parallel()
	w := kyc(t, accept)
	path := client(w, map[string]any{"client_name": "Acme", "email": "secret@acme.example", "passport_no": "ABC123456"})
	private := w.Person("bea@example.org", "caseworker", "PRIVATE")
	page := private.Get(path)
	wants(t, page, http.StatusOK, "Acme", "E-mail")
	wantsNot(t, page, "ABC123456", "Passport number")
	public := w.Person("cid@example.org", "admin", "PUBLIC")
	wants(t, public.Get(path), http.StatusNotFound, "There is nothing here")
	wantsNot(t, public.Get("/cases"), "Acme", "KYC-0001")
	wantsNot(t, public.Get("/"), "Acme", "KYC-0001")
}

func TestOneMayDoWithACaseWhatTheRoleAllows(t *testing.T) {
	t.Parallel()
	w := kyc(t, accept)
	path := client(w, map[string]any{"client_name": "Acme"})
	viewer := w.Person("vic@example.org", "viewer", "RESTRICTED")
	page := viewer.Get(path)
	wants(t, page, http.StatusOK, "Acme")
	wantsNot(t, page, "Write a comment", "Continue", `name="data/client_name"`, "bulk")
	for _, post := range []string{"", "/comments", "/assignee", "/labels", "/documents", "/transitions/submit"} {
		wants(t, viewer.Post(path+post, url.Values{"text": {"Hello"}}), http.StatusForbidden, "You may not see this page")
	}
	if got := w.Browser().Get(path); !strings.HasPrefix(got.Path, "/sign-in?to=%2Fcases%2F") {
		t.Errorf("someone who is not signed in is led to %s", got.Path)
	}
}

func TestColleaguesCommentAssignAndLabel(t *testing.T) {
	t.Parallel()
	w := kyc(t, accept)
	w.API(http.MethodPost, "/v1/labels", map[string]any{"slug": "fast_track", "name": "Fast track"}, nil)
	ada := w.Person("ada@example.org", "caseworker", "RESTRICTED")
	path := client(w, map[string]any{"client_name": "Acme"})
	wants(t, ada.Post(path+"/comments", url.Values{"text": {"<b>Ask</b> the register."}}), http.StatusOK,
		"Ada commented", "<b>Ask</b> the register.")
	empty := ada.Post(path+"/comments", url.Values{"text": {" "}})
	wants(t, empty, http.StatusUnprocessableEntity, "The comment")
	wants(t, ada.Post(path+"/assignee", url.Values{"assignee": {"1"}}), http.StatusOK, "assigned it to")
	labelled := ada.Post(path+"/labels", url.Values{"label": {"fast_track"}})
	wants(t, labelled, http.StatusOK, "added the label fast_track")
	id := strings.TrimPrefix(path, "/cases/")
	job := ada.Post("/jobs", url.Values{"case": {id, "4242"}, "action": {"assign"}, "assignee": {"none"}})
	wants(t, ended(t, ada, job.Path), http.StatusOK, "1 of 2 cases done, 1 failed", "KYC-0001 Done", "There is no case")
	wants(t, ada.Get(job.Path+"?result=failed"), http.StatusOK, "4242")
	wantsNot(t, ada.Get(job.Path+"?result=failed"), "KYC-0001")
	wants(t, ada.Get("/queues"), http.StatusOK, "Unassigned 1", "Draft 1")
	if got := ada.Get("/queues/next?assignee=none"); got.Path != path {
		t.Errorf("the next of the queue is %s, want %s", got.Path, path)
	}
}

// ended waits until a job has ended, and returns its page.
func ended(t *testing.T, b *webtest.Browser, path string) webtest.Page {
	t.Helper()
	var page webtest.Page
	waits.Poll(t, "the job ends", func() bool { // the server has no signal for tests
		page = b.Get(path)
		return !strings.Contains(page.Text(), "running")
	})
	return page
}

// All cases that match a filter are worked on at once, after their number and their kinds were named.
func TestAllThatMatchIsWorkedOn(t *testing.T) {
	w := kyc(t, accept)
	ada := w.Person("ada@example.org", "caseworker", "RESTRICTED")
	w.API("POST", "/v1/labels", map[string]any{"slug": "fast_track", "name": "Fast track"}, nil)
	for _, name := range []string{"Acme", "Brightwater", "Chidi"} {
		client(w, map[string]any{"client_name": name})
	}
	wants(t, ada.Get("/jobs"), http.StatusOK, "You have started no job")
	asked := ada.Get("/jobs/new?type=kyc&state=draft")
	wants(t, asked, http.StatusOK, "3 cases match", "type KYC review", "Draft 3", "KYC-0003 Chidi", "Label 3 cases")
	form := url.Values{"filter": {"type=kyc&state=draft"}, "count": {"3"}, "action": {"label"}, "label": {"fast_track"}}
	done := ended(t, ada, ada.Post("/jobs", form).Path)
	wants(t, done, http.StatusOK, "Label Fast track", "3 of 3 cases done", "KYC-0001 Done", "GET /v1/jobs/job_")
	wants(t, ada.Get("/cases?label=fast_track"), http.StatusOK, "Acme", "Chidi")

	client(w, map[string]any{"client_name": "Dana"})
	form.Set("action", "unlabel")
	wants(t, ada.Post("/jobs", form), http.StatusUnprocessableEntity, "4 cases are selected", "4 cases match")
	form.Set("count", "4")
	wants(t, ended(t, ada, ada.Post("/jobs", form).Path), http.StatusOK, "4 of 4 cases done")
	wants(t, ada.Get("/jobs"), http.StatusOK, "Remove the label Fast track", "done", "Label Fast track")
	form.Set("action", "")
	wants(t, ada.Post("/jobs", form), http.StatusBadRequest, "Choose what to do")
	viewer := w.Person("bo@example.org", "viewer", "RESTRICTED")
	wants(t, viewer.Post("/jobs", form), http.StatusForbidden, "may not do this")
}

// Those who look at a case, or edit it, are seen by the others until they leave.
func TestWhoElseIsAtACaseIsSeen(t *testing.T) {
	w := kyc(t, accept)
	ada, bo := w.Person("ada@example.org", "caseworker", "RESTRICTED"), w.Person("bo@example.org", "viewer", "RESTRICTED")
	path := client(w, map[string]any{"client_name": "Acme"})
	if page := ada.Get(path); !strings.Contains(page.HTML, `data-presence="`+path+`/presence"`) {
		t.Error("the page has no place for those who are there")
	}
	ada.Post(path+"/presence", url.Values{})
	wants(t, bo.Post(path+"/presence", url.Values{}), http.StatusOK, "Ada is here")
	wants(t, ada.Post(path+"/presence", url.Values{"editing": {"1"}}), http.StatusOK, "Bo is here")
	wants(t, bo.Post(path+"/presence", url.Values{}), http.StatusOK, "Ada is editing")
	ada.Post(path+"/presence/end", url.Values{})
	wantsNot(t, bo.Post(path+"/presence", url.Values{}), "Ada")
	wants(t, bo.Post("/cases/12345/presence", url.Values{}), http.StatusNotFound, "There is no case")
}
