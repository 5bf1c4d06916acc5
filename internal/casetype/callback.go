package casetype

import "slices"

// The names of the callbacks that belong to no transition. A transition can't be
// called so.
const (
	SwitchCallback = "@switch"
	DeleteCallback = "@delete"
)

// Callback is one of a type's callbacks.
type Callback struct {
	Name string // the key of its transition, SwitchCallback or DeleteCallback
	Ask  *Ask
}

// Callbacks lists the callbacks of a definition.
func (d *Definition) Callbacks() []Callback {
	var all []Callback
	for _, tr := range d.Transitions {
		if tr.AboutToSubmit != nil {
			all = append(all, Callback{tr.Key, tr.AboutToSubmit})
		}
	}
	if d.Switch != nil {
		all = append(all, Callback{SwitchCallback, d.Switch.AboutToSubmit})
	}
	if d.Delete != nil {
		all = append(all, Callback{DeleteCallback, d.Delete.AboutToSubmit})
	}
	return all
}

// Guarded reports whether something may refuse the transition: a role, a
// precondition or a callback.
func (tr Transition) Guarded() bool {
	return tr.Roles != nil || tr.Precondition != "" || tr.AboutToSubmit != nil
}

// Guards lists the transitions whose guards a case has to pass that comes into a
// state without a transition. There are none where everybody may create a case in
// the state; else they are all the guarded transitions that lead to it.
func (t *Type) Guards(state string) []Transition {
	var guards []Transition
	for _, tr := range t.Transitions {
		switch {
		case tr.To != state:
		case tr.Creates() && !tr.Guarded():
			return nil
		case tr.Guarded():
			guards = append(guards, tr)
		}
	}
	return guards
}

// Asks reports whether the type has a callback of this name.
func (d *Definition) Asks(name string) bool {
	return slices.ContainsFunc(d.Callbacks(), func(c Callback) bool { return c.Name == name })
}
