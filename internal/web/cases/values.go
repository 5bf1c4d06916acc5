package cases

import (
	"encoding/json"
	"net/url"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/a-h/templ"
)

// formField is a field with its value, ready to be shown.
type formField struct {
	field
	Value   string      // of one input
	Chosen  []string    // of several choices
	Parts   []formField // of an object
	Items   []formField // of a list
	Empty   *formField  // the item that is added to a list
	Fault   string
	Changed bool
	Text    string         // of one that is only read
	Links   []documentLink // of documents

	Kept, KeptName string // what the form holds besides: the id of an item, or all that may be chosen
}

// show fills a field with a value of a case.
func (f field) show(value any) formField {
	shown := formField{field: f, Links: f.linksOf(value)}
	if f.ReadOnly && f.Widget != objectWidget {
		shown.Text = f.text(value)
		return shown
	}
	switch f.Widget {
	case objectWidget:
		members, _ := value.(map[string]any)
		for _, part := range f.Parts {
			shown.Parts = append(shown.Parts, part.show(members[part.Name]))
		}
	case listWidget:
		items, _ := value.([]any)
		if len(items) > maxItems {
			shown.Widget, shown.Value = jsonWidget, jsonOf(value)
			return shown
		}
		for i, item := range items {
			shown.Items = append(shown.Items, f.showItem(i, item))
		}
		empty := f.Item.show(nil)
		shown.Empty = &empty
	case choicesWidget:
		items, _ := value.([]any)
		for _, item := range items {
			shown.Chosen = append(shown.Chosen, textOf(item))
		}
	case offerWidget, offersWidget:
		shown.offer(value)
	case boolWidget:
		if yes, set := value.(bool); set {
			shown.Value = map[bool]string{true: "yes", false: "no"}[yes]
		}
	case jsonWidget, documentWidget:
		shown.Value = jsonOf(value)
	default:
		shown.Value = textOf(value)
	}
	return shown
}

// item returns the item of a list with a number.
func (f field) item(i int) field {
	return f.Item.moved(f.Path+"/N", f.Path+"/"+strconv.Itoa(i))
}

// showItem fills an item of a list.
func (f field) showItem(i int, value any) formField {
	if !f.HasIDs {
		return f.item(i).show(value)
	}
	members, _ := value.(map[string]any)
	shown := f.item(i).show(members["value"])
	shown.Kept, shown.KeptName = textOf(members["id"]), f.itemID(i)
	return shown
}

// itemID returns the name of the id of an item in a form. No member has such a name, in which ~ is written ~0.
func (f field) itemID(i int) string { return f.Path + "/" + strconv.Itoa(i) + "/~id" }

// offer shows what may be chosen, and what is. All of the value is kept in the form.
func (f *formField) offer(value any) {
	offered, _ := value.(map[string]any)
	f.Options, f.Labels = nil, map[string]string{}
	f.Kept, f.KeptName = jsonOf(value), f.Path+"/~offered"
	items, _ := offered["list_items"].([]any)
	for _, item := range items {
		if code, label := choiceOf(item); code != "" {
			f.Options, f.Labels[code] = append(f.Options, code), label
		}
	}
	several, _ := offered["value"].([]any)
	for _, item := range several {
		code, label := choiceOf(item)
		f.Chosen, f.Labels[code] = append(f.Chosen, code), label
	}
	if code, label := choiceOf(offered["value"]); code != "" {
		f.Value, f.Labels[code] = code, label
	}
}

// choiceOf returns the code and the label of a choice of a dynamic list.
func choiceOf(item any) (code, label string) {
	choice, _ := item.(map[string]any)
	code, _ = choice["code"].(string)
	label, _ = choice["label"].(string)
	return code, label
}

// moved returns the field at another path, with its parts and its item.
func (f field) moved(from, to string) field {
	f.Path = to + strings.TrimPrefix(f.Path, from)
	parts := make([]field, len(f.Parts))
	for i, part := range f.Parts {
		parts[i] = part.moved(from, to)
	}
	f.Parts = parts
	if f.Item != nil {
		item := f.Item.moved(from, to)
		f.Item = &item
	}
	return f
}

func textOf(value any) string {
	switch v := value.(type) {
	case nil:
		return ""
	case string:
		return v
	case json.Number:
		return v.String()
	}
	return jsonOf(value)
}

func jsonOf(value any) string {
	if value == nil {
		return ""
	}
	text, err := json.MarshalIndent(value, "", "  ")
	if err != nil {
		return ""
	}
	return string(text)
}

// read returns the value of a field in a form that was sent; nil: it is empty.
func (f field) read(form url.Values) any {
	text := strings.TrimSpace(form.Get(f.Path))
	switch f.Widget {
	case objectWidget:
		members := map[string]any{}
		for _, part := range f.Parts {
			if value := part.read(form); value != nil {
				members[part.Name] = value
			}
		}
		if len(members) == 0 {
			return nil
		}
		return members
	case listWidget:
		if form.Has(f.Path) { // a long list is edited as JSON
			return readJSON(text)
		}
		return f.readItems(form)
	case choicesWidget:
		return readChoices(form[f.Path])
	case offerWidget, offersWidget:
		return f.readOffer(form)
	case boolWidget:
		return f.readBool(form)
	case numberWidget:
		return readNumber(text)
	case jsonWidget, documentWidget:
		return readJSON(text)
	case areaWidget, textWidget:
		if text != "" {
			return strings.ReplaceAll(form.Get(f.Path), "\r\n", "\n")
		}
	default:
		if text != "" {
			return text
		}
	}
	return nil
}

