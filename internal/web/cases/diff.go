package cases

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"github.com/casehook/casehook/internal/casetype"
)

// diffLine is a field before and after.
type diffLine struct{ Title, Before, After string }

// wording writes the changes of cases of a type for people.
type wording struct {
	typ    *casetype.Type   // nil: it no longer exists
	fields map[string]field // by name; nil: none was needed yet
}

func newWording(t *casetype.Type) *wording { return &wording{typ: t} }

// changed returns the differences of the value at a path, such as data/zone.
func (w *wording) changed(path string, before, after any) []diffLine {
	return w.field(path).compare(w.title(path), before, after)
}

// title returns the title of the value at a path.
func (w *wording) title(path string) string {
	if f := w.field(path); f.Title != "" {
		return f.Title
	}
	if w.typ == nil {
		return path
	}
	return titled(strings.TrimPrefix(path, "data/"))
}

// field returns the field at a path; the zero field if there is none.
func (w *wording) field(path string) field {
	name, isField := strings.CutPrefix(path, "data/")
	if w.typ == nil || !isField {
		return field{}
	}
	if w.fields == nil {
		w.fields = map[string]field{}
		for _, f := range fieldsOf(w.typ, casetype.Restricted) {
			w.fields[f.Name] = f
		}
	}
	return w.fields[name]
}

// compare returns the differences of two values of a field: of objects by their members.
func (f field) compare(title string, before, after any) []diffLine {
	old, wasObject := before.(map[string]any)
	new, isObject := after.(map[string]any)
	written := f.Widget == offerWidget || f.Widget == offersWidget
	if written || !(wasObject || before == nil) || !(isObject || after == nil) || !wasObject && !isObject {
		if line := (diffLine{title, f.text(before), f.text(after)}); line.Before != line.After {
			return []diffLine{line}
		}
		return nil
	}
	names := slices.Sorted(maps.Keys(old))
	for name := range new {
		if _, had := old[name]; !had {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	var lines []diffLine
	for _, name := range names {
		inside := title + ", " + strings.ReplaceAll(name, "_", " ")
		lines = append(lines, f.part(name).compare(inside, old[name], new[name])...)
	}
	return lines
}

// part returns the member of an object with a name.
func (f field) part(name string) field {
	for _, part := range f.Parts {
		if part.Name == name {
			return part
		}
	}
	return field{}
}

// text writes a value for people: codes by their labels, and a list by its items.
func (f field) text(value any) string {
	switch v := value.(type) {
	case bool:
		return map[bool]string{true: "yes", false: "no"}[v]
	case string:
		return f.word(v)
	case []any:
		item, between := field{Labels: f.Labels}, ", "
		if f.Item != nil {
			item = *f.Item
		}
		if item.Widget == objectWidget {
			between = "; "
		}
		texts := make([]string, len(v))
		for i, one := range v {
			if members, isObject := one.(map[string]any); isObject && f.HasIDs {
				one = members["value"]
			}
			texts[i] = item.text(one)
		}
		return strings.Join(texts, between)
	case map[string]any:
		return f.textOfObject(v)
	}
	return textOf(value)
}

// textOfObject writes an object by its members, and a dynamic list by what is chosen.
func (f field) textOfObject(members map[string]any) string {
	var texts []string
	switch f.Widget {
	case offerWidget, offersWidget:
		shown := formField{field: f}
		shown.offer(members)
		for _, code := range append(shown.Chosen, shown.Value) {
			if code != "" {
				texts = append(texts, shown.word(code))
			}
		}
	case documentWidget:
		return linkOf(members).Name
	case objectWidget:
		for _, part := range f.Parts {
			if text := part.text(members[part.Name]); text != "" {
				texts = append(texts, part.Title+": "+text)
			}
		}
	default:
		return jsonOf(members)
	}
	return strings.Join(texts, ", ")
}

// word returns the label of a code; the code itself if it has none.
func (f field) word(code string) string {
	if label := f.Labels[code]; label != "" {
		return label
	}
	return code
}

// decoded reads a value with its numbers as they were written; nil: there is none.
func decoded(raw json.RawMessage) (value any) {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	if d.Decode(&value) != nil {
		return nil // the journal has valid JSON
	}
	return value
}
