package casework_test

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/casehook/casehook/internal/access"
	"github.com/casehook/casehook/internal/authz"
	"github.com/casehook/casehook/internal/casetype"
	"github.com/casehook/casehook/internal/casework"
	"github.com/casehook/casehook/internal/fault"
	"github.com/casehook/casehook/internal/store"
)

// permit is a case type that has every callback, in a dialect.
func permit(key, dialect string) string {
	return strings.NewReplacer("KEY", key, "DIALECT", dialect, "ASK", `{"url": "${CASEHOOK_VAR_CALLBACKS}/`+key+`-`,
		"QUICK", `", "retries": ["1ms", "1ms"]}`).Replace(`{
		"key": "KEY", "dialect": "DIALECT", "jurisdiction": "TOWN", "edit": "amend",
		"fields": {"type": "object", "required": ["resident"], "properties": {
			"resident": {"type": "string"}, "reason": {"type": "string"}, "count": {"type": "integer"},
			"notes": {"type": "array", "items": {"type": "string"}}, "vehicle": {"type": "object", "properties": {
				"plate": {"type": "string"}, "electric": {"type": "string"}}}}},
		"states": [{"key": "Draft"}, {"key": "Issued"}, {"key": "Waiting"}],
		"transitions": [
			{"key": "create", "to": "Draft", "defaults": {"reason": "resident", "vehicle.electric": "No"},
				"about_to_start": ASKstartQUICK, "about_to_submit": ASKsubmitQUICK, "submitted": ASKdoneQUICK,
				"pages": [{"key": "1", "mid_event": ASKpageQUICK}, {"key": "2"}]},
			{"key": "amend", "from": ["Draft"], "nullify": ["reason", "notes", "vehicle"],
				"about_to_start": ASKstartQUICK,
				"pages": [{"key": "1", "mid_event": ASKpageQUICK}]},
			{"key": "decide", "from": ["Draft"], "to": "Issued", "about_to_submit": ASKsubmitQUICK,
				"submitted": ASKdoneQUICK},
			{"key": "slow", "from": ["Draft"],
				"about_to_start": ASKslow", "retries": [], "timeout": "300ms"}},
			{"key": "plain", "from": ["Draft"], "to": "Issued", "about_to_start": {"url": " "}, "submitted": {}}]}`)
}

// permits is a world with a permit, and a case of it.
type permits struct {
	world *world
	key   string
	made  casework.View
}

// dialects runs a test in each dialect, with a case that {"resident": "Ada"} were submitted for.
func dialects(t *testing.T, run func(*testing.T, permits)) {
	w := start(t)
	for _, dialect := range []string{"quickcase", "ccd"} {
		t.Run(dialect, func(t *testing.T) {
			key := "Permit-" + dialect
			w.put(w.p, permit(key, dialect))
			a := permits{w, key, w.submit(casework.Submission{Type: key, Data: object(`{"resident": "Ada"}`)})}
			for _, path := range []string{"start", "submit", "done", "page"} {
				a.answer(path, 200, "")
			}
			run(t, a)
		})
	}
}

func (a permits) ccd() bool { return strings.HasSuffix(a.key, "ccd") }

// answer makes a callback answer from now on.
func (a permits) answer(path string, status int, body string) {
	a.world.callbacks.on(a.key+"-"+path, respond(status, body))
}

// asked returns the body of the last question to a callback, and how often it was asked.
func (a permits) asked(t *testing.T, path string) (body map[string]any, times int) {
	t.Helper()
	at := a.world.callbacks.at(a.key + "-" + path)
	if len(at.bodies) == 0 {
		return nil, 0
	}
	if err := json.Unmarshal([]byte(at.bodies[len(at.bodies)-1]), &body); err != nil {
		t.Fatal(err)
	}
	return body, len(at.bodies)
}

