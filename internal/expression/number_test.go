package expression_test

import (
	"encoding/json"
	"math/big"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/casehook/casehook/internal/expression"
)

// holds evaluates a condition over data in which i and the items of l are integers.
func holds(t testing.TB, source, data string) (bool, error) {
	t.Helper()
	p, wrong := language(expression.Limits{Cost: 10_000}).Compile(source)
	if wrong != nil {
		t.Fatalf("%s: %v", source, wrong)
	}
	d := json.NewDecoder(strings.NewReader(data))
	d.UseNumber()
	var object map[string]any
	if err := d.Decode(&object); err != nil {
		t.Fatal(err)
	}
	return p.Evaluate(expression.ValueMap{"data": expression.Data(object, []string{"/i", "/j", "/l/*"})})
}

func TestANumberIsTheSameHoweverItIsSpelt(t *testing.T) {
	for _, n := range []string{"200", "200.0", "2e2", "2E+2", "200.000", "20000e-2"} {
		for _, source := range []string{
			`data.n * 1.5 > 100.0`, `data.n * 2 == 400`, `data.n + 0.5 == 200.5`, `1 + data.n == 201`, `data.n - 0.5 < 200`, `data.n / 3 > 66.6`,
			`data.n % 7 == 4`, `data.n / 8 == 25`, `data.n / 0.5 == 400`, `{"a": data.n} != {"a": 201}`,
			`!(data.n < 200) && !(data.n > 200) && data.n <= 200 && data.n >= 200`, `data.n == 200 && data.n == 200.0 && 200 == data.n`, `data.n in [1, 200] && data.n in [200.0]`, `data.n != 201`,
			`[data.n] == [200] && {"a": data.n} == {"a": 200.0}`, `type(data.n) == double`, `string(data.n) == "200"`, `int(data.n) == 200`, `-data.n < 0`,
			`data.i == data.n && data.i * 1.5 == 300.0 && data.i / 3 == 66 && type(data.i) == int`, `data.l[0] == data.n && data.n in data.l`,
			`type(data.l[0]) == int && data.l[0] / 3 == 66 && data.l.all(i, i / 3 == 66)`,
			`data.n * 1.5 == 300 && 300 == data.n * 1.5 && size(data.l) == 1.0 && double(data.n) == 200 && 200.0 in [1, 200] && 1 != 1.5 && [data.l].all(l, 1.0 == size(l))`,
			`size(data.l) * 1.5 == 1.5 && 1.5 * size(data.l) > 1`, `dyn(1u) + data.n == 201.0`, `[1, 2][data.one] == 2`,
		} {
			got, err := holds(t, source, `{"n":`+n+`,"i":`+n+`,"l":[`+n+`],"one":1.0}`)
			if err != nil || !got {
				t.Errorf("%s with n %s: %v, %v", source, n, got, err)
			}
		}
	}
}

func TestNumbersAreExactAbove2To53(t *testing.T) {
	data := `{"i":9007199254740993,"n":9007199254740993,"f":9007199254740992.0,"u":18446744073709551615,"huge":1e400,"tiny":1e-400,"odd":100000000000000000001,"j":-9007199254740993}`
	for _, source := range []string{
		`data.i == data.n`, `data.i != data.f`, `data.i > data.f && data.f < data.n`, `data.i == 9007199254740993 && data.n == 9007199254740993`,
		`data.n != 9007199254740992 && data.n != 9007199254740994`, `!(data.n in [9007199254740992.0])`, `data.n in [9007199254740993]`,
		`data.i + 1.0 == 9007199254740994`, `data.n + 1 == 9007199254740994`, `data.n - 1 == 9007199254740992.0`, `data.n * 2 == 18014398509481986`, `data.i * 2.0 == 18014398509481986`,
		`-data.n == data.j`, `data.n % 2 == 1`, `data.i % 2 == 1`, `data.j < -9007199254740992.0`, `data.i - data.n == 0`,
		`data.u > 9223372036854775807`, `data.u == 18446744073709551615u`, `data.u - 1 == 18446744073709551614u`,
		`data.huge > 1e308 && data.huge > data.u`, `data.huge == data.huge`, `data.tiny > 0 && data.tiny < 1e-308`, `data.odd > 1e20 && data.odd - 1 == 1e20`,
		`9223372036854775807 + 1 > 9223372036854775807`, `9223372036854775807 * 2 == 18446744073709551614u`, `double("NaN") != double("NaN")`, `double("inf") > data.huge`,
		`string(data.n) == "9007199254740993"`, `int(data.n) == 9007199254740993`,
	} {
		if got, err := holds(t, source, data); err != nil || !got {
			t.Errorf("%s: %v, %v", source, got, err)
		}
	}
}

// A number of more than 401 characters, or with more than 1000 behind the e, is the double next to it.
func TestNumbersAreExactWithinBounds(t *testing.T) {
	digits := "1" + strings.Repeat("0", 400)
	for _, c := range []struct{ number, condition string }{
		{digits, `data.n < double("inf") && data.n == data.n`},
		{digits + "0", `data.n == double("inf")`},
		{"1e1000", `data.n < double("inf")`}, {"1E1000", `data.n < double("inf")`},
		{"1e1001", `data.n == double("inf")`}, {"1E1001", `data.n == double("inf")`},
		{"1e-1000", `data.n > 0`}, {"1e-1001", `data.n == 0`},
		{"0", `data.n == 0 && data.n + 0.5 == 0.5 && 1.0 / (data.n + 1) == 1`},
		{"9007199254740992.0", `data.n == 9007199254740992 && data.n - 1 == 9007199254740991`},
	} {
		if got, err := holds(t, c.condition, `{"n":`+c.number+`}`); err != nil || !got {
			t.Errorf("%s with %.50s: %v, %v", c.condition, c.number, got, err)
		}
	}
}

