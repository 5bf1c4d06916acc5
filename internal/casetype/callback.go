package casetype

import "slices"

// The names of the callbacks that belong to no transition. No transition can have such a key.
const (
	SwitchCallback = "@switch"
	DeleteCallback = "@delete"
)

// TypeSecret takes the place of a callback's name for the secret that all callbacks of a type share.
const TypeSecret = "@type"

// Callback is one of a type's callbacks.
type Callback struct {
	Name     string // the key of its transition, SwitchCallback or DeleteCallback
	Settings *CallbackSettings
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

// Guarded reports whether something may refuse the transition, or the data decide where it leads: a role, a required
// field, a precondition, a callback or the condition of a target.
func (tr Transition) Guarded() bool {
	return tr.Roles != nil || len(tr.Required) > 0 || tr.Precondition.Condition != "" || tr.AboutToSubmit != nil ||
		tr.Conditional()
}

// Passage is a guarded transition, and the states to which it has to lead to count.
type Passage struct {
	Transition Transition
	To         []string
}

// passages are the guarded transitions to several states.
type passages []Passage

// add adds a transition to a state.
func (p *passages) add(tr Transition, to string) {
	i := slices.IndexFunc(*p, func(known Passage) bool { return known.Transition.Key == tr.Key })
	if i < 0 {
		*p = append(*p, Passage{tr, []string{to}})
		return
	}
	(*p)[i].To = append((*p)[i].To, to)
}

// Guards lists the transitions whose guards a case has to pass when it enters a state without a transition. There
// are none if everybody may create a case in the state. Otherwise they are the guarded transitions to it and, unless
// people reach it without passing any guard, those that guard the states from which unguarded transitions lead to
// it. The result is false for a state that only a callback reaches.
func (t *Type) Guards(state string) ([]Passage, bool) {
	open := t.openStates()
	var guards passages
	seen := map[string]bool{}
	behind := []string{state}
	for len(behind) > 0 {
		to := behind[0]
		behind = behind[1:]
		if seen[to] {
			continue
		}
		seen[to] = true
		for _, tr := range t.Transitions {
			switch {
			case !tr.LeadsTo(to):
			case tr.Creates() && !tr.Guarded():
				return nil, true // the state itself; all others here are not open
			case tr.Guarded():
				guards.add(tr, to)
			case !open[to]:
				behind = append(behind, t.Origins(tr)...)
			}
		}
	}
	return guards, open[state] || len(guards) > 0
}

// Between lists the guarded transitions from one state to another, or none if one of the transitions has
// no guard.
func (t *Type) Between(from, to string) []Passage {
	var guards []Passage
	for _, tr := range t.Transitions {
		switch {
		case !tr.Starts(from) || !tr.LeadsTo(to) || from == to:
		case !tr.Guarded():
			return nil
		default:
			guards = append(guards, Passage{tr, []string{to}})
		}
	}
	return guards
}

// openStates returns the states that a case can reach without passing any guard.
func (t *Type) openStates() map[string]bool {
	open := map[string]bool{}
	for more := true; more; {
		more = false
		for _, tr := range t.Transitions {
			to := tr.To.Only()
			if to == "" || tr.Guarded() || open[to] {
				continue
			}
			if tr.Creates() || slices.ContainsFunc(t.Origins(tr), func(from string) bool { return open[from] }) {
				open[to], more = true, true
			}
		}
	}
	return open
}

// Callback finds the settings of a callback by its name.
func (d *Definition) Callback(name string) (CallbackSettings, bool) {
	for _, c := range d.Callbacks() {
		if c.Name == name {
			return *c.Settings, true
		}
	}
	return CallbackSettings{}, false
}
