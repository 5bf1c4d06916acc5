package api_test

import (
	"bytes"
	"encoding/json"
	"net/http/httptest"
	"testing"
)

// FuzzCreateCase checks that the answer to any body is a case or a problem with a reason, never a failure.
func FuzzCreateCase(f *testing.F) {
	w := start(f)
	w.do("PUT", "/v1/case-types/note", note).is(201, "")
	for _, seed := range []string{
		``, `{}`, `null`, `[]`, `{"data": {"text": "x"}}`, `{"data": null, "name": null, "color": "teal"}`, `{"data": {"text": 1e400}}`,
		`{"transition": "write", "ignore_warning": 1}`, `{"data": {"text": "\ud800"}}`, `{"data": {"text": "\u0000"}}`, "{\"name\": \"\xff\"}",
		`{"data": {"text": "a"}, "data": {}}`, `{"DATA": {}}`, `{"name": "\u202e"}`, `{"data": {"a/b~c.d[0]": {}}}`, `{"":{"":[[[{}]]]}}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		r := httptest.NewRequestWithContext(t.Context(), "POST", "/v1/case-types/note/cases", bytes.NewReader(body))
		r.Header.Set("Authorization", "Bearer "+w.bearer)
		r.Header.Set("Content-Type", "application/json")
		answer := httptest.NewRecorder()
		w.handler.ServeHTTP(answer, r)
		var v struct{ Code, Reference string }
		if err := json.Unmarshal(answer.Body.Bytes(), &v); err != nil {
			t.Fatalf("%d %s: %v", answer.Code, answer.Body, err)
		}
		if answer.Code >= 500 || (answer.Code == 201) != (v.Reference != "") || (answer.Code == 201) != (v.Code == "") {
			t.Fatalf("%d %s", answer.Code, answer.Body)
		}
	})
}
