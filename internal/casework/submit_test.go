package casework_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/casehook/casehook/internal/access"
	"github.com/casehook/casehook/internal/authz"
	"github.com/casehook/casehook/internal/cases"
	"github.com/casehook/casehook/internal/casetype"
	"github.com/casehook/casehook/internal/casework"
	"github.com/casehook/casehook/internal/event"
	"github.com/casehook/casehook/internal/fault"
	"github.com/casehook/casehook/internal/store"
)

func text(s string) *string { return &s }

// Each step is submitted to the same case. With facts, version and entries grow by one; without, nothing changes.
func TestEachCommitHasItsFactsInOrder(t *testing.T) {
	engines(t, func(t *testing.T, w *world) {
		w.put(w.p, loan("loan", ""))
		c := w.open("loan")
		type counts struct{ Version, Revision, Entries int64 }
		countsOf := func(v casework.View) counts {
			return counts{v.Version, v.Revision, int64(len(w.history(v.ID)))}
		}
		if diff := cmp.Diff(counts{1, 1, 1}, countsOf(c)); diff != "" || w.facts(c.ID) != "created state_changed" {
			t.Fatalf("creation: facts %q, %s", w.facts(c.ID), diff)
		}
		for _, step := range []struct {
			name  string
			in    casework.Submission
			facts string // empty: nothing changes
		}{
			{"edit data", casework.Submission{Edit: true, Data: object(`{"amount":11}`)}, "changed"},
			{"edit nothing", casework.Submission{Edit: true}, ""},
			{"edit to the same", casework.Submission{Edit: true, Data: object(`{"amount":11}`)}, ""},
			{"clear what is not there", casework.Submission{Edit: true, Data: object(`{"tags":null}`)}, ""},
			{"clear", casework.Submission{Edit: true, Data: object(`{"email":null}`)}, "changed"},
			{"name", casework.Submission{Edit: true, Name: text("Special")}, "changed"},
			{"name again", casework.Submission{Edit: true, Name: text("Special")}, ""},
			{"colour", casework.Submission{Edit: true, Color: text("#ff0000")}, "changed"},
			{"submit with data", casework.Submission{Transition: "submit", Data: object(`{"client":"Bo"}`)}, "changed state_changed"},
			{"the edit by its key", casework.Submission{Transition: "edit", Name: text("")}, "changed"},
			{"approve", casework.Submission{Transition: "approve"}, "state_changed approved"},
			{"close", casework.Submission{Transition: "close"}, "state_changed finished closed"},
		} {
			want := countsOf(w.load(c.ID))
			step.in.CaseID = c.ID
			after := w.submit(step.in)
			if step.facts != "" {
				want = counts{want.Version + 1, want.Revision + 1, want.Entries + 1}
				if got := w.facts(c.ID); got != step.facts {
					t.Errorf("%s: facts %q, want %q", step.name, got, step.facts)
				}
			}
			if diff := cmp.Diff(want, countsOf(after)); diff != "" {
				t.Errorf("%s: %s", step.name, diff)
			}
		}
		last := w.load(c.ID)
		got := cases.Case{Name: last.Name, Color: last.Color, State: last.State}
		if diff := cmp.Diff(cases.Case{Name: "Bo", Color: "#ff0000", State: "closed"}, got); diff != "" {
			t.Error(diff)
		}
	})
}

func TestACaseIsAtThePublicURL(t *testing.T) {
	t.Parallel()
	for public, want := range map[string]string{
		"https://a.example": "https://a.example/cases/", "https://a.example/": "https://a.example/cases/",
		"https://a.example:8443/desk/": "https://a.example:8443/desk/cases/",
	} {
		w := startAt(t, "", func(c *settings) { c.people.PublicURL = public })
		w.put(w.p, loan("loan", ""))
		v := w.open("loan")
		want += strconv.FormatInt(v.ID, 10)
		if stored := w.history(v.ID)[0].Snapshot.Case.URL; v.URL != want || stored != want {
			t.Errorf("%s: at %s, stored as %s", public, v.URL, stored)
		}
	}
}

