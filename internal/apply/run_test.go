package apply

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/casehook/casehook/internal/client"
	"github.com/casehook/casehook/internal/fault"
)

// applyTo applies a source to a server with these answers.
func applyTo(t *testing.T, source string, answer http.HandlerFunc) error {
	t.Helper()
	plan, err := Read("c.yaml", []byte(source), files(map[string]string{"note.yaml": note}),
		variables(map[string]string{"KEY": sesame}))
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(answer)
	t.Cleanup(server.Close)
	return Run(t.Context(), plan, &client.Client{Server: server.URL, Token: "chk_1.x"}, Options{Out: io.Discard})
}

func problem(w http.ResponseWriter, status int, body string) {
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(status)
	fmt.Fprint(w, body)
}

const twoItems = `
case_types:
  - note.yaml
endpoints:
  - { name: a, url: https://a.example, triggers: [case_created] }
  - name: b
    url: https://b.example
    triggers: [case_created]
    policy: { order: none }
    secret: { env: KEY }
`

func TestTheServersRefusalsHaveTheirPlaces(t *testing.T) {
	err := applyTo(t, twoItems, func(w http.ResponseWriter, r *http.Request) {
		switch body, _ := io.ReadAll(r.Body); {
		case r.Method == http.MethodPut:
			problem(w, 422,
				`{"code": "case_type.invalid", "detail": "x",
					"fields": [{"path": "/states/0", "message": "line 3: is odd"}, {"path": "/edit", "message": "is missing"}]}`)
		case r.URL.Path == "/v1/endpoints" && r.Method == http.MethodGet:
			fmt.Fprint(w, `{"items": [{"id": "ep_a", "name": "a"}], "next": null}`)
		case r.Method == http.MethodPatch:
			problem(w, 409, `{"code": "endpoint.version_conflict", "detail": "It changed meanwhile."}`)
		case r.Method == http.MethodPost && strings.Contains(string(body), sesame):
			problem(w, 422,
				`{"code": "endpoint.invalid", "detail": "x",
					"fields": [{"path": "/policy/order", "message": "is wrong"}, {"path": "/secret", "message": "is known"}]}`)
		default:
			problem(w, 404, `{"code": "case_type.not_found", "detail": "There is none."}`)
		}
	})
	want := `note.yaml:3: case type note: /states/0: is odd
note.yaml:1: case type note: /edit: is missing
c.yaml:5: endpoint a: It changed meanwhile.
c.yaml:9: endpoint b: /policy/order: is wrong
c.yaml:10: endpoint b: /secret: is known`
	if err == nil || err.Error() != want || !errors.Is(err, fault.Conflict) {
		t.Errorf("it says\n%v\nwant\n%s", err, want)
	}
}

func TestTheErrorThatEndsARunIsListedAfterRefusals(t *testing.T) {
	asked := 0
	err := applyTo(t, twoItems, func(w http.ResponseWriter, r *http.Request) {
		if asked++; r.URL.Path == "/v1/endpoints" {
			problem(w, 401, `{"code": "token.invalid", "detail": "The token was revoked."}`)
			return
		}
		problem(w, 403, `{"code": "access.denied", "detail": "You may not."}`)
	})
	if want := "c.yaml:3: case type note: You may not.\nThe token was revoked."; err == nil || err.Error() != want ||
		asked != 2 {
		t.Errorf("after %d requests it says\n%v\nwant\n%s", asked, err, want)
	}
}
