package casework

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/casehook/casehook/internal/access"
	"github.com/casehook/casehook/internal/authz"
	"github.com/casehook/casehook/internal/callback"
	"github.com/casehook/casehook/internal/cases"
	"github.com/casehook/casehook/internal/casetype"
	"github.com/casehook/casehook/internal/definitions"
	"github.com/casehook/casehook/internal/event"
	"github.com/casehook/casehook/internal/fault"
	"github.com/casehook/casehook/internal/id"
	"github.com/casehook/casehook/internal/observe"
	"github.com/casehook/casehook/internal/outbound"
	"github.com/casehook/casehook/internal/store"
	"github.com/casehook/casehook/internal/weburl"
	"github.com/casehook/casehook/internal/wire"
)

// questioner asks the callbacks that a change has to pass.
type questioner struct {
	store       *store.Store
	guard       *authz.Guard
	definitions *definitions.Catalog
	tenants     Tenants
	callbacks   *callback.Client
	hold        bool // no callback is asked: a change that needs one is refused
	log         *slog.Logger
	tracer      *observe.Tracer
	types       *CaseTypes
	process     string
	shadows     *Shadows
}

func newQuestioner(c Config, types *CaseTypes) *questioner {
	return &questioner{
		store:       c.Store,
		guard:       c.Guard,
		definitions: c.Definitions,
		tenants:     c.Tenants,
		callbacks:   c.Callbacks,
		hold:        c.Hold,
		log:         c.Log,
		tracer:      c.Tracer,
		types:       types,
		process:     id.New("process"),
	}
}

// guard is a callback that a change has to pass.
type guard struct {
	casetype.CallbackSettings
	at      casetype.Point
	owner   string // the key of the type whose callback it is
	dialect casetype.Dialect
	typ     *casetype.Type          // by which the case asks it: the condition of asking is that version's
	maker   casetype.Classification // the clearance of the author of the version that configures it
	class   casetype.Classification // of that version, where it is not the one that the case works by; else empty

	elsewhere bool           // a dry run has another URL asked than that of a definition
	secret    secretOfDryRun // signs questions elsewhere
}

// guardsAt returns the guards of a version of a type at a point, in order; none where it has no callback there.
func guardsAt(
	t *casetype.Type, maker casetype.Classification, at casetype.Point, list casetype.CallbackList,
) (all []guard) {
	for _, settings := range list {
		at.Callback = settings.Key
		all = append(all,
			guard{CallbackSettings: settings, at: at, owner: t.Key, typ: t, dialect: t.Dialect, maker: maker})
	}
	return all
}

// submits is the point at which a submission of a transition, or an operation, is about to be saved.
func submits(name string) casetype.Point {
	return casetype.Point{Name: name, Question: casetype.AboutToSubmit}
}

// name is for messages: "kyc/submit", "kyc/submit (about_to_start)" or "kyc/submit (about_to_start, screening)".
func (g guard) name() string {
	name := g.owner + "/" + g.at.Name
	var more []string
	if g.at.Question != casetype.AboutToSubmit {
		more = append(more, string(g.at.Question))
	}
	if g.at.Callback != "" {
		more = append(more, g.at.Callback)
	}
	if len(more) == 0 {
		return name
	}
	return name + " (" + strings.Join(more, ", ") + ")"
}

// clearance returns the callback's clearance: that of the case type, and at most its author's. A callback of a
// definition is shown fields whatever roles may read them; one elsewhere what its caller sees.
func (g guard) clearance() casetype.Classification {
	clearance := g.maker
	if g.Clearance != "" {
		clearance = clearance.AtMost(g.Clearance)
	}
	if g.elsewhere {
		return clearance
	}
	return clearance.WithAllRoles()
}

// outcome says what a failure of the callback means for the change.
func (g guard) outcome() string {
	if g.at.Question == casetype.Submitted {
		return "the change was saved before"
	}
	return "nothing was saved"
}

// ask asks the guards of a change one after the other; each sees the change as the previous one has left it. The
// client's key is claimed first. No transaction is open meanwhile.
func (s *questioner) ask(ctx context.Context, pl *plan, once authz.Once, guards []guard) error {
	if err := s.configure(ctx, pl, guards); err != nil {
		return err
	}
	if err := s.claimFor(ctx, pl, once, guards); err != nil {
		return err
	}
	if err := s.askAll(ctx, pl, guards); err != nil {
		return err
	}
	return pl.judgeAgain()
}

