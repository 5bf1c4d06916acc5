package hooks_test

import (
	"bytes"
	"testing"
	"time"

	"github.com/casehook/casehook/internal/authz"
	"github.com/casehook/casehook/internal/endpoint"
	"github.com/casehook/casehook/internal/fault"
	"github.com/casehook/casehook/internal/secrets"
)

func TestSecretsAreRotatedAndDeleted(t *testing.T) {
	engines(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		e := w.endpoint("crm", "https://crm.example", "case_created")
		rotate := func(q secrets.Request) (endpoint.Secret, error) {
			return w.endpoints.RotateEndpointSecret(ctx, w.p, e.ID, q, authz.Once{})
		}
		signing := func() (ids []string) {
			all, err := w.endpoints.EndpointSecrets(ctx, w.p, e.ID)
			if err != nil {
				t.Fatal(err)
			}
			for _, s := range all {
				ids = append(ids, s.ID)
			}
			return ids
		}
		own := bytes.Repeat([]byte{7}, 24)
		supplied, err := rotate(secrets.Request{Kind: endpoint.V1, Key: own, Overlap: time.Hour})
		if err != nil || !bytes.Equal(supplied.Key, own) || len(signing()) != 2 {
			t.Fatalf("supplied %+v, %v, %v", supplied, err, signing())
		}
		_, err = rotate(secrets.Request{Kind: endpoint.V1, Key: own, Overlap: time.Hour})
		wantFields(t, wantFault(t, err, fault.Unprocessable, "endpoint.invalid"), "/secret")
		wantFault(t, w.endpoints.DeleteEndpointSecret(ctx, w.p, e.ID, supplied.ID), fault.Conflict,
			"endpoint.last_secret")
		drawn, err := rotate(secrets.Request{Kind: endpoint.V1})
		if ids := signing(); err != nil || len(ids) != 1 || ids[0] != drawn.ID || len(drawn.Key) != 32 {
			t.Errorf("without an overlap %v sign, %v", ids, err)
		}
		pair, err := rotate(secrets.Request{Kind: endpoint.V1a, Overlap: time.Hour})
		if ids := signing(); err != nil || len(ids) != 2 || len(pair.Key) != 32 {
			t.Errorf("with a key pair %v sign, %v", ids, err)
		}
		wantFault(t, w.endpoints.DeleteEndpointSecret(ctx, w.p, e.ID, supplied.ID), fault.NotFound,
			"endpoint.secret_not_found")
		if err := w.endpoints.DeleteEndpointSecret(ctx, w.p, e.ID, drawn.ID); err != nil || len(signing()) != 1 {
			t.Errorf("deleted: %v, %v", err, signing())
		}
		low := w.p
		low.Clearance = "PUBLIC"
		_, err = w.endpoints.EndpointSecrets(ctx, low, e.ID)
		wantFault(t, err, fault.NotFound, "endpoint.not_found")
		_, err = w.endpoints.RotateEndpointSecret(ctx, low, e.ID, secrets.Request{Kind: endpoint.V1}, authz.Once{})
		wantFault(t, err, fault.NotFound, "endpoint.not_found")
		wantFault(t, w.endpoints.DeleteEndpointSecret(ctx, low, e.ID, pair.ID), fault.NotFound, "endpoint.not_found")
		got, err := w.endpoints.Endpoint(ctx, w.p, e.ID)
		if err != nil || got.Revision != e.Revision+4 {
			t.Errorf("revision %d, %v: delivery must see each change", got.Revision, err)
		}
	})
}

func TestAnEndpointMayBringItsSecret(t *testing.T) {
	w := start(t)
	for text, want := range map[string]endpoint.SecretKind{
		"whsec_c2VzYW1lc2VzYW1lc2VzYW1lc2VzYW1l": endpoint.V1, "whsk_c2VzYW1lc2VzYW1lc2VzYW1lc2VzYW1lc2VzYW1lc2U=": endpoint.V1a,
	} {
		kind, key, err := secrets.Parse(secrets.InvalidEndpoint, text)
		if err != nil || kind != want {
			t.Fatalf("%s: %s, %v", text, kind, err)
		}
		e, err := w.endpoints.CreateEndpoint(t.Context(),
			w.p, endpoint.Endpoint{URL: "https://a.example", Triggers: []string{"case_created"},
				Secrets: []endpoint.Secret{{Kind: kind, Key: key}}}, authz.Once{})
		if err != nil || len(e.Secrets) != 1 || !bytes.Equal(e.Secrets[0].Key, key) || e.Secrets[0].ID == "" ||
			e.Secrets[0].Kind != kind {
			t.Errorf("%s: %+v, %v", text, e.Secrets, err)
		}
	}
	_, _, err := secrets.Parse(secrets.InvalidEndpoint, "sesame")
	wantFields(t, wantFault(t, err, fault.Unprocessable, "endpoint.invalid"), "/secret")
}
