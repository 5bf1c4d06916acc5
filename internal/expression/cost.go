package expression

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/cost"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/common/types/traits"
	"cel.dev/cel-go/interpreter"
)

// estimator estimates the sizes of values at compile time by those that are usual.
type estimator struct{}

// The sizes of ordinary values.
const (
	ordinaryText  = 200 // bytes
	ordinaryItems = 50  // of a list or map
)

func (estimator) EstimateSize(n cost.AstNode) *cost.SizeEstimate {
	switch n.Type().Kind() {
	case types.StringKind, types.BytesKind:
		return &cost.SizeEstimate{Max: ordinaryText}
	}
	return &cost.SizeEstimate{Max: ordinaryItems}
}

func (estimator) EstimateCallCost(string, string, *cost.AstNode, []cost.AstNode) *cost.CallEstimate {
	return nil
}

// weigher charges for the real work of calls that CEL underestimates where it does not know types
// beforehand: text that is read or made, and lists and maps that are searched, compared or made, with
// their contents.
type weigher struct {
	most uint64 // a cost above the limit
}

// CallCost returns nil where CEL's own cost is right.
func (w weigher) CallCost(function, _ string, args []ref.Val, result ref.Val) *uint64 {
	var weight uint64
	switch function {
	case "_==_", "_!=_", "@in", making:
		s := scale{most: w.most}
		for _, arg := range args {
			s.put(arg)
		}
		weight = s.weight
	default:
		for _, arg := range append(args[:len(args):len(args)], result) {
			weight += textWeight(arg)
		}
	}
	if slices.ContainsFunc(args, isWide) {
		weight += wideWeight
	}
	if function == "matches" && len(args) == 2 {
		weight *= 1 + textWeight(args[1])/4
	}
	if weight == 0 {
		return nil
	}
	weight = 1 + weight/10
	return &weight
}

// wideWeight is the cost of computing with a wide number, in bytes of text.
const wideWeight = 500

// making names the calls that charge for making lists and maps.
const making = "@making"

// maker makes a list or map, and charges for it with its contents. The contents are often shared, so that
// they are far larger than the memory that was allocated; their size must be known before anything walks
// through them.
type maker struct {
	interpreter.InterpretableConstructor
}

// charge replaces constructors of lists and maps, unless these are constants, by makers.
func charge(i interpreter.InterpretableV2) (interpreter.InterpretableV2, error) {
	c, ok := i.(interpreter.InterpretableConstructor)
	varies := func(part interpreter.InterpretableV2) bool {
		_, ok := part.(interpreter.InterpretableConst)
		return !ok
	}
	if !ok || !slices.ContainsFunc(c.InitVals(), varies) {
		return i, nil
	}
	return maker{c}, nil
}

func (m maker) Exec(frame *interpreter.ExecutionFrame) ref.Val {
	made := m.InterpretableConstructor.Exec(frame)
	if tracker := frame.CostTracker(); tracker != nil && !types.IsUnknownOrError(made) {
		tracker.EvalUnary(nil, m.ID(), m, made, types.True)
	}
	return made
}

func (m maker) Eval(a interpreter.Activation) ref.Val { return interpreter.EvalActivation(a, m.Exec) }

func (maker) Function() string   { return making }
func (maker) OverloadID() string { return making }

// scale counts bytes of text and items in values; most bounds its work.
type scale struct{ weight, most uint64 }

func (s *scale) put(v ref.Val) {
	s.weight += 1 + textWeight(v)
	switch v := v.(type) {
	case traits.Lister:
		for it := v.Iterator(); it.HasNext() == types.True && s.weight < s.most; {
			s.put(it.Next())
		}
	case traits.Mapper:
		for it := v.Iterator(); it.HasNext() == types.True && s.weight < s.most; {
			key := it.Next()
			s.weight += textWeight(key)
			s.put(v.Get(key))
		}
	}
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

// The bounds of the work of type checking. The type of a loop's range may be several times as large as
// that of the loop around it.
const (
	maxLoops = 8
	maxType  = 1000   // the size of one
	maxTypes = 40_000 // the squares of the sizes of all types together
)

// Steps returns the cost of compiling an expression, in steps of 100 ns. It is much higher with lists and
// maps, since they may be nested.
func Steps(source string) int {
	return 100*min(len(source), 4*maxSource) + 1500*(strings.Count(source, "[")+strings.Count(source, "{"))
}

// unwieldy returns why the types of an expression are too large to check, or "".
func unwieldy(e ast.Expr) string {
	s := sizer{sizes: map[string]int{}}
	s.size(e)
	switch {
	case s.loops > maxLoops:
		return fmt.Sprintf("has %d loops (all, exists, exists_one, map, filter), more than the limit of %d; test "+
			"fewer things", s.loops, maxLoops)
	case s.total > maxTypes:
		return "builds nested lists and maps that are too large together; build fewer"
	}
	return ""
}

// sizer bounds the sizes of types before they are found.
type sizer struct {
	sizes        map[string]int // of the types of the variables of loops
	loops, total int
}

func (s *sizer) size(e ast.Expr) (n int) {
	switch e.Kind() {
	case ast.IdentKind:
		n = s.sizes[e.AsIdent()]
	case ast.SelectKind:
		n = s.size(e.AsSelect().Operand())
	case ast.CallKind:
		call := e.AsCall()
		if call.IsMemberFunction() {
			n = s.size(call.Target())
		}
		n = max(n, s.largest(call.Args()))
	case ast.ListKind:
		n = 1 + s.largest(e.AsList().Elements())
	case ast.MapKind:
		var keys, values []ast.Expr
		for _, entry := range e.AsMap().Entries() {
			keys, values = append(keys, entry.AsMapEntry().Key()), append(values, entry.AsMapEntry().Value())
		}
		n = 1 + s.largest(keys) + s.largest(values)
	case ast.StructKind:
		for _, field := range e.AsStruct().Fields() {
			s.size(field.AsStructField().Value())
		}
	case ast.ComprehensionKind:
		n = s.loop(e.AsComprehension())
	}
	n = min(max(n, 1), maxType)
	s.total += n * n
	return n
}

func (s *sizer) largest(all []ast.Expr) (n int) {
	for _, e := range all {
		n = max(n, s.size(e))
	}
	return n
}

func (s *sizer) loop(l ast.ComprehensionExpr) int {
	s.loops++
	outer := maps.Clone(s.sizes)
	defer func() { s.sizes = outer }()
	through := s.size(l.IterRange())
	made := s.size(l.AccuInit())
	s.sizes[l.IterVar()], s.sizes[l.AccuVar()] = through, made
	s.size(l.LoopCondition())
	s.sizes[l.AccuVar()] = max(made, s.size(l.LoopStep()))
	return s.size(l.Result())
}
