package casework_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/casehook/casehook/internal/access"
	"github.com/casehook/casehook/internal/authz"
	"github.com/casehook/casehook/internal/casetype"
	"github.com/casehook/casehook/internal/casework"
	"github.com/casehook/casehook/internal/event"
	"github.com/casehook/casehook/internal/fault"
	"github.com/casehook/casehook/internal/people"
	"github.com/casehook/casehook/internal/store"
	"github.com/casehook/casehook/internal/wire"
)

// sealed is a type with a field that officers alone read, and states that some roles alone read and leave.
const sealed = `{"key": "sealed", "name_template": "%s", "fields": {"type": "object", "properties": {
		"open": {"type": "string"}, "diagnosis": {"type": "string", "x-classification": "PRIVATE"},
		"note": {"type": "string"}}},
	"roles": {"officer": {}}, "role_map": {"officer": ["town-officer"]},
	"access": {"fields": {"diagnosis": {"read": ["officer"]}, "note": {"read": ["officer", "caseworker"]}},
		"states": {"court": {"read": ["officer", "manager"], "update": ["officer"]}}},
	"states": [{"key": "draft"}, {"key": "court"}], "edit": "edit",
	"documents": [{"key": "letter", "template": "{open} {diagnosis}"}],
	"transitions": [{"key": "create", "to": "draft"}, {"key": "edit", "from": ["draft", "court"]},
		{"key": "sue", "from": ["draft"], "to": "court"}, {"key": "settle", "from": ["court"], "to": "draft"},
		{"key": "ask", "from": ["draft"], "about_to_submit": {"url": "${CASEHOOK_VAR_CALLBACKS}/sealed", "retries": []}}]}`

func (w *world) further(role access.Role, names ...string) access.Principal {
	p := w.p
	p.Role, p.Further = role, access.NewFurtherRoles(names)
	return p
}

// X3: a field with read is there for those alone who have one of its roles.
func TestX3AFieldIsReadByTheRolesThatItsAccessLists(t *testing.T) {
	engines(t, func(t *testing.T, w *world) {
		w.put(w.p, fmt.Sprintf(sealed, "{diagnosis}"))
		made := w.submit(casework.Submission{
			Type: "sealed", Data: object(`{"open": "a", "diagnosis": "measles", "note": "n"}`),
		})
		w.callbacks.on("sealed", respond(200, ""))
		w.submit(casework.Submission{CaseID: made.ID, Transition: "ask", Data: object(`{"diagnosis": "mumps"}`)})
		if asked := w.callbacks.at("sealed").bodies[0]; !strings.Contains(asked, "mumps") ||
			!strings.Contains(asked, `"diagnosis":"PRIVATE"`) {
			t.Errorf("the callback is asked %s", asked)
		}
		low := w.further(access.Caseworker, "town-officer")
		low.Clearance = casetype.Public
		for name, c := range map[string]struct {
			p    access.Principal
			sees string
		}{
			"an administrator": {w.p, "diagnosis note open"}, "an officer": {w.further(access.Caseworker, "town-officer"), "diagnosis note open"},
			"a caseworker": {w.further(access.Caseworker), "note open"}, "a manager": {w.further(access.Manager), "open"},
			"who calls himself one":         {w.further(access.Manager, "officer", "admin"), "open"},
			"an officer who is not cleared": {low, "note open"},
		} {
			if got := strings.Join(w.showsOf(c.p, made.ID), " "); got != c.sees {
				t.Errorf("%s sees %s, want %s", name, got, c.sees)
			}
			sees := strings.Contains(c.sees, "diagnosis")
			for what, told := range w.tells(c.p, made.ID) {
				if strings.Contains(told, "mumps") != sees {
					t.Errorf("%s reads in %s: %s", name, what, told)
				}
			}
			in := casework.Submission{CaseID: made.ID, Edit: true, Data: map[string]any{"diagnosis": "x"}}
			_, err := w.submissions.DryRun(t.Context(), c.p, casework.DryRun{Submission: in})
			if (err == nil) != sees {
				t.Errorf("%s may set it: %v", name, err)
			}
		}
		w.editsAround(made.ID)
	})
}

