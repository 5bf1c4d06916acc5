package api_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/casehook/casehook/internal/wire"
)

// validJSON validates a value by a JSON Schema of a document.
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
	t.Parallel()
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
		if err := validJSON(t, item["schema"],
			map[string]any{"trigger": trigger.Name, "event_name": trigger.Name}); err == nil {
			t.Errorf("%s: the schema takes anything", trigger.Name)
		}
		if headers := item["headers"].([]any); len(headers) < 9 {
			t.Errorf("%s has the headers %v", trigger.Name, headers)
		}
	}
}

func TestTheDocumentHasEveryTriggerAmongItsWebhooks(t *testing.T) {
	t.Parallel()
	w := start(t)
	page := string(w.get("/docs", "Authorization", "").is(200, "").body)
	webhooks := w.document.doc["webhooks"].(map[string]any)
	if len(webhooks) != len(wire.Triggers())+len(wire.Questions("1.2.3")) {
		t.Errorf("it has %d webhooks", len(webhooks))
	}
	for _, trigger := range wire.Triggers() {
		post := webhooks[trigger.Name].(map[string]any)["post"].(map[string]any)
		parameters := map[string]bool{}
		for _, p := range post["parameters"].([]any) {
			parameters[p.(map[string]any)["name"].(string)] = true
		}
		for _, h := range wire.Headers(trigger.Name, "1.2.3", "1.2.3") {
			if h.Name != "Content-Type" && !parameters[h.Name] {
				t.Errorf("%s: the header %s is not documented", trigger.Name, h.Name)
			}
		}
		form := "application/json"
		if strings.HasPrefix(trigger.Name, "com.casehook.") {
			form = "application/cloudevents+json"
		}
		content := post["requestBody"].(map[string]any)["content"].(map[string]any)[form].(map[string]any)
		examples := content["examples"].(map[string]any)
		if len(examples) != len(wire.Examples(trigger.Name, "1.2.3")) {
			t.Errorf("%s has the examples %v", trigger.Name, examples)
		}
		for fact, example := range examples {
			if err := validJSON(t, content["schema"], example.(map[string]any)["value"]); err != nil {
				t.Errorf("%s, %s: %v", trigger.Name, fact, err)
			}
		}
		for _, status := range []string{"2XX", "410", "429", "503", "default"} {
			if post["responses"].(map[string]any)[status] == nil {
				t.Errorf("%s: %s is not described", trigger.Name, status)
			}
		}
		if !strings.Contains(page, `<article id="webhook-`+trigger.Name+`">`) {
			t.Errorf("%s is not in the documentation", trigger.Name)
		}
	}
}

func TestTheDocumentSaysWhatCallbacksAreAskedAndMayAnswer(t *testing.T) {
	t.Parallel()
	w := start(t)
	page := string(w.get("/docs", "Authorization", "").is(200, "").body)
	for _, question := range wire.Questions("1.2.3") {
		checkQuestionIsDocumented(t, w, page, question)
	}
}

func checkQuestionIsDocumented(t *testing.T, w *world, page string, question wire.Question) {
	t.Helper()
	post := w.document.doc["webhooks"].(map[string]any)[question.Name].(map[string]any)["post"].(map[string]any)
	parameters := map[string]any{}
	for _, p := range post["parameters"].([]any) {
		p := p.(map[string]any)
		parameters[p["name"].(string)] = p["required"]
	}
	for _, h := range question.Headers {
		if required, ok := parameters[h.Name]; h.Name != "Content-Type" && (!ok || required == h.Optional) {
			t.Errorf("the header %s is not documented", h.Name)
		}
		if !strings.Contains(page, "<code>"+h.Name+"</code>") {
			t.Errorf("the header %s is not in the documentation", h.Name)
		}
	}
	responses := post["responses"].(map[string]any)
	for _, status := range []string{"200", "204", "408", "425", "429", "5XX", "default"} {
		if responses[status] == nil {
			t.Errorf("%s is not described", status)
		}
	}
	held := 0
	for part, body := range map[string]any{"question": post["requestBody"], "answer": responses["200"]} {
		content := body.(map[string]any)["content"].(map[string]any)["application/json"].(map[string]any)
		for name, example := range content["examples"].(map[string]any) {
			held++
			if err := validJSON(t, content["schema"], example.(map[string]any)["value"]); err != nil {
				t.Errorf("%s, %s: %v", part, name, err)
			}
		}
		wrong := map[string]any{"errors": "none", "confirmation_body": 7}
		if err := validJSON(t, content["schema"], wrong); err == nil {
			t.Errorf("the schema of a %s takes anything", part)
		}
	}
	if held != len(question.Examples)+len(question.Answers) {
		t.Errorf("%d examples are shown", held)
	}
	for _, shown := range []string{`<article id="webhook-about_to_submit">`, "override_state", "case_details_before",
		"Casehook-Transition"} {
		if !strings.Contains(page, shown) {
			t.Errorf("the documentation lacks %s", shown)
		}
	}
}
