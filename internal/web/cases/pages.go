package cases

import (
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/casehook/casehook/internal/casetype"
	"github.com/casehook/casehook/internal/fault"
)

// formPage is a page of a form, with what is shown on it.
type formPage struct {
	Page  casetype.Page
	Place int // among all pages of the transition
	Items []pageItem
}

// pageItem is a field on a page, or a text in Markdown.
type pageItem struct {
	ID    string
	Field field
	Text  string
	IsRaw bool // it is a text
}

// pageReader finds the pages of a form, and what they show, as the form's data are.
type pageReader struct {
	of       subject
	reader   casetype.Classification // the reader's clearance
	fields   map[string]field        // that the reader sees, by name
	settable map[string]bool         // those that the reader may set
	data     map[string]any          // that the form shows
	metadata map[string]string
	all      bool // conditions are not evaluated

	conditions map[string]casetype.ShowCondition // by their texts, once read; zero: it can't be read
}

func newPageReader(of subject, reader casetype.Classification, visible, settable []field) pageReader {
	r := pageReader{
		of: of, reader: reader, fields: map[string]field{}, settable: map[string]bool{},
		conditions: map[string]casetype.ShowCondition{},
		metadata: map[string]string{
			"[CASE_TYPE]": of.typ.Key, "[JURISDICTION]": of.typ.Jurisdiction, "[STATE]": of.view.State,
		},
	}
	if !of.creates() {
		r.metadata["[CASE_REFERENCE]"] = strconv.FormatInt(of.view.ID, 10)
	}
	for _, f := range visible {
		r.fields[f.Name] = f
	}
	for _, f := range settable {
		r.settable[f.Name] = true
	}
	return r
}

// pages returns the pages whose conditions are true. One that shows and asks nothing is left out.
func (r pageReader) pages() (all []formPage) {
	for i, p := range r.of.tr.Pages {
		if !r.shows(p.ShowIf) {
			continue
		}
		if page := (formPage{p, i, r.items(p)}); len(page.Items) > 0 || len(p.MidEvent) > 0 {
			all = append(all, page)
		}
	}
	return all
}

// shows evaluates a condition. One that can't be read hides nothing.
func (r pageReader) shows(condition string) bool {
	if condition == "" || r.all {
		return true
	}
	c, known := r.conditions[condition]
	if !known {
		var err error
		if c, err = casetype.ParseShowCondition(condition); err != nil {
			c = casetype.ShowCondition{}
		}
		r.conditions[condition] = c
	}
	return c.Holds(r.data, r.metadata)
}

// items returns what a page shows. Members of a field are parts of it.
func (r pageReader) items(p casetype.Page) (all []pageItem) {
	seen := map[string]bool{}
	for i, one := range p.Fields {
		name, _, _ := strings.Cut(one.Name, ".")
		switch {
		case name == "" && r.shows(one.ShowIf) && r.of.typ.MayReveal(r.reader, one.Label):
			all = append(all, pageItem{ID: "text-" + strconv.Itoa(i), Text: r.fill(one.Label, literal), IsRaw: true})
		case name != "" && !seen[name]:
			seen[name] = true
			if f, ok := r.field(name, p.Fields); ok {
				all = append(all, pageItem{ID: "item-" + f.Path, Field: f})
			}
		}
	}
	return all
}

// field returns a field as a page has it; false: it is not shown.
func (r pageReader) field(name string, listed []casetype.PageField) (field, bool) {
	f, sees := r.fields[name]
	if !sees {
		return f, false
	}
	f.Required = f.Required || slices.Contains(r.of.tr.Required, name)
	own, members := about(name, listed)
	if !r.settable[name] && own.Use != "hidden" {
		own.Use = "readonly"
	}
	return r.as(f, own, members)
}

// about returns the entries of a page about a field or a member, and about the members below it.
func about(name string, listed []casetype.PageField) (own casetype.PageField, members []casetype.PageField) {
	for _, one := range listed {
		if one.Name == name {
			own = one
		} else if below, is := strings.CutPrefix(one.Name, name+"."); is {
			one.Name = below
			members = append(members, one)
		}
	}
	return own, members
}

