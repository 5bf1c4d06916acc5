package expression

import (
	"regexp"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/operators"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/common/types/traits"
	"cel.dev/cel-go/interpreter"
)

// CEL computes with two ints or with two doubles, and compares an int with a double by converting it. Here
// every operator accepts any two numbers, and compares them by value.

// mixed declares operators over two types of numbers, which CEL does not have.
func mixed() (options []cel.EnvOption) {
	numbers := map[string]*cel.Type{"int64": cel.IntType, "uint64": cel.UintType, "double": cel.DoubleType}
	for function, name := range map[string]string{
		operators.Add: "add", operators.Subtract: "subtract", operators.Multiply: "multiply",
		operators.Divide: "divide", operators.Modulo: "modulo",
	} {
		var overloads []cel.FunctionOpt
		for a, left := range numbers {
			for b, right := range numbers {
				if a != b || a == "double" && function == operators.Modulo {
					overloads = append(overloads, cel.Overload(name+"_"+a+"_"+b, []*cel.Type{left, right}, cel.DynType))
				}
			}
		}
		options = append(options, cel.Function(function, overloads...))
	}
	return options
}

// unlike matches CEL's refusal to compare numbers of two types that it knows, which no declaration can
// allow.
var unlike = regexp.MustCompile(
	`^found no matching overload for '(_==_|_!=_|@in)' applied to ` +
		`'\((int|uint|double), (list\()?(int|uint|double)\)?\)'`)

// compareUnlike hides from CEL the types of numbers that it refuses to compare, and reports whether there
// were any.
func compareUnlike(e ast.Expr, issues []*cel.Error) bool {
	refused := map[int64]bool{}
	for _, issue := range issues {
		if unlike.MatchString(issue.Message) {
			refused[issue.ExprID] = true
		}
	}
	factory, next := ast.NewExprFactory(), ast.MaxID(ast.NewAST(e, nil))
	ast.PostOrderVisit(e, ast.NewExprVisitor(func(e ast.Expr) {
		if e.Kind() != ast.CallKind || !refused[e.ID()] {
			return
		}
		left := factory.CopyExpr(e.AsCall().Args()[0])
		hidden := factory.NewCall(next, "dyn", left)
		e.SetKindCase(factory.NewCall(e.ID(), e.AsCall().FunctionName(), hidden, e.AsCall().Args()[1]))
		next++
	}))
	return len(refused) != 0
}

// operation is an operator between two values.
type operation struct {
	interpreter.InterpretableV2 // as CEL planned it
	call                        interpreter.InterpretableCall
	left, right                 interpreter.InterpretableV2
}

// operate replaces operators by ones that accept any numbers.
func operate(i interpreter.InterpretableV2) (interpreter.InterpretableV2, error) {
	call, ok := i.(interpreter.InterpretableCall)
	if !ok || len(call.Args()) != 2 {
		return i, nil
	}
	switch call.Function() {
	case operators.Add, operators.Subtract, operators.Multiply, operators.Divide, operators.Modulo,
		operators.Less, operators.LessEquals, operators.Greater, operators.GreaterEquals,
		operators.Equals, operators.NotEquals, operators.In:
		return operation{i, call, call.Args()[0], call.Args()[1]}, nil
	}
	return i, nil
}

func (o operation) Exec(frame *interpreter.ExecutionFrame) ref.Val {
	left := o.left.Exec(frame)
	if types.IsUnknownOrError(left) {
		return left
	}
	right := o.right.Exec(frame)
	if types.IsUnknownOrError(right) {
		return right
	}
	result := apply(o.call.Function(), left, right)
	if tracker := frame.CostTracker(); tracker != nil {
		tracker.EvalBinary(frame, o.ID(), o.call, left, right, result)
	}
	return result
}

func (o operation) Eval(a interpreter.Activation) ref.Val {
	return interpreter.EvalActivation(a, o.Exec)
}

// apply computes an operator with two values. Concatenated texts are composed anew.
func apply(function string, a, b ref.Val) ref.Val {
	a, b = composedValue(a), composedValue(b)
	switch function {
	case operators.Equals:
		return types.Bool(equal(a, b))
	case operators.NotEquals:
		return types.Bool(!equal(a, b))
	case operators.In:
		return contains(b, a)
	case operators.Less, operators.LessEquals, operators.Greater, operators.GreaterEquals:
		return ordered(function, a, b)
	}
	if isNumber(a) && isNumber(b) {
		return compute(function, a, b)
	}
	return composedValue(arithmetic(function, a, b))
}

// equal compares two values, with numbers by value in lists and maps, too.
func equal(a, b ref.Val) bool {
	if isNumber(a) && isNumber(b) {
		order, ok := compareNumbers(a, b)
		return ok && order == 0
	}
	a, b = composedValue(a), composedValue(b)
	switch a := a.(type) {
	case traits.Lister:
		b, ok := b.(traits.Lister)
		return ok && equalLists(a, b)
	case traits.Mapper:
		b, ok := b.(traits.Mapper)
		return ok && equalMaps(a, b)
	}
	return types.Equal(a, b) == types.True
}

func equalLists(a, b traits.Lister) bool {
	n, _ := a.Size().(types.Int)
	if a.Size() != b.Size() {
		return false
	}
	for i := range n {
		if !equal(a.Get(i), b.Get(i)) {
			return false
		}
	}
	return true
}

func equalMaps(a, b traits.Mapper) bool {
	if a.Size() != b.Size() {
		return false
	}
	for it := a.Iterator(); it.HasNext() == types.True; {
		key := it.Next()
		other, found := b.Find(key)
		if !found || !equal(a.Get(key), other) {
			return false
		}
	}
	return true
}

// contains reports whether a list has an item, or a map a key.
func contains(in, item ref.Val) ref.Val {
	switch in := in.(type) {
	case traits.Lister:
		n, _ := in.Size().(types.Int)
		for i := range n {
			if equal(in.Get(i), item) {
				return types.True
			}
		}
		return types.False
	case traits.Container:
		return in.Contains(item)
	}
	return errOverload
}

// ordered compares two numbers, or two other values with an order.
func ordered(function string, a, b ref.Val) ref.Val {
	order, ok := 0, false
	if isNumber(a) && isNumber(b) {
		if order, ok = compareNumbers(a, b); !ok {
			return types.NewErr("NaN values cannot be ordered")
		}
	} else {
		left, comparable := a.(traits.Comparer)
		if !comparable {
			return errOverload
		}
		result := left.Compare(b)
		n, ok := result.(types.Int)
		if !ok {
			return result
		}
		order = int(n)
	}
	switch function {
	case operators.Less:
		return types.Bool(order < 0)
	case operators.LessEquals:
		return types.Bool(order <= 0)
	case operators.Greater:
		return types.Bool(order > 0)
	}
	return types.Bool(order >= 0)
}

// arithmetic computes as CEL does, with two values of matching types.
func arithmetic(function string, a, b ref.Val) ref.Val {
	switch function {
	case operators.Add:
		if a, ok := a.(traits.Adder); ok {
			return a.Add(b)
		}
	case operators.Subtract:
		if a, ok := a.(traits.Subtractor); ok {
			return a.Subtract(b)
		}
	case operators.Multiply:
		if a, ok := a.(traits.Multiplier); ok {
			return a.Multiply(b)
		}
	case operators.Divide:
		if a, ok := a.(traits.Divider); ok {
			return a.Divide(b)
		}
	case operators.Modulo:
		if a, ok := a.(traits.Modder); ok {
			return a.Modulo(b)
		}
	}
	return errOverload
}
