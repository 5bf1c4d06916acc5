package cases

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/danielgtaylor/huma/v2"

	"github.com/casehook/casehook/internal/access"
	"github.com/casehook/casehook/internal/api/rest"
	"github.com/casehook/casehook/internal/casetype"
	"github.com/casehook/casehook/internal/definitions"
	"github.com/casehook/casehook/internal/fault"
	"github.com/casehook/casehook/internal/schema"
)

// The OpenAPI document of a case type describes the operations on its cases, with their
// data as the definition describes it, each transition as an operation of its own, and
// the schemas that these need.

func (h caseTypeHandler) registerOpenAPI() {
	made := newDocumentCache()
	general := sync.OnceValue(func() *generalDocument { return generalOf(h.kernel.OpenAPI()) })
	rest.Handle(h.kernel, rest.Operation{
		ID: access.GetCaseTypeOpenAPI, Pattern: "GET /v1/case-types/{key}/openapi", Tag: "case types",
		Summary: "Get the OpenAPI document of a case type",
		Description: "For generated clients: the operations on its cases, with the data as the definition describes " +
			"it and each transition as an operation of its own. It is made of the newest version, or another one, " +
			"without what is above your clearance. A definition whose document would have more than 4 MiB is " +
			"refused: 422 case_type.not_described.",
		Problems: []int{http.StatusNotFound, http.StatusUnprocessableEntity},
	}, func(ctx context.Context, in *struct {
		InCaseType
		Version int64 `query:"version" minimum:"1" doc:"The version; absent: the newest." example:"2"`
	}) (*typedDocument, error) {
		t, err := h.service.CaseTypes.DescribedCaseType(ctx, rest.PrincipalOf(ctx), in.Key, in.Version)
		if err != nil {
			return nil, err
		}
		p := rest.PrincipalOf(ctx)
		body, err := made.document(documentKey{p.Tenant, t.Type.Key, t.Version, p.Sight()},
			func() (rest.Reply[rest.Object], error) {
				return general().describe(ctx, t, p.Sight())
			})
		return &typedDocument{body}, err
	})
}

type typedDocument struct{ Body rest.Reply[rest.Object] }

// The bounds of a document. The work is counted in steps of 100 ns.
const (
	mostDescribed   = 4 << 20 // bytes
	stepsOfDocument = 2_000_000
	stepsOfProperty = 5
)

// describe returns the document, or refuses a definition that takes too much work.
func (g *generalDocument) describe(
	ctx context.Context, t definitions.TypeVersion, clearance casetype.Classification,
) (rest.Reply[rest.Object], error) {
	document, err := g.of(schema.NewBudget(ctx, stepsOfDocument), t, clearance)
	if errors.Is(err, schema.ErrSpent) {
		return nil, notDescribed(t.Type.Key)
	}
	if err != nil {
		return nil, err
	}
	body, err := rest.NewReply(document)
	if len(body) > mostDescribed {
		return nil, notDescribed(t.Type.Key)
	}
	return rest.Reply[rest.Object](body), err
}

// codeNotDescribed is the code of a definition whose document would be too large.
const codeNotDescribed = "case_type.not_described"

func notDescribed(key string) error {
	return fault.New(fault.Unprocessable, codeNotDescribed,
		"The definition of %s is too large to be described: it has too many transitions that set too many fields. "+
			"/openapi.json describes the whole API.", key)
}

// node is a part of a document in JSON.
type node = map[string]any

// generalDocument has the parts of the API's document that the documents of case types
// are made of.
type generalDocument struct {
	info       json.RawMessage
	operations map[access.Operation]json.RawMessage
	schemas    map[string]json.RawMessage
	security   json.RawMessage // the schemes
}

func generalOf(o *huma.OpenAPI) *generalDocument {
	g := &generalDocument{operations: map[access.Operation]json.RawMessage{}, schemas: map[string]json.RawMessage{}}
	raw := func(v any) json.RawMessage {
		text, err := json.Marshal(v)
		if err != nil {
			panic("cases: the OpenAPI document: " + err.Error()) // it is made of our own types
		}
		return text
	}
	for _, op := range rest.Operations(o) {
		if id := access.Operation(op.OperationID); slices.Contains(typedOperations, id) {
			g.operations[id] = raw(op)
		}
	}
	for name, schema := range o.Components.Schemas.Map() {
		g.schemas[name] = raw(schema)
	}
	g.info, g.security = raw(o.Info), raw(o.Components.SecuritySchemes)
	return g
}

