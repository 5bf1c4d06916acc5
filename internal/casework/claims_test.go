package casework_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

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
	"github.com/casehook/casehook/internal/wire"
)

// claim returns a case type of claims. Its fields are cost, an integer, and those of more; its states are reported,
// settled (final), and the extra one.
func claim(key, more, extra string) string {
	return fmt.Sprintf(`{
	"key": %[1]q, "kind": "claim", "reference": "C-{seq}", "name_template": "%[1]s {claimant}", "outcome": %[1]q, "edit": "amend",
	"security_classification": "PRIVATE",
	"fields": {"type": "object", "properties": {"claimant": {"type": "string"}, "cost": {"type": "integer"}%[2]s}},
	"states": [{"key": "reported"}, {"key": %[3]q}, {"key": "settled", "final": true}],
	"transitions": [{"key": "report", "to": "reported"}, {"key": "amend", "from": ["reported", %[3]q]},
		{"key": "go", "from": ["reported"], "to": %[3]q}, {"key": "settle", "from": ["reported", %[3]q], "to": "settled"},
		{"key": "reopen", "from": ["settled"], "to": "reported"}]
	}`, key, more, extra)
}

func (w *world) putClaims() {
	w.t.Helper()
	w.put(w.p, claim("motor", `, "plate": {"type": "string"}, "place": {"type": "string"}`, "repair"))
	w.put(w.p, claim("home", `, "rooms": {"type": "integer"}, "place": {"type": "object"}`, "visit"))
}

func (w *world) report(data string) casework.View {
	w.t.Helper()
	return w.submit(casework.Submission{Type: "motor", Data: object(data)})
}

