package casetype_test

import (
	"testing"

	"golang.org/x/text/unicode/norm"
)

// TestDataAreValidatedInComposedForm: a definition and data may spell one text in two ways, and data are kept as
// they were sent.
func TestDataAreValidatedInComposedForm(t *testing.T) {
	const fields = `{type: object, properties: {one: {enum: ["Zoë", x]}, same: {const: "Zoë"}, short: {type: string, maxLength: 3},
		like: {type: string, pattern: "^Zo[éë]$"}, list: {type: array, uniqueItems: true},
		object: {type: object, properties: {größe: {type: integer}}, required: [größe]}}}`
	const data = `{"one":"Zoë","same":"Zoë","short":"Zoë","like":"Zoë","list":["Zoë"],"object":{"größe":1}}`
	forms := map[string]norm.Form{"composed": norm.NFC, "decomposed": norm.NFD}
	for how, definition := range forms {
		ct := typeOf(t, definition.String(fields))
		for name, form := range forms {
			sent := decode(t, form.String(data))
			if wrong := validate(t, ct, sent, ""); len(wrong) > 0 {
				t.Errorf("%s data by a %s definition: %v", name, how, wrong)
			}
			if sent["one"] != form.String("Zoë") {
				t.Errorf("%s data were changed", name)
			}
		}
		for wrong, path := range map[string]string{
			`{"one":"ZOË"}`: "/one", `{"list":["é","e\u0301"]}`: "/list", `{"like":"Zoe"}`: "/like",
			`{"object":{"größe":1,"gro\u0308ße":"x"}}`: "/object/größe",
		} {
			if faults := validate(t, ct, decode(t, wrong), ""); len(faults) != 1 || faults[0].Path != path {
				t.Errorf("%s: %v", wrong, faults)
			}
		}
	}
}
