package apply

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"unicode/utf8"
)

// The bounds of the list of an item's changes.
const (
	maxChanges = 40 // lines
	maxValue   = 80 // bytes
)

// definitionChanges lists the relevant differences between two definitions. If there are none, the
// definitions are equal.
func definitionChanges(before, after []byte) []string {
	var x, y bytes.Buffer
	if json.Compact(&x, before) == nil && json.Compact(&y, after) == nil && bytes.Equal(x.Bytes(), y.Bytes()) {
		return nil
	}
	lines := differences(decoded(before), decoded(after))
	if len(lines) == 0 {
		lines = []string{"/fields: in another order"}
	}
	return lines
}

// asJSON encodes and decodes a value.
func asJSON(v any) any {
	raw, _ := json.Marshal(v) // can't fail for a request's body
	return decoded(raw)
}

func decoded(raw []byte) (v any) {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	d.Decode(&v) // a value that is not JSON differs from all others
	return v
}

// differences lists the differences between two JSON values by path.
func differences(before, after any) []string {
	var c comparison
	c.values("", before, after)
	if more := len(c.lines) - maxChanges; more > 0 {
		c.lines = append(c.lines[:maxChanges], fmt.Sprintf("... and %d more", more))
	}
	return c.lines
}

type comparison struct{ lines []string }

func (c *comparison) say(path, what string) { c.lines = append(c.lines, path+": "+what) }

func (c *comparison) values(path string, before, after any) {
	if reflect.DeepEqual(before, after) {
		return
	}
	if x, isObject := before.(map[string]any); isObject {
		if y, isObject := after.(map[string]any); isObject {
			c.members(path, x, y)
			return
		}
	}
	x, isList := before.([]any)
	y, areLists := after.([]any)
	switch {
	case !isList || !areLists:
		c.say(path, brief(before)+" -> "+brief(after))
	case keyed(x) && keyed(y):
		c.keyed(path, x, y)
	default:
		c.list(path, x, y)
	}
}

func (c *comparison) members(path string, before, after map[string]any) {
	all := maps.Clone(before)
	maps.Copy(all, after)
	for _, name := range slices.Sorted(maps.Keys(all)) {
		x, had := before[name]
		y, has := after[name]
		at := path + "/" + strings.NewReplacer("~", "~0", "/", "~1").Replace(name)
		switch {
		case !had:
			c.say(at, "added"+content(y))
		case !has:
			c.say(at, "removed"+content(x))
		default:
			c.values(at, x, y)
		}
	}
}

// content formats a value that was added or removed.
func content(v any) string {
	switch v.(type) {
	case map[string]any, nil:
		return ""
	}
	return ": " + brief(v)
}

// keyOf returns the key that identifies an item of a list, such as a state.
func keyOf(item any) string {
	object, _ := item.(map[string]any)
	key, _ := object["key"].(string)
	return key
}

// keyed reports whether all items of a list have keys.
func keyed(list []any) bool {
	return !slices.ContainsFunc(list, func(item any) bool { return keyOf(item) == "" })
}

func keysOf(list []any) (keys []string) {
	for _, item := range list {
		keys = append(keys, keyOf(item))
	}
	return keys
}

// keyed compares lists whose items have keys, such as states.
func (c *comparison) keyed(path string, before, after []any) {
	old, keys := keysOf(before), keysOf(after)
	for i, key := range old {
		if !slices.Contains(keys, key) {
			c.say(path+"/"+key, "removed"+content(before[i]))
		}
	}
	for i, key := range keys {
		if at := slices.Index(old, key); at >= 0 {
			c.values(path+"/"+key, before[at], after[i])
			continue
		}
		c.say(path+"/"+key, "added"+content(after[i]))
	}
	in := func(others []string) func(string) bool {
		return func(key string) bool { return !slices.Contains(others, key) }
	}
	if !slices.Equal(slices.DeleteFunc(slices.Clone(old), in(keys)), slices.DeleteFunc(slices.Clone(keys), in(old))) {
		c.say(path, "in another order")
	}
}

// list compares other lists by the items that only one of them has, if there are no other differences.
func (c *comparison) list(path string, before, after []any) {
	var parts []string
	only := func(sign string, these, others []any) {
		for _, item := range these {
			if !slices.ContainsFunc(others, func(other any) bool { return reflect.DeepEqual(item, other) }) {
				parts = append(parts, sign+brief(item))
			}
		}
	}
	only("+", after, before)
	only("-", before, after)
	const most = 10
	switch {
	case len(parts) == 0 || len(brief(before))+len(brief(after)) < maxValue:
		c.say(path, brief(before)+" -> "+brief(after))
	case len(parts) > most:
		c.say(path, strings.Join(parts[:most], ", ")+fmt.Sprintf(", and %d more", len(parts)-most))
	default:
		c.say(path, strings.Join(parts, ", "))
	}
}

// compact encodes a value as JSON.
func compact(v any) string {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.Encode(v) // can't fail: it was JSON
	return strings.TrimSuffix(b.String(), "\n")
}

// brief formats a value on one line, and cuts it if it is long.
func brief(v any) string {
	text, isText := v.(string)
	if !isText || text == "" || strings.ContainsFunc(text, func(r rune) bool { return r < ' ' }) {
		text = compact(v)
	}
	if len(text) <= maxValue {
		return text
	}
	cut := maxValue
	for !utf8.RuneStart(text[cut]) {
		cut--
	}
	return text[:cut] + "…"
}
