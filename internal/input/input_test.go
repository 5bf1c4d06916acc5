package input_test

import (
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/casehook/casehook/internal/fault"
	"github.com/casehook/casehook/internal/input"
)

func TestAWordIsAKeyOrAnID(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]bool{
		"": true, "case_created": true, "ep_0197c2f0": true, "A.z-9_0": true, strings.Repeat("a", 100): true,
		strings.Repeat("a", 101): false, "a b": false, "a/b": false, "a\n": false, "é": false, "a'": false,
	} {
		if got := input.Word(text); got != want {
			t.Errorf("%q is a word: %v", text, got)
		}
		if err := input.CheckAfter(text); (err == nil) != want || err != nil && !errors.Is(err, fault.Invalid) {
			t.Errorf("a page continues after %q: %v", text, err)
		}
	}
}

func TestPrintableTextIsASCIIWithoutControlCharacters(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]bool{
		"": true, " !~": true, "\x1f": false, "\x7f": false, "a\tb": false, "é": false, "\xff": false,
	} {
		if got := input.Printable(text); got != want {
			t.Errorf("%q is printable: %v", text, got)
		}
	}
}

func TestALineHasNoControlCharactersAndABoundInCharacters(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"": "", "Zoë, 李": "", strings.Repeat("é", 10): "", strings.Repeat("é", 11): "longer than 10 characters",
		"a\nb": "control character", "a\u0085b": "control character", "\xff": "not UTF-8",
	} {
		got := input.LineProblem(text, 10)
		if (got == "") != (want == "") || !strings.Contains(got, want) {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

func TestAPageHasABound(t *testing.T) {
	t.Parallel()
	for limit, want := range map[int]int{-1: 50, 0: 50, 1: 1, 51: 51, 1000: 1000, 1001: 1000, math.MaxInt: 1000} {
		if got := input.Page(limit); got != want {
			t.Errorf("a page of %d has %d items, want %d", limit, got, want)
		}
	}
}

func TestTheNewestPageHasNoUpperBound(t *testing.T) {
	t.Parallel()
	for before, want := range map[int64]int64{-1: math.MaxInt64, 0: math.MaxInt64, 1: 1, 7: 7} {
		if got := input.Newest(before); got != want {
			t.Errorf("before %d: %d, want %d", before, got, want)
		}
	}
}
