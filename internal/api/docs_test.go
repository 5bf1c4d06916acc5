package api_test

import (
	"cmp"
	"encoding/json"
	"html"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/casehook/casehook/internal/casetype"
)

// The documentation needs no other site: no script, no font, no image from anywhere.
func TestTheDocumentationWorksOffline(t *testing.T) {
	t.Parallel()
	w := start(t)
	g := w.get("/docs", "Authorization", "").is(200, "")
	const strict = "default-src 'none'; script-src 'self'; style-src 'self'; base-uri 'none'; form-action 'none'; " +
		"frame-ancestors 'none'"
	if policy := g.header.Get("Content-Security-Policy"); policy != strict {
		t.Errorf("its policy is %s", policy)
	}
	page := string(g.body)
	for _, m := range regexp.MustCompile(`(?i)\b(?:src|href|action|srcset|data)\s*=\s*["']?([^"'\s>]*)`).
		FindAllStringSubmatch(page, -1) {
		target, isAnchor := strings.CutPrefix(m[1], "#")
		switch {
		case isAnchor && !strings.Contains(page, `id="`+target+`"`):
			t.Errorf("%s leads nowhere", m[0])
		case !isAnchor && !strings.HasPrefix(target, "/"):
			t.Errorf("%s leads outside", m[0])
		case !isAnchor:
			w.get(target, "Authorization", "").is(200, "")
		}
	}
	if strings.Count(page, "<script") != 1 || !strings.Contains(page, `<script src="/docs/search.js" defer></script>`) {
		t.Error("it has scripts besides its search")
	}
	for _, bad := range []string{"style=", "onclick", "ZgotmplZ", "{{", "&lt;nil"} {
		if strings.Contains(page, bad) {
			t.Errorf("it has %s", bad)
		}
	}
	for _, bad := range []string{"url(", "@import", "://"} {
		if strings.Contains(string(w.get("/docs/style.css").is(200, "").body), bad) {
			t.Errorf("its style has %s", bad)
		}
	}
	for _, d := range w.operations() {
		if !strings.Contains(page, `<article id="`+d.id+`">`) {
			t.Errorf("%s is not in it", d.id)
		}
	}
	for _, bad := range []string{"fetch(", "innerHTML", "eval("} {
		if strings.Contains(string(w.get("/docs/search.js").is(200, "").body), bad) {
			t.Errorf("its search has %s", bad)
		}
	}
}

var guidePages = []string{"definitions", "callbacks", "delivery"}

// The guides show definitions that the API accepts and valid JSON, and name existing operations.
func TestExamplesInTheGuidesAreRight(t *testing.T) {
	t.Parallel()
	w := start(t)
	index := string(w.get("/docs", "Authorization", "").is(200, "").body)
	for _, name := range guidePages {
		page := string(w.get("/docs/"+name, "Authorization", "").is(200, "").body)
		for _, m := range regexp.MustCompile(`href="([^"]*)"`).FindAllStringSubmatch(page, -1) {
			switch path, target, anchored := strings.Cut(m[1], "#"); {
			case strings.HasPrefix(path, "https://"): // a page to read
			case path == "" && !strings.Contains(page, `id="`+target+`"`), path == "/docs" && anchored &&
				!strings.Contains(index, `id="`+target+`"`):
				t.Errorf("%s: %s leads nowhere", name, m[1])
			case path != "":
				w.get(path, "Authorization", "").is(200, "")
			}
		}
		source, err := os.ReadFile(filepath.Join("docs", "guides", name+".md"))
		must(t, err)
		for _, m := range regexp.MustCompile("(?s)```(\\w+)\n(.*?)```").FindAllStringSubmatch(string(source), -1) {
			switch language, block := m[1], m[2]; language {
			case "json":
				if !json.Valid([]byte(block)) {
					t.Errorf("%s: this is no JSON:\n%s", name, block)
				}
			case "yaml":
				w.do("PUT", "/v1/case-types/event_permit", block, "Content-Type", "application/yaml").is(201, "")
			}
		}
		for _, m := range regexp.MustCompile(`(GET|POST|PUT|PATCH|DELETE) ["]?(?:\$URL)?(/v1/[^ `+"`"+`"?]*)`).
			FindAllStringSubmatch(string(source), -1) {
			if _, ok := w.operation(m[1], m[2]); !ok {
				t.Errorf("%s: there is no %s %s", name, m[1], m[2])
			}
		}
	}
	for _, m := range regexp.MustCompile("`(GET|POST|PUT|PATCH|DELETE) (/v1/[^ `?]*)").
		FindAllStringSubmatch(index, -1) {
		if _, ok := w.operation(m[1], m[2]); !ok {
			t.Errorf("there is no %s %s", m[1], m[2])
		}
	}
}

