package expression

import (
	"fmt"
	"maps"
	"regexp"
	"strconv"
	"strings"

	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/operators"
	"cel.dev/cel-go/common/overloads"
	"cel.dev/cel-go/common/types"
)

// Shape is the knowledge about a value at compile time, such as that of a field by its schema.
type Shape interface {
	// Member returns the shape of a member, or nil if it is unknown. It returns false if there can be no
	// member of that name.
	Member(name string) (Shape, bool)
	// Near suggests the name that was meant, or lists the names; it follows the message.
	Near(name string) string
	// Requires reports whether a member is always present.
	Requires(name string) bool
	// Item returns the shape of the items of a list, or nil if it is unknown.
	Item() Shape
	// Kinds returns the kinds that the value may have, or 0 if they are unknown.
	Kinds() Kinds
	// Admits reports whether the value may be a text, by its list of constants. Near suggests the one that
	// was meant, or lists them; it follows the message.
	Admits(text string) (near string, ok bool)
}

// Kinds is a set of kinds of values.
type Kinds uint8

// The kinds of values.
const (
	TextKind Kinds = 1 << iota
	NumberKind
	BoolKind
	NullKind
	ListKind
	ObjectKind
	timeKind
	durationKind
)

var kindNames = []string{"text", "a number", "true or false", "null", "a list", "an object", "a time", "a duration"}

func (k Kinds) String() string {
	var names []string
	for i, name := range kindNames {
		if k&(1<<i) != 0 {
			names = append(names, name)
		}
	}
	return strings.Join(names, " or ")
}

// maxNameFaults bounds how many wrong names are reported for one expression.
const maxNameFaults = 5

// names checks the names in an expression by the shapes of its variables.
type names struct {
	ast      *ast.AST
	shapes   map[string]Shape // of the variables, and of those of loops
	inLoops  map[string]bool  // the variables of loops
	reads    []string         // members of the variables: "data.cost"
	tested   map[string]bool  // what has() and in ask for
	faults   []*Fault
	warnings []*Fault
	reported map[string]bool
	absent   []string           // members that are read and may not be there
	seen     map[ast.Expr]Shape // the shapes of the expressions that were checked
}

func (l *Language) checkNames(a *ast.AST, shapes map[string]Shape, decides bool) *names {
	n := &names{
		ast: a, shapes: maps.Clone(shapes), inLoops: map[string]bool{}, tested: map[string]bool{},
		reported: map[string]bool{},
		seen:     map[ast.Expr]Shape{},
	}
	if n.shapes == nil {
		n.shapes = map[string]Shape{}
	}
	if decides {
		n.truth(a.Expr(), true)
	}
	n.visit(a.Expr())
	for _, path := range n.absent {
		switch {
		case n.tested[path]:
		case strings.HasSuffix(path, ofValue):
			n.warn(path, "reads %s, which may be absent, and then %s: test it with has() before", path, l.otherwise)
		default:
			n.warn(path,
				"reads %s, which may be absent, and then %s: write %s && ..., or let the transition require it", path,
				l.otherwise, presence(path))
		}
	}
	return n
}

func (n *names) fault(path, message string, args ...any) {
	if !n.reported[path] && len(n.faults) < maxNameFaults {
		n.faults = append(n.faults, &Fault{Message: fmt.Sprintf(message, args...)})
	}
	n.reported[path] = true
}

func (n *names) warn(path, message string, args ...any) {
	if !n.reported[path] && len(n.warnings) < maxNameFaults {
		n.warnings = append(n.warnings, &Fault{Message: fmt.Sprintf(message, args...)})
	}
	n.reported[path] = true
}

// visit checks an expression, once, and returns the shape of its value, or nil if that is unknown.
func (n *names) visit(e ast.Expr) Shape {
	known, ok := n.seen[e]
	if !ok {
		known = n.check(e)
		n.seen[e] = known
	}
	return known
}

