package wiretest_test

import (
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/casehook/casehook/internal/wire"
	"github.com/casehook/casehook/internal/wire/wiretest"
)

// received returns the first example of a trigger, as a receiver gets it.
func received(trigger string) (http.Header, []byte) {
	header := http.Header{}
	for _, doc := range wire.Headers(trigger, "1.0.0", "1.0.0") {
		header.Set(doc.Name, doc.Example)
	}
	return header, wire.Examples(trigger, "1.0.0")[0].Body
}

func TestTheExamplesOfTheCatalogueAreValid(t *testing.T) {
	for _, trigger := range wire.Triggers() {
		header, body := received(trigger.Name)
		wiretest.Check(t, header, body)
	}
}

// Check finds a fault in any field of any body.
func TestBrokenFieldsAreNoticed(t *testing.T) {
	for _, trigger := range wire.Triggers() {
		header, body := received(trigger.Name)
		var schema, value map[string]any
		for raw, into := range map[string]*map[string]any{
			string(wire.Schema(trigger.Name)): &schema, string(body): &value,
		} {
			if err := json.Unmarshal([]byte(raw), into); err != nil {
				t.Fatal(err)
			}
		}
		breakFields(schema, value, func(what string) {
			broken, err := json.Marshal(value)
			if err != nil {
				t.Fatal(err)
			}
			if wiretest.Valid(header, broken) == nil {
				t.Errorf("%s: %s, and Check accepts it: %s", trigger.Name, what, broken)
			}
		})
	}
}

// breakFields breaks one field of a value after the other, calls broken, and restores the field.
func breakFields(schema, value map[string]any, broken func(what string)) {
	properties := schema["properties"].(map[string]any)
	for _, name := range slices.Sorted(maps.Keys(properties)) {
		was, there := value[name]
		if inner, ok := was.(map[string]any); ok {
			breakFields(properties[name].(map[string]any), inner, broken)
		}
		delete(value, name)
		broken(name + " is left out")
		value[name] = []any{map[string]any{}}
		broken(name + " is of another type")
		if delete(value, name); there {
			value[name] = was
		}
	}
	if schema["additionalProperties"] == false {
		value["another"] = 1
		broken("there is another field")
		delete(value, "another")
	}
}

func TestBrokenRequestsAreNoticed(t *testing.T) {
	header, raw := received("claim.created")
	body := string(raw)
	for what, broken := range map[string]string{
		"a name is there twice":       strings.Replace(body, `"claim_ref":`, `"claim_ref":"X","claim_ref":`, 1),
		"a value is none of the list": strings.Replace(body, `"status":"open"`, `"status":"ajar"`, 1),
		"a time is none":              strings.Replace(body, `"created_at":"2026`, `"created_at":"at 2026`, 1),
		"a program has a user's id":   strings.Replace(body, `"source":"ui"`, `"source":"api"`, 1),
		"it is another event's":       strings.Replace(body, `"claim.created"`, `"claim.closed"`, 1),
		"it is no event's":            strings.Replace(body, `"claim.created"`, `"claim.exploded"`, 1),
		"it is no JSON":               body[:len(body)-1],
		"it is empty":                 "",
	} {
		if broken == body {
			t.Errorf("%s: nothing is broken", what)
		}
		if wiretest.Valid(header, []byte(broken)) == nil {
			t.Errorf("%s, and Check accepts it: %s", what, broken)
		}
	}
	for _, change := range []func(http.Header){
		func(h http.Header) { h.Del("Event-Name") },
		func(h http.Header) { h.Del("webhook-signature") },
		func(h http.Header) { h.Add("webhook-id", "msg_other") },
		func(h http.Header) { h.Set("webhook-secret", "x") },
		func(h http.Header) { h.Set("X-atfinity-event", "claim.created") },
	} {
		other := header.Clone()
		if change(other); wiretest.Valid(other, raw) == nil {
			t.Errorf("Check accepts %v", other)
		}
	}
}
