package casetype_test

import (
	"encoding/json"
	"errors"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/casehook/casehook/internal/casetype"
	"github.com/casehook/casehook/internal/fault"
)

func TestInterpolateFillsIn(t *testing.T) {
	data := decode(t, `{"s":"a {b}","n":1.50,"w":2e2,"t":true,"z":null,"l":["x",2,null],"o":{"p":"q","r":[1]}}`)
	who := casetype.Identity{ID: 42, Reference: "KYC-0042", Name: "Acme", State: "In review"}
	for template, want := range map[string]string{
		"":                          "",
		"plain":                     "plain",
		"{s}":                       "a {b}",
		"{n}/{w}/{t}/{z}/{q}/":      "1.5/200/true///",
		"{l}":                       "x, 2, ",
		"{o.p} {o.r} {o.x.y} {s.x}": "q 1  ",
		"{o}":                       "p: q, r: 1",
		"{case.id} {case.reference} {case.name} {case.state}": "42 KYC-0042 Acme In review",
		"{{s}} {{{s}}}": "{s} {a {b}}",
	} {
		got, err := casetype.Interpolate(template, data, who, nil, 1<<20)
		if err != nil || got != want {
			t.Errorf("%q became %q, %v; want %q", template, got, err, want)
		}
	}
	for _, template := range []string{"{", "}", "a {s", "{}", "{a b}", "{s}}", "{{s}", "{.a}", "{a.}"} {
		if got, err := casetype.Interpolate(template, data, who, nil, 1<<20); err == nil {
			t.Errorf("%q became %q, want it refused", template, got)
		}
	}
}

// The names inside free objects are written by clients, like the values.
func TestAllThatComesFromTheCaseIsEscaped(t *testing.T) {
	data := decode(t, `{"a":{"# b":["- c",-1]},"d":-2}`)
	got, err := casetype.Interpolate("# {a}|{d}|{case.reference}|{case.state}|{none}", data,
		casetype.Identity{Reference: "R-1", State: "#s"}, func(s string) string { return "<" + s + ">" }, 1<<20)
	if want := "# <# b: - c, -1>|<-2>|<R-1>|<#s>|<>"; err != nil || got != want {
		t.Errorf("got %q, %v; want %q", got, err, want)
	}
}

func TestACaseIsNamedOnOneLineOrByItsReference(t *testing.T) {
	kyc := example(t, "kyc.yaml")
	who := casetype.Identity{Reference: "KYC-0001"}
	for text, want := range map[string]string{
		`{"client_name":"Acme Corp"}`:      "Acme Corp",
		`{"client_name":" a\n\tb\u0007 "}`: "a b",
		`{"client_name":"  "}`:             "KYC-0001",
		`{}`:                               "KYC-0001",
		`{"client_name":"` + strings.Repeat("é", 300) + `"}`: strings.Repeat("é", 200),
	} {
		if got := kyc.FormatName(decode(t, text), who); got != want {
			t.Errorf("%s names the case %q, want %q", text, got, want)
		}
	}
}

func TestReferencesCount(t *testing.T) {
	for pattern, want := range map[string]string{
		"KYC-{seq:04}": "KYC-0042", "{seq}": "42", "{seq:01}/x": "42/x", "A{seq:012}": "A000000000042",
	} {
		ct, err := casetype.Parse("", []byte(strings.Replace(good, "name: Loan", "reference: '"+pattern+"'", 1)))
		if err != nil {
			t.Fatal(err)
		}
		if got := ct.FormatReference(42); got != want {
			t.Errorf("%s makes %q, want %q", pattern, got, want)
		}
	}
}

