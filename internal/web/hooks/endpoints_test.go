package hooks_test

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"
)

func TestEndpointsShowHowTheyAreDoing(t *testing.T) {
	t.Parallel()
	w := start(t)
	_, bad := w.create("A note")
	want(t, w.manager.Get("/endpoints"), 200, "crm", "billing", "New endpoint", "healthy")
	page := w.manager.Get("/endpoints/" + w.bad)
	want(t, page, 200, "billing", "422", "case_created", "Test send", "Rotate…", "It never receives",
		"Fingerprint", "/messages/"+bad)
	want(t, w.manager.Get("/endpoints/ep_none"), 404)
	viewer := w.console.Person("vi@example.com", "viewer", "RESTRICTED")
	for _, path := range []string{"/endpoints", "/endpoints/" + w.good, "/replays"} {
		want(t, viewer.Get(path), 403)
	}
	want(t, viewer.Post("/endpoints/"+w.good+"/pause", nil), 403)
	low := w.console.Person("lo@example.com", "manager", "PUBLIC")
	want(t, low.Get("/endpoints"), 200, "No endpoint yet")
	want(t, low.Get("/endpoints/"+w.good), 404)
	want(t, low.Post("/endpoints/"+w.good+"/pause", nil), 404)
}

func TestAnEndpointIsPausedResumedAndDeleted(t *testing.T) {
	t.Parallel()
	w := start(t)
	path := "/endpoints/" + w.good
	want(t, w.manager.Post(path+"/pause", nil), 200, "Paused: nothing is sent", "It is paused", "Resume…")
	w.console.API(http.MethodPost, "/v1/case-types/note/cases", map[string]any{"data": map[string]any{}}, nil)
	want(t, w.manager.Get(path), 200, "it skips 1 commit,")
	want(t, w.manager.Post(path+"/resume", url.Values{"at": {"head"}}), 200, "messages that waited are skipped")
	want(t, w.manager.Post(path+"/pause", nil), 200, "Resume…")
	want(t, w.manager.Post(path+"/resume", url.Values{"at": {"cursor"}}), 200, "nothing was skipped", "Pause…")
	paused := w.manager.Post(path+"/pause", nil)
	active := w.manager.Undo(paused)
	want(t, active, 200, "nothing was skipped", "Pause…")
	want(t, w.manager.Undo(active), 200, "Paused: nothing is sent", "Resume…")
	if skipped := w.manager.Post(path+"/resume", url.Values{"at": {"head"}}); skipped.CanUndo() {
		t.Error("what is skipped can be taken back")
	}
	want(t, w.manager.Post(path+"/delete", nil), 200, "billing")
	want(t, w.manager.Get(path), 404)
}

func TestDeadMessagesAreResentAndDropped(t *testing.T) {
	t.Parallel()
	w := start(t)
	_, first := w.create("A note")
	path := "/endpoints/" + w.bad
	w.until(path, "Resend all 1")
	want(t, w.manager.Post(path+"/dead/retry", url.Values{"all": {"yes"}}), 200, "They are being sent again.",
		"1 dead message")
	w.newest(w.bad, first)
	w.until(path, "Resend all 1")
	want(t, w.manager.Post(path+"/dead/drop", url.Values{"all": {"yes"}}), 200, "No message was given up.")
	want(t, w.manager.Post(path+"/dead/drop", url.Values{}), 422)
	want(t, w.manager.Get("/replays"), 200, "1 dead message", "done", "asked for by Mara")
}

// until waits until a page has a text.
func (w *world) until(path, text string) {
	w.t.Helper()
	for end := time.Now().Add(20 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		got := w.manager.Get(path)
		if strings.Contains(got.Text(), text) || strings.Contains(got.HTML, text) {
			return
		}
		if time.Now().After(end) {
			w.t.Fatalf("%s never has %q: %s", path, text, got.Text())
		}
	}
}

var secretText = regexp.MustCompile(`whsec_[A-Za-z0-9+/=]+`)

func TestTheListOfEndpointsIsNarrowed(t *testing.T) {
	t.Parallel()
	w := start(t)
	w.create("A note")
	w.until("/endpoints?show=dead", "billing")
	dead := w.manager.Get("/endpoints?show=dead")
	want(t, dead, 200, "Remove the filter show dead")
	if strings.Contains(dead.Text(), "crm") {
		t.Errorf("the list has endpoints without dead messages: %s", dead.Text())
	}
	want(t, w.manager.Get("/endpoints?show=stopped"), 200, "No endpoint is stopped.", "Show all")
	want(t, w.manager.Post("/endpoints/"+w.good+"/pause", nil), 200)
	want(t, w.manager.Get("/endpoints?show=stopped"), 200, "crm")
	want(t, w.manager.Get("/endpoints?show="+url.QueryEscape(hostile)), 200, "crm", "billing")
}

