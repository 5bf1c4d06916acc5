package api_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/casehook/casehook/internal/api"
	"github.com/casehook/casehook/internal/api/quickcase"
)

// permitOfQuickCase has what the routes of QuickCase's client need: callbacks, and a transition that lists one field.
const permitOfQuickCase = `
key: ParkingPermit
dialect: ccd
jurisdiction: TOWN
fields:
  type: object
  properties:
    resident: { type: string }
    reason: { type: string }
    notes: { type: array, items: { type: object } }
    vehicle: { type: object, properties: { plate: { type: string } } }
states: [{ key: Draft }, { key: Issued }]
transitions:
  - key: createPermit
    to: Draft
    defaults: { reason: resident }
    about_to_start: { url: "${CASEHOOK_VAR_CALLBACKS}/start", retries: [] }
    submitted: { url: "${CASEHOOK_VAR_CALLBACKS}/done", retries: [] }
    pages: [{ key: "1", mid_event: { url: "${CASEHOOK_VAR_CALLBACKS}/page", retries: [] } }]
  - { key: addNote, from: [Draft], fields: [notes] }
  - { key: decide, from: [Draft], to: Issued, about_to_submit: { url: "${CASEHOOK_VAR_CALLBACKS}/decide", retries: [] } }
`

// quickCase starts a world with the permit, and says where its routes are.
func quickCase(t *testing.T) *world {
	t.Helper()
	t.Parallel()
	w := start(t, func(c *api.Config) { c.MaxBody = 4 << 20 })
	w.do("PUT", "/v1/case-types/ParkingPermit", permitOfQuickCase, "Content-Type", "application/yaml").is(201, "")
	w.answers(200, "")
	return w
}

// started starts a creation or an event, and returns the token.
func (w *world) started(path string) string {
	w.t.Helper()
	return w.get("/quickcase"+path).is(200, "").text("token")
}

// createdPermit creates a permit, and returns its path.
func (w *world) createdPermit() string {
	w.t.Helper()
	token := w.started("/case-types/ParkingPermit/event-triggers/createPermit")
	made := w.post("/quickcase/case-types/ParkingPermit/cases",
		`{"data": {"resident": "Ada", "reason": "resident"}, "event": {"id": "createPermit"},
			"event_token": "`+token+`"}`)
	return "/cases/" + made.is(201, "").text("id")
}

func TestQuickCaseStartsAndSubmits(t *testing.T) {
	w := quickCase(t)
	w.answers(200, `{"data": {"resident": "Ada", "reason": "carer"}}`)
	begun := w.get("/quickcase/case-types/ParkingPermit/event-triggers/createPermit").is(200, "").json()
	details := begun["case_details"].(map[string]any)
	if data := details["case_data"].(map[string]any); data["reason"] != "carer" || details["id"] != nil {
		t.Errorf("S1: %v", begun)
	}
	w.answers(200, `{"confirmation_header": "# Saved", "confirmation_body": "Print it."}`)
	made := w.post("/quickcase/case-types/ParkingPermit/cases", `{"data": {"resident": "Ada"}, "unknown": 1,
		"event": {"id": "createPermit", "summary": "s"}, "event_token": "`+begun["token"].(string)+`"}`).is(201, "")
	made.has(members{"case_type": "ParkingPermit", "jurisdiction": "TOWN", "state": "Draft",
		"callback_response_status": "CALLBACK_COMPLETED", "callback_response_status_code": "200"})
	said, _ := made.json()["after_submit_callback_response"].(map[string]any)
	if said["confirmation_header"] != "# Saved" {
		t.Errorf("U2: %v", said)
	}
	path := "/cases/" + made.text("id")
	got := w.get("/quickcase"+path+"?with-links=true").is(200, "").json() // C1
	for _, key := range []string{
		"callback_response_status", "after_submit_callback_response", "callback_error_message",
	} {
		if value, has := got[key]; !has || value != nil {
			t.Errorf("U6: %s is %v", key, value)
		}
	}
	token := w.started(path + "/event-triggers/addNote")
	noted := w.post("/quickcase"+path+"/events", `{"data": {"resident": "Ada", "notes": [{"value": "Hello"}]},
		"event": {"id": "addNote"}, "event_token": "`+token+`"}`).is(201, "") // C3 and F2
	if notes, _ := noted.json()["data"].(map[string]any)["notes"].([]any); len(notes) != 1 {
		t.Errorf("C3: %s", noted.body)
	}
	if !strings.Contains(string(w.get("/v1"+path+"/history").is(200, "").body), `"summary":"s"`) {
		t.Error("C8: the summary is not in the history")
	}
}

