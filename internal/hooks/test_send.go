package hooks

import (
	"context"
	"time"

	"github.com/casehook/casehook/internal/access"
	"github.com/casehook/casehook/internal/authz"
	"github.com/casehook/casehook/internal/endpoint"
	"github.com/casehook/casehook/internal/store"
	"github.com/casehook/casehook/internal/wire"
)

// Test is a request to send an endpoint a sample of a trigger.
type Test struct {
	Endpoint string // its id
	Trigger  string
	Send     SendFunc
}

// TestResult is the result of a test.
type TestResult struct {
	store.Attempt
	Reason string
}

// SendFunc sends a sample of a trigger to an endpoint.
type SendFunc func(ctx context.Context, e endpoint.Endpoint, trigger string) (a store.Attempt, reason string, err error)

// TestEndpoint sends a sample to an endpoint. It records the test after the answer, so that no transaction is open
// while the endpoint answers.
func (s *Messages) TestEndpoint(
	ctx context.Context, p access.Principal, t Test, once authz.Once,
) (out TestResult, err error) {
	if err := s.guard.Permit(ctx, p, access.TestEndpoint); err != nil {
		return out, err
	}
	e, err := s.knownEndpoint(ctx, p, t.Endpoint)
	if err != nil {
		return out, err
	}
	if !wire.Known(t.Trigger) {
		return out, triggerMissing(t.Trigger)
	}
	err = s.guard.Once(ctx, p, once, func() error {
		if err := s.guard.Claim(ctx, p, once, time.Duration(e.Policy.Timeout)); err != nil {
			return err
		}
		if out.Attempt, out.Reason, err = t.Send(ctx, e, t.Trigger); err != nil {
			return err
		}
		m := authz.NewMandate(p, access.TestEndpoint)
		m.Waited = true
		return s.guard.Update(ctx, m, func(tx *store.Tx) error {
			err := s.guard.Record(ctx, tx, authz.Note{
				Who:     p,
				What:    access.EndpointTested,
				Subject: authz.AboutEndpoint(e),
				Detail:  map[string]any{"trigger": out.Trigger, "delivered": out.Delivered},
			})
			if err != nil {
				return err
			}
			return s.guard.Keep(ctx, tx, p, once, out)
		})
	})
	return out, err
}