func (w *world) user(p access.Principal, name string) int64 {
	w.t.Helper()
	u := access.User{
		Tenant: p.Tenant, Email: strings.ToLower(name) + "@example.org", Name: name, Role: access.Caseworker,
		Clearance: casetype.Restricted,
	}
	err := w.store.Update(w.t.Context(), func(tx *store.Tx) (err error) {
		u, err = tx.CreateUser(w.t.Context(), u)
		return err
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return u.ID
}

func (w *world) label(p access.Principal, slugs ...string) {
	w.t.Helper()
	for _, slug := range slugs {
		if _, err := w.labels.CreateLabel(w.t.Context(), p, cases.Label{Slug: slug}, authz.Once{}); err != nil {
			w.t.Fatal(err)
		}
	}
}

// Each step with facts is one commit: version and entries grow by one. A step without facts changes nothing.
func TestLabelsAssignmentAndStatusHaveTheirFacts(t *testing.T) {
	engines(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		w.putClaims()
		w.label(w.p, "fast", "glass")
		ann, bob := w.user(w.p, "Ann"), w.user(w.p, "Bob")
		c := w.report(`{"claimant": "Zoe"}`)
		add := func(slug string) func() (casework.View, error) {
			return func() (casework.View, error) { return w.addLabel(w.p, c.ID, slug) }
		}
		remove := func(slug string) func() (casework.View, error) {
			return func() (casework.View, error) { return w.removeLabel(w.p, c.ID, slug) }
		}
		assign := func(user int64) func() (casework.View, error) {
			return func() (casework.View, error) { return w.assign(w.p, c.ID, user) }
		}
		unassign := func() (casework.View, error) { return w.assign(w.p, c.ID, 0) }
		submit := func(transition string) func() (casework.View, error) {
			return func() (casework.View, error) {
				return w.submissions.Submit(ctx, w.p,
					casework.Submission{CaseID: c.ID, Transition: transition}, authz.Once{})
			}
		}
		for i, step := range []struct {
			do       func() (casework.View, error)
			facts    string // empty: nothing changes
			labels   string
			assignee string
			status   string
		}{
			{add("glass"), `case.label_added {"slug":"glass"}`, "glass", "", "open"},
			{add("glass"), "", "glass", "", "open"},
			{add("fast"), `case.label_added {"slug":"fast"}`, "fast glass", "", "open"},
			{remove("none"), "", "fast glass", "", "open"},
			{unassign, "", "fast glass", "", "open"},
			{assign(ann), fmt.Sprintf(`case.assigned {"user_id":%d,"name":"Ann"}`, ann), "fast glass", "Ann", "open"},
			{assign(ann), "", "fast glass", "Ann", "open"},
			{assign(bob), fmt.Sprintf(`case.assigned {"user_id":%d,"name":"Bob"}`, bob), "fast glass", "Bob", "open"}, // from one to the next: this alone
			{submit("go"), `case.state_changed {"from":"reported","to":"repair","transition":"go"}`, "fast glass", "Bob", "open"},
			{submit("settle"), `case.state_changed {"from":"repair","to":"settled","transition":"settle"}; case.finished {}; case.closed {}`, "fast glass", "Bob", "closed"},
			{unassign, fmt.Sprintf(`case.unassigned {"user_id":%d,"name":"Bob"}`, bob), "fast glass", "", "closed"},
			{remove("glass"), `case.label_removed {"slug":"glass"}`, "fast", "", "closed"},
			{submit("reopen"), `case.state_changed {"from":"settled","to":"reported","transition":"reopen"}; case.reopened {}`, "fast", "", "open"},
		} {
			before := w.load(c.ID)
			w.later(1e9)
			after, err := step.do()
			if err != nil {
				t.Fatalf("step %d: %v", i, err)
			}
			entries := w.history(c.ID)
			last := entries[len(entries)-1]
			grown := int64(1)
			if step.facts == "" {
				grown = 0
			} else {
				if got := factsOf(last); got != step.facts {
					t.Errorf("step %d: facts %s, want %s", i, got, step.facts)
				}
				want, err := after.Snapshot(after.Definition, "https://casehook.example")
				if diff := cmp.Diff(want, last.Snapshot); err != nil || diff != "" {
					t.Errorf("step %d: the entry differs from the answer: %v %s", i, err, diff)
				}
			}
			type outcome struct {
				Version          int64
				Entries          int
				Active           bool
				Labels, Assignee string
				Status           string
			}
			version := before.Version + grown
			want := outcome{version, int(version), grown == 1, step.labels, step.assignee, step.status}
			got := outcome{after.Version, len(entries), after.LastActivity.At.After(before.LastActivity.At),
				strings.Join(after.Labels, " "), after.Assignee.Name, after.Status()}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("step %d: %s", i, diff)
			}
			if diff := cmp.Diff(after.Case, w.load(c.ID).Case); diff != "" {
				t.Errorf("step %d: %s", i, diff)
			}
		}
		want := []string{
			"claim.created v1", "claim.label_added v2", "claim.label.added v2", "claim.label_added v3", "claim.label.added v3", "claim.assigned v4",
			"claim.assigned v5", "claim.closed v7", "claim.unassigned v8", "claim.label_removed v9", "claim.label.removed v9", "claim.reopened v10",
		}
		if diff := cmp.Diff(want, w.claimEvents(c.ID)); diff != "" {
			t.Error(diff)
		}
	})
}

// claimEvents lists the claim events of a case, each with its version.
func (w *world) claimEvents(id int64) (all []string) {
	w.t.Helper()
	for _, e := range w.history(id) {
		for _, m := range wire.Messages(e, "0.1.0", casetype.Restricted) {
			if m.Err != nil {
				w.t.Errorf("%s: %v", m.Trigger, m.Err)
			}
			if strings.HasPrefix(m.Trigger, "claim.") {
				all = append(all, fmt.Sprintf("%s v%d", m.Trigger, e.Version))
			}
		}
	}
	return all
}

// A case that is no claim also has labels, an assignee and a status, and has no claim events.
func TestACaseIsMarkedWithoutClaimEvents(t *testing.T) {
	w := start(t)
	w.put(w.p, loan("loan", ""))
	w.label(w.p, "a")
	c := w.open("loan")
	if _, err := w.addLabel(w.p, c.ID, "a"); err != nil {
		t.Fatal(err)
	}
	if _, err := w.assign(w.p, c.ID, w.user(w.p, "Ann")); err != nil {
		t.Fatal(err)
	}
	w.submit(casework.Submission{CaseID: c.ID, Transition: "decline"})
	if got := w.facts(c.ID); got != "state_changed declined finished closed" || len(w.history(c.ID)) != 4 {
		t.Errorf("facts %q in %d entries", got, len(w.history(c.ID)))
	}
	if got := w.claimEvents(c.ID); got != nil {
		t.Errorf("it fired %v", got)
	}
}

