package schema

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// The bounds of messages, in bytes.
const (
	maxForms   = 400 // the complaints of the allowed forms about a value
	maxList    = 20  // values of an enum
	maxValue   = 200 // each of them
	maxPattern = 500 // the pattern
)

var namesOfKinds = []struct {
	kind kinds
	name string
}{
	{null, "null"}, {boolean, "true or false"}, {number, "a number"}, {integer, "a whole number"},
	{text, "text"}, {list, "a list"}, {object, "an object"},
}

// String names the types.
func (k kinds) String() string {
	var names []string
	for _, one := range namesOfKinds {
		if k&one.kind != 0 {
			names = append(names, one.name)
		}
	}
	return strings.Join(names, " or ")
}

func wrongType(got, want kinds) string {
	if got == number && want&integer != 0 {
		return "is not " + want.String()
	}
	return fmt.Sprintf("is %s, not %s", got, want)
}

// describe lists values: texts as they are, others as JSON.
func describe(all []any) string {
	var parts []string
	for _, value := range all[:min(len(all), maxList)] {
		part, isText := value.(string)
		if !isText || part == "" {
			part = asJSON(value)
		}
		parts = append(parts, shorten(part, maxValue))
	}
	if len(all) > maxList {
		parts = append(parts, "...")
	}
	return strings.Join(parts, ", ")
}

func asJSON(value any) string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(value); err != nil {
		return "?"
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// shorten cuts a text off after at most so many bytes, between two characters.
func shorten(text string, most int) string {
	if len(text) <= most {
		return text
	}
	for most > 0 && !utf8.RuneStart(text[most]) {
		most--
	}
	return text[:most] + "..."
}

func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

func (f *format) message(err error) string {
	if errors.Is(err, ErrPattern) {
		return ErrPattern.Error()
	}
	if reason, ok := errors.AsType[patternError](err); ok {
		return reason.Error()
	}
	return "is not a valid " + f.name + suchAs[f.name]
}

// suchAs shows the formats that people write in other ways.
var suchAs = map[string]string{
	"date": ", such as 2026-03-14", "time": ", such as 15:09:26Z", "date-time": ", such as 2026-03-14T15:09:26Z",
	"duration": ", such as P3D or PT15M", "uri": ", such as https://example.com/a",
}

// forms describes in one line the complaints of each branch about the value at depth.
func forms(found []Complaint, ends []int, depth int) string {
	var parts []string
	length, begin := 0, 0
	for _, end := range ends {
		var says []string
		for _, c := range found[begin:end] {
			if length > maxForms {
				break
			}
			one := strings.TrimSpace(Pointer("", c.Path[min(depth, len(c.Path)):]...) + " " + c.Message)
			says = append(says, one)
			length += len(one)
		}
		slices.Sort(says)
		parts = append(parts, strings.Join(slices.Compact(says), ", "))
		begin = end
	}
	if text := strings.Join(parts, "; or "); len(text) <= maxForms {
		return text
	}
	return fmt.Sprintf("there are %d", len(parts))
}

var escape = strings.NewReplacer("~", "~0", "/", "~1")

// Pointer appends tokens to a JSON Pointer.
func Pointer(base string, tokens ...string) string {
	var b strings.Builder
	b.WriteString(base)
	for _, token := range tokens {
		b.WriteByte('/')
		escape.WriteString(&b, token)
	}
	return b.String()
}
