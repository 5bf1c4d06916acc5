package endpoint_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/casehook/casehook/internal/endpoint"
)

func TestRotatedSecretsSignForTheOverlap(t *testing.T) {
	at := func(h int) time.Time { return time.Date(2026, 3, 1, h, 0, 0, 0, time.UTC) }
	secrets := endpoint.Rotate(nil, endpoint.Secret{ID: "a", Kind: endpoint.V1, CreatedAt: at(0)}, time.Hour)
	secrets = endpoint.Rotate(secrets, endpoint.Secret{ID: "k", Kind: endpoint.V1a, CreatedAt: at(1)}, time.Hour)
	secrets = endpoint.Rotate(secrets, endpoint.Secret{ID: "b", Kind: endpoint.V1, CreatedAt: at(2)}, 5*time.Hour)
	secrets = endpoint.Rotate(secrets, endpoint.Secret{ID: "c", Kind: endpoint.V1, CreatedAt: at(3)}, 20*time.Hour)
	signing := func(at time.Time) (ids string) {
		for _, s := range (endpoint.Endpoint{Secrets: secrets}).Signing(at) {
			ids += s.ID
		}
		return ids
	}
	got := []string{
		signing(at(3)), signing(at(7).Add(-1)), signing(at(7)), signing(at(23).Add(-1)), signing(at(23)),
		signing(at(23).AddDate(9, 0, 0)),
	}
	if diff := cmp.Diff([]string{"cbka", "cbka", "cbk", "cbk", "ck", "ck"}, got); diff != "" {
		t.Error(diff)
	}
	// The overlap of an earlier rotation is never made longer, and no overlap ends secrets at once.
	secrets = endpoint.Rotate(secrets, endpoint.Secret{ID: "d", Kind: endpoint.V1, CreatedAt: at(8)}, 0)
	if got := signing(at(8)); got != "dk" || len(secrets) != 2 {
		t.Errorf("without an overlap %s sign, and %d are kept", got, len(secrets))
	}
}
