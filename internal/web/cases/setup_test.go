package cases_test

import (
	"net/http"
	"net/url"
	"os"
	"strings"
	"testing"

	"github.com/casehook/casehook/internal/web/webtest"
)

func TestACaseTypeIsUploadedShownAndRetired(t *testing.T) {
	t.Parallel()
	w := webtest.Start(t)
	admin := w.Person("ada@example.org", "admin", "RESTRICTED")
	wants(t, admin.Get("/types"), http.StatusOK, "There is no case type yet", "Begin with an example")
	if example := admin.Get("/types/new?example=1"); !strings.Contains(example.HTML, "key: kyc") {
		t.Error("the example is not there")
	}
	faulty := admin.Post("/types/new", url.Values{"source": {"key: claim\nname: Claim\nstates: []\nfeilds: {}\n"}})
	wants(t, faulty, http.StatusUnprocessableEntity, "Nothing was saved", "line 4", "/feilds")
	if !strings.Contains(faulty.HTML, `id="line-4" class="faulty"`) {
		t.Error("the line with the fault is not marked")
	}
	wants(t, admin.Get("/types"), http.StatusOK, "There is no case type yet")

	definition, err := os.ReadFile("../../../examples/kyc.yaml")
	if err != nil {
		t.Fatal(err)
	}
	saved := admin.Post("/types/new", url.Values{"source": {strings.ReplaceAll(string(definition), "\n", "\r\n")}})
	wants(t, saved, http.StatusOK, "Saved.", "KYC review, version 1", "They are shown this once", "whsec_")
	page := admin.Get("/types/kyc")
	wants(t, page, http.StatusOK, "Escalate to compliance", "In review", "Passport number", "RESTRICTED",
		"/kyc/approve")
	for _, drawn := range []string{`class="node final"`, `class="edge asks"`, `class="start"`} {
		if !strings.Contains(page.HTML, drawn) {
			t.Errorf("the drawing lacks %s", drawn)
		}
	}
	changed := strings.Replace(string(definition), "name: KYC review", "name: KYC check", 1)
	wants(t, admin.Post("/types/new", url.Values{"source": {changed}}), http.StatusOK, "KYC check, version 2")
	wants(t, admin.Get("/types/kyc"), http.StatusOK, "What changed since version 1", `- "name": "KYC review"`,
		`+ "name": "KYC check"`)
	wants(t, admin.Get("/types/kyc?version=1"), http.StatusOK, "KYC review", "1 of 2")
	wants(t, admin.Post("/types/kyc/retire", nil), http.StatusOK, "retired: no new cases", "Restore")
	restored := admin.Post("/types/kyc/restore", nil)
	wants(t, restored, http.StatusOK, "Retire…")
	retired := admin.Undo(restored)
	wants(t, retired, http.StatusOK, "retired: no new cases")
	wants(t, admin.Undo(retired), http.StatusOK, "Restored", "Retire…")
	private := w.Person("bea@example.org", "viewer", "PRIVATE")
	wantsNot(t, private.Get("/types/kyc"), "passport_no", "Passport number")
}

