package casework

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/casehook/casehook/internal/access"
	"github.com/casehook/casehook/internal/authz"
	"github.com/casehook/casehook/internal/cases"
	"github.com/casehook/casehook/internal/casetype"
	"github.com/casehook/casehook/internal/definitions"
	"github.com/casehook/casehook/internal/fault"
	"github.com/casehook/casehook/internal/input"
	"github.com/casehook/casehook/internal/schema"
	"github.com/casehook/casehook/internal/store"
)

// Switches moves cases to other types. It is safe for concurrent use.
type Switches struct {
	store       *store.Store
	guard       *authz.Guard
	now         func() time.Time
	definitions *definitions.Catalog
	core        *core
	questioner  *questioner
	random      io.Reader
}

// Switch is a request to move a case to another type.
type Switch struct {
	CaseID int64
	Type   string // another case type of the same kind, in its newest version
	Drop   bool   // drop the data that does not fit, instead of refusing
	// by default the state with the same key, else the one in which the type's only creation begins
	State      string
	IfRevision Revisions // the content revisions it may be based on; nil: whichever is current

	IgnoreWarning bool // the callbacks' warnings do not stop it
}

// SwitchType makes a case one of another type. Data is carried over where names
// and types agree. To the type that it has already nothing changes.
//
// A switch is no way around what guards a state: the case has to pass the roles,
// the preconditions and the callback of the transitions that lead to the state it
// goes on in, unless everybody may create a case there. The types that it leaves
// and enters may ask a callback about every switch.
func (s *Switches) SwitchType(ctx context.Context, p access.Principal, in Switch, once authz.Once) (View, error) {
	p, err := s.guard.PermitCase(ctx, p, access.SwitchType, in.CaseID)
	if err != nil {
		return View{}, err
	}
	if err := s.guard.PermitType(ctx, p, access.SwitchType, in.Type); err != nil && !errors.Is(err, fault.NotFound) {
		return View{}, err // a type that the caller may not read is refused like a missing one
	}
	var view View
	err = s.guard.Once(ctx, p, once, func() (err error) {
		view, err = s.switchType(ctx, p, in, once)
		return err
	})
	return view, err
}

func (s *Switches) switchType(ctx context.Context, p access.Principal, in Switch, once authz.Once) (View, error) {
	c, from, err := s.core.find(ctx, s.store, p, in.CaseID)
	if err != nil {
		return View{}, err
	}
	if !in.IfRevision.Allow(c.Revision) {
		return View{}, versionConflict()
	}
	if in.Type == c.Type {
		return s.unswitched(ctx, p, c, from.Type, once)
	}
	pl, err := s.switched(ctx, p, c, from, in)
	if err != nil {
		return View{}, err
	}
	var view View
	if err = s.passSwitch(ctx, pl, from, once); err == nil {
		view, err = s.saveSwitch(ctx, pl, once)
	}
	s.questioner.keepUnsaved(ctx, pl, err)
	return view, err
}

// unswitched answers a switch to the type that the case has.
func (s *Switches) unswitched(
	ctx context.Context, p access.Principal, c cases.Case, t *casetype.Type, once authz.Once,
) (view View, err error) {
	if view, err = s.core.view(ctx, s.store, p, c, t); err != nil {
		return View{}, err
	}
	return view, s.guard.Update(ctx, authz.NewMandate(p, access.SwitchType),
		func(tx *store.Tx) error { return s.guard.Keep(ctx, tx, p, once, view) })
}

// switched returns the case moved to the other type, before any guard is checked.
func (s *Switches) switched(
	ctx context.Context, p access.Principal, c cases.Case, from definitions.TypeVersion, in Switch,
) (*plan, error) {
	to, err := s.switchTarget(ctx, p, from.Type, in.Type)
	if err != nil {
		return nil, err
	}
	if !p.Among(from.Type.Access.States[c.State].Update) {
		return nil, s.guard.Deny(ctx, p, access.SwitchType, authz.AboutCase(c), authz.Forbidden(
			"The role %q may not change cases of %s in the state %q.", p.Role, from.Type.Key, c.State))
	}
	pl := &plan{
		p: p, in: Submission{CaseID: c.ID, IgnoreWarning: in.IgnoreWarning},
		typ: to.Type, from: from.Type, maker: to.Clearance, at: s.now(), before: c, after: c,
		work: casetype.Budget(ctx), random: s.random, documents: s.core.documents.rule(ctx, p),
	}
	after := &pl.after
	after.Type, after.TypeVersion, after.Classification, after.ModifiedAt = to.Type.Key, to.Version,
		to.Type.Definition.Classification, pl.at
	if after.State, err = switchState(to.Type, c.State, in.State); err != nil {
		return nil, err
	}
	if after.Data, err = carryOver(pl.work, to.Type, c.Data, in.Drop); err != nil {
		return nil, err
	}
	if err := pl.identify(); err != nil {
		return nil, err
	}
	pl.rename()
	return pl, nil
}

