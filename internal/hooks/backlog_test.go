package hooks_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/casehook/casehook/internal/endpoint"
	"github.com/casehook/casehook/internal/hooks"
)

// The endpoints that are behind in a way are found wherever they are among all.
func TestEndpointsThatAreBehindAreFoundAmongMany(t *testing.T) {
	w := start(t)
	var want []string
	for i := range 420 {
		e := w.endpoint(fmt.Sprintf("e%d", i), "https://crm.example/", "case_created")
		if i == 3 || i > 410 {
			w.change(e.ID, func(e *endpoint.Endpoint) { e.Status = endpoint.Paused })
			want = append(want, e.ID)
		}
	}
	var got []string
	after, pages := "", 0
	for pages == 0 || after != "" {
		found, next, err := w.endpoints.EndpointsOwed(t.Context(), w.p, hooks.DebtStopped, after)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range found {
			got = append(got, e.ID)
		}
		after, pages = next, pages+1
	}
	if !slices.Equal(got, want) {
		t.Errorf("%d pages have %v, not %v", pages, got, want)
	}
}
