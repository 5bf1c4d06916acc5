package casework

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/casehook/casehook/internal/callback"
	"github.com/casehook/casehook/internal/cases"
	"github.com/casehook/casehook/internal/casetype"
	"github.com/casehook/casehook/internal/event"
	"github.com/casehook/casehook/internal/fault"
	"github.com/casehook/casehook/internal/store"
	"github.com/casehook/casehook/internal/weburl"
	"github.com/casehook/casehook/internal/wire"
)

// asks returns the question to a callback as it is kept, but for what comes of it.
func (pl *plan) asks(g guard, q callback.Question, r callback.Reply, at time.Time) store.Question {
	sum := sha256.Sum256(q.Body)
	answer := store.KeptAnswer{Truncated: r.Kept.Truncated, Withheld: r.Kept.Withheld}
	if utf8.Valid(r.Kept.Body) {
		answer.Body = string(r.Kept.Body)
	} else {
		answer.Base64 = r.Kept.Body
	}
	return store.Question{
		Tenant:       pl.p.Tenant,
		At:           at,
		Case:         pl.before.ID,
		Type:         g.owner,
		Transition:   g.at.Name,
		Question:     string(g.at.Question),
		Page:         g.at.Page,
		Callback:     g.at.Callback,
		URL:          weburl.WithoutQuery(r.Record.URL),
		URLClass:     r.Record.URLClass,
		WebhookID:    q.WebhookID,
		Attempts:     r.Record.Attempts,
		Duration:     time.Duration(r.Record.DurationMS) * time.Millisecond,
		Status:       r.Record.Status,
		Verdict:      string(r.Verdict),
		Failure:      r.Record.Failure,
		Override:     r.Record.Override,
		BodySHA256:   hex.EncodeToString(sum[:]),
		Answer:       answer,
		Submission:   pl.submission(g),
		Confirmation: pl.confirmed(g, r.Answer),
		Class:        casetype.Higher(pl.highestTold(g), pl.typ.HighestIn(r.Answer.Data)),
		CaseClass:    pl.caseClass(g),
		Actor:        pl.p.Actor,
		OtherType:    pl.otherType(g),
		Answerer:     r.Answerer,
	}
}

// caseClass returns who may know of the question.
func (pl *plan) caseClass(g guard) casetype.Classification {
	return casetype.Higher(
		casetype.Higher(pl.after.Classification, pl.before.Classification), g.typ.WhenClass(g.at))
}

// otherType returns the key of the type of the case that is not the callback's; empty: there is none.
func (pl *plan) otherType(g guard) (key string) {
	for _, t := range []*casetype.Type{pl.old(), pl.typ} {
		if t.Key != g.owner {
			key = t.Key
		}
	}
	return key
}

// maxKeptConfirmation bounds the header and the body of a confirmation that is kept, in bytes.
const maxKeptConfirmation = 16 << 10

// confirmed returns what an answer confirms, as it is kept; nil: nothing.
func (pl *plan) confirmed(g guard, a wire.Answer) *store.KeptConfirmation {
	if g.at.Question != casetype.Submitted || a.ConfirmationHeader == "" && a.ConfirmationBody == "" {
		return nil
	}
	return &store.KeptConfirmation{
		Header: cutConfirmation(a.ConfirmationHeader),
		Body:   cutConfirmation(a.ConfirmationBody),
		Told:   g.Messages != casetype.Cleared || pl.p.Sight().Sees(pl.highestShown(g)),
	}
}

func cutConfirmation(text string) string {
	if len(text) <= maxKeptConfirmation {
		return text
	}
	return strings.ToValidUTF8(text[:maxKeptConfirmation], "") + "…"
}

// maxKeptSubmission bounds what is kept of a submission, in bytes.
const maxKeptSubmission = 64 << 10