var typedOperations = []access.Operation{
	access.CreateCase, access.ListCases, access.GetCase, access.EditCase, access.SubmitTransition,
}

// shownType is a definition as a caller may see it.
type shownType struct {
	Key, Name   string
	States      []namedKey
	Transitions []shownTransition
	Edit        string
	fields      node
}

type namedKey struct{ Key, Name string }

type shownTransition struct {
	namedKey
	From     casetype.Origins
	To       casetype.Targets
	Fields   *[]string // that it may set; nil: all
	Required []string
}

// typedWriter writes the document of a case type.
type typedWriter struct {
	general    *generalDocument
	work       *schema.Budget
	err        error // the work was too much
	shown      shownType
	schemas    node
	parts      node // of the data, to which other schemas refer
	paths      node
	operations map[access.Operation]node // of the general document, parsed; shared, never changed
	nullable   map[string]node           // the schemas of fields that may be null
	shared     map[string]string         // components of data that transitions set, by the fields they may set
}

// spend counts steps of work, and reports whether they are within the bound. If not, there is no document.
func (w *typedWriter) spend(steps int) bool {
	w.err = cmp.Or(w.err, w.work.Spend(steps))
	return w.err == nil
}

// of returns the document of a case type for callers with a clearance.
func (g *generalDocument) of(
	work *schema.Budget, t definitions.TypeVersion, clearance casetype.Classification,
) (node, error) {
	definition := t.Type.JSONFor(clearance)
	w := &typedWriter{
		general:    g,
		work:       work,
		schemas:    node{},
		parts:      node{},
		paths:      node{},
		operations: map[access.Operation]node{},
		nullable:   map[string]node{},
		shared:     map[string]string{},
	}
	if err := json.Unmarshal(definition, &w.shown); err != nil {
		return nil, err
	}
	whole, err := casetype.Decode(definition) // numbers stay as they are written
	if err != nil {
		return nil, err
	}
	w.shown.fields, _ = casetype.InJSONSchema(whole["fields"]).(node)
	w.data()
	w.cases()
	w.create()
	w.readAndEdit()
	for _, tr := range w.shown.Transitions {
		if len(tr.From) > 0 {
			w.transition(tr)
		}
	}
	w.complete()
	if w.err != nil {
		return nil, w.err
	}
	var info node
	if err := json.Unmarshal(g.info, &info); err != nil {
		return nil, err
	}
	info["title"] = "Casehook: " + w.shown.Name
	info["version"] = fmt.Sprint(t.Version)
	info["description"] = fmt.Sprintf("Cases of the type %s, by version %d of its definition. "+
		"Cases that older versions made may differ. "+
		"/openapi.json describes the whole API.", w.shown.Key, t.Version)
	return node{
		"openapi": "3.1.0", "info": info, "servers": []any{node{"url": "/"}}, "paths": w.paths,
		"tags":       []any{node{"name": "cases", "description": w.shown.Name + ": " + w.states()}},
		"components": node{"schemas": w.schemas, "securitySchemes": g.security},
	}, nil
}

// data adds the schemas of data, states and transitions.
func (w *typedWriter) data() {
	data := inDocument(w.shown.fields, "").(node)
	for name, part := range object(data["$defs"]) {
		w.parts[dataPart(name)] = part
	}
	delete(data, "$defs")
	for _, field := range object(data["properties"]) {
		if field, ok := field.(node); ok {
			delete(field, "indexed") // which is no keyword of JSON Schema
		}
	}
	data["additionalProperties"] = false
	data["description"] = "The fields of a case."
	w.schemas["Data"] = data
	w.schemas["State"] = keysOf("A state.", w.shown.States)
	all := make([]namedKey, len(w.shown.Transitions))
	for i, tr := range w.shown.Transitions {
		all[i] = tr.namedKey
	}
	w.schemas["Transition"] = keysOf("A transition.", all)
}

// keysOf returns the schema of a key. Its description has the name of each.
func keysOf(what string, all []namedKey) node {
	keys, names := make([]any, len(all)), make([]string, len(all))
	for i, one := range all {
		keys[i], names[i] = one.Key, one.Key+": "+cmp.Or(one.Name, one.Key)
	}
	return node{"type": "string", "enum": keys, "description": what + " " + strings.Join(names, "; ") + "."}
}