func TestAVariableStandsForTheBeginningOfAURL(t *testing.T) {
	environment := map[string]string{
		"CASEHOOK_VAR_BASE": "http://127.0.0.1:8080/base", "CASEHOOK_VAR_HOST": "example.com", "CASEHOOK_VAR_BEGINS": "Example.com:4000/base/", "CASEHOOK_VAR_SLASH": "https://example.com/", "CASEHOOK_VAR_BAD": "ftp://s3cret",
		"CASEHOOK_VAR_LOUD": "HTTPS://MÜNCHEN.example:443/a b/", "CASEHOOK_VAR_PORT": "https://s3cret:99999",
		"CASEHOOK_VAR_QUERY": "https://h/?key=s3cret", "CASEHOOK_VAR_USER": "https://s3cret@h", "CASEHOOK_VAR_SECRET": "s3cret", "HOME": "/root",
	}
	look := func(name string) (string, bool) { v, ok := environment[name]; return v, ok }
	for raw, want := range map[string]string{
		"https://example.com/a?ignore-warning=true":  "https://example.com/a?ignore-warning=true",
		"${CASEHOOK_VAR_BASE}/kyc":                   "http://127.0.0.1:8080/base/kyc",
		"${CASEHOOK_VAR_BASE}":                       "http://127.0.0.1:8080/base",
		"http://${CASEHOOK_VAR_HOST}/x":              "http://example.com/x",
		"https://${CASEHOOK_VAR_HOST}?x":             "https://example.com/?x",
		"http://${CASEHOOK_VAR_BEGINS}/x":            "http://example.com:4000/base/x",
		"${CASEHOOK_VAR_BASE}?x=$y":                  "http://127.0.0.1:8080/base?x=$y",
		"${CASEHOOK_VAR_SLASH}/a..b/.c":              "https://example.com/a..b/.c",
		"${CASEHOOK_VAR_SLASH}/a%2Fb;c=..d/...?x=..": "https://example.com/a%2Fb;c=..d/...?x=..",
		"${CASEHOOK_VAR_LOUD}/ü?a=b c":               "https://xn--mnchen-3ya.example/a%20b/%C3%BC?a=b%20c",
		"HTTPS://Example.com:443?a=b c":              "https://example.com/?a=b%20c",
	} {
		got, err := casetype.ExpandURL(raw, look)
		if err != nil || got != want {
			t.Errorf("%s became %q, %v", raw, got, err)
		}
	}
	for _, raw := range []string{
		"https://${HOME}/", "${CASEHOOK_VAR_NONE}/x", "${CASEHOOK_VAR_BAD}", "https://h/${CASEHOOK_VAR_BASE", "${}",
		"https://${CASEHOOK_VAR_BASE}/x", "http://${CASEHOOK_VAR_HOST}.mine.example/x", "http://me@${CASEHOOK_VAR_HOST}/x",
		"http://${CASEHOOK_VAR_HOST}:80/x", "http://${CASEHOOK_VAR_HOST}/../x", "http://${HOME}/x", "ftp://${CASEHOOK_VAR_HOST}/x",
		"https://mine.example/?s=${CASEHOOK_VAR_SECRET}", "https://mine.example/${CASEHOOK_VAR_SECRET}", "${CASEHOOK_VAR_SECRET}.mine.example/x",
		"${CASEHOOK_VAR_BASE}.mine.example/x", "${CASEHOOK_VAR_BASE}@mine.example/x", "${CASEHOOK_VAR_BASE}:80/x", "${CASEHOOK_VAR_BASE}${CASEHOOK_VAR_SECRET}",
		"${CASEHOOK_VAR_QUERY}/x", "${CASEHOOK_VAR_USER}/x", "${CASEHOOK_VAR_SECRET}", "${CASEHOOK_VAR_BASE}/../x", "${CASEHOOK_VAR_BASE}/a/%2e%2E/x", "${CASEHOOK_VAR_BASE}/%zz",
		"${CASEHOOK_VAR_BASE}/..%2fx", "${CASEHOOK_VAR_BASE}/a%2F..%2F..%2Fx", "${CASEHOOK_VAR_BASE}/..%5cx", "${CASEHOOK_VAR_BASE}/%2e%2e%5Cx",
		"${CASEHOOK_VAR_BASE}/..;x/y", "${CASEHOOK_VAR_BASE}/..%3bx/y", "${CASEHOOK_VAR_BASE}/.;/x", "${CASEHOOK_VAR_BASE}/%252e%252e/x",
		"${CASEHOOK_VAR_BASE}/..%252fx", "${CASEHOOK_VAR_BASE}/%25252525252e/x", "${CASEHOOK_VAR_BASE}/..%20/x", "${CASEHOOK_VAR_BASE}/..%2f%zz",
		"${CASEHOOK_VAR_PORT}/x", "https://h:99999/", "http://127.1/", `${CASEHOOK_VAR_BASE}/..\x`,
	} {
		if got, err := casetype.ExpandURL(raw, look); !errors.Is(err, fault.Upstream) ||
			strings.Contains(fault.As(err).Detail, "s3cret") {
			t.Errorf("%s became %q, %v; want it refused", raw, got, err)
		}
	}
}

