package casework

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/casehook/casehook/internal/access"
	"github.com/casehook/casehook/internal/authz"
	"github.com/casehook/casehook/internal/cases"
	"github.com/casehook/casehook/internal/casetype"
	"github.com/casehook/casehook/internal/definitions"
	"github.com/casehook/casehook/internal/event"
	"github.com/casehook/casehook/internal/fault"
	"github.com/casehook/casehook/internal/id"
	"github.com/casehook/casehook/internal/input"
	"github.com/casehook/casehook/internal/observe"
	"github.com/casehook/casehook/internal/schema"
	"github.com/casehook/casehook/internal/spelling"
	"github.com/casehook/casehook/internal/store"
	"github.com/casehook/casehook/internal/wire"
)

// Submissions are the transitions that people submit: they create, edit and move cases. It is safe
// for concurrent use.
type Submissions struct {
	store      *store.Store
	guard      *authz.Guard
	now        func() time.Time
	random     io.Reader
	log        *slog.Logger
	tracer     *observe.Tracer
	core       *core
	questioner *questioner
	types      *CaseTypes
}

func newSubmissions(c Config, core *core, questioner *questioner, types *CaseTypes) *Submissions {
	return &Submissions{
		store:      c.Store,
		guard:      c.Guard,
		now:        c.Guard.Now,
		random:     c.Random,
		log:        c.Log,
		tracer:     c.Tracer,
		core:       core,
		questioner: questioner,
		types:      types,
	}
}

// plan is a submission under way: the present case, and the case to save.
type plan struct {
	random   io.Reader // for ids of collections' items; nil: none are made
	p        access.Principal
	in       Submission
	typ      *casetype.Type
	from     *casetype.Type          // by which the case works until now; nil: by typ
	maker    casetype.Classification // the clearance of who put the type
	tr       casetype.Transition
	at       time.Time  // of the submission
	before   cases.Case // as persisted; on creation its State is empty and its Data nil
	after    cases.Case // the case to save
	saved    cases.Case // the case as it was saved, or as it is where nothing changed
	callback *event.Callback
	work     *schema.Budget // for validating data, all of it together
	asked    bool           // a callback was asked, which takes time
	partial  bool           // the data may lack what is required: it is not to be saved
	context  string         // Client-Context, as the client sent it and callbacks changed it
	computed []string       // the fields that rules have set
	ignored  []string       // warnings of rules and callbacks that were ignored, as the submitter may read them

	documents *documentRule       // nil: all are taken as they are
	questions []store.Question    // that were asked so far
	owed      *store.OwedQuestion // that is to be asked once the change is saved; nil: none
	more      more                // that callbacks do besides
	operation *wire.Operation     // outside the content, about which is asked; nil: it is none
}

// old returns the type by which the case works until now.
func (pl *plan) old() *casetype.Type {
	if pl.from != nil {
		return pl.from
	}
	return pl.typ
}

// guards lists the callbacks that a submission has to pass.
func (pl *plan) guards() []guard {
	return guardsAt(pl.typ, pl.maker, submits(pl.tr.Key), pl.tr.AboutToSubmit)
}

func (pl *plan) creates() bool { return pl.in.CaseID == 0 }

// Submit carries out a transition: it creates a case, edits it, or moves it.
func (s *Submissions) Submit(ctx context.Context, p access.Principal, in Submission, once authz.Once) (View, error) {
	if err := s.guard.Permit(ctx, p, in.operation()); err != nil {
		return View{}, err
	}
	var view View
	err := s.guard.Once(ctx, p, once, func() error {
		return authz.Retry("store.duplicate", func() (err error) { // the id of a new case was taken
			view, err = s.submit(ctx, p, in, once)
			return err
		})
	})
	return view, err
}

