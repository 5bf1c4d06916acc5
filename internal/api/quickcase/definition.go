package quickcase

import (
	"cmp"
	"context"
	"encoding/json"
	"slices"
	"strings"

	"github.com/casehook/casehook/internal/access"
	"github.com/casehook/casehook/internal/api/rest"
	"github.com/casehook/casehook/internal/casetype"
	"github.com/casehook/casehook/internal/yaml"
)

// definition is a case type as the definition store of QuickCase shows it. It has the fields alone that its reader
// sees, and no callbacks.
type definition struct {
	ID             string       `json:"id"`
	Name           string       `json:"name"`
	Description    string       `json:"description"`
	Jurisdiction   jurisdiction `json:"jurisdiction"`
	Version        version      `json:"version"`
	Classification string       `json:"security_classification"`
	Events         []eventType  `json:"events"`
	States         []stateType  `json:"states"`
	Fields         []fieldOf    `json:"case_fields"`
	ACLs           []acl        `json:"acls"`
}

type jurisdiction struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

type version struct {
	Number   int64  `json:"number"`
	LiveFrom string `json:"live_from"`
}

type stateType struct {
	ID    string `json:"id"`
	Name  string `json:"name"`
	Order int    `json:"order"`
	ACLs  []acl  `json:"acls"`
}

type eventType struct {
	ID         string       `json:"id"`
	Name       string       `json:"name"`
	Order      int          `json:"order"`
	Fields     []eventField `json:"case_fields"`
	PreStates  []string     `json:"pre_states"`
	PostStates []postState  `json:"post_states"`
	ACLs       []acl        `json:"acls"`
}

type eventField struct {
	ID            string `json:"case_field_id"`
	Context       string `json:"display_context"`
	ShowCondition string `json:"show_condition"`
}

type postState struct {
	State     string `json:"post_state_reference"`
	Priority  int    `json:"priority"`
	Condition string `json:"enabling_condition"` // in CEL; empty: there is none
}

// fieldOf is a field of a case type, or a member of a complex type.
type fieldOf struct {
	ID             string    `json:"id"`
	Label          string    `json:"label"`
	Hint           string    `json:"hint_text"`
	Type           fieldType `json:"field_type"`
	Classification string    `json:"security_classification,omitempty"`
	ACLs           []acl     `json:"acls,omitempty"`
}

type fieldType struct {
	ID      string      `json:"id"`
	Type    string      `json:"type"`
	Min     json.Number `json:"min,omitempty"`
	Max     json.Number `json:"max,omitempty"`
	Pattern string      `json:"regular_expression,omitempty"`
	Items   []listItem  `json:"fixed_list_items"`
	Members []fieldOf   `json:"complex_fields"`
	Of      *fieldType  `json:"collection_field_type"`
}

type listItem struct {
	Code  string `json:"code"`
	Label string `json:"label"`
	Order int    `json:"order"`
}

// acl is what a role may do.
type acl struct {
	Role   string `json:"role"`
	Create bool   `json:"create"`
	Read   bool   `json:"read"`
	Update bool   `json:"update"`
	Delete bool   `json:"delete"`
}

