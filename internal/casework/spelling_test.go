package casework_test

import (
	"testing"

	"github.com/casehook/casehook/internal/authz"
	"github.com/casehook/casehook/internal/casework"
	"github.com/casehook/casehook/internal/event"
	"github.com/casehook/casehook/internal/store"
)

// TestAnotherSpellingOfTheSameTextChangesNothing covers names, data and contacts. The first spelling is kept as it was
// sent.
func TestAnotherSpellingOfTheSameTextChangesNothing(t *testing.T) {
	engines(t, func(t *testing.T, w *world) {
		const composed, decomposed = "Zoë", "Zoe\u0308"
		w.putClaims()
		c := w.report(`{"claimant": "` + decomposed + `"}`)
		for _, step := range []struct {
			claimant, saved string
			version         int64
		}{
			{composed, decomposed, c.Version},
			{"ZOË", "ZOË", c.Version + 1}, // letter case is a change
			{"ZOE\u0308", "ZOË", c.Version + 1},
		} {
			in := casework.Submission{
				CaseID: c.ID, Transition: "amend", Data: map[string]any{"claimant": step.claimant},
			}
			v, err := w.submissions.Submit(t.Context(), w.p, in, authz.Once{})
			if err != nil || v.Version != step.version || v.Data["claimant"] != step.saved {
				t.Errorf("%+q: version %d with %+q, %v", step.claimant, v.Version, v.Data["claimant"], err)
			}
		}
		d := event.ContactDetails{FirstName: "Ada", LastName: composed}
		contact, err := w.contacts.CreateContact(t.Context(), w.p, d, authz.Once{})
		if err != nil {
			t.Fatal(err)
		}
		respelt := func(d *event.ContactDetails) { d.LastName = decomposed }
		saved, err := w.contacts.UpdateContact(t.Context(), w.p, contact.ID, nil, respelt)
		if err != nil || saved.Version != 1 || saved.LastName != composed {
			t.Errorf("version %d of %+q, %v", saved.Version, saved.LastName, err)
		}
	})
}

// TestALabelIsFoundWhateverItsLetterCase checks that labels are found in any letter case; slugs are in lower case.
func TestALabelIsFoundWhateverItsLetterCase(t *testing.T) {
	engines(t, func(t *testing.T, w *world) {
		w.putClaims()
		w.label(w.p, "fast_track")
		c := w.report(`{"claimant": "Zoe"}`)
		for range 2 { // the second time it is there already
			v, err := w.addLabel(w.p, c.ID, "Fast_Track")
			if err != nil || len(v.Labels) != 1 || v.Labels[0] != "fast_track" || v.Version != c.Version+1 {
				t.Errorf("labels %q in version %d, %v", v.Labels, v.Version, err)
			}
		}
		found, err := listed(w.cases.Cases(t.Context(), w.p, store.CaseFilter{Label: "FAST_TRACK"}))
		if err != nil || len(found) != 1 {
			t.Errorf("%d cases, %v", len(found), err)
		}
		if l, err := w.labels.Label(t.Context(), w.p, "FAST_TRAC\u212a"); err != nil || l.Slug != "fast_track" {
			t.Errorf("%+v, %v", l, err)
		}
		if v, err := w.removeLabel(w.p, c.ID, "FAST_track"); err != nil || len(v.Labels) != 0 {
			t.Errorf("labels %q, %v", v.Labels, err)
		}
	})
}
