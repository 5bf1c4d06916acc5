// Package spelling compares text that people typed. One text has many spellings: an accented letter is one
// code point or two, a keyboard types full-width digits, a Turkish one types an i without a dot. It is
// pure. The forms that it compares are never stored in place of the text: others get what was sent.
//
// There are two kinds of sameness. [Same] is for text whose letter case matters: texts are the same if
// readers can't tell them apart (Unicode's canonical equivalence). [Key] is for search and for names,
// where letter case does not matter. Identities, such as addresses of email, are compared by neither.
package spelling

import (
	"strings"
	"unicode"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"
)

// Composed returns a text in its canonical composition (NFC), in which texts that readers can't tell apart
// are equal.
func Composed(text string) string { return norm.NFC.String(text) }

// IsComposed reports whether a text is in its canonical composition.
func IsComposed(text string) bool { return norm.NFC.IsNormalString(text) }

// Same reports whether two texts have the same canonical composition.
func Same(a, b string) bool { return a == b || Composed(a) == Composed(b) }

// Key returns the form in which a text is searched and compared where letter case does not matter. It is
// Unicode's NFKC_Casefold with two differences: the Turkish letters ı and İ become i, since their other
// cases are I and i; and the longest ligature stays, so that a key is at most six times as long as its
// text. The key of lines joined by line breaks is the joined keys of the lines.
func Key(text string) string {
	if plain, ok := plainKey(text); ok {
		return plain
	}
	var b strings.Builder
	for i, part := range strings.Split(text, longest) {
		if i > 0 {
			b.WriteString(longest)
		}
		b.WriteString(fold(part))
	}
	return b.String()
}

// longest is the ligature that would expand to eighteen characters.
const longest = "\uFDFA"

// plainKey is Key for ASCII text.
func plainKey(text string) (string, bool) {
	for i := range len(text) {
		if text[i]&0x80 != 0 {
			return "", false
		}
	}
	return strings.ToLower(text), true
}

// fold removes letter case, twice: the expansion of a compatible form may have letter case itself.
func fold(text string) string {
	caser := cases.Fold()
	once := norm.NFKD.String(caser.String(norm.NFD.String(text)))
	twice := norm.NFKD.String(caser.String(once))
	return norm.NFKC.String(dotless(visible(twice)))
}

// visible removes characters that are invisible: soft hyphens, joiners, variation selectors (Unicode's
// Default_Ignorable_Code_Point). It also turns Cherokee letters, which x/text does not fold, into small
// ones.
func visible(text string) string {
	return strings.Map(func(r rune) rune {
		if ignorable(r) {
			return -1
		}
		return unicode.ToLower(r)
	}, text)
}

func ignorable(r rune) bool {
	if r < 0xAD || unicode.Is(unicode.Prepended_Concatenation_Mark, r) || r >= 0xFFF9 && r <= 0xFFFB {
		return false
	}
	return unicode.Is(unicode.Cf, r) && (r < 0x13430 || r > 0x1343F) ||
		unicode.In(r, unicode.Other_Default_Ignorable_Code_Point, unicode.Variation_Selector)
}

// dotless maps i, ı and İ to one letter in a decomposed text: an i loses the combining dot behind it.
func dotless(text string) string {
	const dot = '\u0307'
	if !strings.ContainsRune(text, 'ı') && !strings.ContainsRune(text, dot) {
		return text
	}
	base := rune(0) // the letter that marks belong to
	return strings.Map(func(r rune) rune {
		switch {
		case r == 'ı':
			r, base = 'i', 'i'
		case r == dot && base == 'i':
			return -1
		case !unicode.Is(unicode.M, r):
			base = r
		}
		return r
	}, text)
}