// passSwitch checks the guards of a switch: first those of the old type, and then those of the new one for the case as
// the old type's callbacks have left it.
func (s *Switches) passSwitch(ctx context.Context, pl *plan, from definitions.TypeVersion, once authz.Once) error {
	leaving, err := s.leaveGuards(ctx, pl, from)
	if err != nil {
		return err
	}
	if err := s.questioner.configure(ctx, pl, leaving); err != nil {
		return err
	}
	entering, err := s.arriveGuards(ctx, pl)
	if err != nil {
		return err
	}
	if err := s.questioner.claimFor(ctx, pl, once, slices.Concat(leaving, entering)); err != nil {
		return err
	}
	if err := s.questioner.askAll(ctx, pl, leaving); err != nil {
		return err
	}
	if len(leaving) > 0 { // they may have changed its state and data
		if entering, err = s.arriveGuards(ctx, pl); err != nil {
			return err
		}
	}
	return s.questioner.askAll(ctx, pl, entering)
}

// leaveGuards lists the callbacks of the old type that the switch has to pass.
func (s *Switches) leaveGuards(ctx context.Context, pl *plan, from definitions.TypeVersion) ([]guard, error) {
	dropping, err := s.dropGuards(ctx, pl, from)
	if err != nil || from.Type.Switch == nil {
		return dropping, err
	}
	leaving := guardsAt(from.Type, from.Clearance, submits(casetype.SwitchCallback), from.Type.Switch.AboutToSubmit)
	return append(leaving, dropping...), nil
}

// arriveGuards checks the roles and preconditions that guard the new state and the data that the case brings along. It
// returns the callbacks of the new type that it also has to pass.
func (s *Switches) arriveGuards(ctx context.Context, pl *plan) ([]guard, error) {
	left, err := s.stateLeft(ctx, pl)
	if err != nil {
		return nil, err
	}
	passed, err := s.enterGuards(ctx, pl, left)
	if err != nil {
		return nil, err
	}
	edit, ok := pl.typ.Transition(pl.typ.Edit)
	if ok && (edit.Starts(pl.after.State) || edit.Starts(left)) && len(pl.after.Data) > 0 {
		if err := s.bringsAs(ctx, pl, edit); err != nil {
			return nil, err
		}
		passed = append([]casetype.Transition{edit}, passed...)
	}
	if err := pl.roleMaySet(pl.typ, pl.after.Data); err != nil {
		return nil, err
	}
	if err := pl.maySet(passed); err != nil {
		return nil, err
	}
	var all []guard
	if pl.typ.Switch != nil {
		all = guardsAt(pl.typ, pl.maker, submits(casetype.SwitchCallback), pl.typ.Switch.AboutToSubmit)
	}
	for _, tr := range passed {
		all = append(all, guardsAt(pl.typ, pl.maker, submits(tr.Key), tr.AboutToSubmit)...)
	}
	return all, nil
}

// stateLeft returns the last state in which the case had the new type; empty: it never had. Entering the new type in
// any other state is a change of state.
func (s *Switches) stateLeft(ctx context.Context, pl *plan) (string, error) {
	e, err := s.store.LastAs(ctx, pl.p.Tenant, pl.before.ID, pl.typ.Key)
	if err != nil || e == nil {
		return "", err
	}
	return e.Snapshot.Case.State, nil
}

