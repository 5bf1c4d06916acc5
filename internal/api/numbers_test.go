package api_test

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// An id has the same type in paths, queries and bodies.
func TestIDsHaveOneTypeEverywhere(t *testing.T) {
	t.Parallel()
	w := start(t)
	found := idTypes{}
	for _, d := range w.operations() {
		parameters, _ := d.op["parameters"].([]any)
		for _, p := range parameters {
			p := p.(map[string]any)
			found.note(ofParameter(d.path, p), p["schema"].(map[string]any), d.id+", "+p["name"].(string))
		}
	}
	for name, schema := range w.document.doc["components"].(map[string]any)["schemas"].(map[string]any) {
		found.inSchema(strings.ToLower(name), schema, name)
	}
	for _, resource := range []string{"case", "contact", "user", "endpoint", "token", "replay", "attempt"} {
		if len(found[resource]) == 0 {
			t.Errorf("no id of a %s is found", resource)
		}
	}
	for resource, types := range found {
		if len(types) > 1 {
			t.Errorf("ids of a %s have %d types: %v", resource, len(types), types)
		}
	}
	for _, resource := range []string{"case", "contact", "user"} {
		if len(found[resource]["integer int64"]) < 3 {
			t.Errorf("ids of a %s are integers in %v", resource, found[resource])
		}
	}
}

// idTypes lists places, by resource and type.
type idTypes map[string]map[string][]string

func (all idTypes) note(resource string, schema map[string]any, where string) {
	if resource == "" {
		return
	}
	if all[resource] == nil {
		all[resource] = map[string][]string{}
	}
	of := typeOfID(schema)
	all[resource][of] = append(all[resource][of], where)
}

// typeOfID returns the type and the format of an id that may also be null or a word.
func typeOfID(schema map[string]any) string {
	if either, ok := schema["anyOf"].([]any); ok {
		schema = either[0].(map[string]any)
	}
	name := schema["type"]
	if types, ok := name.([]any); ok {
		name = slices.DeleteFunc(slices.Clone(types), func(t any) bool { return t == "null" })[0]
	}
	text, _ := json.Marshal(name)
	format, _ := schema["format"].(string)
	return strings.TrimSpace(strings.Trim(string(text), `"`) + " " + format)
}

var inSegment = regexp.MustCompile(`/([a-z-]+)s/\{id\}`)

// ofParameter returns the resource whose id a parameter is; empty: it is no id.
func ofParameter(path string, p map[string]any) string {
	name := p["name"].(string)
	switch {
	case p["in"] == "header":
		return ""
	case name == "id" && p["in"] == "path":
		return strings.TrimSuffix(inSegment.FindStringSubmatch(path)[1], "s")
	case name == "assignee":
		return "user"
	case name == "case" || name == "contact" || name == "endpoint" || name == "attachment":
		return name
	}
	return idOf(name)
}

// idOf returns the resource of a field such as case_id; empty: it is no id of ours.
func idOf(field string) string {
	resource, ok := strings.CutSuffix(field, "_id")
	if !ok || resource == "client" || resource == "webhook" {
		return ""
	}
	return resource
}

// inSchema records the ids in the schema of a resource.
func (all idTypes) inSchema(resource string, v any, where string) {
	switch v := v.(type) {
	case map[string]any:
		properties, _ := v["properties"].(map[string]any)
		for name, p := range properties {
			of := idOf(name)
			if name == "id" && !strings.Contains(where, "/") {
				of = map[string]string{"claim": "case", "sentattempt": "attempt", "createdendpoint": "endpoint",
					"createdtoken": "token"}[resource]
				if of == "" {
					of = resource
				}
			}
			if p, ok := p.(map[string]any); ok {
				all.note(of, p, where)
			}
		}
		for name, item := range v {
			all.inSchema(resource, item, where+"/"+name)
		}
	case []any:
		for _, item := range v {
			all.inSchema(resource, item, where)
		}
	}
}
