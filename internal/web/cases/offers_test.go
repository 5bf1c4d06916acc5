package cases_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
)

// offers is a case type with a transition that only some cases are offered, and one that the data send elsewhere.
const offers = `{"key":"offers","name":"Offers","fields":{"type":"object","properties":{"sum":{"type":"integer"}}},
	"states":[{"key":"draft","name":"Drafted"},{"key":"paid","name":"Paid"},{"key":"closed","name":"Closed","final":true}],
	"transitions":[
		{"key":"open","name":"Open one","to":"draft"},
		{"key":"import","name":"Import one","to":"draft","offered_if":"has(data.sum)"},
		{"key":"pay","name":"Pay it","from":"*","to":"paid","offered_if":"has(data.sum)"},
		{"key":"decide","name":"Decide it","from":"*",
			"to":[{"when":"has(data.sum) && data.sum > 5","state":"*"},{"when":"has(data.sum)","state":"paid"},{"state":"closed"}]}]}`

func TestTheConsoleOffersWhatTheDataAllow(t *testing.T) {
	t.Parallel()
	w := kyc(t, accept)
	w.API(http.MethodPut, "/v1/case-types/offers", json.RawMessage(offers), nil)
	ada := w.Person("ada@example.org", "manager", "RESTRICTED")
	wantsNot(t, ada.Get("/cases/new?type=offers"), "Import one")
	wants(t, ada.Get("/cases/new?type=offers&transition=import"), http.StatusOK, "New Offers")
	for data, offered := range map[string]bool{`{}`: false, `{"sum":1}`: true} {
		var made struct{ URL string }
		w.API(http.MethodPost, "/v1/case-types/offers/cases",
			json.RawMessage(`{"transition":"open","data":`+data+`}`), &made)
		page := ada.Get(made.URL[strings.Index(made.URL, "/cases/"):])
		wants(t, page, http.StatusOK, "Decide it")
		if got := strings.Contains(page.HTML, "Pay it"); got != offered {
			t.Errorf("with %s, Pay it is offered: %v", data, got)
		}
		form := ada.Get(page.Path + "/transitions/decide")
		wants(t, form, http.StatusOK, "goes to Paid or Closed, as the data decide.")
	}
	wants(t, ada.Get("/types/offers"), http.StatusOK, "(every state)", "Paid, Closed, (stays)")
}

func TestFormsHaveTheFieldsThatARoleMaySet(t *testing.T) {
	t.Parallel()
	w := kyc(t, accept)
	access := `"access":{"fields":{"sum":{"create":["manager"]}}},`
	kept := strings.Replace(offers, `"transitions"`, access+`"transitions"`, 1)
	w.API(http.MethodPut, "/v1/case-types/offers", json.RawMessage(kept), nil)
	wants(t, w.Person("ada@example.org", "manager", "PUBLIC").Get("/cases/new?type=offers"), http.StatusOK, "Sum")
	page := w.Person("bob@example.org", "caseworker", "PUBLIC").Get("/cases/new?type=offers")
	wants(t, page, http.StatusOK, "Open one")
	wantsNot(t, page, "data/sum")
}

func TestATimelineShowsTheNotesOfSubmissions(t *testing.T) {
	t.Parallel()
	w := kyc(t, accept)
	ada := w.Person("ada@example.org", "manager", "RESTRICTED")
	path := client(w, map[string]any{"client_name": "Acme Corp"})
	note := map[string]any{"summary": "Called <them>", "description": "Nobody answered."}
	w.API(http.MethodPatch, "/v1"+path, note, nil)
	wants(t, ada.Get(path), http.StatusOK, "wrote about it", "Called <them>", "Nobody answered.")
}
