package casehook_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/casehook/casehook/internal/casetype"
	"github.com/casehook/casehook/internal/yaml"
)

// caseTypesPage is the reference of case types, which has a table for each object of a definition.
const caseTypesPage = "docs/case-types.md"

// definitionTables says which part of the schema each table describes, in the order of the page.
var definitionTables = []struct{ heading, pointer string }{
	{"Case type", ""},
	{"States", "/$defs/state"},
	{"Transitions", "/$defs/transition"},
	{"Targets", "/$defs/target"},
	{"precondition", "/$defs/transition/properties/precondition"},
	{"Rules", "/$defs/rule"},
	{"about_to_submit", "/$defs/ask"},
	{"about_to_submit", "/$defs/ask/properties/guard"},
	{"about_to_submit", "/$defs/shadow"},
	{"Callbacks around it", "/$defs/inquiry"},
	{"Pages", "/$defs/page"},
	{"Fields of a page", "/$defs/page_field"},
	{"Operations", "/$defs/asked"},
	{"Documents", "/$defs/document"},
	{"Proofs", "/$defs/proof"},
	{"Access", "/properties/access"},
	{"Roles", "/properties/roles/additionalProperties"},
	{"Access to states", "/$defs/stateAccess"},
	{"Access to fields", "/$defs/fieldAccess"},
}

// keyRow is a row of a table: a key of a definition.
type keyRow struct {
	key, kind, fallback, example string
	required                     bool
}

// keyTables returns the tables under a heading of the page.
func keyTables(t *testing.T, page, title string) (tables []map[string]keyRow) {
	t.Helper()
	_, section, found := strings.Cut(page, "\n### "+title+"\n")
	if !found {
		t.Fatalf("%s has no heading %s", caseTypesPage, title)
	}
	section, _, _ = strings.Cut(section, "\n### ")
	for part := range strings.SplitSeq(section, "| key | type | default | example | |\n") {
		rows := map[string]keyRow{}
		for line := range strings.Lines(part) {
			if !strings.HasPrefix(line, "| `") && !strings.HasPrefix(line, "| **`") {
				continue
			}
			cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), "|")
			for i := range cells {
				cells[i] = strings.TrimSpace(cells[i])
			}
			if len(cells) != 5 || cells[1] == "" || cells[3] == "" || cells[4] == "" {
				t.Errorf("%s: this row lacks a cell: %s", caseTypesPage, line)
				continue
			}
			row := keyRow{
				key: strings.Trim(cells[0], "*`"), required: strings.HasPrefix(cells[0], "**"),
				kind: cells[1], fallback: cells[2], example: strings.Trim(cells[3], "`"),
			}
			rows[row.key] = row
		}
		if len(rows) > 0 {
			tables = append(tables, rows)
		}
	}
	return tables
}

// at follows a JSON pointer without escapes.
func at(root map[string]any, pointer string) map[string]any {
	for _, name := range strings.Split(pointer, "/")[1:] {
		root, _ = root[name].(map[string]any)
	}
	return root
}

// resolved returns a part of the schema together with the one that it refers to, and the name of that.
func resolved(root, part map[string]any) (map[string]any, string) {
	ref, _ := part["$ref"].(string)
	pointer, inside := strings.CutPrefix(ref, "#")
	if !inside {
		return part, ""
	}
	all := maps.Clone(at(root, pointer))
	maps.Copy(all, part)
	return all, strings.TrimPrefix(pointer, "/$defs/")
}

func quoteAll(values []any) string {
	var all []string
	for _, value := range values {
		all = append(all, fmt.Sprintf("`%v`", value))
	}
	return strings.Join(all, ", ")
}

// kindOf returns the type of a value as the page writes it. The page may call strings and their lists by what
// they name.
func kindOf(root, part map[string]any) *regexp.Regexp {
	whole, name := resolved(root, part)
	pattern := ""
	switch choices, isChoice := whole["enum"].([]any); {
	case isChoice:
		pattern = regexp.QuoteMeta(quoteAll(choices))
	case name == "color":
		pattern = "colour"
	case slices.Contains([]string{"key", "name", "duration"}, name):
		pattern = name
	case whole["type"] == "array":
		pattern = "list|list of (states|fields|roles|durations)"
	case whole["type"] == "string":
		pattern = "string|state"
	default:
		var types []string
		for _, one := range asList(whole["type"]) {
			types = append(types, strings.Replace(fmt.Sprint(one), "array", "list", 1))
		}
		pattern = strings.Join(types, " or ")
	}
	return regexp.MustCompile("^(" + pattern + ")$")
}