func TestACreationIntoAFinalStateHasAllFacts(t *testing.T) {
	w := start(t)
	w.put(w.p, `{"key":"quick","fields":{"type":"object","properties":{}},
		"states":[{"key":"done","outcome":"declined","final":true}],"transitions":[{"key":"make","to":"done"}]}`)
	v := w.submit(casework.Submission{Type: "quick", Color: text("teal"), Name: text("  Mine ")})
	if got := w.facts(v.ID); got != "created state_changed declined finished closed" {
		t.Errorf("facts %q", got)
	}
	got := cases.Case{
		Name: v.Name, NameSet: v.NameSet, Color: v.Color, Reference: v.Reference, OutcomeInstance: v.OutcomeInstance,
	}
	if diff := cmp.Diff(cases.Case{Name: "Mine", NameSet: true, Color: "teal", Reference: "QUICK-1"}, got); diff != "" {
		t.Error(diff)
	}
	if v.URL != "https://casehook.example/cases/"+strings.TrimPrefix(event.CaseSubject(v.ID), "case/") {
		t.Errorf("URL %q", v.URL)
	}
	_, err := w.submissions.Submit(t.Context(), w.p, casework.Submission{CaseID: v.ID, Edit: true}, authz.Once{})
	wantFault(t, err, fault.Forbidden, "case.no_edit")
}

func TestNumbersCountPerTypeAndOutcome(t *testing.T) {
	engines(t, func(t *testing.T, w *world) {
		w.put(w.p, loan("loan", ""))
		w.put(w.p, loan("lease", ""))
		for i, want := range []struct {
			key, reference string
			outcome        int64
		}{{"loan", "L-001", 1}, {"loan", "L-002", 2}, {"lease", "L-001", 3}, {"loan", "L-003", 4}} {
			if v := w.open(want.key); v.Reference != want.reference || v.OutcomeInstance != want.outcome {
				t.Errorf("case %d of %s: %s, outcome %d", i, want.key, v.Reference, v.OutcomeInstance)
			}
		}
	})
}

