package casetype

import (
	"encoding/json"
	"strconv"
	"strings"
)

// Equal reports whether two values of data are the same. Numbers are the same
// whatever their spelling: 10, 10.0 and 1e1. They are compared exactly, however
// large they are.
func Equal(a, b any) bool {
	switch a := a.(type) {
	case map[string]any:
		b, ok := b.(map[string]any)
		if !ok || len(a) != len(b) {
			return false
		}
		for name, value := range a {
			other, there := b[name]
			if !there || !Equal(value, other) {
				return false
			}
		}
		return true
	case []any:
		b, ok := b.([]any)
		if !ok || len(a) != len(b) {
			return false
		}
		for i := range a {
			if !Equal(a[i], b[i]) {
				return false
			}
		}
		return true
	case json.Number:
		b, ok := b.(json.Number)
		return ok && (a == b || plainNumber(string(a)) == plainNumber(string(b)))
	}
	return a == b
}

// exactNumber is a number as digits × 10^exponent, without zeros at either end of the
// digits, so that equal numbers are equal values. Zero has no digits.
type exactNumber struct {
	negative bool
	digits   string
	exponent int64
}

// plainNumber reads a JSON number. It costs no more than the text is long: the
// exponent is never carried out.
func plainNumber(text string) exactNumber {
	var d exactNumber
	d.digits, d.negative = strings.CutPrefix(text, "-")
	mantissa, exponent, _ := strings.Cut(strings.ToLower(d.digits), "e")
	n, err := strconv.ParseInt(exponent, 10, 32)
	if err != nil && exponent != "" {
		return exactNumber{digits: text} // out of all bounds: it is equal to its own spelling
	}
	whole, fraction, _ := strings.Cut(mantissa, ".")
	d.digits = strings.TrimLeft(whole+fraction, "0")
	d.exponent = n - int64(len(fraction))
	trimmed := strings.TrimRight(d.digits, "0")
	d.exponent += int64(len(d.digits) - len(trimmed))
	if d.digits = trimmed; trimmed == "" {
		return exactNumber{}
	}
	return d
}
