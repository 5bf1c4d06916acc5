package api_test

import (
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
)

// membersOf lists the names of a body's members.
func membersOf(t *testing.T, body []byte) string {
	t.Helper()
	var members map[string]json.RawMessage
	must(t, json.Unmarshal(body, &members))
	return strings.Join(slices.Sorted(maps.Keys(members)), " ")
}

// TestAThinEndpointIsSentWhatIdentifiesTheChangeAlone checks a message everywhere: sent, as a sample, sent again, in
// the journal, and derived for its attempt.
func TestAThinEndpointIsSentWhatIdentifiesTheChangeAlone(t *testing.T) {
	t.Parallel()
	w := start(t)
	w.putTypes()
	arrived := make(chan []byte, 99)
	receiver := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		raw, _ := io.ReadAll(r.Body)
		arrived <- raw
	}))
	defer receiver.Close()
	made := w.post("/v1/endpoints", `{"url": "`+receiver.URL+`", "triggers": ["case_created"], "payload": "thin",
		"filter": "case.data.client == 'Ann'"}`).is(201, "")
	path, id := made.header.Get("Location"), made.text("id")
	if made.text("payload") != "thin" {
		t.Errorf("made %s", made.body)
	}
	w.deliver()
	w.open(`{"client": "Ann"}`)

	const thin = "case_id case_user_readable_id case_version trigger"
	sent := <-arrived
	if got := membersOf(t, sent); got != thin {
		t.Errorf("sent %s", sent)
	}
	w.post(path+"/test", `{"trigger": "case_created"}`).is(200, "")
	if got := <-arrived; membersOf(t, got) != thin {
		t.Errorf("the sample is %s", got)
	}
	var tries []any
	w.eventually("an attempt is saved", func() bool {
		tries = w.get(path+"/attempts").is(200, "").items()
		return len(tries) > 0
	})
	attempt := tries[0].(map[string]any)
	w.post(path+"/resend", `{"message": "`+attempt["message"].(string)+`"}`).is(201, "")
	if again := <-arrived; string(again) != string(sent) {
		t.Errorf("sent again as %s", again)
	}
	messages, _, _ := w.poll("after=beginning&endpoint=" + id)
	if len(messages) != 1 || string(messages[0].Body) != string(sent) {
		t.Errorf("the endpoint's journal is %+v", messages)
	}
	messages, _, _ = w.poll("after=beginning&triggers=case_created")
	if len(messages) != 1 || membersOf(t, []byte(messages[0].Body)) == thin {
		t.Errorf("the journal is %+v", messages)
	}

	for range 2 { // before and after the setting changes
		shown := w.get("/v1/attempts/"+attempt["id"].(string)).is(200, "")
		body, err := json.Marshal(shown.json()["body"])
		must(t, err)
		if shown.text("body_state") != "same" || membersOf(t, body) != thin {
			t.Errorf("the attempt is %s", shown.body)
		}
		if g := w.do("PATCH", path, `{"payload": "full"}`).is(200, ""); g.text("payload") != "full" {
			t.Errorf("changed: %s", g.body)
		}
	}
	w.do("PATCH", path, `{"payload": "slim"}`).is(422, "request.body_invalid")
	plain := w.post("/v1/endpoints", `{"url": "`+receiver.URL+`", "triggers": ["case_created"]}`).is(201, "")
	if plain.text("payload") != "full" {
		t.Errorf("by default it is %s", plain.body)
	}
}
