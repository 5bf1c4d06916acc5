package api_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"github.com/casehook/casehook/internal/wire/wiretest"
)

// A sample that a secret alone signs is accepted by a receiver that knows that secret, and by no other. Its outcome
// is shown with the secret.
func TestASecretIsTestedAlone(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, w *world) {
		var known string
		receiver := httptest.NewServer(wiretest.Handler(t,
			http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
				raw, _ := io.ReadAll(r.Body)
				hook, err := standardwebhooks.NewWebhook(known)
				must(t, err)
				if hook.Verify(raw, r.Header) != nil {
					rw.WriteHeader(http.StatusUnauthorized)
				}
			})))
		defer receiver.Close()
		made := w.post("/v1/endpoints", `{"url": "`+receiver.URL+`", "triggers": ["case_created"]}`).is(201, "")
		path := made.header.Get("Location")
		known = made.text("secret")
		rotated := w.post(path+"/secrets", `{}`).is(201, "")
		secret := rotated.text("id")
		before := w.get(path).is(200, "")
		tested := func() (newest, oldest any) {
			all := w.get(path+"/secrets").is(200, "").items()
			if len(all) != 2 {
				t.Fatalf("there are %d secrets", len(all))
			}
			return all[0].(map[string]any)["tested"], all[1].(map[string]any)["tested"]
		}
		if newest, oldest := tested(); newest != nil || oldest != nil {
			t.Errorf("before any test: %v, %v", newest, oldest)
		}
		w.post(path+"/test", `{"trigger": "case_created"}`).is(200, "").
			has(members{"delivered": true, "secret_id": nil})
		alone := `{"trigger": "case_created", "secret_id": "` + secret + `"}`
		w.post(path+"/test", alone).is(200, "").
			has(members{"delivered": false, "status": "401", "secret_id": secret})
		newest, oldest := tested()
		hasMembers(t, "refused", newest, members{"delivered": false, "status": "401", "failure": nil})
		if oldest != nil {
			t.Errorf("the other secret has a test: %v", oldest)
		}
		known = rotated.text("secret")
		w.post(path+"/test", alone).is(200, "").has(members{"delivered": true, "status": "200"})
		newest, _ = tested()
		hasMembers(t, "accepted", newest, members{"delivered": true, "status": "200", "failure": nil})
		if after := w.get(path).is(200, ""); after.header.Get("Etag") != before.header.Get("Etag") ||
			string(after.body) != string(before.body) {
			t.Errorf("a test changes the endpoint from %s to %s", before.body, after.body)
		}
		audit := w.get("/v1/audit?limit=1").is(200, "").items()[0].(map[string]any)
		hasMembers(t, "the audit", audit["detail"], members{"secret": secret, "delivered": true})
		other := w.post("/v1/endpoints", `{"url": "`+receiver.URL+`", "triggers": ["case_created"]}`).is(201, "")
		for _, path := range []string{path, other.header.Get("Location")} {
			wrong := secret
			if path == made.header.Get("Location") {
				wrong = "sec_none"
			}
			w.post(path+"/test", `{"trigger": "case_created", "secret_id": "`+wrong+`"}`).
				is(404, "endpoint.secret_not_found")
		}
		w.do("DELETE", path+"/secrets/"+w.get(path + "/secrets").items()[1].(map[string]any)["id"].(string), nil).
			is(204, "")
		last := w.get(path+"/secrets").is(200, "").items()[0].(map[string]any)
		hasMembers(t, "kept", last["tested"], members{"delivered": true})
		w.post(path+"/secrets", `{"overlap": "0s"}`).is(201, "")
		w.post(path+"/test", alone).is(404, "endpoint.secret_not_found")
	})
}
