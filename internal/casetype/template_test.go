package casetype_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/casehook/casehook/internal/casetype"
	"github.com/casehook/casehook/internal/fault"
)

func TestInterpolateFillsIn(t *testing.T) {
	data := decode(t, `{"s":"a {b}","n":1.50,"t":true,"z":null,"l":["x",2,null],"o":{"p":"q","r":[1]}}`)
	who := casetype.Identity{ID: 42, Reference: "KYC-0042", Name: "Acme", State: "In review"}
	for template, want := range map[string]string{
		"":                          "",
		"plain":                     "plain",
		"{s}":                       "a {b}",
		"{n}/{t}/{z}/{q}/":          "1.50/true///",
		"{l}":                       "x, 2, ",
		"{o.p} {o.r} {o.x.y} {s.x}": "q 1  ",
		"{o}":                       "p: q, r: 1",
		"{case.id} {case.reference} {case.name} {case.state}": "42 KYC-0042 Acme In review",
		"{{s}} {{{s}}}": "{s} {a {b}}",
	} {
		got, err := casetype.Interpolate(template, data, who, nil)
		if err != nil || got != want {
			t.Errorf("%q became %q, %v; want %q", template, got, err, want)
		}
	}
	for _, template := range []string{"{", "}", "a {s", "{}", "{a b}", "{s}}", "{{s}", "{.a}", "{a.}"} {
		if got, err := casetype.Interpolate(template, data, who, nil); err == nil {
			t.Errorf("%q became %q, want it refused", template, got)
		}
	}
}

// The names inside free objects are written by clients, like the values.
func TestAllThatComesFromTheCaseIsEscaped(t *testing.T) {
	data := decode(t, `{"a":{"# b":["- c",-1]},"d":-2}`)
	got, err := casetype.Interpolate("# {a}|{d}|{case.reference}|{case.state}|{none}", data,
		casetype.Identity{Reference: "R-1", State: "#s"}, func(s string) string { return "<" + s + ">" })
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
	for pattern, want := range map[string]string{"KYC-{seq:04}": "KYC-0042", "{seq}": "42", "{seq:01}/x": "42/x", "A{seq:012}": "A000000000042"} {
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
		"CASEHOOK_VAR_BASE": "http://127.0.0.1:8080/base", "CASEHOOK_VAR_HOST": "example.com", "CASEHOOK_VAR_SLASH": "https://example.com/", "CASEHOOK_VAR_BAD": "ftp://s3cret",
		"CASEHOOK_VAR_QUERY": "https://h/?key=s3cret", "CASEHOOK_VAR_USER": "https://s3cret@h", "CASEHOOK_VAR_SECRET": "s3cret", "HOME": "/root",
	}
	look := func(name string) (string, bool) { v, ok := environment[name]; return v, ok }
	for raw, want := range map[string]string{
		"https://example.com/a?ignore-warning=true": "https://example.com/a?ignore-warning=true",
		"${CASEHOOK_VAR_BASE}/kyc":                  "http://127.0.0.1:8080/base/kyc",
		"${CASEHOOK_VAR_BASE}":                      "http://127.0.0.1:8080/base",
		"${CASEHOOK_VAR_BASE}?x=$y":                 "http://127.0.0.1:8080/base?x=$y",
		"${CASEHOOK_VAR_SLASH}/a..b/.c":             "https://example.com/a..b/.c",
	} {
		got, err := casetype.ExpandURL(raw, look)
		if err != nil || got != want {
			t.Errorf("%s became %q, %v", raw, got, err)
		}
	}
	for _, raw := range []string{
		"https://${HOME}/", "${CASEHOOK_VAR_NONE}/x", "${CASEHOOK_VAR_BAD}", "https://h/${CASEHOOK_VAR_BASE", "${}",
		"https://${CASEHOOK_VAR_HOST}/x", "https://mine.example/?s=${CASEHOOK_VAR_SECRET}", "https://mine.example/${CASEHOOK_VAR_SECRET}", "${CASEHOOK_VAR_SECRET}.mine.example/x",
		"${CASEHOOK_VAR_BASE}.mine.example/x", "${CASEHOOK_VAR_BASE}@mine.example/x", "${CASEHOOK_VAR_BASE}:80/x", "${CASEHOOK_VAR_BASE}${CASEHOOK_VAR_SECRET}",
		"${CASEHOOK_VAR_QUERY}/x", "${CASEHOOK_VAR_USER}/x", "${CASEHOOK_VAR_SECRET}", "${CASEHOOK_VAR_BASE}/../x", "${CASEHOOK_VAR_BASE}/a/%2e%2E/x", "${CASEHOOK_VAR_BASE}/%zz",
	} {
		if got, err := casetype.ExpandURL(raw, look); !errors.Is(err, fault.Upstream) || strings.Contains(fault.As(err).Detail, "s3cret") {
			t.Errorf("%s became %q, %v; want it refused", raw, got, err)
		}
	}
}