func TestQuickCaseAnswersErrorsInItsShape(t *testing.T) {
	w := quickCase(t)
	path := w.createdPermit()
	refused := func(name string, g answer, status int) map[string]any {
		t.Helper()
		if g.status != status {
			t.Errorf("%s: status %d, want %d: %s", name, g.status, status, g.body)
		}
		body := g.json()
		for _, key := range []string{"exception", "timestamp", "status", "error", "message", "path", "details",
			"callbackErrors", "callbackWarnings"} {
			if _, has := body[key]; !has {
				t.Errorf("%s: the answer has no %s: %s", name, key, g.body)
			}
		}
		return body
	}
	q := func(p string) string { return "/quickcase" + p }
	creation := q("/case-types/ParkingPermit/cases")
	start := q("/case-types/ParkingPermit/event-triggers/")
	refused("S6", w.get(start+"addNote"), 422)
	refused("S7, C5: event", w.get(start+"nothing"), 404)
	refused("S7: type", w.get(q("/case-types/nothing/event-triggers/createPermit")), 404)
	refused("S7: malformed id", w.get(q("/cases/4539148803436468/event-triggers/decide")), 400)
	refused("S7: unknown case", w.get(q("/cases/4539148803436467/event-triggers/decide")), 404)
	refused("T1", w.post(creation, `{"event": {"id": "createPermit"}}`), 400)
	refused("T2", w.post(creation, `{"event": {"id": "createPermit"}, "event_token": "x"}`), 404)
	refused("M6", w.post(q("/case-types/ParkingPermit/validate"), `{"data": {}}`), 422)
	refused("M6", w.post(q("/case-types/nothing/validate"), `{"event": {"id": "createPermit"}}`), 404)
	token := w.started(path + "/event-triggers/decide")
	other := w.started(path + "/event-triggers/addNote")
	refused("T2: event", w.post(q(path+"/events"), `{"event": {"id": "decide"}, "event_token": "`+other+`"}`), 404)
	refused("F2", w.post(q(path+"/events"),
		`{"data": {"resident": "Bo"}, "event": {"id": "addNote"}, "event_token": "`+other+`"}`), 404)
	event := `{"event": {"id": "decide"}, "event_token": "` + token + `"`
	w.answers(200, `{"errors": ["No."], "warnings": ["Hm."]}`)
	body := refused("G12", w.post(q(path+"/events"), event+`, "ignore_warning": true}`), 422)
	if list, _ := body["callbackErrors"].([]any); len(list) != 1 || list[0] != "No." || body["details"] != nil {
		t.Errorf("C6: %v", body)
	}
	w.answers(200, `{"data": {"vehicle": {"plate": 7}}}`)
	body = refused("A5", w.post(q(path+"/events"), event+`}`), 422)
	fields, _ := body["details"].(map[string]any)["field_errors"].([]any)
	if first, _ := fields[0].(map[string]any); len(fields) != 1 || first["id"] != "vehicle.plate" {
		t.Errorf("the fields are %v", fields)
	}
	w.answers(200, "")
	refused("F1", w.post(creation, `{"data": {"Resident": "x"}, "event": {"id": "createPermit"}, "event_token": "`+
		w.started("/case-types/ParkingPermit/event-triggers/createPermit")+`"}`), 422)
	refused("T3", w.post(q(path+"/events"), `{"event": {"id": "decide", "summary": "`+strings.Repeat("x", 1025)+
		`"}, "event_token": "`+token+`"}`), 422)
	w.post(q(path+"/events"), event+`}`).is(201, "")
	refused("A13", w.post(q(path+"/events"), event+`}`), 409)
	refused("an unknown path", w.get(q("/nothing")), 404)
	refused("another method", w.do("DELETE", q(path), ""), 404)
	w.person("ada@example.org", "caseworker")
	refused("a session", w.get(start+"createPermit", "Authorization", "", "Cookie", w.signIn("ada@example.org")), 401)
	refused("Client-Context", w.post(q(path+"/events"), event+`}`, "Client-Context", "x"), 400)
	refused("many values", w.post(creation, `{"data": {"notes": [`+strings.Repeat("0,", 1_000_000)+`0]},
		"event": {"id": "createPermit"}, "event_token": "x"}`), 400)
	refused("nobody", w.get(q(path), "Authorization", ""), http.StatusUnauthorized)
	viewer := w.post("/v1/tokens", `{"name": "viewer", "role": "viewer"}`).is(201, "").text("token")
	refused("C9", w.post(creation, `{"event": {"id": "createPermit"}, "event_token": "`+token+`"}`,
		"Authorization", "Bearer "+viewer), http.StatusForbidden)
}

