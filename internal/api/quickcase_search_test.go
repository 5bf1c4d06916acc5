package api_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const searchedType = `
key: Search
dialect: ccd
fields:
  type: object
  properties:
    name: { type: string, indexed: true }
    town: { type: string }
    amount: { type: number, indexed: true }
    limit: { x-casehook-type: number_text }
    day: { type: string, format: date, indexed: true }
    at: { x-casehook-type: date_time }
    paid: { x-casehook-type: yes_no }
    sides: { type: array, uniqueItems: true, items: { enum: [N, S, W] } }
    notes: { x-casehook-type: collection, items: { type: object, properties: { by: { type: string } } } }
    vehicle: { type: object, properties: { plate: { type: string } } }
    secret: { type: string, x-classification: RESTRICTED }
states: [{ key: Draft }, { key: Issued }]
transitions:
  - { key: create, to: Draft }
  - { key: issue, from: [Draft], to: Issued }
`

// searched starts a world with three cases, whose names are Ada, Bo and Cy.
func searched(t *testing.T) *world {
	t.Helper()
	t.Parallel()
	w := start(t)
	w.do("PUT", "/v1/case-types/Search", searchedType, "Content-Type", "application/yaml").is(201, "")
	for _, data := range []string{
		`{"name": "Ada", "town": "Bern", "amount": 12.5, "limit": "0012.50", "day": "2026-02-28", "paid": "Yes",
			"at": "2026-02-28T10:15:30", "sides": ["N", "S"], "notes": [{"value": {"by": "Cy"}}], "secret": "x"}`,
		`{"name": "Bo", "town": "bern", "amount": 9, "limit": 100, "day": "2026-03-01", "paid": "no",
			"at": "2026-03-01T00:00:00", "vehicle": {"plate": "B 1"}, "sides": []}`,
		`{"name": "Cy", "amount": 100, "town": ""}`,
	} {
		path := w.post("/v1/case-types/Search/cases", `{"data": `+data+`}`).is(201, "").header.Get("Location")
		if strings.HasPrefix(data, `{"name": "Cy"`) {
			w.post(path+"/transitions/issue", `{}`).is(200, "")
		}
	}
	return w
}

// search returns the names of the cases that a search finds, as "Ada Bo".
func (w *world) search(body string, header ...string) (names string, found map[string]any) {
	w.t.Helper()
	const path = "/quickcase/case-types/Search/cases/search?with-links=true&computed-fields=a,b"
	found = w.post(path, body, header...).is(200, "").json()
	for _, item := range found["results"].([]any) {
		names += fmt.Sprint(" ", item.(map[string]any)["data"].(map[string]any)["name"])
	}
	return strings.TrimSpace(names), found
}

// A search finds cases by a field that only some roles read, indexed or not, for those who have such a role.
func TestQuickCaseSearchesFieldsOfRoles(t *testing.T) {
	t.Parallel()
	w := start(t)
	w.do("PUT", "/v1/case-types/Search", searchedType+"access: { fields: { name: { read: [manager] } } }\n",
		"Content-Type", "application/yaml").is(201, "")
	w.post("/v1/case-types/Search/cases", `{"data": {"name": "Ada"}}`).is(201, "")
	const query = `{"query": {"equals": {"field": "data.name", "value": "Ada"}}}`
	reader := w.token(`{"name": "reader", "role": "manager"}`)
	if names, _ := w.search(query, "Authorization", reader); names != "Ada" {
		t.Errorf("who reads the field finds %q", names)
	}
	w.get("/v1/cases?type=Search&where=data.name=Ada", "Authorization", reader).is(422, "case.field_not_indexed")
	clerk := w.token(`{"name": "clerk", "role": "caseworker"}`)
	w.post("/quickcase/case-types/Search/cases/search", query, "Authorization", clerk).is(422, "quickcase.search_invalid")
}

