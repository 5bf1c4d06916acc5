package casetype

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"

	"github.com/casehook/casehook/internal/expression"
	"github.com/casehook/casehook/internal/fault"
	"github.com/casehook/casehook/internal/yaml"
)

// Every stands for every state in a transition's from, and for the state that a case is in as a target.
const Every = "*"

// Origins are the states in which a transition may be submitted; Every alone is all of them.
type Origins []string

// MarshalJSON writes Every as a text.
func (o Origins) MarshalJSON() ([]byte, error) {
	if o.all() {
		return yaml.JSON(Every)
	}
	return yaml.JSON([]string(o))
}

// UnmarshalJSON reads a list, or a text: Every.
func (o *Origins) UnmarshalJSON(raw []byte) error {
	var every string
	if json.Unmarshal(raw, &every) == nil {
		*o = Origins{every}
		return nil
	}
	return json.Unmarshal(raw, (*[]string)(o))
}

func (o Origins) all() bool { return slices.Equal(o, Origins{Every}) }

// Target is a state to which a transition leads, perhaps under a condition.
type Target struct {
	When  string `json:"when,omitempty"` // in CEL; empty: always
	State string `json:"state"`          // Every: the case stays
}

// Targets are the states to which a transition leads: the first whose condition is true. Only the last has no
// condition. None: the case stays.
type Targets []Target

// MarshalJSON writes a single target as the key of its state.
func (t Targets) MarshalJSON() ([]byte, error) {
	if len(t) == 1 && t[0].When == "" {
		return yaml.JSON(t[0].State)
	}
	return yaml.JSON([]Target(t))
}

// UnmarshalJSON reads the key of a state, or a list of targets.
func (t *Targets) UnmarshalJSON(raw []byte) error {
	var state string
	if json.Unmarshal(raw, &state) == nil {
		*t = Targets{{State: state}}
		return nil
	}
	return json.Unmarshal(raw, (*[]Target)(t))
}

// States lists the states to which a case may be brought, each once, in order of priority.
func (t Targets) States() (states []string) {
	for _, target := range t {
		if target.State != Every && !slices.Contains(states, target.State) {
			states = append(states, target.State)
		}
	}
	return states
}

// Only returns the state if there is one target; empty: there is none, or they depend on conditions.
func (t Targets) Only() string {
	if len(t) != 1 {
		return ""
	}
	return t[0].State
}

// Conditional reports whether the data of a case decides where the transition leads.
func (tr Transition) Conditional() bool { return len(tr.To) > 1 }

// MayStay reports whether the transition may leave a case in its state.
func (tr Transition) MayStay() bool {
	return len(tr.To) == 0 || slices.ContainsFunc(tr.To, func(t Target) bool { return t.State == Every })
}

// LeadsTo reports whether the transition may bring a case to the state.
func (tr Transition) LeadsTo(state string) bool { return slices.Contains(tr.To.States(), state) }

// StartsEverywhere reports whether the transition may be submitted in every state.
func (tr Transition) StartsEverywhere() bool { return tr.From.all() }

// Origins lists the states of the type in which a transition may be submitted.
func (t *Type) Origins(tr Transition) []string {
	if !tr.From.all() {
		return tr.From
	}
	all := make([]string, len(t.States))
	for i, s := range t.States {
		all[i] = s.Key
	}
	return all
}

// Target returns the state in which a transition leaves a case. Else the error is a *fault.Error of kind Unprocessable
// for people with the clearance: a condition can't be computed, since data are missing or the definition is wrong.
func (t *Type) Target(key string, in Input, clearance Classification) (string, error) {
	return t.Evaluation(in, nil).Target(key, clearance)
}

// Target is [Type.Target] for the evaluation's input.
func (e *Evaluation) Target(key string, clearance Classification) (string, error) {
	tr, ok := e.typ.Transition(key)
	if !ok {
		return "", fault.New(fault.NotFound, "transition.not_found", "%s has no transition %q.", e.typ.Key, key)
	}
	state := e.in.State
	var spent uint64
	for i, target := range tr.To {
		if program := e.typ.targets[key][i]; program != nil {
			if err := e.Spend(key, stepsOfCondition); err != nil {
				return "", err
			}
			isTrue, cost, err := program.EvaluateCost(e.prepared())
			_ = e.work.Spend(int(cost)) // an overrun stops the next evaluation
			if spent += cost; err == nil && spent > maxCost {
				err = errTargetsCost
			}
			if err != nil {
				return "", e.undetermined(tr, target, program, err, clearance)
			}
			if !isTrue {
				continue
			}
		}
		if target.State != Every {
			state = target.State
		}
		break
	}
	return state, nil
}

