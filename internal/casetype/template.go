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
)

// Identity is what templates know of a case besides its data.
type Identity struct {
	ID        int64
	Reference string
	Name      string
	State     string // as people read it
}

// part is a stretch of literal text, or else a placeholder.
type part struct{ literal, placeholder string }

var placeholderName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z0-9_-]+)*$`)

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
			return nil, errors.New("has a brace that is no placeholder such as {name}; a single brace is written {{ or }}")
		}
		parts = append(parts, part{literal: literal.String()}, part{placeholder: name})
		literal.Reset()
		rest = after
	}
	return append(parts, part{literal: literal.String()}), nil
}

// Interpolate fills a template with a case's data and identity. Text goes in as
// it is, numbers as they are written, lists with commas between; what is missing
// leaves nothing. Each text goes through escape, unless that is nil. It fails on a
// template that [Parse] would refuse.
func Interpolate(template string, data map[string]any, who Identity, escape func(string) string) (string, error) {
	parts, err := parseTemplate(template)
	if err != nil {
		return "", fmt.Errorf("template: %w", err)
	}
	var b strings.Builder
	for _, p := range parts {
		b.WriteString(p.literal)
		if p.placeholder == "" {
			continue
		}
		value := lookup(p.placeholder, data, who)
		if escape != nil {
			value = escape(value)
		}
		b.WriteString(value)
	}
	return b.String(), nil
}

func lookup(name string, data map[string]any, who Identity) string {
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
	return Text(value)
}

// Text writes a value of case data for people.
func Text(value any) string {
	switch value := value.(type) {
	case nil:
		return ""
	case string:
		return value
	case bool:
		return strconv.FormatBool(value)
	case json.Number:
		return string(value)
	case []any:
		var all []string
		for _, item := range value {
			all = append(all, Text(item))
		}
		return strings.Join(all, ", ")
	case map[string]any:
		var all []string
		for _, name := range slices.Sorted(maps.Keys(value)) {
			all = append(all, name+": "+Text(value[name]))
		}
		return strings.Join(all, ", ")
	}
	return fmt.Sprint(value)
}

// maxName bounds the name of a case, in characters.
const maxName = 200

// FormatName names a case by the type's template, on one line; a template that
// comes to nothing, or none, gives the reference.
func (t *Type) FormatName(data map[string]any, who Identity) string {
	if t.NameTemplate == "" {
		return who.Reference
	}
	name, err := Interpolate(t.NameTemplate, data, who, nil)
	if err != nil {
		return who.Reference // can't be: Parse has checked the template
	}
	name = strings.Join(strings.FieldsFunc(name, func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) }), " ")
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

// FormatReference gives the readable identifier of the type's seq-th case.
func (t *Type) FormatReference(seq int64) string {
	return sequence.ReplaceAllStringFunc(t.Reference, func(found string) string {
		width, _ := strconv.Atoi(sequence.FindStringSubmatch(found)[1])
		return fmt.Sprintf("%0*d", width, seq)
	})
}
