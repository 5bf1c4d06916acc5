package api_test

import (
	"strings"
	"testing"
)

func TestCountedIDsAreGoodInEveryPath(t *testing.T) {
	t.Parallel()
	w := start(t)
	w.do("PUT", "/v1/case-types/loan", strings.Replace(loan, "name: Loan", "name: Loan\nids: sequential", 1),
		"Content-Type", "application/yaml").is(201, "")
	if shown := w.get("/v1/case-types/loan").is(200, ""); !strings.Contains(string(shown.body), `"ids":"sequential"`) {
		t.Errorf("the type is shown as %s", shown.body)
	}
	for _, want := range []string{"1", "2"} {
		if made := w.open(`{"client": "Bob"}`); made != "/v1/cases/"+want {
			t.Errorf("the case %s is at %s", want, made)
		}
	}
	w.do("PATCH", "/v1/tenants/default", `{"contact_ids": "sequential"}`).is(200, "")
	w.do("PATCH", "/v1/tenants/default", `{"contact_ids": "serial"}`).is(422, "")
	if made := w.ada(); made != "/v1/contacts/1" {
		t.Errorf("the contact is at %s", made)
	}
	w.do("PUT", "/v1/cases/2/contacts/1/claimant", nil).is(200, "")
	w.post("/v1/cases/2/comments", `{"text": "Small"}`).is(201, "")
	for _, path := range []string{"/v1/cases/2", "/v1/cases/2/history", "/v1/cases/2/comments",
		"/v1/cases/2/deliveries", "/v1/contacts/1", "/v1/contacts/1/history"} {
		w.get(path).is(200, "")
	}
	for _, wrong := range []string{"3", "0", "-1", "01", "+1", "1.0", "1000000000000000", "9007199254740992",
		"9223372036854775807", "92233720368547758070"} {
		w.get("/v1/cases/"+wrong).is(404, "case.not_found")
		w.get("/v1/contacts/"+wrong).is(404, "contact.not_found")
	}
	w.do("DELETE", "/v1/cases/2", nil).is(204, "")
	w.get("/v1/cases/2").is(404, "case.not_found")
	w.get("/v1/cases/1").is(200, "")
}