// A new pattern of references may produce references that exist.
func TestATakenReferenceIsPassedOver(t *testing.T) {
	engines(t, func(t *testing.T, w *world) {
		d := loan("loan", "")
		w.put(w.p, strings.Replace(d, "L-{seq:03}", "L-10{seq}", 1))
		for range 3 {
			w.open("loan") // L-101 to L-103
		}
		w.put(w.p, strings.Replace(d, "L-{seq:03}", "L-{seq}", 1))
		err := w.store.Update(t.Context(), func(tx *store.Tx) error {
			for range 97 {
				if _, err := tx.Next(t.Context(), w.p.Tenant, "reference/loan"); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		if v := w.open("loan"); v.Reference != "L-104" {
			t.Errorf("reference %s, want L-104", v.Reference)
		}
	})
}

func TestATakenIDIsDrawnAgain(t *testing.T) {
	random := bytes.NewReader(append(bytes.Repeat([]byte{1}, 16), bytes.Repeat([]byte{2}, 8)...))
	w := start(t, func(c *settings) { c.Random = random })
	w.put(w.p,
		`{"key":"plain","fields":{"type":"object","properties":{}},"states":[{"key":"s"}],
			"transitions":[{"key":"make","to":"s"}]}`)
	a := w.submit(casework.Submission{Type: "plain"})
	b := w.submit(casework.Submission{Type: "plain"})
	if a.ID == b.ID || b.Reference == a.Reference {
		t.Errorf("ids %d, %d, references %s, %s", a.ID, b.ID, a.Reference, b.Reference)
	}
}

func TestRefusedSubmissions(t *testing.T) {
	long := strings.Repeat("x", 201)
	many := loan("many", "")
	engines(t, func(t *testing.T, w *world) {
		w.put(w.p, loan("loan", ""))
		w.put(w.p, many)
		w.put(w.p,
			`{"key":"strict",
				"fields":{"type":"object","required":["must"],"properties":{"must":{"type":"string"},"n":{"type":"integer"}}},
			"states":[{"key":"s"}],"transitions":[{"key":"open","to":"s","fields":["n"]}]}`)
		c := w.open("loan")
		final := w.submit(casework.Submission{CaseID: w.open("loan").ID, Transition: "decline"})
		scored := w.submit(casework.Submission{Type: "loan", Transition: "open", Data: object(`{"score":5}`)})
		for _, r := range []struct {
			name   string
			in     casework.Submission
			kind   fault.Kind
			code   string
			fields []string
		}{
			{"no such case", casework.Submission{CaseID: 4539148803436467, Transition: "submit"}, fault.NotFound, "case.not_found", nil},
			{"no such type", casework.Submission{Type: "x"}, fault.NotFound, "case_type.not_found", nil},
			{"a type that can't be", casework.Submission{Type: "a\x00b"}, fault.NotFound, "case_type.not_found", nil},
			{"several creations", casework.Submission{Type: "many"}, fault.Unprocessable, "case.transition_required", []string{"/transition"}},
			{"no such transition", casework.Submission{CaseID: c.ID, Transition: "x"}, fault.NotFound, "transition.not_found", nil},
			{"no such creation", casework.Submission{Type: "loan", Transition: "x"}, fault.NotFound, "transition.not_found", nil},
			{"no transition", casework.Submission{CaseID: c.ID}, fault.NotFound, "transition.not_found", nil},
			{"a creation that does not create", casework.Submission{Type: "loan", Transition: "submit"}, fault.Conflict, "case.transition_not_allowed", nil},
			{"a case created again", casework.Submission{CaseID: c.ID, Transition: "open"}, fault.Conflict, "case.transition_not_allowed", nil},
			{"the wrong state", casework.Submission{CaseID: c.ID, Transition: "approve"}, fault.Conflict, "case.transition_not_allowed", nil},
			{"an edit in the wrong state", casework.Submission{CaseID: final.ID, Edit: true}, fault.Conflict, "case.transition_not_allowed", nil},
			{"an old revision", casework.Submission{CaseID: c.ID, Edit: true, IfRevision: casework.Revisions{9}}, fault.Conflict, "case.version_conflict", nil},
			{"fields not allowed", casework.Submission{CaseID: c.ID, Edit: true, Data: object(`{"score":1,"client":"x"}`)}, fault.Unprocessable, "case.fields_not_allowed", []string{"/data/score"}},
			{"cleared fields not allowed", casework.Submission{CaseID: scored.ID, Edit: true, Data: object(`{"score":null}`)}, fault.Unprocessable, "case.fields_not_allowed", []string{"/data/score"}},
			{"a name where none is set", casework.Submission{CaseID: c.ID, Transition: "submit", Name: text("x"), Color: text("red")}, fault.Unprocessable, "case.fields_not_allowed", []string{"/name", "/color"}},
			{"unknown fields", casework.Submission{CaseID: c.ID, Edit: true, Data: object(`{"a/b":1,"clint":null}`)}, fault.Unprocessable, "case.data_invalid", []string{"/data/a~1b", "/data/clint"}},
			{"an unknown field beside a wrong type and a missing one", casework.Submission{Type: "strict", Data: object(`{"mst":"x","n":"1"}`), Color: text("url(x)")},
				fault.Unprocessable, "case.data_invalid", []string{"/data/mst", "/color", "/data/must", "/data/n"}},
			{"an unknown field beside one that may not be set", casework.Submission{CaseID: c.ID, Edit: true, Data: object(`{"clint":"x","amount":"1","score":1}`)},
				fault.Unprocessable, "case.data_invalid", []string{"/data/clint", "/data/score", "/data/amount"}},
			{"a field that may not be set beside a wrong type", casework.Submission{CaseID: c.ID, Edit: true, Data: object(`{"amount":"1","score":1}`)},
				fault.Unprocessable, "case.data_invalid", []string{"/data/score", "/data/amount"}},
			{"wrong types", casework.Submission{CaseID: c.ID, Edit: true, Data: object(`{"amount":"1","email":"x","tags":[1]}`)}, fault.Unprocessable, "case.data_invalid", []string{"/data/amount", "/data/email", "/data/tags/0"}},
			{"too much data", casework.Submission{CaseID: c.ID, Edit: true, Data: map[string]any{"tags": []any{strings.Repeat("x", 16<<20)}}}, fault.Unprocessable, "case.data_invalid", []string{"/data"}},
			{"a long name", casework.Submission{CaseID: c.ID, Edit: true, Name: &long}, fault.Unprocessable, "case.data_invalid", []string{"/name"}},
			{"NUL in the name", casework.Submission{CaseID: c.ID, Edit: true, Name: text("a\x00")}, fault.Unprocessable, "case.data_invalid", []string{"/name"}},
			{"a colour that is none", casework.Submission{CaseID: c.ID, Edit: true, Color: text("url(x)")}, fault.Unprocessable, "case.data_invalid", []string{"/color"}},
		} {
			_, err := w.submissions.Submit(t.Context(), w.p, r.in, authz.Once{})
			if err == nil {
				t.Errorf("%s: saved", r.name)
				continue
			}
			t.Log(r.name)
			wantFields(t, wantFault(t, err, r.kind, r.code), r.fields...)
		}
		if now := w.load(c.ID); cmp.Diff(c.Case, now.Case) != "" || len(w.history(c.ID)) != 1 {
			t.Errorf("refused submissions changed the case: %+v", now.Case)
		}
		moved := w.submit(casework.Submission{CaseID: c.ID, Transition: "submit", Data: object(`{"amount":100}`)})
		_, err := w.submissions.Submit(t.Context(), w.p,
			casework.Submission{CaseID: c.ID, Transition: "approve"}, authz.Once{})
		if f := wantFault(t, err, fault.Unprocessable, "case.precondition_failed"); !strings.Contains(f.Detail,
			"It depends on: amount.") || strings.Contains(f.Detail, "data.") {
			t.Errorf("%q does not say what does not hold", f.Detail)
		}
		w.submit(casework.Submission{
			CaseID: c.ID, Edit: true, Data: object(`{"amount":1}`), IfRevision: casework.Revisions{moved.Revision},
		})
	})
}

// After any sequence of changes, the version of a case counts its entries, and each entry shows the
// case as it was.
func TestTheJournalIsTheHistoryOfACase(t *testing.T) {
	w := start(t)
	w.put(w.p, loan("loan", `"retries": []`))
	answers := []string{
		``, `{"data":{"client":"Cy"}}`, `{"errors":["no"]}`, `{"override_state":"approved"}`, `{"data":{}}`,
		`{"data":{"x":1}}`,
	}
	rapid.Check(t, func(r *rapid.T) {
		c := w.open("loan")
		views := []cases.Case{c.Case}
		for range rapid.IntRange(0, 12).Draw(r, "steps") {
			w.callbacks.on("loan", respond(200, rapid.SampledFrom(answers).Draw(r, "answer")))
			in := casework.Submission{CaseID: c.ID, Data: map[string]any{}}
			in.Transition = rapid.SampledFrom([]string{
				"submit", "approve", "decline", "close", "edit", "comment",
			}).Draw(r, "transition")
			if in.Transition == "comment" {
				if _, err := w.comment(w.p, c.ID, "x", authz.Once{}); err != nil {
					r.Fatal(err)
				}
			} else {
				if rapid.Bool().Draw(r, "sets the client") {
					in.Data["client"] = rapid.SampledFrom([]any{"Ann", "Bo", nil, 7}).Draw(r, "client")
				}
				if _, err := w.submissions.Submit(t.Context(), w.p, in,
					authz.Once{}); err != nil && fault.As(err).Kind == fault.Internal {
					r.Fatal(err)
				}
			}
			if now := w.load(c.ID).Case; now.Version != views[len(views)-1].Version {
				views = append(views, now)
			}
		}
		entries := w.history(c.ID)
		if last := views[len(views)-1]; last.Version != int64(len(entries)) || len(views) != len(entries) {
			r.Fatalf("version %d, %d entries, %d views", last.Version, len(entries), len(views))
		}
		for i, e := range entries {
			want, err := views[i].Snapshot(c.Definition, "https://casehook.example")
			if err != nil {
				r.Fatal(err)
			}
			if diff := cmp.Diff(want, e.Snapshot); diff != "" || e.Version != int64(i+1) || len(e.Facts) == 0 {
				r.Fatalf("entry %d, version %d, %d facts: %s", i, e.Version, len(e.Facts), diff)
			}
			if diff := cmp.Diff(w.p.Actor, e.Actor); diff != "" {
				r.Fatal(diff)
			}
		}
	})
}

func TestADeletedCaseLeavesItsHistory(t *testing.T) {
	engines(t, func(t *testing.T, w *world) {
		w.put(w.p, loan("loan", ""))
		c := w.open("loan")
		a, err := w.files.UploadProof(t.Context(), w.p, c.ID,
			casework.Upload{Key: "bill", Body: strings.NewReader("x")}, authz.Once{})
		if err != nil {
			t.Fatal(err)
		}
		if err := w.cases.DeleteCase(t.Context(), w.p,
			casework.Deletion{CaseID: c.ID, IfRevision: casework.Revisions{7}}); !errors.Is(err, fault.Conflict) {
			t.Fatalf("another revision: %v", err)
		}
		if err := w.cases.DeleteCase(t.Context(), w.p,
			casework.Deletion{CaseID: c.ID, IfRevision: casework.Revisions{c.Revision}}); err != nil {
			t.Fatal(err)
		}
		entries := w.history(c.ID)
		last := entries[len(entries)-1]
		type deletion struct {
			Entries         int
			Version, Stored int64
			Facts, Name     string
		}
		got := deletion{len(entries), last.Version, last.Snapshot.Case.Version, w.facts(c.ID), last.Snapshot.Case.Name}
		if diff := cmp.Diff(deletion{3, 3, 3, "deleted", "Ann"}, got); diff != "" {
			t.Error(diff)
		}
		if _, _, err := w.blobs.Open(t.Context(), a.Blob); !errors.Is(err, fault.NotFound) {
			t.Errorf("the contents are still there: %v", err)
		}
		_, err = w.cases.Case(t.Context(), w.p, c.ID)
		wantFault(t, err, fault.NotFound, "case.not_found")
		wantFault(t, w.cases.DeleteCase(t.Context(), w.p, casework.Deletion{CaseID: c.ID}),
			fault.NotFound, "case.not_found")
		_, err = items(w.cases.History(t.Context(), w.p, c.ID+1, 0, 10))
		wantFault(t, err, fault.NotFound, "case.not_found")
	})
}

func TestCasesAreListedNewestFirst(t *testing.T) {
	engines(t, func(t *testing.T, w *world) {
		w.put(w.p, loan("loan", ""))
		w.put(w.p, loan("lease", ""))
		a, b := w.open("loan"), w.open("lease")
		w.submit(casework.Submission{CaseID: a.ID, Transition: "submit", Data: object(`{"client":"Zoë"}`)})
		for _, c := range []struct {
			filter store.CaseFilter
			want   []int64
		}{
			{store.CaseFilter{}, []int64{b.ID, a.ID}},
			{store.CaseFilter{Limit: 1}, []int64{b.ID}},
			{store.CaseFilter{After: store.Position{CreatedAt: b.CreatedAt, ID: b.ID}}, []int64{a.ID}},
			{store.CaseFilter{Type: "loan"}, []int64{a.ID}},
			{store.CaseFilter{State: "draft"}, []int64{b.ID}},
			{store.CaseFilter{Text: "zoë"}, []int64{a.ID}},
			{store.CaseFilter{Type: "a b"}, nil},
		} {
			all, err := listed(w.cases.Cases(t.Context(), w.p, c.filter))
			if err != nil {
				t.Fatal(err)
			}
			var got []int64
			for _, v := range all {
				got = append(got, v.ID)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("%+v: %s", c.filter, diff)
			}
		}
		_, err := listed(w.cases.Cases(t.Context(), w.p, store.CaseFilter{Text: "\x00"}))
		wantFault(t, err, fault.Invalid, "filter.invalid")
	})
}

// A note is kept, and a submission that changes nothing is recorded for its note alone.
func TestANoteIsKeptInTheEntryOfItsCommit(t *testing.T) {
	engines(t, func(t *testing.T, w *world) {
		w.put(w.p, loan("loan", ""))
		note := event.Note{Summary: "By phone", Description: "She called."}
		made := w.submit(casework.Submission{
			Type: "loan", Transition: "open", Data: object(`{"client":"Ann"}`), Note: note,
		})
		same := w.submit(casework.Submission{CaseID: made.ID, Edit: true, Data: object(`{"client":"Ann"}`)})
		noted := w.submit(casework.Submission{CaseID: made.ID, Edit: true, Note: event.Note{Summary: "Again"}})
		if got := fmt.Sprint(same.Version, noted.Version, noted.Revision); got != "1 2 1" ||
			!noted.ModifiedAt.Equal(made.ModifiedAt) {
			t.Errorf("versions and the revision are %s", got)
		}
		all := w.history(made.ID)
		var notes []event.Note
		for _, e := range all {
			notes = append(notes, e.Snapshot.Note)
		}
		if diff := cmp.Diff([]event.Note{note, {Summary: "Again"}}, notes); diff != "" || len(all[1].Facts) != 0 {
			t.Errorf("%d facts, and the notes (-want +got):\n%s", len(all[1].Facts), diff)
		}
		wrong := event.Note{Summary: "a\x00", Description: "\xff"}
		in := casework.Submission{CaseID: made.ID, Edit: true, Data: object(`{"amount":"x"}`), Note: wrong}
		_, err := w.submissions.Submit(t.Context(), w.p, in, authz.Once{})
		wantFields(t, wantFault(t, err, fault.Unprocessable, "case.data_invalid"),
			"/summary", "/description", "/data/amount")
	})
}

// F2: clients may send back all that they were shown, whatever the transition lists.
func TestF2AFieldThatDoesNotChangeNeedsNoRight(t *testing.T) {
	engines(t, func(t *testing.T, w *world) {
		w.put(w.p, loan("loan", ""))
		made := w.submit(casework.Submission{Type: "loan", Transition: "open",
			Data: object(`{"client":"Ann","amount":5,"score":2.0,"email":"a@b.example"}`)})
		edit := func(p access.Principal, data string) (casework.View, error) {
			return w.submissions.Submit(t.Context(), p,
				casework.Submission{CaseID: made.ID, Edit: true, Data: object(data)}, authz.Once{})
		}
		for _, data := range []string{`{"score":2.0}`, `{"score":2,"client":"Bea"}`, `{"score":20e-1}`} {
			if v, err := edit(w.p, data); err != nil || v.Data["score"] != json.Number("2.0") {
				t.Errorf("%s: %v, %v", data, v.Data, err)
			}
		}
		if got := w.load(made.ID); got.Version != 2 || got.Data["client"] != "Bea" {
			t.Errorf("version %d, with %v", got.Version, got.Data)
		}
		for _, data := range []string{`{"score":3}`, `{"score":null}`} {
			_, err := edit(w.p, data)
			wantFields(t, fault.As(err), "/data/score")
		}
		low := w.p // a guess at what a caller does not see is refused, right or wrong
		low.Clearance = casetype.Private
		for _, data := range []string{`{"email":"a@b.example"}`, `{"email":"x@b.example"}`, `{"email":null}`} {
			_, err := edit(low, data)
			wantFields(t, wantFault(t, err, fault.Unprocessable, "case.data_invalid"), "/data/email")
		}
		v := w.submit(casework.Submission{CaseID: w.open("loan").ID, Edit: true, Data: object(`{"score":null}`)})
		if v.Version != 1 { // which is as absent as before
			t.Errorf("version %d", v.Version)
		}
	})
}