// getDefinition returns the newest version of a case type.
func (h handler) getDefinition(ctx context.Context, x *rest.Exchange) (any, error) {
	found, err := h.services.CaseTypes.CaseType(ctx, x.Principal, x.Request.PathValue("type"), 0)
	if err != nil {
		return nil, err
	}
	t := found.Type
	d := definition{
		ID: t.Key, Name: t.Name, Jurisdiction: jurisdiction{t.Jurisdiction, t.Jurisdiction},
		Version:        version{Number: found.Version, LiveFrom: written(found.CreatedAt)},
		Classification: string(t.Definition.Classification),
		Events:         []eventType{}, States: []stateType{}, Fields: []fieldOf{},
		ACLs: grantsOf(t.Access.Write, t.Access.Read, t.Access.Write),
	}
	for i, s := range t.States {
		d.States = append(d.States, stateType{s.Key, s.Name, i + 1, d.ACLs})
	}
	shows := func(field string) bool { return t.Shows(field, x.Principal.Sight()) }
	for i, tr := range t.Transitions {
		d.Events = append(d.Events, eventOf(t, tr, i+1, shows))
	}
	describe := newDescriber(t)
	for _, name := range t.FieldNames() {
		if !shows(name) {
			continue
		}
		field := describe.field("/properties", name, 0)
		own := t.Access.Fields[name]
		field.Classification, field.ACLs = string(t.Classification(name).Plain()),
			grantsOf(own.Create, fieldReaders(t, own), own.Update)
		d.Fields = append(d.Fields, field)
	}
	return d, nil
}

// grantsOf lists what each role may do: those of the lists, and those of users and tokens.
func grantsOf(create, read, update []string) []acl {
	creates, updates := access.Permitted(access.CreateCase, create), access.Permitted(access.EditCase, update)
	reads, deletes := access.Permitted(access.GetCase, read), access.Permitted(access.DeleteCase, update)
	all := []acl{}
	for _, role := range slices.Compact(slices.Sorted(slices.Values(slices.Concat(creates, reads, updates)))) {
		in := func(list []string) bool { return slices.Contains(list, role) }
		all = append(all, acl{role, in(creates), in(reads), in(updates), in(deletes)})
	}
	return all
}

// fieldReaders lists the roles that may read a field; nil: all.
func fieldReaders(t *casetype.Type, own casetype.FieldAccess) []string {
	if own.Read == nil || t.Access.Read == nil {
		return append(own.Read, t.Access.Read...)
	}
	return slices.DeleteFunc(slices.Clone(own.Read), func(role string) bool {
		return !slices.Contains(t.Access.Read, role)
	})
}

func eventOf(t *casetype.Type, tr casetype.Transition, order int, shows func(string) bool) eventType {
	e := eventType{
		ID: tr.Key, Name: cmp.Or(tr.Name, tr.Key), Order: order,
		Fields: []eventField{}, PreStates: append([]string{}, tr.From...), PostStates: []postState{},
		ACLs: grantsOf(tr.Roles, t.Access.Read, tr.Roles),
	}
	if tr.Roles == nil {
		e.ACLs = grantsOf(t.Access.Write, t.Access.Read, t.Access.Write)
	}
	for i, target := range tr.To {
		e.PostStates = append(e.PostStates, postState{target.State, i + 1, target.When})
	}
	if len(tr.To) == 0 {
		e.PostStates = append(e.PostStates, postState{casetype.Every, 1, ""})
	}
	for _, p := range tr.Pages {
		for _, f := range p.Fields {
			if f.Name != "" && shows(f.Name) {
				e.Fields = append(e.Fields, eventField{f.Name, strings.ToUpper(cmp.Or(f.Use, "optional")), f.ShowIf})
			}
		}
	}
	if len(tr.Pages) == 0 {
		for _, name := range tr.Fields {
			if shows(name) {
				e.Fields = append(e.Fields, eventField{ID: name, Context: "OPTIONAL"})
			}
		}
	}
	return e
}

// The bounds of a description. A complex type that lies deeper, or behind so many members, is named without its own.
const (
	mostDescribed = 50_000
	deepestMember = 20
)

// describer describes the types of fields by their schemas.
type describer struct {
	doc   *yaml.Document
	count int
}

func newDescriber(t *casetype.Type) *describer {
	return &describer{doc: yaml.Read(t.Definition.Fields, yaml.Options{})}
}

// at returns the schema at a path.
func (d *describer) at(path string) map[string]any {
	value := d.doc.Value
	for token := range strings.SplitSeq(strings.TrimPrefix(path, "/"), "/") {
		in, _ := value.(map[string]any)
		value = in[unescape.Replace(token)]
	}
	schema, _ := value.(map[string]any)
	return schema
}

