package casework

import (
	"cmp"
	"context"
	"net/url"

	"github.com/casehook/casehook/internal/callback"
	"github.com/casehook/casehook/internal/cases"
	"github.com/casehook/casehook/internal/casetype"
	"github.com/casehook/casehook/internal/fault"
	"github.com/casehook/casehook/internal/id"
	"github.com/casehook/casehook/internal/wire"
)

// ask puts the submission before the transition's callback, if it has one, and
// applies the answer to the plan. No transaction is open meanwhile.
func (s *Service) ask(ctx context.Context, pl *plan) error {
	if pl.tr.AboutToSubmit == nil {
		return nil
	}
	ctx, span := s.Tracer.Step(ctx, "ask")
	defer span.End()
	q, err := s.question(ctx, pl)
	if err != nil {
		return err
	}
	told := pl.told()
	answer, record, err := s.callbacks.Ask(ctx, q)
	if told != casetype.Public {
		record.Class = string(told)
	}
	pl.callback = &record
	if err != nil {
		if !waived(q.Ask, err) {
			return err
		}
		s.Log.WarnContext(ctx, "callback failed; its policy is to go on", "case", pl.after.ID, "callback", q.Name,
			"webhook_id", q.WebhookID, "attempts", record.Attempts, "code", fault.As(err).Code)
		return nil
	}
	return pl.apply(answer, told, pl.in.IgnoreWarning || ignoresWarnings(q.URL))
}

// waived reports whether the failure policy waives an error: a callback that
// gave no answer, but not a submission that was given up.
func waived(ask casetype.Ask, err error) bool {
	code := fault.As(err).Code
	return ask.FailurePolicy == casetype.Ignore && (code == callback.CodeTimeout || code == callback.CodeFailed)
}

func ignoresWarnings(rawURL string) bool {
	u, err := url.Parse(rawURL)
	return err == nil && u.Query().Get("ignore-warning") == "true"
}

// question prepares what is asked.
func (s *Service) question(ctx context.Context, pl *plan) (callback.Question, error) {
	q := callback.Question{
		Ask: *pl.tr.AboutToSubmit, Name: pl.typ.Key + "/" + pl.tr.Key, WebhookID: id.New("msg"),
	}
	var err error
	if q.URL, err = casetype.ExpandURL(q.Ask.URL, s.Variable); err != nil {
		return q, fault.Wrap(err, fault.Upstream, callback.CodeFailed,
			"The callback of %s can't be asked; nothing was saved. %s", q.Name, fault.As(err).Detail)
	}
	key, err := s.store.CallbackSecret(ctx, pl.p.Tenant, pl.typ.Key, pl.tr.Key)
	if err != nil {
		return q, fault.Wrap(err, fault.Internal, "internal", "The callback of %s has no secret to sign with. Put the case type again.", q.Name)
	}
	q.Keys = [][]byte{key}
	after, visible := pl.after.As(pl.clearance(), pl.typ)
	if !visible {
		return q, fault.New(fault.Upstream, callback.CodeFailed,
			"The callback of %s can't be asked: it is cleared for %s, and the case is %s. Nothing was saved; raise the clearance in the case type's about_to_submit.",
			q.Name, cmp.Or(pl.clearance(), "nothing"), pl.after.Classification)
	}
	var before *wire.CallbackCase
	if !pl.creates() {
		if c, visible := pl.before.As(pl.clearance(), pl.typ); visible {
			before = shown(c, pl.typ)
		}
	}
	q.Body, err = wire.EncodeAboutToSubmit(before, *shown(after, pl.typ))
	return q, err
}

// clearance is what the transition's callback is cleared for: what the case type
// says, and no more than who put it was.
func (pl *plan) clearance() casetype.Classification {
	if said := pl.tr.AboutToSubmit.Clearance; said != "" {
		return casetype.Lower(said, pl.maker)
	}
	return pl.maker
}

// told is the highest classification of what the callback is shown. Its words
// may repeat it.
func (pl *plan) told() casetype.Classification {
	return casetype.Higher(
		pl.typ.HighestIn(pl.typ.Shown(pl.before.Data, pl.clearance())), pl.typ.HighestIn(pl.typ.Shown(pl.after.Data, pl.clearance())))
}

// shown is a case, as the callback may see it, in the callback's words.
func shown(c cases.Case, t *casetype.Type) *wire.CallbackCase {
	return &wire.CallbackCase{
		ID: c.ID, Type: c.Type, CreatedAt: c.CreatedAt, ModifiedAt: c.ModifiedAt, State: c.State,
		Classification: string(c.Classification), Data: c.Data, Classifications: t.Classifications(c.Data),
	}
}