func (n *names) check(e ast.Expr) Shape {
	switch e.Kind() {
	case ast.IdentKind:
		return n.shapes[e.AsIdent()]
	case ast.SelectKind:
		s := e.AsSelect()
		if member := n.member(s.Operand(), s.FieldName(), s.IsTestOnly()); !s.IsTestOnly() {
			return member
		}
	case ast.CallKind:
		return n.call(e.AsCall())
	case ast.ListKind:
		for _, item := range e.AsList().Elements() {
			n.visit(item)
		}
	case ast.MapKind:
		for _, entry := range e.AsMap().Entries() {
			n.visit(entry.AsMapEntry().Key())
			n.visit(entry.AsMapEntry().Value())
		}
	case ast.StructKind:
		for _, field := range e.AsStruct().Fields() {
			n.visit(field.AsStructField().Value())
		}
	case ast.ComprehensionKind:
		return n.loop(e.AsComprehension())
	}
	return nil
}

// member checks that there may be a member, and returns its shape.
func (n *names) member(of ast.Expr, name string, tests bool) Shape {
	owner := n.visit(of)
	base := describe(of)
	path := memberPath(base, name)
	if base == aValue {
		path = name + ofValue
	}
	if of.Kind() == ast.IdentKind {
		n.reads = append(n.reads, base+"."+name)
	}
	if owner == nil {
		return nil
	}
	member, ok := owner.Member(name)
	switch {
	case tests:
		n.tested[path] = true
	case ok && !owner.Requires(name):
		n.absent = append(n.absent, path)
	}
	switch kinds := owner.Kinds(); {
	case ok:
	case kinds != 0 && kinds&ObjectKind == 0:
		n.fault(path, "reads %s, but %s is %s, which has no members", path, base, kinds)
	case base == aValue:
		n.fault(path, "reads %s, which has no such field%s", path, owner.Near(name))
	case of.Kind() == ast.IdentKind && !n.inLoops[base]:
		n.fault(path, "reads %s, which is not a field%s", path, owner.Near(name))
	default:
		n.fault(path, "reads %s, which is not a field of %s%s", path, base, owner.Near(name))
	}
	return member
}

func (n *names) call(c ast.CallExpr) Shape {
	args := c.Args()
	if c.IsMemberFunction() {
		n.visit(c.Target())
	}
	name, isName := "", false
	if len(args) == 2 {
		name, isName = literalText(args[1])
		if c.FunctionName() == operators.In {
			name, isName = literalText(args[0])
		}
	}
	switch c.FunctionName() {
	case operators.Index:
		if isName {
			return n.member(args[0], name, false)
		}
		n.visit(args[1])
		if of := n.visit(args[0]); of != nil {
			return of.Item()
		}
		return nil
	case operators.In:
		if of := n.visit(args[1]); isName && of != nil && of.Kinds() == ObjectKind {
			n.member(args[1], name, true)
			return nil
		}
		n.among(args[0], args[1])
	case operators.Less, operators.LessEquals, operators.Greater, operators.GreaterEquals,
		operators.Equals, operators.NotEquals:
		n.compare(c.FunctionName(), args[0], args[1])
		return nil
	case operators.LogicalAnd, operators.LogicalOr, operators.LogicalNot:
		for _, arg := range args {
			n.truth(arg, false)
		}
	case operators.Add, operators.Subtract, operators.Multiply, operators.Divide, operators.Modulo, operators.Negate:
		return n.computed(args)
	case overloads.Size:
		n.size(c)
	}
	for _, arg := range args {
		n.visit(arg)
	}
	return nil
}

// truth checks that an operand of a logical operator may be a boolean. If decides is set, the whole condition can't
// be true without it.
func (n *names) truth(e ast.Expr, decides bool) {
	if e.Kind() == ast.CallKind {
		switch c := e.AsCall(); c.FunctionName() {
		case operators.LogicalAnd, operators.LogicalOr, operators.LogicalNot:
			for _, arg := range c.Args() {
				n.truth(arg, decides && c.FunctionName() != operators.LogicalOr)
			}
			return
		}
	}
	kinds := n.kindsOf(e)
	if kinds == 0 || kinds&BoolKind != 0 {
		return
	}
	tell := n.warn
	if decides {
		tell = n.fault
	}
	what := describe(e)
	path := what + " as a condition"
	switch {
	case what == aValue:
		tell(path, "uses %s as a condition: compare it, as in data.cost > 0", kinds)
	case kinds&NumberKind != 0:
		tell(path, "uses %[1]s, which is %[2]s, as a condition: compare it, %[1]s > 0", what, kinds)
	case kinds&TextKind != 0:
		tell(path, `uses %[1]s, which is %[2]s, as a condition: compare it, %[1]s != ""`, what, kinds)
	default:
		tell(path, "uses %[1]s, which is %[2]s, as a condition: compare it, size(%[1]s) > 0", what, kinds)
	}
}