func TestFormsArePreviewedAndCannotBeSent(t *testing.T) {
	t.Parallel()
	w := kyc(t, accept)
	admin := w.Person("ada@example.org", "admin", "RESTRICTED")
	if page := admin.Get("/types/kyc"); !strings.Contains(page.HTML, `href="/types/kyc/forms?version=1"`) {
		t.Error("the type's page does not lead to its forms")
	}
	page := admin.Get("/types/kyc/forms?version=1")
	wants(t, page, http.StatusOK, "Forms of KYC review", "Version 1", "Escalate to compliance", "Passport number",
		"asks /kyc/approve first", "It is on the page of a case.")
	main := page.HTML[strings.Index(page.HTML, "<main"):strings.Index(page.HTML, "</main>")]
	for _, sends := range []string{"<form", "action=", "hx-", "data-draft", `type="submit"`} {
		if strings.Contains(main, sends) {
			t.Errorf("the preview has %s", sends)
		}
	}
	for rest := main; ; { // all that can be filled in or pressed is inert
		before, after, found := strings.Cut(rest, `<fieldset class="preview" disabled>`)
		if strings.Contains(before, "<input") || strings.Contains(before, "<select") ||
			strings.Contains(before, `class="button`) {
			t.Errorf("something can be filled in: %s", before)
		}
		if !found {
			break
		}
		_, rest, _ = strings.Cut(after, "</section>")
	}
	ids := map[string]bool{}
	for _, part := range strings.Split(main, ` id="`)[1:] {
		id, _, _ := strings.Cut(part, `"`)
		if ids[id] && !strings.Contains(id, "/N") {
			t.Errorf("two elements have the id %s", id)
		}
		ids[id] = true
	}
	private := w.Person("bea@example.org", "viewer", "PRIVATE")
	wantsNot(t, private.Get("/types/kyc/forms"), "passport_no", "Passport number")
	wants(t, admin.Get("/types/kyc/forms?version=x"), http.StatusBadRequest, "version is a number")
	wants(t, admin.Get("/types/kyc/forms?version=7"), http.StatusNotFound)
}

func TestLabelsAreMadeChangedAndDeleted(t *testing.T) {
	t.Parallel()
	w := webtest.Start(t)
	boss := w.Person("bob@example.org", "manager", "RESTRICTED")
	wants(t, boss.Post("/labels", url.Values{"slug": {"Fast Track"}}), http.StatusUnprocessableEntity, "slug :")
	made := boss.Post("/labels", url.Values{"slug": {"fast"}, "name": {"Fast track"}, "color": {"teal"}})
	wants(t, made, http.StatusOK, "Fast track", "fast")
	wants(t, boss.Post("/labels/fast", url.Values{"name": {"Quick"}}), http.StatusOK, "Quick")
	deleted := boss.Post("/labels/fast/delete", nil)
	wants(t, deleted, http.StatusOK, "The label Quick is deleted.")
	wantsNot(t, boss.Get("/labels"), "Quick")
	wants(t, boss.Undo(deleted), http.StatusOK, "Quick", "fast")
	other := w.Person("cid@example.org", "manager", "RESTRICTED")
	if seen := other.Get(deleted.Path); seen.CanUndo() || strings.Contains(seen.Text(), "is deleted") {
		t.Errorf("a colleague is told what another did: %s", seen.Text())
	}
	wants(t, boss.Get("/labels?undo=x"), http.StatusOK, "Quick")
}

func TestContactsAreMadeFoundAndChanged(t *testing.T) {
	t.Parallel()
	w := kyc(t, accept)
	worker := w.Person("cid@example.org", "caseworker", "RESTRICTED")
	wants(t, worker.Get("/contacts"), http.StatusOK, "There are no contacts yet")
	form := url.Values{"first_name": {"Ines"}, "last_name": {"Carvalho"}, "country_code": {"Portugal"}}
	wants(t, worker.Post("/contacts/new", form), http.StatusUnprocessableEntity, "Country code :")
	form.Set("country_code", "PT")
	made := worker.Post("/contacts/new", form)
	wants(t, made, http.StatusOK, "Ines Carvalho", "Cid created the contact")
	path := client(w, map[string]any{"client_name": "Acme"})
	id := strings.TrimPrefix(made.Path, "/contacts/")
	w.API(http.MethodPut, "/v1"+path+"/contacts/"+id+"/claimant", nil, nil)
	form.Set("city", "Porto")
	wants(t, worker.Post(made.Path, form), http.StatusOK, "Saved.", "Cid changed 1 field", "city Porto",
		"claimant KYC-0001")
	form.Set("version", "1")
	wants(t, worker.Post(made.Path, form), http.StatusUnprocessableEntity, "changed meanwhile")
	wants(t, worker.Get("/contacts?q=carv"), http.StatusOK, "Ines Carvalho")
	wants(t, worker.Get("/contacts?q=nobody"), http.StatusOK, "Nobody is like this")
	wants(t, worker.Get(path), http.StatusOK, "claimant")
}
