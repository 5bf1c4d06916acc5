package cases

import (
	"bytes"
	"cmp"
	"encoding/json"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/casehook/casehook/internal/casetype"
	"github.com/casehook/casehook/internal/schema"
)

// widget is how a field of a form is shown and read.
type widget string

// The widgets.
const (
	textWidget     widget = "text"
	areaWidget     widget = "area"
	numberWidget   widget = "number"
	dateWidget     widget = "date"
	boolWidget     widget = "bool"
	choiceWidget   widget = "choice"
	choicesWidget  widget = "choices"
	objectWidget   widget = "object"
	listWidget     widget = "list"
	offerWidget    widget = "offer"    // one of the choices that the value brings along
	offersWidget   widget = "offers"   // several of them
	documentWidget widget = "document" // a file that is uploaded
	jsonWidget     widget = "json"     // any other schema is edited as JSON
)

// field is a field of a case type as a form shows it.
type field struct {
	Path     string // its name in the form, and its id: "data/company/name", with / and ~ in names as in JSON Pointers
	Name     string // the name of the field, or of the member
	Title    string
	Hint     string
	Widget   widget
	Input    string // the type of its input element
	Class    string // its classification; empty: PUBLIC
	Required bool
	Options  []string
	Labels   map[string]string // of the options, by code
	Parts    []field           // of an object
	Item     *field            // of a list
	HasIDs   bool              // the items of the list have ids, and their values under value
	Max      int               // characters; 0: no bound

	Optional bool // a page says so, and its label shows it
	ReadOnly bool // it is shown as text
	Partial  bool // its parts are those members that a page lists
}

// schemaNode is the part of a JSON Schema that decides how a field is shown.
type schemaNode struct {
	Title       string          `json:"title"`
	Description string          `json:"description"`
	Type        any             `json:"type"`
	Format      string          `json:"format"`
	Enum        []any           `json:"enum"`
	MaxLength   int             `json:"maxLength"`
	Properties  json.RawMessage `json:"properties"`
	Required    []string        `json:"required"`
	Items       json.RawMessage `json:"items"`
	Ref         string          `json:"$ref"`
	Class       string          `json:"x-classification"`
	ValueType   string          `json:"x-casehook-type"`
	Labels      json.RawMessage `json:"x-labels"`
}

// schemaReader reads the fields of a schema.
type schemaReader struct {
	definitions map[string]json.RawMessage
	depth       int
}

// maxDepth bounds nested objects; what is deeper is edited as JSON.
const maxDepth = 5

// fieldsOf returns the fields of a type that a clearance sees, in the order of the definition.
func fieldsOf(t *casetype.Type, clearance casetype.Classification) []field {
	var root struct {
		schemaNode
		Definitions map[string]json.RawMessage `json:"$defs"`
	}
	if json.Unmarshal(t.Fields, &root) != nil {
		return nil // a stored definition has been read before
	}
	r := schemaReader{definitions: root.Definitions}
	var shown []field
	for _, f := range r.parts("data", root.schemaNode) {
		if t.Shows(f.Name, clearance) {
			shown = append(shown, f)
		}
	}
	return shown
}

// parts returns the fields of an object.
func (r schemaReader) parts(path string, node schemaNode) (all []field) {
	required := map[string]bool{}
	for _, name := range node.Required {
		required[name] = true
	}
	eachMember(node.Properties, func(name string, raw json.RawMessage) {
		f := r.field(schema.Pointer(path, name), name, raw)
		f.Required = required[name]
		all = append(all, f)
	})
	return all
}

// eachMember visits the members of a JSON object in their order.
func eachMember(raw json.RawMessage, visit func(name string, value json.RawMessage)) {
	d := json.NewDecoder(bytes.NewReader(raw))
	if start, err := d.Token(); err != nil || start != json.Delim('{') {
		return
	}
	for d.More() {
		name, err := d.Token()
		var value json.RawMessage
		if err != nil || d.Decode(&value) != nil {
			return
		}
		visit(name.(string), value) // the names of members are strings
	}
}