// factsOf writes an entry's facts.
func factsOf(e *event.Entry) string {
	var all []string
	for _, f := range e.Facts {
		all = append(all, f.Name+" "+string(f.Data))
	}
	return strings.Join(all, "; ")
}

func TestAClaimCreatedInAFinalStateIsCreatedAndThenClosed(t *testing.T) {
	w := start(t)
	w.put(w.p, `{"key":"quick","kind":"claim","fields":{"type":"object","properties":{}},
		"states":[{"key":"done","final":true},{"key":"open"}],"transitions":[{"key":"make","to":"done"},{"key":"reopen","from":["done"],"to":"open"}]}`)
	v := w.submit(casework.Submission{Type: "quick"})
	if got := w.facts(v.ID); got != "created state_changed finished closed" {
		t.Errorf("facts %q", got)
	}
	type status struct {
		Status             string
		By                 int64
		ClosedAt, OpenedAt time.Time
	}
	want := status{cases.Closed, 0, v.CreatedAt, v.CreatedAt}
	if diff := cmp.Diff(want, status{v.Status(), v.StatusChangedBy, v.ClosedAt, v.OpenedAt}); diff != "" {
		t.Error(diff)
	}
	if got := fmt.Sprint(w.claimEvents(v.ID)); got != "[claim.created v1 claim.closed v1]" {
		t.Errorf("it fired %v", got)
	}
	w.p.Actor = event.Actor{Source: event.UI, Name: "Ann", UserID: 7}
	v = w.submit(casework.Submission{CaseID: v.ID, Transition: "reopen"})
	if got := w.facts(v.ID); got != "state_changed reopened" || v.StatusChangedBy != 7 || !v.ClosedAt.IsZero() {
		t.Errorf("facts %q, changed by %d", got, v.StatusChangedBy)
	}
}

func TestASwitchCarriesOverWhatFits(t *testing.T) {
	engines(t, func(t *testing.T, w *world) {
		w.putClaims()
		w.report(`{"claimant": "First"}`)
		c := w.report(`{"claimant": "Zoe", "cost": 5, "plate": "ZH 1", "place": "Bern"}`)
		// the newest counts
		w.put(w.p,
			claim("home",
				`, "rooms": {"type": "integer"}, "place": {"type": "object"}, "floor": {"type": "integer"}`, "visit"))
		in := casework.Switch{CaseID: c.ID, Type: "home"}
		_, err := w.switches.SwitchType(t.Context(), w.p, in, authz.Once{})
		wantFields(t, wantFault(t, err, fault.Unprocessable, "case.switch_data"), "/data/place", "/data/plate")
		if len(w.history(c.ID)) != 1 {
			t.Error("refused, it left an entry")
		}
		in.Drop, in.IfRevision = true, casework.Revisions{c.Revision}
		v, err := w.switches.SwitchType(t.Context(), w.p, in, authz.Once{})
		if err != nil {
			t.Fatal(err)
		}
		want := cases.Case{
			Type: "home", TypeVersion: 2, State: "reported", Version: 2, Revision: 2, Name: "home Zoe",
			Reference: c.Reference, OutcomeInstance: 1, Data: object(`{"claimant":"Zoe","cost":5}`),
		}
		switched := cases.Case{
			Type: v.Type, TypeVersion: v.TypeVersion, State: v.State, Version: v.Version, Revision: v.Revision,
			Name: v.Name, Reference: v.Reference, OutcomeInstance: v.OutcomeInstance, Data: v.Data,
		}
		if diff := cmp.Diff(want, switched); diff != "" {
			t.Error(diff)
		}
		if got := w.facts(c.ID); got != "type_switched changed" {
			t.Errorf("facts %q", got)
		}
		if first := w.history(c.ID)[1].Facts[0]; string(first.Data) != `{"from":"motor","to":"home"}` {
			t.Errorf("the fact is %s", first.Data)
		}
		again, err := w.switches.SwitchType(t.Context(), w.p, casework.Switch{CaseID: c.ID, Type: "home"}, authz.Once{})
		if err != nil || cmp.Diff(v.Case, again.Case) != "" || len(w.history(c.ID)) != 2 {
			t.Errorf("switched to its own type: %+v, %v", again.Case, err)
		}
		_, err = w.switches.SwitchType(t.Context(), w.p,
			casework.Switch{CaseID: c.ID, Type: "motor", IfRevision: casework.Revisions{1}}, authz.Once{})
		wantFault(t, err, fault.Conflict, "case.version_conflict")
	})
}

