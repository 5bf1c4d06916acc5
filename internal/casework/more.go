package casework

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/casehook/casehook/internal/access"
	"github.com/casehook/casehook/internal/authz"
	"github.com/casehook/casehook/internal/cases"
	"github.com/casehook/casehook/internal/casetype"
	"github.com/casehook/casehook/internal/event"
	"github.com/casehook/casehook/internal/fault"
	"github.com/casehook/casehook/internal/id"
	"github.com/casehook/casehook/internal/store"
	"github.com/casehook/casehook/internal/wire"
)

// more is what callbacks do with a case besides its content, once the submission is saved.
type more struct {
	by       string // the last callback that does something
	assignee *int64 // 0: nobody; nil: it stays
	labels   []mark // in order; a label is there once
	notes    []wire.MoreNote
}

// The bounds of what callbacks do in one submission.
const (
	maxNotes  = 10
	maxLabels = 100 // that one answer adds, or removes
)

func (m more) any() bool { return m.assignee != nil || len(m.labels)+len(m.notes) > 0 }

// add adds what an answer does. Of two answers the later counts.
func (m *more) add(by string, a wire.More) {
	if a.IsZero() {
		return
	}
	m.by = by
	if a.Assignee != nil {
		m.assignee = &a.Assignee.UserID
	}
	set := func(slugs []string, adds bool) {
		for _, text := range slugs {
			slug, _ := slugOf(text)
			m.labels = slices.DeleteFunc(m.labels, func(other mark) bool { return other.slug == slug })
			m.labels = append(m.labels, mark{slug, adds})
		}
	}
	set(a.Labels.Add, true)
	set(a.Labels.Remove, false)
	m.notes = append(m.notes, a.Notes...)
}

// answer returns all of it as one answer would have it.
func (m more) answer() (a wire.More) {
	if m.assignee != nil {
		a.Assignee = &wire.MoreAssignee{UserID: *m.assignee}
	}
	for _, l := range m.labels {
		if l.adds {
			a.Labels.Add = append(a.Labels.Add, l.slug)
		} else {
			a.Labels.Remove = append(a.Labels.Remove, l.slug)
		}
	}
	a.Notes = m.notes
	return a
}

// does notes what an answer does besides the content of the case. It is refused if it can't be carried out.
func (s *questioner) does(ctx context.Context, pl *plan, g guard, a wire.More) error {
	if a.IsZero() || strings.HasPrefix(g.at.Name, "@") || g.at.Question != casetype.AboutToSubmit {
		return nil
	}
	var wrong []fault.Field
	if a.Assignee != nil {
		_, err := assignee(ctx, s.store, pl.p.Tenant, a.Assignee.UserID)
		if err != nil && !errors.Is(err, fault.Unprocessable) {
			return err
		}
		if err != nil {
			wrong = append(wrong, fault.Field{
				Path: "/casehook/assignee/user_id", Message: "is not the id of a user who may sign in",
			})
		}
	}
	for list, slugs := range map[string][]string{"add": a.Labels.Add, "remove": a.Labels.Remove} {
		if len(slugs) > maxLabels {
			wrong = append(wrong, fault.Field{
				Path: "/casehook/labels/" + list, Message: fmt.Sprintf("lists more than %d labels", maxLabels),
			})
			slugs = nil
		}
		for i, text := range slugs {
			slug, ok := slugOf(text)
			if ok {
				_, err := s.store.Label(ctx, pl.p.Tenant, slug)
				if err != nil && !errors.Is(err, fault.NotFound) {
					return err
				}
				ok = err == nil
			}
			if !ok {
				wrong = append(wrong, fault.Field{
					Path: fmt.Sprintf("/casehook/labels/%s/%d", list, i), Message: "is not the slug of a label",
				})
			}
		}
	}
	for i, n := range a.Notes {
		wrong = append(wrong, commentProblems(n.Text, n.Due, fmt.Sprintf("/casehook/notes/%d", i))...)
	}
	if len(pl.more.notes)+len(a.Notes) > maxNotes {
		wrong = append(wrong, fault.Field{
			Path: "/casehook/notes", Message: fmt.Sprintf("makes more than %d notes of one submission", maxNotes),
		})
	}
	if len(wrong) > 0 {
		slices.SortFunc(wrong, func(a, b fault.Field) int { return strings.Compare(a.Path, b.Path) })
		return fault.In("callback.data_invalid",
			"The callback of "+g.name()+" answered with something that can't be done with the case. Nothing was "+
				"saved; the callback needs repair.", wrong...)
	}
	pl.more.add(g.name(), a)
	return nil
}