// enterGuards lists the transitions that guard the new state. If the case left the type in another state, those from
// there guard it too.
func (s *Switches) enterGuards(ctx context.Context, pl *plan, left string) ([]casetype.Transition, error) {
	guards, known := pl.typ.Guards(pl.after.State)
	for _, way := range pl.typ.Between(left, pl.after.State) {
		same := func(g casetype.Passage) bool { return g.Transition.Key == way.Transition.Key }
		if i := slices.IndexFunc(guards, same); i >= 0 {
			guards[i].To = way.To
		} else {
			guards = append(guards, way)
		}
	}
	if !known && !pl.asksAlways() {
		return nil, fault.In("case.switch_guarded",
			"The case would continue in a state that only a callback may set. Choose another state or another case "+
				"type.",
			fault.Field{
				Path:    "/type",
				Message: fmt.Sprintf("leads to the state %s, to which none of its transitions leads", pl.after.State),
			})
	}
	var asking []string
	passed := make([]casetype.Transition, len(guards))
	for i, way := range guards {
		tr := way.Transition
		passed[i] = tr
		if !pl.p.Among(tr.Roles) {
			return nil, s.guard.Deny(ctx, pl.p, access.SwitchType, authz.AboutCase(pl.before), authz.Forbidden(
				"The role %q may not bring a case of %s into the state %q: the transition %q guards it.",
				pl.p.Role, pl.typ.Key, pl.after.State, tr.Key))
		}
		if err := pl.meets(tr); err != nil {
			return nil, err
		}
		if err := pl.leads(way); err != nil {
			return nil, err
		}
		if len(tr.AboutToSubmit) > 0 {
			asking = append(asking, tr.Key)
		}
	}
	if len(asking) > 1 {
		return nil, fault.In("case.switch_guarded",
			"The case would continue in a state that several transitions guard with callbacks, and a switch can't "+
				"stand for them all. Choose another state or another case type.",
			fault.Field{
				Path: "/type",
				Message: fmt.Sprintf("leads to the state %s, which the transitions %s guard", pl.after.State,
					strings.Join(asking, ", ")),
			})
	}
	return passed, nil
}

// asksAlways reports whether the new type has a callback that is asked about every switch.
func (pl *plan) asksAlways() bool {
	return pl.typ.Switch != nil && pl.typ.Switch.AboutToSubmit.Always()
}

// leads checks that a transition which guards the new state would lead there with the data that the case brings along.
func (pl *plan) leads(way casetype.Passage) error {
	if !way.Transition.Conditional() {
		return nil
	}
	state, err := pl.typ.Target(way.Transition.Key, pl.input(), pl.p.Sight())
	if err != nil || slices.Contains(way.To, state) {
		return err
	}
	return fault.In("case.switch_guarded",
		"The case would continue in a state to which its data do not lead. Choose another state or another case type.",
		fault.Field{
			Path: "/type",
			Message: fmt.Sprintf("leads to the state %s, and the transition %s would not, with these data",
				pl.after.State, way.Transition.Key),
		})
}

// bringsAs checks that the data which the case brings along passes the guards of the new type's edit. Otherwise a
// caller who may not edit a case could do so by way of another type.
func (s *Switches) bringsAs(ctx context.Context, pl *plan, edit casetype.Transition) error {
	if !pl.p.Among(edit.Roles) {
		return s.guard.Deny(ctx, pl.p, access.SwitchType, authz.AboutCase(pl.before), authz.Forbidden(
			"The switch would bring data into a case of %s, and the role %q may not submit the transition %q; %s may.",
			pl.typ.Key, pl.p.Role, edit.Key, pl.submitters(access.SwitchType, edit)))
	}
	return pl.meets(edit)
}

// roleMaySet checks that the caller's role may set the fields that the case brings into a type, or leaves behind in it.
func (pl *plan) roleMaySet(t *casetype.Type, data map[string]any) error {
	var wrong []fault.Field
	for _, name := range slices.Sorted(maps.Keys(data)) {
		if !pl.maySetField(t, name) {
			wrong = append(wrong, notForRole(name, pl.p))
		}
	}
	if len(wrong) == 0 {
		return nil
	}
	return fault.In("case.switch_data", "The case has data that your role may not set in cases of "+t.Key+
		". Ask somebody with another role to switch it.", wrong...)
}

// maySet checks that people may set the data that the case brings along: by the transitions whose guards it passes, or
// where everybody may create a case. Fields that only callbacks set need a callback of the new type.
func (pl *plan) maySet(passed []casetype.Transition) error {
	if pl.asksAlways() {
		return nil
	}
	rest := maps.Clone(pl.after.Data)
	everybody := slices.DeleteFunc(pl.typ.Creations(), casetype.Transition.Guarded)
	for _, tr := range append(everybody, passed...) {
		if tr.AboutToSubmit.Always() {
			return nil // it is asked
		}
		maps.DeleteFunc(rest, func(name string, _ any) bool {
			return tr.Fields == nil ||
				slices.Contains(tr.Fields, name)
		})
	}
	var wrong []fault.Field
	for _, name := range slices.Sorted(maps.Keys(rest)) {
		wrong = append(wrong,
			fault.Field{Path: "/data/" + name, Message: "may be set only by callbacks of " + pl.typ.Key})
	}
	if len(wrong) == 0 {
		return nil
	}
	return fault.In("case.switch_data", "The case has data that only callbacks may set in cases of "+pl.typ.Key+
		". Clear it first, or let the case type ask a callback about switches.", wrong...)
}

