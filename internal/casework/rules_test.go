package casework_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/casehook/casehook/internal/authz"
	"github.com/casehook/casehook/internal/casetype"
	"github.com/casehook/casehook/internal/casework"
	"github.com/casehook/casehook/internal/fault"
)

// ruled is a case type with rules of its own, and of its transition go, which has a callback.
const ruled = `{"key": "ruled", "fields": {"type": "object", "properties": {
		"net": {"type": "integer"}, "tax": {"type": "integer", "maximum": 1000}, "total": {"type": "integer"},
		"why": {"type": "string"}, "secret": {"type": "string", "x-classification": "RESTRICTED"}}},
	"states": [{"key": "s"}],
	"rules": [{"set": {"tax": "data.net / 5"}, "when": "has(data.net)"},
		{"set": {"total": "data.net + data.tax"}, "when": "has(data.net)"}],
	"transitions": [{"key": "begin", "to": "s"}, {"key": "go", "from": ["s"], "rules": [
		{"refuse": "has(data.total) && data.total > 600", "message": "Too much.", "field": "total"},
		{"warn": "has(data.total) && data.total > 60", "message": "Is that right?"},
		{"refuse": "has(data.secret) && data.secret == \"no\"", "message": "The secret says no.", "field": "secret"}],
		"about_to_submit": {"url": "${CASEHOOK_VAR_CALLBACKS}/ruled", "retries": []}},
		{"key": "bare", "from": ["s"], "rules": [{"refuse": "data.why == \"\"", "message": "Why?"}]}]}`

// Rules compute fields before the callback is asked, and judge both what was submitted and what is saved.
func TestRulesComputeRefuseAndWarn(t *testing.T) {
	engines(t, func(t *testing.T, w *world) {
		w.put(w.p, ruled)
		v := w.submit(casework.Submission{Type: "ruled", Data: object(`{"net": 10, "tax": 99}`)})
		if diff := cmp.Diff(object(`{"net": 10, "tax": 2, "total": 12}`), v.Data); diff != "" {
			t.Error(diff)
		}
		try := func(data string, ignore bool) *fault.Error {
			_, err := w.submissions.Submit(t.Context(), w.p, casework.Submission{
				CaseID: v.ID, Transition: "go", Data: object(data), IgnoreWarning: ignore,
			}, authz.Once{})
			if err == nil {
				return nil
			}
			return fault.As(err)
		}
		for _, c := range []struct {
			name, data, code string
			ignore           bool
			errors, warnings []string
			fields           []string
		}{
			{name: "both", data: `{"net": 1000}`, code: "rule.refused", ignore: true, errors: []string{"Too much."},
				warnings: []string{"Is that right?"}, fields: []string{"/data/total"}},
			{name: "a warning", data: `{"net": 100}`, code: "rule.warnings", warnings: []string{"Is that right?"}},
			{name: "a computed value that is invalid", data: `{"net": 10000}`, code: "rule.data_invalid",
				fields: []string{"/data/tax"}},
			{name: "invalid data", data: `{"net": "x"}`, code: "case.data_invalid", fields: []string{"/data/net"}},
		} {
			e := try(c.data, c.ignore)
			var fields []string
			for _, f := range e.Fields {
				fields = append(fields, f.Path)
			}
			if diff := cmp.Diff([]any{c.code, c.errors, c.warnings, c.fields},
				[]any{e.Code, e.Errors, e.Warnings, fields}); diff != "" {
				t.Errorf("%s (-want +got):\n%s", c.name, diff)
			}
		}
		if n := len(w.callbacks.at("ruled").bodies); n != 0 {
			t.Errorf("the callback was asked %d times", n)
		}
		if e := try(`{"net": 100}`, true); e != nil {
			t.Error(e)
		}
		if diff := cmp.Diff(object(`{"net": 100, "tax": 20, "total": 120}`),
			object(string(must(casetype.Encode(w.shownData("ruled")))))); diff != "" {
			t.Errorf("the callback was shown (-want +got):\n%s", diff)
		}
		w.callbacks.on("ruled", respond(200, `{"data": {"net": 1, "tax": 1, "total": 601}}`))
		if e := try(`{"net": 1}`, false); e == nil || e.Code != "rule.refused" {
			t.Errorf("what the callback made of it is judged as %v", e)
		}
		result := w.tryOut(w.p, casework.DryRun{
			Submission: casework.Submission{CaseID: v.ID, Transition: "go", Data: object(`{"net": 1}`)},
		})
		if result.Refusal == nil || result.Refusal.Code != "rule.refused" || len(result.Questions) != 1 {
			t.Errorf("the dry run tells %+v", result)
		}
	})
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// A rule that can't be computed refuses, and no rule tells of fields that the submitter does not see.
func TestRulesRefuseWhereTheyCannotBeComputedAndDiscloseNothing(t *testing.T) {
	w := start(t)
	w.put(w.p, ruled)
	v := w.submit(casework.Submission{Type: "ruled", Data: object(`{"secret": "no"}`)})
	bare := casework.Submission{CaseID: v.ID, Transition: "bare"}
	_, err := w.submissions.Submit(t.Context(), w.p, bare, authz.Once{})
	wantFields(t, wantFault(t, err, fault.Unprocessable, "rule.undetermined"), "/data/why")
	below := w.p
	below.Clearance = casetype.Public
	in := casework.Submission{CaseID: v.ID, Transition: "go"}
	_, err = w.submissions.Submit(t.Context(), below, in, authz.Once{})
	if e := wantFault(t, err, fault.Unprocessable, "rule.refused"); len(e.Fields) != 0 ||
		strings.Contains(e.Errors[0], "secret") {
		t.Errorf("refused with %+v", e)
	}
	_, err = w.submissions.Submit(t.Context(), w.p, in, authz.Once{})
	wantFields(t, wantFault(t, err, fault.Unprocessable, "rule.refused"), "/data/secret")
}