func TestQuickCaseSearches(t *testing.T) {
	w := searched(t)
	for query, want := range map[string]string{
		`{}`: "Cy Bo Ada",
		`{"equals": {"field": "data.name", "value": "Ada"}}`:                                                                "Ada",
		`{"equals": {"field": "data.name", "value": "ada"}}`:                                                                "",
		`{"equals": {"field": "data.amount", "value": 12.50}}`:                                                              "Ada",
		`{"equals": {"field": "data.vehicle.plate", "value": "B 1"}}`:                                                       "Bo",
		`{"equals": {"field": "state", "value": "Issued"}}`:                                                                 "Cy",
		`{"equals": {"field": "state", "value": "Nothing"}}`:                                                                "",
		`{"equalsIgnoreCase": {"field": "data.town", "value": "BERN"}}`:                                                     "Bo Ada",
		`{"equalsAny": {"field": "data.name", "value": ["Ada", "Cy"]}}`:                                                     "Cy Ada",
		`{"equalsAnyIgnoreCase": {"field": "data.name", "value": ["ADA", "x"]}}`:                                            "Ada",
		`{"hasValue": {"field": "data.town", "value": true}}`:                                                               "Bo Ada",
		`{"hasValue": {"field": "data.sides", "value": false}}`:                                                             "Cy Bo",
		`{"is": {"field": "data.paid", "value": true}}`:                                                                     "Ada",
		`{"is": {"field": "data.paid", "value": false}}`:                                                                    "Bo",
		`{"contains": {"field": "data.sides", "value": "N"}}`:                                                               "Ada",
		`{"contains": {"field": "data.notes", "value": {"field": "by", "value": "Cy"}}}`:                                    "Ada",
		`{"contains": {"field": "data.notes", "value": {"field": "value.by", "value": "x"}}}`:                               "",
		`{"dateRange": {"field": "data.day", "value": {"from": "2026-03-01"}}}`:                                             "Bo",
		`{"dateRange": {"field": "data.day", "value": {"to": "2026-02-28"}}}`:                                               "Ada",
		`{"dateRange": {"field": "data.at", "value": {"from": "2026-02-28", "to": "2026-02-28"}}}`:                          "Ada",
		`{"greaterThan": {"field": "data.amount", "value": 9}}`:                                                             "Cy Ada",
		`{"greaterThanOrEquals": {"field": "data.amount", "value": 9}}`:                                                     "Cy Bo Ada",
		`{"lessThan": {"field": "data.limit", "value": "12.6"}}`:                                                            "Ada",
		`{"lessThanOrEquals": {"field": "data.day", "value": "2026-02-28"}}`:                                                "Ada",
		`{"lessThanOrEquals": {"field": "data.limit", "value": {"field": "data.amount"}}}`:                                  "Ada",
		`{"greaterThan": {"field": "created_on", "value": "2000-01-01"}}`:                                                   "Cy Bo Ada",
		`{"or": [{"equals": {"field": "data.name", "value": "Bo"}}, {"hasValue": {"field": "data.paid", "value": false}}]}`: "Cy Bo",
		`{"not": {"equals": {"field": "data.name", "value": "Bo"}}}`:                                                        "Cy Ada",
		`{"and": [{"equals": {"field": "state", "value": "Draft"}}, {"is": {"field": "data.paid", "value": true}}]}`:        "Ada",
		`{"equals": {"field": "state", "value": "Draft"}, "hasValue": {"field": "data.vehicle", "value": true}}`:            "Bo",
	} {
		if names, _ := w.search(`{"query": ` + query + `}`); names != want {
			t.Errorf("%s finds %q, want %q", query, names, want)
		}
	}
	for sort, want := range map[string]string{
		`[{"field": "data.amount", "direction": "asc"}]`:                                 "Bo Ada Cy",
		`[{"field": "data.limit", "direction": "desc"}]`:                                 "Bo Ada Cy",
		`[{"field": "data.paid"}, {"field": "data.name", "direction": "desc"}]`:          "Bo Ada Cy",
		`[{"field": "created_on"}]`:                                                      "Ada Bo Cy",
		`[{"field": "last_modified_on", "direction": "desc"}]`:                           "Cy Bo Ada",
		`[{"field": "state", "direction": "desc"}, {"field": "id", "direction": "asc"}]`: "",
	} {
		if names, _ := w.search(`{"sort": ` + sort + `}`); names != want && want != "" {
			t.Errorf("the order %s is %q, want %q", sort, names, want)
		}
	}
	names, found := w.search(`{"page": {"index": 2, "size": 2}}`)
	if names != "Ada" {
		t.Errorf("the second page has %q", names)
	}
	want := map[string]any{"count": json.Number("3"), "pages": json.Number("2"), "complete": true}
	if diff := cmp.Diff(want, found["total"]); diff != "" {
		t.Error(diff)
	}
	names, _ = w.search(`{"page": {"index": 2, "size": 1},
		"query": {"hasValue": {"field": "data.town", "value": true}}}`)
	if names != "Ada" {
		t.Errorf("the second page of what matches has %q", names)
	}
}

