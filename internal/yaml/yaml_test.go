package yaml_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/casehook/casehook/internal/yaml"
)

func read(source string) *yaml.Document { return yaml.Read([]byte(source), yaml.Options{}) }

// faults writes faults as "line:column path: message".
func faults(all []yaml.Fault) (lines []string) {
	for _, f := range all {
		lines = append(lines, fmt.Sprintf("%d:%d %s: %s", f.Line, f.Column, f.Path, f.Message))
	}
	return lines
}

func TestPlainScalarsAreThoseOfYAML12(t *testing.T) {
	for text, want := range map[string]any{
		"0o17": json.Number("15"), "017": json.Number("17"), "0x1F": json.Number("31"), "+5": json.Number("5"), ".5": json.Number("0.5"),
		"5.": json.Number("5"), "-0": json.Number("-0"), "1e3": json.Number("1e3"), "12345678901234567890123": json.Number("12345678901234567890123"),
		"00": json.Number("0"), "-007.50": json.Number("-7.50"), "+1.10000000000000000000001": json.Number("1.10000000000000000000001"),
		"-.5E+05": json.Number("-0.5E+05"), "1.e5": json.Number("1e5"), "0xFFFFFFFFFFFFFFFFFF": json.Number("4722366482869645213695"),
		"1_000": "1_000", "0b11": "0b11", "yes": "yes", "no": "no", "on": "on", "Off": "Off", "y": "y", "1:30": "1:30", "2026-01-01": "2026-01-01",
		"~": nil, "null": nil, "": nil, "NULL": nil, "nULL": "nULL", "true": true, "FALSE": false, "tRUE": "tRUE",
		`"5"`: "5", `'true'`: "true", `"~"`: "~", "!!str 5": "5", "! 5": "5", "!!str": "", "!<tag:yaml.org,2002:str> 5": "5", "0o8": "0o8", "-0x1": "-0x1", "=": "=", "<x": "<x",
		"1e1000": json.Number("1e1000"), "1e-1000": json.Number("1e-1000"),
		strings.Repeat("9", 400): json.Number(strings.Repeat("9", 400)), "0" + strings.Repeat("9", 399): json.Number(strings.Repeat("9", 399)),
		"!!int '5'": json.Number("5"), "!!int 0o17": json.Number("15"), "!!float 5": json.Number("5"), "!!bool True": true, "!!null ''": nil,
		"!!map {}": map[string]any{}, "!!seq []": []any{}, "|\n  x": "x\n", "|\n  5": "5\n", ">\n  x\n  y": "x y\n", "|-\n  x\n": "x",
	} {
		doc := read("a: " + text + "\n")
		if got, _ := doc.Value.(map[string]any); len(doc.Faults) > 0 || !reflect.DeepEqual(got["a"], want) {
			t.Errorf("%s is %#v, want %#v; %v", text, got["a"], want, faults(doc.Faults))
		}
	}
	for text, want := range map[string]string{
		".inf": "JSON can hold", "-.Inf": "JSON can hold", ".nan": "JSON can hold", "1e1001": "beyond 10 to the power", "1e-1001": "beyond 10 to the power", strings.Repeat("9", 401): "more than 400 digits",
		"0x" + strings.Repeat("f", 400): "more than 400 digits", "!!int x": "!!int, but no such value", "!!int 1.5": "!!int, but no such value", "!!bool yes": "!!bool, but no such value", "!!null 0": "!!null, but no such value",
		"!!float x": "!!float, but no such value", "!!binary aGk=": "tag !!binary, which means nothing", "!!timestamp 2026-01-01": "tag !!timestamp", "!custom x": "tag !custom",
		"!custom {b: 1}": "tag !custom", "!!set {b, c}": "tag !!set", "!!map [b]": "tag !!map", "!!seq {b: 1}": "tag !!seq", "!!map x": "tag !!map",
	} {
		if got := faults(read("a: " + text + "\n").Faults); len(got) != 1 || !strings.HasPrefix(got[0], "1:4 /a: ") &&
			!strings.HasPrefix(got[0], "1:1 /a: ") || !strings.Contains(got[0], want) {
			t.Errorf("%.50s: %v, want %s", text, got, want)
		}
	}
}