func TestASwitchFindsItsState(t *testing.T) {
	w := start(t)
	w.putClaims()
	w.put(w.p,
		`{"key":"both","kind":"claim",
			"fields":{"type":"object","required":["cost"],"properties":{"cost":{"type":"integer"}, "claimant": {"type": "string"}}},
		"states":[{"key":"a"},{"key":"reported","final":true}],"transitions":[{"key":"one","to":"a"},{"key":"two","to":"reported"}]}`)
	w.put(w.p, loan("loan", ""))
	for _, c := range []struct {
		name, from, to, state string // from is a transition out of reported
		want, facts           string // or the code of the fault
	}{
		{"the same key", "", "home", "", "reported", "type_switched changed"},
		{"else where the only creation leads", "go", "home", "", "reported", "type_switched changed state_changed"},
		{"the same key, closed", "settle", "home", "", "settled", "type_switched changed"},
		{"as said, where nothing else says it", "go", "both", "a", "a", "type_switched changed state_changed"},
		{"as said, which closes it", "go", "both", "reported", "reported", "type_switched changed state_changed finished closed"},
		{"as said, which reopens it", "settle", "both", "a", "a", "type_switched changed state_changed reopened"},
		{"said, although the key is the same", "", "home", "settled", "case.switch_state", "/state"},
		{"said, although there is one beginning", "go", "home", "visit", "case.switch_state", "/state"},
		{"said as it is anyway", "", "home", "reported", "reported", "type_switched changed"},
		{"the same key, which closes it", "", "both", "", "reported", "type_switched changed closed"},
		{"more than one creation", "go", "both", "", "case.switch_state", "/state"},
		{"no such state", "go", "both", "repair", "case.switch_state", "/state"},
		{"no such type", "", "none", "", "case.switch_refused", "/type"},
		{"a key that is none", "", "\x00", "", "case.switch_refused", "/type"},
		{"a type of another kind", "", "loan", "", "case.switch_refused", "/type"},
	} {
		v := w.report(`{"claimant": "Zoe", "cost": 1}`)
		if c.from != "" {
			w.submit(casework.Submission{CaseID: v.ID, Transition: c.from})
		}
		v, err := w.switches.SwitchType(t.Context(), w.p, casework.Switch{CaseID: v.ID, Type: c.to, State: c.state},
			authz.Once{})
		if strings.HasPrefix(c.want, "case.") {
			wantFields(t, wantFault(t, err, fault.Unprocessable, c.want), c.facts)
			continue
		}
		if err != nil || v.State != c.want || w.facts(v.ID) != c.facts {
			t.Errorf("%s: in %s with %s, %v", c.name, v.State, w.facts(v.ID), err)
		}
	}
	incomplete := w.report(`{}`)
	_, err := w.switches.SwitchType(t.Context(), w.p, casework.Switch{CaseID: incomplete.ID, Type: "both", Drop: true},
		authz.Once{})
	wantFields(t, wantFault(t, err, fault.Unprocessable, "case.switch_data"), "/data/cost")
}

// The number of a reference that exists in the other type is drawn again.
func TestASwitchNeverMeetsAnotherReference(t *testing.T) {
	w := start(t)
	w.putClaims()
	mine := w.report(`{}`)
	theirs := w.submit(casework.Submission{Type: "home"})
	v, err := w.switches.SwitchType(t.Context(), w.p, casework.Switch{CaseID: mine.ID, Type: "home"}, authz.Once{})
	if err != nil || theirs.Reference != "C-1" || v.Reference != "C-2" {
		t.Errorf("%s beside %s, %v", v.Reference, theirs.Reference, err)
	}
}

