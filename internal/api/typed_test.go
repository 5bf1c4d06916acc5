package api_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/casehook/casehook/examples"
	"github.com/casehook/casehook/internal/api"
	"github.com/casehook/casehook/internal/yaml"
)

// odd is a definition that is hard to describe: parts that refer to each other, schemas that are true, several
// creations, and names that are keywords.
const odd = `
key: odd
name: Odd "one"
fields:
  type: object
  required: [street, kind]
  properties:
    street: {$ref: "#/$defs/line"}
    home: {$ref: "#/$defs/address"}
    former: {type: array, items: {$ref: "#/$defs/address"}}
    kind: {enum: [a, b]}
    enum: {type: object, properties: {enum: {type: string}, const: true}, additionalProperties: false}
    strange: {$ref: "#/$defs/a~1b c"}
    hush: {type: string, x-classification: RESTRICTED}
    fee: {x-casehook-type: money_gbp, maximum: 5000}
    visitors: {x-casehook-type: collection, items: {$ref: "#/$defs/line"}}
  $defs:
    a/b c: {type: boolean}
    line: {type: string, minLength: 1, maxLength: 80}
    address: {type: object, required: [line], properties: {line: {$ref: "#/$defs/line"}, like: {$ref: "#/properties/kind"}}, additionalProperties: false}
states: [{key: begun, name: It has begun}, {key: ended, final: true}]
edit: change
transitions:
  - {key: enter, to: begun}
  - {key: import, to: ended, fields: [street, kind]}
  - {key: change, from: [begun]}
  - {key: finish, name: Finish it, from: [begun], to: ended, fields: [home, hush]}
  - {key: leave, from: [begun], to: ended, fields: []}
`

// putExamples puts the examples and the odd type, and returns their keys.
func (w *world) putExamples() (keys []string) {
	w.t.Helper()
	put := func(source []byte) {
		key := yaml.Read(source, yaml.Options{}).Value.(map[string]any)["key"].(string)
		w.do("PUT", "/v1/case-types/"+key, string(source), "Content-Type", "application/yaml").is(201, "")
		keys = append(keys, key)
	}
	err := fs.WalkDir(examples.CaseTypes, ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		source, err := examples.CaseTypes.ReadFile(path)
		must(w.t, err)
		put(source)
		return nil
	})
	must(w.t, err)
	leave, err := os.ReadFile(filepath.Join("..", "..", "examples", "leave.yaml"))
	must(w.t, err)
	put(leave)
	put([]byte(odd))
	return keys
}

// typed is the OpenAPI document of a case type.
type typed struct {
	t       *testing.T
	doc     map[string]any
	schemas *jsonschema.Compiler
}

func (w *world) typed(t *testing.T, key string, header ...string) typed {
	t.Helper()
	g := w.get("/v1/case-types/"+key+"/openapi", header...).is(200, "")
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(g.body))
	must(t, err)
	d := typed{t, doc.(map[string]any), jsonschema.NewCompiler()}
	d.schemas.DefaultDraft(jsonschema.Draft2020)
	must(t, d.schemas.AddResource("https://casehook.test/typed.json", doc))
	return d
}

// takes reports whether a schema of the document takes a value.
func (d typed) takes(pointer, value string) bool {
	d.t.Helper()
	schema, err := d.schemas.Compile("https://casehook.test/typed.json#" + pointer)
	must(d.t, err)
	v, err := jsonschema.UnmarshalJSON(strings.NewReader(value))
	must(d.t, err)
	return schema.Validate(v) == nil
}

const schemaOfBody = "/post/requestBody/content/application~1json/schema"

