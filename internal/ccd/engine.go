package ccd

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// valueKind is the kind of values that a field has, for conditions.
type valueKind int

// The kinds.
const (
	noValue     valueKind = iota // there is no such field
	textValue                    // a text, or null
	numberValue                  // a number, or a text of digits
	otherValue                   // a list or an object, which equals no text
)

// scope is what a condition of the engine knows.
type scope struct {
	kind     func(path []string) valueKind
	metadata map[string]string // the values that are the same for all cases of the type: "[CASE_TYPE]"
}

// The conditions that don't depend on a case.
const (
	always = "true"
	never  = "false"
)

// inCEL returns the CEL of a condition as CCD's engine evaluates it, for states after an event and the conditions that
// enable events: always and never stand for themselves. In the engine a missing value differs from every text. The
// problems say what the engine does not evaluate as people who wrote it may think; the condition is then never true,
// or the comparison is with plain text.
func (s scope) inCEL(text string) (cel string, problems []string) {
	c, err := parseCondition(text)
	if err != nil {
		return never, []string{"is never true: it " + err.Error()}
	}
	mixed := slices.Contains(c.joints, joinsAll) && slices.Contains(c.joints, joinsSome)
	grouped := slices.ContainsFunc(c.operands, func(o operand) bool { return o.group != nil })
	holds := slices.ContainsFunc(c.atoms(), func(a atom) bool { return a.operator == contains })
	switch {
	case grouped:
		return never, []string{"is never true: the engine knows no brackets"}
	case mixed:
		return never, []string{"is never true: the engine knows only AND or only OR in one condition"}
	case holds:
		return never, []string{"is never true: the engine does not know CONTAINS"}
	}
	all := len(c.joints) == 0 || c.joints[0] == joinsAll
	var parts []string
	for _, a := range c.atoms() {
		part, problem := s.atom(a)
		if problem != "" {
			problems = append(problems, problem)
		}
		switch {
		case part == always && !all:
			return always, problems
		case part == never && all:
			return never, problems
		case part != always && part != never:
			parts = append(parts, part)
		}
	}
	switch {
	case len(parts) == 0 && all:
		return always, problems
	case len(parts) == 0:
		return never, problems
	case len(parts) == 1:
		return parts[0], problems
	}
	joint, inner := " && ", "||"
	if !all {
		joint, inner = " || ", "&&"
	}
	for i, part := range parts {
		if strings.Contains(part, inner) {
			parts[i] = "(" + part + ")"
		}
	}
	return strings.Join(parts, joint), problems
}

var inBrackets = regexp.MustCompile(`^\[[^\[\]]+\]$`)

// atom returns the CEL of a comparison.
func (s scope) atom(a atom) (cel, problem string) {
	if a.text != anyValue && strings.HasSuffix(a.text, "*") {
		problem = fmt.Sprintf("compares with %.60q, which the engine takes for a text that ends with *", a.text)
	}
	if inBrackets.MatchString(a.path) {
		return s.ofMetadata(a, problem)
	}
	path := strings.Split(a.path, ".")
	kind := s.kind(path)
	switch {
	case kind == noValue:
		return ifEqual(a, never), fmt.Sprintf("compares %.80s, which is no field, and so always missing", a.path)
	case kind == otherValue && a.text != anyValue:
		return ifEqual(a, never),
			fmt.Sprintf("compares %.80s, which is no text, and so differs from every text", a.path)
	}
	return compareField(a, path, kind), problem
}

// ofMetadata returns the CEL of a comparison of metadata.
func (s scope) ofMetadata(a atom, problem string) (string, string) {
	value, constant := s.metadata[a.path]
	switch {
	case a.path == "[STATE]" && a.text == anyValue:
		return ifEqual(a, always), problem
	case a.path == "[STATE]" && a.operator == equals:
		return "state == " + strconv.Quote(a.text), problem
	case a.path == "[STATE]":
		return "state != " + strconv.Quote(a.text), problem
	case constant && (value == a.text || a.text == anyValue):
		return ifEqual(a, always), problem
	case constant:
		return ifEqual(a, never), problem
	}
	return ifEqual(a, never),
		fmt.Sprintf("compares %.80s, which conditions can't see here, and so is always missing", a.path)
}

// ifEqual returns a constant for =, and the opposite for !=.
func ifEqual(a atom, constant string) string {
	if a.operator == equals {
		return constant
	}
	if constant == always {
		return never
	}
	return always
}

var (
	celName  = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)
	celWords = strings.Fields("true false null in as break const continue else for function if import let loop " +
		"package namespace return var void while")
)

// question is a part of a comparison, and its negation.
type question struct{ asked, denied string }

// compareField returns the CEL of a comparison of a field: it asks for each part of the path whether it is there.
func compareField(a atom, path []string, kind valueKind) string {
	var all []question
	value := "data"
	for i, name := range path {
		present, member := fmt.Sprintf("has(%s.%s)", value, name), value+"."+name
		if !celName.MatchString(name) || slices.Contains(celWords, name) {
			present, member = fmt.Sprintf("(%q in %s)", name, value), fmt.Sprintf("%s[%q]", value, name)
		}
		all = append(all, question{present, "!" + present})
		if value = member; i < len(path)-1 { // a blank object may be a text or null
			all = append(all, question{"type(" + value + ") == map", "type(" + value + ") != map"})
		}
	}
	if len(path) > 1 && (kind == numberValue || a.text == anyValue) {
		all = append(all, question{value + " != null", value + " == null"})
	}
	if kind == numberValue {
		value = "string(" + value + ")"
	}
	if a.text != anyValue {
		text := strconv.Quote(a.text)
		all = append(all, question{value + " == " + text, value + " != " + text})
	}
	var parts []string
	if a.operator == equals {
		for _, q := range all {
			parts = append(parts, q.asked)
		}
		return strings.Join(parts, " && ")
	}
	for _, q := range all {
		parts = append(parts, q.denied)
	}
	return strings.Join(parts, " || ")
}