func TestTextIsReadByYAML12(t *testing.T) {
	for source, want := range map[string]string{
		"\ufeffa: b\n":                                    `{"a":"b"}`,
		"\ufeff{\"a\": \"b\"}":                            `{"a":"b"}`,
		"a: b\r\nc:\r\n- d\r\n":                           `{"a":"b","c":["d"]}`,
		"a: b\rc: d\r":                                    `{"a":"b","c":"d"}`,
		"a:\tb\t\nc: [1,\t2]\t# no\n":                     `{"a":"b","c":[1,2]}`,
		"a: x\u2028y\u2029z\u0085\nb: 1\n":                `{"a":"x\u2028y\u2029z` + "\u0085" + `","b":1}`,
		"a: \"x\u2028 y\"\n\"\u2029\": '\u0085'\n":        `{"a":"x\u2028 y","\u2029":"` + "\u0085" + `"}`,
		"a: |\n  x\u2028  y\n  \ue000\n":                  `{"a":"x\u2028  y\n` + "\ue000" + `\n"}`,
		"# \u2028: [\na: 1\n":                             `{"a":1}`,
		"%YAML 1.2\n---\na: no\n":                         `{"a":"no"}`,
		"# c\n%YAML 1.2 # c\n%TAG ! tag:x,1:\n--- {a: 1}": `{"a":1}`,
		"a: \"\\x41\\u00e9\\U0001F600\\/\\e\\N\\L\"\n":    `{"a":"Aé😀/\u001b` + "\u0085" + `\u2028"}`,
		"a: '\ufeffb'\n":                                  `{"a":"` + "\ufeff" + `b"}`,
		"a: &x {b: 1}\nc: *x\nd: [*x, *x]\n":              `{"a":{"b":1},"c":{"b":1},"d":[{"b":1},{"b":1}]}`,
		"a: &x b\n*x : c\n":                               `{"a":"b","b":"c"}`,
		"a: &x 1\nb: &x 2\nc: *x\n":                       `{"a":1,"b":2,"c":2}`,
		"\"<<\": 1\n":                                     `{"<<":1}`,
		"1: a\ntrue: b\n0x1: c\n~: d\n\"\": e\n":          `{"":"e","0x1":"c","1":"a","true":"b","~":"d"}`,
		"? a\n: b\n? c\n":                                 `{"a":"b","c":null}`,
		"{a, b: }\n":                                      `{"a":null,"b":null}`,
		"":                                                `null`,
		"\ufeff":                                          `null`,
		"# nothing\n":                                     `null`,
		"---\n...\n":                                      `null`,
		"a: 1\n...\n# the end\n":                          `{"a":1}`,
		"a: \x7f\u0080\U0001F600\n":                       "{\"a\":\"\x7f\u0080\U0001F600\"}",
		"- - - x\n":                                       `[[["x"]]]`,
		"'x\n%YAML 1.1'\n":                                `"x %YAML 1.1"`,
		"'it''s': \"two\n  lines\"\n":                     `{"it's":"two lines"}`,
		"7":                                               `7`,
		"{\"a\": \"\\ud83d\\ude00\"}":                     `{"a":"😀"}`,
	} {
		doc := read(source)
		got, err := yaml.JSON(doc.Value)
		if err != nil || len(doc.Faults) > 0 || string(got) != want {
			t.Errorf("%q is %s, want %s; %v, %v", source, got, want, faults(doc.Faults), err)
		}
	}
}