func TestACaseTypesDocumentTypesItsData(t *testing.T) {
	t.Parallel()
	w := start(t)
	w.putExamples()
	d := w.typed(t, "odd")
	create := "/paths/~1v1~1case-types~1odd~1cases" + schemaOfBody
	submit := "/paths/~1v1~1cases~1%7Bid%7D~1transitions~1finish" + schemaOfBody
	for _, c := range []struct {
		pointer, value string
		want           bool
	}{
		{create, `{"transition": "enter", "data": {"street": "x", "kind": "a", "home": {"line": "y", "like": "b"}}}`, true},
		{create, `{"transition": "enter", "data": {"street": "x", "kind": "a", "enum": {"enum": "y", "const": 7}}}`, true},
		{create, `{"transition": "enter", "data": {"street": "x", "kind": "a", "home": null}}`, true},
		{create, `{"transition": "import", "data": {"street": "x", "kind": "a", "home": null}}`, false},
		{create, `{"transition": "enter", "data": {"kind": "a"}}`, false},
		{create, `{"transition": "enter"}`, false},
		{create, `{"data": {"street": "x", "kind": "a"}}`, false},
		{create, `{"transition": "enter", "data": {"street": "x", "kind": "c"}}`, false},
		{create, `{"transition": "enter", "data": {"street": "x", "kind": "a", "home": {"like": "b"}}}`, false},
		{submit, `{"data": {"home": {"line": "y"}, "hush": "s"}}`, true},
		{submit, `{"data": {"home": null}, "ignore_warning": true}`, true},
		{submit, `{}`, true},
		{submit, `{"data": {"street": "x"}}`, false},
		{submit, `{"data": {"home": "y"}}`, false},
		{"/components/schemas/Submit_leave", `{"data": {"home": null}}`, false},
		{"/components/schemas/Edit", `{"data": {"kind": "b"}}`, true},
		{"/components/schemas/State", `"begun"`, true},
		{"/components/schemas/State", `"over"`, false},
		{"/components/schemas/Transition", `"finish"`, true},
	} {
		if d.takes(c.pointer, c.value) != c.want {
			t.Errorf("%s takes %s: %v", c.pointer, c.value, !c.want)
		}
	}
	made := w.post("/v1/case-types/odd/cases",
		`{"transition": "enter", "data": {"street": "x", "kind": "a", "home": {"line": "y"}}}`).is(201, "")
	if !d.takes("/components/schemas/Case", string(made.body)) {
		t.Errorf("a case is not as its type's document says: %s", made.body)
	}
	if page := w.get("/v1/cases?type=odd").is(200, ""); !d.takes("/components/schemas/CasePage", string(page.body)) {
		t.Errorf("a page is not as its type's document says: %s", page.body)
	}
	state := d.doc["components"].(map[string]any)["schemas"].(map[string]any)["State"].(map[string]any)
	if state["description"] != "A state. begun: It has begun; ended: ended." {
		t.Errorf("states are described as %v", state["description"])
	}
}

// The document leaves out fields above its reader's clearance, as the definition does.
func TestACaseTypesDocumentHidesWhatItsDefinitionHides(t *testing.T) {
	t.Parallel()
	w := start(t)
	w.putExamples()
	low := w.token(`{"name": "low", "clearance": "PRIVATE"}`)
	whole, part := w.get("/v1/case-types/odd/openapi"), w.get("/v1/case-types/odd/openapi", "Authorization", low)
	if !strings.Contains(string(whole.body), "hush") || strings.Contains(string(part.is(200, "").body), "hush") {
		t.Errorf("the hidden field: %s", part.body)
	}
	w.get("/v1/case-types/nothing/openapi").is(404, "case_type.not_found")
	w.get("/v1/case-types/odd/openapi?version=2").is(404, "case_type.not_found")
	w.get("/v1/case-types/odd/openapi", "Authorization", "").is(401, "token.missing")
}

