package casework_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/casehook/casehook/internal/authz"
	"github.com/casehook/casehook/internal/casetype"
	"github.com/casehook/casehook/internal/casework"
	"github.com/casehook/casehook/internal/event"
	"github.com/casehook/casehook/internal/fault"
)

// asking returns a case type with callbacks at a path: of its transition go, its edit, switches and deletions. More are
// further settings of these callbacks.
func asking(path, more string) string {
	ask := fmt.Sprintf(`"about_to_submit": {"url": "${CASEHOOK_VAR_CALLBACKS}/%s"%s}`, path, more)
	return asksAt(ask, `"switch": {`+ask+`}, "delete": {`+ask+`}`)
}

// asksAt returns a case type with extra members, whose transitions have a callback.
func asksAt(ask, extra string) string {
	if ask != "" {
		ask = ", " + ask
	}
	if extra != "" {
		extra = ", " + extra
	}
	return fmt.Sprintf(`{"key": "run", "edit": "edit", "fields": {"type": "object", "properties": {"a": {"type": "string"}, "b": {"type": "string"}}},
		"states": [{"key": "s"}], "transitions": [{"key": "begin", "to": "s"}, {"key": "edit", "from": ["s"]%[1]s},
			{"key": "go", "from": ["s"]%[1]s}]%[2]s}`, ask, extra)
}

func TestARunningCaseAsksByTheSettingsOfTheNewestVersion(t *testing.T) {
	engines(t, func(t *testing.T, w *world) {
		w.put(w.p, asking("old", ""))
		begin := casework.Submission{Type: "run", Data: object(`{"a": "1", "b": "2"}`)}
		v := w.submit(begin)
		w.callbacks.on("old", respond(500, ""))
		w.callbacks.on("new", respond(500, ""), respond(200, `{"data": {}}`), respond(500, ""))
		w.put(w.p, asking("new", `, "retries": ["1ms"], "guard": {"max_dropped": 1}, "failure_policy": "ignore"`))

		_, err := w.submissions.Submit(t.Context(), w.p,
			casework.Submission{CaseID: v.ID, Transition: "go"}, authz.Once{})
		wantFault(t, err, fault.Unprocessable, "callback.guard") // at the second attempt
		v = w.submit(casework.Submission{CaseID: v.ID, Edit: true, Data: object(`{"a": "3"}`)})
		last := w.history(v.ID)[1].Callback
		if v.TypeVersion != 1 || last == nil || last.Failure == "" {
			t.Fatalf("version %d of the type asked %+v", v.TypeVersion, last)
		}
		got := event.Callback{URL: last.URL, Attempts: last.Attempts}
		want := event.Callback{URL: "${CASEHOOK_VAR_CALLBACKS}/new", Attempts: 2}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
		w.put(w.p, gated("other", "draft", "", ""))
		if _, err := w.switches.SwitchType(t.Context(), w.p, casework.Switch{CaseID: v.ID, Type: "other", Drop: true},
			authz.Once{}); err != nil {
			t.Error(err) // the policy ignores the failure
		}
		deleted := w.submit(begin)
		if err := w.cases.DeleteCase(t.Context(), w.p, casework.Deletion{CaseID: deleted.ID}); err != nil {
			t.Error(err)
		}
		if n := len(w.callbacks.at("old").requests); n != 0 {
			t.Errorf("%d questions went to the old URL", n)
		}
	})
}

func TestACallbackThatTheNewestVersionLacksIsStillAsked(t *testing.T) {
	w := start(t)
	w.put(w.p, asking("old", ""))
	guarded := w.submit(casework.Submission{Type: "run"})
	w.put(w.p, asksAt("", ""))
	free := w.submit(casework.Submission{Type: "run"})
	w.callbacks.on("old", respond(200, `{"errors": ["no"]}`))
	step := func(v casework.View) error {
		_, err := w.submissions.Submit(t.Context(), w.p,
			casework.Submission{CaseID: v.ID, Transition: "go"}, authz.Once{})
		return err
	}
	wantFault(t, step(guarded), fault.Unprocessable, "callback.errors")
	wantFault(t, w.cases.DeleteCase(t.Context(), w.p, casework.Deletion{CaseID: guarded.ID}), fault.Unprocessable,
		"callback.errors")
	w.put(w.p, asking("old", "")) // version 3 has callbacks again, and version 2 none
	if err := step(free); err != nil {
		t.Errorf("its own version asks nobody: %v", err)
	}
}

func TestTheClearanceThatCountsIsThatOfWhosePutTheSettings(t *testing.T) {
	engines(t, func(t *testing.T, w *world) {
		secret := func(definition string) string {
			return strings.Replace(definition, `"b": {`, `"b": {"x-classification": "RESTRICTED", `, 1)
		}
		w.put(w.p, secret(asking("memo", `, "clearance": "RESTRICTED"`)))
		v := w.submit(casework.Submission{Type: "run", Data: object(`{"a": "1", "b": "secret"}`)})
		w.put(w.p, asking("memo", "")) // b is not classified any more
		if _, err := w.types.PutCaseType(t.Context(), w.cleared(casetype.Private), "run", "",
			[]byte(asking("memo", `, "timeout": "2s"`))); err != nil {
			t.Fatal(err)
		}
		w.submit(casework.Submission{CaseID: v.ID, Transition: "go", Data: object(`{"a": "2"}`)})
		if asked := w.callbacks.at("memo").bodies; len(asked) != 1 || strings.Contains(asked[0], "secret") {
			t.Errorf("a callback with a lower clearance got %s", asked)
		}
	})
}

func TestAQuestionKeepsItsSettingsForAllItsAttempts(t *testing.T) {
	w := start(t)
	w.put(w.p, asking("first", `, "retries": ["1ms"]`))
	v := w.submit(casework.Submission{Type: "run"})
	w.callbacks.on("first", func(rw http.ResponseWriter, _ *http.Request) {
		w.put(w.p, asking("second", ""))
		rw.WriteHeader(http.StatusServiceUnavailable)
	}, respond(200, ""))
	w.submit(casework.Submission{CaseID: v.ID, Transition: "go", Data: object(`{"a": "1"}`)})
	if n := len(w.callbacks.at("first").requests); n != 2 || len(w.callbacks.at("second").requests) != 0 {
		t.Errorf("%d attempts at the first URL, want both", n)
	}
}

func TestTheHistoryHidesTheURLOfADefinitionThatIsHidden(t *testing.T) {
	engines(t, func(t *testing.T, w *world) {
		w.put(w.p, asking("open", ""))
		v := w.submit(casework.Submission{Type: "run"})
		w.put(w.p,
			strings.Replace(asking("secret", ""), `"key": "run"`,
				`"key": "run", "security_classification": "RESTRICTED"`, 1))
		w.submit(casework.Submission{CaseID: v.ID, Transition: "go", Data: object(`{"a": "1"}`)})
		for clearance, want := range map[casetype.Classification]string{
			casetype.Public: "", casetype.Restricted: "${CASEHOOK_VAR_CALLBACKS}/secret",
		} {
			entries, err := items(w.cases.History(t.Context(), w.cleared(clearance), v.ID, 0, 10))
			if err != nil || len(entries) != 2 || entries[0].Callback == nil || entries[0].Callback.URL != want {
				t.Errorf("%s: %v", clearance, err)
			}
		}
	})
}
