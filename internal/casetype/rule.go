package casetype

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/casehook/casehook/internal/expression"
	"github.com/casehook/casehook/internal/fault"
	"github.com/casehook/casehook/internal/yaml"
)

// Rule judges submissions in the process, or computes fields of them. It has one of Refuse, Warn and Set.
type Rule struct {
	When    string            `json:"when,omitempty"`    // in CEL; it holds only if this is true; empty: always
	Refuse  string            `json:"refuse,omitempty"`  // in CEL; true: the submission is refused
	Warn    string            `json:"warn,omitempty"`    // in CEL; true: it is refused unless warnings are ignored
	Set     map[string]string `json:"set,omitempty"`     // by field: its value, in CEL; null clears it
	Message string            `json:"message,omitempty"` // of a refusal or warning
	Field   string            `json:"field,omitempty"`   // that the message is about; empty: none
}

// WithRule returns the type with one rule more of a transition, after its own, from YAML or JSON. The error is Faults, by
// their paths in the rule.
func (t *Type) WithRule(ctx context.Context, transition string, source []byte) (*Type, error) {
	read := yaml.Read(source, yaml.Options{})
	var faults Faults
	for _, f := range read.Faults {
		faults = append(faults, Fault{Line: f.Line, Path: f.Path, Message: f.Message})
	}
	if len(faults) > 0 {
		return nil, faults
	}
	var d map[string]any
	if err := json.Unmarshal(t.json, &d); err != nil {
		return nil, err
	}
	at := ""
	for i, item := range items(d["transitions"]) {
		tr := object(item)
		if text(tr["key"]) != transition {
			continue
		}
		own, _ := tr["rules"].([]any)
		at = pointer("", "transitions", strconv.Itoa(i), "rules", strconv.Itoa(len(own)))
		tr["rules"] = append(own, read.Value)
	}
	definition, err := yaml.JSON(d)
	if err != nil {
		return nil, err
	}
	with, err := ParseContext(ctx, "", definition)
	if !errors.As(err, &faults) {
		return with, err
	}
	for i := range faults {
		faults[i].Path = strings.TrimPrefix(faults[i].Path, at)
		faults[i].Line = read.PositionOf(faults[i].Path).Line
	}
	return nil, faults
}

// judges reports whether the rule may refuse a submission.
func (r Rule) judges() bool { return r.Refuse != "" || r.Warn != "" }

// compiledRule is a rule with its programs.
type compiledRule struct {
	Rule
	when  *expression.Program // nil: always
	judge *expression.Program // of Refuse or Warn; nil: it sets fields
	set   map[string]*expression.Program
}

// ruleLanguage is language for rules.
var ruleLanguage = sync.OnceValue(func() *expression.Language {
	return language().Otherwise("the submission is refused")
})

// joinRules puts the rules of the type before those of each transition.
func (d *Definition) joinRules() {
	if len(d.Rules) == 0 {
		return
	}
	for i := range d.Transitions {
		d.Transitions[i].Rules = slices.Concat(d.Rules, d.Transitions[i].Rules)
	}
}

// compileRules checks and compiles a list of rules of a transition.
func (c *checker) compileRules(v any, tr map[string]any, path string, states []string) (all []compiledRule) {
	of := condition{ruleLanguage(), states}
	for i, item := range items(v) {
		rule, at := object(item), pointer(path, strconv.Itoa(i))
		if rule == nil {
			continue
		}
		one := compiledRule{Rule: Rule{
			When: text(rule["when"]), Refuse: text(rule["refuse"]), Warn: text(rule["warn"]),
			Message: text(rule["message"]), Field: text(rule["field"]),
		}}
		c.checkRule(rule, one.Rule, at)
		one.when = c.compile(tr, one.When, at+"/when", of)
		switch {
		case one.Refuse != "":
			one.judge = c.compile(tr, one.Refuse, at+"/refuse", of)
		case one.Warn != "":
			one.judge = c.compile(tr, one.Warn, at+"/warn", of)
		}
		for name, source := range object(rule["set"]) {
			place := pointer(at, "set", name)
			c.checkFieldName(name, place)
			program := c.compileBy(of.language.CompileValueFor, tr, text(source), place, of)
			if program == nil {
				continue
			}
			if one.set == nil {
				one.set, one.Set = map[string]*expression.Program{}, map[string]string{}
			}
			one.set[name], one.Set[name] = program, text(source)
		}
		all = append(all, one)
	}
	return all
}

// checkRule checks that a rule does one thing, and has a message if it may refuse.
func (c *checker) checkRule(written map[string]any, rule Rule, at string) {
	does := 0
	for _, key := range []string{"refuse", "warn", "set"} {
		if written[key] != nil {
			does++
		}
	}
	switch {
	case does != 1:
		c.fault(at, "has %d of refuse, warn and set: a rule has one of them", does)
	case rule.judges() && rule.Message == "":
		c.fault(at, "has no message: write the one that people get")
	case !rule.judges() && (rule.Message != "" || rule.Field != ""):
		c.fault(at, "sets fields, which has no message: message and field belong to refuse and warn")
	}
	c.checkFieldName(rule.Field, at+"/field")
}