// editsAround checks that whoever does not see a field leaves it as it is.
func (w *world) editsAround(id int64) {
	w.t.Helper()
	_, err := w.submissions.Submit(w.t.Context(), w.further(access.Manager),
		casework.Submission{CaseID: id, Edit: true, Data: object(`{"open": "b"}`)}, authz.Once{})
	if got := encode(w.t, w.load(id).Data); err != nil || got != `{"diagnosis":"mumps","note":"n","open":"b"}` {
		w.t.Errorf("the data are %s, %v", got, err)
	}
	_, err = w.types.PutCaseType(w.t.Context(), w.further(access.Manager), "sealed", "x.json",
		[]byte(strings.NewReplacer(`["officer"]`, `["manager"]`, `"caseworker"`, `"manager"`).
			Replace(fmt.Sprintf(sealed, "{open}"))))
	wantFault(w.t, err, fault.Forbidden, "case_type.above_clearance")
	for _, e := range w.history(id) { // endpoints are told of everything but that
		for _, m := range wire.Messages(e, "", casetype.Restricted) {
			if strings.Contains(string(m.Body), "mumps") || strings.Contains(string(m.Body), "measles") {
				w.t.Errorf("endpoints are told %s", m.Body)
			}
		}
	}
}

// showsOf lists the fields that a principal sees of a case.
func (w *world) showsOf(p access.Principal, id int64) (fields []string) {
	w.t.Helper()
	v, err := w.cases.Case(w.t.Context(), p, id)
	if err != nil {
		w.t.Fatal(err)
	}
	for name := range v.Data {
		fields = append(fields, name)
	}
	slices.Sort(fields)
	return fields
}

// tells returns what a principal is told of a case in each place.
func (w *world) tells(p access.Principal, id int64) map[string]string {
	w.t.Helper()
	ctx, told := w.t.Context(), map[string]string{}
	note := func(what string, value any, err error) {
		if err != nil {
			w.t.Errorf("%s: %v", what, err)
		}
		told[what] = fmt.Sprintf("%+v", value)
	}
	v, err := w.cases.Case(ctx, p, id)
	note("the name", v.Name, err)
	history, err := w.cases.History(ctx, p, id, 0, 10)
	var entries []string
	for _, e := range history.Items {
		entries = append(entries, fmt.Sprintf("%s %s", e.Snapshot.Case.Data, factData(e)))
	}
	note("the history", entries, err)
	if found, err := listed(w.cases.Cases(ctx, p, store.CaseFilter{Text: "mumps"})); err != nil || len(found) != 0 {
		w.t.Errorf("a search for its words finds %d cases, %v", len(found), err)
	}
	return told
}

func factData(e *event.Entry) (all string) {
	for _, f := range e.Facts {
		all += string(f.Data)
	}
	return all
}

// X3: cases in a state are there for those alone who have one of the roles that may read it.
func TestX3AStateIsReadAndLeftByTheRolesThatItsAccessLists(t *testing.T) {
	engines(t, func(t *testing.T, w *world) {
		w.put(w.p, fmt.Sprintf(sealed, "{open}"))
		made := w.submit(casework.Submission{Type: "sealed", Data: object(`{"open": "a"}`)})
		officer := w.further(access.Caseworker, "town-officer")
		for _, c := range []struct {
			p     access.Principal
			reads bool
			moves string
		}{
			{w.further(access.Caseworker), false, ""}, {w.further(access.Manager), true, ""},
			{officer, true, "edit settle"}, {w.p, true, "edit settle"},
		} {
			if _, err := w.cases.Case(t.Context(), c.p, made.ID); err != nil {
				t.Errorf("as a draft: %v", err)
			}
			w.submit(casework.Submission{CaseID: made.ID, Transition: "sue"})
			v, err := w.cases.Case(t.Context(), c.p, made.ID)
			if got := strings.Join(v.Transitions, " "); (err == nil) != c.reads || got != c.moves {
				t.Errorf("%s %s may submit %q, %v", c.p.Role, c.p.Further, got, err)
			}
			found, err := listed(w.cases.Cases(t.Context(), c.p, store.CaseFilter{Type: "sealed"}))
			if err != nil || (len(found) == 1) != c.reads {
				t.Errorf("%s %s finds %d cases, %v", c.p.Role, c.p.Further, len(found), err)
			}
			settle := casework.Submission{CaseID: made.ID, Transition: "settle"}
			_, err = w.submissions.Submit(t.Context(), c.p, settle, authz.Once{})
			switch {
			case !c.reads:
				wantFault(t, err, fault.NotFound, "case.not_found")
			case c.moves == "":
				wantFault(t, err, fault.Forbidden, "access.denied")
			case err != nil:
				t.Errorf("%s %s: %v", c.p.Role, c.p.Further, err)
			}
			if c.moves == "" {
				w.submit(casework.Submission{CaseID: made.ID, Transition: "settle"})
			}
		}
		comment := func(p access.Principal) error {
			_, err := w.comment(p, made.ID, "x", authz.Once{})
			return err
		}
		if err := comment(w.further(access.Caseworker)); err != nil {
			t.Errorf("a comment on a draft: %v", err)
		}
		w.submit(casework.Submission{CaseID: made.ID, Transition: "sue"})
		wantFault(t, comment(w.further(access.Caseworker)), fault.NotFound, "case.not_found")
	})
}

