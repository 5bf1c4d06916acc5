package expression

import (
	"slices"

	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/operators"
)

// readWhole lists the names that an expression reads otherwise than by a member which it spells, sorted.
func readWhole(e ast.Expr) (whole []string) {
	ofMember := map[int64]bool{} // the expressions of which a member is read
	ast.PreOrderVisit(e, ast.NewExprVisitor(func(e ast.Expr) {
		switch e.Kind() {
		case ast.SelectKind:
			ofMember[e.AsSelect().Operand().ID()] = true
		case ast.CallKind:
			args := e.AsCall().Args()
			if len(args) != 2 {
				return
			}
			if _, spelt := literalText(args[1]); spelt && e.AsCall().FunctionName() == operators.Index {
				ofMember[args[0].ID()] = true
			}
			if _, spelt := literalText(args[0]); spelt && e.AsCall().FunctionName() == operators.In {
				ofMember[args[1].ID()] = true
			}
		case ast.IdentKind:
			if !ofMember[e.ID()] {
				whole = append(whole, e.AsIdent())
			}
		}
	}))
	slices.Sort(whole)
	return slices.Compact(whole)
}
