package api_test

import (
	"encoding/json"
	"strings"
	"testing"
)

var starting = []behaviour{
	{"S1", "", func(f family) {
		before := f.count()
		g := f.begin("", "create").is(200, "")
		f.parts("the start", g.body, map[string]any{"event_id": "create", "case_details.id": "-",
			"case_details.case_data": `{"reason":"resident","vehicle":{"electric":"No"}}`})
		f.answer("start", says(`{"data": {"reason": "carer"}}`))
		g = f.begin("", "create").is(200, "")
		f.parts("the start", g.body, map[string]any{"case_details.case_data": `{"reason":"carer"}`})
		f.question("start", map[string]any{"case_details.id": "-", "case_details.state": "-",
			"case_details.case_data": `{"reason":"resident","vehicle":{"electric":"No"}}`})
		if g.text("token") == "" || f.count() != before {
			f.t.Errorf("%d cases, %s", f.count(), g.body)
		}
		f.parts("a start without defaults", f.begin("", "bare").is(200, "").body,
			map[string]any{"case_details.case_data": "{}"})
	}},
	{"S2", "", func(f family) {
		path := f.created()
		f.answer("start", says(`{"data": {"resident": "Bo"}}`))
		g := f.begin(path, "amend").is(200, "")
		f.parts("the start", g.body, map[string]any{"case_details.case_data": `{"resident":"Bo"}`,
			"case_details.id": strings.TrimPrefix(path, "/cases/")})
		f.question("start", map[string]any{"case_details.case_data.resident": "Ada", "case_details.state": "Draft"})
		f.unchanged(path)
	}},
	{"S3", "", func(f family) {
		f.answer("start", says(`{"errors": ["No."]}`))
		g := f.begin("", "create")
		f.refused(g, 422, `["No."]`, "[]")
		f.parts("the answer", g.body, map[string]any{"token": "-"})
	}},
	{"S4", "", func(f family) {
		f.answer("start", says(`{"warnings": ["Paid."]}`))
		f.refused(f.begin("", "create"), 422, "[]", `["Paid."]`)
		f.begin("", "create?ignore-warning=true").is(200, "").text("token")
		if f.ccd {
			f.question("start", map[string]any{"ignore_warning": false})
		}
	}},
	{"S5", "", func(f family) {
		f.answer("start", says(`{"data": {"vehicle": {"plate": 7}}}`))
		f.wrong(f.begin("", "create"), "vehicle.plate")
	}},
	{"S6", "", func(f family) { f.refused(f.begin("", "amend"), 422, "[]", "[]") }},
	{"S7", "", func(f family) {
		for path, status := range map[string]int{
			"/case-types/nothing/event-triggers/create":      404,
			"/case-types/" + f.key + "/event-triggers/other": 404,
			f.created() + "/event-triggers/other":            404,
			"/cases/4539148803436468/event-triggers/amend":   400,
			"/cases/x/event-triggers/amend":                  400,
			"/cases/4539148803436467/event-triggers/amend":   404,
		} {
			f.refused(f.retold(f.world.get("/quickcase"+path)), status, "[]", "[]")
		}
	}},
	{"S8", "", func(f family) {
		f.begin(f.created(), "amend").is(200, "")
		f.question("start", map[string]any{"case_details.case_data.reason": nil,
			"case_details.case_data.vehicle": "{}", "case_details.case_data.notes": `[{"id":"1","value":"x"}]`})
		bare := "/cases/" + f.submit("", "bare", "").is(201, "").text("id")
		f.begin(bare, "amend").is(200, "")
		f.question("start", map[string]any{"case_details.case_data.notes": "[]"})
	}},
}

// wrong checks that an answer names the fields of wrong data.
func (f family) wrong(g answer, ids ...string) {
	f.t.Helper()
	g.is(422, "")
	details, _ := g.json()["details"].(map[string]any)
	all, _ := details["field_errors"].([]any)
	for i, id := range ids {
		if len(all) != len(ids) || all[i].(map[string]any)["id"] != id {
			f.t.Errorf("the wrong fields are not %s: %s", ids, g.body)
		}
	}
}

