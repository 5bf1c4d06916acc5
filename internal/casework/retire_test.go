package casework_test

import (
	"testing"
	"time"

	"github.com/casehook/casehook/internal/access"
	"github.com/casehook/casehook/internal/authz"
	"github.com/casehook/casehook/internal/casetype"
	"github.com/casehook/casehook/internal/casework"
	"github.com/casehook/casehook/internal/fault"
)

func TestARetiredTypeHasNoNewCases(t *testing.T) {
	engines(t, func(t *testing.T, w *world) {
		ctx, none := t.Context(), authz.Once{}
		w.put(w.p, gated("old", "draft", "", ""))
		w.put(w.p, gated("other", "draft", "", ""))
		running := w.submit(casework.Submission{Type: "old"})
		stranger := w.submit(casework.Submission{Type: "other"})
		retired, err := w.types.RetireCaseType(ctx, w.p, "old", none)
		if err != nil || retired.RetiredAt.IsZero() || retired.Version != 1 {
			t.Fatalf("%v, %v", retired.RetiredAt, err)
		}
		w.later(time.Hour)
		if again, err := w.types.RetireCaseType(ctx, w.p, "old", none); err != nil ||
			!again.RetiredAt.Equal(retired.RetiredAt) {
			t.Errorf("retired again: %v, %v", again.RetiredAt, err)
		}
		newer := w.put(w.p, gated("old", "draft", `, "precondition": "true"`, ""))
		if newer.Version != 2 || !newer.RetiredAt.Equal(retired.RetiredAt) {
			t.Errorf("version %d is retired since %s", newer.Version, newer.RetiredAt)
		}
		refused := func() (creation, change error) {
			_, creation = w.submissions.Submit(ctx, w.p, casework.Submission{Type: "old"}, none)
			_, change = w.switches.SwitchType(ctx, w.p, casework.Switch{CaseID: stranger.ID, Type: "old"}, none)
			return creation, change
		}
		creation, change := refused()
		wantFault(t, creation, fault.Conflict, "case_type.retired")
		wantFault(t, change, fault.Conflict, "case_type.retired")
		w.submit(casework.Submission{CaseID: running.ID, Transition: "pay"})
		if got, err := w.migrations.MigrateCases(ctx, w.p, casework.Migration{Type: "old"}, none); err != nil ||
			got.Moved != 1 {
			t.Errorf("%+v, %v", got, err)
		}
		for version := range int64(3) {
			if got, err := w.types.CaseType(ctx, w.p, "old", version); err != nil ||
				!got.RetiredAt.Equal(retired.RetiredAt) {
				t.Errorf("version %d is retired since %s, %v", version, got.RetiredAt, err)
			}
		}
		all, err := w.types.CaseTypes(ctx, w.p)
		if err != nil || len(all) != 2 || !all[0].RetiredAt.Equal(retired.RetiredAt) || !all[1].RetiredAt.IsZero() {
			t.Errorf("they are listed as %+v, %v", all, err)
		}
		for range 2 {
			if got, err := w.types.RestoreCaseType(ctx, w.p, "old", none); err != nil || !got.RetiredAt.IsZero() {
				t.Errorf("restored, it is retired since %s, %v", got.RetiredAt, err)
			}
		}
		if creation, change := refused(); creation != nil || change != nil {
			t.Errorf("restored: %v, %v", creation, change)
		}
		if got := w.retirements(); len(got) != 2 || got[0] != access.CaseTypeRestored ||
			got[1] != access.CaseTypeRetired {
			t.Errorf("the audit has %v", got)
		}
	})
}

// retirements lists what the audit has of retirements, the newest first.
func (w *world) retirements() (all []access.Action) {
	w.t.Helper()
	records, _, err := w.guard.Records(w.t.Context(), w.p, authz.RecordQuery{Limit: 100})
	if err != nil {
		w.t.Fatal(err)
	}
	for _, r := range records {
		if r.Action == access.CaseTypeRetired || r.Action == access.CaseTypeRestored {
			all = append(all, r.Action)
		}
	}
	return all
}

func TestPermissionToPutATypeIncludesRetirement(t *testing.T) {
	w := start(t)
	w.put(w.p, loan("loan", ""))
	for kind, p := range map[fault.Kind]access.Principal{
		fault.Forbidden: w.as(access.Caseworker), fault.NotFound: w.cleared(casetype.Public),
	} {
		for _, change := range []func() error{
			func() error { _, err := w.types.RetireCaseType(t.Context(), p, "loan", authz.Once{}); return err },
			func() error { _, err := w.types.RestoreCaseType(t.Context(), p, "loan", authz.Once{}); return err },
		} {
			if err := change(); fault.As(err).Kind != kind {
				t.Errorf("%v, want %v", err, kind)
			}
		}
	}
	_, err := w.types.RetireCaseType(t.Context(), w.cleared(casetype.Private), "loan", authz.Once{})
	wantFault(t, err, fault.Forbidden, "case_type.above_clearance")
	if _, err := w.types.RetireCaseType(t.Context(), w.as(access.Manager), "loan", authz.Once{}); err != nil {
		t.Error(err)
	}
}
