package casework

import (
	"context"
	"encoding/json"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/casehook/casehook/internal/access"
	"github.com/casehook/casehook/internal/authz"
	"github.com/casehook/casehook/internal/callback"
	"github.com/casehook/casehook/internal/cases"
	"github.com/casehook/casehook/internal/casetype"
	"github.com/casehook/casehook/internal/event"
	"github.com/casehook/casehook/internal/id"
	"github.com/casehook/casehook/internal/input"
	"github.com/casehook/casehook/internal/observe"
	"github.com/casehook/casehook/internal/store"
	"github.com/casehook/casehook/internal/weburl"
	"github.com/casehook/casehook/internal/wire"
)

// Shadows ask the shadows of callbacks the same questions, in the background, and keep where the answers differ. They
// affect nothing else. It is safe for concurrent use.
type Shadows struct {
	store     *store.Store
	guard     *authz.Guard
	callbacks *callback.Client
	types     *CaseTypes
	questions *Questions
	log       *slog.Logger

	waiting chan shadowQuestion
	bytes   atomic.Int64 // of the questions that wait, and their live answers
}

// The bounds of shadows.
const (
	shadowsWaiting = 200             // questions; further ones are dropped
	shadowBytes    = 16 << 20        // of them; likewise
	shadowsAtOnce  = 4               // questions
	shadowAnswered = time.Second     // for which an answer that is still being written is waited
	keepShadowIn   = 5 * time.Second // the time to write a difference
)

// shadowQuestion is a question to a shadow, with what the callback answered.
type shadowQuestion struct {
	answered <-chan struct{} // closed when the submitter has the live answer; nil: nobody knows
	question callback.Question
	at       store.CallbackRef
	live     callback.Reply
	shown    cases.Case // as the callback was shown it
	typ      *casetype.Type
	keep     store.ShadowDifference // what is known already
}

func newShadows(c Config, types *CaseTypes, questions *Questions) *Shadows {
	return &Shadows{
		store: c.Store, guard: c.Guard, callbacks: c.Callbacks, types: types, questions: questions, log: c.Log,
		waiting: make(chan shadowQuestion, shadowsWaiting),
	}
}

// shadow puts the question to a callback's shadow, if it has one, into the queue. The callback has answered it.
func (s *questioner) shadow(ctx context.Context, pl *plan, g guard, q callback.Question, live callback.Reply) {
	listener := live.Answerer != nil && live.Answerer.Listener
	if g.Shadow.URL == "" || pl.in.dry || g.elsewhere || listener {
		return
	}
	one := shadowQuestion{
		answered: ctx.Done(), question: q, live: live, typ: pl.typ,
		at: store.CallbackRef{Tenant: pl.p.Tenant, CaseType: g.owner, Callback: g.at.Name},
		keep: store.ShadowDifference{
			Tenant:     pl.p.Tenant,
			Case:       pl.before.ID,
			Type:       g.owner,
			OtherType:  pl.otherType(g),
			Transition: g.at.Name,
			Question:   string(g.at.Question),
			Page:       g.at.Page,
			Callback:   g.at.Callback,
			URL:        weburl.WithoutQuery(g.Shadow.URL),
			URLClass:   live.Record.URLClass,
			WebhookID:  q.WebhookID,
			ShadowID:   id.New("msg"),
			Live:       string(live.Verdict),
			Class:      pl.highestTold(g),
			CaseClass:  pl.caseClass(g),
		},
	}
	one.shown, _ = pl.after.As(g.clearance(), pl.typ)
	asked := &one.question
	asked.Settings.URL, asked.Settings.Retries = g.Shadow.URL, []casetype.Duration{}
	asked.WebhookID, asked.DryRun, asked.Shadow = one.keep.ShadowID, true, true
	asked.Pull, asked.Credentials = nil, nil
	s.shadows.add(one)
}

// size is how many bytes the question counts as.
func (q shadowQuestion) size() int64 { return int64(len(q.question.Body) + q.live.Length) }

// add queues a question, or drops it.
func (s *Shadows) add(q shadowQuestion) {
	size := q.size()
	if s.bytes.Add(size) > shadowBytes {
		s.bytes.Add(-size)
		s.callbacks.Shadowed(observe.ShadowDropped)
		return
	}
	select {
	case s.waiting <- q:
	default:
		s.bytes.Add(-size)
		s.callbacks.Shadowed(observe.ShadowDropped)
	}
}

// Run asks shadows until ctx ends. Questions that wait then are dropped.
func (s *Shadows) Run(ctx context.Context) {
	var running sync.WaitGroup
	for range shadowsAtOnce {
		running.Go(func() {
			for {
				select {
				case q := <-s.waiting:
					s.ask(ctx, q)
					s.bytes.Add(-q.size())
				case <-ctx.Done():
					return
				}
			}
		})
	}
	running.Wait()
}

// ask asks a shadow once the submitter has the live answer, and keeps the difference.
func (s *Shadows) ask(ctx context.Context, q shadowQuestion) {
	wait := time.NewTimer(shadowAnswered)
	defer wait.Stop()
	select {
	case <-q.answered:
	case <-wait.C:
	case <-ctx.Done():
		return
	}
	if err := s.compare(ctx, q); err != nil && ctx.Err() == nil {
		s.log.WarnContext(ctx, "the shadow of a callback could not be asked or compared",
			"tenant", q.keep.Tenant, "case_type", q.keep.Type, "transition", q.keep.Transition,
			"webhook_id", q.keep.ShadowID, "error", err)
	}
}