func (w *typedWriter) states() string {
	var keys []string
	for _, s := range w.shown.States {
		keys = append(keys, s.Key)
	}
	return strings.Join(keys, ", ")
}

// cases adds the schemas of a case and of a page of cases.
func (w *typedWriter) cases() {
	shown := w.parsed(w.general.schemas["Case"])
	of := object(shown["properties"])
	typed := func(name string, schema node) {
		if before, ok := of[name].(node); ok {
			schema["description"] = before["description"]
			of[name] = schema
		}
	}
	typed("type", node{"type": "string", "const": w.shown.Key})
	typed("state", ref("State"))
	typed("data", ref("Data"))
	if list, ok := of["transitions"].(node); ok {
		list["items"] = ref("Transition")
		delete(list, "examples")
	}
	w.schemas["Case"] = shown
	w.schemas["CasePage"] = w.parsed(w.general.schemas["CasePage"])
}

// create adds the operation that creates a case. Its body is that of one of the creating transitions.
func (w *typedWriter) create() {
	var bodies []any
	for _, tr := range w.shown.Transitions {
		if len(tr.From) > 0 || len(tr.To) == 0 {
			continue
		}
		name := "Create_" + tr.Key
		data, required := w.newData(tr)
		w.schemas[name] = w.request(tr, data, "NewCase")
		if required {
			object(w.schemas[name])["required"] = []any{"data"}
		}
		bodies = append(bodies, ref(name))
	}
	if len(bodies) == 0 {
		return
	}
	op := w.operation(access.CreateCase, "create_case", "Create a case: "+w.shown.Name)
	body := bodies[0].(node)
	if several := len(bodies) > 1; several {
		for _, b := range bodies {
			name := strings.TrimPrefix(b.(node)["$ref"].(string), schemasPath+"Create_")
			s := object(w.schemas["Create_"+name])
			required, _ := s["required"].([]any)
			s["required"] = append(required, "transition")
		}
		body = node{"oneOf": bodies}
	}
	setBody(op, body)
	w.paths["/v1/case-types/"+w.shown.Key+"/cases"] = node{"post": without(op, "key")}
}

// request returns the schema of a body that submits a transition: the general one, with
// the transition's data.
func (w *typedWriter) request(tr shownTransition, data node, general string) node {
	s := w.parsed(w.general.schemas[general])
	of := object(s["properties"])
	of["data"] = data
	if transition, ok := of["transition"]; ok && transition != nil {
		of["transition"] = node{"type": "string", "const": tr.Key, "description": "The transition that creates it."}
	}
	s["description"] = tr.Key + ": " + cmp.Or(tr.Name, tr.Key)
	return s
}

// newData returns the schema of the data with which a transition creates a case, and
// whether some of it is required.
func (w *typedWriter) newData(tr shownTransition) (data node, needed bool) {
	whole := object(w.schemas["Data"])
	must := map[string]bool{}
	for _, name := range tr.Required {
		must[name] = true
	}
	for _, name := range listOf(whole["required"]) {
		must[name.(string)] = true
	}
	sets, properties, required := w.settable(tr), node{}, []any{}
	for _, name := range sets {
		of, _ := object(whole["properties"])[name].(node)
		if _, filled := of["default"]; must[name] && !filled {
			properties[name] = field(name)
			required = append(required, name)
		} else {
			properties[name] = w.fieldOrNull(name)
		}
	}
	s := closed("The fields of the case.", properties)
	if len(required) > 0 {
		s["required"] = required
	}
	return w.share("NewData", tr, s, sets, required), len(required) > 0
}

// changes returns the schema of the data that a transition sets.
func (w *typedWriter) changes(tr shownTransition) node {
	sets, properties := w.settable(tr), node{}
	for _, name := range sets {
		properties[name] = w.fieldOrNull(name)
	}
	return w.share("Changes", tr, closed("Fields to set; null clears one.", properties), sets, nil)
}

// settable lists the fields that a transition may set, sorted.
func (w *typedWriter) settable(tr shownTransition) []string {
	all := object(object(w.schemas["Data"])["properties"])
	of := slices.Collect(maps.Keys(all))
	if tr.Fields != nil {
		of = slices.DeleteFunc(slices.Clone(*tr.Fields), func(name string) bool { _, is := all[name]; return !is })
	}
	if !w.spend(stepsOfProperty * (1 + len(of))) {
		return nil
	}
	slices.Sort(of)
	return slices.Compact(of)
}

