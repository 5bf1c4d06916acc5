package casetype

import (
	"encoding/json"
	"reflect"
	"testing"
)

func TestPlainScalarsAreThoseOfYAML12(t *testing.T) {
	for text, want := range map[string]any{
		"0o17": json.Number("15"), "017": json.Number("17"), "0x1F": json.Number("31"), "+5": json.Number("5"), ".5": json.Number("0.5"),
		"5.": json.Number("5"), "-0": json.Number("-0"), "1e3": json.Number("1e3"), "12345678901234567890123": json.Number("12345678901234567890123"),
		"1_000": "1_000", "0b11": "0b11", "yes": "yes", "no": "no", "on": "on", "Off": "Off", "y": "y", "1:30": "1:30", "2026-01-01": "2026-01-01",
		"~": nil, "null": nil, "": nil, "NULL": nil, "nULL": "nULL", "true": true, "FALSE": false, "tRUE": "tRUE",
		`"5"`: "5", `'true'`: "true", "!!str 5": "5", "0o8": "0o8", "-0x1": "-0x1", "=": "=", "<x": "<x",
	} {
		doc := readYAML([]byte("a: "+text+"\n"), 100)
		if got := object(doc.value)["a"]; len(doc.wrong) > 0 || !reflect.DeepEqual(got, want) {
			t.Errorf("%s is %#v, want %#v; %v", text, got, want, doc.wrong)
		}
	}
	for _, text := range []string{".inf", "-.Inf", ".nan"} {
		if doc := readYAML([]byte("a: "+text+"\n"), 100); len(doc.wrong) != 1 {
			t.Errorf("%s is taken", text)
		}
	}
}
