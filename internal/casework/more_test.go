package casework_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/casehook/casehook/internal/access"
	"github.com/casehook/casehook/internal/authz"
	"github.com/casehook/casehook/internal/casework"
	"github.com/casehook/casehook/internal/fault"
	"github.com/casehook/casehook/internal/store"
	"github.com/casehook/casehook/internal/wire"
)

// doer is a type whose callbacks do more with a case than contents.
const doer = `{"key": "doer", "fields": {"type": "object", "properties": {"n": {"type": "integer"}}},
	"states": [{"key": "open"}], "edit": "edit", "transitions": [
		{"key": "create", "to": "open", "about_to_submit": {"url": "${CASEHOOK_VAR_CALLBACKS}/one", "retries": []}},
		{"key": "plain", "to": "open"},
		{"key": "edit", "from": ["open"], "about_to_submit": [
			{"key": "one", "url": "${CASEHOOK_VAR_CALLBACKS}/one", "retries": []},
			{"key": "two", "url": "${CASEHOOK_VAR_CALLBACKS}/two", "retries": []}]}],
	"delete": {"about_to_submit": {"url": "${CASEHOOK_VAR_CALLBACKS}/one", "retries": []}}}`

// told lists who did what with a case, without its contents.
func (w *world) told(id int64) (all []string) {
	w.t.Helper()
	for _, e := range w.history(id) {
		for _, f := range e.Facts {
			all = append(all, fmt.Sprintf("%d %s %s", e.Version, e.Actor.Name, f.Name))
		}
	}
	return all
}

// holding sums up what callbacks may change of a case besides its content.
func holding(v casework.View) string {
	return fmt.Sprintf("%d/%d %d %v", v.Version, v.Revision, v.Assignee.UserID, v.Labels)
}

func TestAnAnswerSetsAssigneeLabelsAndNotes(t *testing.T) {
	engines(t, func(t *testing.T, w *world) {
		w.put(w.p, doer)
		w.label(w.p, "vip", "new")
		grace, ada := w.user(w.p, "Grace"), w.user(w.p, "Ada")
		w.callbacks.on("one", respond(200, fmt.Sprintf(`{"data":{"n":1},"casehook":{"assignee":{"user_id":%d},
			"labels":{"add":["NEW"]},"notes":[{"text":"Ask."},{"text":"Call.","due":"2026-12-01"}]}}`, grace)))
		once := authz.Once{
			Operation: access.CreateCase, Key: "k", Request: "r",
			Render: func(v any) (store.Answer, error) {
				return store.Answer{Status: 201, Body: []byte(strings.Join(v.(casework.View).Labels, ","))}, nil
			},
		}
		create := casework.Submission{Type: "doer", Transition: "create"}
		made, err := w.submissions.Submit(t.Context(), w.p, create, once)
		if err != nil {
			t.Fatal(err)
		}
		if got := holding(made); got != fmt.Sprintf("5/1 %d [new]", grace) {
			t.Errorf("the answer has %s", got)
		}
		_, err = w.submissions.Submit(t.Context(), w.p, create, once)
		if repeat, ok := err.(*authz.RepeatError); !ok || string(repeat.Answer.Body) != "new" {
			t.Errorf("repeated, it is answered with %v", err)
		}
		w.callbacks.on("one", respond(200, fmt.Sprintf(
			`{"casehook":{"assignee":{"user_id":%d},"labels":{"add":["vip"],"remove":["new"]}}}`, ada)))
		w.callbacks.on("two", respond(200, `{"casehook":{"assignee":null,"labels":{"remove":["vip"]},"notes":null}}`))
		v := w.submit(casework.Submission{CaseID: made.ID, Edit: true}) // nothing but that changes
		if got := holding(v); got != "7/1 0 []" {
			t.Errorf("then it has %s", got)
		}
		v = w.submit(casework.Submission{CaseID: made.ID, Edit: true, Data: object(`{"n": 2}`)})
		if diff := cmp.Diff(v.Case, w.load(made.ID).Case); diff != "" || v.Version != 8 {
			t.Errorf("the answer is not what is stored: %s", diff)
		}
		one, two := "callback doer/create", "callback doer/edit (two)"
		by := w.p.Actor.Name
		want := []string{
			"1 " + by + " case.created", "1 " + by + " case.state_changed", "2 " + one + " case.assigned",
			"3 " + one + " case.label_added", "4 " + one + " case.commented", "5 " + one + " case.commented",
			"6 " + two + " case.unassigned", "7 " + two + " case.label_removed", "8 " + by + " case.changed",
		}
		if diff := cmp.Diff(want, w.told(made.ID)); diff != "" {
			t.Error(diff)
		}
		notes, err := w.comments.Comments(t.Context(), w.p, made.ID, "", 10)
		if err != nil {
			t.Fatal(err)
		}
		var texts []string
		for _, n := range notes.Items {
			texts = append(texts, n.By.Name+": "+n.Text+" "+n.Due)
		}
		if diff := cmp.Diff([]string{one + ": Ask. ", one + ": Call. 2026-12-01"}, texts); diff != "" {
			t.Error(diff)
		}
		w.callbacks.on("one", respond(200, `{"casehook":{"labels":{"add":["vip"]}}}`))
		if err := w.cases.DeleteCase(t.Context(), w.p, casework.Deletion{CaseID: made.ID}); err != nil {
			t.Errorf("a deletion: %v", err)
		}
	})
}