func TestQuickCaseChecksPages(t *testing.T) {
	w := quickCase(t)
	path := w.createdPermit()
	validate := func(body string, status int) answer {
		t.Helper()
		return w.post("/quickcase/case-types/ParkingPermit/validate?pageId=1", body).is(status, "")
	}
	w.answers(200, `{"data": {"resident": "Bo"}}`)
	g := validate(`{"data": {"resident": "Ada"}, "event": {"id": "createPermit"}}`, 200)
	if data, _ := g.json()["data"].(map[string]any); data["resident"] != "Bo" {
		t.Errorf("M1: %s", g.body)
	}
	g = validate(`{"data": {"reason": "x"}, "event": {"id": "addNote"}, "case_reference": `+strip("/v1"+path)+`}`, 200)
	if data, _ := g.json()["data"].(map[string]any); data["reason"] != "x" || len(data) != 1 {
		t.Errorf("M2: %s", g.body)
	}
	w.answers(200, `{"warnings": ["Hm."]}`)
	validate(`{"event": {"id": "createPermit"}}`, 422)
	validate(`{"event": {"id": "createPermit"}, "ignore_warning": true}`, 200)
}

const applied = `
key: Applied
dialect: ccd
fields:
  type: object
  properties:
    resident: { type: string }
    count: { type: number }
    zone: { type: string }
    kind: { type: string }
    notes: { x-casehook-type: collection, items: { type: string } }
access: { fields: { zone: { create: [admin] } } }
states: [{ key: Draft }]
transitions:
  - key: apply
    to: Draft
    fields: [resident, zone]
    defaults: { kind: car }
    about_to_start: { url: "${CASEHOOK_VAR_CALLBACKS}/start", retries: [] }
  - { key: note, from: [Draft], about_to_submit: { url: "${CASEHOOK_VAR_CALLBACKS}/note", retries: [] } }
`

