package casetype

import (
	"encoding/json"
	"maps"
	"math/big"
	"slices"
	"strings"

	"github.com/casehook/casehook/internal/expression"
)

// bounds are the pairs of keywords for a least and a greatest value.
var bounds = [][2]string{
	{"minimum", "maximum"}, {"minLength", "maxLength"}, {"minItems", "maxItems"}, {"minProperties", "maxProperties"},
}

// applies maps a keyword to the kinds of values that it has an effect on.
var applies = map[string]expression.Kinds{
	"minimum": expression.NumberKind, "maximum": expression.NumberKind, "exclusiveMinimum": expression.NumberKind,
	"exclusiveMaximum": expression.NumberKind, "multipleOf": expression.NumberKind,
	"minLength": expression.TextKind, "maxLength": expression.TextKind, "pattern": expression.TextKind,
	"format":   expression.TextKind,
	"minItems": expression.ListKind, "maxItems": expression.ListKind, "uniqueItems": expression.ListKind,
	"items":      expression.ListKind,
	"properties": expression.ObjectKind, "required": expression.ObjectKind, "minProperties": expression.ObjectKind,
	"maxProperties": expression.ObjectKind,
}

// checkBounds warns of bounds that exclude every value, and of keywords that have no effect beside the
// type.
func (c *checker) checkBounds(v any, path string) {
	s := object(v)
	if c.stored || !c.spend(20+len(s)) {
		return
	}
	for _, pair := range bounds {
		least, most := rational(s[pair[0]]), rational(s[pair[1]])
		if least != nil && most != nil && least.Cmp(most) > 0 {
			c.warn(pointer(path, pair[0]), "is above %s, so that no value fits", pair[1])
		}
	}
	if kinds := typesOf(s["type"]); kinds != 0 {
		for _, keyword := range slices.Sorted(maps.Keys(s)) {
			of := applies[keyword]
			if of == expression.NumberKind && hasValue(s) {
				continue
			}
			if of != 0 && of&kinds == 0 {
				c.warn(pointer(path, keyword), "has no effect: it judges %s, and this is %s%s", of, kinds,
					instead(keyword, kinds))
			}
		}
	}
	for at, sub := range subschemas(s, path) {
		c.checkBounds(sub, at)
	}
}

// hasValue reports whether the texts that a schema describes have a value, which bounds judge.
func hasValue(s map[string]any) bool {
	t, known := valueTypes[text(s[typeKeyword])]
	return known && t.form.Value != nil
}

// typesOf returns the kinds that the keyword type lists, or 0.
func typesOf(v any) (kinds expression.Kinds) {
	if one, ok := v.(string); ok {
		return kindsOfTypes[one]
	}
	for _, one := range items(v) {
		kinds |= kindsOfTypes[text(one)]
	}
	return kinds
}

// instead returns the keyword that bounds values of the given kinds as keyword bounds others.
func instead(keyword string, kinds expression.Kinds) string {
	end := strings.ToLower(keyword[:min(3, len(keyword))])
	if end != "min" && end != "max" {
		return ""
	}
	switch kinds {
	case expression.NumberKind:
		return "; write " + end + "imum"
	case expression.TextKind:
		return "; write " + end + "Length"
	case expression.ListKind:
		return "; write " + end + "Items"
	}
	return ""
}

// maxBoundLength limits a bound that is compared, in bytes.
const maxBoundLength = 40

// rational returns v as an exact number, or nil if it is not a number or too long to compare.
func rational(v any) *big.Rat {
	n, ok := v.(json.Number)
	if !ok || len(n) > maxBoundLength || strings.ContainsAny(string(n), "eE") {
		return nil
	}
	r, ok := new(big.Rat).SetString(string(n))
	if !ok {
		return nil
	}
	return r
}
