package casework_test

import (
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/casehook/casehook/internal/access"
	"github.com/casehook/casehook/internal/authz"
	"github.com/casehook/casehook/internal/casetype"
	"github.com/casehook/casehook/internal/casework"
	"github.com/casehook/casehook/internal/fault"
)

// Two versions of a definition. The second has another state for checks, a limit for notes, another template for names,
// and no callback.
const (
	permitV1 = `{"key": "permit", "name_template": "{who}", "edit": "edit", "fields": {"type": "object", "properties": {
			"who": {"type": "string"}, "note": {"type": "string"}}},
		"states": [{"key": "new"}, {"key": "checking"}, {"key": "done", "final": true}],
		"transitions": [{"key": "open", "to": "new"}, {"key": "edit", "from": ["new", "checking"]}, {"key": "check", "from": ["new"], "to": "checking"},
			{"key": "finish", "from": ["checking"], "to": "done", "about_to_submit": {"url": "${CASEHOOK_VAR_CALLBACKS}/never"}}],
		"delete": {"about_to_submit": {"url": "${CASEHOOK_VAR_CALLBACKS}/never"}}}`
	permitV2 = `{"key": "permit", "name_template": "{who}: {note}", "edit": "edit", "fields": {"type": "object", "properties": {
			"who": {"type": "string"}, "note": {"type": "string", "maxLength": 4}}},
		"states": [{"key": "new"}, {"key": "assessing"}, {"key": "refused", "final": true}],
		"transitions": [{"key": "open", "to": "new"}, {"key": "edit", "from": ["new", "assessing"]},
			{"key": "assess", "from": ["new"], "to": "assessing", "roles": ["manager"], "about_to_submit": {"url": "${CASEHOOK_VAR_CALLBACKS}/never"}},
			{"key": "refuse", "from": ["new"], "to": "refused"}]}`
)

// permit opens a case and submits transitions.
func (w *world) permit(data string, transitions ...string) casework.View {
	w.t.Helper()
	v := w.submit(casework.Submission{Type: "permit", Data: object(data)})
	for _, key := range transitions {
		v = w.submit(casework.Submission{CaseID: v.ID, Transition: key})
	}
	return v
}

func (w *world) migrate(in casework.Migration) casework.MigrationResult {
	w.t.Helper()
	in.Type = "permit"
	done, err := w.migrations.MigrateCases(w.t.Context(), w.p, in, authz.Once{})
	if err != nil {
		w.t.Fatal(err)
	}
	return done
}

// faults writes the misfits as "id path path".
func faultsOf(m casework.MigrationResult) (all []string) {
	for _, misfit := range m.Misfits {
		line := fmt.Sprint(misfit.CaseID)
		for _, f := range misfit.Fields {
			line += " " + f.Path
		}
		all = append(all, line)
	}
	return all
}

