// Package expression evaluates conditions that people write in CEL: those of transitions, and the filters
// of endpoints. It is pure. The cost of an expression is limited when it is compiled and each time it is
// evaluated.
package expression

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/ext"
)

// Language defines the variables, types and limits of expressions.
type Language struct {
	env        *cel.Env
	limits     Limits
	vocabulary string // "message (body, ...), case (...)"
	names      []string
	near       func(typed string, names []string) string
	otherwise  string // the consequence of a value that is absent
}

// Near returns a copy of the Language that suggests the name that was probably meant, if near finds one,
// instead of listing all names. The result of near follows the message.
func (l *Language) Near(near func(typed string, names []string) string) *Language {
	l.near = near
	return l
}

// Otherwise returns a copy of the Language whose warnings name another consequence of a value that is absent than that
// the condition is not met.
func (l *Language) Otherwise(consequence string) *Language {
	other := *l
	other.otherwise = consequence
	return &other
}

// Limits bound the cost of expressions.
type Limits struct {
	Cost    uint64 // of one evaluation, in CEL's units: a core does about ten in a microsecond
	Foresee bool   // Compile refuses an expression that would cost more with values of ordinary size
}

// Variable is a name that expressions may use.
type Variable struct {
	Name string
	Type Type
}

// maxUnlike bounds how often types are checked again: once for each level at which numbers of two types
// are compared.
const maxUnlike = 8

// maxSource bounds an expression, in code points.
const maxSource = 4000

// New makes a Language. Objects are the types of variables and of fields that have fields themselves. It
// panics if they are wrong.
func New(limits Limits, objects []*Object, variables ...Variable) *Language {
	text := []*cel.Type{cel.StringType}
	registry, err := types.NewRegistry()
	if err != nil {
		panic("expression: " + err.Error())
	}
	options := []cel.EnvOption{
		cel.CustomTypeAdapter(registry),
		cel.CustomTypeProvider(newProvider(registry, objects)),
		cel.CrossTypeNumericComparisons(true),
		cel.ParserExpressionSizeLimit(maxSource),
		cel.ParserRecursionLimit(100),
		cel.DefaultUTCTimeZone(true),
		// Later versions have join, and all have replace: their results may be as
		// long as the product of their arguments.
		ext.Strings(ext.StringsVersion(0)),
		cel.Function("replace", cel.DisableDeclaration(true),
			cel.MemberOverload("string_replace_string_string", slices.Repeat(text, 3), cel.StringType),
			cel.MemberOverload("string_replace_string_string_int", append(slices.Repeat(text, 3), cel.IntType),
				cel.StringType)),
	}
	options = append(options, mixed()...)
	for _, v := range variables {
		options = append(options, cel.Variable(v.Name, v.Type))
	}
	env, err := cel.NewEnv(options...)
	if err != nil {
		panic("expression: " + err.Error())
	}
	return &Language{env: env, limits: limits, vocabulary: vocabulary(objects, variables),
		names: namesOf(objects, variables), otherwise: "the condition is not met"}
}

// vocabulary lists the names that expressions may use.
func vocabulary(objects []*Object, variables []Variable) string {
	all := make([]string, len(variables))
	for i, v := range variables {
		all[i] = v.Name
		for _, o := range objects {
			if o.Name == v.Type.TypeName() {
				all[i] += " (" + strings.Join(o.Names(), ", ") + ")"
			}
		}
	}
	return strings.Join(all, ", ")
}

// namesOf lists the variables and all of their fields.
func namesOf(objects []*Object, variables []Variable) (names []string) {
	for _, v := range variables {
		names = append(names, v.Name)
	}
	for _, o := range objects {
		names = append(names, o.Names()...)
	}
	return names
}

// Fault is a fault in an expression, and its position. Lines and columns start at 1; Line is 0 if the fault is about
// the whole. The text follows the name of the expression: "is not CEL at line 1, column 6: ...".
type Fault struct {
	Line, Column int
	Message      string
}

