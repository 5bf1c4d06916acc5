package store

import (
	"slices"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/casehook/casehook/internal/casetype"
	"github.com/casehook/casehook/internal/spelling"
)

func TestAKeyIsSplitIntoWords(t *testing.T) {
	for _, c := range []struct {
		text string
		want []string
	}{
		{"", nil},
		{" ;-) ", nil},
		{"KYC-0042/a_b", []string{"kyc", "0042", "a", "b"}},
		{"O'Neil o\u2019neil", []string{"o", "neil", "o", "neil"}},
		{"Mu\u0308ller STRASSE straße", []string{"müller", "strasse", "strasse"}},
		{"ada@example.org -12.50", []string{"ada", "example", "org", "12", "50"}},
		{"x\u0301\u0323", []string{"x\u0323\u0301"}}, // marks stay on their letter
		{"\u0301a", []string{"\u0301a"}},
		{"東京tower 2", []string{"東", "京", "tower", "2"}},
		{"ก็ดี", []string{"ก็", "ดี"}},
		{"한국 देवी", []string{"한국", "देवी"}},
		{"a🏨b€", []string{"a", "🏨", "b"}},
		{strings.Repeat("x", 65) + " y", []string{strings.Repeat("x", 64), "y"}},
		{strings.Repeat("ж", 65), []string{strings.Repeat("ж", 64)}},
	} {
		if got := slices.Collect(wordsOf(spelling.Key(c.text))); !slices.Equal(got, c.want) {
			t.Errorf("the words of %q are %q, not %q", c.text, got, c.want)
		}
	}
}

func TestTheWordsOfACaseAreBounded(t *testing.T) {
	if got := wordText("a, b;c"); got != "a b c" {
		t.Errorf("the words are %q", got)
	}
	long := wordText(strings.Repeat("word ", 30_000))
	if len(long) > maxSearched || len(long) < maxSearched-len(" word") || !strings.HasSuffix(long, " word") {
		t.Errorf("of more words than are searched, there are %d bytes", len(long))
	}
	if again := wordText(long); again != long {
		t.Error("words that are split again differ")
	}
}

func TestASearchIsSplitIntoPhrases(t *testing.T) {
	for _, c := range []struct {
		text string
		want []phrase
	}{
		{"", nil},
		{`" " ; ""`, nil},
		{"Ada lovel", []phrase{{[]string{"ada"}, true}, {[]string{"lovel"}, true}}},
		{"kyc-0042", []phrase{{[]string{"kyc", "0042"}, true}}},
		{`"Ada Lovelace" x`, []phrase{{[]string{"ada", "lovelace"}, false}, {[]string{"x"}, true}}},
		{`"Ada Lovel`, []phrase{{[]string{"ada", "lovel"}, true}}}, // it is still being typed
		{`a"b c"d "e`, []phrase{
			{[]string{"a"}, true}, {[]string{"b", "c"}, false}, {[]string{"d"}, true}, {[]string{"e"}, true},
		}},
	} {
		if diff := gocmp.Diff(c.want, phrases(c.text), gocmp.AllowUnexported(phrase{})); diff != "" {
			t.Errorf("%q (-want +got):\n%s", c.text, diff)
		}
	}
}

func TestTheQueryOfASearchReadsWhatItsClearanceMay(t *testing.T) {
	searched := phrases(`ada "grace hopper"`)
	for _, c := range []struct {
		clearance casetype.Classification
		want      [2]string
	}{
		{casetype.Public, [2]string{
			sqlite:   `tenant : "` + tenantWord + `7" AND {search} : ("ada" * AND "grace hopper")`,
			postgres: `'#7' & 'ada':*A & 'grace':A <-> 'hopper':A`,
		}},
		{casetype.Restricted, [2]string{
			sqlite: `tenant : "` + tenantWord +
				`7" AND {search search_private search_restricted} : ("ada" * AND "grace hopper")`,
			postgres: `'#7' & 'ada':*ABC & 'grace':ABC <-> 'hopper':ABC`,
		}},
	} {
		for d, want := range c.want {
			if got := dialect(d).wordQuery("7", searched, c.clearance); got != want {
				t.Errorf("%s: the query is\n%s, not\n%s", c.clearance, got, want)
			}
		}
	}
}