// as returns a field as its entry on a page says; false: it is not shown. Of a complex field, the members that the page
// lists are shown.
func (r pageReader) as(f field, own casetype.PageField, members []casetype.PageField) (field, bool) {
	if own.Use == "hidden" || !r.shows(own.ShowIf) {
		return f, false
	}
	f.Optional = !f.Required && (own.Use == "" || own.Use == "optional")
	f.Required = own.Use == "mandatory" // what else is required is checked with the submission
	if own.Label != "" && r.of.typ.MayReveal(r.reader, own.Label) {
		f.Title = r.fill(own.Label, strings.Clone)
	}
	if picks := own.Name == "" || own.Use == "complex"; picks && len(members) > 0 && f.Widget == objectWidget {
		f.Optional, f.Partial = false, true
		var parts []field
		for _, part := range f.Parts {
			entry, below := about(part.Name, members)
			if entry.Name == "" && len(below) == 0 {
				continue
			}
			if part, ok := r.as(part, entry, below); ok {
				parts = append(parts, part)
			}
		}
		f.Parts = parts
		return f, len(parts) > 0
	}
	if own.Use == "readonly" {
		f = f.readOnly()
	}
	return f, true
}

// readOnly returns the field with all its parts as one that is only read.
func (f field) readOnly() field {
	f.ReadOnly, f.Optional, f.Required = true, false, false
	parts := make([]field, len(f.Parts))
	for i, part := range f.Parts {
		parts[i] = part.readOnly()
	}
	f.Parts = parts
	return f
}

var (
	placeholder = regexp.MustCompile(`\$\{([^{}]+)\}`)
	punctuation = regexp.MustCompile("[!-/:-@[-`{-~]")
)

// fill puts values of fields, as write writes them, into a label: ${site.city}.
func (r pageReader) fill(label string, write func(string) string) string {
	return placeholder.ReplaceAllStringFunc(label, func(found string) string {
		names := strings.Split(found[2:len(found)-1], ".")
		f, value := r.fields[names[0]], r.data[names[0]]
		for _, name := range names[1:] {
			members, _ := value.(map[string]any)
			f, value = f.part(name), members[name]
		}
		if text := f.text(value); text != "" || !r.all {
			return write(text)
		}
		return "…"
	})
}

// literal escapes a text so that Markdown shows it as it is.
func literal(text string) string { return punctuation.ReplaceAllString(text, `\$0`) }

// enter returns the value of a field after a form was sent. Of an object, members that the form does not have stay.
func (f field) enter(form url.Values, value any) any {
	switch {
	case f.ReadOnly:
		return value
	case f.Widget != objectWidget:
		return f.read(form)
	}
	present, _ := value.(map[string]any)
	members := maps.Clone(present)
	if members == nil {
		members = map[string]any{}
	}
	for _, part := range f.Parts {
		members[part.Name] = part.enter(form, members[part.Name])
		if members[part.Name] == nil {
			delete(members, part.Name)
		}
	}
	if len(members) == 0 {
		return nil
	}
	return members
}

// lacking lists the mandatory fields in a field that have no value.
func (f field) lacking(value any) (all []fault.Field) {
	if f.Required && isBlank(value) {
		return []fault.Field{{Path: "/" + f.Path, Message: "is required"}}
	}
	members, isObject := value.(map[string]any)
	if !isObject && !f.Partial {
		return nil
	}
	for _, part := range f.Parts {
		all = append(all, part.lacking(members[part.Name])...)
	}
	return all
}

func isBlank(value any) bool {
	switch v := value.(type) {
	case nil:
		return true
	case string:
		return v == ""
	case []any:
		return len(v) == 0
	case map[string]any:
		return len(v) == 0
	}
	return false
}

// asked lists the paths of what a page asks for.
func (p formPage) asked() (paths []string) {
	for _, item := range p.Items {
		paths = append(paths, item.Field.asked()...)
	}
	return paths
}

func (f field) asked() (paths []string) {
	if f.ReadOnly || f.Path == "" {
		return nil
	}
	paths = []string{f.Path}
	for _, part := range f.Parts {
		paths = append(paths, part.asked()...)
	}
	return paths
}

// asksMore reports whether a page asks for something that it did not ask for before.
func (p formPage) asksMore(before formPage) bool {
	known := before.asked()
	return slices.ContainsFunc(p.asked(), func(path string) bool { return !slices.Contains(known, path) })
}

// depends reports whether some of a page is shown under a condition.
func (p formPage) depends() bool {
	return slices.ContainsFunc(p.Page.Fields, func(f casetype.PageField) bool { return f.ShowIf != "" })
}

// title is the name of a page; its number if it has none.
func (p formPage) title() string {
	if p.Page.Name == p.Page.Key {
		return "Page " + strconv.Itoa(p.Place+1)
	}
	return p.Page.Name
}
