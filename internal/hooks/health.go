package hooks

import (
	"context"

	"github.com/casehook/casehook/internal/access"
	"github.com/casehook/casehook/internal/endpoint"
	"github.com/casehook/casehook/internal/input"
	"github.com/casehook/casehook/internal/store"
)

// EndpointHealth returns an endpoint, and its last contact.
func (s *Endpoints) EndpointHealth(
	ctx context.Context, p access.Principal, endpointID string,
) (e endpoint.Endpoint, c store.LastContact, err error) {
	if err := s.guard.Permit(ctx, p, access.GetEndpointHealth); err != nil {
		return e, c, err
	}
	if !input.Word(endpointID) {
		return e, c, endpointMissing()
	}
	if e, err = findEndpoint(ctx, s.store, p, endpointID); err != nil {
		return e, c, err
	}
	c, err = s.store.LastContact(ctx, p.Tenant, endpointID)
	return shownTo(p, e), c, err
}

// repaired reports whether a change may have repaired an endpoint that fails, so that its time of failures starts
// again.
func repaired(before, after endpoint.Endpoint) bool {
	return after.Status == endpoint.Active && before.Status != endpoint.Active || after.URL != before.URL
}
