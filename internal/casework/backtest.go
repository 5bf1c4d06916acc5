package casework

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/casehook/casehook/internal/access"
	"github.com/casehook/casehook/internal/authz"
	"github.com/casehook/casehook/internal/callback"
	"github.com/casehook/casehook/internal/cases"
	"github.com/casehook/casehook/internal/casetype"
	"github.com/casehook/casehook/internal/definitions"
	"github.com/casehook/casehook/internal/event"
	"github.com/casehook/casehook/internal/fault"
	"github.com/casehook/casehook/internal/store"
)

// Backtests ask callbacks about submissions of the past. They save nothing and tell nobody. It is safe for concurrent
// use.
type Backtests struct {
	store       *store.Store
	guard       *authz.Guard
	submissions *Submissions
	questions   *Questions
	asking      chan struct{} // has an item for each question under way
}

// The bounds of backtests.
const (
	MaxBacktest     = 50               // submissions of one request
	backtestTime    = 15 * time.Second // after which a request asks about no further ones
	backtestAttempt = 5 * time.Second  // for one answer; there is no second attempt
	backtestsAtOnce = 4                // questions of one request
	allBacktests    = 16               // questions of all requests
)

// Backtest asks about the past submissions of a transition: another callback, the callbacks and conditions of another
// definition, or a rule that the newest definition lacks.
type Backtest struct {
	Type, Transition string
	URL, Secret      string // of a callback, and its signing secret; no secret: a random one
	Definition       string // the source of a definition
	Rule             string // the source of a rule of the transition; with it, no callback is asked
	Since, Until     time.Time
	Before           int64 // the id of a question, where the page before ended; 0: begin at the newest
	Limit            int   // submissions of the page
}

// BacktestPage is the result of a backtest about some submissions.
type BacktestPage struct {
	Outcomes []BacktestOutcome // the newest first
	Next     int64             // Before of the next page; 0: there is none
}

// BacktestOutcome is what would come of one submission of the past, as the caller may see it.
type BacktestOutcome struct {
	Live    store.Question // that was asked then
	LeftOut string         // why it can't be asked about again; empty: it was

	Refusal   *fault.Error      // nil: it would be saved
	Failed    bool              // the refusal is no verdict: the callback did not answer
	Changes   store.KeptChanges // to what was submitted
	Disagrees bool              // with what came of it then
	Against   store.KeptChanges // what was saved then, and what would be saved; none: one of them refuses
}

// judge is what a backtest asks.
type judge struct {
	p    access.Principal
	key  string // of the transition
	with *casetype.Type
	ask  []guard // with nil with
}

// Run asks about a page of submissions, the newest first. It takes what those need who put the type's next version,
// and the callback is shown at most what the caller sees.
func (s *Backtests) Run(ctx context.Context, p access.Principal, in Backtest) (page BacktestPage, err error) {
	if err := s.guard.Permit(ctx, p, access.RunBacktest); err != nil {
		return page, err
	}
	j, err := s.judge(ctx, p, in)
	if err != nil {
		return page, err
	}
	sees, err := s.questions.sight(ctx, p)
	if err != nil {
		return page, err
	}
	found, next, err := s.store.FindQuestions(ctx, p.Tenant, store.QuestionFilter{
		Type: in.Type, Transition: in.Transition, Question: string(casetype.AboutToSubmit),
		Since: in.Since, Until: in.Until, Before: in.Before, Limit: min(max(in.Limit, 1), MaxBacktest),
	})
	if err != nil {
		return page, err
	}
	page.Next = next
	for begun := s.guard.Now(); len(found) > 0; {
		if s.guard.Now().Sub(begun) > backtestTime {
			return page, nil
		}
		some := found[:min(len(found), backtestsAtOnce)]
		outcomes, err := s.judgeAll(ctx, j, sees, some)
		if err != nil {
			return page, err
		}
		page.Outcomes = append(page.Outcomes, outcomes...)
		if found = found[len(some):]; len(found) > 0 {
			page.Next = some[len(some)-1].ID
		} else {
			page.Next = next
		}
	}
	return page, nil
}