// wantAsked compares parts of the last question, by their names separated by dots; nil: null. A part "-" is absent.
func (a permits) wantAsked(t *testing.T, path string, want map[string]any) {
	t.Helper()
	body, times := a.asked(t, path)
	if times == 0 {
		t.Fatalf("%s was not asked", path)
	}
	for name, value := range want {
		var at any = body
		has := true
		for part := range strings.SplitSeq(name, ".") {
			members, _ := at.(map[string]any)
			if at, has = members[part]; !has {
				at = "-"
			}
		}
		if diff := cmp.Diff(value, at); diff != "" {
			t.Errorf("%s, %s (-want +got):\n%s", path, name, diff)
		}
	}
}

func (a permits) start(transition string, ignore bool) (casework.Started, error) {
	in := casework.Start{CaseID: a.made.ID, Transition: transition, IgnoreWarning: ignore}
	if transition == "create" {
		in.CaseID, in.Type = 0, a.key
	}
	return a.world.submissions.Start(a.world.t.Context(), a.world.p, in)
}

// TestG2QuestionsHaveTheKeysOfTheirDialect compares the keys of every question, in both dialects.
func TestG2QuestionsHaveTheKeysOfTheirDialect(t *testing.T) {
	dialects(t, func(t *testing.T, a permits) {
		if _, err := a.start("create", false); err != nil {
			t.Fatal(err)
		}
		unsaved := []string{"case_data", "case_type_id", "data_classification", "security_classification"}
		saved := slices.Concat(unsaved, []string{"created_date", "id", "last_modified", "state"})
		outer := []string{"case_details"}
		if a.ccd() {
			outer = []string{"case_details", "case_details_before", "event_id", "ignore_warning"}
			unsaved = append(unsaved, "jurisdiction")
			saved = append(saved, "jurisdiction", "last_state_modified_date", "version")
		}
		check := func(path string, outer, inner []string) {
			t.Helper()
			body, _ := a.asked(t, path)
			details, _ := body["case_details"].(map[string]any)
			for _, c := range []struct {
				want []string
				got  map[string]any
			}{{outer, body}, {inner, details}} {
				if diff := cmp.Diff(slices.Sorted(slices.Values(c.want)), keysOf(c.got)); diff != "" {
					t.Errorf("%s (-want +got):\n%s", path, diff)
				}
			}
		}
		check("start", outer, unsaved)
		if _, err := a.start("amend", false); err != nil {
			t.Fatal(err)
		}
		check("start", outer, saved)
		if !a.ccd() {
			outer = append(outer, "case_details_before")
		}
		a.world.submit(casework.Submission{CaseID: a.made.ID, Transition: "decide"})
		check("submit", outer, saved)
		check("done", outer, saved)
	})
}