// computed returns the shape of an operator's result: a number for a number, a text for a text.
func (n *names) computed(args []ast.Expr) Shape {
	var made Shape
	for _, arg := range args {
		if kinds := n.kindsOf(arg); kinds == NumberKind || kinds == TextKind {
			made = scalarShape(kinds)
		}
	}
	return made
}

// size checks that the argument of size() has a size.
func (n *names) size(c ast.CallExpr) {
	of := c.Target()
	if !c.IsMemberFunction() && len(c.Args()) == 1 {
		of = c.Args()[0]
	}
	kinds := n.kindsOf(of)
	if kinds != 0 && kinds&(TextKind|ListKind|ObjectKind) == 0 {
		what := describe(of)
		n.fault("size of "+what, "takes the size of %s, which is %s: size() is that of text, a list or an object", what,
			kinds)
	}
}

// among checks that a list can hold the value that is searched for in it.
func (n *names) among(e, list ast.Expr) {
	if list.Kind() == ast.ListKind {
		for _, item := range list.AsList().Elements() {
			n.compare(operators.Equals, e, item)
		}
		return
	}
	wanted, isText := literalText(e)
	of := n.visit(list)
	if !isText || of == nil || of.Kinds() != ListKind || of.Item() == nil {
		return
	}
	if near, ok := of.Item().Admits(wanted); !ok {
		what := describe(list)
		n.warn(what+" holds "+wanted, "looks for %q in %s, which never holds it%s", wanted, what, near)
	}
}

// choose checks that a text constant is one that the value compared with it may be.
func (n *names) choose(e, constant ast.Expr) {
	wanted, isText := literalText(constant)
	of := n.visit(e)
	if !isText || of == nil {
		return
	}
	if near, ok := of.Admits(wanted); !ok {
		what := describe(e)
		n.warn(what+" is "+wanted, "compares %s with %q, which it never is%s", what, wanted, near)
	}
}

// loop checks a loop over a list or an object. The items of a list that a loop makes have a known shape if
// they come from the list that it goes through.
func (n *names) loop(l ast.ComprehensionExpr) Shape {
	through := n.visit(l.IterRange())
	n.visit(l.AccuInit())
	outer := map[string]Shape{}
	for _, name := range []string{l.IterVar(), l.AccuVar()} {
		outer[name], n.inLoops[name] = n.shapes[name], true
		delete(n.shapes, name)
	}
	if through != nil && through.Kinds() == ListKind {
		n.shapes[l.IterVar()] = through.Item()
	}
	n.visit(l.LoopCondition())
	n.visit(l.LoopStep())
	var made Shape
	if item := appended(l.LoopStep()); item != nil {
		if shape := n.visit(item); shape != nil {
			made = listShape{shape}
		}
	}
	n.visit(l.Result())
	for name, shape := range outer {
		if n.shapes[name] = shape; shape == nil {
			delete(n.shapes, name)
		}
	}
	return made
}

// appended returns the expression that a step of a loop adds to the list that it makes, or nil.
func appended(step ast.Expr) ast.Expr {
	if step.Kind() == ast.CallKind && step.AsCall().FunctionName() == operators.Conditional {
		step = step.AsCall().Args()[1]
	}
	if step.Kind() != ast.CallKind || step.AsCall().FunctionName() != operators.Add {
		return nil
	}
	added := step.AsCall().Args()[1]
	if added.Kind() != ast.ListKind || added.AsList().Size() != 1 {
		return nil
	}
	return added.AsList().Elements()[0]
}

// listShape is the shape of a list that an expression makes.
type listShape struct{ item Shape }

func (listShape) Member(string) (Shape, bool)  { return nil, false }
func (listShape) Near(string) string           { return "" }
func (listShape) Requires(string) bool         { return true }
func (l listShape) Item() Shape                { return l.item }
func (listShape) Kinds() Kinds                 { return ListKind }
func (listShape) Admits(string) (string, bool) { return "", true }

// scalarShape is the shape of a number or a text that an expression makes.
type scalarShape Kinds

func (scalarShape) Member(string) (Shape, bool)  { return nil, false }
func (scalarShape) Near(string) string           { return "" }
func (scalarShape) Requires(string) bool         { return true }
func (scalarShape) Item() Shape                  { return nil }
func (v scalarShape) Kinds() Kinds               { return Kinds(v) }
func (scalarShape) Admits(string) (string, bool) { return "", true }