func (d *describer) field(properties, name string, depth int) fieldOf {
	path := properties + "/" + escape.Replace(name)
	schema := d.at(path)
	label, _ := schema["title"].(string)
	hint, _ := schema["description"].(string)
	return fieldOf{ID: name, Label: cmp.Or(label, name), Hint: hint, Type: d.typeAt(path, name, depth)}
}

var escape = strings.NewReplacer("~", "~0", "/", "~1")

// ourTypes are the names of our types of values in CCD and QuickCase.
var ourTypes = map[string]string{
	"number_text": "Number", "yes_no": "YesOrNo", "money_gbp": "MoneyGBP", "date": "Date", "date_time": "DateTime",
	"email": "Email", "phone_uk": "PhoneUK", "postcode": "Postcode", "text_case_reference": "TextCaseReference",
	"dynamic_list": "DynamicList", "dynamic_multi_select_list": "DynamicMultiSelectList",
	"collection": "Collection", "document": "Document",
}

// formats are the types of texts with a format.
var formats = map[string]string{"email": "Email", "date": "Date", "date-time": "DateTime"}

// typeAt describes the type of a schema at a path. A complex type that has no name of its own has that of the field.
func (d *describer) typeAt(path, name string, depth int) fieldType {
	d.count++
	schema := d.at(path)
	if ref, _ := schema["$ref"].(string); strings.HasPrefix(ref, "#/") && depth <= deepestMember {
		name = unescape.Replace(ref[strings.LastIndexByte(ref, '/')+1:])
		return d.typeAt(strings.TrimPrefix(ref, "#"), name, depth+1)
	}
	number := func(keys ...string) (n json.Number) {
		for _, key := range keys {
			if at, ok := schema[key].(json.Number); ok {
				n = at
			}
		}
		return n
	}
	made := fieldType{
		Min: number("minimum", "minLength", "minItems"), Max: number("maximum", "maxLength", "maxItems"),
		Items: listItems(schema), Members: []fieldOf{},
	}
	made.Pattern, _ = schema["pattern"].(string)
	kind, _ := schema["type"].(string)
	ours, _ := schema["x-casehook-type"].(string)
	format, _ := schema["format"].(string)
	items, _ := schema["items"].(map[string]any)
	switch {
	case kind == "array" && len(listItems(items)) > 0:
		made.Type, made.Items = "MultiSelectList", listItems(items)
	case kind == "array" || ours == "collection":
		made.Type = "Collection"
		of := d.typeAt(path+"/items", name, depth+1)
		made.Of = &of
	case ours != "":
		made.Type = ourTypes[ours]
	case len(made.Items) > 0:
		made.Type = "FixedList"
	case schema["properties"] != nil:
		made.Type, made.ID = "Complex", name
		d.addMembers(&made, path+"/properties", depth)
	case kind == "number" || kind == "integer":
		made.Type = "Number"
	case kind == "boolean":
		made.Type = "YesOrNo"
	default:
		made.Type = cmp.Or(formats[format], "Text")
	}
	made.ID = cmp.Or(made.ID, made.Type)
	return made
}

func (d *describer) addMembers(to *fieldType, properties string, depth int) {
	for _, name := range d.doc.Keys(properties) {
		if depth >= deepestMember || d.count >= mostDescribed {
			return
		}
		to.Members = append(to.Members, d.field(properties, name, depth+1))
	}
}

// listItems returns the codes of a list, which are texts.
func listItems(schema map[string]any) []listItem {
	items := []listItem{}
	codes, _ := schema["enum"].([]any)
	labels, _ := schema["x-labels"].(map[string]any)
	for _, code := range codes {
		if code, isText := code.(string); isText {
			label, _ := labels[code].(string)
			items = append(items, listItem{code, cmp.Or(label, code), len(items) + 1})
		}
	}
	return items
}