func keysOf(m map[string]any) (keys []string) {
	for key := range m {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys
}

func TestStarts(t *testing.T) {
	dialects(t, func(t *testing.T, a permits) {
		t.Run("S1", func(t *testing.T) {
			a.answer("start", 200, `{"data": {"reason": "carer", "resident": "Bo"}}`)
			got, err := a.start("create", false)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(object(`{"reason": "carer", "resident": "Bo"}`), got.Case.Data); diff != "" {
				t.Error(diff)
			}
			a.wantAsked(t, "start", map[string]any{
				"case_details.id": "-", "case_details.state": "-", "case_details.case_data": map[string]any{
					"reason": "resident", "vehicle": map[string]any{"electric": "No"}},
			})
			if all, err := listed(a.world.cases.Cases(t.Context(), a.world.p,
				store.CaseFilter{Type: a.key})); err != nil || len(all) != 1 {
				t.Errorf("%d cases, %v", len(all), err)
			}
		})
		t.Run("S2 and S8", func(t *testing.T) {
			a.answer("start", 200, `{"data": {"resident": "Cleo"}}`)
			got, err := a.start("amend", false)
			if err != nil {
				t.Fatal(err)
			}
			if got.Case.Data["resident"] != "Cleo" || got.Ref.Revision != 1 {
				t.Errorf("%+v", got.Ref)
			}
			a.wantAsked(t, "start", map[string]any{
				"case_details.case_data.resident": "Ada", "case_details.state": "Draft",
				"case_details.case_data.reason": nil, "case_details.case_data.notes": []any{},
				"case_details.case_data.vehicle": map[string]any{},
			})
			if now := a.world.load(a.made.ID); now.Version != a.made.Version || now.Data["resident"] != "Ada" {
				t.Errorf("the case changed: %+v", now.Case)
			}
		})
		t.Run("S3 and S5", func(t *testing.T) {
			a.answer("start", 200, `{"errors": ["No."]}`)
			_, err := a.start("amend", false)
			wantFault(t, err, fault.Unprocessable, "callback.errors")
			a.answer("start", 200, `{"data": {"unknown": 1, "count": "x"}}`)
			_, err = a.start("amend", false)
			wantFields(t, wantFault(t, err, fault.Unprocessable, "callback.data_invalid"), "/data/count",
				"/data/unknown")
		})
		t.Run("S4", func(t *testing.T) {
			a.answer("start", 200, `{"warnings": ["Already paid."]}`)
			_, err := a.start("amend", false)
			wantFault(t, err, fault.Unprocessable, "callback.warnings")
			if _, err = a.start("amend", true); err != nil {
				t.Fatal(err)
			}
			if a.ccd() {
				a.wantAsked(t, "start", map[string]any{"ignore_warning": false, "event_id": "amend",
					"case_details_before": nil})
			}
		})
		t.Run("S6 and S7", func(t *testing.T) {
			for code, in := range map[string]casework.Start{
				"case.transition_not_allowed": {Type: a.key, Transition: "amend"},
				"transition.not_found":        {CaseID: a.made.ID, Transition: "nothing"},
				"case_type.not_found":         {Type: "nothing", Transition: "create"},
				"case.not_found":              {CaseID: 7, Transition: "amend"},
			} {
				if _, err := a.world.submissions.Start(t.Context(), a.world.p, in); fault.As(err).Code != code {
					t.Errorf("%v, want %s", err, code)
				}
			}
		})
		t.Run("G1", func(t *testing.T) {
			if _, err := a.start("plain", false); err != nil {
				t.Fatal(err)
			}
			if v := a.world.submit(casework.Submission{CaseID: a.made.ID, Transition: "plain"}); v.Confirmation != nil {
				t.Errorf("U6: %+v", v.Confirmation)
			}
		})
	})
}

func TestPagesAreChecked(t *testing.T) {
	dialects(t, func(t *testing.T, a permits) {
		check := func(in casework.FilledPage) (map[string]any, error) {
			got, err := a.world.submissions.CheckPage(t.Context(), a.world.p, in)
			return got.Data, err
		}
		ofCase := casework.FilledPage{CaseID: a.made.ID, Transition: "amend", Page: "1",
			FormData: object(`{"reason": "carer"}`)}
		creation := casework.FilledPage{Type: a.key, Transition: "create", Page: "1",
			Data:     object(`{"resident": "Bo"}`),
			FormData: object(`{"reason": "carer"}`)}
		t.Run("M1 and M4", func(t *testing.T) {
			a.answer("page", 200, `{"data": {"resident": "Bo", "count": 7}}`)
			got, err := check(creation)
			if err != nil || encode(t, got) != `{"count":7,"resident":"Bo"}` {
				t.Errorf("%v, %v", got, err)
			}
			a.wantAsked(t, "page", map[string]any{"case_details.case_data": map[string]any{"resident": "Bo",
				"reason": "carer"}})
			if a.ccd() {
				a.wantAsked(t, "page", map[string]any{"case_details_before": nil, "ignore_warning": false})
			}
		})
		t.Run("M2", func(t *testing.T) {
			for _, page := range []string{"", "2", "nothing"} {
				in := creation
				in.Page = page
				if got, err := check(in); err != nil || encode(t, got) != `{"resident":"Bo"}` {
					t.Errorf("page %q: %v, %v", page, got, err)
				}
			}
			if _, times := a.asked(t, "page"); times != 1 {
				t.Errorf("asked %d times", times)
			}
		})
		t.Run("M3", func(t *testing.T) {
			a.answer("page", 200, "")
			if got, err := check(ofCase); err != nil || encode(t, got) != `{"reason":"carer","resident":"Ada"}` {
				t.Errorf("%v, %v", got, err)
			}
			a.wantAsked(t, "page", map[string]any{"case_details.case_data": map[string]any{"resident": "Ada",
				"reason": "carer"}})
			if a.ccd() {
				a.wantAsked(t, "page",
					map[string]any{"case_details_before.case_data": map[string]any{"resident": "Ada"}})
			}
		})
		t.Run("M5", func(t *testing.T) {
			a.answer("page", 200, `{"errors": ["No."]}`)
			_, err := check(ofCase)
			wantFault(t, err, fault.Unprocessable, "callback.errors")
			a.answer("page", 200, `{"warnings": ["Hm."]}`)
			_, err = check(ofCase)
			wantFault(t, err, fault.Unprocessable, "callback.warnings")
			ignoring := ofCase
			ignoring.IgnoreWarning = true
			if _, err := check(ignoring); err != nil {
				t.Error(err)
			}
		})
		if now := a.world.load(a.made.ID); now.Version != a.made.Version {
			t.Errorf("the case changed: %+v", now.Case)
		}
	})
}

func TestSubmissionsInBothDialects(t *testing.T) {
	dialects(t, func(t *testing.T, a permits) {
		decide := func(answer string, in casework.Submission) (casework.View, error) {
			a.answer("submit", 200, "")
			made := a.world.submit(casework.Submission{Type: a.key, Transition: "create",
				Data: object(`{"resident": "Ada"}`)})
			in.CaseID, in.Transition = made.ID, "decide"
			a.answer("submit", 200, answer)
			return a.world.submissions.Submit(t.Context(), a.world.p, in, authz.Once{})
		}
		t.Run("A1 to A4", func(t *testing.T) {
			v, err := decide(`{"data": {"resident": "Bo"}}`, casework.Submission{Data: object(`{"reason": "carer"}`)})
			if err != nil || encode(t, v.Data) != `{"resident":"Bo"}` {
				t.Errorf("%v, %v", v.Data, err)
			}
			a.wantAsked(t, "submit", map[string]any{
				"case_details.state": "Issued", "case_details_before.state": "Draft",
				"case_details.case_data": map[string]any{"resident": "Ada", "reason": "carer"},
			})
		})
		t.Run("A6 to A9", func(t *testing.T) {
			state := "override_state"
			if a.ccd() {
				state = "state"
			}
			_, err := decide(`{"`+state+`": "Nowhere"}`, casework.Submission{})
			wantFault(t, err, fault.Unprocessable, "callback.state_unknown")
			v, err := decide(`{"data": {"resident": "Ada"}, "`+state+`": "Waiting", "security_classification": "PRIVATE"}`, casework.Submission{})
			want := "PUBLIC"
			if a.ccd() {
				want = "PRIVATE"
			}
			if err != nil || v.State != "Waiting" || string(v.Classification) != want {
				t.Errorf("%s, %s, %v", v.State, v.Classification, err)
			}
			if v, err := decide(`{"security_classification": "RESTRICTED"}`, casework.Submission{}); err != nil ||
				v.Classification != "PUBLIC" {
				t.Errorf("without data: %s, %v", v.Classification, err)
			}
		})
		t.Run("A10", func(t *testing.T) {
			if !a.ccd() {
				return
			}
			for want, in := range map[any]casework.Submission{
				true: {IgnoreWarning: true}, false: {HeedWarnings: true}, nil: {},
			} {
				if _, err := decide("", in); err != nil {
					t.Fatal(err)
				}
				a.wantAsked(t, "submit", map[string]any{"ignore_warning": want, "event_id": "decide",
					"case_details.version": 1.0})
			}
		})
	})
}

func TestSubmittedCallbacks(t *testing.T) {
	engines(t, func(t *testing.T, w *world) {
		w.put(w.p, permit("Permit", "ccd"))
		a := permits{world: w, key: "Permit"}
		seen := make(chan string, 1)
		w.callbacks.on("Permit-done", func(out http.ResponseWriter, r *http.Request) { // U1: on another connection
			all, err := listed(w.node().cases.Cases(t.Context(), w.p, store.CaseFilter{State: "Draft"}))
			seen <- map[bool]string{true: "saved", false: "not saved"}[err == nil && len(all) == 1]
			respond(200, `{"confirmation_header": "# Saved", "confirmation_body": "Print it.", "data": {}, "errors": ["U4"]}`)(out, r)
		})
		v := w.submit(casework.Submission{Type: "Permit", Transition: "create", Data: object(`{"resident": "Ada"}`)})
		if got := <-seen; got != "saved" {
			t.Errorf("U1: the case is %s when it is asked", got)
		}
		want := &casework.Confirmation{Header: "# Saved", Body: "Print it.", Status: 200}
		if diff := cmp.Diff(want, v.Confirmation); diff != "" {
			t.Errorf("U2 (-want +got):\n%s", diff)
		}
		a.wantAsked(t, "done", map[string]any{"case_details_before": nil, "ignore_warning": nil,
			"case_details.version": 1.0})
		found, _, err := w.questions.Questions(t.Context(), w.p, store.QuestionFilter{Case: v.ID,
			Question: "submitted"})
		if err != nil || len(found) != 1 || found[0].Version != v.Version {
			t.Errorf("the question is not kept: %+v, %v", found, err)
		}
		kept, err := w.cases.Confirmations(t.Context(), w.p, v.ID, 1, v.Version)
		if diff := cmp.Diff(map[int64]casework.Confirmation{v.Version: *want}, kept); err != nil || diff != "" {
			t.Errorf("kept is (-want +got):\n%s, %v", diff, err)
		}
		a.answer("done", 200, "")
		v = w.submit(casework.Submission{CaseID: v.ID, Transition: "decide"})
		if diff := cmp.Diff(&casework.Confirmation{Status: 200}, v.Confirmation); diff != "" {
			t.Errorf("U5 (-want +got):\n%s", diff)
		}
		a.wantAsked(t, "done", map[string]any{"case_details_before.state": "Draft", "case_details.state": "Issued"})
		a.answer("done", 500, "")
		v = w.submit(casework.Submission{Type: "Permit", Transition: "create", Data: object(`{"resident": "Ada"}`)})
		if c := v.Confirmation; c.Status != 500 || !strings.Contains(c.Failure, "3 attempts") {
			t.Errorf("a failure: %+v", c)
		}
		if now := w.load(v.ID); now.State != "Draft" {
			t.Errorf("the failure undid the change: %+v", now.Case)
		}
	})
}

// TestG3ToG15HoldForEveryQuestion: failures are tried again, and what counts as an answer is the same at a start.
func TestG3ToG15HoldForEveryQuestion(t *testing.T) {
	asText := func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/plain")
		respond(200, `{"data": {"resident": "Bo"}}`)(w, r)
	}
	dialects(t, func(t *testing.T, a permits) {
		for number, c := range map[string]struct {
			does     []http.HandlerFunc
			code     string // of the refusal; empty: none
			asked    int
			resident any // that the form shows; nil: as stored
		}{
			"G3":      {does: []http.HandlerFunc{respond(500, ""), respond(500, ""), respond(200, "")}, asked: 3},
			"G4":      {does: one(respond(500, "")), code: "callback.failed", asked: 3},
			"G6":      {does: one(hangs("")), code: "callback.timeout", asked: 3},
			"G8":      {does: answers(`{"case_data": {}}`), asked: 1},
			"G9":      {does: answers(""), asked: 1},
			"G9, 204": {does: one(respond(204, "")), asked: 1},
			"G12":     {does: answers(`{"errors": ["a"], "warnings": ["b"]}`), code: "callback.errors", asked: 1},
			"G13":     {does: answers(`{"errors": null, "warnings": []}`), asked: 1},
			"G15":     {does: one(asText), asked: 1, resident: "Bo"},
		} {
			a.world.callbacks.on(a.key+"-start", c.does...)
			got, err := a.start("amend", true)
			if code := codeOf(err); code != c.code {
				t.Errorf("%s: %v, want %q", number, err, c.code)
			}
			if n := len(a.world.callbacks.at(a.key + "-start").requests); n != c.asked {
				t.Errorf("%s: asked %d times, want %d", number, n, c.asked)
			}
			want := c.resident
			if want == nil {
				want = "Ada"
			}
			if err == nil && got.Case.Data["resident"] != want {
				t.Errorf("%s: the form shows %v", number, got.Case.Data)
			}
		}
		a.world.callbacks.on(a.key+"-slow", hangs(""))
		if _, err := a.start("slow", false); codeOf(err) != "callback.timeout" {
			t.Errorf("G6: %v", err)
		}
	})
}