func (s *Submissions) submit(ctx context.Context, p access.Principal, in Submission, once authz.Once) (View, error) {
	ctx, span := s.tracer.Step(ctx, "submit")
	defer span.End()
	pl, err := s.plan(ctx, p, in)
	if err != nil {
		return View{}, err
	}
	var view View
	if err = s.questioner.ask(ctx, pl, once, pl.guards()); err == nil {
		err = s.questioner.holdsBack(ctx, pl)
	}
	if err == nil {
		view, err = s.commit(ctx, pl, once)
	}
	s.questioner.keepUnsaved(ctx, pl, err)
	if err == nil {
		view.Confirmation = s.questioner.confirm(ctx, pl)
		view.Context = pl.context
		s.amend(ctx, pl, once, view)
	}
	return view, err
}

// amend adds the confirmation to the answer that is stored for repetitions of the request. A failure is logged, not
// returned.
func (s *Submissions) amend(ctx context.Context, pl *plan, once authz.Once, view View) {
	if view.Confirmation == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), keepUnsavedWithin)
	defer cancel()
	if err := s.guard.Amend(ctx, pl.p, once, view); err != nil {
		s.log.ErrorContext(ctx, "the confirmation of a submission could not be stored for repetitions of its request",
			"tenant", pl.p.Tenant, "case", view.ID, "error", err)
	}
}

// plan makes the case to save, as far as that takes no callback.
func (s *Submissions) plan(ctx context.Context, p access.Principal, in Submission) (*plan, error) {
	pl, err := s.load(ctx, p, in)
	if err != nil {
		return nil, err
	}
	permit := func() error { return s.permitTransition(ctx, pl) }
	identify := func() error { return s.identify(ctx, pl) }
	conditions := func() error { return s.logConditionFault(ctx, pl, pl.conditions()) }
	for _, step := range []func() error{pl.startedAs, pl.choose, permit, pl.merge, identify, conditions} {
		if err := step(); err != nil {
			return nil, err
		}
	}
	return pl, nil
}

// load finds the case and the definition it works by. A new case works by the newest version.
func (s *Submissions) load(ctx context.Context, p access.Principal, in Submission) (*plan, error) {
	ctx, span := s.tracer.Step(ctx, "load")
	defer span.End()
	if err := checkClientContext(in.Context); err != nil {
		return nil, err
	}
	pl := &plan{p: p, in: in, at: s.now(), work: casetype.Budget(ctx), random: s.random, context: in.Context}
	pl.documents = s.core.documents.rule(ctx, p)
	if pl.creates() {
		return pl, s.startCase(ctx, pl)
	}
	var err error
	var t definitions.TypeVersion
	if pl.before, t, err = s.core.find(ctx, s.store, p, in.CaseID); err != nil {
		return nil, err
	}
	if pl.p, err = s.guard.PermitFound(ctx, p, in.operation(), pl.before); err != nil {
		return nil, err
	}
	if !in.IfRevision.Allow(pl.before.Revision) {
		return nil, versionConflict()
	}
	pl.typ, pl.maker, pl.after = t.Type, t.Clearance, pl.before
	return pl, nil
}

// startCase makes a new case.
func (s *Submissions) startCase(ctx context.Context, pl *plan) error {
	if !input.Word(pl.in.Type) {
		return definitions.Missing(pl.in.Type)
	}
	t, err := s.types.caseType(ctx, pl.p, pl.in.operation(), pl.in.Type, 0)
	if err != nil {
		return err
	}
	if !t.RetiredAt.IsZero() {
		return typeRetired(t.Type.Key)
	}
	pl.typ, pl.maker = t.Type, t.Clearance
	pl.p.OnCase = authz.AsCreator(t.Type)
	pl.after = cases.Case{
		Tenant: pl.p.Tenant, Type: t.Type.Key, TypeVersion: t.Version, Classification: t.Type.Definition.Classification,
		Version: 1, Revision: 1, CreatedAt: pl.at, StateSince: pl.at,
	}
	return nil
}

