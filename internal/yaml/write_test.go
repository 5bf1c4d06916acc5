package yaml_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/casehook/casehook/internal/yaml"
)

func TestWrittenYAMLReadsBackAsTheSameValues(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		raw, err := json.Marshal(value(3).Draw(t, "value"))
		if err != nil {
			t.Fatal(err)
		}
		written, err := yaml.Write(raw)
		if err != nil {
			t.Fatal(err)
		}
		again := yaml.Read(written, yaml.Options{})
		if len(again.Faults) > 0 {
			t.Fatalf("%v in\n%s", again.Faults, written)
		}
		if diff := cmp.Diff(yaml.Read(raw, yaml.Options{}).Value, again.Value); diff != "" {
			t.Fatalf("%s in\n%s", diff, written)
		}
	})
}

// value draws values of JSON, among them texts that YAML reads as other values.
func value(depth int) *rapid.Generator[any] {
	text := rapid.OneOf(rapid.StringMatching(`[ -~\n\t\r\x{85}\x{2028}é😀]{0,12}`), rapid.SampledFrom([]string{
		"", "yes", "~", "null", "017", "0o17", "1e3", ".5", "- a", "a: b", "# a", "a #b", "---", "...", "<<", "=", "{a}", "*a", "&a", "!a", "%a",
		"2026-03-14", "\n", " a\nb", "a \n b\n\n", "a\n\n", "\ta\nb", "1_000", "0b1", "12:30:00", "|", "? a",
	}))
	scalars := []*rapid.Generator[any]{
		rapid.Just[any](nil), rapid.Bool().AsAny(), text.AsAny(),
		rapid.SampledFrom([]json.Number{"0", "-1", "123456789012345678901234567890", "1.50", "1e3", "-2.5E-7"}).AsAny(),
	}
	if depth == 0 {
		return rapid.OneOf(scalars...)
	}
	inside := value(depth - 1)
	return rapid.OneOf(append(scalars, rapid.SliceOfN(inside, 0, 4).AsAny(),
		rapid.MapOfN(text, inside, 0, 4).AsAny())...)
}

func TestWritingKeepsTheOrderOfKeys(t *testing.T) {
	written, err := yaml.Write([]byte(`{"b":{"z":[1,"a"],"a":"x\ny\n"},"a":[{"key":"yes"},[]]}`))
	if err != nil {
		t.Fatal(err)
	}
	const want = "b:\n  z: [1, a]\n  a: |\n    x\n    y\na:\n- key: \"yes\"\n- []\n"
	if diff := cmp.Diff(want, string(written)); diff != "" {
		t.Error(diff)
	}
	word := strings.Repeat("long ", 40) + "text"
	for value, want := range map[string]string{
		`["` + strings.Repeat("x", 78) + `"]`:                "[" + strings.Repeat("x", 78) + "]\n", // 80 with ", "
		`["` + strings.Repeat("x", 79) + `"]`:                "- " + strings.Repeat("x", 79) + "\n",
		`["a", "` + strings.Repeat("x", 75) + `"]`:           "[a, " + strings.Repeat("x", 75) + "]\n",
		`["a", "` + strings.Repeat("x", 76) + `"]`:           "- a\n- " + strings.Repeat("x", 76) + "\n",
		`{"` + strings.Repeat("k", 90) + `":"` + word + `"}`: strings.Repeat("k", 90) + ": " + word + "\n",
	} {
		if written, err := yaml.Write([]byte(value)); err != nil || string(written) != want {
			t.Errorf("%s is written as\n%s, %v", value, written, err)
		}
	}
	if _, err := yaml.Write([]byte("a: b")); err == nil {
		t.Error("YAML is written as if it were JSON")
	}
}