func TestWhatAnAnswerCantDoSavesNothing(t *testing.T) {
	engines(t, func(t *testing.T, w *world) {
		w.put(w.p, doer)
		w.label(w.p, "vip")
		c := w.submit(casework.Submission{Type: "doer", Transition: "plain"})
		many := strings.Repeat(`{"text":"x"},`, 10) + `{"text":"x"}`
		labels := strings.Repeat(`"vip",`, 100) + `"vip"`
		for answer, want := range map[string]string{
			`{"assignee":{"user_id":99},"labels":{"add":["vip","none"],"remove":["no ne"]}}`:
			/* */ "/casehook/assignee/user_id /casehook/labels/add/1 /casehook/labels/remove/0",
			`{"notes":[{"text":" "},{"text":"x","due":"2026-02-30"}]}`: "/casehook/notes/0/text /casehook/notes/1/due",
			`{"notes":[` + many + `]}`: "/casehook/notes",
			`{"labels":{"add":[` + labels + `],"remove":[` + labels + `]}}`:
			/* */ "/casehook/labels/add /casehook/labels/remove",
			`[]`: "callback.failed", `{"assignee":7}`: "callback.failed", `{"assign":null}`: "callback.failed",
			`{"assignee":{"user_id":"7"}}`: "callback.failed", `{"labels":{"add":"vip"}}`: "callback.failed",
			`{"labels":["vip"]}`: "callback.failed", `{"notes":[{"due":"2026-01-01"}]}`: "callback.failed",
			`{"notes":{"text":"x"}}`: "callback.failed", `{"assignee":{"user_id":0}}`: "callback.failed",
		} {
			w.callbacks.on("one", respond(200, `{"data":{"n":5},"casehook":`+answer+`}`))
			w.callbacks.on("two", respond(200, ""))
			in := casework.Submission{CaseID: c.ID, Edit: true}
			_, err := w.submissions.Submit(t.Context(), w.p, in, authz.Once{})
			f := fault.As(err)
			if f.Code == want && f.Kind == fault.Upstream {
				continue
			}
			wantFields(t, wantFault(t, err, fault.Unprocessable, "callback.data_invalid"), strings.Fields(want)...)
		}
		if got := w.load(c.ID); got.Version != 1 || len(w.history(c.ID)) != 1 {
			t.Errorf("saved is %+v", got.Case)
		}
	})
}

func TestADryRunTellsWhatAnAnswerWouldDo(t *testing.T) {
	w := start(t)
	w.put(w.p, doer)
	w.label(w.p, "vip")
	c := w.submit(casework.Submission{Type: "doer", Transition: "plain"})
	w.callbacks.on("one", respond(200,
		`{"casehook":{"assignee":null,"labels":{"add":["vip"]},"notes":[{"text":"x"}]}}`))
	w.callbacks.on("two", respond(200, ""))
	got := w.tryOut(w.p, casework.DryRun{Submission: casework.Submission{CaseID: c.ID}}).More
	want := wire.More{
		Assignee: &wire.MoreAssignee{}, Labels: wire.MoreLabels{Add: []string{"vip"}},
		Notes: []wire.MoreNote{{Text: "x"}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if got := holding(w.load(c.ID)); got != "1/1 0 []" {
		t.Errorf("it did it: %s", got)
	}
}

// A comment is due on a date.
func TestACommentIsDueOnADate(t *testing.T) {
	engines(t, func(t *testing.T, w *world) {
		w.put(w.p, doer)
		c := w.submit(casework.Submission{Type: "doer", Transition: "plain"})
		add := func(due string) error {
			_, err := w.comments.AddComment(t.Context(), w.p,
				casework.NewComment{CaseID: c.ID, Text: "Call.", Due: due}, authz.Once{})
			return err
		}
		for _, due := range []string{"tomorrow", "2026-13-01", "2026-1-1", "2026-01-01T00:00:00Z"} {
			wantFields(t, wantFault(t, add(due), fault.Unprocessable, "comment.invalid"), "/due")
		}
		due := time.Now().Format(time.DateOnly)
		if err := add(due); err != nil {
			t.Fatal(err)
		}
		found, err := w.comments.Comments(t.Context(), w.p, c.ID, "", 10)
		if err != nil || len(found.Items) != 1 || found.Items[0].Due != due {
			t.Errorf("the comments are %+v, %v", found.Items, err)
		}
	})
}