// codeOf returns the code of an error; empty: there is none.
func codeOf(err error) string {
	if err == nil {
		return ""
	}
	return fault.As(err).Code
}

// TestAReclassifiedCaseKeepsTheAccessOfItsType: a callback may classify a case below its type, and who may not read
// cases of the type does not read that one.
func TestAReclassifiedCaseKeepsTheAccessOfItsType(t *testing.T) {
	w := start(t)
	w.put(w.p, strings.Replace(permit("Permit", "ccd"), `"edit"`,
		`"security_classification": "PRIVATE", "access": {"read": ["manager"], "write": ["manager"]}, "edit"`, 1))
	w.callbacks.on("Permit-submit", respond(200, `{"data": {"resident": "Ada"}, "security_classification": "PUBLIC"}`))
	made := w.submit(casework.Submission{Type: "Permit", Transition: "create", Data: object(`{"resident": "Ada"}`)})
	if made.Classification != "PUBLIC" {
		t.Fatalf("the case is %s", made.Classification)
	}
	who := w.as(access.Caseworker)
	who.Clearance = "PUBLIC"
	_, err := w.cases.Case(t.Context(), who, made.ID)
	wantFault(t, err, fault.NotFound, "case.not_found")
	_, err = w.submissions.Start(t.Context(), who, casework.Start{CaseID: made.ID, Transition: "decide"})
	wantFault(t, err, fault.NotFound, "case.not_found")
}

