package spelling_test

import (
	"strings"
	"testing"
	"unicode"

	"golang.org/x/text/cases"
	"golang.org/x/text/language"
	"golang.org/x/text/unicode/norm"
	"pgregory.net/rapid"

	"github.com/casehook/casehook/internal/spelling"
)

// variants are the same text as others may type it, in other letters.
func variants(s string) map[string]string {
	upper, lower := cases.Upper(language.Und), cases.Lower(language.Und)
	turkishUpper, turkishLower := cases.Upper(language.Turkish), cases.Lower(language.Turkish)
	all := map[string]string{
		"itself": s, "upper": upper.String(s), "lower": lower.String(s), "folded": cases.Fold().String(s),
		"plain upper": strings.ToUpper(s), "plain lower": strings.ToLower(s),
		"Turkish upper": turkishUpper.String(s), "Turkish lower": turkishLower.String(s),
	}
	for name, text := range all {
		for form, how := range map[string]norm.Form{
			"NFC": norm.NFC, "NFD": norm.NFD, "NFKC": norm.NFKC, "NFKD": norm.NFKD,
		} {
			all[name+" in "+form] = how.String(text)
		}
	}
	return all
}

func TestOneKeyStandsForAllSpellings(t *testing.T) {
	for _, same := range [][]string{
		{"Müller", "MÜLLER", "Mu\u0308ller", "müller"},
		{"Straße", "STRASSE", "strasse", "STRAẞE"},
		{"ΟΔΥΣΣΕΥΣ", "οδυσσευς", "Οδυσσευσ", "οδυςςευς"},
		{"ışık", "IŞIK", "is\u0327ik", "İŞİK"},
		{"DİYARBAKIR", "diyarbakır", "Diyarbakir", "DI\u0307YARBAKIR"},
		{"ﬁre ﬂoor", "fire floor", "FIRE FLOOR"},
		{"１２３ Ｆｕｌｌ", "123 full"},
		{"ﾃｽﾄ", "テスト"},
		{"K\u212a", "kk"}, {"Å", "A\u030a", "\u212b", "å"},
		{"ᾳ", "ΑΙ", "αι", "ᾼ"}, {"ŉ", "ʼn", "ʼN"}, {"ǅ", "ǆ", "Ǆ", "dž"},
		{"한국", "\u1112\u1161\u11ab\u1100\u116e\u11a8"},
		{"co\u00adoperate", "cooperate", "co\u200doperate"},
		{"ꭰ", "Ꭰ"}, {"ſ", "S"}, {"№ 5", "NO 5"}, {"ﷺ", "ﷺ"},
	} {
		for _, other := range same[1:] {
			if a, b := spelling.Key(same[0]), spelling.Key(other); a != b {
				t.Errorf("%q has the key %q, and %q has %q", same[0], a, other, b)
			}
		}
	}
	for _, pair := range [][2]string{
		{"Muller", "Müller"}, {"резюме", "резюмё"}, {"o", "0"}, {"a b", "ab"}, {"が", "か"},
	} {
		if spelling.Key(pair[0]) == spelling.Key(pair[1]) {
			t.Errorf("%q and %q are one", pair[0], pair[1])
		}
	}
}

func TestAKeyHasNoInvisibleCharacters(t *testing.T) {
	for _, invisible := range []rune{
		0xAD, 0x34F, 0x200B, 0x200D, 0x2060, 0x3164, 0xFE00, 0xFE0F, 0xFEFF, 0xFFF0, 0xFFF8, 0x1BCA0, 0x1D173,
		0xE0001, 0xE0041, 0xE0100, 0xE01EF,
	} {
		if got := spelling.Key("a" + string(invisible) + "b"); got != "ab" {
			t.Errorf("the key of a, %U and b is %+q", invisible, got)
		}
	}
	// Some characters of format are shown: number signs, annotations, and the frames of hieroglyphs.
	for _, shown := range []rune{0xAC, 0xAE, 0x600, 0x6DD, 0xFFF9, 0xFFFA, 0xFFFB, 0xFFFC, 0x13430, 0x1343F} {
		want := "a" + string(shown) + "b"
		if got := spelling.Key(want); got != want {
			t.Errorf("the key of %+q is %+q", want, got)
		}
	}
}