func TestFaultsHaveTheirLineAndColumn(t *testing.T) {
	nested := func(n int) string { return strings.Repeat("[", n) + strings.Repeat("]", n) }
	for source, want := range map[string]string{
		"a: 1\nb: 2\na: 3\n":                  "3:1 /a: is given twice; the first is on line 1",
		"{\"a\": 1,\n \"b\": 2,\n  \"a\": 3}": "3:3 /a: is given twice; the first is on line 1",
		"a:\n  1: x\n  \"1\": y\n":            "3:3 /a/1: is given twice; the first is on line 2",
		"a: &x b\n*x : 1\nb: 2\n":             "3:1 /b: is given twice; the first is on line 2",
		"{a: 1, a: 2}\n":                      "1:8 /a: is given twice; the first is on line 1",
		"a: 1\n<<: {b: 2}\n":                  "2:1 /<<: is a merge key, which YAML 1.2 does not have: write the entries out",
		"a: 1\n? [b]\n: 2\n":                  "2:3 : has a key that is not text; put a text that begins with {, [ or ? in quotes",
		"a: 1\n: 2\n":                         "2:1 : has no key before the colon; the empty one is \"\"",
		"a: 1\n!!int 2: 2\n":                  "2:1 : has a key with the tag !!int, which means nothing here",
		"a: 1\n---\nb: 2\n":                   "2:1 : begins a second document, and only one is allowed",
		"a: 1\n...\nb: 2\n":                   "3:1 : begins a second document, and only one is allowed",
		"a: 1\n---\nb: [\n":                   "4:1 : is not YAML: did not find expected node content",
		"a: 1\n\tb: 2\n":                      "2:1 : is not YAML: found a tab character that violates indentation while scanning a plain scalar that begins on line 1; indent with spaces, not with tabs",
		"a:\n\tb: 2\n":                        "2:1 : is not YAML: found character that cannot start any token; indent with spaces, not with tabs",
		"a: 1\r\nb: @\r\n":                    "2:4 : is not YAML: found character that cannot start any token; put the text in quotes",
		"a: 1\rb: @\r":                        "2:4 : is not YAML: found character that cannot start any token; put the text in quotes",
		"a: x\u2028y\u0085z\nb: @\n":          "2:4 : is not YAML: found character that cannot start any token; put the text in quotes",
		"a: [1,\n  2\nb: 3\n":                 "3:2 : is not YAML: did not find expected ',' or ']' while parsing a flow sequence that begins on line 1",
		"a: b: c\n":                           "1:5 : is not YAML: mapping values are not allowed in this context; put a text that holds a colon in quotes, and indent a key exactly like those beside it",
		"a: *none\n":                          "1:4 : is not YAML: unknown anchor 'none' referenced; put a text that begins with %, @, `, !, * or & in quotes",
		"a: &x [1,\n *x]\n":                   "2:2 /a/1: is an alias of a value that contains it",
		"%YAML 1.1\n---\na: yes\n":            "1:1 : is YAML 1.1; only YAML 1.2 is read here",
		"# c\n%YAML 1.3\n---\na: yes\n":       "2:1 : is YAML 1.3; only YAML 1.2 is read here",
		"a: 1\nb: \xff\n":                     "2:4 : is not valid UTF-8",
		"\n\n\xff":                            "3:1 : is not valid UTF-8",
		"a\r\n\r\n\xff":                       "3:1 : is not valid UTF-8",
		"a\r\r\xff":                           "3:1 : is not valid UTF-8",
		"\x07":                                "1:1 : holds the character U+0007, which YAML may not",
		"\n# c\n%YAML 1.1\n---\na: yes\n":     "3:1 : is YAML 1.1; only YAML 1.2 is read here",
		"a: @":                                "1:4 : is not YAML: found character that cannot start any token; put the text in quotes",
		"\na: {p: ^[0-9]{1,5}$}\n":            "2:9 : is not YAML: did not find expected ',' or '}'; put a text that holds [ or { in quotes",
		"b: 1\r\na: {p: ^[0-9]{1,5}$}\r\n":    "2:9 : is not YAML: did not find expected ',' or '}'; put a text that holds [ or { in quotes",
		"a: {p: ^[0-9]{1,5}$}" + strings.Repeat(" ", 980) + "\n": "1:9 : is not YAML: did not find expected ',' or '}'; put a text that holds [ or { in quotes",
		"a: {p: ^[0-9]{1,5}$}" + strings.Repeat(" ", 981) + "\n": "1:9 : is not YAML: did not find expected ',' or '}'",
		"\xff\xfea\x00:\x00 \x001\x00":                           "1:1 : is not valid UTF-8",
		"{\"a\":\n \"\xff\"}":                                    "2:3 : is not valid UTF-8",
		"a: é\nb: é\x00\n":                                       "2:5 : holds the character U+0000, which YAML may not",
		"a: \x07\n":                                              "1:4 : holds the character U+0007, which YAML may not",
		"a: 1\nb: \"\\0\"\n":                                     "2:4 /b: holds the character U+0000, which text may not contain",
		"{\"a\":\n \"\\u0000\"}":                                 "2:3 : holds half of a surrogate pair, or the character U+0000, which text may not contain",
		"{\"a\":\n \"\\ud83d\"}":                                 "2:3 : holds half of a surrogate pair, or the character U+0000, which text may not contain",
		"a: 1\nb: \"\\ud83d\\ude00\"\n":                          "2:7 : is not YAML: found invalid Unicode character escape code (beyond \\uFFFF, write the character itself or \\U0001F600)",
		"a: 1\n\ufeffb: 2\n":                                     "2:1 : has a key that holds the byte order mark U+FEFF; leave it out, or put the text in quotation marks",
		"a: 1\nb: !x\n  c\n":                                     "2:4 /b: has the tag !x, which means nothing here: put a text that begins with ! in quotes",
		"a: !has(x) && y\n":                                      "1:4 /a: has the tag !has(x), which means nothing here: put a text that begins with ! in quotes",
		"a: {p: ^[0-9]{1,5}$}\n":                                 "1:9 : is not YAML: did not find expected ',' or '}'; put a text that holds [ or { in quotes",
		"a: {t: Note: important}\n":                              "1:12 : is not YAML: did not find expected ',' or '}'; put a text that holds a colon in quotes",
		"a: {p: x in ['z']}\n":                                   "1:13 : is not YAML: did not find expected ',' or '}'; put a text that holds [ or { in quotes",
		"a:\n  - {k: a, c: #aabbcc }\n  - {k: b}\n":              "3:3 : is not YAML: did not find expected node content; on line 2, # begins a comment: put a text that holds it in quotes",
		"a: {k: b, \"x: y\": '#' c}\n":                           "1:23 : is not YAML: did not find expected ',' or '}'",
		"a: {k: 50%, d: %d}\n":                                   "1:16 : is not YAML: found character that cannot start any token; put the text in quotes",
		"a:\n" + nested(65) + "\n":                               "3:1 : is not YAML: could not find expected ':' while scanning a simple key that begins on line 2",
		"a:\n  " + nested(64) + "\n":                             "2:66 /a" + strings.Repeat("/0", 63) + ": is nested deeper than 64 levels",
		"a:\n  " + nested(9999) + "\n":                           "2:131 : is nested deeper than 64 levels",
		"{\"a\":\n " + nested(64) + "}":                          "2:65 /a" + strings.Repeat("/0", 63) + ": is nested deeper than 64 levels",
		"{\"a\":\n " + nested(9999) + "}":                        "2:65 /a" + strings.Repeat("/0", 63) + ": is nested deeper than 64 levels",
		"a: 1\n" + strings.Repeat("k", 2001) + ": 2\n":           "2:1 : holds a name that makes the path to it longer than 2000 bytes",
	} {
		if diff := cmp.Diff([]string{want}, faults(read(source).Faults)); diff != "" {
			t.Errorf("%.60q: %s", source, diff)
		}
	}
}

