package document

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode"

	"github.com/casehook/casehook/internal/fault"
)

// missing are characters that no font has.
type missing map[rune]bool

// err returns an error that lists the characters and the remedies, or nil if there are none.
func (m missing) err() error {
	if len(m) == 0 {
		return nil
	}
	const most = 20
	runes := slices.Sorted(maps.Keys(m))
	var names, scripts []string
	controls := 0
	for i, r := range runes {
		if i < most {
			names = append(names, characterName(r))
		}
		switch family := notoFamily(r); {
		case unicode.IsControl(r):
			controls++
		case !slices.Contains(scripts, family):
			scripts = append(scripts, family)
		}
	}
	if n := len(runes) - most; n > 0 {
		names = append(names, fmt.Sprintf("and %d more", n))
	}
	var help []string
	if controls > 0 {
		help = append(help, "Control characters can't be shown; remove them from the data.")
	}
	if len(scripts) > 0 {
		help = append(help, fmt.Sprintf("Ask the operator to add a font that has them, such as %s, to the folder "+
			"fonts of the data directory.", strings.Join(scripts[:min(len(scripts), 5)], ", ")))
	}
	return fault.New(fault.Unprocessable, "document.no_font",
		"The document has characters that no font here can show: %s. %s",
		strings.Join(names, ", "), strings.Join(help, " "))
}

// characterName returns a character's number, itself, and its script: U+0E01 (ก, Thai).
func characterName(r rune) string {
	script := scriptOf(r)
	switch {
	case unicode.IsControl(r):
		return fmt.Sprintf("U+%04X (control character)", r)
	case !unicode.IsGraphic(r):
		return fmt.Sprintf("U+%04X", r)
	case script == "":
		return fmt.Sprintf("U+%04X (%c)", r, r)
	case unicode.Is(unicode.M, r):
		return fmt.Sprintf("U+%04X (\u25cc%c, %s)", r, r, script)
	}
	return fmt.Sprintf("U+%04X (%c, %s)", r, r, script)
}

// scriptOf returns the name of a character's script, or "" if several share it.
func scriptOf(r rune) string {
	for name, table := range unicode.Scripts {
		if name != "Common" && name != "Inherited" && unicode.Is(table, r) {
			return strings.ReplaceAll(name, "_", " ")
		}
	}
	return ""
}

// notoFamily returns the Noto font that has a character, or likely has it.
func notoFamily(r rune) string {
	switch script := scriptOf(r); script {
	case "Han", "Hiragana", "Katakana", "Hangul", "Bopomofo":
		return "Noto Sans CJK"
	case "":
		switch {
		case r >= 0x1f000 && r <= 0x1ffff:
			return "Noto Emoji"
		case r >= 0x3000 && r <= 0x33ff, r >= 0xff00 && r <= 0xffef:
			return "Noto Sans CJK"
		case r >= 0x1d400 && r <= 0x1d7ff:
			return "Noto Sans Math"
		}
		return "Noto Sans Symbols"
	case "Latin", "Greek", "Cyrillic":
		return "Noto Sans"
	default:
		return "Noto Sans " + script
	}
}
