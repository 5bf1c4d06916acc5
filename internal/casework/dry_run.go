package casework

import (
	"context"
	"io"
	"slices"
	"strings"

	"github.com/casehook/casehook/internal/access"
	"github.com/casehook/casehook/internal/authz"
	"github.com/casehook/casehook/internal/callback"
	"github.com/casehook/casehook/internal/cases"
	"github.com/casehook/casehook/internal/casetype"
	"github.com/casehook/casehook/internal/endpoint"
	"github.com/casehook/casehook/internal/event"
	"github.com/casehook/casehook/internal/fault"
	"github.com/casehook/casehook/internal/secrets"
	"github.com/casehook/casehook/internal/store"
	"github.com/casehook/casehook/internal/wire"
)

// DryRun is a submission that is checked, and asked about, but not carried out. About a case, one without a
// transition is a plain edit.
type DryRun struct {
	Submission
	URL    string // of a callback to ask in place of the transition's; empty: that one is asked, if there is one
	Secret string // signs the question to that URL, in the notation of Standard Webhooks; empty: a random one
	Place  string // the key of the callback, of several, whose place that URL takes; empty: the one that has none
}

// DryRunResult is what would come of a submission.
type DryRunResult struct {
	Refusal    *fault.Error      // nil: it would be saved
	Questions  []store.Question  // that were asked, in order, as the caller may see them
	NotAsked   []NotAsked        // the callbacks whose conditions are not true
	Warnings   []string          // that were ignored
	State      string            // in which the case would be; empty: it would not be saved
	Definition *casetype.Type    // by which the case would be saved
	Changes    store.KeptChanges // that would be saved, as the caller may see them
	More       wire.More         // that callbacks would do with the case besides
	Skipped    bool              // a callback was not asked, since the case type says so
}

// DryRun checks a submission, asks its callback and checks the answer, but saves nothing and tells nobody. A submission
// that is refused before a callback is asked fails with the same error as if it was carried out.
//
// Another URL is asked only for callers who may put the case type's next version, and is shown only what they see.
func (s *Submissions) DryRun(ctx context.Context, p access.Principal, in DryRun) (DryRunResult, error) {
	if err := s.guard.Permit(ctx, p, access.DryRunTransition); err != nil {
		return DryRunResult{}, err
	}
	if err := in.check(); err != nil {
		return DryRunResult{}, err
	}
	in.dry, in.Edit = true, in.CaseID != 0 && in.Transition == ""
	pl, err := s.plan(ctx, p, in.Submission)
	if err != nil {
		return DryRunResult{}, err
	}
	guards := pl.guards()
	if err := s.questioner.configure(ctx, pl, guards); err != nil {
		return DryRunResult{}, err
	}
	if in.URL != "" {
		if guards, err = s.elsewhere(ctx, pl, guards, in); err != nil {
			return DryRunResult{}, err
		}
	}
	return s.questioner.tryOut(ctx, pl, guards)
}

// check refuses a dry run that does not name either a case or a case type, or has a secret for no URL.
func (in DryRun) check() error {
	var wrong []fault.Field
	switch {
	case in.CaseID == 0 && in.Type == "":
		wrong = append(wrong, fault.Field{Path: "/case", Message: "is missing; for a creation, send type instead"})
	case in.CaseID != 0 && in.Type != "":
		wrong = append(wrong, fault.Field{Path: "/type", Message: "can't be sent together with case"})
	}
	if in.Secret != "" && in.URL == "" {
		wrong = append(wrong, fault.Field{Path: "/secret", Message: "can't be sent without callback"})
	}
	if in.Place != "" && in.URL == "" {
		wrong = append(wrong, fault.Field{Path: "/callback_key", Message: "can't be sent without callback"})
	}
	if len(wrong) > 0 {
		return fault.In("dry_run.invalid", "The submission was not tried out: see fields.", wrong...)
	}
	return nil
}

// tryOut asks the guards of a change that is not saved.
func (s *questioner) tryOut(ctx context.Context, pl *plan, guards []guard) (result DryRunResult, _ error) {
	result.Definition = pl.typ
	guards, result.Skipped = inDryRuns(guards)
	err := s.askAll(ctx, pl, guards)
	if err == nil {
		err = pl.judgeAgain()
	}
	if err == nil {
		result.State, result.More = pl.after.State, pl.more.answer()
		if result.Changes, err = pl.visibleChanges(); err != nil {
			return DryRunResult{}, err
		}
	} else if result.Refusal = fault.As(err); !ofCallback(result.Refusal) {
		return DryRunResult{}, err
	}
	result.NotAsked = pl.notAsked()
	for _, asked := range pl.questions {
		if !pl.p.Sight().Sees(asked.CaseClass) {
			continue
		}
		if result.Refusal != nil {
			asked.Code = result.Refusal.Code
		}
		result.Questions = append(result.Questions, redactQuestion(pl.p, asked))
	}
	if result.Refusal == nil {
		result.Warnings = pl.ignored
	}
	return result, nil
}

