package document

import (
	"bufio"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// glyphs returns the glyphs of a text, from left to right, and the fonts' files.
func glyphs(t *testing.T, text string, look style) (glyphs []int, files []string) {
	t.Helper()
	set, err := newTypesetter(t.Context(), NewFonts(nil, nil), text)
	if err != nil {
		t.Fatal(err)
	}
	runes := []rune(text)
	for _, r := range visualOrder(set.shape(runes, rightToLeft(runes), look), 0, len(runes)) {
		for _, g := range r.Glyphs {
			if text[g.ClusterIndex:] == text && runes[0] == '\u200f' {
				continue // only sets the direction of others
			}
			glyphs = append(glyphs, int(g.GlyphID))
		}
		if file := r.face.cut.file; !slices.Contains(files, file) {
			files = append(files, file)
		}
	}
	return glyphs, files
}

// The expected glyphs were made by hb-shape of HarfBuzz 6.0, which browsers shape text with.
func TestTextIsShapedAsHarfBuzzDoes(t *testing.T) {
	tests := []struct {
		name, font, text string
		want             []int
	}{
		{"Arabic letters are joined", "NotoSansArabic-Regular", "بينالسيد", []int{29, 317, 18, 36, 72, 9, 281, 16, 317, 18, 315, 19}},
		{"lam and alef are one", "NotoSansArabic-Regular", "لا", []int{10, 73}},
		{"so they are in bold", "NotoSansArabic-Bold", "عقد", []int{29, 286, 52, 49}},
		{"Hebrew points are with their letters", "NotoSansHebrew-Regular", "שָׁלוֹם", []int{23, 46, 124, 55, 79, 100, 96}},
		{"brackets are mirrored", "NotoSans-Regular", "\u200f()", []int{11, 12}},
		{"Devanagari conjuncts", "NotoSansDevanagari-Regular", "क्षत्रिय", []int{89, 541, 303, 80}},
		{"a vowel before its consonant", "NotoSansDevanagari-Regular", "कि", []int{541, 55}},
		{"both", "NotoSansDevanagari-Regular", "विद्यार्थी", []int{541, 83, 449, 30, 71, 639}},
		{"Thai marks above each other", "NotoSansThai-Regular", "ป้ำ", []int{72, 60, 49, 78}},
		{"a Thai vowel in two parts", "NotoSansThai-Regular", "น้ำ", []int{63, 59, 49, 78}},
		{"Vietnamese", "NotoSans-Regular", "Việt", []int{57, 76, 797, 87}},
		{"a family", "NotoEmoji-Regular", "👨‍👩‍👧", []int{1483}},
		{"a flag", "NotoEmoji-Regular", "🇩🇪", []int{1678}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got, files := glyphs(t, test.text, style{size: 10, bold: strings.HasSuffix(test.font, "Bold")})
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Error(diff)
			}
			if want := []string{"fonts/" + test.font + ".woff"}; !slices.Equal(files, want) {
				t.Errorf("set in %s, want %s", files, want)
			}
		})
	}
}

// A part of Unicode's own test: every 300th of its lines.
func TestDirectionsAreUnicodes(t *testing.T) {
	f, err := os.Open("testdata/BidiCharacterTest.txt")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	tests := 0
	for lines := bufio.NewScanner(f); lines.Scan(); {
		fields := strings.Split(lines.Text(), ";")
		if len(fields) != 5 {
			continue
		}
		tests++
		var text []rune
		for code := range strings.FieldsSeq(fields[0]) {
			r, err := strconv.ParseInt(code, 16, 32)
			if err != nil {
				t.Fatal(err)
			}
			text = append(text, rune(r))
		}
		rtl := fields[2] == "1"
		if fields[1] == "2" && rightToLeft(text) != rtl { // 2: the text decides
			t.Errorf("%s: from right to left is %v", fields[0], !rtl)
		}
		got := levels(text, rtl)
		end := len(text) // trailing spaces get the paragraph's level only when the line is set
		for end > 0 &&
			strings.ContainsRune(" \u200b\u2066\u2067\u2068\u2069\u202a\u202b\u202c\u202d\u202e", text[end-1]) {
			end--
		}
		for i, want := range strings.Fields(fields[3])[:end] {
			separator := text[i] == '\t' || text[i] == '\u2029'
			if want != "x" && !separator && strconv.Itoa(got[i]) != want && !beforeSeparator(text[i:]) {
				t.Errorf("%s: levels %v, want %s", fields[0], got, fields[3])
				break
			}
		}
	}
	if tests < 300 {
		t.Errorf("%d tests", tests)
	}
}

// beforeSeparator reports whether text has only spaces before a tab or a paragraph's end, which no line contains.
func beforeSeparator(text []rune) bool {
	rest := strings.TrimLeft(string(text), " \u200b\u2066\u2067\u2068\u2069\u202a\u202b\u202c\u202d\u202e")
	return strings.HasPrefix(rest, "\t") || strings.HasPrefix(rest, "\u2029")
}
