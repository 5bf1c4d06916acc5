package cases_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/casehook/casehook/internal/web/webtest"
)

// labelled is a case type with labels of codes: of a field, of a member, of items, and with none for one code.
const labelled = `{"key":"labelled","fields":{"type":"object","properties":{
		"zone":{"enum":["C","R","X"],"x-labels":{"C":"Centre <1>","R":"Riverside"}},
		"sides":{"type":"array","items":{"enum":["N","S"],"x-labels":{"N":"North","S":"South"}}},
		"site":{"type":"object","properties":{"kind":{"enum":["g"],"x-labels":{"g":"Garden"}}}}}},
	"states":[{"key":"open"}],"edit":"edit",
	"transitions":[{"key":"create","to":"open"},{"key":"edit","from":["open"]}]}`

func TestCodesAreShownByTheirLabels(t *testing.T) {
	t.Parallel()
	w := webtest.Start(t)
	w.API(http.MethodPut, "/v1/case-types/labelled", json.RawMessage(labelled), nil)
	ada := w.Person("ada@example.org", "caseworker", "RESTRICTED")
	form := ada.Get("/cases/new?type=labelled")
	wants(t, form, http.StatusOK, "Centre <1>", "Riverside", "North", "South", "Garden")
	if !strings.Contains(form.HTML, `<option value="R">Riverside</option>`) {
		t.Error("the form does not send the code")
	}
	made := ada.Post("/cases/new", url.Values{"type": {"labelled"}, "transition": {"create"}, "data/zone": {"C"},
		"data/sides": {"N", "S"}, "data/site/kind": {"g"}})
	wants(t, made, http.StatusOK, "Zone Centre <1>", "Sides North, South", "Site, kind Garden")
	path, _, _ := strings.Cut(made.Path, "?")
	edited := ada.Post(path, url.Values{"data/zone": {"X"}, "data/sides": {"S"}, "data/site/kind": {"g"}})
	wants(t, edited, http.StatusOK, "Centre <1> X", "Sides North, South South")
	viewer := w.Person("vic@example.org", "viewer", "RESTRICTED")
	wants(t, viewer.Get(path), http.StatusOK, "Sides South", "Site: Kind Garden")
	var saved struct {
		Data map[string]any `json:"data"`
	}
	w.API(http.MethodGet, "/v1"+path, nil, &saved)
	if saved.Data["zone"] != "X" {
		t.Errorf("saved is %v", saved.Data)
	}
	wants(t, ada.Get("/types/labelled"), http.StatusOK, "Centre <1> (C), Riverside (R), X")
}