func (f *Fault) Error() string {
	if f.Line == 0 {
		return f.Message
	}
	return fmt.Sprintf("is not CEL at line %d, column %d: %s", f.Line, f.Column, f.Message)
}

// Program is a compiled expression. It is safe for concurrent use.
type Program struct {
	source  string
	program cel.Program
	reads   []string
	whole   []string
}

// Reads lists the members of variables that the expression reads: "data.cost".
func (p *Program) Reads() []string { return p.reads }

// ReadsAll lists the variables that the expression reads as a whole, or by names that it computes.
func (p *Program) ReadsAll() []string { return p.whole }

// Compile compiles a condition. It refuses one whose type is not a boolean, or that costs more than the
// limit with values of ordinary size.
func (l *Language) Compile(source string) (*Program, *Fault) {
	c := l.CompileFor(source, nil)
	if len(c.Faults) > 0 {
		return nil, c.Faults[0]
	}
	return c.Program, nil
}

// Compilation is the result of compiling an expression: a program, or all faults. Warnings are about constructs that
// are allowed but probably not meant.
type Compilation struct {
	Program  *Program
	Faults   []*Fault
	Warnings []*Fault
}

// CompileFor is Compile for an expression over variables with known shapes: it reports members that can't
// exist.
func (l *Language) CompileFor(source string, shapes map[string]Shape) Compilation {
	return l.compile(source, shapes, true)
}

// CompileValueFor is CompileFor for an expression whose value may be any of JSON's.
func (l *Language) CompileValueFor(source string, shapes map[string]Shape) Compilation {
	return l.compile(source, shapes, false)
}

func (l *Language) compile(source string, shapes map[string]Shape, decides bool) Compilation {
	refuse := func(f *Fault) Compilation { return Compilation{Faults: []*Fault{f}} }
	ast, fault := l.check(source, shapes)
	if fault != nil {
		return refuse(fault)
	}
	if kind := ast.OutputType(); decides && !kind.IsExactType(cel.BoolType) && !kind.IsExactType(cel.DynType) {
		return refuse(&Fault{Message: "yields " + kind.String() + ", not true or false"})
	}
	names := l.checkNames(ast.NativeRep(), shapes, decides)
	if len(names.faults) > 0 {
		return Compilation{Faults: names.faults}
	}
	if estimate, err := l.env.EstimateCost(ast,
		estimator{}); l.limits.Foresee && (err != nil || estimate.Max > l.limits.Cost) {
		return refuse(&Fault{Message: "would cost too much to evaluate; avoid loops in loops"})
	}
	if message := patternProblem(ast.NativeRep()); message != "" {
		return refuse(&Fault{Message: message})
	}
	program, err := l.env.Program(ast, cel.CostLimit(l.limits.Cost),
		cel.CostTracking(weigher{10 * l.limits.Cost}),
		cel.EvalOptions(cel.OptOptimize), cel.CustomDecoratorV2(charge), cel.CustomDecoratorV2(operate))
	if err != nil {
		return refuse(&Fault{Message: "can't be used: " + err.Error()})
	}
	return Compilation{Program: &Program{source, program, names.reads, readWhole(ast.NativeRep().Expr())}, Warnings: names.warnings}
}

// check parses an expression and checks its types.
func (l *Language) check(source string, shapes map[string]Shape) (*cel.Ast, *Fault) {
	ast, issues := l.env.Parse(source)
	if len(issues.Errors()) == 0 { // the text of Err is long
		if message := unwieldy(ast.NativeRep().Expr()); message != "" {
			return nil, &Fault{Message: message}
		}
		parsed := ast
		composeTexts(parsed.NativeRep().Expr())
		ast, issues = l.env.Check(parsed)
		for range maxUnlike {
			if len(issues.Errors()) == 0 || !compareUnlike(parsed.NativeRep().Expr(), issues.Errors()) {
				break
			}
			ast, issues = l.env.Check(parsed)
		}
	}
	if wrong := issues.Errors(); len(wrong) > 0 {
		first := wrong[0]
		message, _, _ := strings.Cut(first.Message, "\n")
		message += l.hint(message, shapes)
		return nil,
			&Fault{Line: max(1, first.Location.Line()), Column: max(0, first.Location.Column()) + 1, Message: message}
	}
	return ast, nil
}

