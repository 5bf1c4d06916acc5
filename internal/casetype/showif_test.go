package casetype_test

import (
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/casehook/casehook/internal/casetype"
)

// Each line of the file is a condition of a page, with data and whether the page is shown, or why it can't be read.
func TestConditionsOfPages(t *testing.T) {
	raw, err := os.ReadFile("testdata/show-conditions.json")
	if err != nil {
		t.Fatal(err)
	}
	var all []struct {
		Condition string
		Data      json.RawMessage
		Shown     bool
		Error     string
	}
	if err := json.Unmarshal(raw, &all); err != nil {
		t.Fatal(err)
	}
	for _, one := range all {
		condition, err := casetype.ParseShowCondition(one.Condition)
		if one.Error != "" {
			if err == nil || !strings.Contains(err.Error(), one.Error) {
				t.Errorf("%s: %v, want %q", one.Condition, err, one.Error)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", one.Condition, err)
			continue
		}
		data, metadata := decode(t, string(one.Data)), map[string]string{}
		if state, ok := data["[STATE]"].(string); ok {
			metadata["[STATE]"] = state
			delete(data, "[STATE]")
		}
		if got := condition.Holds(data, metadata); got != one.Shown {
			t.Errorf("%s with %s: %v", one.Condition, one.Data, got)
		}
	}
}

func FuzzParseShowCondition(f *testing.F) {
	f.Add(`a="x" OR (b CONTAINS "y,z" AND c!="*")`)
	f.Fuzz(func(t *testing.T, text string) {
		if condition, err := casetype.ParseShowCondition(text); err == nil {
			condition.Holds(map[string]any{"a": "x"}, nil)
		}
	})
}