// judge checks a backtest, and prepares its questions.
func (s *Backtests) judge(ctx context.Context, p access.Principal, in Backtest) (judge, error) {
	j := judge{p: p, key: in.Transition}
	newest, err := s.submissions.types.wholeType(ctx, p, access.RunBacktest, in.Type)
	if err != nil {
		return j, err
	}
	if err := in.check(); err != nil {
		return j, err
	}
	t := newest.Type
	if in.URL == "" {
		if t, err = s.candidate(ctx, p, in, newest.Type); err != nil {
			return j, err
		}
		j.with = t
	}
	tr, ok := t.Transition(in.Transition)
	if !ok {
		return j, fault.New(fault.NotFound, "transition.not_found", "%s has no transition %q.", t.Key, in.Transition)
	}
	if in.Rule != "" {
		return j, nil
	}
	if in.Definition != "" {
		return j, s.prepare(&j, guardsAt(t, p.Sight(), submits(tr.Key), tr.AboutToSubmit), "")
	}
	g := guard{at: submits(tr.Key), owner: t.Key, dialect: t.Dialect, typ: t, maker: p.Sight()}
	none := func(string) (string, bool) { return "", false }
	if g.URL, err = casetype.ExpandURL(in.URL, none); err != nil {
		return j, notBacktested("/callback", "is not the URL of a callback, without variables")
	}
	return j, s.prepare(&j, []guard{g}, in.Secret)
}

// check refuses a backtest that asks nothing, or two things at once.
func (in Backtest) check() error {
	judges := 0
	for _, judge := range []string{in.URL, in.Definition, in.Rule} {
		if judge != "" {
			judges++
		}
	}
	if judges != 1 {
		return notBacktested("/callback", "or definition or rule: send one of them")
	}
	if in.URL == "" && in.Secret != "" {
		return notBacktested("/secret", "can't be sent without callback")
	}
	return nil
}

func notBacktested(path, message string) error {
	return fault.In("backtest.invalid", "Nothing was asked: see fields.", fault.Field{Path: path, Message: message})
}

// candidate reads the definition that a backtest tries: another one, or the newest with another rule.
func (s *Backtests) candidate(
	ctx context.Context, p access.Principal, in Backtest, newest *casetype.Type,
) (*casetype.Type, error) {
	if in.Rule != "" {
		if len(aboveClearance(newest, p.Sight())) > 0 {
			return nil, typeAbove(in.Type)
		}
		t, err := newest.WithRule(ctx, in.Transition, []byte(in.Rule))
		var faults casetype.Faults
		if !errors.As(err, &faults) {
			return t, err
		}
		wrong := fieldsOf(faults)
		for i := range wrong {
			wrong[i].Path = "/rule" + wrong[i].Path
		}
		return nil, fault.In("backtest.invalid", "Nothing was asked: see fields.", wrong...)
	}
	t, err := parseType(ctx, in.Type, "definition", []byte(in.Definition))
	if err == nil && len(aboveClearance(t, p.Sight())) > 0 {
		err = typeAbove(t.Key)
	}
	return t, err
}

// prepare bounds the guards of a backtest, and signs their questions with another secret than the callback's own.
func (s *Backtests) prepare(j *judge, guards []guard, secret string) (err error) {
	for _, g := range guards {
		if g.DryRun == casetype.DryRunSkips {
			continue
		}
		g.elsewhere = true
		g.Timeout = casetype.Duration(min(time.Duration(or(g.Timeout, casetype.DefaultTimeout)), backtestAttempt))
		g.Retries, g.Budget = []casetype.Duration{}, casetype.Duration(backtestAttempt)
		g.FailurePolicy = casetype.Fail
		if g.secret, err = s.submissions.secretElsewhere(secret); err != nil {
			if wrong := fault.As(err); len(wrong.Fields) > 0 {
				err = notBacktested(wrong.Fields[0].Path, wrong.Fields[0].Message)
			}
			return err
		}
		j.ask = append(j.ask, g)
	}
	return nil
}

func or(d, otherwise casetype.Duration) casetype.Duration {
	if d <= 0 {
		return otherwise
	}
	return d
}

