package api_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
)

// ada creates a contact and returns its path.
func (w *world) ada() string {
	w.t.Helper()
	return w.post("/v1/contacts", `{"first_name": "Ada", "last_name": "Lovelace"}`).is(201, "").header.Get("Location")
}

func (w *world) storyOfContacts(path string) {
	t := w.t
	made := w.post("/v1/contacts",
		`{"first_name": " Ada ", "last_name": "Lovelace", "email": "ada@example.com", "mobile_phone": "+44 7700 900123",
		"preferred_contact_method": "sms", "country_code": "GB", "title": null, "city": ""}`).is(201, "")
	contact := made.header.Get("Location")
	made.has(members{"first_name": "Ada", "title": nil, "city": nil, "is_business": false, "ETag": `"r1"`})
	if deliveries := w.get(contact+"/deliveries").is(200, "").items(); len(deliveries) != 1 ||
		len(deliveries[0].(map[string]any)["deliveries"].([]any)) != 0 {
		t.Errorf("deliveries: %v", deliveries)
	}
	firm := w.post("/v1/contacts", `{"is_business": true, "business_name": "Acme & Söhne"}`).is(201, "")
	changed := w.do("PATCH", contact, `{"email": null, "city": "London"}`, "If-Match", `"r1"`).is(200, "")
	changed.has(members{"email": nil, "city": "London", "last_name": "Lovelace", "ETag": `"r2"`})
	if got := w.get(contact).is(200, ""); got.header.Get("ETag") != `"r2"` || string(got.body) != string(changed.body) {
		t.Errorf("got: %s %s", got.header, got.body)
	}
	for query, want := range map[string]int{"": 2, "?q=ada%20love": 1, "?q=07700": 0, "?q=7700-900": 1,
		"?q=%26%20S%C3%96H": 1, "?q=ada@": 0, "?q=%25": 0, "?limit=1": 1} {
		if n := len(w.get("/v1/contacts"+query).is(200, "").items()); n != want {
			t.Errorf("%q lists %d contacts, not %d", query, n, want)
		}
	}
	w.storyOfLinks(path, contact, made.text("id"))
	entries := w.get(contact+"/history").is(200, "").items()
	if len(entries) != 2 {
		t.Fatalf("the history has %d entries", len(entries))
	}
	newest := entries[0].(map[string]any)
	if changes := newest["changes"].([]any); len(changes) != 2 || changes[0].(map[string]any)["path"] != "email" ||
		newest["state"] != nil {
		t.Errorf("it changed %v", newest)
	}
	if changes := entries[1].(map[string]any)["changes"].([]any); len(changes) != 6 {
		t.Errorf("the creation set %v", changes)
	}
	w.do("DELETE", firm.header.Get("Location"), nil).is(204, "")
	w.do("DELETE", contact, nil, "If-Match", `"r2"`).is(409, "contact.linked")
	w.do("DELETE", contact+"?unlink=true", nil, "If-Match", `"r2"`).is(204, "")
	w.get(contact).is(404, "contact.not_found")
	if n := len(w.get(path+"/contacts").is(200, "").items()); n != 0 {
		t.Errorf("the case has %d contacts", n)
	}
}

func (w *world) storyOfLinks(path, contact, id string) {
	t := w.t
	version := w.get(path).json()["version"].(json.Number)
	linked := w.do("PUT", path+"/contacts/"+id+"/insured", nil).is(200, "")
	if n, _ := linked.json()["version"].(json.Number).Int64(); string(version) == linked.text("version") || n < 2 {
		t.Errorf("linked: %s", linked.body)
	}
	w.do("PUT", path+"/contacts/"+id+"/claimant", nil).is(200, "")
	again := w.do("PUT", path+"/contacts/"+id+"/claimant", nil).is(200, "")
	if got := w.get(path); string(got.body) != string(again.body) || !strings.Contains(string(got.body),
		`"contacts":[{"contact_id":`+id+`,"role":"claimant"},{"contact_id":`+id+`,"role":"insured"}]`) {
		t.Errorf("the case: %s", got.body)
	}
	all := w.get(path+"/contacts").is(200, "").items()
	if len(all) != 2 || all[1].(map[string]any)["role"] != "insured" ||
		all[1].(map[string]any)["contact"].(map[string]any)["last_name"] != "Lovelace" {
		t.Errorf("the contacts are %v", all)
	}
	first := w.get(contact+"/cases?limit=1").is(200, "")
	second := w.get(contact+"/cases?limit=1&cursor="+first.text("next")).is(200, "")
	if first.items()[0].(map[string]any)["role"] != "claimant" ||
		second.items()[0].(map[string]any)["role"] != "insured" || second.json()["next"] != nil {
		t.Errorf("the cases are %s, %s", first.body, second.body)
	}
	off := w.do("DELETE", path+"/contacts/"+id+"/claimant", nil).is(200, "")
	if strings.Contains(string(off.body), "claimant") ||
		string(w.do("DELETE", path+"/contacts/"+id+"/claimant", nil).body) != string(off.body) {
		t.Errorf("unlinked: %s", off.body)
	}
	newest := w.get(path + "/history").items()[0].(map[string]any)["facts"].([]any)[0].(map[string]any)
	if newest["name"] != "case.contact_unlinked" || newest["data"].(map[string]any)["role"] != "claimant" {
		t.Errorf("the fact is %v", newest)
	}
}

