package casework

import (
	"context"
	"time"

	"github.com/casehook/casehook/internal/access"
	"github.com/casehook/casehook/internal/endpoint"
	"github.com/casehook/casehook/internal/store"
)

// Tested is what came of a test.
type Tested struct {
	store.Attempt
	Reason string
}

// TestEndpoint lets send try something on an endpoint. It is sent before it is
// noted, since no transaction is open while an endpoint answers.
func (s *Service) TestEndpoint(ctx context.Context, p access.Principal, endpointID string, once Once,
	send func(context.Context, endpoint.Endpoint) (store.Attempt, string, error)) (out Tested, err error) {
	if err := s.Permit(ctx, p, "test-endpoint"); err != nil {
		return out, err
	}
	e, err := s.knownEndpoint(ctx, p, endpointID)
	if err != nil {
		return out, err
	}
	err = s.once(ctx, p, once, func() error {
		if err := s.claim(ctx, p, once, time.Duration(e.Policy.Timeout)); err != nil {
			return err
		}
		if out.Attempt, out.Reason, err = send(ctx, e); err != nil {
			return err
		}
		m := mandateOf(p, "test-endpoint")
		m.waited = true
		return s.update(ctx, m, func(tx *store.Tx) error {
			err := s.audit(ctx, tx, p, access.EndpointTested, aboutEndpoint(e), map[string]any{"trigger": out.Trigger, "delivered": out.Delivered})
			if err != nil {
				return err
			}
			return s.keep(ctx, tx, p, once, out)
		})
	})
	return out, err
}