func TestCasesThatFitMoveToTheNewerVersion(t *testing.T) {
	engines(t, func(t *testing.T, w *world) {
		w.put(w.p, permitV1)
		fits := w.permit(`{"who": "Ann", "note": "a"}`)
		mapped := w.permit(`{"who": "Bob", "note": "b"}`, "check")
		long := w.permit(`{"who": "Eve", "note": "too long"}`, "check")
		done := w.permit(`{"who": "Kim"}`, "check", "finish")
		w.callbacks.on("never", respond(200, `{"errors": ["Never."]}`))
		w.put(w.p, permitV2)
		young := w.permit(`{"who": "Zoe", "note": "z"}`)

		in := casework.Migration{States: map[string]string{"checking": "assessing"}, DryRun: true}
		misfits := []string{fmt.Sprint(long.ID, " /data/note")}
		for _, dry := range []bool{true, false} {
			in.DryRun = dry
			got := w.migrate(in)
			if diff := cmp.Diff(misfits, faultsOf(got)); diff != "" {
				t.Errorf("dry %t: %s", dry, diff)
			}
			got.Misfits = nil
			if diff := cmp.Diff(casework.MigrationResult{To: 2, DryRun: dry, Moved: 2, Finished: 1}, got); diff != "" {
				t.Errorf("dry %t: %s", dry, diff)
			}
			if v := w.load(fits.ID); dry && cmp.Diff(fits.Case, v.Case) != "" {
				t.Errorf("a dry run changed the case to %+v", v.Case)
			}
		}
		type migrated struct {
			ID, TypeVersion    int64
			State, Name, Facts string
		}
		for _, want := range []migrated{
			{fits.ID, 2, "new", "Ann: a", "migrated changed"},
			{mapped.ID, 2, "assessing", "Bob: b", "migrated changed state_changed"},
			{long.ID, 1, "checking", "Eve", "state_changed"},
			{done.ID, 1, "done", "Kim", "state_changed finished closed"},
			{young.ID, 2, "new", "Zoe: z", "created state_changed"},
		} {
			v := w.load(want.ID)
			got := migrated{v.ID, v.TypeVersion, v.State, v.Name, w.facts(v.ID)}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error(diff)
			}
		}
		last := w.history(mapped.ID)[2]
		if got := string(last.Facts[0].Data); got != `{"from_version":1,"to_version":2}` ||
			last.Snapshot.Case.TypeVersion != 2 {
			t.Errorf("the fact is %s", got)
		}
		if v := w.load(mapped.ID); v.Version != mapped.Version+1 || v.Revision != mapped.Revision+1 {
			t.Errorf("version %d and revision %d after %d and %d", v.Version, v.Revision, mapped.Version,
				mapped.Revision)
		}
		in.DryRun, in.States["done"] = false, "refused"
		if again := w.migrate(in); again.Moved != 0 || again.Finished != 1 || len(again.Misfits) != 1 {
			t.Errorf("repeated, it did %+v", again)
		}
		in.Finished = true
		if again := w.migrate(in); again.Moved != 1 || again.Finished != 0 || len(again.Misfits) != 1 {
			t.Errorf("with finished cases, it did %+v", again)
		}
		w.submit(casework.Submission{CaseID: mapped.ID, Edit: true, Data: object(`{"note": null}`)})
		if err := w.cases.DeleteCase(t.Context(), w.p, casework.Deletion{CaseID: mapped.ID}); err != nil {
			t.Errorf("the guard that version 2 lacks is gone with version 1: %v", err)
		}
	})
}

// A field that the new version adds gets its default, so that a required one stops no migration. An earlier field keeps
// its value.
func TestAMigrationFillsInWhatTheNewVersionAdds(t *testing.T) {
	engines(t, func(t *testing.T, w *world) {
		w.put(w.p, permitV1)
		v := w.permit(`{"who": "Ann"}`)
		w.put(w.p, strings.NewReplacer(`"fields": {`, `"fields": {"required": ["fee"], `, `"note": {`,
			`"fee": {"type": "integer", "default": 7}, "note": {"default": "none", `).Replace(permitV2))
		if got := w.migrate(casework.Migration{}); got.Moved != 1 {
			t.Errorf("%+v", got)
		}
		if got := encode(t, w.load(v.ID).Data); got != `{"fee":7,"who":"Ann"}` {
			t.Errorf("it has %s", got)
		}
	})
}

// The status follows from the state, however the case got there.
func TestAMigrationSettlesTheStatus(t *testing.T) {
	engines(t, func(t *testing.T, w *world) {
		w.put(w.p, permitV1)
		opens, reopens := w.permit(`{}`, "check"), w.permit(`{}`, "check", "finish")
		w.put(w.p, permitV2)
		w.migrate(casework.Migration{
			Finished: true, States: map[string]string{"checking": "refused", "done": "assessing"},
		})
		closed, reopened := w.load(opens.ID), w.load(reopens.ID)
		if closed.ClosedAt.IsZero() || w.facts(closed.ID) != "migrated changed state_changed finished closed" {
			t.Errorf("closed at %s, %s", closed.ClosedAt, w.facts(closed.ID))
		}
		if !reopened.ClosedAt.IsZero() || !reopened.OpenedAt.After(reopened.CreatedAt) ||
			w.facts(reopened.ID) != "migrated changed state_changed reopened" {
			t.Errorf("closed at %s, %s", reopened.ClosedAt, w.facts(reopened.ID))
		}
	})
}

func TestAMigrationGoesOnWhereItEnded(t *testing.T) {
	engines(t, func(t *testing.T, w *world) {
		w.clock.Stop() // several cases are created at one time
		w.put(w.p, permitV1)
		for range 5 {
			w.permit(`{"who": "x"}`)
		}
		w.put(w.p, permitV2)
		w.put(w.p, strings.Replace(permitV2, `"maxLength": 4`, `"maxLength": 5`, 1))
		in, moved, left := casework.Migration{To: 2, Limit: 2}, 0, []int64{}
		for calls := 0; calls < 5; calls++ {
			got := w.migrate(in)
			moved, left = moved+got.Moved, append(left, got.Left)
			if got.Next == nil {
				break
			}
			in.After = *got.Next
		}
		if moved != 5 || !slices.Equal(left, []int64{3, 1, 0}) {
			t.Errorf("%d were moved, and %d were left", moved, left)
		}
		if got := w.migrate(casework.Migration{To: 1}); got.Moved != 0 {
			t.Errorf("%d went back to the first version", got.Moved)
		}
		if got := w.migrate(casework.Migration{}); got.Moved != 5 || got.To != 3 {
			t.Errorf("then %d were moved to version %d", got.Moved, got.To)
		}
	})
}