// configure replaces the settings of the guards by those of the type's newest version, so that a moved URL or
// another timeout counts for running cases. Among several callbacks of a point, the same is the one with the same
// key. Two kinds of callbacks keep the settings of the case's own version: one that the newest version lacks, since
// no guard may vanish from cases because a definition was put, and one whose newest settings are not cleared for the
// case, since their author may not know of such cases, which would be stuck. The settings hold for all attempts of
// this question.
func (s *questioner) configure(ctx context.Context, pl *plan, guards []guard) error {
	if pl.creates() || len(guards) == 0 {
		return nil // a new case works by the newest version anyway
	}
	newest, err := s.definitions.At(ctx, s.store, pl.p.Tenant, pl.before.Type, 0)
	if err != nil {
		return err
	}
	for i, g := range guards {
		ask, ok := newest.Type.Callback(g.at)
		if !ok || g.owner != newest.Type.Key {
			continue
		}
		ask.When = g.When // a guard vanishes from no running case
		g.CallbackSettings, g.dialect, g.maker = ask, newest.Type.Dialect, newest.Clearance
		g.class = newest.Type.Definition.Classification
		if g.clearance().Sees(pl.after.Classification) {
			guards[i] = g
		}
	}
	return nil
}

// claimFor claims the client's key for the longest time that the guards may take.
func (s *questioner) claimFor(ctx context.Context, pl *plan, once authz.Once, guards []guard) error {
	if len(guards) == 0 {
		return nil
	}
	var budget time.Duration
	for _, g := range guards {
		budget += time.Duration(g.Budget)
	}
	return s.guard.Claim(ctx, pl.p, once, budget)
}

// askAll asks the guards. The client's key is claimed for their time.
func (s *questioner) askAll(ctx context.Context, pl *plan, guards []guard) error {
	if len(guards) == 0 {
		return nil
	}
	ctx, span := s.tracer.Step(ctx, "ask")
	defer span.End()
	for _, g := range guards {
		answer, answered, err := s.askOne(ctx, pl, g)
		if err != nil {
			return err
		}
		if !answered {
			continue
		}
		before := pl.after
		err = pl.apply(g, answer)
		if err == nil {
			err = s.does(ctx, pl, g, answer.More)
		}
		if err != nil {
			pl.noteUnfit(err)
			s.logUnfit(ctx, question{pl, g, *pl.callback}, err)
			return err
		}
		if err := pl.noteChanges(before); err != nil {
			return err
		}
	}
	return nil
}

// askOne asks a callback. It reports false where its condition is not true, or where the callback failed and the
// failure is waived; an answer that refuses the change is an error.
func (s *questioner) askOne(ctx context.Context, pl *plan, g guard) (answer wire.Answer, answered bool, err error) {
	if wanted, err := s.wanted(ctx, pl, g); !wanted {
		return answer, false, err
	}
	if s.hold {
		return answer, false, callbackHeld(g)
	}
	pl.asked = true
	q, err := s.question(ctx, pl, g)
	if err != nil {
		s.logFailure(ctx, question{pl, g, event.Callback{URL: g.URL}}, err, false)
		return answer, false, err
	}
	highestShown, asked := pl.highestShown(g), s.guard.Now()
	reply, err := s.callbacks.Ask(ctx, q)
	answer, record := reply.Answer, reply.Record
	if highestShown != casetype.Public {
		record.Class = string(highestShown)
	}
	if g.class != casetype.Public {
		record.URLClass = string(g.class)
	}
	record.Key, record.WhenClass = g.at.Callback, g.whenClass()
	record.Listener = reply.Answerer != nil && reply.Answerer.Listener
	reply.Record = record
	pl.questions = append(pl.questions, pl.asks(g, q, reply, asked))
	record.Earlier, pl.callback = pl.callback, &record
	if err != nil {
		goesOn := waived(q.Settings, err)
		s.logFailure(ctx, question{pl, g, record}, err, goesOn)
		if !goesOn {
			return answer, false, err
		}
		return answer, false, nil
	}
	s.logIgnored(ctx, question{pl, g, record})
	s.shadow(ctx, pl, g, q, reply)
	pl.context = mergeClientContext(pl.context, reply.Context)
	return answer, true, pl.verdict(g, answer, highestShown, pl.in.IgnoreWarning || ignoresWarnings(q.URL))
}

const codeHeld = "callback.held"

// callbackHeld refuses a change that needs a callback. No failure policy waives it: the callback has not failed.
func callbackHeld(g guard) error {
	e := fault.New(fault.Unavailable, codeHeld,
		"The server was started with --hold, so it does not ask the callback of %s. Nothing was saved; the operator "+
			"has to restart the server without --hold.", g.name())
	e.RetryAfter = time.Minute
	return e
}

// question is a question to a callback as the log describes it: the change that asks, the callback, and the record of
// its answer.
type question struct {
	plan   *plan
	guard  guard
	record event.Callback
}

