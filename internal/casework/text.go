package casework

import (
	"fmt"
	"regexp"
	"strings"
	"unicode/utf8"

	"github.com/casehook/casehook/internal/casetype"
	"github.com/casehook/casehook/internal/event"
	"github.com/casehook/casehook/internal/fault"
)

// The bounds of what people write, in characters, and of data, in bytes of JSON.
const (
	maxComment     = 20_000
	maxQuery       = 200
	maxSummary     = 1024
	maxDescription = 65_536
	maxData        = 16 << 20
)

var colorPattern = regexp.MustCompile(`^([a-z]{1,32}|#[0-9a-fA-F]{6})$`)

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

// unfitNote lists the faults of a note.
func unfitNote(n event.Note) (wrong []fault.Field) {
	add := func(path, text string, most int) {
		message := ""
		switch {
		case !utf8.ValidString(text):
			message = "is not UTF-8"
		case utf8.RuneCountInString(text) > most:
			message = fmt.Sprintf("is longer than %d characters", most)
		case strings.ContainsRune(text, 0):
			message = "holds the character NUL"
		}
		if message != "" {
			wrong = append(wrong, fault.Field{Path: path, Message: message})
		}
	}
	add("/summary", n.Summary, maxSummary)
	add("/description", n.Description, maxDescription)
	return wrong
}

// checkQuery refuses a text that can't be searched for.
func checkQuery(text string) error {
	if !utf8.ValidString(text) || strings.ContainsRune(text, 0) || utf8.RuneCountInString(text) > maxQuery {
		wrong := fault.New(fault.Invalid, "filter.invalid",
			"The text to search for must have 1 to %d characters, none of them NUL.", maxQuery)
		wrong.Fields = []fault.Field{{Path: "query.q", Message: "is empty, too long, or holds NUL"}}
		return wrong
	}
	return nil
}
