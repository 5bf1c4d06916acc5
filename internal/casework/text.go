package casework

import (
	"fmt"
	"math"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/casehook/casehook/internal/casetype"
	"github.com/casehook/casehook/internal/fault"
)

// The bounds of what people write, in characters, and of data, in bytes of JSON.
const (
	maxComment = 20_000
	maxQuery   = 200
	maxData    = 1 << 20
)

// maxName is the length of the longest name, in characters.
const maxName = 200

var colorPattern = regexp.MustCompile(`^([a-z]{1,32}|#[0-9a-fA-F]{6})$`)

var wordPattern = regexp.MustCompile(`^[A-Za-z0-9_.-]{0,100}$`) // keys and ids

var subjectPattern = regexp.MustCompile(`^[a-z]{1,20}/[A-Za-z0-9_]{1,100}$`) // of entries

// word reports whether s can be a key or an id: what can't is not looked up.
func word(s string) bool { return wordPattern.MatchString(s) }

// printable reports whether a text is printable ASCII alone.
func printable(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r > '~' })
}

// lineProblem says what is wrong with one line of text of up to max characters.
func lineProblem(s string, max int) string {
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

func colorProblem(s string) string {
	if s == "" || colorPattern.MatchString(s) {
		return ""
	}
	return "is not a colour; write #rrggbb, or a name in lower case such as teal"
}

// tooLarge says so of data that fits its schema but not our bound.
func tooLarge(data map[string]any) []fault.Field {
	if raw, err := casetype.Encode(data); err != nil || len(raw) > maxData {
		return []fault.Field{{Path: "/data", Message: fmt.Sprintf("is larger than %d bytes of JSON", maxData)}}
	}
	return nil
}

// The bounds of a page.
const (
	defaultPage = 50
	maxPage     = 1000
)

func page(limit int) int {
	if limit <= 0 {
		return defaultPage
	}
	return min(limit, maxPage)
}

// newest turns 0, the beginning of a list that is newest first, into a bound.
func newest(before int64) int64 {
	if before <= 0 {
		return math.MaxInt64
	}
	return before
}

// checkQuery refuses a text that can't be searched for.
func checkQuery(text string) error {
	if !utf8.ValidString(text) || strings.ContainsRune(text, 0) || utf8.RuneCountInString(text) > maxQuery {
		wrong := fault.New(fault.Invalid, "filter.invalid", "The text to search for is 1 to %d characters, without NUL.", maxQuery)
		wrong.Fields = []fault.Field{{Path: "query.q", Message: "is no text of this length"}}
		return wrong
	}
	return nil
}

// checkAfter refuses the position of a page that can't be one.
func checkAfter(after string) error {
	if !word(after) {
		return fault.New(fault.Invalid, "page.invalid", "The position to continue after is not one that a page gave.")
	}
	return nil
}
