package apply

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestChangesAreListedByPath(t *testing.T) {
	const long = "a text that is so long that nobody reads it to its end, unless they have got nothing else to do"
	for name, c := range map[string]struct {
		before, after string
		want          []string
	}{
		"nothing":          {`{"a": [1, {"b": null}]}`, `{"a": [1, {"b": null}]}`, nil},
		"a value":          {`{"a": {"b": "x"}}`, `{"a": {"b": "y"}}`, []string{"/a/b: x -> y"}},
		"another kind":     {`{"a": "x"}`, `{"a": {"b": 1}}`, []string{`/a: x -> {"b":1}`}},
		"members":          {`{"a": 1, "o": {}}`, `{"b/c": "<x>", "p": {"q": 1}}`, []string{"/a: removed: 1", "/b~1c: added: <x>", "/o: removed", "/p: added"}},
		"lines":            {`{"a": "x"}`, `{"a": "x\ny"}`, []string{`/a: x -> "x\ny"`}},
		"a long text":      {`{"a": ""}`, `{"a": "` + long + `"}`, []string{`/a: "" -> ` + long[:maxValue] + "…"}},
		"a list":           {`{"a": ["x", "y"]}`, `{"a": ["y", "x"]}`, []string{`/a: ["x","y"] -> ["y","x"]`}},
		"a long list":      {`{"a": ["` + long + `", "x"]}`, `{"a": ["y", "` + long + `"]}`, []string{"/a: +y, -x"}},
		"keys":             {`{"s": [{"key": "a"}, {"key": "b", "c": 1}]}`, `{"s": [{"key": "b", "c": 2}, {"key": "d"}]}`, []string{"/s/a: removed", "/s/b/c: 1 -> 2", "/s/d: added"}},
		"an order of keys": {`{"s": [{"key": "a"}, {"key": "b"}]}`, `{"s": [{"key": "b"}, {"key": "c"}, {"key": "a"}]}`, []string{"/s/c: added", "/s: in another order"}},
	} {
		if diff := cmp.Diff(c.want, differences(decoded([]byte(c.before)), decoded([]byte(c.after)))); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
	if got := definitionChanges([]byte(`{"fields": {"a": 1, "b": 2}}`),
		[]byte(`{"fields": {"b": 2, "a": 1}}`)); len(got) != 1 || got[0] != "/fields: in another order" {
		t.Errorf("another order of fields is described as %q", got)
	}
}

func TestTheFirstOfManyChangesAreListed(t *testing.T) {
	var members []string
	for i := range 100 {
		members = append(members, fmt.Sprintf(`"a%02d": 1`, i))
	}
	got := differences(map[string]any{}, decoded([]byte("{"+strings.Join(members, ", ")+"}")))
	if len(got) != maxChanges+1 || got[maxChanges] != "... and 60 more" {
		t.Errorf("%d lines, the last of which is %s", len(got), got[len(got)-1])
	}
	var items []any
	for i := range 100 {
		items = append(items, fmt.Sprint("item ", i))
	}
	if got := differences([]any{}, items); len(got) != 1 || len(got[0]) > 300 ||
		!strings.HasSuffix(got[0], ", and 90 more") {
		t.Errorf("they are %q", got)
	}
}
