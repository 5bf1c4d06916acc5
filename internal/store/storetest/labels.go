package storetest

import (
	"slices"
	"sync"
	"time"

	"github.com/casehook/casehook/internal/access"
	"github.com/casehook/casehook/internal/cases"
	"github.com/casehook/casehook/internal/casetype"
	"github.com/casehook/casehook/internal/event"
	"github.com/casehook/casehook/internal/fault"
	"github.com/casehook/casehook/internal/store"
)

var labelTests = map[string]func(*fixture){
	"labels are kept, changed and removed by tenant and slug": func(f *fixture) {
		glass := cases.Label{Slug: "glass", Name: "Glass & <Ünïcödé>", Color: "teal", CreatedAt: start}
		fast := cases.Label{Slug: "fast", Name: "Fast", CreatedAt: start}
		f.label(f.tenant, glass, fast)
		f.label(f.other, glass)
		f.refused(fault.Conflict, "label.slug_taken", func(tx *store.Tx) error { return tx.CreateLabel(f.t.Context(), f.tenant, glass) })
		changed := glass
		changed.Name, changed.Color = "Broken glass", ""
		f.update(func(tx *store.Tx) error { return tx.UpdateLabel(f.t.Context(), f.tenant, changed) })
		f.equal(must[[]cases.Label](f)(f.store.Labels(f.t.Context(), f.tenant)), []cases.Label{fast, changed})
		f.equal(must[cases.Label](f)(f.store.Label(f.t.Context(), f.other, "glass")), glass)
		for _, do := range []func(tx *store.Tx) error{
			func(tx *store.Tx) error { return tx.DeleteLabel(f.t.Context(), f.other, "fast", everything) },
			func(tx *store.Tx) error { return tx.UpdateLabel(f.t.Context(), f.other, fast) },
			func(tx *store.Tx) error { _, err := tx.Label(f.t.Context(), f.other, "fast"); return err },
		} {
			f.refused(fault.NotFound, "label.not_found", do)
		}
		f.update(func(tx *store.Tx) error { return tx.DeleteLabel(f.t.Context(), f.tenant, "fast", everything) })
		f.equal(must[[]cases.Label](f)(f.store.Labels(f.t.Context(), f.tenant)), []cases.Label{changed})
	},
	"a label is added once and removed once": func(f *fixture) {
		c := f.aCase(f.tenant, 1)
		f.insert(c)
		f.label(f.tenant, cases.Label{Slug: "b"}, cases.Label{Slug: "a"})
		for i, step := range []struct {
			add     bool
			slug    string
			changed bool
			labels  []string
		}{
			{true, "b", true, []string{"b"}}, {true, "b", false, []string{"b"}}, {true, "a", true, []string{"a", "b"}},
			{false, "b", true, []string{"a"}}, {false, "b", false, []string{"a"}}, {false, "none", false, []string{"a"}}, {false, "a", true, nil},
		} {
			by := cases.Activity{At: start.Add(time.Duration(i) * time.Second), By: int64(i)}
			if step.changed {
				c.Version, c.LastActivity, c.Labels = c.Version+1, by, step.labels
			}
			f.update(func(tx *store.Tx) error {
				do := tx.RemoveLabel
				if step.add {
					do = tx.AddLabel
				}
				got, changed, err := do(f.t.Context(), f.tenant, c.ID, step.slug, by)
				f.equal(got, c)
				f.equal(changed, step.changed)
				return err
			})
			f.equal(must[cases.Case](f)(f.store.Case(f.t.Context(), f.tenant, c.ID)), c)
		}
	},
	"a label that is carried can't be removed, and one that is none can't be added": func(f *fixture) {
		c := f.aCase(f.tenant, 1)
		f.insert(c)
		f.label(f.tenant, cases.Label{Slug: "a"})
		f.label(f.other, cases.Label{Slug: "theirs"})
		add := func(tenant, id int64, slug string) func(tx *store.Tx) error {
			return func(tx *store.Tx) error {
				_, _, err := tx.AddLabel(f.t.Context(), tenant, id, slug, once)
				return err
			}
		}
		f.update(add(f.tenant, c.ID, "a"))
		f.refused(fault.Conflict, "label.in_use", func(tx *store.Tx) error { return tx.DeleteLabel(f.t.Context(), f.tenant, "a", everything) })
		f.refused(fault.NotFound, "label.not_found", add(f.tenant, c.ID, "theirs"))
		f.refused(fault.NotFound, "case.not_found", add(f.other, c.ID, "theirs"))
		f.refused(fault.NotFound, "case.not_found", add(f.tenant, c.ID+1, "a"))
		f.update(func(tx *store.Tx) error { _, err := tx.DeleteCase(f.t.Context(), c); return err })
		f.update(func(tx *store.Tx) error { return tx.DeleteLabel(f.t.Context(), f.tenant, "a", everything) })
	},
	"a label that is deleted by who does not see its cases stays with them": func(f *fixture) {
		c, shown := f.aCase(f.tenant, 1), f.aCase(f.tenant, 2)
		c.Classification, shown.Classification = casetype.Private, casetype.Private
		f.insert(c, shown)
		a := cases.Label{Slug: "a", Name: "A", CreatedAt: start}
		f.label(f.tenant, a)
		add := func(tx *store.Tx) error {
			_, _, err := tx.AddLabel(f.t.Context(), f.tenant, c.ID, "a", once)
			return err
		}
		f.update(add)
		by := func(r access.Reader) func(*store.Tx) error {
			return func(tx *store.Tx) error { return tx.DeleteLabel(f.t.Context(), f.tenant, "a", r) }
		}
		below := access.Reader{Clearance: casetype.Public}
		left := access.Reader{Clearance: casetype.Restricted, Without: []string{c.Type}}
		inState := access.Reader{Clearance: casetype.Restricted, Without: []string{c.Type + "/" + c.State}}
		f.refused(fault.Conflict, "label.in_use", by(access.Reader{Clearance: casetype.Private}))
		for _, r := range []access.Reader{below, left, inState} {
			f.update(by(r))
			f.refused(fault.NotFound, "label.not_found", by(r))
			f.refused(fault.NotFound, "label.not_found", by(everything))
			f.refused(fault.NotFound, "label.not_found", func(tx *store.Tx) error { return tx.UpdateLabel(f.t.Context(), f.tenant, a) })
			f.refused(fault.NotFound, "label.not_found", add)
			_, err := f.store.Label(f.t.Context(), f.tenant, "a")
			f.wantFault(err, fault.NotFound, "label.not_found")
			f.equal(must[[]cases.Label](f)(f.store.Labels(f.t.Context(), f.tenant)), []cases.Label(nil))
			f.equal(must[cases.Case](f)(f.store.Case(f.t.Context(), f.tenant, c.ID)).Labels, []string{"a"})
			f.label(f.tenant, a) // it is back
			f.equal(must[[]cases.Label](f)(f.store.Labels(f.t.Context(), f.tenant)), []cases.Label{a})
		}
		f.update(by(below))
		f.update(func(tx *store.Tx) error {
			_, changed, err := tx.RemoveLabel(f.t.Context(), f.tenant, c.ID, "a", once)
			f.equal(changed, true)
			return err
		})
	},
	"of many who change the labels at once none is lost": func(f *fixture) {
		c := f.aCase(f.tenant, 1)
		f.insert(c)
		slugs := []string{"a", "b", "c", "d", "e"}
		for _, slug := range slugs {
			f.label(f.tenant, cases.Label{Slug: slug})
		}
		var wg sync.WaitGroup
		for _, slug := range slices.Repeat(slugs, 3) {
			wg.Go(func() {
				err := f.store.Update(f.t.Context(), func(tx *store.Tx) error {
					_, _, err := tx.AddLabel(f.t.Context(), f.tenant, c.ID, slug, once)
					return err
				})
				if err != nil {
					f.t.Error(err)
				}
			})
		}
		wg.Wait()
		c.Labels, c.Version = slugs, 6
		f.equal(must[cases.Case](f)(f.store.Case(f.t.Context(), f.tenant, c.ID)), c)
	},
	"a case is assigned to one user, by the name they have": func(f *fixture) {
		c := f.aCase(f.tenant, 1)
		f.insert(c)
		var ada access.User
		f.update(func(tx *store.Tx) (err error) {
			ada, err = tx.CreateUser(f.t.Context(), access.User{Tenant: f.tenant, Email: "ada@example.org", Name: "Ada", Role: access.Viewer, Clearance: casetype.Public, CreatedAt: start, UpdatedAt: start})
			return err
		})
		for i, step := range []struct {
			to      event.Person
			changed bool
		}{{event.Person{UserID: ada.ID, Name: "Ada"}, true}, {event.Person{UserID: ada.ID, Name: "Ada"}, false}, {event.Person{}, true}, {event.Person{}, false}, {event.Person{UserID: ada.ID, Name: "Ada"}, true}} {
			by := cases.Activity{At: start.Add(time.Duration(i) * time.Second), By: int64(i)}
			if step.changed {
				c.Version, c.Assignee, c.AssignedAt, c.LastActivity = c.Version+1, step.to, by.At, by
			}
			if c.Assignee.UserID == 0 {
				c.AssignedAt = time.Time{}
			}
			f.update(func(tx *store.Tx) error {
				got, changed, err := tx.Assign(f.t.Context(), f.tenant, c.ID, step.to, by)
				f.equal(got, c)
				f.equal(changed, step.changed)
				return err
			})
		}
		ada.Name = "Ada Lovelace"
		f.update(func(tx *store.Tx) error { _, err := tx.UpdateUser(f.t.Context(), ada); return err })
		c.Assignee.Name = "Ada Lovelace"
		f.equal(must[cases.Case](f)(f.store.Case(f.t.Context(), f.tenant, c.ID)), c)
		f.refused(fault.NotFound, "case.not_found", func(tx *store.Tx) error {
			_, _, err := tx.Assign(f.t.Context(), f.other, c.ID, event.Person{}, once)
			return err
		})
	},
	"an update keeps the labels and the assignee of the moment": func(f *fixture) {
		c := f.aCase(f.tenant, 1)
		f.insert(c)
		f.label(f.tenant, cases.Label{Slug: "a"})
		f.update(func(tx *store.Tx) error {
			if _, _, err := tx.AddLabel(f.t.Context(), f.tenant, c.ID, "a", once); err != nil {
				return err
			}
			_, _, err := tx.Assign(f.t.Context(), f.tenant, c.ID, event.Person{UserID: 7, Name: "Grace"}, once)
			return err
		})
		c.Reference, c.OutcomeInstance, c.ClosedAt, c.StatusChangedBy = "X-1", 9, start.Add(time.Hour), 7
		c.LastActivity = cases.Activity{At: start.Add(time.Hour), By: 7}
		var updated cases.Case
		f.update(func(tx *store.Tx) (err error) {
			updated, err = tx.UpdateCase(f.t.Context(), c, aType()) // c has neither
			return err
		})
		c.Labels, c.Assignee, c.AssignedAt, c.Version, c.Revision = []string{"a"}, event.Person{UserID: 7, Name: "Grace"}, start, 4, 2
		f.equal(updated, c)
		f.equal(must[cases.Case](f)(f.store.Case(f.t.Context(), f.tenant, c.ID)), c)
	},
	"cases are found by label and assignee": func(f *fixture) {
		f.label(f.tenant, cases.Label{Slug: "a"}, cases.Label{Slug: "b"})
		for i := range int64(3) {
			c := f.aCase(f.tenant, i)
			f.insert(c)
			f.update(func(tx *store.Tx) error {
				if _, _, err := tx.AddLabel(f.t.Context(), f.tenant, c.ID, []string{"a", "b", "b"}[i], once); err != nil || i == 0 {
					return err
				}
				_, _, err := tx.Assign(f.t.Context(), f.tenant, c.ID, event.Person{UserID: i, Name: "x"}, once)
				return err
			})
		}
		for _, find := range []struct {
			filter store.CaseFilter
			n      int
		}{
			{store.CaseFilter{}, 3}, {store.CaseFilter{Label: "a"}, 1}, {store.CaseFilter{Label: "b"}, 2}, {store.CaseFilter{Label: "none"}, 0},
			{store.CaseFilter{Assignee: 1}, 1}, {store.CaseFilter{Assignee: 9007199254740991}, 0}, {store.CaseFilter{Assignee: store.Unassigned}, 1},
			{store.CaseFilter{Label: "b", Assignee: 2, Type: "kyc"}, 1}, {store.CaseFilter{Label: "a", Assignee: 2}, 0},
		} {
			find.filter.Limit, find.filter.Clearance = 9, casetype.Restricted
			if got := f.cases(f.store.Cases(f.t.Context(), f.tenant, find.filter)); len(got) != find.n {
				f.t.Errorf("%+v finds %d cases, want %d", find.filter, len(got), find.n)
			}
		}
	},
}

// everything is a reader who sees everything.
var everything = access.Reader{Clearance: casetype.Restricted}

// label creates labels, with defaults for empty fields.
func (f *fixture) label(tenant int64, all ...cases.Label) {
	f.t.Helper()
	f.update(func(tx *store.Tx) error {
		for _, l := range all {
			if l.Name == "" {
				l.Name, l.CreatedAt = l.Slug, start
			}
			if err := tx.CreateLabel(f.t.Context(), tenant, l); err != nil {
				return err
			}
		}
		return nil
	})
}
