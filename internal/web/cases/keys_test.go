package cases_test

import (
	"fmt"
	"html"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/casehook/casehook/internal/web/webtest"
)

// borrowed is a definition with keys and names of other systems.
const borrowed = `
key: 2nd_Permit-Type
fields:
  type: object
  properties:
    3rdParty: {type: string, maxLength: 5}
    a&b(c): {type: string}
    site:
      type: object
      properties: {"Reg/No #1": {type: string, maxLength: 3}, "": {type: string}, été: {type: integer}}
states: [{key: 1stState}, {key: SecondState, final: true}]
transitions:
  - {key: 0-Create, to: 1stState}
  - {key: MoveOn, from: [1stState], to: SecondState}
`

func TestFormsHaveFieldsOfAnyName(t *testing.T) {
	t.Parallel()
	w := webtest.Start(t)
	w.API(http.MethodPut, "/v1/case-types/2nd_Permit-Type", []byte(borrowed), nil)
	ada := w.Person("ada@example.org", "caseworker", "RESTRICTED")
	wants(t, ada.Get("/cases/new?type=2nd_Permit-Type"), http.StatusOK, "3rdParty", "A&b(c)", "Reg/No #1", "Été")
	wants(t, ada.Get("/types/2nd_Permit-Type/forms?version=1"), http.StatusOK, "3rdParty", "MoveOn")
	form := url.Values{
		"type": {"2nd_Permit-Type"}, "transition": {"0-Create"}, "data/3rdParty": {"Ada"}, "data/a&b(c)": {"x"},
		"data/site/Reg~1No #1": {"R123"}, "data/site/": {"none"}, "data/site/été": {"7"},
	}
	wants(t, ada.Post("/cases/new", form), http.StatusUnprocessableEntity, "Reg/No #1 : is longer than 3 characters")
	form.Set("data/site/Reg~1No #1", "R12")
	made := ada.Post("/cases/new", form)
	wants(t, made, http.StatusOK, "in 1stState", "2ND_PERMIT-TYPE-1")
	path, _, _ := strings.Cut(made.Path, "?")
	var saved struct {
		Data map[string]any `json:"data"`
	}
	w.API(http.MethodGet, "/v1"+path, nil, &saved)
	want := map[string]any{
		"3rdParty": "Ada", "a&b(c)": "x", "site": map[string]any{"Reg/No #1": "R12", "": "none", "été": 7.0},
	}
	if diff := cmp.Diff(want, saved.Data); diff != "" {
		t.Error(diff)
	}
	wants(t, ada.Post(path+"/transitions/MoveOn", form), http.StatusOK, "moved it from 1stState to SecondState")
	wants(t, ada.Get("/cases?type=2nd_Permit-Type&state=SecondState"), http.StatusOK, "2ND_PERMIT-TYPE-1")
}

func TestFormsHaveFieldsOfCCDsTypes(t *testing.T) {
	t.Parallel()
	w := webtest.Start(t)
	w.API(http.MethodPut, "/v1/case-types/values", []byte(`
key: values
fields:
  type: object
  properties:
    fee: {x-casehook-type: money_gbp}
    urgent: {x-casehook-type: yes_no}
    notes: {x-casehook-type: collection, items: {type: string}}
states: [{key: open, final: true}]
transitions: [{key: create, to: open}]
`), nil)
	ada := w.Person("ada@example.org", "caseworker", "RESTRICTED")
	form := url.Values{
		"type": {"values"}, "transition": {"create"}, "data/fee": {"42.00"}, "data/urgent": {"Yes"},
		"data/notes/0/value": {"Hello"}, "data/notes/0/~id": {"1"}, "data/notes/7/value": {""},
	}
	wants(t, ada.Post("/cases/new", form), http.StatusUnprocessableEntity, "Fee : is not an amount of pence")
	form.Set("data/fee", "4200")
	made := ada.Post("/cases/new", form)
	wants(t, made, http.StatusOK, "VALUES-1")
	path, _, _ := strings.Cut(made.Path, "?")
	var saved struct {
		Data map[string]any `json:"data"`
	}
	w.API(http.MethodGet, "/v1"+path, nil, &saved)
	want := map[string]any{
		"fee": "4200", "urgent": "Yes", "notes": []any{map[string]any{"id": "1", "value": "Hello"}},
	}
	if diff := cmp.Diff(want, saved.Data); diff != "" {
		t.Error(diff)
	}
}

func TestALongListLosesNothing(t *testing.T) {
	t.Parallel()
	w := webtest.Start(t)
	w.API(http.MethodPut, "/v1/case-types/long", []byte(`
key: long
fields: {type: object, properties: {tags: {type: array, items: {type: string}}, note: {type: string}}}
states: [{key: open}]
edit: edit
transitions: [{key: create, to: open}, {key: edit, from: [open]}]
`), nil)
	tags := make([]string, 300)
	for i := range tags {
		tags[i] = fmt.Sprint("tag ", i)
	}
	var made struct {
		ID   int64 `json:"id"`
		Data struct {
			Tags []string `json:"tags"`
			Note string   `json:"note"`
		} `json:"data"`
	}
	w.API(http.MethodPost, "/v1/case-types/long/cases", map[string]any{"data": map[string]any{"tags": tags}}, &made)
	path := fmt.Sprintf("/cases/%d", made.ID)
	ada := w.Person("ada@example.org", "caseworker", "RESTRICTED")
	text := regexp.MustCompile(`name="data/tags"[^>]*>([^<]*)</textarea>`).FindStringSubmatch(ada.Get(path).HTML)
	if text == nil {
		t.Fatal("the list is not shown as JSON")
	}
	ada.Post(path, url.Values{"data/tags": {html.UnescapeString(text[1])}, "data/note": {"Seen"}})
	w.API(http.MethodGet, "/v1"+path, nil, &made)
	if diff := cmp.Diff(tags, made.Data.Tags); diff != "" || made.Data.Note != "Seen" {
		t.Errorf("the note is %q; the list (-want +got):\n%s", made.Data.Note, diff)
	}
}
