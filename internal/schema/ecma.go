package schema

import (
	"errors"
	"fmt"
	"regexp"
	"regexp/syntax"
	"strconv"
	"strings"
	"unicode/utf16"
)

// JSON Schema writes patterns in the dialect of ECMA-262, and they are matched as RE2, in linear time.
// Both write most patterns alike. The differences are translated; patterns that RE2 can't match
// (lookarounds, backreferences) are refused.

// translate writes a pattern of ECMA-262 as RE2: \uhhhh, pairs of them that stand for
// one character, \u{hhhhh} and \cX become \x{...}.
func translate(source string) string {
	var b strings.Builder
	for rest := source; rest != ""; {
		i := strings.IndexByte(rest, '\\')
		if i < 0 || i+1 == len(rest) {
			b.WriteString(rest)
			break
		}
		b.WriteString(rest[:i])
		r, size := escaped(rest[i:])
		if size > 0 {
			fmt.Fprintf(&b, `\x{%X}`, r)
		} else {
			size = 2
			b.WriteString(rest[i : i+2])
		}
		rest = rest[i+size:]
	}
	return b.String()
}

// escaped reads an escape that RE2 does not have, and returns its length; 0 for other escapes.
func escaped(text string) (r rune, size int) {
	switch {
	case strings.HasPrefix(text, `\u{`):
		digits, _, closed := strings.Cut(text[3:], "}")
		if n, err := strconv.ParseUint(digits, 16, 32); closed && err == nil {
			return rune(n), len(digits) + 4
		}
	case strings.HasPrefix(text, `\u`):
		first, ok := unit(text)
		if second, paired := unit(text[min(6, len(text)):]); ok && paired && utf16.IsSurrogate(first) {
			if r := utf16.DecodeRune(first, second); r != '\uFFFD' {
				return r, 12
			}
		}
		if ok && !utf16.IsSurrogate(first) {
			return first, 6
		}
	case strings.HasPrefix(text, `\c`) && len(text) > 2:
		if letter := text[2] | 0x20; letter >= 'a' && letter <= 'z' {
			return rune(letter - 'a' + 1), 3
		}
	}
	return 0, 0
}

// unit reads \uhhhh.
func unit(text string) (rune, bool) {
	if len(text) < 6 || text[0] != '\\' || text[1] != 'u' {
		return 0, false
	}
	n, err := strconv.ParseUint(text[2:6], 16, 16)
	return rune(n), err == nil
}

// patternError is the reason why a pattern can't be used.
type patternError string

func (u patternError) Error() string { return "is not a valid regex: " + string(u) }

// lookaround matches the start of one.
var lookaround = regexp.MustCompile(`^\(\?<?[=!]`)

// refusal explains why a pattern can't be used, without quoting it: it may be a value.
func refusal(err error) error {
	var wrong *syntax.Error
	if !errors.As(err, &wrong) {
		return err
	}
	switch {
	case lookaround.MatchString(wrong.Expr):
		return patternError("it looks ahead or behind, which is not supported here")
	case wrong.Code == syntax.ErrInvalidEscape && len(wrong.Expr) > 1 && wrong.Expr[1] >= '1' && wrong.Expr[1] <= '9':
		return patternError("it refers back to a group, which is not supported here")
	}
	return patternError(wrong.Code.String())
}
