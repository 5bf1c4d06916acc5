package casetype_test

import (
	"errors"
	"strings"
	"sync"
	"testing"

	"github.com/casehook/casehook/internal/casetype"
	"github.com/casehook/casehook/internal/fault"
)

// withPrecondition is a type whose transition t has the precondition.
func withPrecondition(t testing.TB, expression string) *casetype.Type {
	t.Helper()
	source := "key: k\nstates: [{key: s}]\nfields: {type: object, properties: {a: {}}}\ntransitions:\n  - key: t\n    to: s\n    precondition: |-\n      " + expression
	ct, err := casetype.Parse("", []byte(source))
	if err != nil {
		t.Fatalf("%s: %v", expression, err)
	}
	return ct
}

func TestPreconditionsSeeTheCase(t *testing.T) {
	in := casetype.Input{
		Data:   decode(t, `{"n":5,"f":2.5,"big":9007199254740993,"huge":1e400,"u":18446744073709551615,"s":"x","l":[1,2],"o":{"p":true},"z":null,"one":1.0}`),
		Before: decode(t, `{"n":4}`), State: "draft", Name: "Acme",
	}
	for expression, want := range map[string]bool{
		`data.n == 5`: true, `data.n > before.n`: true, `data.f > 2`: true, `data.big == 9007199254740993`: true,
		`data.big == 9007199254740992`: false, `data.u > 9223372036854775807`: true, `data.huge > 1`: true, `data.one == 1`: true,
		`state == "draft" && name.startsWith("Ac")`: true, `has(data.q)`: false, `"n" in before`: true, `data.l.exists(x, x == 2)`: true,
		`data.o.p`: true, `data.z == null`: true, `size(data.s) == 1`: true, `data.n % 2 == 0`: false, `data.s.upperAscii() == "X"`: true,
	} {
		got, err := withPrecondition(t, expression).Precondition("t", in)
		if err != nil || got != want {
			t.Errorf("%s = %v, %v; want %v", expression, got, err, want)
		}
	}
}

func TestAPreconditionThatCannotBeEvaluatedSaysWhich(t *testing.T) {
	in := casetype.Input{Data: decode(t, `{"s":"hunter2","l":[1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20],"long":"`+strings.Repeat("x", 100_000)+`"}`)}
	for expression, want := range map[string]string{
		`data.q == 1`:           "no such key: q",
		`before.s == "x"`:       "no such key: s",
		`data.s > 5`:            "no such overload",
		`data.s`:                "neither true nor false",
		`int(data.s) > 1`:       "not of the form",
		`1 / size(before) == 1`: "division by zero",
		`data.l.map(a, data.l.map(b, data.l.map(c, data.long + data.long))).size() > 1`:            "cost limit exceeded",
		`data.l.all(a, data.l.all(b, data.l.all(c, data.l.all(d, data.l.all(e, a+b+c+d+e > 0)))))`: "cost limit exceeded",
	} {
		_, err := withPrecondition(t, expression).Precondition("t", in)
		if !errors.Is(err, fault.Unprocessable) {
			t.Errorf("%s: %v", expression, err)
			continue
		}
		detail := fault.As(err).Detail
		if !strings.Contains(detail, want) || !strings.Contains(detail, `"t"`) || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: %v, want %q and the transition, and no data", expression, err, want)
		}
	}
	if _, err := withPrecondition(t, `true`).Precondition("nope", in); !errors.Is(err, fault.NotFound) {
		t.Errorf("an unknown transition: %v", err)
	}
}

func TestATypeMayBeUsedByManyAtOnce(t *testing.T) {
	kyc := example(t, "kyc.yaml")
	data := decode(t, `{"client_name":"Acme","risk_level":"high","company":{"nam":1},"x":1}`)
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 50 {
				if n := len(validate(t, kyc, data, "")); n != 3 {
					t.Errorf("%d faults, want 3", n)
				}
				if ok, err := kyc.Precondition("approve", casetype.Input{Data: data, State: "escalated"}); !ok || err != nil {
					t.Errorf("precondition: %v, %v", ok, err)
				}
				kyc.FormatName(data, casetype.Identity{})
				kyc.FormatReference(1)
			}
		})
	}
	all.Wait()
}
