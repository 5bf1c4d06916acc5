package api_test

import (
	"bytes"
	"encoding/json"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/casehook/casehook/internal/wire"
)

// validJSON reports what a JSON Schema, as a document shows it, objects to in a value.
func validJSON(t *testing.T, schema, value any) error {
	t.Helper()
	raw, err := json.Marshal(schema)
	must(t, err)
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(raw))
	must(t, err)
	c := jsonschema.NewCompiler()
	c.DefaultDraft(jsonschema.Draft2020)
	c.AssertFormat()
	must(t, c.AddResource("https://casehook.test/schema", document))
	compiled, err := c.Compile("https://casehook.test/schema")
	must(t, err)
	raw, err = json.Marshal(value)
	must(t, err)
	shown, err := jsonschema.UnmarshalJSON(bytes.NewReader(raw))
	must(t, err)
	return compiled.Validate(shown)
}

func TestTheCatalogueShowsEveryTrigger(t *testing.T) {
	w := start(t)
	shown := map[string]map[string]any{}
	for _, item := range w.get("/v1/triggers").is(200, "").items() {
		shown[item.(map[string]any)["name"].(string)] = item.(map[string]any)
	}
	for _, trigger := range wire.Triggers() {
		item := shown[trigger.Name]
		if item == nil {
			t.Errorf("%s is not shown", trigger.Name)
			continue
		}
		if item["description"] == "" || item["format"] == "" {
			t.Errorf("%s is not described", trigger.Name)
		}
		if err := validJSON(t, item["schema"], item["example"]); err != nil {
			t.Errorf("%s: the example is not as the schema says: %v", trigger.Name, err)
		}
		if err := validJSON(t, item["schema"], map[string]any{"trigger": trigger.Name, "event_name": trigger.Name}); err == nil {
			t.Errorf("%s: the schema takes anything", trigger.Name)
		}
		if headers := item["headers"].([]any); len(headers) < 9 {
			t.Errorf("%s has the headers %v", trigger.Name, headers)
		}
	}
}
