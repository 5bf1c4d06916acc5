package casetype

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/casehook/casehook/internal/expression"
	"github.com/casehook/casehook/internal/yaml"
)

// Warnings lists, ordered by line, what is allowed in a definition but probably not meant. A loaded
// definition has none.
func (t *Type) Warnings() Faults { return t.warnings }

// Unset lists the variables of callbacks' URLs that lookup does not find, each at its first place. The
// message follows the name of the variable.
func (t *Type) Unset(lookup func(name string) (string, bool), message string) (unset Faults) {
	told := map[string]bool{}
	for _, v := range t.variables {
		if _, ok := lookup(v.name); !ok && !told[v.name] {
			told[v.name] = true
			unset = append(unset, Fault{File: v.at.File, Line: v.at.Line, Path: v.at.Path,
				Message: fmt.Sprintf("${%s} %s", v.name, message)})
		}
	}
	return unset.ordered()
}

// variable is a variable at the start of a URL.
type variable struct {
	name string
	at   Fault // without a message
}

// warn adds a warning about something allowed but probably not meant.
func (c *checker) warn(path, message string, args ...any) {
	if c.stored || len(c.warnings) >= yaml.MaxFaults || !c.spend(100+len(path)) {
		return
	}
	c.warnings = append(c.warnings,
		Fault{Line: c.doc.PositionOf(path).Line, Path: path, Message: fmt.Sprintf(message, args...)})
}

// checkSense warns of states and transitions that no case can reach or leave. It needs a definition without unknown
// names.
func (c *checker) checkSense() {
	if c.stored || len(c.wrong) > 0 {
		return
	}
	transitions := items(c.root()["transitions"])
	states := c.stateKeys()
	reached := reachable(transitions, states)
	moves := slices.ContainsFunc(transitions,
		func(tr any) bool { return object(tr)["from"] != nil && object(tr)["to"] != nil })
	asks := slices.ContainsFunc(transitions, func(tr any) bool { return object(tr)["about_to_submit"] != nil })
	for i, state := range items(c.root()["states"]) {
		key, path := text(object(state)["key"]), pointer("", "states", strconv.Itoa(i))
		switch {
		case !reached[key] && asks:
			c.warn(path, "is a state to which no transition leads; only callbacks that divert a case bring one here")
		case !reached[key]:
			c.warn(path, "is a state that no case can reach: no transition leads to it from where cases begin")
		case moves && object(state)["final"] != true && !leaves(transitions, key) &&
			!leavesAny(transitions, key):
			c.warn(path, "is a state that no transition leads out of, and is not final: write "+
				"final: true if cases end here")
		case object(state)["final"] == true && leaves(transitions, key):
			c.warn(path+"/final",
				"is true of a state that a transition leads out of: leave it out if cases go on from here")
		}
	}
	for i, item := range transitions {
		tr, path := object(item), pointer("", "transitions", strconv.Itoa(i))
		starts := func(state any) bool { return reached[text(state)] }
		if from := items(tr["from"]); len(from) > 0 && !asks && !slices.ContainsFunc(from, starts) {
			c.warn(path+"/from", "lists only states that no case can reach, so that the transition can never be taken")
		}
		if strings.TrimSpace(conditionOf(tr)) == "false" {
			c.warn(path+"/precondition", "is never true, so that the transition can never be taken")
		}
		c.checkRoles(tr, path)
	}
}

// checkRoles warns if the roles of a transition leave only administrators.
func (c *checker) checkRoles(tr map[string]any, path string) {
	roles := c.rolesIn(tr["roles"])
	if len(roles) == 0 || slices.Contains(roles, "admin") {
		return // an empty list is one of roles that nobody has, which are told of
	}
	access := object(c.root()["access"])
	if i := slices.Index(texts(tr["roles"]), "viewer"); i >= 0 && len(roles) > 1 {
		c.warn(pointer(path, "roles", strconv.Itoa(i)),
			"may never submit a transition: viewers only read; leave it out")
	}
	mayWrite := func(role string) bool {
		if !slices.Contains(builtInRoles, role) {
			return true // whoever has it has one of these as well
		}
		in := func(list any) bool { return list == nil || slices.Contains(c.rolesIn(list), role) }
		return role != "viewer" && in(access["read"]) && in(access["write"])
	}
	if !slices.ContainsFunc(roles, mayWrite) {
		c.warn(path+"/roles", "lists only roles that may not write such cases: viewers, and those that access leaves "+
			"out; administrators alone can submit it")
	}
}

// conditionOf returns the condition of a transition in either of its forms.
func conditionOf(tr map[string]any) string {
	if own := object(tr["precondition"]); own != nil {
		return text(own["condition"])
	}
	return text(tr["precondition"])
}

func (c *checker) stateKeys() (keys []string) {
	for _, state := range items(c.root()["states"]) {
		keys = append(keys, text(object(state)["key"]))
	}
	return keys
}

// reachable returns the states that transitions bring cases to, of those that there are.
func reachable(transitions []any, states []string) map[string]bool {
	reached := map[string]bool{}
	for more := true; more; {
		more = false
		for _, item := range transitions {
			tr := object(item)
			starts := tr["from"] == nil ||
				slices.ContainsFunc(leadsFrom(tr, states), func(from string) bool { return reached[from] })
			for _, to := range leadsTo(tr) {
				if starts && !reached[to] {
					reached[to], more = true, true
				}
			}
		}
	}
	return reached
}

// leaves reports whether a transition that names a state leads out of it.
func leaves(transitions []any, state string) bool {
	return slices.ContainsFunc(transitions, func(item any) bool {
		tr := object(item)
		return slices.Contains(texts(tr["from"]), state) &&
			slices.ContainsFunc(leadsTo(tr), func(to string) bool { return to != state })
	})
}

// leavesAny reports whether a transition that starts in every state leads out of a state.
func leavesAny(transitions []any, state string) bool {
	return slices.ContainsFunc(transitions, func(item any) bool {
		tr := object(item)
		return tr["from"] == Every &&
			slices.ContainsFunc(leadsTo(tr), func(to string) bool { return to != state })
	})
}

var braced = regexp.MustCompile(`\{([A-Za-z0-9_][A-Za-z0-9_&()-]*)\}`)

// warnOfBraces warns if a template writes the braces of what was probably meant for a field.
func (c *checker) warnOfBraces(parts []part, path string) {
	for i, p := range parts {
		if found := braced.FindStringSubmatch(p.literal); found != nil && c.fieldSchemas()[found[1]] != nil {
			c.warn(path, "writes {%[1]s} as it is, since {{ stands for one brace: the field is written {%[1]s}, "+
				"with one brace on each side", found[1])
		}
		if i+1 == len(parts) || !strings.HasSuffix(p.literal, "$") || parts[i+1].placeholder == "" {
			continue
		}
		name := parts[i+1].placeholder
		if member, ok := c.data(nil).Member(name); ok && member.Kinds()&expression.NumberKind == 0 {
			c.warn(path, "writes a $ before %[1]s: the field is written {%[1]s}", name)
		}
	}
}