func TestSecretsAreRotatedAndShownOnce(t *testing.T) {
	t.Parallel()
	w := start(t)
	path := "/endpoints/" + w.good
	made := w.manager.Post(path+"/secrets", url.Values{"overlap": {"1h"}})
	want(t, made, 200, "It is shown this once", "59 min left")
	if secretText.FindString(made.HTML) == "" {
		t.Error("the new secret is not shown")
	}
	again := w.manager.Get(path)
	if secretText.MatchString(again.HTML) {
		t.Error("a secret is shown again")
	}
	want(t, again, 200, "signs alone; until then both do.", "Nothing was accepted since it was made.",
		"Test with the new secret alone")
	w.create("After the rotation")
	w.until(path, "accepted 1 with both signatures")
	test := regexp.MustCompile(`action="(/endpoints/ep_\w+/secrets/sec_\w+/test)"`).FindStringSubmatch(again.HTML)
	if test == nil {
		t.Fatal("the new secret can't be tested")
	}
	want(t, w.manager.Post(test[1], nil), 200, "A sample was sent that this secret alone signed",
		"it accepted a sample that the new secret alone signed")
	want(t, w.manager.Post(strings.Replace(test[1], "sec_", "sec_0", 1), nil), 404)
	bad := "/endpoints/" + w.bad
	w.manager.Post(bad+"/secrets", url.Values{"overlap": {"1h"}})
	test = regexp.MustCompile(`action="(/endpoints/ep_\w+/secrets/sec_\w+/test)"`).
		FindStringSubmatch(w.manager.Get(bad).HTML)
	want(t, w.manager.Post(test[1], nil), 200, "422", "it did not accept a sample that the new secret alone signed")
	end := regexp.MustCompile(`/secrets/(sec_[0-9a-f]+)/end`).FindAllStringSubmatch(again.HTML, -1)
	if len(end) != 2 {
		t.Fatalf("%d secrets can be ended, want 2", len(end))
	}
	want(t, w.manager.Post(path+"/secrets/"+end[1][1]+"/end", nil), 200, "The secret has ended")
	want(t, w.manager.Post(path+"/secrets/"+end[0][1]+"/end", nil), 409)
}

func TestAFilterIsTriedBeforeItIsSaved(t *testing.T) {
	t.Parallel()
	w := start(t)
	w.create("First")
	w.create("Second")
	path := "/endpoints/" + w.good
	tried := w.manager.Get(path + "?filter=" + url.QueryEscape("case.name == 'First'"))
	want(t, tried, 200, "keeps 1 , leaves out 1", "not saved", "Save filter")
	want(t, w.manager.Get(path+"?filter="+url.QueryEscape("case.")), 200, "not saved", `role="alert"`)
	want(t, w.manager.Post(path+"/filter", url.Values{"filter": {"case."}}), 422, `role="alert"`)
	saved := w.manager.Post(path+"/filter", url.Values{"filter": {"case.name != '<b>'"}})
	want(t, saved, 200, "Saved.", "case.name != &#39;&lt;b&gt;&#39;")
	if undone := w.manager.Undo(saved); strings.Contains(undone.Text(), "case.name != '<b>'") {
		t.Errorf("the filter is not taken back: %s", undone.Text())
	}
	want(t, w.manager.Post(path+"/filter", url.Values{"filter": {"case.name != '<b>'"}}), 200, "Saved.")
	want(t, w.manager.Post("/endpoints/ep_none/filter", url.Values{"filter": {"true"}}), 404)
}

func TestASampleIsSentAndItsAnswerShown(t *testing.T) {
	t.Parallel()
	w := start(t)
	path := "/endpoints/" + w.good
	want(t, w.manager.Get(path+"?trigger=case_comment"), 200, `"trigger": "case_comment"`)
	form := url.Values{"trigger": {"case_created"}, "sample": {"case_comment"}, "body": {"{}"}}
	want(t, w.manager.Post(path+"/test", form), 200, "200 OK", "signed")
	if got := <-w.received; got != "case_created" {
		t.Errorf("the receiver was sent %q", got)
	}
	form = url.Values{"trigger": {"case_created"}, "sample": {"case_created"}, "body": {"{"}}
	want(t, w.manager.Post(path+"/test", form), 422, "is not valid JSON")
	want(t, w.manager.Post("/endpoints/"+w.bad+"/test", url.Values{"trigger": {"case_created"}}), 200,
		"422 Unprocessable Entity", "The receiver refused the content.")
	want(t, w.manager.Post(path+"/test", url.Values{"trigger": {"nothing"}}), 404)
}

