package expression

import (
	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"golang.org/x/text/unicode/norm"
)

// Texts are the same if readers can't tell them apart. So an expression computes with texts in their
// canonical composition (NFC): its own, those of the values that it is given, and its results.

// composed returns a value, and a text or texts in their canonical composition.
func composed(v any) any {
	switch v := v.(type) {
	case string:
		return norm.NFC.String(v)
	case []string:
		out := make([]string, len(v))
		for i, text := range v {
			out[i] = norm.NFC.String(text)
		}
		return out
	}
	return v
}

// composedName returns the name of a part of an object, composed, unless another part
// has that very name.
func composedName(name string, in map[string]any) string {
	if norm.NFC.IsNormalString(name) {
		return name
	}
	composed := norm.NFC.String(name)
	if _, taken := in[composed]; taken {
		return name
	}
	return composed
}

// composedValue is composed for a value of CEL.
func composedValue(v ref.Val) ref.Val {
	if text, ok := v.(types.String); ok && !norm.NFC.IsNormalString(string(text)) {
		return types.String(norm.NFC.String(string(text)))
	}
	return v
}

// composeTexts composes the texts that an expression is written with.
func composeTexts(e ast.Expr) {
	factory := ast.NewExprFactory()
	ast.PostOrderVisit(e, ast.NewExprVisitor(func(e ast.Expr) {
		if e.Kind() == ast.LiteralKind {
			e.SetKindCase(factory.NewLiteral(e.ID(), composedValue(e.AsLiteral())))
		}
	}))
}
