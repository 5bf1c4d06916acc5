package api_test

import (
	"net/url"
	"slices"
	"strings"
	"testing"
)

// ids returns the ids of the cases of a list, all pages of limit cases.
func (w *world) ids(query, limit string) (ids []string) {
	w.t.Helper()
	for cursor := ""; ; {
		g := w.get("/v1/cases?limit="+limit+"&"+query+cursor).is(200, "").json()
		for _, item := range g["items"].([]any) {
			ids = append(ids, item.(map[string]any)["id"].(interface{ String() string }).String())
		}
		next, more := g["next"].(string)
		if !more {
			return ids
		}
		cursor = "&cursor=" + next
	}
}

func TestCasesAreListedByTheirTimes(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, w *world) {
		w.putTypes()
		var paths, want []string
		for range 3 {
			paths = append(paths, w.open(`{"client": "Ada", "amount": 10}`))
			want = append(want, strings.TrimPrefix(paths[len(paths)-1], "/v1/cases/"))
		}
		slices.Reverse(want)
		w.do("PATCH", paths[0], `{"data": {"amount": 11}}`).is(200, "")
		w.post(paths[1]+"/comments", `{"text": "Hello"}`).is(201, "")
		first := url.QueryEscape(w.get(paths[0]).is(200, "").text("created_at"))
		second := url.QueryEscape(w.get(paths[1]).is(200, "").text("created_at"))
		for query, want := range map[string][]string{
			"":                        want,
			"sort=-created":           want,
			"sort=created":            {want[2], want[1], want[0]},
			"sort=-modified":          {want[2], want[0], want[1]},
			"sort=-last_activity":     {want[1], want[2], want[0]},
			"sort=closed":             nil,
			"created_after=" + second: {want[0], want[1]},
			"created_after=" + first + "&created_before=" + second:                  {want[2]},
			"created_before=" + second + "&q=ada":                                   {want[2]},
			"sort=modified&type=loan&created_before=" + second:                      {want[2]},
			"last_activity_after=" + second + "&closed_before=2100-01-01T00:00:00Z": nil,
		} {
			for _, limit := range []string{"1", "2", "50"} {
				if got := w.ids(query, limit); !slices.Equal(got, want) {
					t.Errorf("%s: the cases are %v, want %v", query, got, want)
				}
			}
		}

		next := url.QueryEscape(w.get("/v1/cases?limit=1&sort=-modified").is(200, "").text("next"))
		for query, field := range map[string]string{
			"sort=modified&cursor=" + next: "query.cursor",
			"cursor=" + next:               "query.cursor",
			"sort=-modified&q=ada":         "query.sort",
			"sort=name":                    "query.sort",
			"modified_after=yesterday":     "query.modified_after",
			"closed_before=2026-01-31":     "query.closed_before",
			"created_after=2026-02-01T00:00:00Z&created_before=2026-01-31T00:00:00Z": "query.created_before",
		} {
			g := w.get("/v1/cases?" + query)
			if g.status < 400 || g.status >= 500 || !strings.Contains(string(g.body), `"path":"`+field+`"`) {
				t.Errorf("%s: %d %s; want a fault of %s", query, g.status, g.body, field)
			}
		}
	})
}

func TestASearchIsSortedByRelevance(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, w *world) {
		w.putTypes()
		paths := []string{
			w.open(`{"client": "Ada Lovelace", "amount": 10}`), w.open(`{"client": "Adamson", "amount": 10}`),
			w.open(`{"client": "Bo", "amount": 10}`), w.open(`{"client": "Charles", "amount": 10}`),
		}
		w.post(paths[2]+"/comments", `{"text": "Ada called."}`).is(201, "")
		var want []string
		for _, i := range []int{0, 2, 1} {
			want = append(want, strings.TrimPrefix(paths[i], "/v1/cases/"))
		}
		for _, limit := range []string{"1", "2", "50"} {
			if got := w.ids("sort=relevance&q=ada", limit); !slices.Equal(got, want) {
				t.Errorf("the cases are %v, want %v", got, want)
			}
		}
		next := url.QueryEscape(w.get("/v1/cases?limit=1&sort=relevance&q=ada").is(200, "").text("next"))
		w.open(`{"client": "Ada", "amount": 10}`)
		second := w.get("/v1/cases?limit=1&sort=relevance&q=ada&cursor="+next).is(200, "").json()["items"].([]any)
		if got := second[0].(map[string]any)["id"].(interface{ String() string }).String(); got != want[1] {
			t.Errorf("the second page has %s, want %s", got, want[1])
		}
		for query, field := range map[string]string{
			"sort=relevance": "query.sort", "sort=-relevance&q=ada": "query.sort", "q=ada&cursor=" + next: "query.cursor",
		} {
			g := w.get("/v1/cases?" + query)
			if g.status < 400 || g.status >= 500 || !strings.Contains(string(g.body), `"path":"`+field+`"`) {
				t.Errorf("%s: %d %s; want a fault of %s", query, g.status, g.body, field)
			}
		}
	})
}