var errTargetsCost = fmt.Errorf("cost limit of all targets exceeded")

// undetermined returns the error for a target whose condition can't be computed.
func (e *Evaluation) undetermined(
	tr Transition, target Target, program *expression.Program, cause error, clearance Classification,
) error {
	const code = "case.target_undetermined"
	t := e.typ
	if !t.MayReveal(clearance, target.When) {
		return fault.Wrap(cause, fault.Unprocessable, code,
			"Where the transition %q leads depends on data that are missing. Complete the data first.", tr.Key)
	}
	u := unmetCondition{tr: tr, err: cause, read: t.fieldsRead(program, "data."),
		before: t.fieldsRead(program, "before.")}
	if !u.lacksData() {
		return fault.Wrap(cause, fault.Unprocessable, "transition.target_error",
			"Where the transition %q leads can't be determined: the condition of its target %q can't be evaluated "+
				"(%s). Ask the case type's maintainer to correct it.", tr.Key, target.State, cause)
	}
	u.missing = e.in.missing(u.read)
	if len(u.missing) == 0 {
		return fault.Wrap(cause, fault.Unprocessable, code,
			"Where the transition %q leads depends on: %s. A part of it is not set. Complete the data first.",
			tr.Key, list(t.titlesOf(append(u.read, u.before...))))
	}
	return unset(fault.Wrap(cause, fault.Unprocessable, code, "%s", Needs(tr, t.titlesOf(u.missing))), u.missing)
}

// targetsOf returns a transition's targets as they are written.
func targetsOf(tr map[string]any) []map[string]any {
	if state, ok := tr["to"].(string); ok {
		return []map[string]any{{"state": state}}
	}
	var all []map[string]any
	for _, item := range items(tr["to"]) {
		all = append(all, object(item))
	}
	return all
}

// leadsFrom lists the states in which a transition may be submitted as it is written, of those that there are.
func leadsFrom(tr map[string]any, states []string) []string {
	if tr["from"] == Every {
		return states
	}
	return texts(tr["from"])
}

// leadsTo lists the states to which a transition may bring a case as it is written.
func leadsTo(tr map[string]any) (states []string) {
	for _, target := range targetsOf(tr) {
		if state := text(target["state"]); state != "" && state != Every {
			states = append(states, state)
		}
	}
	return states
}

// checkTargets checks the states to which a transition leads, and that exactly the last target has no condition.
func (c *checker) checkTargets(tr map[string]any, path string, known func(at string, v any)) {
	if state, ok := tr["to"].(string); ok {
		if state == Every {
			c.fault(path, `is "*", which stands for the state that the case is in: leave to out`)
			return
		}
		known(path, state)
		return
	}
	all := targetsOf(tr)
	for i, target := range all {
		at := pointer(path, strconv.Itoa(i))
		switch state := text(target["state"]); {
		case state != Every:
			known(at+"/state", state)
		case tr["from"] == nil:
			c.fault(at+"/state", `is "*", which stands for the state that the case is in: a new case has none`)
		}
		switch last := i == len(all)-1; {
		case last && target["when"] != nil:
			c.fault(at+"/when", "is the condition of the last target: end the list with {state: ...}, where the "+
				"transition leads when no condition is true")
		case !last && target != nil && target["when"] == nil:
			c.fault(at, "has no when, so that the targets behind it are never taken: give it one, or put it last")
		}
	}
	if len(all) > 0 && len(c.wrong) == 0 && tr["from"] != nil && len(leadsTo(tr)) == 0 {
		c.fault(path, "leads nowhere, whatever is true: leave to out")
	}
}

// compileTargets compiles the conditions of a transition's targets.
func (c *checker) compileTargets(tr map[string]any, path string, keys []string) {
	all := targetsOf(tr)
	programs := make([]*expression.Program, len(all))
	for i, target := range all {
		programs[i] = c.compile(tr, text(target["when"]), pointer(path, "to", strconv.Itoa(i), "when"),
			condition{targetLanguage(), keys})
	}
	c.targets[text(tr["key"])] = programs
}
