package api_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestADefinitionIsRefusedAtItsLineBeItYAMLOrJSON(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, w *world) {
		line := func(after int) string { return fmt.Sprintf(": line %d: ", strings.Count(loan, "\n")+1+after) }
		twice := "{\"key\": \"note\",\n\"name\": \"a\",\n\"name\": \"b\"," + strings.TrimPrefix(note, `{"key": "note",`)
		for source, want := range map[string]string{
			twice: "/name: line 3: is given twice; the first is on line 2",
			strings.Replace(loan, "outcome: contract", "outcome: contract\noutcome: other", 1): "/outcome: line 5: is given twice; the first is on line 4",
			loan + "---\n" + loan:                   line(0) + "begins a second document, and only one is allowed",
			"%YAML 1.1\n---" + loan:                 ": line 1: is YAML 1.1; only YAML 1.2 is read here",
			loan + "switch:\n\tabout_to_submit: {}": line(1) + "is not YAML: found character that cannot start any token; indent with spaces, not with tabs",
		} {
			for _, contentType := range []string{"application/yaml", "application/json"} {
				got := w.do("PUT", "/v1/case-types/loan", source, "Content-Type",
					contentType).is(422, "case_type.invalid")
				var problem struct {
					Fields []struct{ Path, Message string }
				}
				must(t, json.Unmarshal(got.body, &problem))
				if len(problem.Fields) != 1 || problem.Fields[0].Path+": "+problem.Fields[0].Message != want {
					t.Errorf("%.80q: %s, want %s", source, got.body, want)
				}
			}
		}
	})
}

// One unknown member hides nothing else that is wrong with a body.
func TestAnUnknownMemberHidesNoOtherFault(t *testing.T) {
	w := start(t)
	got := w.post("/v1/endpoints",
		`{"nmae": "x", "url": 5, "triggers": "case_created", "policy": {"timeot": "1s", "concurrency": "many"}}`).
		is(422, "request.body_invalid")
	var paths []string
	for _, f := range got.json()["fields"].([]any) {
		paths = append(paths, f.(map[string]any)["path"].(string))
	}
	slices.Sort(paths)
	want := []string{"/nmae", "/policy/concurrency", "/policy/timeot", "/triggers", "/url"}
	if diff := cmp.Diff(want, paths); diff != "" {
		t.Error(diff)
	}
}
