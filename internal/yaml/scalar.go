package yaml

import (
	"encoding/json"
	"fmt"
	"math/big"
	"regexp"
	"strconv"
	"strings"
)

// Plain scalars by the core schema of YAML 1.2 (10.3.2): 0o17 and 017 are numbers; 1_000,
// 0b11, yes and no are texts.
var (
	integer = regexp.MustCompile(`^([-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+)$`)
	float   = regexp.MustCompile(`^[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?$`)
)

func isNull(text string) bool {
	switch text {
	case "", "~", "null", "Null", "NULL":
		return true
	}
	return false
}

func isBoolean(text string) bool {
	switch text {
	case "true", "True", "TRUE", "false", "False", "FALSE":
		return true
	}
	return false
}

func isInteger(text string) bool { return mayBeNumber(text) && integer.MatchString(text) }

func isNumber(text string) bool {
	return mayBeNumber(text) && (float.MatchString(text) || integer.MatchString(text))
}

// mayBeNumber reports whether a text begins like a number. Most texts don't, and need no regular expression.
func mayBeNumber(text string) bool {
	return text != "" && strings.IndexByte("+-.0123456789", text[0]) >= 0
}

func isNotFinite(text string) bool {
	switch text {
	case ".nan", ".NaN", ".NAN":
		return true
	}
	if text != "" && (text[0] == '-' || text[0] == '+') {
		text = text[1:]
	}
	switch text {
	case ".inf", ".Inf", ".INF":
		return true
	}
	return false
}

// The tags of the core schema.
const (
	nullTag  = "!!null"
	boolTag  = "!!bool"
	intTag   = "!!int"
	floatTag = "!!float"
	textTag  = "!!str"
	mapTag   = "!!map"
	listTag  = "!!seq"
	mergeTag = "!!merge"
)

// plainTag returns the tag of a scalar without quotation marks and tag.
func plainTag(text string) string {
	switch {
	case isNull(text):
		return nullTag
	case isBoolean(text):
		return boolTag
	case isNumber(text), isNotFinite(text):
		return floatTag
	}
	return textTag
}

// scalarValue returns the value of a scalar that is not a text, or a message if it has none.
func scalarValue(tag, text string) (value any, message string) {
	switch tag {
	case nullTag:
		if isNull(text) {
			return nil, ""
		}
	case boolTag:
		if isBoolean(text) {
			return strings.EqualFold(text, "true"), ""
		}
	case intTag:
		if isInteger(text) {
			return number(text)
		}
	case floatTag:
		if isNumber(text) {
			return number(text)
		}
		if isNotFinite(text) {
			return json.Number("0"), "is not a number that JSON can hold"
		}
	default:
		return nil, unknownTag(tag)
	}
	return nil, fmt.Sprintf("has the tag %s, but no such value", tag)
}

// unknownTag returns the message for an unknown tag, which may be meant as the start of a text.
func unknownTag(tag string) string {
	message := fmt.Sprintf("has the tag %s, which means nothing here", tag)
	if !strings.HasPrefix(tag, "!!") {
		message += ": put a text that begins with ! in quotes"
	}
	return message
}

// number writes a YAML number as a JSON one, exactly.
func number(text string) (json.Number, string) {
	n := json.Number(text)
	switch {
	case len(text) > maxNumberLength:
	case strings.HasPrefix(text, "0o"), strings.HasPrefix(text, "0x"):
		if i, ok := new(big.Int).SetString(text, 0); ok {
			n = json.Number(i.String())
		}
	default:
		n = json.Number(decimal(text))
	}
	if message := NumberProblem(n); message != "" {
		return json.Number("0"), message
	}
	return n, ""
}

// decimal rewrites a decimal of YAML for JSON, which allows no plus signs, no leading zeros, and no empty
// side of the point.
func decimal(text string) string {
	text = strings.TrimPrefix(text, "+")
	unsigned, negative := strings.CutPrefix(text, "-")
	mantissa, exponent := unsigned, ""
	if i := strings.IndexAny(unsigned, "eE"); i != -1 {
		mantissa, exponent = unsigned[:i], unsigned[i:]
	}
	whole, fraction, _ := strings.Cut(mantissa, ".")
	if whole = strings.TrimLeft(whole, "0"); whole == "" {
		whole = "0"
	}
	if fraction != "" {
		whole += "." + fraction
	}
	if negative {
		whole = "-" + whole
	}
	return whole + exponent
}

// NumberProblem returns why a JSON number can't be kept exactly, or "".
func NumberProblem(n json.Number) string {
	mantissa, exponent, found := strings.Cut(strings.ToLower(string(n)), "e")
	if len(mantissa) > maxNumberLength {
		return fmt.Sprintf("is a number of more than %d digits", maxNumberLength)
	}
	if !found {
		return ""
	}
	e, err := strconv.Atoi(exponent)
	if err != nil || e > maxExponent || e < -maxExponent {
		return fmt.Sprintf("is a number beyond 10 to the power of %d", maxExponent)
	}
	return ""
}