// Each condition in the guide compiles.
func TestTheConditionsOfTheGuideAreConditions(t *testing.T) {
	t.Parallel()
	source, err := os.ReadFile(filepath.Join("docs", "guides", "definitions.md"))
	must(t, err)
	_, table, _ := strings.Cut(string(source), "| write | to ask |")
	table, _, _ = strings.Cut(table, "\n\n")
	found := 0
	for line := range strings.Lines(table) {
		first, _, _ := strings.Cut(strings.ReplaceAll(strings.TrimPrefix(line, "|"), `\|`, "\x00"), "|")
		for _, m := range regexp.MustCompile("`([^`]+)`").FindAllStringSubmatch(first, -1) {
			condition := strings.ReplaceAll(m[1], "\x00", "|")
			if !strings.Contains(condition, "==") && !strings.Contains(condition, ">") &&
				!strings.Contains(condition, "<") {
				condition = "(" + condition + ") == (" + condition + ")"
			}
			found++
			raw, _ := json.Marshal(condition)
			definition := `{"key": "k", "fields": {"type": "object", "properties": {` +
				`"fee": {"type": "integer"}, "budget": {"type": "integer"}, "n": {"type": "integer"}, "kind": {"type": "string"}, ` +
				`"alcohol": {"type": "boolean"}, "tags": {"type": "array", "items": {"type": "string"}}, "title": {"type": "string"}, ` +
				`"ends_on": {"type": "string"}, "begins_on": {"type": "string"}, "inspected_at": {"type": "string"}, ` +
				`"stands": {"type": "array", "items": {"type": "object", "properties": {"area": {"type": "number"}}}}, ` +
				`"organiser": {"type": "object", "properties": {"address": {"type": "object", "properties": {"city": {"type": "string"}}}}}}}, ` +
				`"states": [{"key": "s"}], "transitions": [{"key": "create", "to": "s", "precondition": ` +
				string(raw) + `}]}`
			if _, err := casetype.Parse("guide.json", []byte(definition)); err != nil {
				t.Errorf("%s: %v", condition, err)
			}
		}
	}
	if found < 15 {
		t.Errorf("only %d conditions are found", found)
	}
}

// The API accepts the requests of the commands in the documentation.
func TestTheCommandsOfTheDocumentationSendWhatIsTaken(t *testing.T) {
	t.Parallel()
	w := start(t)
	page := html.UnescapeString(string(w.get("/docs", "Authorization", "").is(200, "").body))
	commands := regexp.MustCompile(`(?s)<pre>curl (?:-X (\w+) )?"\$URL([^"]*)"(.*?)</pre>`).
		FindAllStringSubmatch(page, -1)
	if i := strings.Index(page, `\u00`); i >= 0 {
		t.Errorf("a character is escaped for machines: %s", page[max(i-100, 0):i+20])
	}
	if len(commands) != len(w.operations()) {
		t.Errorf("%d commands are shown for %d operations", len(commands), len(w.operations()))
	}
	for _, m := range commands {
		d, ok := w.operation(cmp.Or(m[1], "GET"), m[2])
		if !ok {
			t.Errorf("there is no %s %s", m[1], m[2])
			continue
		}
		_, query, _ := strings.Cut(m[2], "?")
		values, err := url.ParseQuery(query)
		must(t, err)
		for name, all := range values {
			if strings.ContainsAny(strings.Join(all, ""), `[]"`) {
				t.Errorf("%s: %s is written as JSON: %v", d.id, name, all)
			}
		}
		sends := regexp.MustCompile(`(?s)-d '(.*)'`).FindStringSubmatch(m[3])
		if sends == nil {
			continue
		}
		schema, err := w.document.schema("/paths/" + pointerEscape.Replace(d.path) + "/" + strings.ToLower(d.method) +
			"/requestBody/content/" + pointerEscape.Replace("application/json") + "/schema")
		must(t, err)
		value, err := jsonschema.UnmarshalJSON(strings.NewReader(strings.ReplaceAll(sends[1], `'\''`, "'")))
		if err == nil {
			err = schema.Validate(value)
		}
		if err != nil {
			t.Errorf("%s: %s: %v", d.id, sends[1], err)
		}
	}
}
