package casework_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/casehook/casehook/internal/access"
	"github.com/casehook/casehook/internal/authz"
	"github.com/casehook/casehook/internal/casework"
	"github.com/casehook/casehook/internal/event"
	"github.com/casehook/casehook/internal/fault"
	"github.com/casehook/casehook/internal/store"
)

// asksList returns the callbacks of one point: each is at the path of its key; "" is at the path first.
func asksList(keys ...string) string {
	var all []string
	for _, key := range keys {
		path, named := key, `"key": "`+key+`", `
		if key == "" {
			path, named = "first", ""
		}
		all = append(all, `{`+named+`"url": "${CASEHOOK_VAR_CALLBACKS}/`+path+`", "retries": []}`)
	}
	return "[" + strings.Join(all, ", ") + "]"
}

// shownData returns case_data of the last question to a callback.
func (w *world) shownData(path string) map[string]any {
	w.t.Helper()
	at := w.callbacks.at(path)
	if len(at.bodies) == 0 {
		w.t.Fatalf("%s was not asked", path)
	}
	var body struct {
		Details struct {
			Data map[string]any `json:"case_data"`
		} `json:"case_details"`
	}
	if err := json.Unmarshal([]byte(at.bodies[len(at.bodies)-1]), &body); err != nil {
		w.t.Fatal(err)
	}
	return body.Details.Data
}

// Each callback of a list sees what the one before it made; the first that refuses ends it.
func TestSeveralCallbacksAreAskedInOrder(t *testing.T) {
	engines(t, func(t *testing.T, w *world) {
		w.put(w.p, asksAt(`"about_to_submit": `+asksList("", "second", "third"), ""))
		v := w.submit(casework.Submission{Type: "run", Data: object(`{"a": "1"}`)})
		w.callbacks.on("first", respond(200, `{"data": {"a": "2"}}`))
		w.callbacks.on("second", respond(200, `{"data": {"a": "3", "b": "4"}, "warnings": ["hm"]}`))
		w.callbacks.on("third", respond(200, ""))
		in := casework.Submission{CaseID: v.ID, Transition: "go"}
		_, err := w.submissions.Submit(t.Context(), w.p, in, authz.Once{})
		if refusal := wantFault(t, err, fault.Unprocessable, "callback.warnings"); refusal.Warnings[0] != "hm" ||
			!strings.Contains(refusal.Detail, "run/go (second)") {
			t.Errorf("refused with %+v", refusal)
		}
		if n := len(w.callbacks.at("third").bodies); n != 0 {
			t.Errorf("the third was asked %d times", n)
		}
		in.IgnoreWarning = true
		v = w.submit(in)
		for path, want := range map[string]map[string]any{
			"first": {"a": "1"}, "second": {"a": "2"}, "third": {"a": "3", "b": "4"},
		} {
			if diff := cmp.Diff(want, w.shownData(path)); diff != "" {
				t.Errorf("%s (-want +got):\n%s", path, diff)
			}
		}
		if diff := cmp.Diff(map[string]any{"a": "3", "b": "4"}, v.Data); diff != "" {
			t.Error(diff)
		}
		var keys []string
		for c := w.history(v.ID)[1].Callback; c != nil; c = c.Earlier {
			keys = append(keys, c.Key)
		}
		if diff := cmp.Diff([]string{"third", "second", ""}, keys); diff != "" {
			t.Error(diff)
		}
		for key, count := range map[string]int{"": 5, "second": 2, "third": 1, "fourth": 0} {
			if all := w.asked(w.p, store.QuestionFilter{Callback: key}); len(all) != count {
				t.Errorf("%d questions to %q, want %d", len(all), key, count)
			}
		}
		for path, want := range map[string]string{"first": "", "second": "second"} {
			if got := w.callbacks.at(path).requests[0].Header.Get("Casehook-Callback"); got != want {
				t.Errorf("%s was asked as %q", path, got)
			}
		}
	})
}

// The key of a callback identifies it in the newest version, wherever it stands there.
func TestRunningCasesAskTheCallbackOfTheSameKeyAtItsNewAddress(t *testing.T) {
	w := start(t)
	w.put(w.p, asksAt(`"about_to_submit": `+asksList("", "second"), ""))
	v := w.submit(casework.Submission{Type: "run"})
	moved := strings.Replace(asksList("third", "second", ""), "/second", "/moved", 1)
	w.put(w.p, asksAt(`"about_to_submit": `+moved, ""))
	v = w.submit(casework.Submission{CaseID: v.ID, Edit: true, Data: object(`{"a": "1"}`)})
	var urls []string
	for c := w.history(v.ID)[1].Callback; c != nil; c = c.Earlier {
		urls = append(urls, strings.TrimPrefix(c.URL, "${CASEHOOK_VAR_CALLBACKS}"))
	}
	if diff := cmp.Diff([]string{"/moved", "/first"}, urls); diff != "" {
		t.Error(diff)
	}
	w.put(w.p, asksAt(`"about_to_submit": `+asksList("third"), "")) // no guard vanishes from running cases
	v = w.submit(casework.Submission{CaseID: v.ID, Edit: true, Data: object(`{"a": "2"}`)})
	last := w.history(v.ID)[2].Callback
	if last.Earlier == nil || last.Key != "second" || last.Earlier.Key != "" {
		t.Errorf("asked are %+v", last)
	}
}

