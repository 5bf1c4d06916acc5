package schema

import (
	"cmp"
	"encoding/json"
	"fmt"
	"math/big"
	"strconv"
	"strings"
)

// decimal is a number as digits × 10^exponent, without zeros at either end of the
// digits, so that equal numbers are equal values. Zero has no digits.
type decimal struct {
	negative bool
	digits   string
	exponent int64
}

// parse reads a JSON number. Its cost is linear in the length of the text: the exponent is never expanded.
func parse(text string) decimal {
	var d decimal
	d.digits, d.negative = strings.CutPrefix(text, "-")
	mantissa, power := d.digits, ""
	if at := strings.IndexAny(mantissa, "eE"); at >= 0 {
		mantissa, power = mantissa[:at], mantissa[at+1:]
	}
	var n int64
	if power != "" {
		var err error
		if n, err = strconv.ParseInt(power, 10, 32); err != nil {
			return decimal{digits: text} // out of all bounds: it equals its own spelling alone
		}
	}
	whole, fraction, isFraction := strings.Cut(mantissa, ".")
	if isFraction {
		whole += fraction
	}
	d.digits = strings.TrimLeft(whole, "0")
	trimmed := strings.TrimRight(d.digits, "0")
	d.exponent = n - int64(len(fraction)) + int64(len(d.digits)-len(trimmed))
	if d.digits = trimmed; trimmed == "" {
		return decimal{}
	}
	return d
}

// mostSortable bounds the digits of a number that SortableNumber compares.
const mostSortable = 200

// SortableNumber returns a text whose order, byte by byte, is that of the numbers. Numbers that differ only behind
// their first 200 digits have the same text. It is false for a text that is no number, or one beyond all bounds.
func SortableNumber(n json.Number) (string, bool) {
	const bias = 50_000
	d := parse(string(n))
	point := int64(len(d.digits)) + d.exponent + bias // behind this many digits
	switch {
	case d.digits == "":
		return "1", true
	case point < 0 || point >= 2*bias || strings.Trim(d.digits, "0123456789") != "":
		return "", false
	}
	form := fmt.Sprintf("%05d%s", point, d.digits[:min(len(d.digits), mostSortable)])
	if !d.negative {
		return "2" + form, true
	}
	return "0" + strings.Map(func(digit rune) rune { return '0' + '9' - digit }, form) + "~", true
}

// numberOf reads a number of any of the types that values have.
func numberOf(value any) decimal {
	switch value := value.(type) {
	case json.Number:
		return parse(string(value))
	case int:
		return parse(strconv.Itoa(value))
	case int64:
		return parse(strconv.FormatInt(value, 10))
	}
	return parse(fmt.Sprint(value))
}

func (d decimal) isInteger() bool { return d.exponent >= 0 }

// compare orders two numbers.
func (d decimal) compare(other decimal) int {
	if d.sign() != other.sign() {
		return cmp.Compare(d.sign(), other.sign())
	}
	order := cmp.Compare(int64(len(d.digits))+d.exponent, int64(len(other.digits))+other.exponent)
	if order == 0 {
		order = cmp.Compare(d.digits, other.digits)
	}
	if d.negative {
		return -order
	}
	return order
}

func (d decimal) sign() int {
	switch {
	case d.digits == "":
		return 0
	case d.negative:
		return -1
	}
	return 1
}

// length returns the number of digits of the number without an exponent.
func (d decimal) length() int { return len(d.digits) + int(max(d.exponent, -d.exponent)) }

// limit is a number in a schema.
type limit struct {
	decimal
	text string // as it was written
}

func newLimit(value any) *limit {
	if kindOf(value) != number {
		return nil
	}
	return &limit{numberOf(value), fmt.Sprint(value)}
}

// divides reports whether a number is a multiple of the limit.
func (l *limit) divides(text string) bool {
	if l.digits == "1" && l.exponent == 0 {
		return parse(text).isInteger()
	}
	n, ok := new(big.Rat).SetString(text)
	by, known := new(big.Rat).SetString(l.text)
	return ok && known && by.Sign() != 0 && n.Quo(n, by).IsInt()
}

// String returns the limit for people.
func (l *limit) String() string {
	r, ok := new(big.Rat).SetString(l.text)
	if !ok {
		return l.text
	}
	if digits, exact := r.FloatPrec(); exact && digits <= 20 {
		if text := r.FloatString(digits); len(text) <= 40 {
			return text
		}
	}
	f, _ := new(big.Float).SetRat(r).Float64()
	return fmt.Sprint(f)
}
