package casetype

import (
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// ShowCondition is the condition under which a console shows a page of a form, or a field on one. It has the grammar
// and the meaning of CCD's pages: comparisons of fields with texts, joined from left to right by AND and OR of equal
// rank, with one level of brackets. The zero condition is true.
type ShowCondition struct{ operands []showOperand }

// showOperand is a comparison, or a condition in brackets.
type showOperand struct {
	or    bool // it is joined to those before it by OR
	atom  showAtom
	group *ShowCondition // nil: it is the comparison
}

// showAtom compares the value at a path with a text.
type showAtom struct {
	path     string // with dots into objects; [STATE] and the like for metadata
	operator string
	text     string
}

// The operators of comparisons.
const (
	showEquals   = "="
	showDiffers  = "!="
	showContains = "CONTAINS"
)

var (
	showAtomPattern  = regexp.MustCompile(`^([^"=!(][^"=!]*?)\s*(!=|=|CONTAINS)\s*"([A-Za-z0-9.,* _&()/-]*)"\s*`)
	showJointPattern = regexp.MustCompile(`^(AND|OR)\s+`)
	showJoined       = regexp.MustCompile(`\s(AND|OR)\s`)
)

// ParseShowCondition reads a condition. Its error is the rest of a sentence about the text.
func ParseShowCondition(text string) (ShowCondition, error) {
	c, rest, err := parseShown(strings.TrimSpace(text), true)
	if err == nil && rest != "" {
		err = fmt.Errorf("has %.40q where AND, OR or the end is expected", rest)
	}
	return c, err
}

// parseShown reads operands as far as there are any, and returns the rest.
func parseShown(text string, brackets bool) (c ShowCondition, rest string, err error) {
	or := false
	for {
		var one showOperand
		if one, text, err = parseShowOperand(text, brackets); err != nil {
			return c, "", err
		}
		one.or = or
		c.operands = append(c.operands, one)
		joint := showJointPattern.FindStringSubmatch(text)
		if joint == nil {
			return c, text, nil
		}
		or, text = joint[1] == "OR", text[len(joint[0]):]
	}
}

func parseShowOperand(text string, brackets bool) (one showOperand, rest string, err error) {
	if inner, isGroup := strings.CutPrefix(text, "("); isGroup && brackets {
		group, rest, err := parseShown(strings.TrimSpace(inner), false)
		if err != nil {
			return one, "", err
		}
		rest, closed := strings.CutPrefix(rest, ")")
		if !closed {
			return one, "", errors.New("has a bracket that is not closed")
		}
		return showOperand{group: &group}, strings.TrimSpace(rest), nil
	}
	found := showAtomPattern.FindStringSubmatch(text)
	switch {
	case text == "":
		return one, "", errors.New("ends where a comparison is expected")
	case found == nil, showJoined.MatchString(found[1]):
		return one, "", fmt.Errorf(`has %.40q where a comparison such as field="text" is expected`, text)
	}
	return showOperand{atom: showAtom{found[1], found[2], found[3]}}, text[len(found[0]):], nil
}

// Holds reports whether the condition is true of data. Metadata are the values of names in brackets, such as [STATE].
// A missing value counts as empty.
func (c ShowCondition) Holds(data map[string]any, metadata map[string]string) bool {
	holds := true
	for i, o := range c.operands {
		switch {
		case i > 0 && o.or == holds: // true OR, false AND: it stays
		case o.group != nil:
			holds = o.group.Holds(data, metadata)
		default:
			holds = o.atom.holds(data, metadata)
		}
	}
	return holds
}

func (a showAtom) holds(data map[string]any, metadata map[string]string) bool {
	value, isMetadata := any(metadata[a.path]), strings.HasPrefix(a.path, "[")
	if !isMetadata {
		value = data
		for name := range strings.SplitSeq(a.path, ".") {
			value = object(value)[name]
		}
	}
	switch a.operator {
	case showContains:
		return containsAll(shownTexts(value), itemsIn(a.text))
	case showDiffers:
		return !showsAs(value, a.text)
	}
	return showsAs(value, a.text)
}

// showsAs reports whether a value is a text, begins with one that ends in *, or has the items of one with commas.
func showsAs(value any, text string) bool {
	texts := shownTexts(value)
	_, isList := value.([]any)
	switch prefix, isPrefix := strings.CutSuffix(text, "*"); {
	case text == "*":
		return len(texts) > 0
	case text == "":
		return len(texts) == 0
	case isList || len(texts) > 1:
		wanted := itemsIn(text)
		slices.Sort(wanted)
		slices.Sort(texts)
		return slices.Equal(texts, wanted)
	case len(texts) == 0:
		return false
	case isPrefix:
		return strings.HasPrefix(texts[0], prefix)
	}
	if number, isNumber := value.(json.Number); isNumber && isJSONNumber(text) {
		return Equal(number, json.Number(text))
	}
	return texts[0] == text
}

// shownTexts returns the texts that a condition compares: those of a list's items, the codes that are chosen of a
// dynamic list, or the one of any other value. An empty value has none.
func shownTexts(value any) (texts []string) {
	switch v := value.(type) {
	case string:
		if v != "" {
			return []string{v}
		}
	case json.Number:
		return []string{v.String()}
	case bool:
		return []string{fmt.Sprint(v)}
	case []any:
		for _, item := range v {
			texts = append(texts, shownTexts(item)...)
		}
	case map[string]any:
		if code, isChoice := v["code"].(string); isChoice {
			return []string{code}
		}
		if chosen, has := v["value"]; has { // a dynamic list, or an item of a collection
			return shownTexts(chosen)
		}
		if populated(v) {
			return []string{"{}"} // which equals no text that a condition may have
		}
	}
	return texts
}

// itemsIn returns the items that a text with commas lists.
func itemsIn(text string) []string {
	all := strings.Split(text, ",")
	for i, one := range all {
		all[i] = strings.TrimSpace(one)
	}
	return all
}

func containsAll(texts, wanted []string) bool {
	return !slices.ContainsFunc(wanted, func(one string) bool { return !slices.Contains(texts, one) })
}
