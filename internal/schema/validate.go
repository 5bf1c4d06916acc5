package schema

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"unicode/utf8"
)

// validation is one run.
type validation struct {
	budget *Budget
	path   []token  // to the value that is being validated
	names  []string // of the objects around it, in their order
	found  []Complaint
	quiet  int // above 0: no complaints, only whether a value fits
	blank  bool
}

// token is one step of a path: a name, or an index.
type token struct {
	name  string
	index int // -1: a name
}

func (t token) String() string {
	if t.index < 0 {
		return t.name
	}
	return strconv.Itoa(t.index)
}

// spend stops the validation when the budget is spent.
func (v *validation) spend(steps int) { v.must(v.budget.Spend(steps)) }

func (v *validation) must(err error) {
	if err != nil {
		panic(&StopError{v.place(), err})
	}
}

// place returns the path, with room for another token.
func (v *validation) place() []string {
	path := make([]string, len(v.path), len(v.path)+1)
	for i, t := range v.path {
		path[i] = t.String()
	}
	return path
}

// silent reports whether further complaints are dropped, so that the first ends the validation of a value.
func (v *validation) silent() bool { return v.quiet > 0 || len(v.found) >= MaxComplaints }

// stepsOfComplaint is the cost of keeping a complaint.
const stepsOfComplaint = 40

// complain adds a complaint about the value.
func (v *validation) complain(message string, args ...any) *Complaint {
	if v.silent() {
		return &Complaint{}
	}
	v.spend(stepsOfComplaint + len(v.path))
	if len(args) > 0 {
		message = fmt.Sprintf(message, args...)
	}
	v.found = append(v.found, Complaint{Path: v.place(), Message: message})
	return &v.found[len(v.found)-1]
}

// complainOf adds a complaint about a member of the object.
func (v *validation) complainOf(name, message string, args ...any) *Complaint {
	c := v.complain(message, args...)
	c.Path = append(c.Path, name)
	return c
}

// more reports whether to go on with a value.
func (v *validation) more(fits bool) bool { return fits || !v.silent() }

// check validates a value and reports whether it fits. If the caller or the schema itself needs to know,
// it returns the parts of the value that no schema has described.
func (v *validation) check(n *node, value any, wanted bool) (bool, *remainder) {
	v.spend(2)
	if n.never {
		v.complain("must be absent")
		return false, nil
	}
	if !v.checkWhole(n, value) {
		return false, nil
	}
	rest := v.open(n, value, wanted)
	fits := n.ref == nil || v.same(n.ref, value, rest)
	if v.more(fits) {
		fits = v.checkByKind(n, value, rest) && fits
	}
	if n.branches != nil && v.more(fits) {
		fits = v.checkBranches(n.branches, value, rest) && fits
	}
	if rest != nil && v.more(fits) {
		fits = v.checkOpen(n, value, rest) && fits
	}
	return fits, rest
}

// part validates the part at a token of the value.
func (v *validation) part(n *node, value any, at token) bool {
	if v.blank && isBlank(value) {
		v.spend(1)
		return true
	}
	v.path = append(v.path, at)
	fits, _ := v.check(n, value, false)
	v.path = v.path[:len(v.path)-1]
	return fits
}

// same validates the same value by another schema.
func (v *validation) same(n *node, value any, rest *remainder) bool {
	fits, left := v.check(n, value, !rest.empty())
	if fits {
		v.merge(rest, left)
	}
	return fits
}

// silently is same without complaints.
func (v *validation) silently(n *node, value any, rest *remainder) bool {
	v.quiet++
	fits := v.same(n, value, rest)
	v.quiet--
	return fits
}

// checkWhole checks the rules about a value as a whole. If one fails, the value gets no further
// complaints.
func (v *validation) checkWhole(n *node, value any) bool {
	if kind := kindOf(value); n.types != 0 && n.types&kind == 0 {
		isInteger := kind == number && n.types&integer != 0 && numberOf(value).isInteger()
		if !isInteger {
			if n.form != nil {
				v.complain("is not " + n.form.Means)
			} else {
				v.complain(wrongType(kind, n.types))
			}
			return false
		}
	}
	if n.constant != nil && !v.isOne(n.constant, value) {
		v.complain("is not " + n.constant.message)
		return false
	}
	if n.enum != nil && !v.isOne(n.enum, value) {
		v.complain("is not one of " + n.enum.message)
		return false
	}
	if s, isText := value.(string); isText && n.format != nil {
		if err := n.format.validate(v.budget, s); err != nil {
			v.spend(0) // that may have been the last step
			v.complain(n.format.message(err))
			return false
		}
	}
	if s, isText := value.(string); isText && n.form != nil {
		return v.checkForm(n, s)
	}
	return true
}

func (v *validation) isOne(of *values, value any) bool {
	is, err := of.has(v.budget, value)
	v.must(err)
	return is
}

func (v *validation) checkByKind(n *node, value any, rest *remainder) bool {
	switch value := value.(type) {
	case map[string]any:
		return n.object == nil || v.checkObject(n.object, value, rest)
	case []any:
		return n.list == nil || v.checkList(n.list, value, rest)
	case string:
		return n.text == nil || v.checkText(n.text, value)
	}
	return n.number == nil || kindOf(value) != number || v.checkNumber(n.number, value)
}