// judgeAll asks about some submissions at once.
func (s *Backtests) judgeAll(
	ctx context.Context, j judge, sees *questionSight, all []store.Question,
) ([]BacktestOutcome, error) {
	var outcomes []BacktestOutcome
	var plans []*pastSubmission
	for _, q := range all {
		visible, err := sees.question(ctx, q)
		if err != nil {
			return nil, err
		}
		if !visible {
			continue
		}
		past, err := s.past(ctx, j, q)
		if err != nil {
			return nil, err
		}
		if past == nil {
			continue // another question keeps what was submitted
		}
		outcomes, plans = append(outcomes, past.BacktestOutcome), append(plans, past)
	}
	errs := make([]error, len(plans))
	var asked sync.WaitGroup
	for i, past := range plans {
		if past.LeftOut == "" {
			asked.Go(func() { outcomes[i], errs[i] = s.judgeOne(ctx, j, past) })
		}
	}
	asked.Wait()
	for _, err := range errs {
		if err != nil {
			return nil, err
		}
	}
	return outcomes, nil
}

// pastSubmission is a submission of the past, as it was when its callback was asked.
type pastSubmission struct {
	BacktestOutcome
	plan      *plan
	submitted cases.Case
	live      *cases.Case // as it was saved; nil: it was not
}

// The reasons why a submission is left out of a backtest.
const (
	NotKept  = "not_kept"  // it was submitted before Casehook kept submissions
	TooLarge = "too_large" // to be kept
	Lost     = "lost"      // the journal lacks the case as it was then
)

// past restores a submission; nil: another question of the same submission does.
func (s *Backtests) past(ctx context.Context, j judge, q store.Question) (*pastSubmission, error) {
	out := &pastSubmission{BacktestOutcome: BacktestOutcome{Live: redactQuestion(j.p, q)}}
	kept, err := s.store.QuestionSubmission(ctx, j.p.Tenant, q.ID)
	switch {
	case err != nil:
		return nil, err
	case kept == nil:
		out.LeftOut = NotKept
		return out, nil
	case kept.Follows:
		return nil, nil
	case kept.TooLarge:
		out.LeftOut = TooLarge
		return out, nil
	}
	t, err := s.submissions.core.definitions.At(ctx, s.store, j.p.Tenant, q.Type, kept.TypeVersion)
	if err != nil {
		return nil, err
	}
	pl, err := s.restore(ctx, j, q, kept, t)
	if err != nil {
		return nil, err
	}
	if pl == nil {
		out.LeftOut = Lost
		return out, nil
	}
	out.plan, out.submitted = pl, pl.after
	if q.Code == "" {
		out.live = &pl.before // unless it changed something
	}
	if q.Version != 0 {
		out.live, err = caseAt(ctx, s.store, j.p.Tenant, kept.Case, q.Version)
	}
	if errors.Is(err, store.ErrVersionGone) {
		out.live, err = nil, nil
	}
	return out, err
}

// restore makes the plan of a past submission; nil: the journal lacks the case as it was.
func (s *Backtests) restore(
	ctx context.Context, j judge, q store.Question, kept *store.KeptSubmission, t definitions.TypeVersion,
) (*plan, error) {
	pl := &plan{
		p: j.p, typ: t.Type, maker: j.p.Sight(), at: q.At, work: casetype.Budget(ctx), random: s.submissions.random,
		in: Submission{
			Type: q.Type, Transition: q.Transition, IgnoreWarning: kept.IgnoreWarning, HeedWarnings: kept.HeedWarnings,
			dry: true, operates: access.RunBacktest,
		},
	}
	if kept.Version != 0 {
		before, err := caseAt(ctx, s.store, j.p.Tenant, kept.Case, kept.Version)
		if errors.Is(err, store.ErrVersionGone) {
			return nil, nil
		}
		if err != nil {
			return nil, err
		}
		pl.before, pl.in.CaseID = *before, kept.Case
		pl.before.Revision, pl.before.StateSince, pl.before.NameSet = kept.Revision, kept.StateSince, kept.NameSet
	}
	set, err := casetype.Decode(kept.Set)
	if err != nil {
		return nil, err
	}
	for _, name := range kept.Cleared {
		set[name] = nil
	}
	pl.after = pl.before
	pl.after.Tenant, pl.after.ID, pl.after.Type, pl.after.TypeVersion = q.Tenant, kept.Case, q.Type, kept.TypeVersion
	pl.after.Data = casetype.Merge(pl.before.Data, set)
	pl.after.State, pl.after.Name, pl.after.NameSet, pl.after.Classification =
		kept.State, kept.Name, kept.NameSet, kept.Class
	pl.after.ModifiedAt = q.At
	if pl.creates() {
		pl.after.Version, pl.after.Revision, pl.after.CreatedAt, pl.after.StateSince = 1, 1, q.At, q.At
	}
	var ok bool
	if pl.tr, ok = t.Type.Transition(q.Transition); !ok {
		return nil, nil
	}
	return pl, nil
}