// share makes data a component, shared by the transitions that may set and must set the same fields. The component of
// all fields is named what; others have the name of their first transition, too.
func (w *typedWriter) share(what string, tr shownTransition, data node, sets []string, required []any) node {
	key := fmt.Sprintf("%s %q %q", what, sets, required)
	name, ok := w.shared[key]
	if !ok {
		if name = what; w.schemas[what] != nil || tr.Fields != nil {
			name = what + "_" + tr.Key
		}
		w.shared[key], w.schemas[name] = name, data
	}
	return ref(name)
}

// readAndEdit adds the operations that list, show and edit cases.
func (w *typedWriter) readAndEdit() {
	lists := w.operation(access.ListCases, "list_cases", "List cases: "+w.shown.Name)
	for _, p := range listOf(lists["parameters"]) {
		switch p := p.(node); p["name"] {
		case "type":
			p["required"], p["schema"] = true, node{"type": "string", "const": w.shown.Key}
			delete(p, "example")
		case "state":
			p["schema"] = ref("State")
			delete(p, "example")
		}
	}
	w.paths["/v1/cases"] = node{"get": lists}
	one := node{"get": w.operation(access.GetCase, "get_case", "Get a case: "+w.shown.Name)}
	for _, tr := range w.shown.Transitions {
		if tr.Key == w.shown.Edit && tr.Key != "" {
			op := w.operation(access.EditCase, "edit_case", "Edit a case: "+w.shown.Name)
			w.schemas["Edit"] = w.request(tr, w.changes(tr), "CaseEdit")
			setBody(op, ref("Edit"))
			one["patch"] = op
		}
	}
	w.paths["/v1/cases/{id}"] = one
}

// transition adds the operation that submits a transition.
func (w *typedWriter) transition(tr shownTransition) {
	op := w.operation(access.SubmitTransition, "submit_"+tr.Key, cmp.Or(tr.Name, tr.Key))
	op["description"] = fmt.Sprintf("From %s%s. %s", startsIn(tr), leadsTo(tr), op["description"])
	w.schemas["Submit_"+tr.Key] = w.request(tr, w.changes(tr), "CaseTransition")
	setBody(op, ref("Submit_"+tr.Key))
	w.paths["/v1/cases/{id}/transitions/"+tr.Key] = node{"post": without(op, "transition")}
}

func startsIn(tr shownTransition) string {
	if of := (casetype.Transition{From: tr.From}); of.StartsEverywhere() {
		return "every state"
	}
	return strings.Join(tr.From, ", ")
}

func leadsTo(tr shownTransition) string {
	switch states := tr.To.States(); {
	case len(states) == 0:
		return ", and stays there"
	case (casetype.Transition{To: tr.To}).MayStay():
		return " to " + strings.Join(states, " or ") + ", or stays there, as the data decide"
	case len(states) > 1:
		return " to " + strings.Join(states, " or ") + ", as the data decide"
	default:
		return " to " + states[0]
	}
}

// operation copies one of the general operations; its parameters may be changed.
func (w *typedWriter) operation(general access.Operation, id, summary string) node {
	if w.operations[general] == nil {
		w.operations[general] = w.parsed(w.general.operations[general])
	}
	op := maps.Clone(w.operations[general])
	parameters := slices.Clone(listOf(op["parameters"]))
	for i, p := range parameters {
		parameters[i] = maps.Clone(p.(node))
	}
	op["parameters"] = parameters
	op["operationId"], op["summary"], op["tags"] = id, summary, []any{"cases"}
	return op
}

// parsed returns a copy of a part of the general document.
func (w *typedWriter) parsed(raw json.RawMessage) node {
	var n node
	if !w.spend(len(raw) / 5) {
		return node{}
	}
	if err := json.Unmarshal(raw, &n); err != nil {
		panic("cases: the OpenAPI document: " + err.Error()) // it is our own
	}
	return n
}

