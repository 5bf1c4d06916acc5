package hooks

import (
	"context"
	"slices"
	"strconv"
	"time"

	"github.com/casehook/casehook/internal/access"
	"github.com/casehook/casehook/internal/authz"
	"github.com/casehook/casehook/internal/endpoint"
	"github.com/casehook/casehook/internal/fault"
	"github.com/casehook/casehook/internal/id"
	"github.com/casehook/casehook/internal/input"
	"github.com/casehook/casehook/internal/store"
)

// ReplayRequest selects the messages that are to be sent again.
type ReplayRequest struct {
	Since    Start
	Until    time.Time // zero: up to now
	Triggers []string  // of those that the endpoint listens to; nil: all
	Subject  string    // "case/17"; empty: everything
}

// Replay is a replay as it is shown.
type Replay struct {
	store.Replay
	Left *store.Stretch // of the journal; nil: it has ended, or the caller is a receiver
}

// maxReplays is how many replays of one endpoint may run at a time.
const maxReplays = 100

// CreateReplay sends the messages of a period to an endpoint again: those to which it subscribes at the time of
// sending. For a receiver the period begins at the earliest when the endpoint was created.
func (s *Messages) CreateReplay(
	ctx context.Context, p access.Principal, endpointID string, in ReplayRequest, once authz.Once,
) (Replay, error) {
	if err := s.guard.Permit(ctx, p, access.CreateReplay); err != nil {
		return Replay{}, err
	}
	plan := func(tx *store.Tx, e endpoint.Endpoint) (store.Replay, []store.Place, error) {
		r := store.Replay{Kind: store.ReplayRange, Triggers: in.Triggers, Subject: in.Subject}
		if err := checkReplay(e, in); err != nil {
			return r, nil, err
		}
		var err error
		if r.After, err = position(ctx, tx, in.Since, "/since"); err != nil {
			return r, nil, err
		}
		if p.Role == access.Receiver {
			created, err := tx.Before(ctx, e.CreatedAt)
			if err != nil {
				return r, nil, err
			}
			r.After = max(r.After, created)
		}
		if in.Until.IsZero() {
			r.Until, err = tx.Head(ctx)
		} else {
			r.Until, err = tx.Before(ctx, in.Until)
		}
		r.Until = max(r.Until, r.After)
		return r, nil, err
	}
	return s.newReplay(ctx, authz.NewMandate(p, access.CreateReplay), endpointID, once, plan)
}

func checkReplay(e endpoint.Endpoint, in ReplayRequest) error {
	var wrong []fault.Field
	add := func(path, message string) { wrong = append(wrong, fault.Field{Path: path, Message: message}) }
	for i, trigger := range in.Triggers {
		if !slices.Contains(e.Triggers, trigger) {
			add("/triggers/"+strconv.Itoa(i), "is not among those that the endpoint listens to; add it to them first")
		}
	}
	if in.Subject != "" && !subjectPattern.MatchString(in.Subject) {
		add("/subject", "is not a subject like case/4539148803436467")
	}
	if !in.Until.IsZero() && in.Since.At.After(in.Until) {
		add("/until", "is before since")
	}
	if len(wrong) > 0 {
		return fault.In("replay.invalid", "The replay was not started: see fields.", wrong...)
	}
	return nil
}

// Resend sends one message again, whether it was delivered or not.
func (s *Messages) Resend(
	ctx context.Context, p access.Principal, endpointID, message string, once authz.Once,
) (Replay, error) {
	if err := s.guard.Permit(ctx, p, access.ResendMessage); err != nil {
		return Replay{}, err
	}
	reader, err := s.guard.Reader(ctx, p)
	if err != nil {
		return Replay{}, err
	}
	plan := func(tx *store.Tx, e endpoint.Endpoint) (store.Replay, []store.Place, error) {
		var none store.Replay
		var m store.SentMessage
		err := messageMissing()
		if input.Word(message) && p.Clearance.Sees(e.Reached) {
			m, err = tx.SentMessage(ctx, e.Tenant, e.ID, message)
		}
		if err != nil {
			return none, nil, err
		}
		if !slices.Contains(e.Triggers, m.Trigger) {
			return none, nil, fault.In("message.unwanted",
				"The endpoint does not listen to "+m.Trigger+" any more. Add the trigger to the endpoint first.",
				fault.Field{Path: "/message", Message: "is of a trigger that the endpoint does not listen to"})
		}
		kept, err := tx.TenantJournal(ctx, e.Tenant, m.Seq-1, 1)
		if err == nil && kept.Last() != m.Seq {
			err = fault.In("journal.removed",
				"The message can't be sent again, because its entry has been removed from the journal.",
				fault.Field{Path: "/message", Message: "is of an entry that has been removed"})
		}
		if err == nil && !reader.Reads(kept.Entries[0]) {
			err = messageMissing()
		}
		r := store.Replay{Kind: store.ReplayResend, After: m.Seq - 1, Until: m.Seq, Messages: 1}
		return r, []store.Place{m.Place}, err
	}
	return s.newReplay(ctx, authz.NewMandate(p, access.ResendMessage), endpointID, once, plan)
}

func messageMissing() error {
	return fault.New(fault.NotFound, "message.not_found",
		"The endpoint was never sent a message with this id. GET /v1/attempts lists those that it was sent.")
}

// replayPlan plans a replay for an endpoint, and returns the messages to which it is bound; nil: all.
type replayPlan func(*store.Tx, endpoint.Endpoint) (store.Replay, []store.Place, error)

