package casework

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/casehook/casehook/internal/access"
	"github.com/casehook/casehook/internal/cases"
	"github.com/casehook/casehook/internal/casetype"
	"github.com/casehook/casehook/internal/definitions"
	"github.com/casehook/casehook/internal/id"
	"github.com/casehook/casehook/internal/store"
)

// The times of owed questions.
const (
	owedMargin  = time.Minute                           // that a process has beyond the budget of the callbacks
	owedAgain   = 2 * time.Duration(casetype.MaxBudget) // that a process has which asks in the place of another
	lookForOwed = 15 * time.Second                      // between two looks for what others left
	mostTakes   = 5                                     // processes that try, one after the other
)

// owes returns what has to be asked once the change is saved; nil: nothing.
func (s *questioner) owes(pl *plan, saved cases.Case) *store.OwedQuestion {
	if len(pl.tr.Submitted) == 0 {
		return nil
	}
	pl.owed = &store.OwedQuestion{
		Tenant: pl.p.Tenant, Case: saved.ID, Version: saved.Version, BeforeVersion: pl.before.Version,
		Transition: pl.tr.Key, WebhookID: id.New("msg"), Takes: 1, Context: pl.context,
		Cases: store.OwedCases{
			Before: store.OwedCase{Revision: pl.before.Revision, StateSince: pl.before.StateSince},
			After:  store.OwedCase{Revision: saved.Revision, StateSince: saved.StateSince},
		},
		Actor: pl.p.Actor, Role: pl.p.Role, Further: pl.p.Further, Clearance: pl.p.Clearance,
		For: owedMargin, Holder: s.process,
	}
	for _, c := range pl.tr.Submitted {
		pl.owed.For += time.Duration(c.Budget)
	}
	return pl.owed
}

// webhookID returns the id of a question. One that was owed has the same id whoever asks it.
func (pl *plan) webhookID(g guard) string {
	switch {
	case pl.owed == nil || g.at.Question != casetype.Submitted:
		return id.New("msg")
	case g.at.Callback != "":
		return pl.owed.WebhookID + "_" + g.at.Callback
	}
	return pl.owed.WebhookID
}

// Owed asks the submitted callbacks that a process did not come to ask: it stopped, or was stopped, between the commit
// and the question.
type Owed struct {
	store       *store.Store
	definitions *definitions.Catalog
	questioner  *questioner
	log         *slog.Logger
	worked      func()
}

// Run asks what is owed until ctx ends.
func (s *Owed) Run(ctx context.Context) {
	if s.questioner.hold {
		return // it waits for a server that is not held
	}
	ticker := time.NewTicker(lookForOwed)
	defer ticker.Stop()
	for {
		for s.next(ctx) {
		}
		s.worked()
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

// next asks about one submission; false: nothing is owed now.
func (s *Owed) next(ctx context.Context) (found bool) {
	var owed store.OwedQuestion
	err := s.store.Update(ctx, func(tx *store.Tx) (err error) {
		owed, found, err = tx.TakeOwed(ctx, s.questioner.process, owedAgain, !s.store.Nodes())
		return err
	})
	if err == nil && found {
		err = s.ask(ctx, owed)
	}
	if err != nil && ctx.Err() == nil {
		s.log.WarnContext(ctx, "a submitted callback can't be asked now; it is tried again later",
			"tenant", owed.Tenant, "case", owed.Case, "version", owed.Version, "transition", owed.Transition,
			"error", err)
	}
	return found && err == nil
}

// ask asks the callbacks about a submission as it was saved.
func (s *Owed) ask(ctx context.Context, owed store.OwedQuestion) error {
	pl := &plan{
		p: access.Principal{
			Tenant: owed.Tenant, Actor: owed.Actor, Role: owed.Role, Further: owed.Further, Clearance: owed.Clearance,
		},
		context: owed.Context, owed: &owed, in: Submission{CaseID: owed.Case, Transition: owed.Transition},
	}
	if owed.Takes > mostTakes {
		return s.giveUp(ctx, pl)
	}
	after, err := s.load(ctx, pl, owed.Version, owed.Cases.After)
	if err != nil {
		return s.leave(ctx, pl, err)
	}
	pl.saved, pl.after = after, after
	if owed.BeforeVersion > 0 {
		if pl.before, err = s.load(ctx, pl, owed.BeforeVersion, owed.Cases.Before); err != nil {
			return s.leave(ctx, pl, err)
		}
	} else {
		pl.in.CaseID = 0
	}
	t, err := s.definitions.At(ctx, s.store, owed.Tenant, after.Type, after.TypeVersion)
	if err != nil {
		return err
	}
	pl.typ, pl.maker = t.Type, t.Clearance
	pl.tr, _ = t.Type.Transition(owed.Transition)
	s.questioner.confirm(ctx, pl)
	return nil
}

// load reads a case as the journal has it.
func (s *Owed) load(ctx context.Context, pl *plan, version int64, more store.OwedCase) (cases.Case, error) {
	then, err := caseAt(ctx, s.store, pl.p.Tenant, pl.owed.Case, version)
	if err != nil {
		return cases.Case{}, err
	}
	then.Revision, then.StateSince = more.Revision, more.StateSince
	return *then, nil
}

// leave drops a question whose versions are not kept any more; other errors may pass.
func (s *Owed) leave(ctx context.Context, pl *plan, err error) error {
	if errors.Is(err, store.ErrVersionGone) {
		return s.giveUp(ctx, pl)
	}
	return err
}

// giveUp removes a question that can't be asked.
func (s *Owed) giveUp(ctx context.Context, pl *plan) error {
	s.log.ErrorContext(ctx, "a submitted callback was not asked, and is not tried again: ask it about the case by hand",
		"tenant", pl.p.Tenant, "case", pl.owed.Case, "version", pl.owed.Version, "transition", pl.owed.Transition,
		"webhook_id", pl.owed.WebhookID, "takes", pl.owed.Takes)
	return s.store.Update(ctx, func(tx *store.Tx) error { return tx.Asked(ctx, *pl.owed) })
}
