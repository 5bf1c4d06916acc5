package casework_test

import (
	"net/http"
	"net/http/httptest"
	"regexp"
	"testing"

	"github.com/casehook/casehook/internal/authz"
	"github.com/casehook/casehook/internal/casework"
	"github.com/casehook/casehook/internal/fault"
	"github.com/casehook/casehook/internal/wire/wiretest"
)

var isUUID = regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`)

// idsOf returns the ids of the items of the collection visitors.
func idsOf(t *testing.T, v casework.View) (ids []string) {
	t.Helper()
	list, _ := v.Data["visitors"].([]any)
	for _, item := range list {
		id, _ := item.(map[string]any)["id"].(string)
		ids = append(ids, id)
	}
	return ids
}

func TestNewItemsOfCollectionsGetIDsAndOldOnesKeepThem(t *testing.T) {
	callback := httptest.NewServer(wiretest.Callback(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Write([]byte(`{"data": {"visitors": [{"value": {"name": "Cy"}}, {"id": "kept", "value": {"name": "Di"}}]}}`))
	})))
	t.Cleanup(callback.Close)
	w := start(t)
	w.put(w.p, `{"key": "visit", "states": [{"key": "s"}], "edit": "edit", "transitions": [{"key": "open", "to": "s"},
		{"key": "edit", "from": ["s"]}, {"key": "ask", "from": ["s"], "about_to_submit": {"url": "`+callback.URL+`"}}],
		"fields": {"type": "object", "properties": {"visitors": {"x-casehook-type": "collection", "items":
			{"type": "object", "properties": {"name": {"type": "string"}}}}}}}`)
	made := w.submit(casework.Submission{Type: "visit", Transition: "open",
		Data: object(`{"visitors": [{"value": {"name": "Al"}}, {"id": "2", "value": {"name": "Bo"}}]}`)})
	first := idsOf(t, made)
	if len(first) != 2 || !isUUID.MatchString(first[0]) || first[1] != "2" {
		t.Fatalf("the ids are %q", first)
	}
	sentBack := map[string]any{"visitors": made.Data["visitors"]}
	again := w.submit(casework.Submission{CaseID: made.ID, Edit: true, Data: sentBack})
	if again.Version != made.Version {
		t.Errorf("what was sent back changed the case: %v", again.Data)
	}
	asked := w.submit(casework.Submission{CaseID: made.ID, Transition: "ask"})
	if ids := idsOf(t, asked); len(ids) != 2 || !isUUID.MatchString(ids[0]) || ids[0] == first[0] || ids[1] != "kept" {
		t.Errorf("the ids of the answer are %q", ids)
	}
	_, err := w.submissions.Submit(t.Context(), w.p, casework.Submission{CaseID: made.ID, Edit: true,
		Data: object(`{"visitors": [{"id": "1", "value": {}}, {"id": "1", "value": {}}]}`)}, authz.Once{})
	wantFields(t, wantFault(t, err, fault.Unprocessable, "case.data_invalid"), "/data/visitors")
}

func TestItemsGetIDsWhenACaseIsSwitchedToATypeWithCollections(t *testing.T) {
	w := start(t)
	put := func(key, visitors string) {
		w.put(w.p, `{"key": "`+key+`", "states": [{"key": "s"}], "transitions": [{"key": "open", "to": "s"}],
			"fields": {"type": "object", "properties": {"visitors": `+visitors+`}}}`)
	}
	put("plain", `{"type": "array"}`)
	put("visit", `{"x-casehook-type": "collection", "items": {"type": "string"}}`)
	made := w.submit(casework.Submission{Type: "plain", Transition: "open",
		Data: object(`{"visitors": [{"value": "Al"}]}`)})
	in := casework.Switch{CaseID: made.ID, Type: "visit"}
	switched, err := w.switches.SwitchType(t.Context(), w.p, in, authz.Once{})
	if err != nil {
		t.Fatal(err)
	}
	if ids := idsOf(t, switched); len(ids) != 1 || !isUUID.MatchString(ids[0]) {
		t.Errorf("the ids are %q", ids)
	}
}