// compare asks a shadow, counts the outcome, and keeps a difference.
func (s *Shadows) compare(ctx context.Context, q shadowQuestion) (err error) {
	asked := q.question
	if asked.URL, err = s.types.expand(ctx, q.at.Tenant, asked.Settings.URL); err != nil {
		return err
	}
	if asked.Credentials, err = s.types.credentialsFor(ctx, q.at, asked.URL); err != nil {
		return err
	}
	q.keep.At = s.guard.Now()
	reply, failed := s.callbacks.Ask(ctx, asked)
	if ctx.Err() != nil {
		return nil
	}
	changes, err := q.differences(reply)
	switch {
	case err != nil:
		return err
	case failed == nil && len(changes) == 0:
		s.callbacks.Shadowed(observe.ShadowAgrees)
		return nil
	case failed != nil:
		s.callbacks.Shadowed(observe.ShadowFailed)
	default:
		s.callbacks.Shadowed(observe.ShadowDiffers)
	}
	q.keep.Status, q.keep.Verdict, q.keep.Failure = reply.Record.Status, string(reply.Verdict), reply.Record.Failure
	q.keep.Duration = time.Duration(reply.Record.DurationMS) * time.Millisecond
	q.keep.Changes = bounded(changes)
	limited, cancel := context.WithTimeout(context.WithoutCancel(ctx), keepShadowIn)
	defer cancel()
	return s.store.Update(limited, func(tx *store.Tx) error { return tx.AddShadowDifference(limited, q.keep) })
}

// differences lists where the answer of a shadow differs from the live one. Without data of its own, an answer leaves
// the case as it was asked about. A shadow that failed differs by its verdict alone.
func (q shadowQuestion) differences(shadow callback.Reply) ([]event.Change, error) {
	class := string(q.keep.Class)
	if q.keep.Class == casetype.Public {
		class = ""
	}
	if shadow.Record.Failure != "" {
		return nil, nil
	}
	live, other := q.live.Answer, shadow.Answer
	changes, err := cases.ClassifiedChanges(q.after(live), q.after(other), q.typ)
	for _, part := range []struct {
		path string
		of   func(wire.Answer) any
	}{
		{"errors", func(a wire.Answer) any { return a.Errors }},
		{"warnings", func(a wire.Answer) any { return a.Warnings }},
		{"state", func(a wire.Answer) any { return a.OverrideState }},
		{"classification", func(a wire.Answer) any { return a.Classification }},
		{"message", func(a wire.Answer) any { return a.Message }},
		{"confirmation_header", func(a wire.Answer) any { return a.ConfirmationHeader }},
		{"confirmation_body", func(a wire.Answer) any { return a.ConfirmationBody }},
	} {
		before, failed := json.Marshal(part.of(live))
		after, alike := json.Marshal(part.of(other))
		if failed != nil || alike != nil || string(before) == string(after) {
			continue
		}
		changes = append(changes, event.Change{Path: part.path, Before: before, After: after, Class: class})
	}
	return changes, err
}

// after returns the case with an answer's data.
func (q shadowQuestion) after(a wire.Answer) cases.Case {
	c := q.shown
	if a.HasData {
		c.Data = a.Data
	}
	return c
}

// Differences returns where the shadows of a transition's callbacks answered otherwise, as far as the caller may see
// it, the newest first, and the Before of the next page; 0: there is none. A page may have fewer than its limit.
func (s *Shadows) Differences(
	ctx context.Context, p access.Principal, f store.ShadowFilter,
) (shown []store.ShadowDifference, next int64, err error) {
	if _, err := s.types.caseType(ctx, p, access.ListShadowDifferences, f.Type, 0); err != nil {
		return nil, 0, err
	}
	if !input.Word(strings.TrimPrefix(f.Transition, "@")) {
		return nil, 0, nil
	}
	f.Limit = input.Page(f.Limit)
	sees, err := s.questions.sight(ctx, p)
	if err != nil {
		return nil, 0, err
	}
	found, err := s.store.ShadowDifferences(ctx, p.Tenant, f)
	if err != nil {
		return nil, 0, err
	}
	for _, d := range found {
		visible, err := sees.question(ctx, store.Question{
			Case: d.Case, Type: d.Type, OtherType: d.OtherType, CaseClass: d.CaseClass,
		})
		if err != nil {
			return nil, 0, err
		}
		if visible {
			shown = append(shown, redactDifference(p, d))
		}
	}
	if len(found) == f.Limit {
		next = found[f.Limit-1].ID
	}
	return shown, next, nil
}

// redactDifference returns a difference without the parts that the caller may not see.
func redactDifference(p access.Principal, d store.ShadowDifference) store.ShadowDifference {
	sees := p.Sight().SeesClass
	if !sees(d.URLClass) {
		d.URL = ""
	}
	if !p.Sight().Sees(d.Class) {
		d.Changes.More = 0
	}
	d.Changes.Changes = slices.DeleteFunc(slices.Clone(d.Changes.Changes),
		func(c store.KeptChange) bool { return !sees(c.Class) })
	return d
}