// choose finds the transition and checks that it may be submitted now.
func (pl *plan) choose() error {
	key := pl.in.Transition
	switch {
	case pl.in.Edit && pl.typ.Edit == "":
		return fault.New(fault.Forbidden, "case.no_edit",
			"Cases of %s can't be edited; submit one of their transitions.", pl.typ.Key)
	case pl.in.Edit:
		key = pl.typ.Edit
	case pl.creates() && key == "":
		all := pl.typ.Creations()
		if len(all) != 1 {
			return fault.In("case.transition_required",
				"The request names no transition. Send the one that creates the case: "+keys(all)+".",
				fault.Field{Path: "/transition", Message: "is missing"})
		}
		key = all[0].Key
	}
	var ok bool
	if pl.tr, ok = pl.typ.Transition(key); !ok {
		return fault.New(fault.NotFound, "transition.not_found", "%s has no transition %q%s.%s", pl.typ.Key, key,
			spelling.DidYouMean(key, transitionKeys(pl.typ.Transitions)), pl.possible())
	}
	switch {
	case pl.in.Start != nil && pl.in.Start.Transition != key:
		return StartMissing()
	case pl.creates() && !pl.tr.Creates():
		return fault.New(fault.Conflict, "case.transition_not_allowed",
			"The transition %q does not create a case; these do: %s.",
			key, keys(pl.typ.Creations()))
	case !pl.creates() && pl.tr.Creates() && len(pl.tr.From) == 0:
		return fault.New(fault.Conflict, "case.transition_not_allowed",
			"The transition %q creates a case and can't be submitted for one that exists.%s", key, pl.possible())
	case !pl.creates() && !pl.tr.Starts(pl.before.State):
		return fault.New(fault.Conflict, "case.transition_not_allowed",
			"The transition %q can't be submitted in the state %q.%s", key, pl.before.State, pl.possible())
	}
	return nil
}

// possible returns a sentence that lists the transitions that the state and the caller's role permit now.
func (pl *plan) possible() string {
	var all []casetype.Transition
	ofOthers := false
	for _, tr := range pl.typ.Transitions {
		starts := tr.Creates()
		if !pl.creates() {
			starts = tr.Starts(pl.before.State)
		}
		switch {
		case !starts:
		case pl.mayTake(tr):
			all = append(all, tr)
		default:
			ofOthers = true
		}
	}
	switch {
	case len(all) > 0 && pl.creates():
		return " To create a case, there are: " + keys(all) + "."
	case len(all) > 0:
		return fmt.Sprintf(" In the state %q, there are: %s.", pl.before.State, keys(all))
	case pl.creates():
		return ""
	case ofOthers:
		return fmt.Sprintf(" In the state %q, there is none that your role may submit.", pl.before.State)
	}
	return fmt.Sprintf(" In the state %q, there is none.", pl.before.State)
}

func keys(all []casetype.Transition) string { return listed(transitionKeys(all)) }

func transitionKeys(all []casetype.Transition) []string {
	names := make([]string, len(all))
	for i, tr := range all {
		names[i] = tr.Key
	}
	return names
}

// merge makes the case to save. Its error lists all faults of the submission: fields that may not be set, and values
// that do not fit.
func (pl *plan) merge() error {
	submitted := pl.submitted()
	chosen := pl.chosen(submitted)
	wrong := append(pl.typ.Disallowed(pl.tr, chosen, "/data", pl.p.Sight()), pl.notSettable(chosen)...)
	code, detail := "case.fields_not_allowed", fmt.Sprintf("The transition %q may not set all of this.", pl.tr.Key)
	known := pl.seen(submitted)
	looks := pl.relabel()
	pl.after.Data = casetype.Merge(pl.before.Data, known)
	if pl.creates() {
		pl.after.Data = pl.typ.Complete(pl.after.Data, known)
	}
	pl.after.State, pl.after.ModifiedAt = pl.before.State, pl.at
	if only := pl.tr.To.Only(); only != "" {
		pl.after.State = only
	}
	undetermined := pl.compute()
	invalid, err := pl.complete(pl.before.Data, false, pl.typ.Shown(pl.before.Data, pl.p.Sight()))
	if err != nil {
		return err
	}
	unfit := slices.Concat(looks.unfit, unfitNote(pl.in.Note), pl.readable(invalid))
	if len(unfit) > 0 || len(known) < len(submitted) {
		code, detail = "case.data_invalid", pl.unfitDetail(unfit)
	}
	if wrong = slices.Concat(wrong, looks.unset, unfit); len(wrong) == 0 {
		return undetermined
	}
	if pl.ofRules(wrong) {
		code, detail = "rule.data_invalid", "A rule of the case type computed values that do not fit it. Ask the case "+
			"type's maintainer to correct the rule."
	}
	return fault.In(code, detail, wrong...)
}