// logFailure logs that a callback did not answer.
func (s *questioner) logFailure(ctx context.Context, q question, err error, goesOn bool) {
	consequence := q.guard.outcome()
	if goesOn {
		consequence = "its failure policy is ignore, so that the change goes on"
	}
	s.warnOf(ctx, q, "a callback failed: "+consequence,
		"code", fault.As(err).Code,
		"failure", cmp.Or(q.record.Failure, fault.As(err).Detail),
		"cause", outbound.Cause(err))
}

// logUnfit logs that the answer of a callback can't be carried out. Such a callback needs
// repair, whatever people submit.
func (s *questioner) logUnfit(ctx context.Context, q question, err error) {
	unfit := fault.As(err)
	if !strings.HasPrefix(unfit.Code, "callback.") {
		return // ours, or the request has ended
	}
	var paths []string
	for _, f := range unfit.Fields[:min(len(unfit.Fields), maxUnfitLogged)] {
		paths = append(paths, strings.ToValidUTF8(f.Path[:min(len(f.Path), maxPathLogged)], ""))
	}
	s.warnOf(ctx, q, "a callback's answer can't be used: nothing was saved",
		"code", unfit.Code, "failure", unfit.Detail, "fields", paths)
}

// The bounds of the fields that the log names of an answer; it has no values.
const (
	maxUnfitLogged = 10
	maxPathLogged  = 200 // bytes
)

// logIgnored logs the keys of an answer that are ignored: an answer with error in place of
// errors accepts the change, although its author meant to refuse it.
func (s *questioner) logIgnored(ctx context.Context, q question) {
	if len(q.record.IgnoredKeys) == 0 {
		return
	}
	var hints []string
	for _, key := range q.record.IgnoredKeys {
		if known := wire.NearestKey(key, wire.AnswerKeys(q.guard.dialect, q.guard.at.Question)); known != "" {
			hints = append(hints, key+" -> "+known)
		}
	}
	s.warnOf(ctx, q, "a callback's answer has keys that are not documented: they are ignored",
		"ignored_keys", q.record.IgnoredKeys, "did_you_mean", hints)
}

// warnOf logs a warning about a question to a callback.
func (s *questioner) warnOf(ctx context.Context, q question, message string, details ...any) {
	s.log.WarnContext(ctx, message, append([]any{
		"tenant", q.plan.p.Tenant,
		"case", q.plan.after.ID,
		"case_type", q.guard.owner,
		"transition", q.guard.at.Name,
		"question", q.guard.at.Question,
		"callback", q.guard.at.Callback,
		"url", weburl.WithoutQuery(q.record.URL),
		"webhook_id", q.record.WebhookID,
		"attempts", q.record.Attempts,
		"duration_ms", q.record.DurationMS,
	}, details...)...)
}

// waived reports whether the failure policy waives an error: a callback that
// gave no answer, but not a submission that was given up, nor an answer that carries
// errors.
func waived(ask casetype.CallbackSettings, err error) bool {
	return !errors.Is(err, callback.ErrRefuses) && ask.FailurePolicy == casetype.Ignore &&
		callback.IsFailure(fault.As(err).Code)
}

func ignoresWarnings(rawURL string) bool {
	u, err := url.Parse(rawURL)
	return err == nil && u.Query().Get("ignore-warning") == "true"
}