// leave leaves a page of a form.
func (f family) leave(page, members string) answer {
	f.t.Helper()
	return f.retold(f.world.post("/quickcase/case-types/"+f.key+"/validate?pageId="+page, "{"+members+"}"))
}

const creating = `"event": {"id": "create"}, `

var checking = []behaviour{
	{"M1", "", func(f family) {
		before := f.count()
		f.answer("page", says(`{"data": {"resident": "Bo", "count": 7}}`))
		g := f.leave("1", creating+`"data": {"resident": "Ada"}`).is(200, "")
		f.parts("the page", g.body, map[string]any{"data": `{"count":7,"resident":"Bo"}`})
		if f.count() != before {
			f.t.Error("a case was saved")
		}
	}},
	{"M2", "", func(f family) {
		for _, page := range []string{"", "2", "other"} {
			g := f.leave(page, creating+`"data": {"resident": "Ada"}`).is(200, "")
			f.parts("page "+page, g.body, map[string]any{"data": `{"resident":"Ada"}`})
		}
		f.wasAsked("page", 0)
	}},
	{"M3", "", func(f family) {
		path := f.created()
		f.leave("1", `"event": {"id": "amend"}, "data": {"reason": "x"}, "event_data": {"reason": "carer", "count": 2},
			"case_reference": "`+strings.TrimPrefix(path, "/cases/")+`"`).is(200, "")
		f.question("page", map[string]any{"case_details.case_data.resident": "Ada",
			"case_details.case_data.reason": "carer", "case_details.case_data.count": 2.0})
		if f.ccd {
			f.question("page", map[string]any{"case_details_before.case_data.resident": "Ada",
				"case_details_before.case_data.reason": "-"})
		}
		f.unchanged(path)
	}},
	{"M4", "", func(f family) {
		f.leave("1", creating+`"data": {"resident": "Ada", "reason": "x"}, "event_data": {"reason": "carer"}`).is(200, "")
		f.question("page", map[string]any{"case_details.case_data": `{"reason":"carer","resident":"Ada"}`})
		if f.ccd {
			f.question("page", map[string]any{"case_details_before": nil})
		}
	}},
	{"M5", "", func(f family) {
		f.answer("page", says(`{"errors": ["No."]}`))
		f.refused(f.leave("1", creating+`"data": {}`), 422, `["No."]`, "[]")
		f.answer("page", says(`{"warnings": ["Late."]}`))
		f.refused(f.leave("1", creating+`"data": {}`), 422, "[]", `["Late."]`)
		f.leave("1", creating+`"data": {}, "ignore_warning": true`).is(200, "")
		if f.ccd {
			f.question("page", map[string]any{"ignore_warning": false})
		}
	}},
	{"M6", "", func(f family) {
		f.refused(f.leave("1", `"data": {}`), 422, "[]", "[]")
		f.refused(f.retold(f.world.post("/quickcase/case-types/nothing/validate", `{"event": {"id": "create"}, "data": {}}`)),
			404, "[]", "[]")
	}},
}