func asList(v any) []any {
	if all, ok := v.([]any); ok {
		return all
	}
	return []any{v}
}

// fallbackOf returns a default as the page writes it; empty: the schema names none, and the page may use words.
func fallbackOf(root, part map[string]any) string {
	whole, _ := resolved(root, part)
	switch value := whole["default"].(type) {
	case nil:
		return ""
	case []any:
		return "`[" + strings.ReplaceAll(quoteAll(value), "`", "") + "]`"
	default:
		return fmt.Sprintf("`%v`", value)
	}
}

func TestTheReferenceOfCaseTypesHasEveryKey(t *testing.T) {
	page, err := os.ReadFile(caseTypesPage)
	if err != nil {
		t.Fatal(err)
	}
	var root map[string]any
	if err := json.Unmarshal(casetype.Schema(), &root); err != nil {
		t.Fatal(err)
	}
	compiler := jsonschema.NewCompiler()
	if err := compiler.AddResource("definition.json", root); err != nil {
		t.Fatal(err)
	}
	seen := map[string]int{} // tables that were compared, by heading
	for _, table := range definitionTables {
		tables := keyTables(t, string(page), table.heading)
		if len(tables) <= seen[table.heading] {
			t.Fatalf("%s: %s lacks a table", caseTypesPage, table.heading)
		}
		rows := tables[seen[table.heading]]
		seen[table.heading]++
		schema := at(root, table.pointer)
		for key, part := range schema["properties"].(map[string]any) {
			where := fmt.Sprintf("%s: %s, %s", caseTypesPage, table.heading, key)
			row, ok := rows[key]
			if !ok {
				t.Errorf("%s is missing", where)
				continue
			}
			delete(rows, key)
			if required := slices.Contains(asList(schema["required"]), any(key)); row.required != required {
				t.Errorf("%s: required is %v in the schema", where, required)
			}
			row.check(t, where, root, part.(map[string]any))
			compiled, err := compiler.Compile("definition.json#" + table.pointer + "/properties/" + key)
			if err != nil {
				t.Fatal(err)
			}
			checkExample(t, where, compiled, row.example)
		}
		for key := range rows {
			t.Errorf("%s: %s, %s is no key of a definition", caseTypesPage, table.heading, key)
		}
	}
}

// Every object of the schema that has keys has a table, except the schema of the fields, which is JSON Schema.
func TestTheReferenceOfCaseTypesHasEveryObject(t *testing.T) {
	var root map[string]any
	if err := json.Unmarshal(casetype.Schema(), &root); err != nil {
		t.Fatal(err)
	}
	described := []string{"/properties/fields"}
	for _, table := range definitionTables {
		described = append(described, table.pointer)
	}
	var visit func(part map[string]any, pointer string)
	visit = func(part map[string]any, pointer string) {
		if part["properties"] != nil && !slices.Contains(described, pointer) {
			t.Errorf("%s has no table for %s of the schema", caseTypesPage, pointer)
		}
		for name, inner := range part {
			if inner, ok := inner.(map[string]any); ok && pointer != "/properties/fields" {
				visit(inner, pointer+"/"+name)
			}
		}
	}
	visit(root, "")
}

// check compares the type and the default of a row with a part of the schema.
func (r keyRow) check(t *testing.T, where string, root, part map[string]any) {
	t.Helper()
	if want := kindOf(root, part); !want.MatchString(r.kind) {
		t.Errorf("%s has the type %q, want %s", where, r.kind, want)
	}
	if want := fallbackOf(root, part); want != "" && r.fallback != want {
		t.Errorf("%s has the default %q, want %q", where, r.fallback, want)
	}
}

// checkExample checks the example of a key against the key's schema.
func checkExample(t *testing.T, where string, schema *jsonschema.Schema, example string) {
	t.Helper()
	document := yaml.Read([]byte("example: "+example+"\n"), yaml.Options{})
	for _, fault := range document.Faults {
		t.Errorf("%s: %s: %v", where, example, fault)
	}
	raw, err := yaml.JSON(document.Value)
	if err != nil {
		t.Fatalf("%s: %v", where, err)
	}
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(raw))
	if err == nil {
		err = schema.Validate(value.(map[string]any)["example"])
	}
	if err != nil {
		t.Errorf("%s: %s: %v", where, example, err)
	}
}