// newReplay adds a replay to an endpoint.
func (s *Messages) newReplay(
	ctx context.Context, m *authz.Mandate, endpointID string, once authz.Once, plan replayPlan,
) (made Replay, err error) {
	if !input.Word(endpointID) {
		return Replay{}, endpointMissing()
	}
	err = s.changing(ctx, m, endpointID, once, func(tx *store.Tx, e endpoint.Endpoint) (_ any, err error) {
		made, err = s.startReplay(ctx, tx, m.Principal, e, plan)
		return made, err
	})
	return made, err
}

func (s *Messages) startReplay(
	ctx context.Context, tx *store.Tx, p access.Principal, e endpoint.Endpoint, plan replayPlan,
) (made Replay, err error) {
	if err := tx.CatchUp(ctx); err != nil { // so that it sends all that is committed
		return made, err
	}
	r, messages, err := plan(tx, e)
	if err != nil {
		return made, err
	}
	if err := roomForReplay(ctx, tx, e); err != nil {
		return made, err
	}
	r.ID, r.Tenant, r.Endpoint, r.State, r.Position = id.New("rpl"), e.Tenant, e.ID, store.ReplayRunning, r.After
	r.RequestedBy, r.CreatedAt = p.Actor.Name, s.now()
	if err := tx.CreateReplay(ctx, r, messages); err != nil {
		return made, err
	}
	if made, err = measured(ctx, tx, p, r); err != nil {
		return made, err
	}
	return made, s.guard.Record(ctx, tx, authz.Note{
		Who:     p,
		What:    access.ReplayStarted,
		Subject: authz.AboutEndpoint(e),
		Detail:  map[string]any{"replay": r.ID, "kind": r.Kind},
	})
}

func roomForReplay(ctx context.Context, tx *store.Tx, e endpoint.Endpoint) error {
	running, err := tx.RunningReplays(ctx, e.Tenant, e.ID)
	if err == nil && len(running) >= maxReplays {
		err = fault.New(fault.Conflict, "replay.too_many",
			"The endpoint already has %d replays under way. Wait until one has ended, or cancel one.", maxReplays)
	}
	return err
}

// stretches measures stretches of the journal. Both store.Store and store.Tx do.
type stretches interface {
	Stretch(ctx context.Context, tenant, after, until int64) (store.Stretch, error)
}

// measured returns a replay as a caller may see it. A receiver sees neither how much is committed in the tenant nor who
// asked for the replay, unless they did.
func measured(ctx context.Context, r stretches, p access.Principal, of store.Replay) (Replay, error) {
	out := Replay{Replay: of}
	if p.Role == access.Receiver {
		if of.RequestedBy != p.Actor.Name {
			out.RequestedBy = ""
		}
		return out, nil
	}
	if of.State != store.ReplayRunning {
		return out, nil
	}
	left, err := r.Stretch(ctx, of.Tenant, of.Position, of.Until)
	out.Left = &left
	return out, err
}

// Replays lists an endpoint's replays after one of them, newest first.
func (s *Messages) Replays(
	ctx context.Context, p access.Principal, endpointID, before string, limit int,
) ([]Replay, error) {
	if err := s.guard.Permit(ctx, p, access.ListReplays); err != nil {
		return nil, err
	}
	if _, err := s.knownEndpoint(ctx, p, endpointID); err != nil {
		return nil, err
	}
	if err := input.CheckAfter(before); err != nil {
		return nil, err
	}
	if before == "" {
		before = "rpl_g" // after all hexadecimal digits
	}
	all, err := s.store.Replays(ctx, p.Tenant, endpointID, before, input.Page(limit))
	if err != nil {
		return nil, err
	}
	out := make([]Replay, len(all))
	for i, r := range all {
		if out[i], err = measured(ctx, s.store, p, r); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// Replay returns a replay of an endpoint.
func (s *Messages) Replay(ctx context.Context, p access.Principal, endpointID, replayID string) (Replay, error) {
	if err := s.guard.Permit(ctx, p, access.GetReplay); err != nil {
		return Replay{}, err
	}
	if _, err := s.knownEndpoint(ctx, p, endpointID); err != nil {
		return Replay{}, err
	}
	if !input.Word(replayID) {
		return Replay{}, replayMissing()
	}
	r, err := s.store.Replay(ctx, p.Tenant, endpointID, replayID)
	if err != nil {
		return Replay{}, err
	}
	return measured(ctx, s.store, p, r)
}

// CancelReplay ends a running replay.
func (s *Messages) CancelReplay(ctx context.Context, p access.Principal, endpointID, replayID string) error {
	if err := s.guard.Permit(ctx, p, access.CancelReplay); err != nil {
		return err
	}
	e, err := s.knownEndpoint(ctx, p, endpointID)
	if err != nil {
		return err
	}
	if !input.Word(replayID) {
		return replayMissing()
	}
	return s.guard.Update(ctx, authz.NewMandate(p, access.CancelReplay), func(tx *store.Tx) error {
		if err := tx.CancelReplay(ctx, p.Tenant, endpointID, replayID, s.now()); err != nil {
			return err
		}
		return s.guard.Record(ctx, tx, authz.Note{
			Who:     p,
			What:    access.ReplayCancelled,
			Subject: authz.AboutEndpoint(e),
			Detail:  map[string]any{"replay": replayID},
		})
	})
}

func replayMissing() error {
	return fault.New(fault.NotFound, "replay.not_found",
		"The endpoint has no replay with this id. List its replays for their ids.")
}

// knownEndpoint is findEndpoint for an id that a client sent.
func (s *Messages) knownEndpoint(ctx context.Context, p access.Principal, id string) (endpoint.Endpoint, error) {
	if !input.Word(id) {
		return endpoint.Endpoint{}, endpointMissing()
	}
	return findEndpoint(ctx, s.store, p, id)
}