func (w *world) problemsOfContacts() {
	path, contact := w.open(`{}`), w.ada()
	id := strings.TrimPrefix(contact, "/v1/contacts/")
	const none = "1000000000000009"
	w.do("PUT", path+"/contacts/"+id+"/insured", nil).is(200, "")
	w.provoke([]provoke{
		{"POST", "/v1/contacts", `{}`, 422, "contact.invalid"},
		{"POST", "/v1/contacts", `{"is_business": true}`, 422, "contact.invalid"},
		{"POST", "/v1/contacts", `{"is_business": "yes"}`, 422, "request.body_invalid"},
		{"PATCH", contact, `{"email": "nobody"}`, 422, "contact.invalid"},
		{"PATCH", contact, `{"last_name": null}`, 422, "contact.invalid"},
		{"PATCH", contact, `{"id": 1}`, 422, "request.body_invalid"},
		{"GET", "/v1/contacts/nonsense", "", 404, "contact.not_found"},
		{"GET", "/v1/contacts/0" + id, "", 404, "contact.not_found"},
		{"GET", "/v1/contacts/" + none, "", 404, "contact.not_found"},
		{"PATCH", "/v1/contacts/" + none, `{}`, 404, "contact.not_found"},
		{"DELETE", "/v1/contacts/" + none, "", 404, "contact.not_found"},
		{"GET", "/v1/contacts/" + none + "/history", "", 404, "contact.not_found"},
		{"GET", "/v1/contacts/" + none + "/cases", "", 404, "contact.not_found"},
		{"GET", nobody + "/contacts", "", 404, "case.not_found"},
		{"PUT", nobody + "/contacts/" + id + "/x", "", 404, "case.not_found"},
		{"PUT", path + "/contacts/" + none + "/x", "", 404, "contact.not_found"},
		{"PUT", path + "/contacts/" + id + "/X", "", 422, "contact.role_invalid"},
		{"DELETE", nobody + "/contacts/" + id + "/x", "", 404, "case.not_found"},
		{"DELETE", path + "/contacts/nonsense/x", "", 404, "contact.not_found"},
		{"DELETE", contact, "", 409, "contact.linked"},
		{"DELETE", contact + "?unlink=maybe", "", 400, "request.invalid"},
	})
	w.do("PATCH", contact, `{}`, "If-Match", `"r9"`).is(409, "contact.version_conflict")
	w.do("PATCH", contact, `{}`, "If-Match", "nonsense").is(400, "request.if_match")
	w.do("DELETE", contact, nil, "If-Match", `r1`).is(400, "request.if_match")
	for _, list := range []string{"/v1/contacts", contact + "/history", contact + "/cases"} {
		w.get(list+"?cursor=nonsense").is(400, "request.cursor_invalid")
	}
	w.get("/v1/contacts?q=a%00").is(400, "filter.invalid")
}

func TestAFaultyContactIsRefusedFieldByField(t *testing.T) {
	t.Parallel()
	w := start(t)
	g := w.post("/v1/contacts",
		`{"email": "a@b", "mobile_phone": "call", "preferred_contact_method": "fax",
			"country_code": "gb", "title": "a\tb"}`).is(422, "contact.invalid")
	var got []string
	for _, f := range g.json()["fields"].([]any) {
		got = append(got, f.(map[string]any)["path"].(string))
	}
	want := []string{"/title", "/first_name", "/last_name", "/email", "/mobile_phone", "/preferred_contact_method",
		"/country_code"}
	if !slices.Equal(got, want) {
		t.Errorf("fields %v, want %v", got, want)
	}
	if n := len(w.get("/v1/contacts").items()); n != 0 {
		t.Errorf("%d contacts were saved", n)
	}
}

func TestPagesOfContactsFollowEachOther(t *testing.T) {
	t.Parallel()
	w := start(t)
	var want, got []string
	for range 5 {
		want = append(want, strings.TrimPrefix(w.ada(), "/v1/contacts/"))
	}
	slices.Reverse(want)
	for cursor := ""; ; {
		g := w.get("/v1/contacts?q=ada&limit=2"+cursor).is(200, "")
		for _, item := range g.items() {
			got = append(got, item.(map[string]any)["id"].(json.Number).String())
		}
		if g.json()["next"] == nil {
			break
		}
		cursor = "&cursor=" + g.text("next")
	}
	if !slices.Equal(got, want) {
		t.Errorf("the pages list %v, not %v", got, want)
	}
}
