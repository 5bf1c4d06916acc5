package api_test

import (
	"encoding/json"
	"net/url"
	"strings"
	"testing"
)

func TestARefusedPatternSaysWhyAtItsFieldOnEverySurface(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, w *world) {
		endpoint := `{"url": "https://crm.example.com", "triggers": ["case_created"], "filter": FILTER}`
		made := w.post("/v1/endpoints", strings.Replace(endpoint, "FILTER", `"case.name.matches('^A')"`, 1)).
			is(201, "").text("id")
		definition := func(precondition, pattern string) string {
			text := strings.Replace(loan, "has(data.client)", precondition, 1)
			return strings.Replace(text, "{ type: string, maxLength: 40 }", "{ type: string, pattern: '"+pattern+"' }",
				1)
		}
		const lookahead = "it looks ahead or behind, which is not supported"
		filter := `case.name.matches("(?=A)")`
		quoted, _ := json.Marshal(filter)
		const inFilter = `has a pattern for matches() at line 1, column 19 that is not a regular expression that RE2 accepts: ` + lookahead + `: "(?="`
		for name, test := range map[string]struct {
			got           answer
			path, message string
		}{
			"a new endpoint": {
				w.post("/v1/endpoints", strings.Replace(endpoint, "FILTER", string(quoted), 1)).is(422, "endpoint.invalid"), "/filter", inFilter,
			},
			"a changed endpoint": {
				w.do("PATCH", "/v1/endpoints/"+made, `{"filter": `+string(quoted)+`}`).is(422, "endpoint.invalid"), "/filter", inFilter,
			},
			"a preview": {
				w.get("/v1/filter-preview?filter="+url.QueryEscape(filter)).is(400, "filter.invalid"), "query.filter", inFilter,
			},
			"a precondition": {
				w.do("PUT", "/v1/case-types/loan", definition("data.client.matches('(a)\\\\1')", ""), "Content-Type", "application/yaml").is(422, "case_type.invalid"),
				"/transitions/3/precondition",
				`has a pattern for matches() at line 1, column 21 that is not a regular expression that RE2 accepts: it refers back to a group, which is not supported: "\\1"`,
			},
			"a field": {
				w.do("PUT", "/v1/case-types/loan", definition("1 == 1", "a(?!b)"), "Content-Type", "application/yaml").is(422, "case_type.invalid"),
				"/fields/properties/client/pattern", "is not a valid regex: it looks ahead or behind, which is not supported here",
			},
		} {
			var problem struct {
				Fields []struct{ Path, Message string }
			}
			must(t, json.Unmarshal(test.got.body, &problem))
			if len(problem.Fields) != 1 || problem.Fields[0].Path != test.path ||
				!strings.Contains(problem.Fields[0].Message, test.message) {
				t.Errorf("%s: %s, want %s: %s", name, test.got.body, test.path, test.message)
			}
		}
	})
}

func TestTheDocumentNamesTheDialectsOfPatterns(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, w *world) {
		var document struct {
			Paths map[string]map[string]struct {
				Description string
				Parameters  []struct{ Name, Description string }
			}
			Components struct {
				Schemas map[string]struct {
					Properties map[string]struct{ Description string }
				}
			}
		}
		must(t, json.Unmarshal(w.get("/openapi.json").is(200, "").body, &document))
		put := document.Paths["/v1/case-types/{key}"]["put"]
		if text := put.Description; !strings.Contains(text, "ECMA-262") || !strings.Contains(text, "RE2") {
			t.Errorf("a definition: %q", text)
		}
		if text := document.Components.Schemas["Definition"].Properties["fields"].Description; !strings.Contains(text,
			"ECMA-262") {
			t.Errorf("the fields of a definition: %q", text)
		}
		filters := 0
		for name, schema := range document.Components.Schemas {
			if filter, has := schema.Properties["filter"]; has {
				if filters++; !strings.Contains(filter.Description, "RE2") {
					t.Errorf("%s: %q", name, filter.Description)
				}
			}
		}
		for path, operations := range document.Paths {
			for _, p := range operations["get"].Parameters {
				if p.Name == "filter" {
					if filters++; !strings.Contains(p.Description, "RE2") {
						t.Errorf("%s: %q", path, p.Description)
					}
				}
			}
		}
		if filters < 4 {
			t.Errorf("there are %d filters", filters)
		}
	})
}