// X3: who has lost a role is not shown again what it showed.
func TestX3WhoLosesARoleGetsNoAnswerOfBefore(t *testing.T) {
	engines(t, func(t *testing.T, w *world) {
		w.put(w.p, fmt.Sprintf(sealed, "{open}"))
		in := casework.Submission{Type: "sealed", Data: object(`{"open": "a", "note": "n"}`)}
		create := func(p access.Principal) error {
			_, err := w.submissions.Submit(t.Context(), p, in, once("create", "k", "r"))
			return err
		}
		if err := create(w.further(access.Caseworker)); err != nil {
			t.Fatal(err)
		}
		replayed(t, create(w.further(access.Caseworker)))
		wantFault(t, create(w.further(access.Manager)), fault.Unprocessable, "idempotency.key_reused")

		ada := w.person("Ada")
		w.change(ada, people.UserChange{Further: &[]string{"town-officer"}})
		ada.Further = "town-officer"
		c := w.submit(casework.Submission{Type: "sealed"})
		j := w.run(t.Context(), &w.services, ada, w.job(ada, casework.NewJob{Cases: []int64{c.ID}, Action: store.JobAction{
			Kind: store.JobTransition, Transition: "edit", Data: []byte(`{"diagnosis": 5}`),
		}}).ID)
		wantJob(t, j, store.JobDone, 0, 1)
		if told := fmt.Sprintf("%+v", w.results(ada, j.ID)); !strings.Contains(told, "diagnosis") {
			t.Errorf("the officer is told %s", told)
		}
		ada.Further = ""
		if told := fmt.Sprintf("%+v", w.results(ada, j.ID)); strings.Contains(told, "diagnosis") {
			t.Errorf("who is none any more is told %s", told)
		}
	})
}

// X3: questions about a case in a state that a reader may not read are not there for them, also later.
func TestX3QuestionsAreReadAsTheStateOfThenIs(t *testing.T) {
	engines(t, func(t *testing.T, w *world) {
		const url = `"about_to_submit": {"url": "${CASEHOOK_VAR_CALLBACKS}/sealed", "retries": []}`
		w.put(w.p, strings.NewReplacer(`"to": "court"`, `"to": "court", `+url, `["officer", "manager"]`, `["officer"]`,
			`"key": "create"`, `"key": "create", `+url).Replace(fmt.Sprintf(sealed, "{open}")))
		w.callbacks.on("sealed", respond(200, `{"errors": ["no"]}`))
		_, err := w.submissions.Submit(t.Context(), w.p, casework.Submission{Type: "sealed"}, authz.Once{})
		wantFault(t, err, fault.Unprocessable, "callback.errors")
		w.callbacks.on("sealed", respond(200, ""))
		made := w.submit(casework.Submission{Type: "sealed"})
		w.submit(casework.Submission{CaseID: made.ID, Transition: "ask", Data: object(`{"note": "n"}`)})
		w.submit(casework.Submission{CaseID: made.ID, Transition: "sue"})
		w.submit(casework.Submission{CaseID: made.ID, Transition: "settle"})
		for role, want := range map[access.Role]string{access.Admin: "sue ask create create", access.Manager: "ask create"} {
			found, _, err := w.questions.Questions(t.Context(), w.further(role), store.QuestionFilter{Limit: 10})
			var asked []string
			for _, q := range found {
				asked = append(asked, q.Transition)
			}
			if got := strings.Join(asked, " "); err != nil || got != want {
				t.Errorf("the role %s finds %s, %v", role, got, err)
			}
		}
	})
}
