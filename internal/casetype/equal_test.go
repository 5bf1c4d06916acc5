package casetype

import (
	"encoding/json"
	"math/big"
	"strconv"
	"testing"

	"pgregory.net/rapid"
)

func TestEqualValuesAreEqualWhateverTheirSpelling(t *testing.T) {
	for _, same := range [][]string{
		{"10", "10.0", "1e1", "1E+1", "100e-1", "10.00", "0.1e2"},
		{"0", "-0", "0.0", "0e5", "-0.000e-7"},
		{"-2.5", "-25e-1", "-2.50"},
		{"9007199254740993", "9007199254740993.0", "9.007199254740993e15"},
		{"1e400", "10e399"},
		{"0.1", "1e-1", "0.10"},
	} {
		for _, a := range same {
			for _, b := range same {
				if !Equal(json.Number(a), json.Number(b)) {
					t.Errorf("%s and %s differ", a, b)
				}
			}
		}
	}
	for _, pair := range [][2]string{
		{"9007199254740993", "9007199254740992"}, {"1", "-1"}, {"1", "10"}, {"0.1", "0.10000000000000001"}, {"1e400", "1e401"},
		{"1e99999999999", "1e99999999998"},
	} {
		if Equal(json.Number(pair[0]), json.Number(pair[1])) {
			t.Errorf("%s and %s are equal", pair[0], pair[1])
		}
	}
	for _, same := range [][2]string{{"é", "e\u0301"}, {"Å", "\u212b"}, {"\u1e69", "s\u0307\u0323"}} {
		if !Equal(same[0], same[1]) || !Equal([]any{same[0]}, []any{same[1]}) {
			t.Errorf("%+q and %+q differ", same[0], same[1])
		}
	}
	deep := func(n string) any {
		return map[string]any{"a": []any{"x", map[string]any{"b": json.Number(n)}, nil, true}}
	}
	if !Equal(deep("10"), deep("1e1")) || Equal(deep("10"), deep("11")) {
		t.Error("numbers inside lists and objects are compared by their spelling")
	}
	for _, pair := range [][2]any{
		{json.Number("1"), "1"}, {nil, json.Number("0")}, {true, json.Number("1")}, {[]any{}, map[string]any{}}, {"a", "A"}, {"ß", "ss"}, {"ﬁ", "fi"},
		{map[string]any{"a": nil}, map[string]any{"b": nil}}, {[]any{"a"}, []any{"a", "b"}},
	} {
		if Equal(pair[0], pair[1]) || Equal(pair[1], pair[0]) {
			t.Errorf("%v and %v are equal", pair[0], pair[1])
		}
	}
}

// Exact arithmetic is the oracle.
func TestEqualAgreesWithArithmetic(t *testing.T) {
	number := rapid.Custom(func(t *rapid.T) string {
		text := strconv.FormatInt(rapid.Int64Range(-2000, 2000).Draw(t, "whole"), 10)
		if fraction := rapid.StringMatching(`[0-9]{0,3}`).Draw(t, "fraction"); fraction != "" {
			text += "." + fraction
		}
		if rapid.Bool().Draw(t, "has exponent") {
			text += "e" + strconv.Itoa(rapid.IntRange(-4, 4).Draw(t, "exponent"))
		}
		return text
	})
	rapid.Check(t, func(t *rapid.T) {
		a, b := number.Draw(t, "a"), number.Draw(t, "b")
		x, _ := new(big.Rat).SetString(a)
		y, _ := new(big.Rat).SetString(b)
		if got := Equal(json.Number(a), json.Number(b)); got != (x.Cmp(y) == 0) {
			t.Errorf("%s and %s: %v", a, b, got)
		}
	})
}