// undeclared matches CEL's message about an unknown name.
var undeclared = regexp.MustCompile(`^undeclared reference to '(\w+)'`)

// meant suggests a name for an unknown one, or lists the names.
func (l *Language) meant(name string) string {
	if l.near != nil {
		if nearest := l.near(name, l.names); nearest != "" {
			return nearest
		}
	}
	return "; there are " + l.vocabulary
}

// hint explains what to write instead of a construct that CEL has refused.
func (l *Language) hint(message string, shapes map[string]Shape) string {
	switch found := undeclared.FindStringSubmatch(message); {
	case found != nil:
		if data := shapes["data"]; data != nil {
			if _, ok := data.Member(found[1]); ok {
				return "; a field is read as data." + found[1]
			}
		}
		return l.meant(found[1])
	case strings.HasPrefix(message, "undefined field"):
		return l.meant(strings.Trim(strings.TrimPrefix(message, "undefined field"), " '"))
	case strings.Contains(message, "token recognition error at: '='"),
		strings.Contains(message, "token recognition error at: '= "):
		return "; equality is written =="
	case mentions(message, "'and'", "'AND'"):
		return "; and is written &&"
	case mentions(message, "'or'", "'OR'"):
		return "; or is written ||"
	case mentions(message, "token recognition error at: '& '", "token recognition error at: '&'"):
		return "; and is written &&"
	case strings.HasPrefix(message, "found no matching overload for"):
		return "; the values do not have the types that this needs"
	}
	return ""
}

func mentions(message string, any ...string) bool {
	return slices.ContainsFunc(any, func(part string) bool { return strings.Contains(message, part) })
}

// Values resolves the variables of an expression.
type Values interface {
	ResolveName(variable string) (value any, ok bool)
	Parent() cel.Activation // nil
}

// ValueMap implements Values by a map.
type ValueMap map[string]any

// ResolveName returns the value of a variable.
func (v ValueMap) ResolveName(variable string) (any, bool) {
	value, ok := v[variable]
	return composed(value), ok
}

// Parent returns nil.
func (ValueMap) Parent() cel.Activation { return nil }

// errNeither is the error of a condition whose value is not a boolean.
var errNeither = errors.New("it is neither true nor false")

// Evaluate evaluates the condition. The error's text does not quote the values.
func (p *Program) Evaluate(values Values) (bool, error) {
	holds, _, err := p.EvaluateCost(values)
	return holds, err
}

// EvaluateCost is Evaluate that also returns the cost of the evaluation, in CEL's units.
func (p *Program) EvaluateCost(values Values) (isTrue bool, cost uint64, err error) {
	result, details, err := p.program.Eval(values)
	if details != nil && details.ActualCost() != nil {
		cost = *details.ActualCost()
	}
	if err != nil {
		return false, cost, errors.New(p.problem(err))
	}
	isTrue, ok := result.Value().(bool)
	if !ok {
		return false, cost, errNeither
	}
	return isTrue, cost, nil
}

// problem words CEL's errors without quoting data. It quotes a key only if the expression itself spells
// it.
func (p *Program) problem(err error) string {
	text := err.Error()
	var absent absence
	if errors.As(err, &absent) {
		return text
	}
	if _, key, ok := strings.Cut(text, "no such key: "); ok {
		if strings.Contains(p.source, key) {
			return "no such key: " + key
		}
		return "no such key"
	}
	for _, safe := range []string{
		"no such overload", "no such attribute", "division by zero", "modulus by zero", "number out of range",
	} {
		if strings.Contains(text, safe) {
			return safe
		}
	}
	if strings.Contains(text, "actual cost limit exceeded") {
		return "cost limit exceeded"
	}
	return "a value does not have the required form"
}
