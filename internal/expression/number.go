package expression

import (
	"encoding/json"
	"errors"
	"math"
	"math/big"
	"reflect"
	"strconv"

	"cel.dev/cel-go/common/operators"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
)

// The bounds of exact computation.
const (
	maxExact = 1 << 53 // up to here, doubles represent all whole numbers
	maxWide  = 4096    // bits of a wide number; longer ones are rounded
)

// wideNumber is a number that no double represents: an integer above 2^53, or a number beyond the range. Its
// type is double, and it is compared exactly.
type wideNumber struct{ rat *big.Rat }

func (w wideNumber) ConvertToNative(reflect.Type) (any, error) {
	return nil, errors.New("a wide number has no native form")
}

func (w wideNumber) ConvertToType(t ref.Type) ref.Val {
	switch t {
	case types.DoubleType:
		return rounded(w.rat)
	case types.IntType:
		if w.rat.IsInt() && w.rat.Num().IsInt64() {
			return types.Int(w.rat.Num().Int64())
		}
		return types.NewErr("integer overflow")
	case types.StringType:
		if w.rat.IsInt() {
			return types.String(w.rat.Num().String())
		}
		return types.String(w.rat.RatString())
	case types.TypeType:
		return types.DoubleType
	}
	return types.NewErr("no such overload")
}

func (w wideNumber) Equal(other ref.Val) ref.Val { return types.Bool(equal(w, other)) }
func (w wideNumber) Type() ref.Type              { return types.DoubleType }
func (w wideNumber) Value() any                  { return w.rat }
func (w wideNumber) Negate() ref.Val             { return wideNumber{new(big.Rat).Neg(w.rat)} }

// number reads a number of JSON: as an int if the definition calls it an integer, otherwise as a double, whatever
// its spelling. An integer that a double would round is kept exactly.
func number(n json.Number, integer bool) any {
	text := string(n)
	if i, err := strconv.ParseInt(text, 10, 64); err == nil && (integer || exact(i)) {
		if integer {
			return i
		}
		return float64(i)
	}
	f, _ := strconv.ParseFloat(text, 64)
	if !integer && f != 0 && math.Abs(f) < maxExact {
		return f
	}
	rat := ratOf(text)
	switch {
	case rat == nil:
		return f
	case integer && rat.IsInt() && rat.Num().IsInt64():
		return rat.Num().Int64()
	}
	return number64(rat)
}

// number64 returns a number as a double if that is exact, and an integer or a number out of range as a
// wide one; any other is rounded.
func number64(rat *big.Rat) ref.Val {
	f, same := rat.Float64() // it reports that 0 equals a small power of two
	inRange := !math.IsInf(f, 0) && (f != 0 || rat.Sign() == 0)
	if inRange && (same || !rat.IsInt()) {
		return types.Double(f)
	}
	return wideNumber{rat}
}

// NumberText writes a number for people, the same whatever its spelling, in digits if these are few.
func NumberText(n json.Number) string {
	const most = 40 // digits behind the point, and half of all
	rat := ratOf(string(n))
	if rat == nil {
		return string(n)
	}
	places, exact := rat.FloatPrec()
	if exact && places <= most {
		if text := rat.FloatString(places); len(text) <= 2*most {
			return text
		}
	}
	return string(n)
}

func exact(i int64) bool { return -maxExact <= i && i <= maxExact }

// ratOf reads a number exactly; it returns nil if the number is too long or too far from 1.
func ratOf(text string) *big.Rat {
	const longest, furthest = 400, 1000 // digits, and powers of ten
	for i := range len(text) {
		if text[i] == 'e' || text[i] == 'E' {
			if e, err := strconv.Atoi(text[i+1:]); err != nil || e > furthest || e < -furthest {
				return nil
			}
			break
		}
		if i > longest {
			return nil
		}
	}
	rat, _ := new(big.Rat).SetString(text)
	return rat
}

// isNumber reports whether CEL computes with a value.
func isNumber(v ref.Val) bool {
	switch v.(type) {
	case types.Int, types.Uint, types.Double, wideNumber:
		return true
	}
	return false
}

func isWide(v ref.Val) bool { _, ok := v.(wideNumber); return ok }

// isInt reports whether quotients of the number are integers.
func isInt(v ref.Val) bool {
	switch v.(type) {
	case types.Int, types.Uint:
		return true
	}
	return false
}