func TestC7AndA12WhatCallbacksPutInIsSaved(t *testing.T) {
	w := quickCase(t)
	w.do("PUT", "/v1/case-types/Applied", applied, "Content-Type", "application/yaml").is(201, "")
	worker := []string{"Authorization", "Bearer " +
		w.post("/v1/tokens", `{"name": "worker", "role": "caseworker"}`).is(201, "").text("token")}
	w.answers(200, `{"data": {"count": 1.50, "zone": "B", "kind": "car"}}`)
	const types = "/quickcase/case-types/Applied"
	token := w.get(types+"/event-triggers/apply", worker...).is(200, "").text("token")
	submit := func(data string) answer {
		body := `{"data": ` + data + `, "event": {"id": "apply"}, "event_token": "` + token + `"}`
		return w.post(types+"/cases", body, worker...)
	}
	made := submit(`{"resident": "Ada", "count": 1.5, "zone": "B", "kind": "car"}`).is(201, "")
	want := map[string]any{"resident": "Ada", "count": json.Number("1.5"), "zone": "B", "kind": "car"}
	if diff := cmp.Diff(want, made.json()["data"]); diff != "" {
		t.Errorf("C7: %s", diff)
	}
	submit(`{"resident": "Ada", "count": 2}`).is(404, "case.fields_not_allowed")
	submit(`{"resident": "Ada", "zone": "C"}`).is(404, "case.fields_not_allowed")
	submit(`{"resident": "Ada", "kind": null}`).is(201, "")

	w.answers(200, `{"data": {"notes": [{"value": "new"}, {"id": "7", "value": "old"}]}}`)
	path := "/quickcase/cases/" + made.text("id")
	token = w.get(path+"/event-triggers/note", worker...).is(200, "").text("token")
	noted := w.post(path+"/events", `{"event": {"id": "note"}, "event_token": "`+token+`"}`, worker...).is(201, "")
	notes, _ := noted.json()["data"].(map[string]any)["notes"].([]any)
	var ids []string
	for _, note := range notes {
		ids = append(ids, fmt.Sprint(note.(map[string]any)["id"]))
	}
	if len(ids) != 2 || len(ids[0]) != 36 || ids[1] != "7" {
		t.Errorf("A12: the ids are %q", ids)
	}
}

func TestTheRoutesOfQuickCaseHaveAPrefixOfTheirOwn(t *testing.T) {
	t.Parallel()
	w := start(t, func(c *api.Config) { c.QuickCasePrefix = "/data.store/v2" })
	w.get("/data.store/v2/cases/4539148803436467").is(404, "case.not_found")
	w.get("/quickcase/cases/4539148803436467").is(404, "route.not_found")
	for prefix, fits := range map[string]bool{
		"/quickcase": true, "/data.store/v2": true, "": false, "/": false, "quickcase": false, "/a/": false, "/a//b": false,
		"/v1": false, "/cases/x": false, "/..": false, "/{id}": false,
	} {
		if problem := quickcase.PrefixProblem(prefix); (problem == "") != fits {
			t.Errorf("%q: %q", prefix, problem)
		}
	}
}

const definedType = `
key: Defined
dialect: ccd
jurisdiction: TOWN
roles: { officer: {} }
role_map: { officer: [manager] }
fields:
  type: object
  properties:
    plate: { title: Number plate, type: string, maxLength: 9 }
    kind: { enum: [car, van], x-labels: { van: A van } }
    parts: { x-casehook-type: collection, items: { $ref: "#/$defs/Part" } }
    secret: { type: string, x-classification: RESTRICTED }
  $defs:
    Part: { type: object, properties: { size: { x-casehook-type: number_text }, in: { $ref: "#/$defs/Part" } } }
access: { fields: { plate: { update: [officer] } } }
states: [{ key: Draft }, { key: Done }]
transitions:
  - { key: create, to: Draft, pages: [{ key: "1", fields: [{ name: plate, use: mandatory }, { name: secret }] }] }
  - { key: decide, from: "*", fields: [kind], to: [{ when: 'data.kind == "car"', state: Done }, { state: Draft }] }
`