// Results of more than 4096 bits are rounded, in numerator or denominator.
func TestResultsAreExactUpTo4096Bits(t *testing.T) {
	power := func(n uint) string { return new(big.Int).Lsh(big.NewInt(1), n).String() }
	data := `{"a":` + power(1300) + `,"b":` + power(195) + `,"c":` + power(196) + `}`
	for source, want := range map[string]bool{
		`data.a * data.a * data.a * data.b > data.a`:           true,
		`1.0 / data.a / data.a / data.a / data.b > 0`:          true,
		`1.0 / data.a / data.a / data.a / data.c > 0`:          false,
		`data.a * data.a * data.a * data.b / data.b == data.a`: false,
	} {
		if got, err := holds(t, source, data); err != nil || got != want {
			t.Errorf("%s: %v, %v; want %v", source, got, err, want)
		}
	}
	_, err := holds(t, `data.a * data.a * data.a * data.c > data.a`, data)
	if err == nil || err.Error() != "number out of range" {
		t.Errorf("4097 bits: %v", err)
	}
}

func TestInfinityIsBeyondAllNumbersAndNaNIsBesideThem(t *testing.T) {
	for _, source := range []string{
		`data.huge < double("inf")`, `double("inf") > data.huge`, `data.huge > double("-inf")`,
		`double("-inf") < data.huge`, `data.huge != double("NaN")`, `double("NaN") != data.huge`,
		`double("inf") == double("inf")`, `double("inf") + 1 == double("inf")`, `1 + double("inf") == double("inf")`,
		`double("inf") - double("inf") != 0`, `1.5 != double("NaN")`, `double("NaN") != 1.5`,
	} {
		if got, err := holds(t, source, `{"huge":1e400}`); err != nil || !got {
			t.Errorf("%s: %v, %v", source, got, err)
		}
	}
	for _, source := range []string{
		`data.huge < double("NaN")`, `double("NaN") < data.huge`, `1.5 < double("NaN")`, `double("NaN") < 1.5`,
		`data.huge + double("inf") > 1`,
	} {
		if _, err := holds(t, source, `{"huge":1e400}`); err == nil {
			t.Errorf("%s has a value", source)
		}
	}
}

func TestAResultThatCannotBeComputedIsAnError(t *testing.T) {
	for source, want := range map[string]string{
		`data.n / 0 == 1`: "division by zero", `data.n / 0.0 == 1`: "division by zero", `data.i / 0 == 1`: "division by zero", `data.n % 0 == 1`: "modulus by zero",
		`data.huge * data.huge == 1`: "number out of range", `1e308 * 10.0 == 1`: "number out of range", `data.n + "x" == dyn(1)`: "no such overload", `data.n < "x"`: "no such overload",
		`dyn("x") * data.n == 1`: "no such overload", `1 in data.n`: "no such overload", `int(data.huge) == 1`: "not have the required form",
	} {
		if _, err := holds(t, source, `{"n":1e300,"i":5,"huge":1e1000}`); err == nil ||
			!strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", source, err, want)
		}
	}
}

func TestANumberIsWrittenByItsValue(t *testing.T) {
	for n, want := range map[string]string{
		"200": "200", "200.0": "200", "2e2": "200", "-0.0": "0", "70.50": "70.5", "7.05e1": "70.5", "1e-3": "0.001", "9007199254740993.0": "9007199254740993",
		"1e300": "1e300", "1e-300": "1e-300", "1e5000": "1e5000",
		"1e-40": "0." + strings.Repeat("0", 39) + "1", "1e-41": "1e-41", // 40 places
		"1e79": "1" + strings.Repeat("0", 79), "1e80": "1e80", // 80 digits
	} {
		if got := expression.NumberText(json.Number(n)); got != want {
			t.Errorf("%s: %s, want %s", n, got, want)
		}
	}
}

// Numbers are compared by value, whatever their types and spelling.
func TestNumbersAreComparedByValue(t *testing.T) {
	numbers := rapid.OneOf(
		rapid.Map(rapid.Int64(), func(i int64) string { return new(big.Int).SetInt64(i).String() }),
		rapid.Map(rapid.Int64Range(-4, 4), func(i int64) string { return new(big.Int).SetInt64(1<<53 + i).String() }),
		rapid.Map(rapid.Int64Range(-4, 4), func(i int64) string {
			return new(big.Int).Add(new(big.Int).Lsh(big.NewInt(1), 63), big.NewInt(i)).String() + ".0"
		}),
		rapid.StringMatching(`-?[1-9][0-9]{0,20}(\.0)?(e[0-9])?`),
		rapid.StringMatching(`-?[0-9]\.[05]`),
	)
	rapid.Check(t, func(r *rapid.T) {
		a, b := numbers.Draw(r, "a"), numbers.Draw(r, "b")
		x, _ := new(big.Rat).SetString(a)
		y, _ := new(big.Rat).SetString(b)
		order := x.Cmp(y)
		for _, names := range [][2]string{{"a", "b"}, {"i", "b"}, {"a", "j"}, {"i", "j"}} {
			p, q := "data."+names[0], "data."+names[1]
			data := `{"a":` + a + `,"i":` + a + `,"b":` + b + `,"j":` + b + `}`
			for source, want := range map[string]bool{
				p + " < " + q: order < 0, p + " <= " + q: order <= 0, p + " == " + q: order == 0, p + " != " + q: order != 0,
				p + " in [" + q + "]": order == 0, q + " < " + p: order > 0,
			} {
				if got, err := holds(t, source, data); err != nil || got != want {
					r.Fatalf("%s of %s: %v, %v; want %v", source, data, got, err, want)
				}
			}
		}
	})
}