func TestADotAboveIsLostBehindAnIAlone(t *testing.T) {
	for text, want := range map[string]string{
		"i\u0307":       "i",
		"i\u0323\u0307": "i\u0323", // the dot below stands between
		"e\u0307":       "\u0117",
		"ie\u0307":      "i\u0117",
		"\u0307":        "\u0307",
		"ıe\u0307":      "i\u0117",
	} {
		if got := spelling.Key(text); got != norm.NFKC.String(want) {
			t.Errorf("the key of %+q is %+q, not %+q", text, got, want)
		}
	}
}

func TestEveryLetterHasTheKeyOfItsOtherCases(t *testing.T) {
	const lastAlphabet = 0x1FFFF // above it are ideographs
	for r := rune(1); r <= lastAlphabet; r++ {
		if r >= 0xAC00 && r <= 0xDFFF { // Hangul, and surrogates
			continue
		}
		s := string(r)
		key := spelling.Key(s)
		for _, other := range []string{
			string(unicode.ToUpper(r)), string(unicode.ToLower(r)), string(unicode.ToTitle(r)), strings.ToLower(s),
			norm.NFD.String(s), norm.NFC.String(s),
		} {
			if got := spelling.Key(other); got != key {
				t.Errorf("%U has the key %+q, and %+q has %+q", r, key, other, got)
			}
		}
		if again := spelling.Key(key); again != key {
			t.Errorf("%U has the key %+q, whose own is %+q", r, key, again)
		}
		if len(key) > 6*len(s) {
			t.Errorf("%U has a key of %d bytes", r, len(key))
		}
	}
}

func TestAKeyIsThatOfAllVariantsOfAText(t *testing.T) {
	letter := rapid.SampledFrom([]rune("aAiIıİsSßẞſσςΣéÉ\u0301\u0307\u0308\u0323ﬁ１Ⅷ가각ΐŉǰ " +
		"\u00adkK\u212adzǅЖжऩ\u0345\u1e9b"))
	// An iota below becomes a letter in capitals, before which marks above come to stand.
	text := rapid.OneOf(rapid.StringOf(letter), rapid.String()).Filter(func(s string) bool {
		return !strings.ContainsRune(norm.NFD.String(s), '\u0345')
	})
	rapid.Check(t, func(t *rapid.T) {
		s := text.Draw(t, "text")
		key := spelling.Key(s)
		for how, other := range variants(s) {
			if got := spelling.Key(other); got != key {
				t.Fatalf("%+q has the key %+q; %s it is %+q, which has %+q", s, key, how, other, got)
			}
		}
		if !norm.NFKC.IsNormalString(key) || spelling.Key(key) != key {
			t.Fatalf("the key %+q of %+q is not its own", key, s)
		}
		next := text.Draw(t, "next line")
		if joined := spelling.Key(s + "\n" + next); joined != key+"\n"+spelling.Key(next) {
			t.Fatalf("the key of two lines is %+q", joined)
		}
		if !spelling.Same(norm.NFD.String(s), norm.NFC.String(s)) || !spelling.IsComposed(spelling.Composed(s)) {
			t.Fatalf("%+q is not the same decomposed", s)
		}
	})
}

func TestLetterCaseMattersWhereTextsAreTheSame(t *testing.T) {
	if spelling.Same("a", "A") || spelling.Same("ß", "ss") || spelling.Same("ﬁ", "fi") ||
		!spelling.Same("e\u0301", "é") {
		t.Error("Same does not go by canonical equivalence")
	}
}