// dropGuards checks that the fields which a switch drops may be cleared: that is an
// edit of the case as it is, and takes what guards it.
func (s *Switches) dropGuards(ctx context.Context, pl *plan, from definitions.TypeVersion) ([]guard, error) {
	dropped := map[string]any{}
	for name := range pl.before.Data {
		if _, kept := pl.after.Data[name]; !kept {
			dropped[name] = nil
		}
	}
	if len(dropped) == 0 {
		return nil, nil
	}
	edit, ok := from.Type.Transition(from.Type.Edit)
	if !ok || !edit.Starts(pl.before.State) {
		return nil, fault.New(fault.Forbidden, "case.no_edit",
			"The switch would drop data (%s), and the case can't be edited as it is. Submit one of its "+
				"transitions first.", strings.Join(slices.Sorted(maps.Keys(dropped)), ", "))
	}
	if !pl.p.Among(edit.Roles) {
		return nil, s.guard.Deny(ctx, pl.p, access.SwitchType, authz.AboutCase(pl.before), authz.Forbidden(
			"The switch would drop data, and the role %q may not submit the transition %q; %s may.",
			pl.p.Role, edit.Key, pl.submitters(access.SwitchType, edit)))
	}
	if wrong := from.Type.Disallowed(edit, dropped, "/data", pl.p.Sight()); len(wrong) > 0 {
		return nil, fault.In("case.fields_not_allowed",
			"The switch would drop data that an edit of the case may not change. Clear the listed fields by another "+
				"transition first.", wrong...)
	}
	if err := pl.roleMaySet(from.Type, dropped); err != nil {
		return nil, err
	}
	cleared := *pl
	cleared.typ, cleared.after.Data = from.Type, casetype.Merge(pl.before.Data, dropped)
	if err := cleared.meets(edit); err != nil {
		return nil, err
	}
	return guardsAt(from.Type, from.Clearance, submits(edit.Key), edit.AboutToSubmit), nil
}

// saveSwitch sets the numbers of the new type, and commits the case.
func (s *Switches) saveSwitch(ctx context.Context, pl *plan, once authz.Once) (view View, err error) {
	m := authz.NewMandate(pl.p, access.SwitchType)
	m.Waited = pl.asked
	err = s.guard.Update(ctx, m, func(tx *store.Tx) error {
		m.Concerns(pl.from)
		c := pl.after
		if err := renumber(ctx, tx, &c, pl.from, pl.typ); err != nil {
			return err
		}
		if !c.NameSet { // it may be made of the reference
			c.Name = pl.typ.FormatName(c.Data, identity(c, pl.typ))
		}
		c.ResolveStatus(pl.typ, pl.before.State, s.core.activity(pl.p))
		facts, err := cases.Updated(pl.before, c, pl.from, pl.typ, "")
		if err != nil {
			return err
		}
		newest, err := s.definitions.At(ctx, tx, c.Tenant, c.Type, 0)
		if err != nil {
			return err
		}
		if c, err = tx.UpdateIndexedCase(ctx, c, pl.typ, newest.Type); err != nil {
			return err
		}
		if err := tx.NameDocuments(ctx, c.Tenant, c.ID, pl.documentIDs(c.Data)); err != nil {
			return err
		}
		if err := s.core.record(ctx, tx, m, commit{c, pl.typ, pl.callback, facts}); err != nil {
			return err
		}
		if err := tx.AddQuestions(ctx, pl.kept(c, c.Version)); err != nil {
			return err
		}
		if view, err = s.core.view(ctx, tx, pl.p, c, pl.typ); err != nil {
			return err
		}
		return s.guard.Keep(ctx, tx, pl.p, once, view)
	})
	if err != nil {
		return View{}, err
	}
	return view, nil
}

