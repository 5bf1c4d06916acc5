package casetype

import (
	"slices"
	"strconv"
	"strings"
)

// The names of the callbacks that belong to no transition. No transition can have such a key.
const (
	SwitchCallback  = "@switch"
	DeleteCallback  = "@delete"
	AssignCallback  = "@assign"  // a case gets an assignee, or has none any more
	LabelCallback   = "@label"   // a label is added or removed
	CommentCallback = "@comment" // a comment is added
)

// TypeSecret takes the place of a callback's name for the secret that all callbacks of a type share.
const TypeSecret = "@type"

// Question is a point of a change at which a callback is asked.
type Question string

// The questions, in the order in which they are asked.
const (
	AboutToStart  Question = "about_to_start"  // before a form is shown
	MidEvent      Question = "mid_event"       // when a page of it is left
	AboutToSubmit Question = "about_to_submit" // before a submission is saved
	Submitted     Question = "submitted"       // after it was
)

// Callback is one of a type's callbacks.
type Callback struct {
	Point
	Path     string // of its settings in the definition, a JSON Pointer
	Settings *CallbackSettings
}

// Point is a point at which a callback may be asked.
type Point struct {
	Name     string // the key of a transition, or the name of an operation's: SwitchCallback
	Question Question
	Page     string // the key of the page, of a MidEvent
	Callback string // the key of the callback, where several are asked there; empty: the one that has none
}

// Callbacks lists the callbacks of a definition.
func (d *Definition) Callbacks() (all []Callback) {
	add := func(list CallbackList, at Point, path string) {
		path += "/" + string(at.Question)
		for i := range list {
			one := Callback{at, path, &list[i]}
			if one.Callback = list[i].Key; len(list) > 1 {
				one.Path += "/" + strconv.Itoa(i)
			}
			all = append(all, one)
		}
	}
	for i := range d.Transitions {
		tr, path := &d.Transitions[i], "/transitions/"+strconv.Itoa(i)
		add(tr.AboutToStart, Point{Name: tr.Key, Question: AboutToStart}, path)
		for j, page := range tr.Pages {
			add(page.MidEvent, Point{Name: tr.Key, Question: MidEvent, Page: page.Key}, path+"/pages/"+strconv.Itoa(j))
		}
		add(tr.AboutToSubmit, Point{Name: tr.Key, Question: AboutToSubmit}, path)
		add(tr.Submitted, Point{Name: tr.Key, Question: Submitted}, path)
	}
	for _, o := range operations {
		add(d.OperationCallbacks("@"+o.key), Point{Name: "@" + o.key, Question: AboutToSubmit}, "/"+o.key)
	}
	return all
}

// CallbackNames lists the names of the callbacks. Callbacks of one name sign with the same secret.
func (d *Definition) CallbackNames() (names []string) {
	for _, c := range d.Callbacks() {
		if len(names) == 0 || names[len(names)-1] != c.Name { // those of one name follow each other
			names = append(names, c.Name)
		}
	}
	return names
}

// Guarded reports whether something may refuse the transition, or the data decide where it leads: a role, a required
// field, a precondition, a rule, a callback or the condition of a target.
func (tr Transition) Guarded() bool {
	return tr.Roles != nil || len(tr.Required) > 0 || tr.Precondition.Condition != "" ||
		len(tr.AboutToSubmit) > 0 || tr.Conditional() || slices.ContainsFunc(tr.Rules, Rule.judges)
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

// Callback finds the settings of the callback that is asked at a point.
func (d *Definition) Callback(at Point) (CallbackSettings, bool) {
	if strings.HasPrefix(at.Name, "@") && at.Question == AboutToSubmit {
		return d.OperationCallbacks(at.Name).Find(at.Callback)
	}
	tr, _ := find(d.Transitions, func(tr Transition) bool { return tr.Key == at.Name })
	return tr.callbacks(at).Find(at.Callback)
}

// callbacks returns the transition's callbacks at a point, whatever their keys.
func (tr Transition) callbacks(at Point) CallbackList {
	switch at.Question {
	case AboutToStart:
		return tr.AboutToStart
	case MidEvent:
		page, _ := tr.Page(at.Page)
		return page.MidEvent
	case AboutToSubmit:
		return tr.AboutToSubmit
	case Submitted:
		return tr.Submitted
	}
	return nil
}

// Page finds a page of a transition's form.
func (tr Transition) Page(key string) (Page, bool) {
	return find(tr.Pages, func(p Page) bool { return p.Key == key })
}

// dropBlankCallbacks removes the callbacks that have no URL: there is nobody to ask.
func (d *Definition) dropBlankCallbacks() {
	blank := func(s CallbackSettings) bool { return strings.TrimSpace(s.URL) == "" }
	drop := func(list *CallbackList) {
		if *list = slices.DeleteFunc(*list, blank); len(*list) == 0 {
			*list = nil
		}
	}
	for i := range d.Transitions {
		tr := &d.Transitions[i]
		drop(&tr.AboutToStart)
		drop(&tr.AboutToSubmit)
		drop(&tr.Submitted)
		for j := range tr.Pages {
			drop(&tr.Pages[j].MidEvent)
		}
	}
	for _, o := range operations {
		own := o.from(d)
		if *own == nil {
			continue
		}
		if drop(&(*own).AboutToSubmit); (*own).AboutToSubmit == nil {
			*own = nil
		}
	}
}
