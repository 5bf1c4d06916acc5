package hooks_test

import (
	"testing"
	"time"

	"github.com/casehook/casehook/internal/casetype"
	"github.com/casehook/casehook/internal/endpoint"
	"github.com/casehook/casehook/internal/fault"
	"github.com/casehook/casehook/internal/store"
)

// fails saves that an endpoint has been failing for a long time.
func (w *world) fails(e endpoint.Endpoint) time.Time {
	w.t.Helper()
	ctx, since := w.t.Context(), time.Now().Add(-time.Hour).UTC().Truncate(time.Microsecond)
	err := w.store.Update(ctx, func(tx *store.Tx) error {
		leases, err := tx.Claim(ctx, "node", time.Hour)
		if err != nil {
			return err
		}
		lost, err := tx.Settle(ctx,
			[]store.Settlement{{Tenant: e.Tenant, Endpoint: e.ID, Epoch: leases[0].Epoch, Health: []store.HealthChange{{
				Base: e.Health.Version, Health: endpoint.Health{
					Version: e.Health.Version + 1, Since: since, Counted: since, Reported: true, Reason: "503 Service Unavailable", Breaker: endpoint.Open,
				},
			}}}})
		if len(lost) > 0 {
			w.t.Errorf("%v are lost", lost)
		}
		return err
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return since
}

func TestAChangeOfAFailingEndpointRestartsItsTime(t *testing.T) {
	engines(t, func(t *testing.T, w *world) {
		for name, c := range map[string]struct {
			change func(*endpoint.Endpoint)
			again  bool
		}{
			"it is described":  {func(e *endpoint.Endpoint) { e.Description = "broken" }, false},
			"it is paused":     {func(e *endpoint.Endpoint) { e.Status = endpoint.Paused }, false},
			"it is moved":      {func(e *endpoint.Endpoint) { e.URL += "/new" }, true},
			"it is set active": {func(e *endpoint.Endpoint) { e.Status = endpoint.Active }, true},
		} {
			e := w.endpoint("", "https://crm.example", "case_created")
			since := w.fails(e)
			if name == "it is set active" {
				w.change(e.ID, func(e *endpoint.Endpoint) { e.Status = endpoint.Paused })
			}
			w.change(e.ID, c.change)
			got, contact, err := w.endpoints.EndpointHealth(t.Context(), w.p, e.ID)
			if err != nil {
				t.Fatal(err)
			}
			h := got.Health
			if again := h.Counted.IsZero() &&
				h.Breaker == endpoint.Closed; again != c.again || !h.Since.Equal(since) || !h.Reported {
				t.Errorf("%s: its health is %+v", name, h)
			}
			if got.Condition() != endpoint.Failing || !contact.Attempt.IsZero() {
				t.Errorf("%s: it is %s, asked last %v", name, got.Condition(), contact.Attempt)
			}
			if err := w.endpoints.DeleteEndpoint(t.Context(), w.p, e.ID); err != nil {
				t.Fatal(err)
			}
		}
	})
}

func (w *world) change(id string, change func(*endpoint.Endpoint)) {
	w.t.Helper()
	if _, err := w.endpoints.UpdateEndpoint(w.t.Context(), w.p, id, change); err != nil {
		w.t.Fatal(err)
	}
}

func TestTheHealthOfAnEndpointAboveTheCallerIsNotThere(t *testing.T) {
	engines(t, func(t *testing.T, w *world) {
		e := w.endpoint("", "https://crm.example", "case_created")
		below := w.p
		below.Clearance = casetype.Private
		if _, _, err := w.endpoints.EndpointHealth(t.Context(), below, e.ID); fault.As(err) == nil ||
			fault.As(err).Code != "endpoint.not_found" {
			t.Errorf("it is: %v", err)
		}
	})
}