// commitMore saves a change of a case and what callbacks do with the case besides, in one transaction.
func (s *Submissions) commitMore(
	ctx context.Context, pl *plan, m *authz.Mandate, once authz.Once,
) (view View, err error) {
	err = s.guard.Update(ctx, m, func(tx *store.Tx) error {
		m.Concerns(pl.typ)
		if err := tx.LockCase(ctx, pl.p.Tenant, pl.before.ID); err != nil {
			return err
		}
		current, err := tx.Case(ctx, pl.p.Tenant, pl.before.ID)
		if err == nil {
			err = pl.follow(current)
		}
		if err != nil {
			return err
		}
		after, facts, err := pl.updated(s.core.activity(pl.p))
		if err != nil {
			return err
		}
		if len(facts) == 0 && pl.in.Note == (event.Note{}) {
			if err := s.keepNothing(ctx, tx, pl, current); err != nil {
				return err
			}
		} else {
			change, _, err := s.change(ctx, pl, after, facts, authz.Once{})
			if err != nil {
				return err
			}
			change.From = current.Version
			if err := tx.Commit(ctx, change); err != nil {
				return err
			}
		}
		view, err = s.doMore(ctx, tx, pl, m, once)
		return err
	})
	return view, err
}

// createMore saves a new case, the roles that its creator has on it, and what callbacks do with it besides, in one
// transaction.
func (s *Submissions) createMore(
	ctx context.Context, pl *plan, m *authz.Mandate, once authz.Once, change *store.Change,
) (view View, err error) {
	err = s.guard.Update(ctx, m, func(tx *store.Tx) error {
		m.Concerns(pl.typ)
		if err := tx.Commit(ctx, change); err != nil {
			return err
		}
		if owner := string(pl.p.Owner()); owner != "" { // it is theirs
			err := tx.AddCaseRoles(ctx, pl.p.Tenant, pl.saved.ID, owner, pl.p.OnCase.Roles.Names())
			if err != nil {
				return err
			}
		}
		view, err = s.doMore(ctx, tx, pl, m, once)
		return err
	})
	return view, err
}

// doMore does what callbacks do with a case that was saved, and keeps the answer for the client's key. To receivers and
// in the history, the last callback that did something is the one that did it.
func (s *Submissions) doMore(
	ctx context.Context, tx *store.Tx, pl *plan, m *authz.Mandate, once authz.Once,
) (View, error) {
	own, id := *m, pl.saved.ID
	own.OnCase = access.CaseRoles{}
	own.Actor = event.Actor{Source: event.System, Name: "callback " + pl.more.by}
	record := func(c cases.Case, facts []event.Fact, err error) error {
		if err != nil {
			return err
		}
		return s.core.recordAsked(ctx, tx, &own, nil, commit{c, pl.typ, nil, facts})
	}
	if pl.more.assignee != nil {
		if err := record(s.core.assign(ctx, tx, own.Principal, id, *pl.more.assignee)); err != nil {
			return View{}, err
		}
	}
	for _, l := range pl.more.labels {
		if err := record(s.core.mark(ctx, tx, own.Principal, id, l)); err != nil {
			return View{}, err
		}
	}
	for _, n := range pl.more.notes {
		if err := s.addNote(ctx, tx, &own, id, n); err != nil {
			return View{}, err
		}
	}
	after, err := tx.Case(ctx, pl.p.Tenant, id)
	if err != nil {
		return View{}, err
	}
	view, err := s.core.view(ctx, tx, pl.p, after, pl.typ)
	if err != nil {
		return View{}, err
	}
	return view, s.guard.Keep(ctx, tx, pl.p, once, view)
}

// addNote adds a note of a callback to a case.
func (s *Submissions) addNote(
	ctx context.Context, tx *store.Tx, m *authz.Mandate, caseID int64, n wire.MoreNote,
) error {
	comment := cases.Comment{ID: id.New("cmt"), CaseID: caseID, Text: n.Text, Due: n.Due, By: m.Actor, At: s.now()}
	return s.core.touch(ctx, tx, m, caseID, func(cases.Case) (event.Fact, error) {
		return event.CaseCommented.New(event.Comment{ID: comment.ID}), tx.AddComment(ctx, m.Tenant, comment)
	})
}
