package cases_test

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
)

func TestARefusedSubmissionLeavesATrace(t *testing.T) {
	t.Parallel()
	w := kyc(t, func(path string, _ map[string]any) any {
		if path == "/kyc/submit" {
			return map[string]any{"errors": []string{"Clients <resident> there are not accepted."}}
		}
		return nil
	})
	boss := w.Person("bob@example.org", "manager", "RESTRICTED")
	wants(t, boss.Get("/questions"), http.StatusOK, "No callback has been asked yet")
	path := client(w, map[string]any{"client_name": "Acme", "country": "KP", "email": "a@acme.example"})
	same := url.Values{"data/client_name": {"Acme"}, "data/country": {"KP"}, "data/email": {"a@acme.example"}}
	wants(t, boss.Post(path+"/transitions/submit", same), http.StatusUnprocessableEntity, "refused the submission")

	wants(t, boss.Get(path), http.StatusOK, "Bob tried “Submit for review”: nothing was saved", "/kyc/submit refused",
		"Clients <resident> there are not accepted.")
	list := boss.Get("/questions?verdict=errors")
	wants(t, list, http.StatusOK, "/kyc/submit", "refused", "Bob", "verdict errors")
	wants(t, boss.Get("/questions?verdict=accepted"), http.StatusOK, "No question is like this")
	wants(t, boss.Get("/questions?case=nine"), http.StatusBadRequest, "case is the id of a case")
	link := regexp.MustCompile(`/questions/qst_\w+`).FindString(list.HTML)
	wants(t, boss.Get(link), http.StatusOK, "Nothing was saved", "callback.errors", `"errors"`, "not accepted")
	wants(t, boss.Get("/callbacks"), http.StatusOK, "submit", "KYC review", "${CASEHOOK_VAR_CALLBACKS}/kyc/submit")

	worker := w.Person("cid@example.org", "caseworker", "RESTRICTED")
	wants(t, worker.Get("/questions"), http.StatusForbidden, "You may not see this page")
	wantsNot(t, worker.Get(path), "Bob tried")
	private := w.Person("dot@example.org", "admin", "PUBLIC")
	wantsNot(t, private.Get("/questions"), "/kyc/submit", "Bob")
	if got := private.Get(link); got.Status != http.StatusNotFound {
		t.Errorf("someone without the clearance gets %d", got.Status)
	}
}

func TestASubmissionIsTriedOut(t *testing.T) {
	t.Parallel()
	w := kyc(t, func(string, map[string]any) any {
		return map[string]any{"warnings": []string{"There is no passport number yet."}}
	})
	worker := w.Person("cid@example.org", "caseworker", "RESTRICTED")
	path := client(w, map[string]any{"client_name": "Acme", "email": "a@acme.example"})
	wants(t, worker.Get("/dry-run"), http.StatusOK, "Nothing is saved, and nobody is told")
	form := url.Values{
		"case": {strings.TrimPrefix(path, "/cases/")}, "transition": {"submit"}, "data": {`{"country": `},
	}
	wants(t, worker.Post("/dry-run", form), http.StatusUnprocessableEntity, "Write a JSON object")
	form.Set("data", `{"country": "NO"}`)
	wants(t, worker.Post("/dry-run", form), http.StatusOK, "answered with warnings", "Nothing would be saved",
		"“There is no passport number yet.”", "asked /kyc/submit warned")
	form.Set("ignore_warning", "true")
	wants(t, worker.Post("/dry-run", form), http.StatusOK, "It would be saved", "in the state in_review")
	form.Set("data", `{"country": "Norway"}`)
	wants(t, worker.Post("/dry-run", form), http.StatusUnprocessableEntity, "country : does not match")
	wantsNot(t, worker.Get(path), "In review", "tried “")
}
