package casework_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/casehook/casehook/internal/endpoint"
	"github.com/casehook/casehook/internal/fault"
	"github.com/casehook/casehook/internal/store"
)

// credentials returns the headers of the last question that tell who asks.
func (a permits) credentials(path string) (got []string) {
	at := a.world.callbacks.at(a.key + "-" + path)
	header := at.requests[len(at.requests)-1].Header
	for _, name := range []string{"Authorization", "Serviceauthorization", "User-Id", "User-Roles"} {
		got = append(got, header.Get(name))
	}
	return got
}

func (a permits) set(name string, c endpoint.Credentials) {
	a.world.t.Helper()
	at := store.CallbackRef{Tenant: a.world.p.Tenant, CaseType: a.key, Callback: name}
	if _, err := a.world.types.SetCredentials(a.world.t.Context(), a.world.p, at, c); err != nil {
		a.world.t.Fatal(err)
	}
}

func TestQuestionsCarryTheCredentialsOfTheirOrigin(t *testing.T) {
	dialects(t, func(t *testing.T, a permits) {
		w := a.world
		bearer := func(token string) endpoint.Auth { return endpoint.Auth{Kind: endpoint.BearerAuth, Token: token} }
		all := endpoint.Credentials{Origin: "${CASEHOOK_VAR_CALLBACKS}", Auth: bearer("all")}
		own := endpoint.Credentials{
			Origin: w.callbacks.url, Auth: bearer("own"),
			Headers: []endpoint.Header{{Name: "ServiceAuthorization", Value: "service"}},
		}
		changed := own
		changed.Auth.Token, changed.Headers = endpoint.Hidden, nil
		user := []string{"", ""}
		w.p.Further = "town-clerk"
		if a.ccd() {
			user = []string{w.p.Actor.TokenID, string(w.p.Role) + ",town-clerk"}
		}
		want := func(credentials ...string) {
			t.Helper()
			if _, err := a.start("create", false); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(append(credentials, user...), a.credentials("start")); diff != "" {
				t.Errorf("the credentials (-want +got):\n%s", diff)
			}
		}
		want("", "")
		a.set("@type", all)
		want("Bearer all", "")
		a.set("create", own)
		want("Bearer own", "service")
		a.set("create", changed)
		want("Bearer own", "")
		a.set("create", endpoint.Credentials{Origin: "https://elsewhere.example", Auth: bearer("secret")})
		want("", "")
		if err := w.types.DeleteCredentials(t.Context(), w.p, a.key, "create"); err != nil {
			t.Fatal(err)
		}
		want("Bearer all", "")
		if kept := a.lastQuestion(t); strings.Contains(string(kept.Answer.Body), "Bearer") {
			t.Errorf("of the answer is kept %s", kept.Answer.Body)
		}
	})
}

// lastQuestion returns the question that was kept last. Its callback answered with the credentials it was asked with.
func (a permits) lastQuestion(t *testing.T) store.Question {
	t.Helper()
	a.answer("start", 200, `{"echo": "Bearer all"}`)
	if _, err := a.start("create", false); err != nil {
		t.Fatal(err)
	}
	return a.world.asked(a.world.p, store.QuestionFilter{Type: a.key, Limit: 1})[0]
}

func TestCredentialsAreRefusedWithTheFieldThatIsWrong(t *testing.T) {
	w := start(t)
	w.put(w.p, permit("Permit", "ccd"))
	for path, c := range map[string]endpoint.Credentials{
		"/origin":             {Origin: "callbacks.example.com"},
		"/headers/Webhook-Id": {Headers: []endpoint.Header{{Name: "Webhook-Id", Value: "1"}}},
		"/headers/user-roles": {Headers: []endpoint.Header{{Name: "user-roles", Value: "admin"}}},
		"/headers/Casehook-X": {Headers: []endpoint.Header{{Name: "Casehook-X", Value: "1"}}},
		"/auth/token":         {Auth: endpoint.Auth{Kind: endpoint.BearerAuth, Token: endpoint.Hidden}},
		"/tls/ca":             {TLS: endpoint.TLS{CA: "x"}},
	} {
		if c.Origin == "" {
			c.Origin = "https://callbacks.example.com"
		}
		at := store.CallbackRef{Tenant: w.p.Tenant, CaseType: "Permit", Callback: "create"}
		_, err := w.types.SetCredentials(t.Context(), w.p, at, c)
		wantFault(t, err, fault.Unprocessable, "callback.credentials_invalid")
		if fields := fault.As(err).Fields; len(fields) != 1 || fields[0].Path != path {
			t.Errorf("%v; want a fault of %s", err, path)
		}
	}
}
