package apply

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/casehook/casehook/internal/casetype"
	"github.com/casehook/casehook/internal/schemas"
	"github.com/casehook/casehook/internal/yaml"
)

// These tests keep the schemas for editors in step with the parsers.

// compiled compiles a schema for editors with a library that is not ours.
func compiled(t *testing.T, name string) *jsonschema.Schema {
	t.Helper()
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(schemas.Of(name)))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("https://casehook.test/"+name, document); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("https://casehook.test/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// fits reports whether a schema accepts a document.
func fits(t *testing.T, s *jsonschema.Schema, source []byte) error {
	t.Helper()
	raw, err := yaml.Read(source, yaml.Options{}).Root().JSON()
	if err != nil {
		t.Fatal(err)
	}
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	return s.Validate(value)
}

// sources returns the YAML files of the examples and of the e2e tests, by name.
func sources(t *testing.T) map[string][]byte {
	t.Helper()
	all := map[string][]byte{}
	for _, pattern := range []string{"../../examples/*.yaml", "../../examples/*/*.yaml", "../../cmd/casehook/*.yaml"} {
		files, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			if all[file], err = os.ReadFile(file); err != nil {
				t.Fatal(err)
			}
		}
	}
	scripts, err := filepath.Glob("../../e2e/testdata/*.txtar")
	if err != nil {
		t.Fatal(err)
	}
	for _, script := range scripts {
		archive, err := txtar.ParseFile(script)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range archive.Files {
			if ending := filepath.Ext(f.Name); ending == ".yaml" || ending == ".json" {
				all[filepath.Base(script)+"/"+f.Name] = f.Data
			}
		}
	}
	return all
}

// readsPlan reads a document as a file of apply. The files that it names are a definition, and variables are secrets.
func readsPlan(source []byte) error {
	const definition = "key: %s\nfields: {type: object, properties: {}}\nstates: [{key: open}]\n" +
		"transitions: [{key: submit, to: open, callback: {about_to_submit: {url: 'https://x.example'}}}]\n"
	_, err := Read("plan.yaml", source, func(path string) ([]byte, error) {
		key := strings.TrimSuffix(filepath.Base(path), filepath.Ext(path))
		return fmt.Appendf(nil, definition, key), nil
	}, func(string) (string, bool) {
		return "whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=", true
	})
	return err
}

func readsDefinition(source []byte) error {
	_, err := casetype.Parse("definition.yaml", source)
	return err
}

// mutations calls each with a document in which one thing is wrong: an object has another key, or a value is of another
// type.
func mutations(t *testing.T, value any, each func(what string, source []byte)) {
	t.Helper()
	write := func(what string) {
		source, err := json.Marshal(value)
		if err != nil {
			t.Fatal(err)
		}
		each(what, source)
	}
	var walk func(path string, v any, set func(any))
	walk = func(path string, v any, set func(any)) {
		if _, is := asObject(v)["properties"]; is && strings.HasSuffix(path, "/fields") {
			return // a JSON Schema of its own, in which the parser knows fewer keywords than its metaschema
		}
		if strings.HasSuffix(path, "/defaults") {
			return // data
		}
		switch v := v.(type) {
		case map[string]any:
			v["unheard_of"] = 1
			write(path + " has an unknown key")
			delete(v, "unheard_of")
			for _, key := range sortedKeys(v) {
				walk(path+"/"+key, v[key], func(other any) { v[key] = other })
			}
		case []any:
			for i, item := range v {
				walk(fmt.Sprint(path, "/", i), item, func(other any) { v[i] = other })
			}
		}
		if set != nil {
			object := map[string]any{"unheard_of": true}
			for _, other := range []any{[]any{object}, 7.5, object} {
				set(other)
				write(fmt.Sprintf("%s is %v", path, other))
			}
			set(v)
		}
	}
	walk("", value, nil)
}

func asObject(v any) map[string]any { object, _ := v.(map[string]any); return object }