// double returns a number as a double, if that is exact.
func double(v ref.Val) (float64, bool) {
	switch v := v.(type) {
	case types.Double:
		return float64(v), true
	case types.Int:
		return float64(v), exact(int64(v))
	}
	return 0, false
}

// rational returns the value of a number that is neither infinite nor NaN.
func rational(v ref.Val) *big.Rat {
	switch v := v.(type) {
	case types.Int:
		return new(big.Rat).SetInt64(int64(v))
	case types.Uint:
		return new(big.Rat).SetUint64(uint64(v))
	case types.Double:
		return new(big.Rat).SetFloat64(float64(v))
	case wideNumber:
		return v.rat
	}
	return nil
}

// compareNumbers compares two numbers by value; it returns false if one is NaN.
func compareNumbers(a, b ref.Val) (order int, ok bool) {
	i, aInt := a.(types.Int)
	j, bInt := b.(types.Int)
	if aInt && bInt {
		return compareOrdered(i, j), true
	}
	x, aDouble := double(a)
	y, bDouble := double(b)
	if aDouble && bDouble {
		return compareOrdered(x, y), x == x && y == y
	}
	p, q := rational(a), rational(b)
	switch { // a number without a rational value is a double: infinite, or NaN
	case p == nil:
		return compareOrdered(x, 0), x == x
	case q == nil:
		return compareOrdered(0, y), y == y
	}
	return p.Cmp(q), true
}

func compareOrdered[T types.Int | float64](a, b T) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

var (
	errDivision = types.NewErr("division by zero")
	errModulus  = types.NewErr("modulus by zero")
	errRange    = types.NewErr("number out of range")
	errOverload = types.NewErr("no such overload")
)

// compute adds, subtracts, multiplies or divides two numbers. The result of two ints is an int; any other
// is a double, which is rounded once.
func compute(function string, a, b ref.Val) ref.Val {
	if order, ok := compareNumbers(b, types.IntZero); ok && order == 0 {
		switch function {
		case operators.Divide:
			return errDivision
		case operators.Modulo:
			return errModulus
		}
	}
	whole := isInt(a) && isInt(b)
	if whole {
		if result := arithmetic(function, a, b); !types.IsError(result) {
			return result
		}
	}
	x, aDouble := double(a)
	y, bDouble := double(b)
	if aDouble && bDouble && !whole {
		return computeDoubles(function, x, y)
	}
	p, q := rational(a), rational(b)
	if p == nil || q == nil {
		return errRange
	}
	return computeRationals(function, p, q, whole)
}

func computeDoubles(function string, x, y float64) ref.Val {
	var result float64
	switch function {
	case operators.Add:
		result = x + y
	case operators.Subtract:
		result = x - y
	case operators.Multiply:
		result = x * y
	case operators.Divide:
		result = x / y
	case operators.Modulo:
		result = math.Mod(x, y)
	}
	if result-result != 0 && x-x == 0 && y-y == 0 {
		return errRange
	}
	return types.Double(result)
}

// computeRationals computes exactly. Integers stay integers: a quotient loses its fraction, and the result
// is an int if it fits one.
func computeRationals(function string, p, q *big.Rat, whole bool) ref.Val {
	result := new(big.Rat)
	switch function {
	case operators.Add:
		result.Add(p, q)
	case operators.Subtract:
		result.Sub(p, q)
	case operators.Multiply:
		result.Mul(p, q)
	case operators.Divide:
		result.Quo(p, q)
		if whole {
			result = truncated(result)
		}
	case operators.Modulo:
		result.Sub(p, result.Mul(q, truncated(new(big.Rat).Quo(p, q))))
	}
	switch {
	case whole && result.Num().IsInt64():
		return types.Int(result.Num().Int64())
	case result.Num().BitLen() > maxWide || result.Denom().BitLen() > maxWide:
		return rounded(result)
	}
	return number64(result)
}

func truncated(rat *big.Rat) *big.Rat {
	return new(big.Rat).SetInt(new(big.Int).Quo(rat.Num(), rat.Denom()))
}

// rounded returns the double next to a number.
func rounded(rat *big.Rat) ref.Val {
	f, _ := rat.Float64()
	if math.IsInf(f, 0) {
		return errRange
	}
	return types.Double(f)
}