func TestAnEditAndASwitchConflictAndALabelDoesNot(t *testing.T) {
	engines(t, func(t *testing.T, w *world) {
		w.putClaims()
		w.label(w.p, "fast")
		c := w.report(`{"claimant": "Zoe"}`)
		var all sync.WaitGroup
		results := make(chan error, 3)
		all.Go(func() {
			_, err := w.switches.SwitchType(t.Context(), w.p,
				casework.Switch{CaseID: c.ID, Type: "home", IfRevision: casework.Revisions{1}}, authz.Once{})
			results <- err
		})
		all.Go(func() {
			_, err := w.submissions.Submit(t.Context(), w.p,
				casework.Submission{
					CaseID: c.ID, Edit: true, Data: object(`{"cost": 1}`), IfRevision: casework.Revisions{1},
				}, authz.Once{})
			results <- err
		})
		all.Go(func() {
			if _, err := w.addLabel(w.p, c.ID, "fast"); err != nil {
				t.Error(err)
			}
		})
		all.Wait()
		lost := 0
		for range 2 {
			if err := <-results; err != nil {
				wantFault(t, err, fault.Conflict, "case.version_conflict")
				lost++
			}
		}
		if lost != 1 {
			t.Errorf("%d lost", lost)
		}
		v := w.load(c.ID)
		got := cases.Case{Version: v.Version, Revision: v.Revision, Labels: v.Labels}
		if diff := cmp.Diff(cases.Case{Version: 3, Revision: 2, Labels: []string{"fast"}}, got); diff != "" {
			t.Error(diff)
		}
	})
}

// The loser of the race gets an error that the case is gone, and neither waits for ever.
func TestADeletionAndItsLabelsDoNotLockEachOther(t *testing.T) {
	engines(t, func(t *testing.T, w *world) {
		w.putClaims()
		w.label(w.p, "a", "b")
		for range 10 {
			c := w.report(`{}`)
			if _, err := w.addLabel(w.p, c.ID, "a"); err != nil {
				t.Fatal(err)
			}
			var all sync.WaitGroup
			for _, do := range []func() error{
				func() error { _, err := w.removeLabel(w.p, c.ID, "a"); return err },
				func() error { _, err := w.addLabel(w.p, c.ID, "b"); return err },
				func() error { _, err := w.assign(w.p, c.ID, 0); return err },
				func() error { return w.cases.DeleteCase(t.Context(), w.p, casework.Deletion{CaseID: c.ID}) },
			} {
				all.Go(func() {
					if err := do(); err != nil && fault.As(err).Code != "case.not_found" {
						t.Error(err)
					}
				})
			}
			all.Wait()
			entries := w.history(c.ID)
			last := entries[len(entries)-1]
			if factsOf(last) != "case.deleted {}" || last.Version != int64(len(entries)) {
				t.Errorf("it ends with %s, version %d of %d entries", factsOf(last), last.Version, len(entries))
			}
		}
	})
}

func TestLabelsAndSwitchesHappenOncePerKey(t *testing.T) {
	engines(t, func(t *testing.T, w *world) {
		w.putClaims()
		c := w.report(`{"plate": "ZH 1"}`)
		in := casework.Switch{CaseID: c.ID, Type: "home", Drop: true}
		for _, first := range []bool{true, false} {
			_, err := w.switches.SwitchType(t.Context(), w.p, in, once(access.SwitchType, "k", "r"))
			_, label := w.labels.CreateLabel(t.Context(), w.p,
				cases.Label{Slug: "a"}, once(access.CreateLabel, "k", "r"))
			if first && (err != nil || label != nil) {
				t.Fatal(err, label)
			} else if !first {
				replayed(t, err)
				replayed(t, label)
			}
		}
		if n := len(w.history(c.ID)); n != 2 {
			t.Errorf("%d entries", n)
		}
		_, err := w.labels.CreateLabel(t.Context(), w.p, cases.Label{Slug: "a"}, authz.Once{})
		wantFault(t, err, fault.Conflict, "label.slug_taken")
	})
}

