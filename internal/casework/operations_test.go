package casework_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/casehook/casehook/internal/authz"
	"github.com/casehook/casehook/internal/casework"
	"github.com/casehook/casehook/internal/fault"
	"github.com/casehook/casehook/internal/store"
)

// watched is a type that asks a callback about operations.
func watched(dialect string) string {
	ask := `{"about_to_submit": {"url": "${CASEHOOK_VAR_CALLBACKS}/ops", "retries": []}}`
	return fmt.Sprintf(`{"key": "watched", "dialect": %q,
		"fields": {"type": "object", "properties": {"n": {"type": "integer"}}}, "states": [{"key": "open"}], "edit": "edit", "transitions": [{"key": "create", "to": "open"},
			{"key": "edit", "from": ["open"]}], "assign": %[2]s, "label": %[2]s, "comment": %[2]s}`, dialect, ask)
}

// operations are the changes of a case outside its content that callbacks are asked about.
func (w *world) operations(id, user int64) []struct {
	name, asked string
	do          func(ignoreWarning bool) error
} {
	ctx := w.t.Context()
	drop := func(_ any, err error) error { return err }
	label := func(ignore bool) casework.CaseLabel {
		return casework.CaseLabel{CaseID: id, Slug: "VIP", IgnoreWarning: ignore}
	}
	return []struct {
		name, asked string
		do          func(ignoreWarning bool) error
	}{
		{"@assign", fmt.Sprintf(`{"kind":"assign","assignee":{"user_id":%d,"name":"Grace"}}`, user), func(ignore bool) error {
			in := casework.Assignment{CaseID: id, UserID: user, IgnoreWarning: ignore}
			return drop(w.cases.Assign(ctx, w.p, in))
		}},
		{"@assign", `{"kind":"unassign"}`, func(ignore bool) error {
			return drop(w.cases.Assign(ctx, w.p, casework.Assignment{CaseID: id, IgnoreWarning: ignore}))
		}},
		{"@label", `{"kind":"add_label","label":"vip"}`, func(ignore bool) error {
			return drop(w.labels.AddLabel(ctx, w.p, label(ignore)))
		}},
		{"@label", `{"kind":"remove_label","label":"vip"}`, func(ignore bool) error {
			return drop(w.labels.RemoveLabel(ctx, w.p, label(ignore)))
		}},
		{"@comment", `{"kind":"add_comment","comment":"Call back."}`, func(ignore bool) error {
			in := casework.NewComment{CaseID: id, Text: "Call back.", IgnoreWarning: ignore}
			return drop(w.comments.AddComment(ctx, w.p, in, authz.Once{}))
		}},
	}
}

func TestATypeIsAskedAboutAssigneesLabelsAndComments(t *testing.T) {
	for dialect, override := range map[string]string{"quickcase": "override_state", "ccd": "state"} {
		t.Run(dialect, func(t *testing.T) {
			engines(t, func(t *testing.T, w *world) {
				w.put(w.p, watched(dialect))
				w.label(w.p, "vip")
				c := w.submit(casework.Submission{Type: "watched", Data: object(`{"n": 1}`)})
				for i, o := range w.operations(c.ID, w.user(w.p, "Grace")) {
					for answer, code := range map[string]string{
						`{"errors":["no"]}`: "callback.errors", `{"warnings":["hm"]}`: "callback.warnings", `[]`: "callback.failed",
					} {
						w.callbacks.on("ops", respond(200, answer))
						err := o.do(false)
						if n := len(w.history(c.ID)); fault.As(err).Code != code || n != 1+i {
							t.Errorf("%s after %s: %v, and %d entries", o.asked, answer, err, n)
						}
					}
					w.callbacks.on("ops", respond(200, `{"warnings":["hm"],"data":{"n":9},"`+override+`":"x"}`))
					if err := o.do(true); err != nil {
						t.Fatalf("%s: %v", o.asked, err)
					}
					w.wantOperation(c, o.name, o.asked, 2+i)
				}
			})
		})
	}
}

// wantOperation checks the last question, and what came of it.
func (w *world) wantOperation(c casework.View, name, asked string, entries int) {
	w.t.Helper()
	var body struct {
		Operation   json.RawMessage `json:"operation"`
		Before, Now struct {
			Data json.RawMessage `json:"case_data"`
		}
	}
	at := w.callbacks.at("ops")
	if err := json.Unmarshal([]byte(at.bodies[0]), &body); err != nil {
		w.t.Fatal(err)
	}
	if diff := cmp.Diff(asked, string(body.Operation)); diff != "" {
		w.t.Errorf("the callback is asked (-want +got):\n%s", diff)
	}
	if got := at.requests[0].Header.Get("Casehook-Transition"); got != name {
		w.t.Errorf("the question is about %s, want %s", got, name)
	}
	history := w.history(c.ID)
	last := history[len(history)-1]
	if last.Callback == nil || len(history) != entries {
		w.t.Fatalf("%d entries, the last with %+v", len(history), last.Callback)
	}
	kept, now := w.asked(w.p, store.QuestionFilter{Case: c.ID})[0], w.load(c.ID)
	for what, pair := range map[string][2]string{
		"data":     {encode(w.t, now.Data), `{"n":1}`},
		"state":    {now.State, "open"},
		"revision": {fmt.Sprint(now.Revision), "1"},
		"record":   {fmt.Sprint(last.Callback.ReplacedData, last.Callback.Override, last.Callback.Warnings), "false[hm]"},
		"question": {fmt.Sprint(kept.Transition, kept.Version, kept.Override), fmt.Sprint(name, last.Version, "")},
	} {
		if pair[0] != pair[1] {
			w.t.Errorf("the %s is %q, want %q", what, pair[0], pair[1])
		}
	}
}

// An operation that would change nothing asks nobody, and one on content that changes meanwhile is a conflict.
func TestAnOperationIsAboutTheCaseThatWasAskedAbout(t *testing.T) {
	engines(t, func(t *testing.T, w *world) {
		w.put(w.p, watched("quickcase"))
		w.label(w.p, "vip")
		c := w.submit(casework.Submission{Type: "watched", Data: object(`{"n": 1}`)})
		for i, o := range w.operations(c.ID, w.user(w.p, "Grace")) {
			w.callbacks.on("ops", func(rw http.ResponseWriter, _ *http.Request) {
				w.submit(casework.Submission{CaseID: c.ID, Edit: true, Data: object(fmt.Sprintf(`{"n": %d}`, 10+i))})
				io.WriteString(rw, "{}")
			})
			err := o.do(false)
			if strings.Contains(o.asked, "unassign") || strings.Contains(o.asked, "remove") {
				if asked := len(w.callbacks.at("ops").requests); err != nil || asked != 0 {
					t.Errorf("%s is asked %d times, %v", o.asked, asked, err)
				}
				continue
			}
			wantFault(t, err, fault.Conflict, "case.version_conflict")
		}
		if got := holding(w.load(c.ID)); got != "4/4 0 []" {
			t.Errorf("the case has %s", got)
		}
	})
}
