package store

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/casehook/casehook/internal/cases"
	"github.com/casehook/casehook/internal/casetype"
	"github.com/casehook/casehook/internal/fault"
	"github.com/casehook/casehook/internal/spelling"
)

// maxSearch is the limit of a search text, in bytes. SQLite accepts no pattern above 50,000.
const maxSearch = 1000

// likePattern returns a pattern that matches the folded text anywhere, with its wildcards escaped. The texts that it
// is matched with are folded too.
func likePattern(text string) (string, error) {
	if err := checkSearch(text); err != nil {
		return "", err
	}
	return "%" + strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`).Replace(spelling.Key(text)) + "%", nil
}

// checkSearch refuses a text that is too long to search for.
func checkSearch(text string) error {
	if len(text) > maxSearch {
		return fault.New(fault.Invalid, "search.too_long",
			"The text to search for is longer than %d bytes. Search for a shorter one.", maxSearch)
	}
	return nil
}

// searchTexts returns the words that a search looks for, with a space between two: those of the reference, the name
// and the values of the data, but for fields that only some roles may read. The first is for every clearance; the
// others add texts that need PRIVATE and RESTRICTED.
func searchTexts(c cases.Case, t *casetype.Type) [3]string {
	var b [3]strings.Builder
	b[0].WriteString(c.Reference)
	name := casetype.Public
	if !c.NameSet {
		name = t.NameClassification()
	}
	write := func(class casetype.Classification, v any) {
		if !class.Limited() { // the words are told apart by levels alone
			writeValues(&b[place(class)], v)
		}
	}
	write(name, c.Name)
	for _, field := range slices.Sorted(maps.Keys(c.Data)) {
		write(t.Classification(field), c.Data[field])
	}
	var texts [3]string
	for i := range b {
		texts[i] = wordText(spelling.Key(b[i].String()))
	}
	return texts
}

// place returns the index of the text for a classification; unclassified text goes to the highest.
func place(class casetype.Classification) int {
	if level := class.Level(); level > 0 {
		return level - 1
	}
	return 2
}

func writeValues(b *strings.Builder, v any) {
	switch v := v.(type) {
	case map[string]any:
		for _, name := range slices.Sorted(maps.Keys(v)) {
			writeValues(b, v[name])
		}
	case []any:
		for _, item := range v {
			writeValues(b, item)
		}
	case string:
		b.WriteByte('\n')
		b.WriteString(v)
	case json.Number:
		b.WriteByte('\n')
		b.WriteString(string(v))
	case nil, bool:
	default:
		fmt.Fprintf(b, "\n%v", v)
	}
}