// submission returns what is kept of a submission, so that another callback can be asked about it later; nil: the
// question is not about a submission of a transition that is to be saved. Until the first answer, the case is as it
// was submitted.
func (pl *plan) submission(g guard) *store.KeptSubmission {
	if g.at.Question != casetype.AboutToSubmit || strings.HasPrefix(g.at.Name, "@") || pl.in.dry {
		return nil
	}
	if len(pl.questions) > 0 {
		return &store.KeptSubmission{Follows: true}
	}
	changed := map[string]any{}
	var cleared []string
	for name, value := range pl.after.Data {
		if !casetype.Equal(pl.before.Data[name], value) {
			changed[name] = value
		}
	}
	for name := range pl.before.Data {
		if _, stays := pl.after.Data[name]; !stays {
			cleared = append(cleared, name)
		}
	}
	set, err := casetype.Encode(changed)
	if err != nil || len(set) > maxKeptSubmission {
		return &store.KeptSubmission{TooLarge: true}
	}
	slices.Sort(cleared)
	return &store.KeptSubmission{
		Case:          pl.after.ID,
		Version:       pl.before.Version,
		Revision:      pl.before.Revision,
		TypeVersion:   pl.after.TypeVersion,
		StateSince:    pl.before.StateSince,
		State:         pl.after.State,
		Name:          pl.after.Name,
		NameSet:       pl.after.NameSet,
		Class:         pl.after.Classification,
		Set:           set,
		Cleared:       cleared,
		IgnoreWarning: pl.in.IgnoreWarning,
		HeedWarnings:  pl.in.HeedWarnings,
	}
}

// highestTold returns the highest classification of what a callback may be told, and may answer.
func (pl *plan) highestTold(g guard) casetype.Classification {
	return casetype.Higher(pl.old().Highest(), pl.typ.Highest()).AtMost(g.clearance())
}

// The bounds of the changes that are kept of a question.
const (
	maxKeptChanges = 50
	maxKeptValue   = 1 << 10 // bytes
)

// noteChanges adds the changes that the last answer made to the case.
func (pl *plan) noteChanges(before cases.Case) error {
	if !pl.callback.ReplacedData {
		return nil
	}
	changes, err := cases.ClassifiedChanges(before, pl.after, pl.typ)
	pl.questions[len(pl.questions)-1].Changes = bounded(changes)
	return err
}

// noteUnfit records that the last answer can't be carried out.
func (pl *plan) noteUnfit(err error) {
	if strings.HasPrefix(fault.As(err).Code, "callback.") {
		pl.questions[len(pl.questions)-1].Verdict = string(callback.Unfit)
	}
}

// bounded returns the part of a diff that is kept.
func bounded(changes []event.Change) (kept store.KeptChanges) {
	kept.More = max(0, len(changes)-maxKeptChanges)
	for _, c := range changes[:len(changes)-kept.More] {
		long := len(c.Before) > maxKeptValue || len(c.After) > maxKeptValue
		if long {
			c.Before, c.After = nil, nil
		}
		kept.Changes = append(kept.Changes, store.KeptChange{Change: c, Long: long})
	}
	return kept
}

// kept returns the questions about a change that is saved as this version of the case; 0: it changed nothing.
func (pl *plan) kept(c cases.Case, version int64) []store.Question {
	all := make([]store.Question, len(pl.questions))
	for i, q := range pl.questions {
		q.Case, q.Version = c.ID, version
		all[i] = q
	}
	return all
}

// keepUnsavedWithin bounds how long a refused submission waits for its questions to be kept.
const keepUnsavedWithin = 5 * time.Second

// keepUnsaved keeps the questions about a change that was refused after they were asked. Those of a change that was
// saved, or may have been, were written with it.
func (s *questioner) keepUnsaved(ctx context.Context, pl *plan, refused error) {
	if refused != nil && fault.As(refused).Code != store.OutcomeUnknown {
		s.keepAlone(ctx, pl, refused)
	}
}

// keepAlone keeps the questions that no commit keeps, even if the request has ended, with the refusal that came of
// them; nil: none. A question that was owed is removed. A failure is logged, not returned.
func (s *questioner) keepAlone(ctx context.Context, pl *plan, refused error) {
	if len(pl.questions) == 0 && (pl.owed == nil || refused != nil) {
		return
	}
	if refused != nil {
		for i := range pl.questions {
			pl.questions[i].Code = fault.As(refused).Code
		}
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), keepUnsavedWithin)
	defer cancel()
	err := s.store.Update(ctx, func(tx *store.Tx) error {
		if pl.owed != nil && refused == nil {
			if err := tx.Asked(ctx, *pl.owed); err != nil {
				return err
			}
		}
		return tx.AddQuestions(ctx, pl.questions)
	})
	if err != nil {
		last := store.Question{}
		if n := len(pl.questions); n > 0 {
			last = pl.questions[n-1]
		}
		s.log.ErrorContext(ctx, "the questions about a change that was not saved could not be kept",
			"tenant", pl.p.Tenant, "case", pl.before.ID, "case_type", last.Type, "transition", last.Transition,
			"webhook_id", last.WebhookID, "code", fault.As(err).Code, "error", err)
	}
}