// TestAConfirmationIsShownToThoseWhoSeeAllThatItIsAbout: and to the user who got it.
func TestAConfirmationIsShownToThoseWhoSeeAllThatItIsAbout(t *testing.T) {
	w := start(t)
	w.put(w.p, `{"key": "note", "fields": {"type": "object", "properties": {
		"text": {"type": "string"}, "pin": {"type": "string", "x-classification": "RESTRICTED"}}},
		"states": [{"key": "open"}], "transitions": [{"key": "write", "to": "open",
			"submitted": {"url": "${CASEHOOK_VAR_CALLBACKS}/done", "retries": []}}]}`)
	w.callbacks.on("done", respond(200, `{"confirmation_header": "# Saved"}`))
	below := w.cleared(casetype.Public)
	below.Actor.UserID = 7
	other := below
	other.Actor.UserID = 8
	v, err := w.submissions.Submit(t.Context(), below, casework.Submission{Type: "note"}, authz.Once{})
	if err != nil {
		t.Fatal(err)
	}
	for i, k := range []struct {
		p    access.Principal
		want int
	}{{w.p, 1}, {below, 1}, {other, 0}} {
		if kept, err := w.cases.Confirmations(t.Context(), k.p, v.ID, 1, 1); err != nil || len(kept) != k.want {
			t.Errorf("%d: %v, %v", i, kept, err)
		}
	}
}