func TestFacetsCountCases(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, w *world) {
		w.putTypes()
		for range 3 {
			w.open(`{"client": "Ada", "amount": 10}`)
		}
		w.post("/v1/case-types/note/cases", `{}`).is(201, "")
		w.post("/v1/labels", `{"slug": "vip", "name": "VIP"}`).is(201, "")
		one := w.open(`{"client": "Bo", "amount": 10}`)
		w.do("PUT", one+"/labels/vip", nil).is(200, "")
		for query, want := range map[string]string{
			"":         `{"cases":5,"complete":true,"type":[{"value":"loan","cases":4},{"value":"note","cases":1}]`,
			"?q=bo":    `{"cases":1,"complete":true,"type":[{"value":"loan","cases":1}]`,
			"?label=x": `{"cases":0,"complete":true,"type":[],"state":[],"label":[],"assignee":[]}`,
			"?label=vip&created_after=2026-01-01T00:00:00Z": `"label":[{"value":"vip","cases":1}],` +
				`"assignee":[{"value":"none","cases":1}]`,
		} {
			if g := w.get("/v1/cases/facets"+query).is(200, ""); !strings.Contains(string(g.body), want) {
				t.Errorf("%s: %s, want %s", query, g.body, want)
			}
		}
		refused := w.get("/v1/cases/facets?closed_after=now").is(400, "request.invalid")
		const want = `"message":"is not a time of RFC 3339, such as 2026-01-31T08:00:00Z"`
		if !strings.Contains(string(refused.body), want) {
			t.Errorf("a wrong time: %s", refused.body)
		}
	})
}

const invoice = `{"key": "invoice", "fields": {"type": "object", "properties": {
	"amount": {"type": "number", "indexed": true}, "client": {"type": "string", "indexed": true},
	"iban": {"type": "string", "indexed": true, "x-classification": "RESTRICTED"}, "note": {"type": "string"}}},
	"states": [{"key": "open"}], "transitions": [{"key": "create", "to": "open"}]}`

func TestCasesAreListedByIndexedFields(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, w *world) {
		w.do("PUT", "/v1/case-types/invoice", invoice).is(201, "")
		var all []string
		for _, data := range []string{
			`{"amount": 100, "client": "Ada"}`, `{"amount": 99.50, "client": "ADA"}`,
			`{"amount": 1e2, "client": "Bo"}`, `{}`,
		} {
			g := w.post("/v1/case-types/invoice/cases", `{"data": `+data+`}`).is(201, "")
			all = append(all, strings.TrimPrefix(g.header.Get("Location"), "/v1/cases/"))
		}
		for query, want := range map[string][]int{
			"sort=data.amount":                                  {1, 0, 2},
			"sort=-data.amount":                                 {2, 0, 1},
			"where=data.amount>=100":                            {2, 0},
			"where=data.amount%3C100":                           {1},
			"where=data.client=ada&sort=created":                {0, 1},
			"where=data.client=ada&where=data.amount>99.5":      {0},
			"where=data.amount>=1&q=bo":                         {2},
			"where=data.client=none&sort=data.amount&state=new": nil,
		} {
			for _, limit := range []string{"1", "2", "50"} {
				var got []int
				for _, id := range w.ids("type=invoice&"+query, limit) {
					got = append(got, slices.Index(all, id))
				}
				if !slices.Equal(got, want) {
					t.Errorf("%s: the cases are %v, want %v", query, got, want)
				}
			}
		}
		counted := w.get("/v1/cases/facets?type=invoice&where=data.amount=100").is(200, "").body
		if !strings.HasPrefix(string(counted), `{"cases":2,"complete":true`) {
			t.Errorf("facets: %s", counted)
		}
		lower := w.token(`{"name": "lower", "role": "viewer", "clearance": "PRIVATE"}`)
		for query, want := range map[string]string{
			"type=invoice&where=data.note=1":     `data.note is not an indexed field of invoice; it has data.amount, data.client"`,
			"type=invoice&where=data.iban=1":     `data.iban is not an indexed field of invoice; it has data.amount, data.client"`,
			"type=invoice&sort=data.iban":        `data.iban is not an indexed field of invoice; it has data.amount, data.client"`,
			"type=invoice&where=data.amount=ten": `data.amount is compared with a number such as 12.50`,
			"where=data.amount=1":                `needs the type that has the field: add type`,
			"type=other&sort=data.amount":        `is not the key of a case type`,
		} {
			g := w.get("/v1/cases?"+query, "Authorization", lower).is(422, "case.field_not_indexed")
			if !strings.Contains(string(g.body), want) {
				t.Errorf("%s: %s, want %s", query, g.body, want)
			}
		}
		w.get("/v1/cases?type=invoice&where=amount=1").is(400, "request.invalid")
		w.get("/v1/cases?type=invoice&where=data.amount").is(400, "request.invalid")
	})
}