func sortedKeys(m map[string]any) (keys []string) {
	for key := range m {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys
}

func TestTheSchemasAreInStepWithTheParsers(t *testing.T) {
	for name, parse := range map[string]func([]byte) error{
		schemas.CaseType: readsDefinition, schemas.Apply: readsPlan,
	} {
		s, accepted, refused := compiled(t, name), 0, 0
		for file, source := range sources(t) {
			if parse(source) != nil {
				continue
			}
			accepted++
			if err := fits(t, s, source); err != nil {
				t.Errorf("%s: the parser accepts %s, and the schema does not: %v", name, file, err)
			}
			raw, err := yaml.Read(source, yaml.Options{}).Root().JSON()
			if err != nil {
				t.Fatal(err)
			}
			var value any
			if err := json.Unmarshal(raw, &value); err != nil {
				t.Fatal(err)
			}
			if name == schemas.CaseType && !strings.HasPrefix(filepath.Base(file), "starting") &&
				!strings.HasPrefix(filepath.Base(file), "permit") { // they have all keys
				continue
			}
			mutations(t, value, func(what string, source []byte) {
				if parse(source) == nil {
					return
				}
				refused++
				if fits(t, s, source) == nil {
					t.Errorf("%s: %s: %s: the parser refuses it, and the schema does not", name, file, what)
				}
			})
		}
		t.Logf("%s: %d accepted, %d mutations refused", name, accepted, refused)
		if accepted < 3 || refused < 100 {
			t.Errorf("%s: only %d documents and %d mutations", name, accepted, refused)
		}
	}
}

// A new key of the parser without a schema fails here, and so does a key of the schema that the parser does not know.
func TestTheSchemaOfApplyHasTheParsersKeys(t *testing.T) {
	var schema struct {
		Properties map[string]any
		Defs       map[string]struct{ Properties map[string]any } `json:"$defs"`
	}
	if err := json.Unmarshal(schemas.Of(schemas.Apply), &schema); err != nil {
		t.Fatal(err)
	}
	described := func(name string) []string { return sortedKeys(schema.Defs[name].Properties) }
	inside := func(name, member string) []string {
		return sortedKeys(schema.Defs[name].Properties[member].(map[string]any)["properties"].(map[string]any))
	}
	field := func(v any, name string) any {
		f, _ := reflect.TypeOf(v).FieldByName(name)
		return reflect.Zero(f.Type).Interface()
	}
	for what, c := range map[string]struct {
		parsed any
		keys   []string
	}{
		"the file": {document{}, sortedKeys(schema.Properties)}, "a case type": {typeNode{}, described("apply_listed")},
		"an endpoint": {endpointNode{}, described("apply_endpoint")},
		"policy":      {field(endpointNode{}, "Policy"), inside("apply_endpoint", "policy")},
		"auth":        {field(endpointNode{}, "Auth"), inside("apply_endpoint", "auth")},
		"tls":         {field(endpointNode{}, "TLS"), inside("apply_endpoint", "tls")},
	} {
		var parsed []string
		for _, f := range reflect.VisibleFields(reflect.TypeOf(c.parsed)) {
			if key := f.Tag.Get("yaml"); key != "" && (len(f.Index) == 1 || !f.Anonymous) {
				parsed = append(parsed, key)
			}
		}
		slices.Sort(parsed)
		if diff := gocmp.Diff(parsed, c.keys); diff != "" {
			t.Errorf("%s (-parser +schema): %s", what, diff)
		}
	}
}

// The keys of all parts of a definition, by the Go types and by the schema.
func TestTheSchemaOfDefinitionsHasTheParsersKeys(t *testing.T) {
	parsed, seen := map[string]bool{}, map[reflect.Type]bool{}
	var walk func(reflect.Type)
	walk = func(of reflect.Type) {
		for of.Kind() == reflect.Pointer || of.Kind() == reflect.Slice || of.Kind() == reflect.Map {
			of = of.Elem()
		}
		if of.Kind() != reflect.Struct || seen[of] {
			return
		}
		seen[of] = true
		for _, f := range reflect.VisibleFields(of) {
			key, _, _ := strings.Cut(f.Tag.Get("json"), ",")
			if key = cmp.Or(key, strings.ToLower(f.Name)); key != "-" && f.IsExported() && !f.Anonymous {
				parsed[key] = true // of types that write themselves, the names are the keys
				walk(f.Type)
			}
		}
	}
	walk(reflect.TypeFor[casetype.Definition]())
	described := map[string]bool{}
	var schema map[string]any
	if err := json.Unmarshal(schemas.Of(schemas.CaseType), &schema); err != nil {
		t.Fatal(err)
	}
	var collect func(v any)
	collect = func(v any) {
		switch v := v.(type) {
		case []any:
			for _, item := range v {
				collect(item)
			}
		case map[string]any:
			properties, _ := v["properties"].(map[string]any)
			for key := range properties {
				described[key] = true
			}
			for key, part := range v {
				if key != "fields" { // a JSON Schema
					collect(part)
				}
			}
		}
	}
	collect(schema)
	if diff := gocmp.Diff(parsed, described); diff != "" {
		t.Errorf("the keys (-parser +schema): %s", diff)
	}
}

// Editors show the descriptions.
func TestEveryKeyOfTheSchemasIsDescribed(t *testing.T) {
	for _, name := range schemas.Names() {
		var schema map[string]any
		if err := json.Unmarshal(schemas.Of(name), &schema); err != nil {
			t.Fatal(err)
		}
		var walk func(path string, v any)
		walk = func(path string, v any) {
			object, _ := v.(map[string]any)
			properties, _ := object["properties"].(map[string]any)
			for key, part := range properties {
				inner := asObject(part)
				if len(inner) > 0 && inner["description"] == nil && inner["$ref"] == nil {
					t.Errorf("%s: %s/%s has no description", name, path, key)
				}
			}
			for key, part := range object {
				walk(path+"/"+key, part)
			}
		}
		walk("", schema)
	}
}