// complete sets ids, fills in documents, and lists the faults of the data to save, as [plan.settle] does of documents.
func (pl *plan) complete(before map[string]any, byCallback bool, seen ...map[string]any) ([]fault.Field, error) {
	if err := pl.identify(); err != nil {
		return nil, err
	}
	wrong, err := pl.settle(before, byCallback, seen...)
	if err != nil {
		return nil, err
	}
	invalid, err := pl.invalid()
	return append(wrong, invalid...), err
}

// identify sets the ids of items of collections that have none.
func (pl *plan) identify() (err error) {
	if pl.random == nil {
		return nil
	}
	pl.after.Data, err = pl.typ.Identify(pl.work, pl.after.Data, func() (string, error) { return id.UUID(pl.random) })
	return err
}

// submitted returns the submitted data without what changes nothing: fields that the transition or the caller may not
// set, with the value that the case has. Clients may send back all that they were shown. Fields that the caller does
// not see stay in it, and are refused whatever their value is: an answer must not tell whether a guess is right.
func (pl *plan) submitted() map[string]any {
	if pl.tr.Fields == nil && pl.typ.Access.Fields == nil {
		return pl.in.Data
	}
	data := maps.Clone(pl.in.Data)
	maps.DeleteFunc(data, func(name string, value any) bool {
		return !pl.mayChoose(name) && pl.typ.Shows(name, pl.p.Sight()) &&
			casetype.Equal(pl.before.Data[name], value)
	})
	return data
}

// mayChoose reports whether the transition and the caller's role may set a field.
func (pl *plan) mayChoose(name string) bool {
	listed := pl.tr.Fields == nil || slices.Contains(pl.tr.Fields, name)
	return listed && pl.maySetField(pl.typ, name)
}

// maySetField reports whether the caller's role may set a field of a type.
func (pl *plan) maySetField(t *casetype.Type, name string) bool {
	return pl.p.Among(t.Access.Setters(name, pl.creates()))
}

// notSettable lists the fields that the caller sees, and whose access leaves the caller's role out.
func (pl *plan) notSettable(data map[string]any) (wrong []fault.Field) {
	for _, name := range slices.Sorted(maps.Keys(data)) {
		if pl.typ.Shows(name, pl.p.Sight()) && !pl.maySetField(pl.typ, name) {
			wrong = append(wrong, notForRole(name, pl.p))
		}
	}
	return wrong
}

func notForRole(name string, p access.Principal) fault.Field {
	return fault.Field{
		Path: "/data/" + name, Message: fmt.Sprintf("may not be set by the role %s", authz.RoleNames(p.RoleNames())),
	}
}

// roles returns the lists of roles of which the submitter needs one each: those of the transition, and of its fields.
func (pl *plan) roles() [][]string {
	lists := [][]string{pl.tr.Roles, pl.typ.Access.States[pl.before.State].Update}
	if pl.typ.Access.Fields != nil {
		for name := range pl.chosen(pl.submitted()) {
			lists = append(lists, pl.typ.Access.Setters(name, pl.creates()))
		}
	}
	return lists
}

// seen returns those of some data whose fields the caller sees.
func (pl *plan) seen(data map[string]any) map[string]any {
	seen := maps.Clone(data)
	maps.DeleteFunc(seen, func(name string, _ any) bool { return !pl.typ.Shows(name, pl.p.Sight()) })
	return seen
}