func (v *validation) checkText(r *textRules, value string) bool {
	v.spend(1 + len(value)/bytesPerStep)
	fits := true
	if characters := len(value); r.least > 0 || r.most >= 0 && characters > r.most {
		characters = utf8.RuneCountInString(value)
		if characters < r.least {
			v.complain("is shorter than %s", count(r.least, "character"))
			fits = false
		}
		if r.most >= 0 && characters > r.most {
			v.complain("is longer than %s", count(r.most, "character"))
			fits = false
		}
	}
	if r.pattern != nil && v.more(fits) && !v.matches(r.pattern, value) {
		v.complain("does not match the pattern " + shorten(r.pattern.String(), maxPattern))
		fits = false
	}
	return fits
}

func (v *validation) matches(p *Pattern, value string) bool {
	v.spend(p.cost(value))
	return p.expression.MatchString(value)
}

func (v *validation) checkNumber(r *numberRules, value any) bool {
	v.spend(stepsOfNumber)
	n, fits := numberOf(value), true
	refuse := func(wrong bool, message string, l *limit) {
		if wrong {
			v.complain(message + l.String())
			fits = false
		}
	}
	if l := r.minimum; l != nil {
		refuse(n.compare(l.decimal) < 0, "is below ", l)
	}
	if l := r.maximum; l != nil {
		refuse(n.compare(l.decimal) > 0, "is above ", l)
	}
	if l := r.above; l != nil {
		refuse(n.compare(l.decimal) <= 0, "is not above ", l)
	}
	if l := r.below; l != nil {
		refuse(n.compare(l.decimal) >= 0, "is not below ", l)
	}
	if l := r.multiple; l != nil {
		v.spend(20 + 2*(n.length()+l.length()))
		refuse(!l.divides(fmt.Sprint(value)), "is not a multiple of ", l)
	}
	return fits
}

// remainder is the part of a value that no schema has described.
type remainder struct {
	names map[string]struct{}
	items map[int]struct{}
}

func (o *remainder) empty() bool { return o == nil || len(o.names) == 0 && len(o.items) == 0 }

// open returns the parts that the schema has not described yet; nil if no keyword needs them, or it
// describes everything.
func (v *validation) open(n *node, value any, wanted bool) *remainder {
	switch value := value.(type) {
	case map[string]any:
		if n.object != nil && n.object.additional != nil || !wanted && n.openNames == nil {
			return nil
		}
		v.spend(6 + 4*len(value))
		o := &remainder{names: make(map[string]struct{}, len(value))}
		for name := range value {
			o.names[name] = struct{}{}
		}
		return o
	case []any:
		first := 0
		if n.list != nil {
			first = len(n.list.first)
		}
		if n.list != nil && n.list.rest != nil || !wanted && n.openItems == nil || first >= len(value) {
			return nil
		}
		v.spend(6 + 4*len(value))
		o := &remainder{items: make(map[int]struct{}, len(value)-first)}
		for i := first; i < len(value); i++ {
			o.items[i] = struct{}{}
		}
		return o
	}
	return nil
}

// merge removes from rest the parts that a fitting schema has described.
func (v *validation) merge(rest, left *remainder) {
	if rest.empty() {
		return
	}
	v.spend(2 + 2*len(rest.names) + 2*len(rest.items))
	if left == nil {
		left = &remainder{}
	}
	maps.DeleteFunc(rest.names, func(name string, _ struct{}) bool { _, open := left.names[name]; return !open })
	maps.DeleteFunc(rest.items, func(i int, _ struct{}) bool { _, open := left.items[i]; return !open })
}

// checkOpen validates the parts that no schema has described by the schemas for these.
func (v *validation) checkOpen(n *node, value any, rest *remainder) bool {
	fits := true
	if members, ok := value.(map[string]any); ok && n.openNames != nil {
		v.spend(2 + 4*len(rest.names))
		for _, name := range slices.Sorted(maps.Keys(rest.names)) {
			if n.openNames.never {
				c := v.complainOf(name, "is not a known name here")
				c.Unknown, c.Unevaluated, c.Seeming = true, true, v.describes(n, name, map[*node]bool{})
				fits = false
			} else {
				fits = v.part(n.openNames, members[name], token{name, -1}) && fits
			}
			if !v.more(fits) {
				return false
			}
		}
		rest.names = nil
	}
	if items, ok := value.([]any); ok && n.openItems != nil {
		v.spend(2 + 4*len(rest.items))
		for _, i := range slices.Sorted(maps.Keys(rest.items)) {
			if fits = v.part(n.openItems, items[i], token{index: i}) && fits; !v.more(fits) {
				return false
			}
		}
		rest.items = nil
	}
	return fits
}

// describes reports whether some part of the schema describes a name.
func (v *validation) describes(n *node, name string, seen map[*node]bool) bool {
	if v.spend(1); n == nil || seen[n] || v.silent() {
		return false
	}
	seen[n] = true
	if n.object != nil {
		if _, known := n.object.properties[name]; known {
			return true
		}
	}
	return slices.ContainsFunc(n.inPlace(), func(part *node) bool {
		return (n.branches == nil || part != n.branches.not) && v.describes(part, name, seen)
	})
}
