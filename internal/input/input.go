package input

import (
	"fmt"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

// MaxName is the length of the longest name, in characters.
const MaxName = 200

var wordPattern = regexp.MustCompile(`^[A-Za-z0-9_.-]{0,100}$`) // keys and ids

// Word reports whether s can be a key or an id. Other strings are not looked up.
func Word(s string) bool { return wordPattern.MatchString(s) }

// Printable reports whether a text is printable ASCII alone.
func Printable(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r > '~' })
}

// LineProblem returns why s is not one line of text of up to max characters, or "".
func LineProblem(s string, max int) string {
	switch {
	case !utf8.ValidString(s):
		return "is not UTF-8"
	case utf8.RuneCountInString(s) > max:
		return fmt.Sprintf("is longer than %d characters", max)
	case strings.ContainsFunc(s, unicode.IsControl):
		return "holds a control character"
	}
	return ""
}