// unfitDetail returns a sentence about the faults of data: the missing fields, as in transitions_blocked, and that
// there are more faults.
func (pl *plan) unfitDetail(unfit []fault.Field) string {
	const general = "The data does not fit the case type."
	lacking := pl.readable(pl.lacks(pl.tr))
	if len(lacking) == 0 {
		return general
	}
	missing := func(f fault.Field) bool {
		return slices.ContainsFunc(lacking, func(l fault.Field) bool { return l.Path == f.Path })
	}
	needs := pl.needs(pl.tr, lacking)
	if slices.ContainsFunc(unfit, func(f fault.Field) bool { return !missing(f) }) {
		return general + " " + needs
	}
	return needs
}

// labelFaults are the faults of the submitted name and colour: the transition may not set them, or they are invalid.
type labelFaults struct{ unset, unfit []fault.Field }

// relabel sets the submitted name and colour.
func (pl *plan) relabel() (wrong labelFaults) {
	mayNot := !pl.creates() && pl.tr.Key != pl.typ.Edit
	add := func(path, message string) {
		switch {
		case mayNot:
			wrong.unset = append(wrong.unset,
				fault.Field{Path: path, Message: "can only be set when a case is created or edited"})
		case message != "":
			wrong.unfit = append(wrong.unfit, fault.Field{Path: path, Message: message})
		}
	}
	c := &pl.after
	if pl.in.Name != nil {
		c.Name, c.NameSet = strings.TrimSpace(*pl.in.Name), strings.TrimSpace(*pl.in.Name) != ""
		add("/name", input.LineProblem(c.Name, input.MaxName))
	}
	if pl.in.Color != nil {
		c.Color = *pl.in.Color
		add("/color", colorProblem(c.Color))
	}
	return wrong
}

// identify draws the id of a new case, and names the case. Invalid submissions are refused before, and use up no
// number.
func (s *Submissions) identify(ctx context.Context, pl *plan) (err error) {
	switch {
	case pl.creates() && pl.in.dry && pl.typ.IDs == casetype.SequentialIDs: // it uses up no number
	case pl.creates():
		pl.after.ID, err = s.caseID(ctx, pl.p.Tenant, pl.typ)
	}
	pl.rename()
	return err
}

// caseID draws an id by the settings of the case type. All types of a tenant share one sequence, since the ids of its
// cases are unique. The id is drawn before the callback is asked, which sees it; if the case is refused then, the
// number is missing.
func (s *Submissions) caseID(ctx context.Context, tenant int64, t *casetype.Type) (int64, error) {
	if t.IDs == casetype.SequentialIDs {
		return s.store.Next(ctx, tenant, "ids/cases")
	}
	return id.Case(s.random)
}

// invalid lists the faults of the data to save. It returns an error if the request has ended.
func (pl *plan) invalid() ([]fault.Field, error) {
	wrong, err := pl.typ.Validate(pl.work, pl.after.Data, "/data")
	wrong = append(wrong, tooLarge(pl.after.Data)...)
	if pl.partial {
		return casetype.WithoutMissing(wrong), err
	}
	for _, lacking := range pl.lacks(pl.tr) {
		same := func(f fault.Field) bool { return f.Path == lacking.Path && f.Message == "is required" }
		if !slices.ContainsFunc(wrong, same) {
			wrong = append(wrong, lacking)
		}
	}
	return wrong, err
}

// lacks lists the required fields of a transition that would not be set.
func (pl *plan) lacks(tr casetype.Transition) (missing []fault.Field) {
	for _, name := range tr.Required {
		if pl.after.Data[name] == nil {
			missing = append(missing,
				fault.Field{Path: "/data/" + name, Message: fmt.Sprintf("is required to submit %q", tr.Name)})
		}
	}
	return missing
}

// rename names the case anew by its type's template, unless a person named it.
func (pl *plan) rename() {
	if pl.after.NameSet {
		return
	}
	pl.after.Name = pl.typ.FormatName(pl.after.Data, identity(pl.after, pl.typ))
}

