package id_test

import (
	"bytes"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/casehook/casehook/internal/id"
)

func TestCaseIDsAreSixteenDigitsBelow2To53WithACheckDigit(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		seed := rapid.SliceOfN(rapid.Byte(), 8, 8).Draw(t, "random bytes")
		n, err := id.Case(bytes.NewReader(seed))
		if err != nil {
			t.Fatal(err)
		}
		if n < 1e15 || n >= 1<<53 {
			t.Fatalf("%d is not a 16-digit integer below 2^53", n)
		}
		if !id.ValidCase(n) {
			t.Fatalf("%d does not pass its own check", n)
		}
		digit := rapid.Int64Range(1, 9).Draw(t, "typing error")
		if wrong := n - n%10 + (n%10+digit)%10; id.ValidCase(wrong) {
			t.Fatalf("%d, a typing error in %d, passes", wrong, n)
		}
	})
}

func TestLuhnAgreesWithAKnownNumber(t *testing.T) {
	// 4539 1488 0343 6467 is the usual example of a valid Luhn number.
	if !id.ValidCase(4539148803436467) {
		t.Error("4539148803436467 is refused")
	}
	if id.ValidCase(4539148803436468) || id.ValidCase(-4539148803436467) {
		t.Error("a wrong number passes")
	}
}

func TestCountedIDsAreThoseBelowAllRandomOnes(t *testing.T) {
	for _, n := range []int64{1, 42, 1<<31 - 1, 999_999_999_999_999} {
		if !id.ValidCase(n) || !id.ValidContact(n) {
			t.Errorf("%d is refused", n)
		}
	}
	for _, n := range []int64{0, -1, -42, 1_000_000_000_000_000, 1 << 53, 1<<63 - 1} {
		if id.ValidCase(n) || id.ValidContact(n) {
			t.Errorf("%d passes", n)
		}
	}
}

func TestCaseFailsWithoutRandomness(t *testing.T) {
	if _, err := id.Case(strings.NewReader("")); err == nil {
		t.Error("an empty source of randomness gives an id")
	}
}

func TestNewIDsDifferAndSortByTime(t *testing.T) {
	a, b := id.New("ep"), id.New("ep")
	if a >= b || !strings.HasPrefix(a, "ep_") {
		t.Errorf("ids %q, %q: want rising ones with the prefix", a, b)
	}
}

func TestMessageIDs(t *testing.T) {
	base := id.Message(1, 2, "case/3", 0, "case_created")
	if base != id.Message(1, 2, "case/3", 0, "case_created") {
		t.Error("the same message got two ids")
	}
	if strings.Contains(base, ".") || len(base) > 64 {
		t.Errorf("%q: a full stop, or too long", base)
	}
	others := []string{
		id.Message(2, 2, "case/3", 0, "case_created"), id.Message(1, 3, "case/3", 0, "case_created"),
		id.Message(1, 2, "case/4", 0, "case_created"), id.Message(1, 2, "case/3", 1, "case_created"),
		id.Message(1, 2, "case/3", 0, "case_changed"),
	}
	for _, o := range others {
		if o == base {
			t.Errorf("different messages share the id %s", o)
		}
	}
}