// TestAConfirmationThatCannotBeAskedForSaysThatTheChangeIsSaved: the submitter must not submit again.
func TestAConfirmationThatCannotBeAskedForSaysThatTheChangeIsSaved(t *testing.T) {
	w := start(t)
	w.put(w.p, strings.ReplaceAll(permit("Permit", "ccd"), "${CASEHOOK_VAR_CALLBACKS}/Permit-done",
		"${CASEHOOK_VAR_NOWHERE}/done"))
	v := w.submit(casework.Submission{Type: "Permit", Transition: "create", Data: object(`{"resident": "Ada"}`)})
	if said := v.Confirmation.Failure; !strings.Contains(said, "was saved before") || strings.Contains(said, "othing") {
		t.Errorf("it says %q", said)
	}
}

// TestT2TokensAreOfOneStart: a token is of a user, a case or type, a transition and a content.
func TestT2TokensAreOfOneStart(t *testing.T) {
	w := start(t)
	w.put(w.p, permit("Permit", "quickcase"))
	made := w.submit(casework.Submission{Type: "Permit", Data: object(`{"resident": "Ada"}`)})
	begun, err := w.submissions.Start(t.Context(), w.p, casework.Start{CaseID: made.ID, Transition: "decide"})
	if err != nil {
		t.Fatal(err)
	}
	present := func(p access.Principal, change func(*casework.StartRef)) error {
		ref := begun.Ref
		change(&ref)
		_, err := w.submissions.Submit(t.Context(), p,
			casework.Submission{CaseID: made.ID, Transition: "decide", Start: &ref}, authz.Once{})
		return err
	}
	as := func(*casework.StartRef) {}
	for name, change := range map[string]func(*casework.StartRef){
		"tenant": func(r *casework.StartRef) { r.Tenant++ }, "type": func(r *casework.StartRef) { r.Type = "x" },
		"transition": func(r *casework.StartRef) { r.Transition = "amend" },
		"case":       func(r *casework.StartRef) { r.Case = 0 },
	} {
		if err := present(w.p, change); fault.As(err).Code != "start.not_found" {
			t.Errorf("another %s: %v", name, err)
		}
	}
	if err := present(w.as(access.Manager), as); fault.As(err).Code != "start.not_found" {
		t.Errorf("another user: %v", err)
	}
	w.submit(casework.Submission{CaseID: made.ID, Edit: true, Data: object(`{"reason": "x"}`)})
	wantFault(t, present(w.p, as), fault.Conflict, "case.version_conflict") // A13
	if err := present(w.p, func(r *casework.StartRef) { r.Revision++ }); err != nil {
		t.Error(err)
	}
}