func TestReplaysAreStartedAndCancelled(t *testing.T) {
	t.Parallel()
	w := start(t)
	w.create("A note")
	<-w.received
	path := "/endpoints/" + w.good
	want(t, w.manager.Post(path+"/replays", url.Values{"since": {""}, "trigger": {"case_created"}}), 200,
		"The replay has started.", "All of a time: case_created")
	if got := <-w.received; got != "case_created" {
		t.Errorf("the receiver was sent %q", got)
	}
	want(t, w.manager.Post(path+"/replays", url.Values{"subject": {hostile}}), 422, "is not a subject")
	w.manager.Post(path+"/pause", nil)
	running := w.manager.Post(path+"/replays", url.Values{})
	want(t, running, 200, "the endpoint is paused")
	cancel := regexp.MustCompile(`/replays/rpl_[0-9a-f]+/cancel`).FindString(running.HTML)
	want(t, w.manager.Post(path+cancel, url.Values{"back": {"list"}}), 200, "cancelled")
}

func TestAnEndpointIsMadeAndChangedByAForm(t *testing.T) {
	t.Parallel()
	w := start(t)
	want(t, w.manager.Get("/endpoints/new?trigger=case_comment"), 200, "New endpoint", "A comment was added",
		`value="case_comment" checked`)
	form := url.Values{
		"name": {"erp " + hostile}, "url": {"https://erp.example/hooks"}, "triggers": {"case_created", "case_comment"},
		"sources": {"ui"}, "clearance": {"PRIVATE"}, "retries": {"5s, 1m"}, "timeout": {"10s"}, "concurrency": {"4"},
		"order": {"strict"}, "rate_limit": {"2.5"}, "payload": {"thin"}, "headers": {"X-Api-Key: sesame\nX-Two: b"},
		"auth_type": {"bearer"}, "auth_token": {"open"}, "filter": {"case.type == 'note'"},
	}
	wrong := url.Values{"url": {"ftp://x"}, "sources": {"ui"}, "clearance": {"PRIVATE"}, "timeout": {"10s"},
		"concurrency": {"4"}, "order": {"strict"}, "payload": {"full"}, "filter": {"case."}, "name": {hostile}}
	refused := w.manager.Post("/endpoints", wrong)
	want(t, refused, 422, "Nothing was saved", `href="#url"`, `href="#triggers"`, `href="#filter"`, "ftp://x")
	want(t, w.manager.Post("/endpoints", url.Values{"timeout": {"soon"}, "retries": {"x"}}), 422,
		"Choose at least one.", "is not a length of time", "It is not a number from 1 to 64.")
	made := w.manager.Post("/endpoints", form)
	want(t, made, 200, "It is shown this once", "Send a test")
	if secretText.FindString(made.HTML) == "" {
		t.Error("the secret is not shown")
	}
	id := regexp.MustCompile(`/endpoints/(ep_[0-9a-f]+)`).FindStringSubmatch(made.HTML)[1]
	edit := w.manager.Get("/endpoints/" + id + "/edit")
	want(t, edit, 200, "X-Api-Key: (hidden)", "5s, 1m", "2.5", "Save")
	if strings.Contains(edit.HTML, "sesame") || strings.Contains(edit.HTML, `"open"`) {
		t.Error("the form shows a secret")
	}
	form.Set("headers", "X-Api-Key: (hidden)")
	form.Set("auth_token", "(hidden)")
	form.Set("description", "For the books")
	want(t, w.manager.Post("/endpoints/"+id+"/edit", form), 200, "Saved.", "For the books", "X-Api-Key: (hidden)",
		"2: 5s, 1m", "ui alone", "2.5 a second", "thin")
	form.Set("url", "https://other.example/hooks") // secrets do not follow to another host
	want(t, w.manager.Post("/endpoints/"+id+"/edit", form), 422, "Nothing was saved", `href="#auth_token"`)
	viewer := w.console.Person("vi@example.com", "viewer", "RESTRICTED")
	want(t, viewer.Get("/endpoints/new"), 403)
	want(t, viewer.Post("/endpoints", form), 403)
	want(t, viewer.Post("/endpoints/"+id+"/edit", form), 403)
}