// complete adds the parts of data, and the general schemas, that the document refers to.
// It visits each of them once.
func (w *typedWriter) complete() {
	todo := []any{w.schemas}
	for _, op := range w.operations {
		op = maps.Clone(op)
		delete(op, "requestBody") // the document has its own
		todo = append(todo, op)
	}
	for _, item := range w.paths {
		for _, op := range object(item) {
			todo = append(todo, object(op)["requestBody"], object(op)["parameters"])
		}
	}
	for len(todo) > 0 && w.err == nil {
		last := len(todo) - 1
		v := todo[last]
		todo = todo[:last]
		w.eachRef(v, func(name string) {
			raw, part := w.general.schemas[name], w.parts[name]
			switch {
			case w.schemas[name] != nil:
				return
			case part != nil:
				w.schemas[name] = part
			case raw != nil:
				w.schemas[name] = w.parsed(raw)
			default:
				return
			}
			todo = append(todo, w.schemas[name])
		})
	}
}

const schemasPath = "#/components/schemas/"

// eachRef calls do with the name of each schema that v refers to.
func (w *typedWriter) eachRef(v any, do func(name string)) {
	if !w.spend(1) {
		return
	}
	switch v := v.(type) {
	case node:
		if to, ok := v["$ref"].(string); ok {
			if path, ok := strings.CutPrefix(to, schemasPath); ok {
				name, _, _ := strings.Cut(path, "/")
				do(name)
			}
		}
		for _, part := range slices.Collect(maps.Values(v)) { // do may add to it
			w.eachRef(part, do)
		}
	case []any:
		for _, part := range v {
			w.eachRef(part, do)
		}
	}
}

func ref(name string) node { return node{"$ref": schemasPath + name} }

func closed(description string, properties node) node {
	return node{"type": "object", "description": description, "properties": properties, "additionalProperties": false}
}

func field(name string) node { return ref("Data/properties/" + name) }

func (w *typedWriter) fieldOrNull(name string) node {
	if w.nullable[name] == nil {
		w.nullable[name] = node{"anyOf": []any{field(name), node{"type": "null"}}}
	}
	return w.nullable[name]
}

func setBody(op, schema node) {
	op["requestBody"] = node{"required": true, "content": node{"application/json": node{"schema": schema}}}
}

// without removes a parameter from an operation, in place: its path has the value.
func without(op node, parameter string) node {
	op["parameters"] = slices.DeleteFunc(listOf(op["parameters"]),
		func(p any) bool { return p.(node)["name"] == parameter })
	return op
}

func object(v any) node {
	n, _ := v.(node)
	return n
}

func listOf(v any) []any {
	all, _ := v.([]any)
	return all
}

// mapsOfSchemas are the keywords that hold schemas by name; values are the keywords that
// hold no schema.
var (
	mapsOfSchemas = []string{"properties", "patternProperties", "$defs", "dependentSchemas"}
	values        = []string{"const", "enum", "default", "examples"}
)

// inDocument returns the schema of the fields as the component Data, to which its
// references are relative. Under is the keyword that holds the part.
func inDocument(v any, under string) any {
	switch v := v.(type) {
	case node:
		out := node{}
		for key, part := range v {
			named := slices.Contains(mapsOfSchemas, under)
			switch to, isText := part.(string); {
			case !named && key == "$schema":
			case !named && key == "$ref" && isText:
				out[key] = schemasPath + inData(to)
			case !named && slices.Contains(values, key):
				out[key] = part
			case named:
				out[key] = asObject(inDocument(part, ""))
			default:
				out[key] = inDocument(part, key)
			}
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i, part := range v {
			out[i] = inDocument(part, "")
		}
		return out
	}
	return v
}

// inData returns the place in the components of a reference within the fields' schema.
func inData(to string) string {
	if part, ok := strings.CutPrefix(to, "#/$defs/"); ok {
		name, rest, _ := strings.Cut(part, "/")
		return strings.TrimSuffix(dataPart(pointerPart.Replace(name))+"/"+rest, "/")
	}
	return "Data" + strings.TrimPrefix(to, "#")
}

var pointerPart = strings.NewReplacer("~1", "/", "~0", "~")

// dataPart names the component of a part that the fields' schema defines. A character
// that is not allowed in the name of a component is replaced by its code.
func dataPart(name string) string {
	return "Data_" + notInName.ReplaceAllStringFunc(name, func(c string) string { return fmt.Sprintf("_%x", c) })
}

var notInName = regexp.MustCompile(`[^A-Za-z0-9.-]`)

// asObject returns a schema that is true or false as an object, which tools expect.
func asObject(v any) any {
	switch v {
	case true:
		return node{}
	case false:
		return node{"not": node{}}
	}
	return v
}