// maxItems bounds the items of a list that a form has as rows.
const maxItems = 200

func (f field) readItems(form url.Values) any {
	var numbers []int
	for name := range form {
		rest, ok := strings.CutPrefix(name, f.Path+"/")
		number, _, _ := strings.Cut(rest, "/")
		n, err := strconv.Atoi(number)
		if ok && err == nil && n >= 0 && !slices.Contains(numbers, n) && len(numbers) < maxItems {
			numbers = append(numbers, n)
		}
	}
	slices.Sort(numbers)
	var items []any
	for _, n := range numbers {
		value := f.item(n).read(form)
		if value == nil {
			continue
		}
		if f.HasIDs {
			item := map[string]any{"value": value}
			if id := form.Get(f.itemID(n)); id != "" {
				item["id"] = id
			}
			value = item
		}
		items = append(items, value)
	}
	if items == nil {
		return nil
	}
	return items
}

// readOffer returns the value of a dynamic list with what was chosen of its items.
func (f field) readOffer(form url.Values) any {
	offered, ok := readJSON(form.Get(f.Path + "/~offered")).(map[string]any)
	if !ok {
		return nil
	}
	items, _ := offered["list_items"].([]any)
	chosen := []any{}
	for _, item := range items {
		if code, _ := choiceOf(item); code != "" && slices.Contains(form[f.Path], code) {
			chosen = append(chosen, item)
		}
	}
	before := offered["value"]
	switch several, _ := before.([]any); {
	case f.Widget == offersWidget && len(chosen)+len(several) > 0:
		offered["value"] = chosen
	case f.Widget == offerWidget && len(chosen) > 0:
		offered["value"] = chosen[0]
	case before != nil && form.Get(f.Path) == "":
		offered["value"] = nil
	}
	return offered
}

func readChoices(chosen []string) any {
	var items []any
	for _, one := range chosen {
		if one != "" {
			items = append(items, one)
		}
	}
	if items == nil {
		return nil
	}
	return items
}

// readBool reads a choice of yes, no and nothing.
func (f field) readBool(form url.Values) any {
	switch form.Get(f.Path) {
	case "yes":
		return true
	case "no":
		return false
	}
	return nil
}

// readNumber reads a number as it was written. A text that is no number stays a text, and the schema refuses it.
func readNumber(text string) any {
	if text == "" {
		return nil
	}
	plain := strings.ReplaceAll(text, " ", "")
	if json.Valid([]byte(plain)) && (plain[0] == '-' || plain[0] >= '0' && plain[0] <= '9') {
		return json.Number(plain)
	}
	return text
}

// readJSON reads a value as JSON. A text that is not JSON stays a text.
func readJSON(text string) any {
	if text == "" {
		return nil
	}
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	var value any
	if d.Decode(&value) != nil || d.More() {
		return text
	}
	return value
}

// changes returns what a form changes of a case's data: nil for a field that it empties.
func changes(fields []field, form url.Values, before map[string]any) map[string]any {
	changed := map[string]any{}
	for _, f := range fields {
		name, value := f.Name, f.read(form)
		if value == nil && before[name] == nil {
			continue
		}
		if !reflect.DeepEqual(value, before[name]) {
			changed[name] = value
		}
	}
	return changed
}

// shownFields returns the fields with the values of data, and of what was submitted.
func shownFields(fields []field, data, submitted map[string]any, faults map[string]string) (all []formField) {
	for _, f := range fields {
		value := data[f.Name]
		submittedValue, changed := submitted[f.Name]
		if changed {
			value = submittedValue
		}
		shown := f.show(value)
		shown.Changed = changed
		shown.place(faults)
		all = append(all, shown)
	}
	return all
}

// place puts faults at the fields that they are about: the deepest that the form has.
func (f *formField) place(faults map[string]string) {
	for path, message := range faults {
		if path == f.Path || strings.HasPrefix(path, f.Path+"/") && !f.hasPart(path) {
			f.Fault = message
		}
	}
	for i := range f.Parts {
		f.Parts[i].place(faults)
	}
	for i := range f.Items {
		f.Items[i].place(faults)
	}
}

func (f *formField) hasPart(path string) bool {
	in := func(parts []formField) bool {
		return slices.ContainsFunc(parts, func(part formField) bool {
			return path == part.Path || strings.HasPrefix(path, part.Path+"/")
		})
	}
	return in(f.Parts) || in(f.Items)
}

func maxLength(f formField) templ.Attributes {
	if f.Max == 0 {
		return nil
	}
	return templ.Attributes{"maxlength": strconv.Itoa(f.Max)}
}
