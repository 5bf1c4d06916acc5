package delivery

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/casehook/casehook/internal/delivery/machine"
	"github.com/casehook/casehook/internal/endpoint"
	"github.com/casehook/casehook/internal/wire"
)

// During the overlap both secrets sign; afterwards the new one signs alone.
func TestASecretSignsUntilItExpires(t *testing.T) {
	end := time.Date(2026, 3, 14, 15, 0, 0, 0, time.UTC)
	e := endpoint.Endpoint{Secrets: []endpoint.Secret{
		{ID: "sec_2", Kind: endpoint.V1, Key: []byte("new")},
		{ID: "sec_1", Kind: endpoint.V1, Key: []byte("old"), ExpiresAt: end},
		{ID: "sec_3", Kind: endpoint.V1a, Key: []byte("seed")},
	}}
	for _, test := range []struct {
		now  time.Time
		keys []string
	}{
		{end.Add(-time.Hour), []string{"new", "old"}},
		{end.Add(-1), []string{"new", "old"}},
		{end, []string{"new"}},
		{end.Add(time.Hour), []string{"new"}},
	} {
		r := requestOf(e, e.Policy.WithDefaults(), &machine.Message{Body: &wire.Message{}}, test.now)
		var keys []string
		for _, key := range r.Keys {
			keys = append(keys, string(key))
		}
		if diff := cmp.Diff(test.keys, keys); diff != "" || len(r.Seeds) != 1 || !r.At.Equal(test.now) {
			t.Errorf("at %v (-want +got):\n%s, %d seeds, made at %v", test.now, diff, len(r.Seeds), r.At)
		}
	}
}