var submitting = []behaviour{
	{"A1", "", func(f family) {
		g := f.submit("", "create", `"data": {"resident": "Ada"}`).is(201, "")
		f.question("create", map[string]any{"case_details_before": nil, "case_details.state": "Draft",
			"case_details.case_data.resident": "Ada"})
		var id any = g.text("id")
		if f.ccd {
			id = number(f.t, g.text("id"))
		}
		f.question("create", map[string]any{"case_details.id": id})
	}},
	{"A2", "", func(f family) {
		f.submit(f.created(), "decide", `"data": {"reason": "carer"}`).is(201, "")
		f.question("submit", map[string]any{"case_details.case_data.resident": "Ada", "case_details.state": "Issued",
			"case_details.case_data.reason": "carer", "case_details_before.state": "Draft",
			"case_details_before.case_data.resident": "Ada", "case_details_before.case_data.reason": "-"})
	}},
	{"A3", "", func(f family) {
		f.answer("submit", says(`{"data": {"resident": "Bo"}}`))
		g := f.submit(f.created(), "decide", `"data": {"reason": "carer"}`).is(201, "")
		f.parts("the case", g.body, map[string]any{"data": `{"resident":"Bo"}`})
	}},
	{"A4", "", func(f family) { f.accepted(says(`{}`)) }},
	{"A5", "", func(f family) {
		path := f.created()
		f.answer("submit", says(`{"data": {"vehicle": {"plate": 7}, "unknown": 1}}`))
		f.wrong(f.submit(path, "decide", ""), "unknown", "vehicle.plate")
		f.unchanged(path)
	}},
	{"A6", "ccd", func(f family) {
		f.answer("submit", says(`{"state": "Waiting"}`))
		f.submit(f.created(), "decide", "").is(201, "").has(members{"state": "Waiting"})
	}},
	{"A7", "", func(f family) {
		path := f.created()
		key := map[bool]string{true: "state", false: "override_state"}[f.ccd]
		f.answer("submit", says(`{"`+key+`": "Nowhere"}`))
		f.submit(path, "decide", "").is(422, "")
		f.unchanged(path)
	}},
	{"A8", "quickcase", func(f family) {
		f.answer("submit", says(`{"override_state": "Waiting"}`))
		f.submit(f.created(), "decide", "").is(201, "").has(members{"state": "Waiting"})
	}},
	{"A9", "ccd", func(f family) {
		f.answer("submit", says(`{"data": {}, "security_classification": "PRIVATE"}`),
			says(`{"security_classification": "PUBLIC"}`))
		f.submit(f.created(), "decide", "").is(201, "").has(members{"security_classification": "PRIVATE"})
		f.submit(f.created(), "decide", "").is(201, "").has(members{"security_classification": "PUBLIC"})
	}},
	{"A10", "ccd", func(f family) {
		for members, want := range map[string]any{
			`"ignore_warning": true`: true, `"ignore_warning": false`: false, "": nil,
		} {
			f.submit(f.created(), "decide", members).is(201, "")
			f.question("submit", map[string]any{"ignore_warning": want})
		}
	}},
	{"A11", "", func(f family) {
		f.answer("create", says(`{"warnings": ["Late."]}`))
		f.refused(f.submit("", "create", `"ignore_warning": true`), 422, "[]", `["Late."]`)
		f.submit("", "create", "?ignore-warning=true ").is(201, "")
		f.answer("submit", says(`{"warnings": ["Late."]}`))
		f.refused(f.submit(f.created(), "decide", "?ignore-warning=true "), 422, "[]", `["Late."]`)
	}},
	{"A12", "", func(f family) {
		f.answer("submit", says(`{"data": {"notes": [{"id": "7", "value": "a"}, {"value": "b"}, {"id": null, "value": "c"}]}}`))
		g := f.submit(f.created(), "decide", "").is(201, "")
		data, _ := g.json()["data"].(map[string]any)
		notes, _ := data["notes"].([]any)
		seen := map[any]bool{nil: true, "": true}
		for _, note := range notes {
			id := note.(map[string]any)["id"]
			if seen[id] {
				f.t.Errorf("an id is missing, or there twice: %s", g.body)
			}
			seen[id] = true
		}
		if len(notes) != 3 || !seen["7"] {
			f.t.Errorf("the notes are %v", notes)
		}
	}},
	{"A13", "", func(f family) {
		path := f.created()
		token := f.begin(path, "decide").is(200, "").text("token")
		f.submit(path, "note", `"data": {"notes": []}`).is(201, "")
		f.refused(f.send(path, "decide", token, ""), 409, "[]", "[]")
	}},
}

// number is a number as JSON holds it.
func number(t *testing.T, text string) float64 {
	t.Helper()
	var n float64
	must(t, json.Unmarshal([]byte(text), &n))
	return n
}

