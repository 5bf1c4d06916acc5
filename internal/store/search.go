package store

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/casehook/casehook/internal/cases"
	"github.com/casehook/casehook/internal/fault"
)

// maxSearch bounds a search text, in bytes. SQLite takes no pattern above 50,000.
const maxSearch = 1000

// likePattern makes a pattern that matches text anywhere, whatever is in it.
func likePattern(text string) (string, error) {
	if len(text) > maxSearch {
		return "", fault.New(fault.Invalid, "search.too_long", "The text to search for is longer than %d bytes.", maxSearch)
	}
	return "%" + strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`).Replace(strings.ToLower(text)) + "%", nil
}

// searchText is what a search looks in: reference, name and the values of the
// data, one a line.
func searchText(c cases.Case) string {
	var b strings.Builder
	b.WriteString(c.Reference)
	b.WriteByte('\n')
	b.WriteString(c.Name)
	writeValues(&b, c.Data)
	return strings.ReplaceAll(strings.ToLower(b.String()), "\x00", " ")
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