// field returns the field with a schema.
func (r schemaReader) field(path, name string, raw json.RawMessage) field {
	var node schemaNode
	if json.Unmarshal(raw, &node) != nil {
		return field{Path: path, Name: name, Title: name, Widget: jsonWidget}
	}
	if target, ok := strings.CutPrefix(node.Ref, "#/$defs/"); ok && r.depth < maxDepth {
		var referred schemaNode
		if json.Unmarshal(r.definitions[target], &referred) == nil {
			title, description, class := node.Title, node.Description, node.Class
			node = referred
			for own, shown := range map[*string]string{
				&node.Title: title, &node.Description: description, &node.Class: class,
			} {
				if shown != "" {
					*own = shown
				}
			}
		}
	}
	f := field{
		Path: path, Name: name, Title: cmp.Or(node.Title, titled(name)), Hint: node.Description, Max: node.MaxLength,
		Input: "text",
	}
	if node.Class != string(casetype.Public) {
		f.Class = node.Class
	}
	r.depth++
	r.choose(&f, node)
	return f
}

// titled returns the name of a field as a title.
func titled(name string) string {
	first, size := utf8.DecodeRuneInString(name)
	if size == 0 {
		return ""
	}
	return string(unicode.ToUpper(first)) + strings.ReplaceAll(name[size:], "_", " ")
}

// choose sets the widget of a field.
func (r schemaReader) choose(f *field, node schemaNode) {
	kind, _ := node.Type.(string)
	switch {
	case r.depth > maxDepth:
		f.Widget = jsonWidget
	case node.ValueType == "yes_no":
		f.Widget, f.Options = choiceWidget, []string{"Yes", "No"}
	case node.ValueType == "collection" && len(node.Items) > 0:
		r.chooseCollection(f, node)
	case node.ValueType != "":
		f.Widget = jsonWidget
		if chosen, known := typeWidgets[node.ValueType]; known {
			f.Widget = chosen
		}
	case len(node.Enum) > 0:
		f.Widget = choiceWidget
		if json.Unmarshal(node.Labels, &f.Labels) != nil {
			f.Labels = nil // a keyword of the author's own, from before
		}
		for _, value := range node.Enum {
			text, ok := value.(string)
			if !ok {
				f.Widget, f.Options = jsonWidget, nil
				return
			}
			f.Options = append(f.Options, text)
		}
	case kind == "string":
		r.chooseText(f, node)
	case kind == "integer" || kind == "number":
		f.Widget = numberWidget
	case kind == "boolean":
		f.Widget = boolWidget
	case kind == "object" && len(node.Properties) > 0:
		f.Widget, f.Parts = objectWidget, r.parts(f.Path, node)
	case kind == "array" && len(node.Items) > 0:
		r.chooseList(f, node)
	default:
		f.Widget = jsonWidget
	}
}

// typeWidgets are the widgets of types of values that JSON Schema does not have.
var typeWidgets = map[string]widget{
	"number_text": textWidget, "money_gbp": textWidget, "date": textWidget, "date_time": textWidget,
	"email":    textWidget,
	"phone_uk": textWidget, "postcode": textWidget, "text_case_reference": textWidget,
	"dynamic_list": offerWidget, "dynamic_multi_select_list": offersWidget,
	"document": documentWidget,
}

// longText is the number of characters from which a text gets an area.
const longText = 300

func (r schemaReader) chooseText(f *field, node schemaNode) {
	f.Widget = textWidget
	switch node.Format {
	case "date":
		f.Widget, f.Input = dateWidget, "date"
	case "email":
		f.Input = "email"
	case "uri":
		f.Input = "url"
	case "":
		if node.MaxLength >= longText {
			f.Widget = areaWidget
		}
	}
}

func (r schemaReader) chooseList(f *field, node schemaNode) {
	item := r.field(f.Path+"/N", f.Title, node.Items)
	switch {
	case item.Widget == choiceWidget:
		f.Widget, f.Options, f.Labels = choicesWidget, item.Options, item.Labels
	case item.holdsList():
		f.Widget = jsonWidget
	default:
		f.Widget, f.Item = listWidget, &item
	}
}

// chooseCollection makes a list of items that have ids.
func (r schemaReader) chooseCollection(f *field, node schemaNode) {
	item := r.field(f.Path+"/N/value", f.Title, node.Items)
	f.Widget = jsonWidget
	if !item.holdsList() && item.Widget != offerWidget {
		f.Widget, f.Item, f.HasIDs = listWidget, &item, true
	}
}

// holdsList reports whether a field is a list or has one in it.
func (f field) holdsList() bool {
	for _, part := range f.Parts {
		if part.holdsList() {
			return true
		}
	}
	return f.Widget == listWidget || f.Widget == choicesWidget || f.Widget == offersWidget
}