// TestG14ClientContextIsPassedOn: from the client to the callbacks of a step, each of which may add to it, and back.
func TestG14ClientContextIsPassedOn(t *testing.T) {
	w := start(t)
	w.put(w.p, permit("Permit", "ccd"))
	of := func(text string) string { return base64.StdEncoding.EncodeToString([]byte(text)) }
	adds := func(out http.ResponseWriter, r *http.Request) {
		out.Header().Set("Client-Context", of(`{"task": 8, "added": true}`))
		respond(200, "")(out, r)
	}
	w.callbacks.on("Permit-submit", adds)
	v := w.submit(casework.Submission{Type: "Permit", Transition: "create", Data: object(`{"resident": "Ada"}`),
		Context: of(`{"task": 7, "kept": [1]}`)})
	merged := of(`{"added":true,"kept":[1],"task":8}`)
	if v.Context != merged {
		t.Errorf("the client gets %s", v.Context)
	}
	for path, want := range map[string]string{"Permit-submit": of(`{"task": 7, "kept": [1]}`), "Permit-done": merged} {
		if got := w.callbacks.at(path).requests[0].Header.Get("Client-Context"); got != want {
			t.Errorf("%s gets %s", path, got)
		}
	}
	_, err := w.submissions.Start(t.Context(), w.p, casework.Start{Type: "Permit", Transition: "create", Context: "x"})
	wantFault(t, err, fault.Invalid, "request.client_context")
}