// ruleSets reports whether a rule of a transition, or of the type, sets a field.
func (c *checker) ruleSets(tr map[string]any, name string) bool {
	return slices.ContainsFunc(slices.Concat(items(c.root()["rules"]), items(tr["rules"])), func(rule any) bool {
		return object(object(rule)["set"])[name] != nil
	})
}

// errRulesCost is the error of rules that together cost more than a condition may.
var errRulesCost = errors.New("cost limit of all rules exceeded")

// ruleRun evaluates the rules of one transition.
type ruleRun struct {
	typ       *Type
	key       string
	in        Input
	clearance Classification // of the submitter
	spent     uint64
}

// Compute returns the data with the fields that the rules of a transition set, and the names of these. Else the error
// is a *fault.Error for people with the clearance.
func (t *Type) Compute(key string, in Input, clearance Classification) (map[string]any, []string, error) {
	run := ruleRun{typ: t, key: key, in: in, clearance: clearance}
	var set []string
	for _, rule := range t.rules[key] {
		if len(rule.set) == 0 {
			continue
		}
		values := t.Evaluation(run.in, nil).prepared()
		if holds, err := run.holds(rule, rule.when, values); err != nil || !holds {
			if err != nil {
				return nil, nil, err
			}
			continue
		}
		computed := map[string]any{}
		for _, name := range slices.Sorted(maps.Keys(rule.set)) {
			value, cost, err := rule.set[name].Value(values)
			if err = run.pay(cost, err); err != nil {
				return nil, nil, run.undetermined(rule, rule.set[name], err)
			}
			computed[name] = value
			set = append(set, name)
		}
		run.in.Data = Merge(run.in.Data, computed)
	}
	return run.in.Data, set, nil
}

// RuleVerdict has the messages of the rules that a submission does not pass.
type RuleVerdict struct {
	Errors, Warnings []string
	Fields           []fault.Field // of the errors and warnings that name one
}

// Judge evaluates the rules of a transition that refuse or warn. Messages that name fields above the clearance are
// replaced. Else the error is a *fault.Error for people with the clearance: a rule can't be computed.
func (t *Type) Judge(key string, in Input, clearance Classification) (verdict RuleVerdict, _ error) {
	run := ruleRun{typ: t, key: key, in: in, clearance: clearance}
	values := t.Evaluation(in, nil).prepared()
	for _, rule := range t.rules[key] {
		if rule.judge == nil {
			continue
		}
		holds, err := run.holds(rule, rule.when, values)
		if err == nil && holds {
			holds, err = run.holds(rule, rule.judge, values)
		}
		if err != nil {
			return RuleVerdict{}, err
		}
		if holds {
			verdict.add(rule.Rule, t.MayReveal(clearance, rule.texts()...))
		}
	}
	return verdict, nil
}

func (v *RuleVerdict) add(rule Rule, reveal bool) {
	message := rule.Message
	if !reveal {
		message = "A rule of the case type is not met."
	}
	if rule.Refuse != "" {
		v.Errors = append(v.Errors, message)
	} else {
		v.Warnings = append(v.Warnings, message)
	}
	if reveal && rule.Field != "" {
		v.Fields = append(v.Fields, fault.Field{Path: pointer("/data", rule.Field), Message: message})
	}
}

// texts lists the texts of a rule that may name fields.
func (r Rule) texts() []string {
	all := []string{r.When, r.Refuse, r.Warn, r.Message, r.Field}
	for name, source := range r.Set {
		all = append(all, name, source)
	}
	return all
}

// holds evaluates a condition of a rule; nil: it is true.
func (r *ruleRun) holds(rule compiledRule, program *expression.Program, values expression.Values) (bool, error) {
	if program == nil {
		return true, nil
	}
	isTrue, cost, err := program.EvaluateCost(values)
	if err = r.pay(cost, err); err != nil {
		return false, r.undetermined(rule, program, err)
	}
	return isTrue, nil
}

// pay adds the cost of an evaluation.
func (r *ruleRun) pay(cost uint64, err error) error {
	if r.spent += cost; err == nil && r.spent > maxCost {
		err = errRulesCost
	}
	return err
}

// undetermined returns the error of a rule that can't be computed: data are missing, or the rule is wrong.
func (r *ruleRun) undetermined(rule compiledRule, program *expression.Program, cause error) error {
	lacks := strings.HasPrefix(cause.Error(), "no such key")
	code := "rule.error"
	if lacks {
		code = "rule.undetermined"
	}
	if !r.typ.MayReveal(r.clearance, rule.texts()...) {
		return fault.Wrap(cause, fault.Unprocessable, code,
			"A rule of the transition %q can't be evaluated with the data as they are. Complete the data first.", r.key)
	}
	refusal := fault.Wrap(cause, fault.Unprocessable, code, "%s", fmt.Sprintf(
		"A rule of the transition %q can't be evaluated (%s). Complete the data, or ask the case type's maintainer to "+
			"correct the rule.", r.key, cause))
	if !lacks {
		return refusal
	}
	return unset(refusal, r.in.missing(r.typ.fieldsRead(program, "data.")))
}