func TestLabelsAndAssigneesThatCantBe(t *testing.T) {
	w := start(t)
	w.putClaims()
	c := w.report(`{}`)
	for _, slug := range []string{"", "A", "a b", "-a", "a-", "é", strings.Repeat("a", 65), "a\x00"} {
		_, err := w.labels.CreateLabel(t.Context(), w.p, cases.Label{Slug: slug, Name: "x", Color: "#zz"}, authz.Once{})
		wantFields(t, wantFault(t, err, fault.Unprocessable, "label.invalid"), "/slug", "/color")
		_, err = w.addLabel(w.p, c.ID, slug)
		wantFault(t, err, fault.NotFound, "label.not_found")
	}
	w.label(w.p, "a", "a-b_9")
	_, err := w.labels.ChangeLabel(t.Context(), w.p, "a", casework.LabelChange{Name: text("x\ny")})
	wantFields(t, wantFault(t, err, fault.Unprocessable, "label.invalid"), "/name")
	other := w.tenant("second")
	theirs, gone := w.user(other, "Ann"), w.user(w.p, "Bob")
	err = w.store.Update(t.Context(), func(tx *store.Tx) error {
		u, err := tx.User(t.Context(), w.p.Tenant, gone)
		if err != nil {
			return err
		}
		u.Disabled = true
		_, err = tx.UpdateUser(t.Context(), u)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, user := range []int64{-1, 1 << 60, theirs, gone} {
		_, err := w.assign(w.p, c.ID, user)
		wantFields(t, wantFault(t, err, fault.Unprocessable, "case.assignee_unknown"), "/user_id")
	}
	if w.load(c.ID).Version != 1 {
		t.Error("something was saved")
	}
}

// After any sequence of changes, the status facts of a claim are those of the states in its
// history, and the claim shows the last.
func TestStatusFactsMatchTheStateHistory(t *testing.T) {
	w := start(t)
	w.putClaims()
	w.label(w.p, "a")
	final := map[string]bool{"settled": true}
	rapid.Check(t, func(r *rapid.T) {
		c := w.report(`{"cost": 1}`)
		for range rapid.IntRange(1, 12).Draw(r, "steps") {
			var err error
			switch does := rapid.SampledFrom([]string{"amend", "go", "settle", "reopen", "switch", "label"}).Draw(r,
				"does"); does {
			case "switch":
				_, err = w.switches.SwitchType(t.Context(), w.p, casework.Switch{
					CaseID: c.ID, Drop: true, Type: rapid.SampledFrom([]string{"motor", "home"}).Draw(r, "type"),
				}, authz.Once{})
			case "label":
				_, err = w.addLabel(w.p, c.ID, "a")
			default:
				_, err = w.submissions.Submit(t.Context(), w.p,
					casework.Submission{
						CaseID: c.ID, Transition: does,
						Data: map[string]any{"cost": rapid.IntRange(1, 3).Draw(r, "cost")},
					}, authz.Once{})
			}
			if err != nil {
				wantFault(t, err, fault.Conflict, "case.transition_not_allowed")
			}
		}
		closed, opened := false, c.CreatedAt
		for _, e := range w.history(c.ID) {
			var want, got []string
			switch now := final[e.Snapshot.Case.State]; {
			case now && !closed:
				want = append(want, "case.closed")
			case !now && closed:
				want = append(want, "case.reopened")
				opened = e.Snapshot.Case.LastActivityAt
			}
			closed = final[e.Snapshot.Case.State]
			for _, f := range e.Facts {
				if event.CaseClosed.Is(f) || event.CaseReopened.Is(f) {
					got = append(got, f.Name)
				}
			}
			if diff := cmp.Diff(want, got); diff != "" || e.Snapshot.Case.Final != closed ||
				!e.Snapshot.Case.OpenedAt.Equal(opened) || e.Snapshot.Case.ClosedAt.IsZero() == closed {
				r.Fatalf("entry %d in %s: %s", e.Version, e.Snapshot.Case.State, diff)
			}
		}
		if v := w.load(c.ID); (v.Status() == cases.Closed) != closed {
			r.Fatalf("the claim is %s", v.Status())
		}
	})
}