// All points take lists: starts and pages, which stop at a refusal, what is asked afterwards, which does not, and
// deletions, of which nothing but a refusal counts.
func TestEveryPointTakesSeveralCallbacks(t *testing.T) {
	w := start(t)
	w.put(w.p, asksAt(
		`"about_to_start": `+asksList("s1", "s2")+`, "submitted": `+asksList("d1", "d2", "d3")+
			`, "pages": [{"key": "1", "mid_event": `+asksList("m1", "m2")+`}]`,
		`"delete": {"about_to_submit": `+asksList("x1", "x2")+`}`))
	v := w.submit(casework.Submission{Type: "run", Data: object(`{"a": "1"}`)})

	w.callbacks.on("s1", respond(200, `{"data": {"a": "2"}}`))
	started, err := w.submissions.Start(t.Context(), w.p, casework.Start{CaseID: v.ID, Transition: "go"})
	if err != nil || started.Case.Data["a"] != "2" || w.shownData("s2")["a"] != "2" {
		t.Errorf("started with %v, %v", started.Case.Data, err)
	}
	w.callbacks.on("m2", respond(200, `{"errors": ["no"]}`))
	_, err = w.submissions.CheckPage(t.Context(), w.p, casework.FilledPage{CaseID: v.ID, Transition: "go", Page: "1"})
	if refusal := wantFault(t, err, fault.Unprocessable, "callback.errors"); !strings.Contains(refusal.Detail,
		"run/go (mid_event, m2)") {
		t.Error(refusal.Detail)
	}

	w.callbacks.on("d1", respond(200, `{"confirmation_header": "# One"}`))
	w.callbacks.on("d2", respond(500, ""))
	w.callbacks.on("d3", respond(200, ""))
	v = w.submit(casework.Submission{CaseID: v.ID, Transition: "go", Data: object(`{"a": "3"}`)})
	if c := v.Confirmation; c.Header != "# One" || !strings.Contains(c.Failure, "run/go (submitted, d2)") {
		t.Errorf("confirmed with %+v", c)
	}
	if asked := w.asked(w.p, store.QuestionFilter{Question: "submitted"}); len(asked) != 3 ||
		asked[0].Callback != "d3" {
		t.Errorf("asked are %+v", asked)
	}

	w.callbacks.on("x1", respond(200, `{"data": {"a": "9"}}`))
	w.callbacks.on("x2", respond(200, `{"errors": ["no"]}`), respond(200, ""))
	err = w.cases.DeleteCase(t.Context(), w.p, casework.Deletion{CaseID: v.ID})
	wantFault(t, err, fault.Unprocessable, "callback.errors")
	if err := w.cases.DeleteCase(t.Context(), w.p, casework.Deletion{CaseID: v.ID}); err != nil {
		t.Error(err)
	}
	if got := w.shownData("x2")["a"]; got != "3" {
		t.Errorf("the second was shown %v", got)
	}
	last, err := w.cases.History(t.Context(), w.p, v.ID, 0, 1)
	if err != nil || recorded(last.Items[0].Callback) != (recordedAnswers{Asked: 2}) {
		t.Errorf("the deletion was recorded with %+v, %v", last.Items[0].Callback, err)
	}
}

// recordedAnswers sums up the callbacks of an entry.
type recordedAnswers struct{ Asked, Replaced int }

func recorded(c *event.Callback) (sum recordedAnswers) {
	for ; c != nil; c = c.Earlier {
		if sum.Asked++; c.ReplacedData {
			sum.Replaced++
		}
	}
	return sum
}

// In a dry run another URL takes the place of one callback, and the others are asked too.
func TestADryRunAsksAnotherURLInThePlaceOfOneCallback(t *testing.T) {
	w := start(t)
	w.put(w.p, asksAt(`"about_to_submit": `+asksList("", "second"), ""))
	v := w.submit(casework.Submission{Type: "run", Data: object(`{"a": "1"}`)})
	w.callbacks.on("first", respond(200, `{"data": {"a": "2"}, "warnings": ["hm"]}`))
	w.callbacks.on("other", respond(200, `{"data": {"a": "3"}}`))
	in := casework.DryRun{
		Submission: casework.Submission{CaseID: v.ID, Transition: "go", IgnoreWarning: true},
		URL:        w.callbacks.url + "/other", Place: "second",
	}
	got := w.tryOut(w.p, in)
	if len(got.Questions) != 2 || got.Refusal != nil || !cmp.Equal(got.Warnings, []string{"hm"}) {
		t.Fatalf("the answer is %+v", got)
	}
	if q := got.Questions[1]; q.Callback != "second" || q.URL != in.URL {
		t.Errorf("asked is %+v", q)
	}
	if got := w.shownData("other")["a"]; got != "2" {
		t.Errorf("it was shown %v", got)
	}
	in.Place = ""
	if got = w.tryOut(w.p, in); got.Questions[0].URL != in.URL {
		t.Errorf("the answer is %+v", got)
	}
	if n := len(w.callbacks.at("second").bodies); n != 1 {
		t.Errorf("the second was asked %d times", n)
	}
	for name, wrong := range map[string]func(*casework.DryRun){
		"an unknown key":   func(in *casework.DryRun) { in.Place = "third" },
		"a key for no URL": func(in *casework.DryRun) { in.Place, in.URL = "second", "" },
		"a key where no is": func(in *casework.DryRun) {
			in.Place, in.CaseID, in.Type, in.Transition = "x", 0, "run", ""
		},
	} {
		t.Run(name, func(t *testing.T) {
			in := in
			wrong(&in)
			_, err := w.submissions.DryRun(t.Context(), w.as(access.Admin), in)
			wantFields(t, wantFault(t, err, fault.Unprocessable, "dry_run.invalid"), "/callback_key")
		})
	}
}