// compare checks that two values can be equal or ordered at all.
func (n *names) compare(function string, a, b ast.Expr) {
	left, right := n.kindsOf(a), n.kindsOf(b)
	if left == 0 || right == 0 || left&right != 0 {
		if function == operators.Equals || function == operators.NotEquals {
			n.choose(a, b)
			n.choose(b, a)
		}
		return
	}
	const times = timeKind | durationKind
	if left == NullKind || right&times == 0 && left&times != 0 { // tell of the field
		a, b, left, right = b, a, right, left
	}
	what, ordered := describe(a), function != operators.Equals && function != operators.NotEquals
	path := what + function
	switch {
	case right == NullKind:
		n.warn(path,
			"compares %s with null, which it never is: write %s if it has to be set, %s if it must not be",
			what, presence(what), absenceOf(presence(what)))
	case right == timeKind && left == TextKind:
		n.fault(path, "compares %[1]s, which is text, with a time: write timestamp(%[1]s), for a date "+
			"timestamp(%[1]s + \"T00:00:00Z\")", what)
	case ordered:
		n.fault(path, "compares %s, which is %s, with %s%s", what, left, right, quoting(left, right))
	default:
		n.warn(path, "compares %s, which is %s, with %s: they are never the same%s", what, left, right,
			quoting(left, right))
	}
}

// quoting explains that numbers are written without quotes.
func quoting(left, right Kinds) string {
	if left == NumberKind && right == TextKind {
		return "; numbers are written without quotes"
	}
	if left == TextKind && right == NumberKind {
		return "; text is written in quotes"
	}
	if left == BoolKind && right == TextKind {
		return "; true and false are written without quotes"
	}
	return ""
}

// kindsOf returns the kinds that an expression may have, by its shape or its type; 0 is any.
func (n *names) kindsOf(e ast.Expr) Kinds {
	if shape := n.visit(e); shape != nil {
		return shape.Kinds()
	}
	switch n.ast.GetType(e.ID()).Kind() {
	case types.StringKind:
		return TextKind
	case types.IntKind, types.UintKind, types.DoubleKind:
		return NumberKind
	case types.BoolKind:
		return BoolKind
	case types.NullTypeKind:
		return NullKind
	case types.TimestampKind:
		return timeKind
	case types.DurationKind:
		return durationKind
	}
	return 0
}

// describe names an expression for people.
func describe(e ast.Expr) string {
	if path := pathOf(e); path != "" && path[0] != '.' && path[0] != '[' {
		return path
	}
	return aValue
}

// How an expression without a name is described, and a member of it.
const (
	aValue  = "a value"
	ofValue = " of a value"
)

// pathOf writes the members that an expression reads as it reads them.
func pathOf(e ast.Expr) string {
	switch e.Kind() {
	case ast.IdentKind:
		return e.AsIdent()
	case ast.SelectKind:
		return memberPath(pathOf(e.AsSelect().Operand()), e.AsSelect().FieldName())
	case ast.CallKind:
		args := e.AsCall().Args()
		if e.AsCall().FunctionName() != operators.Index {
			return ""
		}
		if name, ok := literalText(args[1]); ok {
			return memberPath(pathOf(args[0]), name)
		}
		return pathOf(args[0]) + "[...]"
	}
	return ""
}

// memberPath writes a member of the value at a path: in brackets if its name is no identifier of CEL.
func memberPath(path, name string) string {
	if identifier.MatchString(name) {
		return path + "." + name
	}
	return path + "[" + strconv.Quote(name) + "]"
}

var identifier = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// presence writes the test whether there is a value at a path.
func presence(path string) string {
	at := strings.LastIndex(path, `["`)
	if at < 0 || !strings.HasSuffix(path, `"]`) {
		return "has(" + path + ")"
	}
	return path[at+1:len(path)-1] + " in " + path[:at]
}

// absenceOf negates a test by presence.
func absenceOf(present string) string {
	if strings.HasPrefix(present, "has(") {
		return "!" + present
	}
	return "!(" + present + ")"
}

func literalText(e ast.Expr) (string, bool) {
	if e.Kind() != ast.LiteralKind {
		return "", false
	}
	text, ok := e.AsLiteral().(types.String)
	return string(text), ok
}