func TestAliasesAreExpandedWithinALimit(t *testing.T) {
	var laughs strings.Builder
	laughs.WriteString("a0: &a0 [x]\n")
	for i := range 30 {
		fmt.Fprintf(&laughs, "a%d: &a%d [%s]\n", i+1, i+1,
			strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*a%d, ", i), 9), ", "))
	}
	for _, limit := range []int{0, 500} {
		doc := yaml.Read([]byte(laughs.String()), yaml.Options{MaxNodes: limit})
		if len(doc.Faults) != 1 || doc.Value != nil ||
			!strings.Contains(doc.Faults[0].Message, "values, aliases expanded") {
			t.Errorf("%d: %v", limit, faults(doc.Faults))
		}
	}
}

// The limit counts values. One whose path is long counts as several.
func TestADocumentMayHaveAsManyValuesAsTheLimit(t *testing.T) {
	name := func(n int) string { return strings.Repeat("k", n) }
	var siblings []string
	for i := range 100 {
		siblings = append(siblings, fmt.Sprintf(`"%03d%s": 1`, i, name(96)))
	}
	for source, values := range map[string]int{
		"[1, 2, 3]": 4, `{"a": 1, "b": [2]}`: 4, "7": 1,
		`{"` + name(198) + `": 1}`: 2, `{"` + name(199) + `": 1}`: 3, `{"` + name(399) + `": 1}`: 4,
		`{"` + name(99) + `": {"` + name(99) + `": 1}}`: 4,
		`{"` + name(198) + `": [1]}`:                    4,
		"{" + strings.Join(siblings, ", ") + "}":        101,
		"[" + strings.Repeat("1, ", 40) + "1]":          42,
	} {
		for _, source := range []string{source, source + " # in YAML"} {
			if doc := yaml.Read([]byte(source), yaml.Options{MaxNodes: values}); len(doc.Faults) > 0 || doc.Value == nil {
				t.Errorf("%.80s: of %d values: %v", source, values, faults(doc.Faults))
			}
			if doc := yaml.Read([]byte(source), yaml.Options{MaxNodes: values - 1}); values > 1 &&
				(len(doc.Faults) != 1 || doc.Value != nil ||
					!strings.Contains(doc.Faults[0].Message, fmt.Sprintf("beyond the limit of %d values", values-1))) {
				t.Errorf("%.80s: of more than %d values: %v", source, values-1, faults(doc.Faults))
			}
		}
	}
}

func TestAPathHasABound(t *testing.T) {
	name := func(n int) string { return strings.Repeat("k", n) }
	for source, fits := range map[string]bool{
		`{"` + name(2000) + `": 1}`: true, `{"` + name(2001) + `": 1}`: false,
		`{"` + name(999) + `": {"` + name(1000) + `": 1}}`: true, `{"` + name(1000) + `": {"` + name(1000) + `": 1}}`: false,
	} {
		for _, source := range []string{source, source + " # in YAML"} {
			if doc := read(source); (len(doc.Faults) == 0) != fits {
				t.Errorf("%d bytes: %v", len(source), faults(doc.Faults))
			}
		}
	}
}

func TestTheNumberOfFaultsIsBounded(t *testing.T) {
	for n, want := range map[int]int{999: 999, 1000: 1000, 1001: 1000} {
		if doc := read("[" + strings.Repeat("!x y, ", n) + "]"); len(doc.Faults) != want {
			t.Errorf("of %d faults %d are listed", n, len(doc.Faults))
		}
	}
}

// Only the refused part is skipped.
func TestTheRestAfterARefusedPartIsRead(t *testing.T) {
	deep := strings.Repeat("[", 70) + strings.Repeat("]", 70)
	for _, refused := range []string{
		`"a": {"x": ` + deep + `}`, `"a": ` + deep, `"` + strings.Repeat("k", 2001) + `": {"x": [1]}`,
		`"` + strings.Repeat("k", 2001) + `": 1`,
	} {
		for _, doc := range []*yaml.Document{
			read("{" + refused + `, "b": 2}`), yaml.ReadJSON([]byte("{" + refused + `, "b": 2}`)),
		} {
			if got, _ := doc.Value.(map[string]any); got["b"] != json.Number("2") || len(doc.Faults) != 1 {
				t.Errorf("%.20s: b is %v; %v", refused, got["b"], faults(doc.Faults))
			}
		}
	}
}

func TestTextsAndKeysAreReplacedByTheOption(t *testing.T) {
	for _, source := range []string{`{"a": ["b", 1]}`, "a: [b, 1]\n"} {
		doc := yaml.Read([]byte(source), yaml.Options{Text: strings.ToUpper})
		if got, err := yaml.JSON(doc.Value); err != nil || string(got) != `{"A":["B",1]}` {
			t.Errorf("%s is %s, %v", source, got, err)
		}
	}
}

// JSON that is read without positions has the same values, and faults without lines.
func TestJSONIsReadWithoutPositions(t *testing.T) {
	for source, want := range map[string]string{
		`{"a": [1, "b\n", null], "c": {}}`: "", `"\ud7ff\ue000"`: "", `"\ud800\udc00\udbff\udfff"`: "", `"\\u0000"`: "",
		"\xff":           ": is not valid UTF-8",
		`{"a": 1,}`:      ": is not JSON: invalid character '}' looking for beginning of object key string (at byte 9)",
		`{"a"`:           ": is not JSON: unexpected end of JSON input (at byte 4)",
		`{"a":1,"a":2}`:  "/a: is given twice",
		`["a",1e1001]`:   "/1: is a number beyond 10 to the power of 1000",
		`"\u0000"`:       ": holds half of a surrogate pair, or the character U+0000, which text may not contain",
		`"\n\u0000"`:     ": holds half of a surrogate pair, or the character U+0000, which text may not contain",
		`"\udc00"`:       ": holds half of a surrogate pair, or the character U+0000, which text may not contain",
		`"\udfff"`:       ": holds half of a surrogate pair, or the character U+0000, which text may not contain",
		`"\ud800"`:       ": holds half of a surrogate pair, or the character U+0000, which text may not contain",
		`"\ud800 "`:      ": holds half of a surrogate pair, or the character U+0000, which text may not contain",
		`"\udbff\udbff"`: ": holds half of a surrogate pair, or the character U+0000, which text may not contain",
		`"\ud800\ue000"`: ": holds half of a surrogate pair, or the character U+0000, which text may not contain",
	} {
		doc := yaml.ReadJSON([]byte(source))
		got := ""
		for _, f := range doc.Faults {
			got += f.Path + ": " + f.Message
		}
		if got != want {
			t.Errorf("%s: %q, want %q", source, got, want)
		}
		if diff := cmp.Diff(read(source).Value, doc.Value); want == "" && diff != "" {
			t.Errorf("%s: %s", source, diff)
		}
	}
}

// A private character that the text does not use stands in for a separator.
func TestATextMayUsePrivateCharacters(t *testing.T) {
	var private []rune
	for c := '\ue000'; c <= '\uf8ff'; c++ {
		private = append(private, c)
	}
	for free, fits := range map[int]bool{0: false, 2: false, 3: true} {
		text := "\u0085\u2028\u2029" + string(private[free:])
		doc := read("a: 'x" + text + "'\n")
		got, _ := doc.Value.(map[string]any)
		if (got["a"] == "x"+text) != fits || (len(doc.Faults) == 0) != fits {
			t.Errorf("with %d free characters: %.100v", free, faults(doc.Faults))
		}
	}
}

func TestEveryValueHasAPosition(t *testing.T) {
	for _, source := range []string{"a:\n  - 1\n  - b: x\n", "{\"a\":\n [ 1,\n  {\"b\": 2}]}"} {
		doc := read(source)
		for path, want := range map[string]map[bool]yaml.Position{
			"":         {true: {1, 1}, false: {1, 1}},
			"/a":       {true: {1, 1}, false: {1, 2}},
			"/a/0":     {true: {2, 5}, false: {2, 4}},
			"/a/1":     {true: {3, 5}, false: {3, 3}},
			"/a/1/b":   {true: {3, 5}, false: {3, 4}},
			"/a/1/b/c": {true: {3, 5}, false: {3, 4}}, // of the value around it
			"/c":       {true: {1, 1}, false: {1, 1}},
		} {
			want := want[source[0] == 'a']
			if got := doc.PositionOf(path); got != want || doc.Root().Below(path) != want {
				t.Errorf("%q: %q is at %v, want %v", source, path, got, want)
			}
		}
	}
	if got := read("").PositionOf("/a"); got != (yaml.Position{Line: 1, Column: 1}) {
		t.Errorf("nothing is at %v", got)
	}
}

// withoutTwice reads JSON by its tokens, as encoding/json does, and reports whether all names are unique and all
// bounds are met.
func withoutTwice(d *json.Decoder, depth int) (any, bool) {
	token, err := d.Token()
	if err != nil || depth > yaml.MaxDepth {
		return nil, false
	}
	fits := true
	switch token := token.(type) {
	case json.Delim:
		if depth == yaml.MaxDepth {
			return nil, false
		}
		object, list := map[string]any{}, []any{}
		for d.More() {
			if token == '[' {
				item, ok := withoutTwice(d, depth+1)
				list, fits = append(list, item), fits && ok
				continue
			}
			name, _ := d.Token()
			_, twice := object[name.(string)]
			item, ok := withoutTwice(d, depth+1)
			object[name.(string)], fits = item, fits && ok && !twice
		}
		if _, err := d.Token(); err != nil {
			return nil, false
		}
		if token == '[' {
			return list, fits
		}
		return object, fits
	case json.Number:
		return token, yaml.NumberProblem(token) == ""
	}
	return token, true
}

// Every JSON document is YAML, and is read as encoding/json reads it. Conversely, the value of a document is JSON,
// and is the same when it is written and read again.
func FuzzJSONIsYAML(f *testing.F) {
	for _, source := range []string{
		`{"a": [1, -0.0e+10, 1E400, 12345678901234567890.123], "b": {"": null, "é": true}, "\u2028": "\ud83d\ude00\/"}`,
		"\t[\r\n1\r,\"a: b\", \"#\", \"\u2028\u0085\u007f\"]\n", `"x"`, `null`, ` 7`, `{"a": 1, "a": 2}`, "{\"a\"\n:\n1}", `{"<<": {"a": 1}, "1": 2}`,
		"a: &x [b, 0o17]\nc: *x\n", "? [a]\n: b", "- |\n  x\n- >+\n  y\n\n", "%YAML 1.2\n--- !!str 5\n...\n", "a: \"\\ud83d\"", "a: x\u2028y\n", "\ufeffa: 1\r\nb: 2",
	} {
		f.Add([]byte(source))
	}
	f.Fuzz(func(t *testing.T, source []byte) {
		doc := yaml.Read(source, yaml.Options{})
		for _, fault := range doc.Faults {
			if fault.Line < 1 || fault.Column < 1 ||
				fault.Line > 1+bytes.Count(source, []byte("\n"))+bytes.Count(source, []byte("\r")) ||
				fault.Message == "" {
				t.Fatalf("%q: %v", source, faults(doc.Faults))
			}
		}
		if json.Valid(source) {
			d := json.NewDecoder(bytes.NewReader(source))
			d.UseNumber()
			want, fits := withoutTwice(d, 0)
			if len(doc.Faults) == 0 && !reflect.DeepEqual(doc.Value, want) {
				t.Fatalf("%q is %#v, want %#v", source, doc.Value, want)
			}
			if text := strings.Join(faults(doc.Faults),
				"\n"); fits && text != "" && !strings.Contains(text, "surrogate") && !strings.Contains(text, "UTF-8") &&
				!strings.Contains(text, "longer than 2000") {
				t.Fatalf("%q: %s", source, text)
			}
		}
		if len(doc.Faults) > 0 {
			return
		}
		for _, write := range []func() ([]byte, error){
			doc.Root().JSON, doc.Root().Cut, func() ([]byte, error) { return yaml.JSON(doc.Value) },
		} {
			written, err := write()
			if err != nil {
				t.Fatal(err)
			}
			again := yaml.Read(written, yaml.Options{})
			if len(again.Faults) > 0 || !reflect.DeepEqual(doc.Value, again.Value) {
				t.Fatalf("%q is written as %s: %v", source, written, faults(again.Faults))
			}
		}
	})
}

func TestAPartIsCutOutOnItsLines(t *testing.T) {
	doc := read("x: &x\n  - 1\n# c\nitems:\n  - b: 1\n\n    a: {d: \"é\",\n      c: *x}\n  - 2\n")
	got, err := doc.Root().Member("items").Items()[0].Cut()
	if want := "\n\n\n\n{\"b\":1,\n\n\"a\":{\"d\":\"é\",\n\"c\":[1]}}"; err != nil || string(got) != want {
		t.Errorf("it is %q, want %q; %v", got, want, err)
	}
}