var confirming = []behaviour{
	{"U1", "", func(f family) {
		f.submit("", "create", "").is(201, "")
		f.question("created", map[string]any{"case_details.state": "Draft"})
	}},
	{"U2", "", func(f family) {
		f.answer("done", says(`{"confirmation_header": "# Saved", "confirmation_body": "Print it."}`))
		g := f.submit(f.created(), "decide", "").is(201, "")
		g.has(members{"callback_response_status": "CALLBACK_COMPLETED", "callback_response_status_code": "200"})
		f.parts("the case", g.body, map[string]any{
			"after_submit_callback_response": `{"confirmation_body":"Print it.","confirmation_header":"# Saved"}`})
	}},
	{"U3", "", func(f family) {
		f.submit("", "create", "?ignore-warning=true ").is(201, "")
		f.question("created", map[string]any{"case_details_before": nil})
		f.submit(f.created(), "decide", `"ignore_warning": true`).is(201, "")
		f.question("done", map[string]any{"case_details_before.state": "Draft", "case_details.state": "Issued"})
		if f.ccd {
			f.question("done", map[string]any{"ignore_warning": nil})
		}
	}},
	{"U4", "", func(f family) {
		f.answer("done", says(`{"data": {"resident": "Bo"}, "errors": ["No."]}`))
		g := f.submit(f.created(), "decide", "").is(201, "")
		f.parts("the case", g.body, map[string]any{"data.resident": "Ada"})
	}},
	{"U5", "", func(f family) {
		g := f.submit(f.created(), "decide", "").is(201, "")
		f.parts("the case", g.body, map[string]any{"after_submit_callback_response": nil,
			"callback_response_status": "CALLBACK_COMPLETED", "callback_error_message": nil})
	}},
	{"U6", "", func(f family) {
		g := f.submit(f.created(), "plain", "").is(201, "")
		f.parts("the case", g.body, map[string]any{"after_submit_callback_response": nil,
			"callback_response_status": nil, "callback_response_status_code": nil, "callback_error_message": nil})
	}},
}

var identifying = []behaviour{
	{"T1", "", func(f family) {
		f.refused(f.retold(f.world.post("/quickcase/case-types/"+f.key+"/cases", `{"event": {"id": "bare"}}`)), 400, "[]", "[]")
		f.refused(f.retold(f.world.post("/quickcase"+f.created()+"/events", `{"event": {"id": "decide"}}`)), 400, "[]", "[]")
	}},
	{"T2", "", func(f family) {
		path, other := f.created(), f.created()
		stranger := f.world.post("/v1/tokens", `{"name": "x", "role": "admin", "clearance": "RESTRICTED"}`).is(201, "").text("token")
		theirs := f.begin(path, "decide", "Authorization", "Bearer "+stranger).is(200, "").text("token")
		for what, token := range map[string]string{
			"event": f.begin(path, "note").text("token"), "case": f.begin(other, "decide").text("token"),
			"a creation": f.begin("", "bare").text("token"), "user": theirs, "nonsense": "x",
		} {
			if g := f.send(path, "decide", token, ""); g.status != 404 {
				f.t.Errorf("a token of another %s: %d", what, g.status)
			}
		}
		f.unchanged(path)
	}},
	{"T3", "", func(f family) {
		path := f.created()
		token := f.begin(path, "decide").is(200, "").text("token")
		for _, event := range []string{
			`"summary": "` + strings.Repeat("x", 1025) + `"`, `"description": "` + strings.Repeat("x", 65_537) + `"`,
		} {
			g := f.retold(f.world.post("/quickcase"+path+"/events",
				`{"event": {"id": "decide", `+event+`}, "event_token": "`+token+`"}`))
			f.refused(g, 422, "[]", "[]")
		}
		f.unchanged(path)
	}},
	{"F1", "", func(f family) { f.wrong(f.submit("", "bare", `"data": {"Resident": "Ada"}`), "Resident") }},
	{"F2", "", func(f family) {
		path := f.created()
		f.submit(path, "note", `"data": {"resident": "Ada", "notes": [{"id": "1", "value": "y"}]}`).is(201, "")
		f.submit(path, "note", `"data": {"resident": "Bo", "notes": []}`).is(404, "")
	}},
	{"F3", "", func(f family) {
		g := f.submit("", "bare", `"data": {"fee": "0000.10", "vehicle": {"plate": "A"}, "reason": "x"}`).is(201, "")
		f.parts("the case", g.body, map[string]any{"data.fee": "0000.10"})
		g = f.submit("/cases/"+g.text("id"), "decide", "").is(201, "")
		f.parts("the case", g.body, map[string]any{"data.fee": "0000.10"})
		if !strings.Contains(string(f.last("submit").raw), `"0000.10"`) {
			f.t.Errorf("the callback got %s", f.last("submit").raw)
		}
	}},
}
