package demo

import (
	"context"
	"crypto/rand"
	"fmt"
	"net/http"
	"net/url"
)

// console prepares what the console shows when the story is over: more cases, a refused submission, an endpoint that
// fails, and a person who signs in. It returns the address at which the form to sign in is filled in; the secret is
// behind the #, which browsers send to no server.
func (s *stage) console(ctx context.Context, server, broken string) (string, error) {
	password := rand.Text()
	for _, make := range []call{
		{Method: http.MethodPost, Path: "/v1/users", Body: map[string]any{
			"email": "demo@casehook.example", "name": "Demo Administrator", "role": "admin", "clearance": "RESTRICTED",
			"password": password,
		}},
		{Method: http.MethodPost, Path: "/v1/endpoints", Body: map[string]any{
			"name": "broken", "url": broken + "/webhooks", "triggers": []string{"case_created", "case_changed"},
			"policy": map[string]any{"retries": []string{"5s", "30s", "5m", "30m"}},
		}},
	} {
		if err := s.api.Call(ctx, make, nil); err != nil {
			return "", err
		}
	}
	if err := s.moreClients(ctx); err != nil {
		return "", err
	}
	secret := url.Values{"email": {"demo@casehook.example"}, "password": {password}}
	return server + "/sign-in#" + secret.Encode(), nil
}

// clients are those whose cases the console shows beside that of the story.
var clients = []map[string]any{
	{"client_name": "Halvorsen Shipping AS", "country": "NO", "email": "compliance@halvorsen.example",
		"source_of_funds": "business", "nationalities": []string{"NO"},
		"company": map[string]any{"name": "Halvorsen Shipping AS", "address": map[string]any{"city": "Bergen"}}},
	{"client_name": "Mehmet Yıldız", "country": "TR", "source_of_funds": "salary"},
	{"client_name": "Brightwater Holdings Ltd", "country": "GB", "source_of_funds": "investments"},
	{"client_name": "Delphine Marchand", "country": "FR", "source_of_funds": "inheritance"},
	{"client_name": "Pyongyang Trading", "country": "KP", "email": "office@trading.example",
		"source_of_funds": "other"},
}

// moreClients creates cases, and submits one that its callback refuses.
func (s *stage) moreClients(ctx context.Context) error {
	var last struct {
		ID int64 `json:"id"`
	}
	for _, data := range clients {
		create := call{Method: http.MethodPost, Path: "/v1/case-types/kyc/cases", Body: map[string]any{"data": data}}
		if err := s.api.Call(ctx, create, &last); err != nil {
			return err
		}
	}
	submit := call{Method: http.MethodPost, Path: fmt.Sprintf("/v1/cases/%d/transitions/submit", last.ID)}
	refused, err := s.api.Do(ctx, submit)
	if err == nil && refused.Status != http.StatusUnprocessableEntity {
		err = fmt.Errorf("the submission of a client from a country that is not accepted got %d", refused.Status)
	}
	return err
}