func TestACallOfAMigrationIsBounded(t *testing.T) {
	w := start(t)
	w.put(w.p, permitV1)
	for range 52 {
		w.permit(`{"note": "too long"}`)
	}
	w.put(w.p, permitV2)
	if got := w.migrate(casework.Migration{}); len(got.Misfits) != 50 || got.Next == nil || got.Left != 2 {
		t.Errorf("%d misfits are listed at once, %d left", len(got.Misfits), got.Left)
	}
	var looks atomic.Int64
	slow := startAt(t, "", func(c *settings) {
		c.guard.Now = func() time.Time { return time.Now().Add(time.Duration(looks.Add(1)) * time.Second) }
	})
	slow.put(slow.p, permitV1)
	for range 9 {
		slow.permit(`{}`)
	}
	slow.put(slow.p, permitV2)
	if got := slow.migrate(casework.Migration{}); got.Moved == 0 || got.Moved == 9 || got.Next == nil {
		t.Errorf("%d were moved by one call that took its time", got.Moved)
	}
}

// changing starts a world in which do runs once after it is armed: when the service next reads the clock, which is
// after a case is read and before it is saved.
func changing(t *testing.T, url string) (w *world, arm func(do func())) {
	var armed atomic.Pointer[func()]
	w = startAt(t, url, func(c *settings) {
		now := c.guard.Now
		c.guard.Now = func() time.Time {
			if do := armed.Swap(nil); do != nil {
				(*do)()
			}
			return now()
		}
	})
	return w, func(do func()) { armed.Store(&do) }
}

func TestACaseThatChangesMeanwhileIsMovedAsItIsThen(t *testing.T) {
	for name, do := range map[string]func(*world, int64) (moved int){
		"edited": func(w *world, id int64) int {
			w.submit(casework.Submission{CaseID: id, Edit: true, Data: object(`{"note": "new"}`)})
			return 1
		},
		"deleted": func(w *world, id int64) int {
			if err := w.cases.DeleteCase(w.t.Context(), w.p, casework.Deletion{CaseID: id}); err != nil {
				w.t.Error(err)
			}
			return 0
		},
		"moved": func(w *world, _ int64) int { return 1 - w.migrate(casework.Migration{}).Moved },
	} {
		t.Run(name, func(t *testing.T) {
			w, arm := changing(t, "")
			w.put(w.p, permitV1)
			v := w.permit(`{"who": "Ann", "note": "old"}`)
			w.put(w.p, permitV2)
			want := -1
			arm(func() { arm(func() { want = do(w, v.ID) }) }) // the first read is at the beginning of the call
			if got := w.migrate(casework.Migration{}); got.Moved != want || len(got.Misfits) != 0 {
				t.Errorf("%+v; want %d moved", got, want)
			}
			if name == "edited" && w.load(v.ID).Name != "Ann: new" {
				t.Errorf("it is %q", w.load(v.ID).Name)
			}
		})
	}
}