// The cost of a document grows with its definition alone: transitions that set the same fields
// share a schema, a chain of parts is followed once, and one that would be too large is refused.
func TestACaseTypesDocumentIsBounded(t *testing.T) {
	t.Parallel()
	w := start(t, func(c *api.Config) { c.MaxBody = 1 << 20 })
	const fields = 400
	definition := func(transitions int, needs func(i int) int) string {
		var b strings.Builder
		b.WriteString("key: big\nstates: [{key: s}]\nfields:\n  type: object\n  properties:\n")
		for i := range fields {
			fmt.Fprintf(&b, "    f%d: {$ref: '#/$defs/d%d'}\n", i, i)
		}
		b.WriteString("  $defs:\n")
		for i := range fields {
			fmt.Fprintf(&b, "    d%d: {properties: {a: {$ref: '#/$defs/d%d'}}}\n", i, min(i+1, fields-1))
		}
		b.WriteString("transitions:\n")
		for i := range transitions {
			fmt.Fprintf(&b, "  - {key: t%d, to: s, required: [f%d]}\n", i, needs(i))
		}
		return b.String()
	}
	put := func(source string) {
		if g := w.do("PUT", "/v1/case-types/big", source, "Content-Type", "application/yaml"); g.status > 201 {
			t.Fatalf("%d: %.300s", g.status, g.body)
		}
	}
	put(definition(160, func(int) int { return 0 }))
	d := w.typed(t, "big")
	resolvesTyped(t, d.doc, d.doc)
	if size := len(w.get("/v1/case-types/big/openapi").is(200, "").body); size > 1<<20 {
		t.Errorf("transitions that take the same data make %d bytes", size)
	}
	put(definition(160, func(i int) int { return i }))
	for range 2 {
		w.get("/v1/case-types/big/openapi").is(422, "case_type.not_described")
	}
}

// Every operation of a case type's document is one that the server has, with the same answers.
func TestACaseTypesDocumentIsAPartOfTheWholeOne(t *testing.T) {
	t.Parallel()
	w := start(t)
	for _, key := range w.putExamples() {
		d := w.typed(t, key)
		resolvesTyped(t, d.doc, d.doc)
		for path, item := range d.doc["paths"].(map[string]any) {
			for method, op := range item.(map[string]any) {
				of, ok := w.operation(strings.ToUpper(method), strings.ReplaceAll(path, "{id}", "7"))
				if !ok {
					t.Errorf("%s: there is no %s %s", key, method, path)
					continue
				}
				var have, want []string
				for status := range op.(map[string]any)["responses"].(map[string]any) {
					have = append(have, status)
				}
				for status := range of.responses() {
					want = append(want, status)
				}
				slices.Sort(have)
				slices.Sort(want)
				if !slices.Equal(have, want) {
					t.Errorf("%s: %s %s answers with %v, want %v", key, method, path, have, want)
				}
			}
		}
	}
}

func resolvesTyped(t *testing.T, doc map[string]any, v any) {
	t.Helper()
	switch v := v.(type) {
	case map[string]any:
		if to, ok := v["$ref"].(string); ok {
			var at any = doc
			for _, part := range strings.Split(strings.TrimPrefix(to, "#/"), "/") {
				of, _ := at.(map[string]any)
				at = of[part]
			}
			if at == nil {
				raw, _ := json.Marshal(v)
				t.Errorf("%s leads nowhere", raw)
			}
		}
		for _, item := range v {
			resolvesTyped(t, doc, item)
		}
	case []any:
		for _, item := range v {
			resolvesTyped(t, doc, item)
		}
	}
}

func TestACaseTypesDocumentSaysWhereTransitionsLead(t *testing.T) {
	w := start(t)
	w.do("PUT", "/v1/case-types/routes", `{"key":"routes","fields":{"type":"object","properties":{"n":{"type":"integer"}}},
		"states":[{"key":"a"},{"key":"b"}],"transitions":[{"key":"create","to":"a"},{"key":"edit","from":["a","b"]},
			{"key":"move","from":["a"],"to":"b"},
			{"key":"split","from":"*","to":[{"when":"has(data.n)","state":"b"},{"state":"a"}]},
			{"key":"stay","from":"*","to":[{"when":"has(data.n)","state":"b"},{"state":"*"}]}]}`).is(201, "")
	paths := w.typed(t, "routes").doc["paths"].(map[string]any)
	for key, want := range map[string]string{
		"edit": "From a, b, and stays there. ", "move": "From a to b. ",
		"split": "From every state to b or a, as the data decide. ",
		"stay":  "From every state to b, or stays there, as the data decide. ",
	} {
		op := paths["/v1/cases/{id}/transitions/"+key].(map[string]any)["post"].(map[string]any)
		if got := fmt.Sprint(op["description"]); !strings.HasPrefix(got, want) {
			t.Errorf("%s: %s", key, got)
		}
	}
}