// switchTarget finds the other type, which is of the same kind.
func (s *Switches) switchTarget(
	ctx context.Context, p access.Principal, from *casetype.Type, key string,
) (definitions.TypeVersion, error) {
	refuse := func(message string) error {
		return fault.In("case.switch_refused", "The case was not switched to this case type: see fields.",
			fault.Field{Path: "/type", Message: message})
	}
	if !input.Word(key) {
		return definitions.TypeVersion{}, refuse("is not the key of a case type")
	}
	to, err := s.definitions.At(ctx, s.store, p.Tenant, key, 0)
	switch {
	case errors.Is(err, fault.NotFound), err == nil && authz.Hides(p, to.Type):
		return to, refuse("is not the key of a case type")
	case err == nil && !p.Sight().Sees(casetype.Higher(from.Highest(), to.Type.Highest())):
		// Fields would be dropped, or shown to others, by somebody who does not see them.
		return to, refuse("or the case's own type has parts above your clearance; ask a user with a higher clearance")
	case err == nil && to.Type.Kind != from.Kind:
		return to, refuse(fmt.Sprintf("is of the kind %s, and the case of the kind %s", to.Type.Kind, from.Kind))
	case err == nil && !to.RetiredAt.IsZero():
		return to, typeRetired(key)
	}
	return to, err
}

// switchState says in which state of the other type the case goes on.
func switchState(to *casetype.Type, state, wanted string) (string, error) {
	refuse := func(message string) (string, error) {
		return "", fault.In("case.switch_state", "The case was not switched. Send the state in which it continues.",
			fault.Field{Path: "/state", Message: message})
	}
	only := ""
	if creations := to.Creations(); len(creations) == 1 {
		only = creations[0].To.Only()
	}
	if _, ok := to.State(state); ok {
		only = state
	}
	switch {
	case only != "" && wanted != "" && wanted != only:
		return refuse(fmt.Sprintf("can't be chosen: the case goes on in the state %s of %s", only, to.Key))
	case only != "":
		return only, nil
	case wanted == "":
		return refuse(fmt.Sprintf("is needed: %s has no state %s, and more than one way to begin", to.Key, state))
	}
	if _, ok := to.State(wanted); !ok {
		return refuse("is not a state of " + to.Key)
	}
	return wanted, nil
}

// carryOver returns the data as the other type takes it. Fields that do not fit are listed, or
// dropped if drop is set and dropping helps, which it does not for a missing required field. All
// that it takes is counted against one budget.
func carryOver(work *schema.Budget, to *casetype.Type, data map[string]any, drop bool) (map[string]any, error) {
	data = maps.Clone(data)
	for {
		wrong, err := to.Validate(work, data, "/data")
		if err != nil {
			return nil, err
		}
		if len(wrong) == 0 {
			return data, nil
		}
		drop = drop && work.Spend(0) == nil // what was not checked is not dropped
		dropped := false
		for _, f := range wrong {
			name := topName(f.Path)
			if _, there := data[name]; there && drop {
				delete(data, name)
				dropped = true
			}
		}
		if !dropped {
			return nil, fault.In("case.switch_data", "Not all of the case's data fits "+to.Key+
				". Change it first, or send drop: true to drop what does not fit; what is missing can't be dropped.",
				wrong...)
		}
	}
}

// topName is the field that a path into the data leads through.
func topName(path string) string {
	name, _, _ := strings.Cut(strings.TrimPrefix(path, "/data/"), "/")
	return strings.NewReplacer("~1", "/", "~0", "~").Replace(name)
}

// freeReference keeps the case's reference, or draws one that is not taken.
func freeReference(ctx context.Context, tx *store.Tx, c *cases.Case, to *casetype.Type) error {
	for range maxSkipped {
		taken, err := tx.ReferenceTaken(ctx, c.Tenant, to.Key, c.Reference)
		if err != nil || !taken {
			return err
		}
		if c.Reference, err = reference(ctx, tx, c.Tenant, to); err != nil {
			return err
		}
	}
	return noReference(to)
}

// reference draws the type's next reference. It may be taken.
func reference(ctx context.Context, tx *store.Tx, tenant int64, t *casetype.Type) (string, error) {
	seq, err := tx.Next(ctx, tenant, "reference/"+t.Key)
	return t.FormatReference(seq), err
}

// renumber keeps the case's reference unless the other type has given it away,
// and its outcome where both types produce the same.
func renumber(ctx context.Context, tx *store.Tx, c *cases.Case, from, to *casetype.Type) error {
	if err := freeReference(ctx, tx, c, to); err != nil {
		return err
	}
	return redraw(ctx, tx, c, from, to)
}

// redraw draws another outcome where the two definitions don't produce the same.
func redraw(ctx context.Context, tx *store.Tx, c *cases.Case, from, to *casetype.Type) (err error) {
	if from.Outcome == to.Outcome {
		return nil
	}
	if c.OutcomeInstance = 0; to.Outcome != "" {
		c.OutcomeInstance, err = tx.Next(ctx, c.Tenant, "outcome/"+to.Outcome)
	}
	return err
}
