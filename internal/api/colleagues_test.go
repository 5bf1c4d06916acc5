package api_test

import (
	"strings"
	"testing"

	"github.com/casehook/casehook/internal/access"
)

// The test calls every operation that a viewer may call, and fails until a new one has a path here.
func TestViewersSeeTheirColleaguesByNameAlone(t *testing.T) {
	w := start(t)
	w.putTypes()
	user := w.person("grace@example.org", "caseworker")
	w.do("PATCH", user, `{"name": "Dr <grace@example.org>"}`).is(200, "")
	grace := []string{"Authorization", "", "Cookie", w.signIn("grace@example.org")}
	path := w.open(`{"client": "Ann"}`)
	comment := w.post(path+"/comments", `{"text": "hello"}`, grace...).is(201, "")
	document := w.post(path+"/documents", `{"key": "summary"}`).is(201, "").text("content_path")
	proof := w.do("POST", path+"/proofs?key=passport&filename=x.txt", strings.NewReader("x"), "Content-Type",
		"text/plain").is(201, "").text("content_path")
	w.post("/v1/labels", `{"slug": "vip"}`).is(201, "")
	contact := w.post("/v1/contacts", `{"first_name": "Ann", "last_name": "Lee"}`).is(201, "").header.Get("Location")
	w.do("PUT", path+"/contacts/"+strip(contact)+"/claimant", nil).is(200, "")
	w.do("PUT", "/v1/case-types/dent", dent).is(201, "")
	claim := w.post("/v1/case-types/dent/cases", dented).is(201, "").header.Get("Location")
	w.do("PUT", claim+"/assignee", `{"user_id": `+strip(user)+`}`).is(200, "")
	for range 2 {
		w.do("PUT", path+"/assignee", `{"user_id": `+strip(user)+`}`).is(200, "")
		w.do("DELETE", path+"/assignee", nil).is(200, "")
	}
	w.do("PUT", path+"/assignee", `{"user_id": `+strip(user)+`}`).is(200, "")
	paths := map[access.Operation]string{
		"get-session": "", "delete-session": "", "change-password": "", // oneself
		"list-sessions": "/v1/sessions", "end-session": "", "end-other-sessions": "", // oneself
		"list-own-tokens": "/v1/own-tokens", "create-own-token": "", "delete-own-token": "", // oneself
		"list-cases": "/v1/cases", "count-cases": "/v1/cases/facets", "get-case": path, "get-history": path + "/history", "list-comments": path + "/comments",
		"list-documents": path + "/documents", "download-document": document, "list-proofs": path + "/proofs", "download-proof": proof,
		"list-case-types": "/v1/case-types", "get-case-type": "/v1/case-types/loan", "get-case-type-openapi": "/v1/case-types/loan/openapi", "list-labels": "/v1/labels", "get-label": "/v1/labels/vip",
		"get-claim": claimOf(claim), "list-contacts": "/v1/contacts", "get-contact": contact, "get-contact-history": contact + "/history",
		"list-presences": path + "/presence", "set-presence": "", "delete-presence": "", "list-views": "/v1/views", "create-view": "", "delete-view": "", // what colleagues share, by its name alone
		"list-case-contacts": path + "/contacts", "list-contact-cases": contact + "/cases",
	}
	shows := func(role string) (all string) {
		token := w.token(`{"name": "the ` + role + `", "role": "` + role + `"}`)
		for _, o := range access.Operations() {
			if !access.Viewer.Permits(o) {
				continue
			}
			asked, listed := paths[o]
			if !listed {
				t.Errorf("%s is not asked", o)
			}
			if asked != "" {
				all += string(w.get(asked, "Authorization", token).is(200, "").body)
			}
		}
		return all
	}
	for _, role := range []string{"viewer", "caseworker"} {
		all := shows(role)
		for _, hidden := range []string{"tok_", "127.0.0.1", "grace@", "@example.org"} {
			if strings.Contains(all, hidden) {
				t.Errorf("a %s is shown %q: %s", role, hidden, all)
			}
		}
		if !strings.Contains(all, `"name":"admin"`) || !strings.Contains(all, `"user_id":`+strip(user)) ||
			!strings.Contains(all, `"name":"Dr \u003cgrace\u003e"`) && !strings.Contains(all, `"name":"Dr <grace>"`) {
			t.Errorf("a %s does not see who it was: %s", role, all)
		}
	}
	if all := shows("manager"); !strings.Contains(all, "tok_") || !strings.Contains(all, "127.0.0.1") ||
		!strings.Contains(all, "grace@") {
		t.Errorf("a manager does not see the address: %s", all)
	}
	if !strings.Contains(string(comment.body), "127.0.0.1") {
		t.Errorf("users do not see themselves: %s", comment.body)
	}
}
