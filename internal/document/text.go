package document

import (
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

const noBreakSpace = '\u00a0'

// clean normalises s for typesetting: letters and their accents are composed, spaces of all kinds become
// plain or no-break ones, and characters without a meaning of their own are removed: soft hyphens and byte
// order marks.
func clean(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n':
			return r
		case r == noBreakSpace, r == '\u202f', r == '\u2007':
			return noBreakSpace
		case unicode.IsSpace(r):
			return ' '
		case r == '\u00ad', r == '\ufeff':
			return -1
		}
		return r
	}, norm.NFC.String(strings.ToValidUTF8(s, string(unicode.ReplacementChar))))
}

// singleSpaced replaces several spaces by one, and removes those at the ends.
func singleSpaced(s string) string {
	return strings.Join(strings.FieldsFunc(s, func(r rune) bool { return r == ' ' }), " ")
}

// oneLine makes a short line of s, for metadata and the footer.
func oneLine(s string) string {
	const most = 200
	s = strings.ToValidUTF8(s[:min(len(s), 4*most)], "")
	runes := []rune(singleSpaced(strings.ReplaceAll(clean(s), "\n", " ")))
	return string(runes[:min(len(runes), most)])
}

// invisible reports whether a character is invisible by itself: it only affects how others are joined, directed or
// varied (Default_Ignorable_Code_Point).
func invisible(r rune) bool {
	switch {
	case r < 0x300 && r != 0xad: // most text
		return false
	case unicode.In(r, unicode.Other_Default_Ignorable_Code_Point, unicode.Variation_Selector):
		return true
	case unicode.Is(unicode.Cf, r):
		egyptian := r >= 0x13430 && r <= 0x1345f
		annotation := r >= 0xfff9 && r <= 0xfffb
		return !egyptian && !annotation && !unicode.Is(unicode.Prepended_Concatenation_Mark, r)
	}
	return false
}

// eastAsian selects the shape of Chinese characters that several languages share.
type eastAsian struct {
	region   string // as names of fonts end in it
	language string
}

// eastAsianOf chooses by the letters that only one of the languages has.
func eastAsianOf(text string) eastAsian {
	found := eastAsian{"SC", "zh-cn"}
	for _, r := range text {
		switch {
		case unicode.In(r, unicode.Hiragana, unicode.Katakana):
			return eastAsian{"JP", "ja"}
		case unicode.Is(unicode.Hangul, r):
			found = eastAsian{"KR", "ko"}
		case unicode.Is(unicode.Bopomofo, r) && found.region == "SC":
			found = eastAsian{"TC", "zh-tw"}
		}
	}
	return found
}