func TestQuickCaseReadsDefinitions(t *testing.T) {
	t.Parallel()
	w := start(t)
	w.do("PUT", "/v1/case-types/Defined", definedType, "Content-Type", "application/yaml").is(201, "")
	made := w.post("/v1/tokens", `{"name": "viewer", "role": "viewer", "clearance": "PUBLIC"}`)
	viewer := made.is(201, "").text("token")
	const path = "/quickcase/api/data/case-type/Defined"
	d := w.get(path, "Authorization", "Bearer "+viewer).is(200, "")
	d.has(members{"id": "Defined", "security_classification": "PUBLIC"})
	if strings.Contains(string(d.body), "secret") {
		t.Errorf("a field above the clearance is shown: %s", d.body)
	}
	type named = map[string]any
	at := func(list any, i int) named { return list.([]any)[i].(named) }
	fields := d.json()["case_fields"]
	plate, kind, parts := at(fields, 0), at(fields, 1)["field_type"].(named), at(fields, 2)["field_type"].(named)
	if plate["label"] != "Number plate" || plate["field_type"].(named)["type"] != "Text" {
		t.Errorf("the plate is %v", plate)
	}
	if updates := at(plate["acls"], 1); updates["role"] != "caseworker" || updates["update"] != false {
		t.Errorf("a caseworker may %v", updates)
	}
	items := []any{named{"code": "car", "label": "car", "order": wholeNumber(1)},
		named{"code": "van", "label": "A van", "order": wholeNumber(2)}}
	if diff := cmp.Diff(items, kind["fixed_list_items"]); diff != "" {
		t.Error(diff)
	}
	part := parts["collection_field_type"].(named)
	if part["id"] != "Part" || at(part["complex_fields"], 0)["field_type"].(named)["type"] != "Number" {
		t.Errorf("the parts are %v", parts)
	}
	decide := at(d.json()["events"], 1)
	want := []any{
		named{"post_state_reference": "Done", "priority": wholeNumber(1), "enabling_condition": `data.kind == "car"`},
		named{"post_state_reference": "Draft", "priority": wholeNumber(2), "enabling_condition": ""},
	}
	if diff := cmp.Diff(want, decide["post_states"]); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]any{"*"}, decide["pre_states"]); diff != "" {
		t.Error(diff)
	}
	w.get("/quickcase/api/data/case-type/nothing").is(404, "")
}

func wholeNumber(n int) json.Number { return json.Number(strconv.Itoa(n)) }

// QuickCase's client grants roles on cases to users and to groups.
func TestQuickCaseGrantsRolesOnCases(t *testing.T) {
	t.Parallel()
	w := start(t)
	w.do("PUT", "/v1/case-types/own", `{"key": "own",
		"roles": {"[OWNER]": {"of": "case"}}, "access": {"read": ["[OWNER]"]},
		"fields": {"type": "object", "properties": {"n": {"type": "integer"}}},
		"states": [{"key": "open"}], "transitions": [{"key": "create", "to": "open"}]}`).is(201, "")
	path := w.post("/v1/case-types/own/cases", `{}`).is(201, "").header.Get("Location")
	n := strip(path)
	user := strip(w.person("owner@example.org", "caseworker"))
	as := []string{"Authorization", "", "Cookie", w.signIn("owner@example.org")}
	clerk := []string{"Authorization", w.token(`{"name": "clerk", "role": "caseworker", "further_roles": ["clerk"]}`)}
	for _, who := range [][]string{as, clerk} {
		w.get(path, who...).is(404, "case.not_found")
	}
	w.do("PUT", "/quickcase/cases/"+n+"/users/"+user, `{"case_roles": ["[OWNER]"]}`).is(200, "")
	w.do("PUT", "/quickcase/cases/"+n+"/groups/clerk", `{"case_roles": ["[OWNER]"]}`).is(200, "")
	for _, who := range [][]string{as, clerk} {
		w.get(path, who...).is(200, "")
		if found := w.get("/v1/cases", who...).is(200, "").items(); len(found) != 1 {
			t.Errorf("%d cases are listed", len(found))
		}
	}
	if all := w.get(path+"/case-roles").is(200, "").items(); len(all) != 2 {
		t.Errorf("granted are %v", all)
	}
	w.do("PUT", "/quickcase/cases/"+n+"/users/"+user, `{"case_roles": []}`).is(200, "")
	w.get(path, as...).is(404, "case.not_found")
	for at, body := range map[string]string{
		"/users/x": `{"case_roles": []}`, "/users/0": `{"case_roles": []}`, "/users/" + user: `{"case_roles": ["[NO]"]}`,
		"/groups/clerk": `{"case_roles": "[OWNER]"}`, "/groups/a%20b": `{"case_roles": []}`,
	} {
		if g := w.do("PUT", "/quickcase/cases/"+n+at, body); g.status != 422 {
			t.Errorf("%s with %s is %d: %s", at, body, g.status, g.body)
		}
	}
	w.do("PUT", "/quickcase/cases/"+n+"/users/"+user, `{"case_roles": []}`, clerk...).is(403, "access.denied")
}
