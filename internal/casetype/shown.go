package casetype

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"github.com/casehook/casehook/internal/yaml"
)

// JSONFor returns the definition without the fields above the clearance, and without the rules and templates that
// name them. For a clearance that sees all fields it is the text of [Type.JSON].
func (t *Type) JSONFor(clearance Classification) []byte {
	if clearance.Sees(t.highest) {
		return t.JSON()
	}
	h := newHider(t.Unseen(clearance), t.shownFields(clearance))
	var d map[string]any
	if json.Unmarshal(t.json, &d) != nil {
		return []byte("{}") // impossible: it is our own
	}
	h.texts(d, "name_template")
	h.rules(d)
	d["fields"] = h.prune(d["fields"], "")
	for _, tr := range items(d["transitions"]) {
		tr := object(tr)
		h.precondition(tr)
		h.texts(tr, "offered_if")
		h.rules(tr)
		h.callbacks(tr)
		h.pages(tr)
		maps.DeleteFunc(object(tr["defaults"]), func(path string, _ any) bool {
			field, _, _ := strings.Cut(path, ".")
			return h.mentions(field)
		})
		for _, target := range items(tr["to"]) {
			h.texts(object(target), "when")
		}
		for _, list := range []string{"fields", "required", "nullify"} {
			if fields, ok := tr[list]; ok {
				tr[list] = h.prune(fields, "")
			}
		}
	}
	for _, o := range operations {
		h.callbacks(object(d[o.key]))
	}
	maps.DeleteFunc(object(object(d["access"])["fields"]), func(field string, _ any) bool { return h.mentions(field) })
	for _, document := range items(d["documents"]) {
		h.texts(object(document), "template")
	}
	out, err := yaml.JSON(d)
	if err != nil {
		return []byte("{}") // impossible: it was JSON
	}
	return out
}

// hider removes the parts of a definition that name hidden fields.
type hider struct {
	words map[string]bool // hidden names of letters, digits and _
	other []string        // the other hidden names
	shown map[string]bool // the other fields, whose names may have those of hidden fields in them
}

func newHider(hidden, shown []string) hider {
	h := hider{words: map[string]bool{}, shown: map[string]bool{}}
	for _, name := range hidden {
		if strings.ContainsFunc(name, endsWord) {
			h.other = append(h.other, name)
		} else {
			h.words[name] = true
		}
	}
	for _, name := range shown {
		h.shown[name] = true
	}
	return h
}

// endsWord reports whether a character is none of a word.
func endsWord(r rune) bool {
	return r != '_' && (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z')
}

// names reports whether a text has the name of a hidden field in it.
func (h hider) names(text string) bool {
	for word := range strings.FieldsFuncSeq(text, endsWord) {
		if h.words[word] {
			return true
		}
	}
	return slices.ContainsFunc(h.other, func(name string) bool { return strings.Contains(text, name) })
}

// texts removes members that are texts and name hidden fields.
func (h hider) texts(in map[string]any, members ...string) {
	for _, member := range members {
		if h.names(text(in[member])) {
			delete(in, member)
		}
	}
}

// callbacks removes the conditions of callbacks that name hidden fields.
func (h hider) callbacks(in map[string]any) {
	for _, q := range []Question{AboutToStart, MidEvent, AboutToSubmit, Submitted} {
		h.texts(object(in[string(q)]), "when")
		for _, one := range items(in[string(q)]) {
			h.texts(object(one), "when")
		}
	}
}

// pages removes the hidden fields from pages, and the labels and conditions that name them.
func (h hider) pages(tr map[string]any) {
	for _, item := range items(tr["pages"]) {
		page := object(item)
		h.callbacks(page)
		h.texts(page, "show_if")
		list, ok := page["fields"].([]any)
		if !ok {
			continue
		}
		page["fields"] = slices.DeleteFunc(list, func(one any) bool {
			name, _, _ := strings.Cut(text(object(one)["name"]), ".")
			h.texts(object(one), "show_if", "label")
			return h.mentions(name) || name == "" && object(one)["label"] == nil
		})
	}
}

// rules removes the rules that name hidden fields.
func (h hider) rules(in map[string]any) {
	list, ok := in["rules"].([]any)
	if !ok {
		return
	}
	in["rules"] = slices.DeleteFunc(list, func(rule any) bool {
		names := false
		for key, value := range object(rule) {
			names = names || key != "set" && h.mentions(value)
		}
		for field, source := range object(object(rule)["set"]) {
			names = names || h.mentions(field) || h.mentions(source)
		}
		return names
	})
}

// precondition removes a precondition whose condition or message names hidden fields.
func (h hider) precondition(tr map[string]any) {
	own := object(tr["precondition"])
	if h.mentions(own["condition"]) || h.mentions(own["message"]) || h.mentions(tr["precondition"]) {
		delete(tr, "precondition")
	}
}

// prune removes the parts of a schema that name hidden fields; under is the keyword above it.
func (h hider) prune(v any, under string) any {
	switch v := v.(type) {
	case map[string]any:
		out := map[string]any{}
		for key, value := range v {
			if named := slices.Contains([]string{"properties", "dependentRequired", "dependentSchemas"},
				under); named && h.mentions(key) || h.mentions(value) {
				continue
			}
			out[key] = h.prune(value, key)
		}
		return out
	case []any:
		out := []any{}
		for _, item := range v {
			if !h.mentions(item) {
				out = append(out, h.prune(item, ""))
			}
		}
		return out
	}
	return v
}

func (h hider) mentions(v any) bool {
	s, isText := v.(string)
	return isText && !h.shown[s] && h.names(s)
}
