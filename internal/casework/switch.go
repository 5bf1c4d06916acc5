package casework

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strings"

	"github.com/casehook/casehook/internal/access"
	"github.com/casehook/casehook/internal/cases"
	"github.com/casehook/casehook/internal/casetype"
	"github.com/casehook/casehook/internal/fault"
	"github.com/casehook/casehook/internal/store"
)

// Switch is what somebody wants a case to be from now on.
type Switch struct {
	CaseID     int64
	Type       string    // another case type of the same kind, in its newest version
	Drop       bool      // drop the data that does not fit, instead of refusing
	State      string    // empty: the same key, else where the type's only creation leads
	IfRevision Revisions // the content revisions it may be based on; nil: whichever is current
}

// SwitchType makes a case one of another type. Data is carried over where names
// and types agree. To the type that it has already nothing changes.
func (s *Service) SwitchType(ctx context.Context, p access.Principal, in Switch, once Once) (View, error) {
	if err := s.permitCase(ctx, p, "switch-type", in.CaseID); err != nil {
		return View{}, err
	}
	if err := s.permitType(ctx, p, "switch-type", in.Type); err != nil {
		return View{}, err
	}
	var view View
	err := s.once(ctx, p, once, func() (err error) {
		view, err = s.switchType(ctx, p, in, once)
		return err
	})
	return view, err
}

func (s *Service) switchType(ctx context.Context, p access.Principal, in Switch, once Once) (View, error) {
	c, from, err := s.find(ctx, s.store, p, in.CaseID)
	if err != nil {
		return View{}, err
	}
	before := s.whole(c, from.Type)
	if !in.IfRevision.Allow(before.Revision) {
		return View{}, versionConflict()
	}
	after := before
	if in.Type != before.Type {
		if after, err = s.switched(ctx, p, before, in); err != nil {
			return View{}, err
		}
	}
	var view View
	err = s.store.Update(ctx, func(tx *store.Tx) error {
		if view, err = s.saveSwitch(ctx, tx, p, before, after); err != nil {
			return err
		}
		return s.keep(ctx, tx, p, once, view)
	})
	if err != nil {
		return View{}, err
	}
	return view, nil
}

// switched is the case as one of the other type, as far as the case alone says.
func (s *Service) switched(ctx context.Context, p access.Principal, v View, in Switch) (View, error) {
	to, err := s.switchTarget(ctx, p, v, in.Type)
	if err != nil {
		return v, err
	}
	v.Definition, v.Type, v.TypeVersion, v.Classification = to.Type, to.Key, to.Version, to.Definition.Classification
	if v.State, err = switchState(to.Type, v.State, in.State); err != nil {
		return v, err
	}
	v.Data, err = carryOver(to.Type, v.Data, in.Drop)
	return v, err
}

// saveSwitch gives the case the numbers and the name of its new type, and commits
// it. Where the type is the same, nothing has changed.
func (s *Service) saveSwitch(ctx context.Context, tx *store.Tx, p access.Principal, before, after View) (View, error) {
	if before.Type == after.Type {
		return s.view(p, before.Case, before.Definition)
	}
	c, now := after.Case, s.now()
	if err := renumber(ctx, tx, &c, before.Definition, after.Definition); err != nil {
		return after, err
	}
	if !c.NameSet {
		c.Name = after.Definition.FormatName(c.Data, identity(c, after.Definition))
	}
	c.ModifiedAt, c.LastActivityAt = now, now
	c.Settle(after.Definition, p.Actor.UserID, now)
	facts, err := cases.Updated(before.Case, c, before.Definition, after.Definition, "")
	if err != nil {
		return after, err
	}
	if c, err = tx.UpdateCase(ctx, c, after.Definition); err != nil {
		return after, err
	}
	if err := s.record(ctx, tx, p, c, after.Definition, nil, facts...); err != nil {
		return after, err
	}
	return s.view(p, c, after.Definition)
}

// switchTarget finds the other type, which is of the same kind.
func (s *Service) switchTarget(ctx context.Context, p access.Principal, v View, key string) (TypeVersion, error) {
	refuse := func(message string) error {
		return fault.In("case.switch_refused", "The case can't be switched to this case type.", fault.Field{Path: "/type", Message: message})
	}
	if !word(key) {
		return TypeVersion{}, refuse("is not the key of a case type")
	}
	to, err := s.typeAt(ctx, s.store, v.Tenant, key, 0)
	switch {
	case errors.Is(err, fault.NotFound), err == nil && !p.Clearance.Sees(to.Definition.Classification):
		return to, refuse("is not the key of a case type")
	case err == nil && !p.Clearance.Sees(casetype.Higher(v.Definition.Highest(), to.Highest())):
		// Fields would be dropped, or shown to others, by somebody who does not see them.
		return to, refuse("and the case's own type hold more than you are cleared for; ask somebody who is")
	case err == nil && to.Kind != v.Definition.Kind:
		return to, refuse(fmt.Sprintf("is of the kind %s, and the case of the kind %s", to.Kind, v.Definition.Kind))
	}
	return to, err
}

// switchState says in which state of the other type the case goes on.
func switchState(to *casetype.Type, state, wanted string) (string, error) {
	refuse := func(message string) (string, error) {
		return "", fault.In("case.switch_state", "Say in which state the case goes on.", fault.Field{Path: "/state", Message: message})
	}
	if wanted != "" {
		if _, ok := to.State(wanted); !ok {
			return refuse("is not a state of " + to.Key)
		}
		return wanted, nil
	}
	if _, ok := to.State(state); ok {
		return state, nil
	}
	if creations := to.Creations(); len(creations) == 1 {
		return creations[0].To, nil
	}
	return refuse(fmt.Sprintf("is needed: %s has no state %s, and more than one way to begin", to.Key, state))
}

// carryOver gives the data as the other type takes it. What does not fit is
// listed, or dropped where that helps; a required field that is missing does not
// get there by dropping.
func carryOver(to *casetype.Type, data map[string]any, drop bool) (map[string]any, error) {
	data = maps.Clone(data)
	for {
		wrong := to.Validate(data, "/data")
		if len(wrong) == 0 {
			return data, nil
		}
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
				". Change it first, or send drop: true to drop what does not fit; what is missing can't be dropped.", wrong...)
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

// renumber keeps the case's reference unless the other type has given it away,
// and its outcome where both types produce the same.
func renumber(ctx context.Context, tx *store.Tx, c *cases.Case, from, to *casetype.Type) error {
	err := freeReference(ctx, tx, c, to)
	if err != nil || from.Outcome == to.Outcome {
		return err
	}
	if c.OutcomeInstance = 0; to.Outcome != "" {
		c.OutcomeInstance, err = tx.Next(ctx, c.Tenant, "outcome/"+to.Outcome)
	}
	return err
}