// identity returns the values of a case that templates have besides its data.
func identity(c cases.Case, t *casetype.Type) casetype.Identity {
	state, _ := t.State(c.State)
	return casetype.Identity{ID: c.ID, Reference: c.Reference, Name: c.Name, State: state.Name}
}

// logConditionFault logs a condition that can't be computed although no data is missing, and returns the error.
func (s *Submissions) logConditionFault(ctx context.Context, pl *plan, err error) error {
	codes := []string{"transition.precondition_error", "transition.target_error", "rule.error"}
	if err != nil && slices.Contains(codes, fault.As(err).Code) {
		s.log.WarnContext(ctx, "a condition can't be computed: the case type needs correcting",
			"tenant", pl.p.Tenant,
			"case", pl.before.ID,
			"case_type", pl.typ.Key,
			"transition", pl.tr.Key,
			"code", fault.As(err).Code,
			"cause", fault.As(err).Err)
	}
	return err
}

// conditions computes the state to which the data lead, and checks the precondition. Its error comes before that of a
// target, whose condition may need the same data.
func (pl *plan) conditions() error {
	err := pl.lead()
	if unmet := pl.meets(pl.tr); unmet != nil {
		return unmet
	}
	return err
}

// lead computes the state to which the data lead. The conditions see the name that the case has in its old state.
func (pl *plan) lead() error {
	if !pl.tr.Conditional() {
		return nil
	}
	state, err := pl.typ.Target(pl.tr.Key, pl.input(), pl.p.Sight())
	if err == nil {
		pl.after.State = state
		pl.rename()
	}
	return err
}

// input returns the data that conditions see.
func (pl *plan) input() casetype.Input {
	return casetype.Input{
		Data: pl.after.Data, Before: pl.before.Data, State: pl.before.State, Name: pl.after.Name,
	}
}

// meets checks the required fields, the precondition and the rules of a transition.
func (pl *plan) meets(tr casetype.Transition) error {
	if missing := pl.readable(pl.lacks(tr)); len(missing) > 0 {
		return fault.In("case.data_invalid", pl.needs(tr, missing), missing...)
	}
	if err := pl.typ.Meets(tr.Key, pl.input(), pl.p.Sight()); err != nil {
		return err
	}
	return pl.judge(tr)
}

func versionConflict() error {
	return fault.New(fault.Conflict, "case.version_conflict",
		"The case changed meanwhile; nothing was saved. Load it again and repeat the change.")
}

// submitters names the roles that may submit a transition.
func (pl *plan) submitters(o access.Operation, tr casetype.Transition) string {
	return authz.RoleNames(access.Permitted(o, tr.Roles, pl.typ.Access.Read, pl.typ.Access.Write,
		pl.typ.Access.States[pl.before.State].Update))
}

// mayTake reports whether the roles of a transition, and of the state that the case is in, let the submitter submit it.
func (pl *plan) mayTake(tr casetype.Transition) bool {
	return pl.p.Among(tr.Roles) && pl.p.Among(pl.typ.Access.States[pl.before.State].Update)
}

// permitTransition checks the roles that a transition lists.
func (s *Submissions) permitTransition(ctx context.Context, pl *plan) error {
	if pl.mayTake(pl.tr) {
		return nil
	}
	of := authz.AboutType(pl.typ.Key, pl.typ.Definition.Classification)
	if !pl.creates() {
		of = authz.AboutCase(pl.before)
	}
	return s.guard.Deny(ctx, pl.p, pl.in.operation(), of, authz.Forbidden(
		"The role %q may not submit the transition %q; %s may.",
		pl.p.Role, pl.tr.Key, pl.submitters(pl.in.operation(), pl.tr)))
}

func (in Submission) operation() access.Operation {
	switch {
	case in.operates != "":
		return in.operates
	case in.dry:
		return access.DryRunTransition
	case in.CaseID == 0:
		return access.CreateCase
	case in.Edit:
		return access.EditCase
	}
	return access.SubmitTransition
}