// A template's text is bounded, and so is the memory allocated for it, however many and large its values are.
func TestATemplateStopsAtItsBudget(t *testing.T) {
	long := strings.Repeat("äb ", 300_000)
	var list []any
	object := map[string]any{}
	for i := range 50_000 {
		list = append(list, json.Number(strconv.Itoa(i)))
		object["k"+strconv.Itoa(i)] = "v"
	}
	data := map[string]any{"a": long, "l": list, "o": object, "n": map[string]any{"l": []any{object, list, long}}}
	for _, name := range []string{"a", "l", "o", "n"} {
		template := strings.Repeat("{"+name+"}", (64<<10)/3)
		for _, escape := range []func(string) string{nil, func(s string) string {
			return strings.ReplaceAll(s,
				"b", "\\b")
		}} {
			const limit = 100 << 10
			var text string
			var err error
			made := allocated(func() {
				text, err = casetype.Interpolate(template, data, casetype.Identity{},
					escape, limit)
			})
			if !errors.Is(err, casetype.ErrTooLong) || len(text) > limit || len(text) < limit-16 ||
				!utf8.ValidString(text) {
				t.Errorf("{%s}: %d bytes, %v", name, len(text), err)
			}
			if made > 24<<20 { // the template's parts are most of it
				t.Errorf("{%s}: %d MiB are allocated", name, made>>20)
			}
		}
	}
	exact, err := casetype.Interpolate("{a}", map[string]any{"a": "12345"}, casetype.Identity{}, nil, 5)
	if exact != "12345" || err != nil {
		t.Errorf("%q, %v: a text that fits is not cut", exact, err)
	}
}

// A name is made of the beginning of its template's result.
func TestANameTakesNoMoreThanItsBudget(t *testing.T) {
	definition := `{"key": "kyc", "name_template": "` + strings.Repeat("{a}",
		160) + `", "fields": {"type": "object", "properties": {"a": {"type": "string"}}},
		"states": [{"key": "open"}], "transitions": [{"key": "begin", "to": "open"}]}`
	typ, err := casetype.Parse("kyc.json", []byte(definition))
	if err != nil {
		t.Fatal(err)
	}
	data := map[string]any{"a": strings.Repeat("ann ", 200_000)}
	var name string
	made := allocated(func() { name = typ.FormatName(data, casetype.Identity{Reference: "R-1"}) })
	if !strings.HasPrefix(name, "ann ann") || len(name) > 200 {
		t.Errorf("it is called %q", name)
	}
	if made > 4<<20 {
		t.Errorf("%d MiB are allocated", made>>20)
	}
}

func TestACallbacksURLIsKeptInItsCanonicalForm(t *testing.T) {
	for raw, want := range map[string]string{
		"HTTPS://Example.com:443?a=b c": "https://example.com/?a=b%20c",
		"${CASEHOOK_VAR_X}/ü?b c":       "${CASEHOOK_VAR_X}/%C3%BC?b%20c",
		"${CASEHOOK_VAR_X}?b c":         "${CASEHOOK_VAR_X}?b%20c",
		"${CASEHOOK_VAR_X}":             "${CASEHOOK_VAR_X}",
		"http://${CASEHOOK_VAR_X}/ü":    "http://${CASEHOOK_VAR_X}/%C3%BC",
	} {
		ct, err := casetype.Parse("",
			[]byte(strings.Replace(good, "url: https://example.com/ask", "url: '"+raw+"'", 1)))
		if err != nil {
			t.Fatal(err)
		}
		if got := ct.Transitions[1].AboutToSubmit[0].URL; got != want {
			t.Errorf("%s is kept as %q, want %q", raw, got, want)
		}
		if again, err := casetype.Load(ct.JSON()); err != nil || string(again.JSON()) != string(ct.JSON()) {
			t.Errorf("%s: %v", raw, err)
		}
	}
}

func TestAStoredDefinitionLoadsWithAURLThatIsRefusedToday(t *testing.T) {
	old := `{"key":"k","states":[{"key":"s"}],"fields":{"type":"object","properties":{}},` +
		`"transitions":[{"key":"t","to":"s","about_to_submit":{"url":"https://h:99999/"}}]}`
	if _, err := casetype.Parse("", []byte(old)); err == nil || !strings.Contains(err.Error(), "1 to 65535") {
		t.Errorf("Parse accepts it: %v", err)
	}
	if _, err := casetype.Load([]byte(old)); err != nil {
		t.Error(err)
	}
}