// question prepares the question to a callback.
func (s *questioner) question(ctx context.Context, pl *plan, g guard) (callback.Question, error) {
	q := callback.Question{
		Tenant: pl.p.Tenant, Settings: g.CallbackSettings, Name: g.name(), Type: g.owner, Transition: g.at.Name,
		Dialect: g.dialect, Question: g.at.Question, Page: g.at.Page, Callback: g.at.Callback,
		Context: pl.context, WebhookID: pl.webhookID(g), Case: pl.after.ID, DryRun: pl.in.dry, Elsewhere: g.elsewhere,
	}
	lookup, err := s.tenants.Variables(ctx, pl.p.Tenant)
	if err != nil {
		return q, err
	}
	if q.URL, err = casetype.ExpandURL(q.Settings.URL, lookup); err != nil {
		return q, fault.Wrap(err, fault.Upstream, callback.CodeFailed,
			"The callback of %s can't be asked; %s. %s", q.Name, g.outcome(), fault.As(err).Detail)
	}
	if g.elsewhere {
		q.Keys, q.Seeds = g.secret.keys, g.secret.seeds
	} else if q.Keys, q.Seeds, err = s.types.keysOfCallback(ctx, pl.p.Tenant, g.owner, g.at.Name); err != nil {
		return q, fault.Wrap(err, fault.Internal, "internal",
			"The callback of %s has no secret to sign with. Put the case type again: that creates one.", q.Name)
	}
	if q, err = s.identify(ctx, pl, g, q); err != nil {
		return q, err
	}
	after, visible := pl.after.As(g.clearance(), pl.typ)
	if !visible {
		return q, fault.New(fault.Upstream, callback.CodeFailed,
			"The callback of %s can't be asked: it is cleared for %s, and the case is %s; %s. Raise the clearance in the "+
				"case type's %s.",
			q.Name, cmp.Or(g.clearance().Plain(), "nothing"), pl.after.Classification, g.outcome(), g.at.Question)
	}
	var before *wire.CallbackCase
	if !pl.creates() {
		if c, visible := pl.before.As(g.clearance(), pl.old()); visible {
			before = shown(c, pl.old())
		}
	}
	if q.Pull, err = s.pull(ctx, pl, g); err != nil {
		return q, err
	}
	q.Body, err = wire.EncodeQuestion(wire.Asked{
		Dialect:       g.dialect,
		Question:      g.at.Question,
		Transition:    g.at.Name,
		IgnoreWarning: pl.in.saidOfWarnings(),
		Before:        before,
		Now:           *shown(after, pl.typ),
		Operation:     pl.operation,
	})
	return q, err
}

// pull says who may pull the question, where workers do: those who are cleared for all that the callback may be told,
// since they answer in its name.
func (s *questioner) pull(ctx context.Context, pl *plan, g guard) (*callback.Pull, error) {
	class := casetype.Higher(pl.highestTold(g), pl.caseClass(g))
	listener, err := s.listener(ctx, pl, g, class)
	return &callback.Pull{Store: s.store, OtherType: pl.otherType(g), Class: class, Listener: listener}, err
}

// listener returns the submitter, if their machine answers the question in place of the URL: it listens, and they may
// put the next version of the case type, with another URL. Empty: it does not.
func (s *questioner) listener(
	ctx context.Context, pl *plan, g guard, class casetype.Classification,
) (access.Owner, error) {
	p := pl.p
	unseen := !p.Sight().Sees(class) || class.Limited() && p.Role != access.Admin // as for workers
	if g.elsewhere || p.Owner() == "" || !p.Role.Permits(access.PutCaseType) || unseen {
		return "", nil
	}
	listens, err := s.store.Listens(ctx, p.Tenant, p.Owner())
	if err != nil || !listens {
		return "", err
	}
	newest, err := s.definitions.At(ctx, s.store, p.Tenant, g.owner, 0)
	if err != nil {
		return "", err
	}
	refused := authz.LeftOut(p, access.PutCaseType, newest.Type)
	if refused != nil || len(aboveClearance(newest.Type, p.Sight()))+len(aboveClearance(pl.typ, p.Sight())) > 0 {
		return "", nil
	}
	return p.Owner(), nil
}

// identify adds the credentials of the question, and who asks.
func (s *questioner) identify(
	ctx context.Context, pl *plan, g guard, q callback.Question,
) (_ callback.Question, err error) {
	if g.dialect == casetype.CCD {
		q.UserID, q.UserRoles = userID(pl.p), pl.typ.RolesOf(pl.p.RoleNames())
	}
	if !g.elsewhere {
		at := store.CallbackRef{Tenant: pl.p.Tenant, CaseType: g.owner, Callback: g.at.Name}
		q.Credentials, err = s.types.credentialsFor(ctx, at, q.URL)
	}
	return q, err
}

// userID returns the id of the user who submits, or that of the token.
func userID(p access.Principal) string {
	if p.Actor.UserID != 0 {
		return strconv.FormatInt(p.Actor.UserID, 10)
	}
	return p.Actor.TokenID
}

// highestShown returns the highest classification of the data that the callback is
// shown. Its messages may repeat that data.
func (pl *plan) highestShown(g guard) casetype.Classification {
	return casetype.Higher(
		pl.old().HighestIn(pl.old().Shown(pl.before.Data, g.clearance())),
		pl.typ.HighestIn(pl.typ.Shown(pl.after.Data, g.clearance())))
}

// shown returns the case as the callback may see it, in the form of questions.
func shown(c cases.Case, t *casetype.Type) *wire.CallbackCase {
	return &wire.CallbackCase{
		ID: c.ID, Type: c.Type, Jurisdiction: t.Jurisdiction, CreatedAt: c.CreatedAt, ModifiedAt: c.ModifiedAt,
		StateSince: c.StateSince, State: c.State, Revision: c.Revision,
		Classification: string(c.Classification), Data: c.Data, Classifications: t.Classifications(c.Data),
	}
}
