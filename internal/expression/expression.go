// Package expression evaluates conditions that people write in CEL: those of
// transitions, and the filters of endpoints. It is pure. What an expression may
// cost is limited, when it is compiled and each time it is evaluated.
package expression

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/ext"
)

// Language says what expressions may use.
type Language struct {
	env    *cel.Env
	limits Limits
}

// Limits bound what expressions cost.
type Limits struct {
	Cost    uint64 // of one evaluation, in CEL's units: a core does about ten in a microsecond
	Foresee bool   // what would cost more with values of ordinary size is refused when it is compiled
}

// Variable is a name that expressions may use.
type Variable struct {
	Name string
	Type Type
}

// maxUnlike bounds how often types are found again: once for each level at which
// numbers of two types are compared.
const maxUnlike = 8

// maxSource bounds an expression, in code points.
const maxSource = 4000

// New makes a Language. Objects are the types of variables and of fields that have
// fields themselves. What is wrong with them is a mistake of ours, and panics.
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
			cel.MemberOverload("string_replace_string_string_int", append(slices.Repeat(text, 3), cel.IntType), cel.StringType)),
	}
	options = append(options, mixed()...)
	for _, v := range variables {
		options = append(options, cel.Variable(v.Name, v.Type))
	}
	env, err := cel.NewEnv(options...)
	if err != nil {
		panic("expression: " + err.Error())
	}
	return &Language{env, limits}
}

// Fault says what is wrong with an expression, and where. Lines and columns
// begin at 1; Line is 0 when it is about the whole. Its text is to follow what
// names the expression: "is not CEL at line 1, column 6: ...".
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
}

// Compile compiles a condition. One that yields neither true nor false, or costs
// more than the limit with values of ordinary size, is refused.
func (l *Language) Compile(source string) (*Program, *Fault) {
	ast, fault := l.check(source)
	if fault != nil {
		return nil, fault
	}
	if kind := ast.OutputType(); !kind.IsExactType(cel.BoolType) && !kind.IsExactType(cel.DynType) {
		return nil, &Fault{Message: "yields " + kind.String() + ", not true or false"}
	}
	if estimate, err := l.env.EstimateCost(ast, ordinary{}); l.limits.Foresee && (err != nil || estimate.Max > l.limits.Cost) {
		return nil, &Fault{Message: "would cost too much to evaluate; avoid loops in loops"}
	}
	if message := patternProblem(ast.NativeRep()); message != "" {
		return nil, &Fault{Message: message}
	}
	program, err := l.env.Program(ast, cel.CostLimit(l.limits.Cost), cel.CostTracking(weigher{10 * (l.limits.Cost + 1)}),
		cel.EvalOptions(cel.OptOptimize), cel.CustomDecoratorV2(charge), cel.CustomDecoratorV2(operate))
	if err != nil {
		return nil, &Fault{Message: "can't be used: " + err.Error()}
	}
	return &Program{source, program}, nil
}

// check parses an expression and finds its types.
func (l *Language) check(source string) (*cel.Ast, *Fault) {
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
		return nil, &Fault{Line: max(1, first.Location.Line()), Column: max(0, first.Location.Column()) + 1, Message: message}
	}
	return ast, nil
}

// Values are what the variables stand for.
type Values interface {
	ResolveName(variable string) (value any, ok bool)
	Parent() cel.Activation // nil
}

// ByName are values in a map.
type ByName map[string]any

// ResolveName returns the value of a variable.
func (v ByName) ResolveName(variable string) (any, bool) {
	value, ok := v[variable]
	return composed(value), ok
}

// Parent is none.
func (ByName) Parent() cel.Activation { return nil }

// errNeither is why a condition does not hold and does not fail to hold.
var errNeither = errors.New("it is neither true nor false")

// Holds evaluates the condition. The error's text quotes nothing of the values.
func (p *Program) Holds(values Values) (bool, error) {
	result, _, err := p.program.Eval(values)
	if err != nil {
		return false, errors.New(p.problem(err))
	}
	holds, ok := result.Value().(bool)
	if !ok {
		return false, errNeither
	}
	return holds, nil
}

// problem repeats of CEL's errors only those that quote no data. A key is quoted
// where the expression itself spells it.
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
	return "a value is not of the form that it needs"
}