// inDryRuns returns the guards that may be asked in a dry run, and whether others may not.
func inDryRuns(guards []guard) (asked []guard, skipped bool) {
	for _, g := range guards {
		if g.elsewhere || g.DryRun != casetype.DryRunSkips {
			asked = append(asked, g)
		}
	}
	return asked, len(asked) < len(guards)
}

// visibleChanges returns the difference between the case as it is and as it would be saved, as the caller may see it.
func (pl *plan) visibleChanges() (store.KeptChanges, error) {
	changes, err := cases.ClassifiedChanges(pl.before, pl.after, pl.typ)
	return bounded(slices.DeleteFunc(changes, func(c event.Change) bool {
		return !pl.p.Sight().SeesClass(c.Class)
	})), err
}

// ofCallback reports whether a refusal is the doing of a callback, or of rules that its answer does not pass.
func ofCallback(refusal *fault.Error) bool {
	if strings.HasPrefix(refusal.Code, "rule.") { // of what a callback answered
		return true
	}
	return strings.HasPrefix(refusal.Code, "callback.") && refusal.Code != callback.CodeCancelled &&
		refusal.Code != codeHeld
}

// secretOfDryRun has the keys that sign a question in a dry run.
type secretOfDryRun struct{ keys, seeds [][]byte }

// elsewhere returns the guards with another URL than that of a definition in the place of one of them. It has the
// other settings of that callback.
func (s *Submissions) elsewhere(ctx context.Context, pl *plan, guards []guard, in DryRun) ([]guard, error) {
	if err := s.mayAskElsewhere(ctx, pl); err != nil {
		return nil, err
	}
	at, err := placeOf(guards, in.Place)
	if err != nil {
		return nil, err
	}
	if len(guards) == 0 {
		guards = make([]guard, 1)
	}
	g := &guards[at]
	key := g.at.Callback
	g.at, g.owner, g.dialect = submits(pl.tr.Key), pl.typ.Key, pl.typ.Dialect
	g.at.Callback = key
	g.typ, g.maker, g.class, g.elsewhere = pl.typ, pl.p.Sight(), "", true
	none := func(string) (string, bool) { return "", false }
	if g.URL, err = casetype.ExpandURL(in.URL, none); err != nil {
		return nil, notTriedOut("/callback", "is not the URL of a callback, without variables")
	}
	g.secret, err = s.secretElsewhere(in.Secret)
	return guards, err
}

// placeOf returns the place of the callback with a key among some, or of the only one.
func placeOf(guards []guard, key string) (int, error) {
	if key == "" && len(guards) < 2 {
		return 0, nil
	}
	var keys []string
	for i, g := range guards {
		if g.at.Callback == key {
			return i, nil
		}
		if g.at.Callback != "" {
			keys = append(keys, g.at.Callback)
		}
	}
	if len(keys) == 0 {
		return 0, notTriedOut("/callback_key", "is not known: the transition has no callback with a key")
	}
	return 0, notTriedOut("/callback_key", "is not the key of a callback of the transition: there are "+listed(keys))
}

func notTriedOut(path, message string) error {
	return fault.In("dry_run.invalid", "The submission was not tried out: see fields.",
		fault.Field{Path: path, Message: message})
}

// secretElsewhere returns the keys of a secret; of an empty one, a random key.
func (s *Submissions) secretElsewhere(text string) (secret secretOfDryRun, err error) {
	if text == "" {
		key := make([]byte, keyOfDryRun)
		_, err = io.ReadFull(s.random, key)
		secret.keys = [][]byte{key}
		return secret, err
	}
	kind, key, err := secrets.Parse("dry_run.invalid", text)
	if kind == endpoint.V1a {
		secret.seeds = [][]byte{key}
	} else {
		secret.keys = [][]byte{key}
	}
	return secret, err
}

// keyOfDryRun is the length of a random key, in bytes.
const keyOfDryRun = 32

// mayAskElsewhere refuses callers who may not put the next version of the case type.
func (s *Submissions) mayAskElsewhere(ctx context.Context, pl *plan) error {
	newest, err := s.core.definitions.At(ctx, s.store, pl.p.Tenant, pl.typ.Key, 0)
	if err != nil {
		return err
	}
	refused := authz.LeftOut(pl.p, access.PutCaseType, newest.Type)
	if !pl.p.Role.Permits(access.PutCaseType) {
		refused = authz.Forbidden("The role %q may not have another callback asked; %s may.", pl.p.Role,
			authz.RoleNames(access.Permitted(access.PutCaseType, newest.Type.Access.Read, newest.Type.Access.Write)))
	}
	if refused != nil {
		of := authz.AboutType(newest.Type.Key, newest.Type.Definition.Classification)
		return s.guard.Deny(ctx, pl.p, access.DryRunTransition, of, refused)
	}
	if len(aboveClearance(newest.Type, pl.p.Sight())) > 0 || len(aboveClearance(pl.typ, pl.p.Sight())) > 0 {
		return typeAbove(newest.Type.Key)
	}
	return nil
}
