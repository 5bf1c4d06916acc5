package schema

import (
	"errors"
	"testing"
)

func TestPatternsHaveTheseSizes(t *testing.T) {
	for source, want := range map[string]int{
		"":     1000 + 3*80,
		"abc":  1000 + 3 + 5*80 + 3*4,
		"[ab]": 1000 + 4 + 3*80 + 2*4,
	} {
		if p, err := CompilePattern(nil, source); err != nil || p.size != want {
			t.Errorf("%q: %d bytes, not %d; %v", source, p.size, want, err)
		}
	}
}

func TestAllPatternsTogetherMayHaveTheirMostBytes(t *testing.T) {
	p, err := CompilePattern(nil, "abc")
	if err != nil {
		t.Fatal(err)
	}
	for over, want := range []error{nil, ErrPatterns} {
		c := compiler{sizes: maxPatternSizes - p.size + over}
		source{compiler: &c}.pattern("abc")
		if !errors.Is(c.err, want) {
			t.Errorf("%d bytes over: %v", over, c.err)
		}
	}
}
