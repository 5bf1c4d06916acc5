package casetype

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/casehook/casehook/internal/expression"
)

// Identity is the part of a case besides its data that templates may use.
type Identity struct {
	ID        int64
	Reference string
	Name      string
	State     string // as people read it
}

// part is a stretch of literal text, or else a placeholder.
type part struct{ literal, placeholder string }

var placeholderName = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_&()-]*(\.[^{}.\x00-\x1f]+)*$`)

// parseTemplate splits a template. {name} and {name.part} are placeholders; {{
// and }} stand for single braces.
func parseTemplate(template string) ([]part, error) {
	var parts []part
	var literal strings.Builder
	for rest := template; rest != ""; {
		i := strings.IndexAny(rest, "{}")
		if i < 0 {
			literal.WriteString(rest)
			break
		}
		literal.WriteString(rest[:i])
		brace := rest[i : i+1]
		if rest = rest[i+1:]; strings.HasPrefix(rest, brace) {
			literal.WriteString(brace)
			rest = rest[1:]
			continue
		}
		name, after, closed := strings.Cut(rest, "}")
		if brace == "}" || !closed || !placeholderName.MatchString(name) {
			return nil,
				errors.New("has a brace that is no placeholder such as {name}; a single brace is written {{ or }}")
		}
		parts = append(parts, part{literal: literal.String()}, part{placeholder: name})
		literal.Reset()
		rest = after
	}
	return append(parts, part{literal: literal.String()}), nil
}

// ErrTooLong is wrapped by the error of a template whose result exceeds its limit.
var ErrTooLong = errors.New("comes to more text than is allowed")

// Interpolate fills a template with a case's data and identity, to at most limit bytes. It writes texts as
// they are, numbers by their values, lists with commas between items, and nothing for a missing value.
// Each text goes through escape, unless that is nil. It fails on a template that [Parse] would refuse.
func Interpolate(
	template string, data map[string]any, who Identity, escape func(string) string, limit int,
) (string, error) {
	parts, err := parseTemplate(template)
	if err != nil {
		return "", fmt.Errorf("template: %w", err)
	}
	b := boundedText{left: limit}
	for _, p := range parts {
		b.write(p.literal)
		if p.placeholder != "" {
			b.fill(lookup(p.placeholder, data, who), escape)
		}
		if b.full {
			return b.text.String(), fmt.Errorf("template: %w", ErrTooLong)
		}
	}
	return b.text.String(), nil
}

// boundedText is a text that grows to a limit, and no further.
type boundedText struct {
	text strings.Builder
	left int  // bytes
	full bool // something was left out
}

// write appends as much of a text as there is room for.
func (b *boundedText) write(text string) {
	if len(text) > b.left {
		text, b.full = strings.ToValidUTF8(text[:b.left], ""), true
	}
	b.left -= len(text)
	b.text.WriteString(text)
}

// fill appends a value of case data for people, through escape. The text before escape is bounded, too.
func (b *boundedText) fill(value any, escape func(string) string) {
	if escape == nil {
		b.value(value)
		return
	}
	plain := boundedText{left: b.left}
	plain.value(value)
	b.write(escape(plain.text.String()))
	b.full = b.full || plain.full
}

// value appends a value of case data for people.
func (b *boundedText) value(value any) {
	switch value := value.(type) {
	case nil:
	case string:
		b.write(value)
	case bool:
		b.write(strconv.FormatBool(value))
	case json.Number:
		b.write(expression.NumberText(value))
	case []any:
		for i, item := range value {
			if b.full {
				return
			}
			b.separate(i)
			b.value(item)
		}
	case map[string]any:
		for i, name := range slices.Sorted(maps.Keys(value)) {
			if b.full {
				return
			}
			b.separate(i)
			b.write(name + ": ")
			b.value(value[name])
		}
	default:
		b.write(fmt.Sprint(value))
	}
}

// separate appends a comma before every item but the first.
func (b *boundedText) separate(i int) {
	if i > 0 {
		b.write(", ")
	}
}

// lookup returns the value of a placeholder.
func lookup(name string, data map[string]any, who Identity) any {
	switch name {
	case "case.id":
		return strconv.FormatInt(who.ID, 10)
	case "case.reference":
		return who.Reference
	case "case.name":
		return who.Name
	case "case.state":
		return who.State
	}
	var value any = data
	for token := range strings.SplitSeq(name, ".") {
		object, _ := value.(map[string]any)
		value = object[token]
	}
	return value
}

// The bounds of the name of a case.
const (
	maxName     = 200      // characters
	maxNameText = 16 << 10 // bytes of the template's result, before white space is collapsed
)

// FormatName returns the name of a case by the type's template, on one line. If there is no template or
// its result is empty, the name is the reference.
func (t *Type) FormatName(data map[string]any, who Identity) string {
	if t.NameTemplate == "" {
		return who.Reference
	}
	name, err := Interpolate(t.NameTemplate, data, who, nil, maxNameText)
	if err != nil && !errors.Is(err, ErrTooLong) { // the beginning suffices
		return who.Reference // impossible: Parse has checked the template
	}
	name = strings.Join(strings.FieldsFunc(name, func(r rune) bool {
		return unicode.IsSpace(r) ||
			unicode.IsControl(r)
	}), " ")
	if runes := []rune(name); len(runes) > maxName {
		name = strings.TrimSpace(string(runes[:maxName]))
	}
	if name == "" {
		return who.Reference
	}
	return name
}

var sequence = regexp.MustCompile(`\{seq(?::0([1-9]|1[0-8]))?\}`)

func checkReferencePattern(pattern string) string {
	if len(sequence.FindAllString(pattern, 2)) != 1 {
		return "does not hold {seq}, or {seq:04} for leading zeros, exactly once"
	}
	rest := sequence.ReplaceAllString(pattern, "")
	if strings.ContainsAny(rest, "{}") || strings.ContainsFunc(rest, func(r rune) bool { return !unicode.IsPrint(r) }) {
		return "holds a brace or an unprintable character besides its {seq}"
	}
	return ""
}

// FormatReference returns the readable identifier of the type's seq-th case.
func (t *Type) FormatReference(seq int64) string {
	return sequence.ReplaceAllStringFunc(t.Reference, func(found string) string {
		width, _ := strconv.Atoi(sequence.FindStringSubmatch(found)[1])
		return fmt.Sprintf("%0*d", width, seq)
	})
}