func TestQuickCaseRefusesSearches(t *testing.T) {
	w := searched(t)
	w.do("PUT", "/v1/case-types/Narrow", strings.Replace(searchedType, "key: Search", "key: Narrow", 1)+
		"access: { read: [manager] }\n", "Content-Type", "application/yaml").is(201, "")
	viewer := []string{"Authorization", "Bearer " +
		w.post("/v1/tokens", `{"name": "viewer", "role": "viewer", "clearance": "PUBLIC"}`).is(201, "").text("token")}
	at := func(key string) string { return "/quickcase/case-types/" + key + "/cases/search" }
	secret := `{"query": {"equals": {"field": "data.secret", "value": "x"}}}`
	if names, _ := w.search(secret); names != "Ada" {
		t.Errorf("who is cleared for it finds %q", names)
	}
	for name, g := range map[string]answer{
		"a field above the clearance": w.post(at("Search"), secret, viewer...),
		"its order":                   w.post(at("Search"), `{"sort": [{"field": "data.secret"}]}`, viewer...),
		"a comparison with it":        w.post(at("Search"), `{"query": {"equals": {"field": "data.name", "value": {"field": "data.secret"}}}}`, viewer...),
		"an unknown field":            w.post(at("Search"), `{"query": {"equals": {"field": "data.x", "value": 1}}}`),
		"an unknown word":             w.post(at("Search"), `{"query": {"like": {"field": "data.name", "value": 1}}}`),
		"a computed field":            w.post(at("Search"), `{"query": {"equals": {"field": ":age", "value": 1}}}`),
		"no value":                    w.post(at("Search"), `{"query": {"equals": {"field": "data.name"}}}`),
		"a range without bounds":      w.post(at("Search"), `{"query": {"dateRange": {"field": "data.day", "value": {}}}}`),
		"a range of texts":            w.post(at("Search"), `{"query": {"dateRange": {"field": "data.day", "value": {"from": "x"}}}}`),
		"a page from 0":               w.post(at("Search"), `{"page": {"index": 0}}`),
		"a direction":                 w.post(at("Search"), `{"sort": [{"field": "data.name", "direction": "up"}]}`),
		"too many criteria":           w.post(at("Search"), `{"query": {"or": [`+strings.Repeat(`{"is": {"field": "data.paid", "value": true}},`, 100)+`{}]}}`),
		"criteria in too many others": w.post(at("Search"), `{"query": `+strings.Repeat(`{"not": `, 30)+`{}`+strings.Repeat(`}`, 31)),
	} {
		if g.status != 422 || g.json()["details"] == nil {
			t.Errorf("%s: %d %s", name, g.status, g.body)
		}
	}
	w.post(at("Narrow"), `{}`, viewer...).is(404, "")
	w.post(at("nothing"), `{}`).is(404, "")
	w.post(at("Search"), `{}`, "Authorization", "").is(401, "")
	names, found := w.search(`{}`, viewer...)
	if names != "Cy Bo Ada" || strings.Contains(fmt.Sprint(found), "secret") {
		t.Errorf("a viewer finds %q: %v", names, found)
	}
}
