package expression

import (
	"regexp/syntax"
	"strconv"

	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/cost"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/common/types/traits"
)

// ordinary estimates values before there are any: as they are in most cases.
type ordinary struct{}

// The sizes of ordinary values.
const (
	ordinaryText  = 200 // bytes
	ordinaryItems = 50  // of a list or map
)

func (ordinary) EstimateSize(n cost.AstNode) *cost.SizeEstimate {
	switch n.Type().Kind() {
	case types.StringKind, types.BytesKind:
		return &cost.SizeEstimate{Max: ordinaryText}
	}
	return &cost.SizeEstimate{Max: ordinaryItems}
}

func (ordinary) EstimateCallCost(string, string, *cost.AstNode, []cost.AstNode) *cost.CallEstimate {
	return nil
}

// weigher charges for what calls really work on, which CEL takes for little where
// it does not know the types beforehand: text that is read or made, and lists and
// maps that are searched or compared, with all that is in them.
type weigher struct{}

func (weigher) CallCost(function, _ string, args []ref.Val, result ref.Val) *uint64 {
	var weight uint64
	switch function {
	case "_==_", "_!=_", "@in":
		for _, arg := range args {
			weight += weigh(arg, maxWeight)
		}
	default:
		for _, arg := range append(args[:len(args):len(args)], result) {
			weight += textWeight(arg)
		}
	}
	if function == "matches" && len(args) == 2 {
		weight *= 1 + textWeight(args[1])/4
	}
	if weight == 0 {
		return nil // what CEL takes is right
	}
	weight = 1 + weight/10
	return &weight
}

// maxWeight is more than any limit of cost allows.
const maxWeight = 10_000_000

// weigh counts bytes of text and items in a value; most bounds its own work.
func weigh(v ref.Val, most uint64) uint64 {
	weight := 1 + textWeight(v)
	switch v := v.(type) {
	case traits.Lister:
		n, _ := v.Size().(types.Int)
		for i := types.Int(0); i < n && weight < most; i++ {
			weight += weigh(v.Get(i), most-weight)
		}
	case traits.Mapper:
		for it := v.Iterator(); it.HasNext() == types.True && weight < most; {
			key := it.Next()
			weight += textWeight(key) + weigh(v.Get(key), most-weight)
		}
	}
	return weight
}

func textWeight(v ref.Val) uint64 {
	switch v := v.(type) {
	case types.String:
		return uint64(len(v))
	case types.Bytes:
		return uint64(len(v))
	}
	return 0
}

// maxPattern bounds a regular expression, in instructions of its program: the
// time that a match takes grows with it.
const maxPattern = 500

// patternProblem refuses regular expressions that are not written in the
// expression, so that they can be judged beforehand, and those that are too large.
func patternProblem(e ast.Expr) (message string) {
	ast.PreOrderVisit(e, ast.NewExprVisitor(func(e ast.Expr) {
		if e.Kind() != ast.CallKind || e.AsCall().FunctionName() != "matches" || message != "" {
			return
		}
		args := e.AsCall().Args()
		pattern := args[len(args)-1]
		if pattern.Kind() != ast.LiteralKind {
			message = "takes a pattern for matches() out of data; write the pattern into the expression"
			return
		}
		text, _ := pattern.AsLiteral().Value().(string)
		parsed, err := syntax.Parse(text, syntax.Perl)
		if err != nil {
			message = "has a pattern for matches() that is no regular expression: " + strconv.Quote(text)
			return
		}
		program, err := syntax.Compile(parsed.Simplify())
		if err != nil || len(program.Inst) > maxPattern {
			message = "has a pattern for matches() that is too large; repeat less"
		}
	}))
	return message
}
