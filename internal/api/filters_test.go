package api_test

import (
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// preview tries a filter, and returns how many messages matched and failed.
func (w *world) preview(filter, more string, header ...string) (matched, failed string, messages []any) {
	w.t.Helper()
	_, err := w.store.Sequence(w.t.Context()) // as a server does all the time
	must(w.t, err)
	g := w.get("/v1/filter-preview?filter="+url.QueryEscape(filter)+more, header...).is(200, "").json()
	matched, failed = g["matched"].(interface{ String() string }).String(), g["failed"].(interface{ String() string }).
		String()
	return matched, failed, g["messages"].([]any)
}

const priced = `{"key": "priced", "name_template": "{topic} {price}", "edit": "edit",
	"fields": {"type": "object", "properties": {"topic": {"type": "string"}, "price": {"type": "integer", "x-classification": "PRIVATE"}}},
	"states": [{"key": "open"}], "transitions": [{"key": "create", "to": "open"}, {"key": "edit", "from": ["open"]}]}`

func TestAFilterIsTriedOnWhatHappened(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, w *world) {
		w.do("PUT", "/v1/case-types/priced", priced).is(201, "")
		for _, data := range []string{`{"topic": "cheap", "price": 5}`, `{"topic": "dear", "price": 5000}`,
			`{"topic": "unknown"}`} {
			w.post("/v1/case-types/priced/cases", `{"transition": "create", "data": `+data+`}`).is(201, "")
		}
		matched, failed, messages := w.preview(`case.data.price > 1000`, "&triggers=case_created")
		if matched != "1" || failed != "1" || len(messages) != 3 {
			t.Errorf("%s matched, %s failed of %v", matched, failed, messages)
		}
		var outcomes []any
		for _, m := range messages {
			outcomes = append(outcomes, m.(map[string]any)["outcome"], m.(map[string]any)["reason"])
		}
		if diff := cmp.Diff([]any{"failed", "no such key: price", "matched", nil, "unmatched", nil},
			outcomes); diff != "" {
			t.Error(diff)
		}
		if matched, _, messages := w.preview(`true`, "&triggers=case_*&entries=1"); matched != "2" ||
			len(messages) != 2 {
			t.Errorf("of the newest entry, %s of %d matched", matched, len(messages))
		}

		// A preview can use an endpoint's triggers, filter and clearance.
		made := w.post("/v1/endpoints",
			`{"url": "https://a.example", "triggers": ["case_state_changed"],
				"clearance": "PUBLIC", "filter": "!has(case.data.price)"}`).is(201, "")
		of := "&endpoint=" + made.text("id")
		if matched, failed, messages := w.preview("", of); matched != "3" || failed != "0" || len(messages) != 3 {
			t.Errorf("as the endpoint, %s matched and %s failed of %v", matched, failed, messages)
		}
		// A caller with a lower clearance learns nothing by guessing filters.
		low := w.post("/v1/tokens", `{"name": "low", "role": "manager", "clearance": "PUBLIC"}`).is(201, "").
			text("token")
		for _, filter := range []string{`has(case.data.price)`, `case.name.contains("5000")`,
			`message.body.case_name.contains("5000")`, `"data/price" in message.changed`} {
			if matched, _, _ := w.preview(filter, "", "Authorization", "Bearer "+low); matched != "0" {
				t.Errorf("%s tells %s times what is hidden", filter, matched)
			}
		}
		wrong := w.get("/v1/filter-preview?filter="+url.QueryEscape(`case.stat == "open"`)).is(400, "filter.invalid")
		if !strings.Contains(string(wrong.body), `"path":"query.filter"`) ||
			!strings.Contains(string(wrong.body), "undefined field 'stat'") {
			t.Errorf("it says %s", wrong.body)
		}
		w.get("/v1/filter-preview?filter=true&endpoint=ep_x").is(404, "endpoint.not_found")
	})
}
