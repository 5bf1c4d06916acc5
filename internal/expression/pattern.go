package expression

import (
	"errors"
	"fmt"
	"regexp"
	"regexp/syntax"

	"cel.dev/cel-go/common"
	"cel.dev/cel-go/common/ast"
)

// maxPattern bounds a regular expression, in instructions of its program: the
// time that a match takes grows with it.
const maxPattern = 500

// patternProblem returns why an expression's pattern for matches() can't be used, and where it is, or "". A pattern
// that is not a literal can't be checked beforehand, and is refused.
func patternProblem(a *ast.AST) (message string) {
	ast.PreOrderVisit(a.Expr(), ast.NewExprVisitor(func(e ast.Expr) {
		if e.Kind() != ast.CallKind || e.AsCall().FunctionName() != "matches" || message != "" {
			return
		}
		args := e.AsCall().Args()
		pattern := args[len(args)-1]
		if problem := refusal(pattern); problem != "" {
			at := startOf(a.SourceInfo(), pattern)
			message = fmt.Sprintf("has a pattern for matches() at line %d, column %d that %s", at.Line(),
				at.Column()+1, problem)
		}
	}))
	return message
}

// startOf returns the location of an expression's first character. The location that CEL
// has for an expression with an operator is the operator's.
func startOf(info *ast.SourceInfo, e ast.Expr) common.Location {
	first := info.GetStartLocation(e.ID())
	ast.PreOrderVisit(e, ast.NewExprVisitor(func(part ast.Expr) {
		at := info.GetStartLocation(part.ID())
		if at != common.NoLocation && (at.Line() < first.Line() || at.Line() == first.Line() && at.Column() < first.Column()) {
			first = at
		}
	}))
	return first
}

// refusal returns why a pattern can't be used, or "".
func refusal(pattern ast.Expr) string {
	if pattern.Kind() != ast.LiteralKind {
		return "is not a literal; write the pattern into the expression"
	}
	text, _ := pattern.AsLiteral().Value().(string)
	parsed, err := syntax.Parse(text, syntax.Perl)
	if err != nil {
		return "is not a regular expression that RE2 accepts: " + reason(err)
	}
	program, err := syntax.Compile(parsed.Simplify())
	if err != nil || len(program.Inst) > maxPattern {
		return "is too large; repeat less"
	}
	return ""
}

// The beginnings of the parts that no pattern can have.
var (
	lookaround    = regexp.MustCompile(`^\(\?<?[=!]`)
	backreference = regexp.MustCompile(`^\\[1-9]`)
)

// reason describes the error in a pattern, and quotes the wrong part.
func reason(err error) string {
	var wrong *syntax.Error
	if !errors.As(err, &wrong) {
		return err.Error()
	}
	why, part := wrong.Code.String(), wrong.Expr
	switch {
	case lookaround.MatchString(part):
		why = "it looks ahead or behind, which is not supported"
	case backreference.MatchString(part):
		why = "it refers back to a group, which is not supported"
	}
	return fmt.Sprintf("%s: %.100q", why, part)
}