func TestMigrationNeedsTheRightToPutTheType(t *testing.T) {
	engines(t, func(t *testing.T, w *world) {
		ctx, in := t.Context(), casework.Migration{Type: "permit", DryRun: true}
		w.put(w.p, permitV1)
		v := w.permit(`{}`)
		w.put(w.p,
			strings.Replace(permitV2, `"edit": "edit"`, `"edit": "edit", "access": {"write": ["caseworker"]}`, 1))
		migrate := func(p access.Principal) error {
			_, err := w.migrations.MigrateCases(ctx, p, in, authz.Once{})
			return err
		}
		wantFault(t, migrate(w.as(access.Caseworker)), fault.Forbidden, "access.denied")
		wantFault(t, migrate(w.as(access.Manager)), fault.Forbidden, "access.denied") // the type leaves managers out
		if err := migrate(w.p); err != nil {
			t.Error(err)
		}
		secret := strings.Replace(permitV2, `"note": {`, `"note": {"x-classification": "RESTRICTED", `, 1)
		w.put(w.p, secret)
		private := w.cleared(casetype.Private)
		wantFault(t, migrate(private), fault.Forbidden, "case_type.above_clearance")
		hidden := w.submit(casework.Submission{Type: "permit"})
		w.put(w.p, permitV2)
		got, err := w.migrations.MigrateCases(ctx, private, casework.Migration{Type: "permit"}, authz.Once{})
		if err != nil || got.Moved != 1 ||
			!slices.Equal(faultsOf(got), []string{fmt.Sprint(hidden.ID, " /type_version")}) {
			t.Errorf("a caller who does not see all fields of a version moves its cases: %+v, %v", got, err)
		}
		in.Type = "none"
		wantFault(t, migrate(w.p), fault.NotFound, "case_type.not_found")
		records, _, err := w.guard.Records(ctx, w.p, authz.RecordQuery{Limit: 100})
		if err != nil {
			t.Fatal(err)
		}
		moves := slices.DeleteFunc(records, func(r access.Record) bool { return r.Action != access.CasesMigrated })
		if len(moves) != 1 || string(moves[0].Detail) != `{"version":4}` || w.load(v.ID).TypeVersion != 4 {
			t.Errorf("the audit has %+v", moves)
		}
	})
}

// The audit's record names versions of a type. A reader who may not see one of them, or the newest, does not see the
// record.
func TestTheAuditOfAMigrationIsClassifiedAsWhatItIsAbout(t *testing.T) {
	t.Parallel()
	secret := strings.Replace(permitV2, `"key": "permit"`, `"key": "permit", "security_classification": "PRIVATE"`, 1)
	for name, versions := range map[string][]string{
		"the version left": {secret, permitV2}, "the target": {permitV1, secret}, "the newest": {permitV1, permitV2, secret},
	} {
		w := startAt(t, "")
		w.put(w.p, versions[0])
		w.permit(`{}`)
		for _, v := range versions[1:] {
			w.put(w.p, v)
		}
		if got := w.migrate(casework.Migration{To: 2}); got.Moved != 1 {
			t.Fatalf("%s: %+v", name, got)
		}
		for clearance, sees := range map[casetype.Classification]bool{casetype.Public: false, casetype.Private: true} {
			records, _, err := w.guard.Records(t.Context(), w.cleared(clearance), authz.RecordQuery{Limit: 100})
			is := func(r access.Record) bool { return r.Action == access.CasesMigrated }
			if err != nil || slices.ContainsFunc(records, is) != sees {
				t.Errorf("%s is PRIVATE: who is cleared for %s sees %+v, %v", name, clearance, records, err)
			}
		}
	}
}

func TestAMigrationThatMakesNoSenseIsRefused(t *testing.T) {
	w := start(t)
	w.put(w.p, permitV1)
	w.put(w.p, permitV2)
	for path, in := range map[string]casework.Migration{
		"/to":              {To: 3},
		"/states/new":      {States: map[string]string{"new": "refused"}}, // that would be a transition
		"/states/checking": {States: map[string]string{"checking": "done"}},
	} {
		in.Type = "permit"
		_, err := w.migrations.MigrateCases(t.Context(), w.p, in, authz.Once{})
		wantFields(t, wantFault(t, err, fault.Unprocessable, "case_type.migration_refused"), path)
	}
	typo := casework.Migration{Type: "permit", States: map[string]string{"chekcing": "assessing", "other": "assessing"}}
	_, err := w.migrations.MigrateCases(t.Context(), w.p, typo, authz.Once{})
	fields := wantFault(t, err, fault.Unprocessable, "case_type.migration_refused").Fields
	want := []fault.Field{
		{Path: "/states/chekcing", Message: `is not a state of a version before 2 (did you mean "checking"?)`},
		{Path: "/states/other", Message: "is not a state of a version before 2; there are checking, done"},
	}
	if diff := cmp.Diff(want, fields); diff != "" {
		t.Error(diff)
	}
	w.put(w.p, strings.Replace(permitV2, `"key": "permit"`, `"key": "permit", "kind": "claim"`, 1))
	w.put(w.p, strings.Replace(permitV1, `"key": "permit"`, `"key": "permit", "kind": "claim"`, 1))
	w.permit(`{}`)
	w.put(w.p, permitV1)
	if got := w.migrate(casework.Migration{}); len(got.Misfits) != 1 || got.Misfits[0].Fields[0].Path != "/kind" {
		t.Errorf("a claim became %+v", got)
	}
}