// judgeOne asks about one submission.
func (s *Backtests) judgeOne(ctx context.Context, j judge, past *pastSubmission) (BacktestOutcome, error) {
	select {
	case s.asking <- struct{}{}:
		defer func() { <-s.asking }()
	case <-ctx.Done():
		return BacktestOutcome{}, ctx.Err()
	}
	pl, out := past.plan, past.BacktestOutcome
	err := pl.retype(j)
	if err == nil {
		err = s.submissions.questioner.askAll(ctx, pl, j.ask)
	}
	if err != nil {
		out.Refusal = fault.As(err)
		if ctx.Err() != nil || out.Refusal.Kind == fault.Internal || out.Refusal.Kind == fault.Unavailable {
			return out, err
		}
		out.Failed = noVerdict(out.Refusal.Code)
	}
	return past.compare(out)
}

// retype has a past submission judged by another definition, as far as that takes no callback.
func (pl *plan) retype(j judge) error {
	if j.with == nil {
		return nil
	}
	pl.from, pl.typ = pl.typ, j.with
	tr, _ := j.with.Transition(j.key)
	pl.tr = tr
	if only := tr.To.Only(); only != "" {
		pl.after.State = only
	}
	if err := pl.compute(); err != nil {
		return err
	}
	invalid, err := pl.invalid()
	if err != nil {
		return err
	}
	if invalid = pl.readable(invalid); len(invalid) > 0 {
		return fault.In("case.data_invalid", pl.unfitDetail(invalid), invalid...)
	}
	pl.rename()
	return pl.conditions()
}

// noVerdict reports whether a code says that a callback gave no usable answer, or was not asked.
func noVerdict(code string) bool {
	return callback.IsFailure(code) || code == callback.CodeCancelled || code == codeHeld
}

// compare compares what would come of a submission with what was submitted, and with what came of it.
func (past *pastSubmission) compare(out BacktestOutcome) (BacktestOutcome, error) {
	pl, was := past.plan, past.Live.Code
	if out.Failed {
		return out, nil
	}
	saves, saved := out.Refusal == nil, past.live != nil
	refused := strings.HasPrefix(was, "callback.") && !noVerdict(was)
	var err error
	if saves {
		if out.Changes, err = pl.differences(past.submitted, pl.after); err != nil {
			return out, err
		}
	}
	switch {
	case saves && saved:
		out.Against, err = pl.differences(*past.live, pl.after)
		out.Disagrees = len(out.Against.Changes) > 0
	case saved, saves && refused:
		out.Disagrees = true
	}
	return out, err
}

// differences lists the fields, and the state, in which two contents of a case differ, as the caller may see them.
func (pl *plan) differences(a, b cases.Case) (store.KeptChanges, error) {
	a.Name, a.Color, b.Name, b.Color = "", "", "", ""
	changes, err := cases.ClassifiedChanges(a, b, pl.typ)
	if err != nil {
		return store.KeptChanges{}, err
	}
	old := pl.old()
	changes = slices.DeleteFunc(changes, func(c event.Change) bool {
		class := old.Classification(strings.TrimPrefix(c.Path, "data/"))
		return !pl.p.Sight().SeesClass(c.Class) || !pl.p.Sight().Sees(class)
	})
	if a.State != b.State {
		changes = slices.Insert(changes, 0, event.Change{
			Path:   "state",
			Before: json.RawMessage(strconv.Quote(a.State)),
			After:  json.RawMessage(strconv.Quote(b.State)),
		})
	}
	return bounded(changes), nil
}
