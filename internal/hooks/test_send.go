package hooks

import (
	"context"
	"encoding/json"
	"slices"
	"time"

	"github.com/casehook/casehook/internal/access"
	"github.com/casehook/casehook/internal/authz"
	"github.com/casehook/casehook/internal/endpoint"
	"github.com/casehook/casehook/internal/fault"
	"github.com/casehook/casehook/internal/store"
	"github.com/casehook/casehook/internal/wire"
)

// Test is a request to send an endpoint a sample of a trigger.
type Test struct {
	Endpoint string // its id
	Trigger  string
	Body     []byte // JSON to send in place of the sample's; empty: the sample's own
	Secret   string // the id of the secret that is to sign alone; empty: all that are in force
	Send     SendFunc
}

// maxSample bounds the body of a test, in bytes.
const maxSample = 256 << 10

// check refuses a body that is not JSON, or too long, and any body of a receiver, who could have it signed.
func (t Test) check(p access.Principal) error {
	message := ""
	switch {
	case len(t.Body) > 0 && p.Role == access.Receiver:
		message = "can't be chosen in a portal; leave it out to send the sample"
	case len(t.Body) > maxSample:
		message = "is longer than 256 KiB"
	case len(t.Body) > 0 && !json.Valid(t.Body):
		message = "is not valid JSON"
	default:
		return nil
	}
	return fault.In("request.body_invalid", "The request's body is not as described: see fields.",
		fault.Field{Path: "/body", Message: message})
}

// TestResult is the result of a test.
type TestResult struct {
	store.Attempt
	Reason string
	Secret string // that signed alone; empty: all that were in force
}

// signer returns the endpoint with the secret that is to sign alone. A receiver knows of none.
func (t Test) signer(p access.Principal, e endpoint.Endpoint, now time.Time) (endpoint.Endpoint, error) {
	if t.Secret == "" {
		return e, nil
	}
	e.Secrets = slices.DeleteFunc(e.Signing(now), func(s endpoint.Secret) bool { return s.ID != t.Secret })
	if len(e.Secrets) == 0 || p.Role == access.Receiver {
		return e, fault.New(fault.NotFound, "endpoint.secret_not_found",
			"The endpoint has no secret with this id. List its secrets for their ids.")
	}
	return e, nil
}

// SendFunc sends a sample of a trigger to an endpoint, with a body of the caller's if that is not empty.
type SendFunc func(
	ctx context.Context, e endpoint.Endpoint, trigger string, body []byte,
) (a store.Attempt, reason string, err error)

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
	if err := t.check(p); err != nil {
		return out, err
	}
	sender, err := t.signer(p, e, s.now())
	if err != nil {
		return out, err
	}
	err = s.guard.Once(ctx, p, once, func() error {
		if err := s.guard.Claim(ctx, p, once, time.Duration(e.Policy.Timeout)); err != nil {
			return err
		}
		if out.Attempt, out.Reason, err = t.Send(ctx, sender, t.Trigger, t.Body); err != nil {
			return err
		}
		out.Secret = t.Secret
		m := authz.NewMandate(p, access.TestEndpoint)
		m.Waited = true
		return s.guard.Update(ctx, m, func(tx *store.Tx) error {
			detail := map[string]any{"trigger": out.Trigger, "delivered": out.Delivered, "edited": len(t.Body) > 0}
			if t.Secret != "" {
				detail["secret"] = t.Secret
				tested := endpoint.SecretTest{
					At: out.At, Status: out.Status, Class: out.Class, Delivered: out.Delivered,
				}
				if err := tx.NoteTest(ctx, p.Tenant, e.ID, t.Secret, tested); err != nil {
					return err
				}
			}
			err := s.guard.Record(ctx, tx, authz.Note{
				Who: p, What: access.EndpointTested, Subject: authz.AboutEndpoint(e), Detail: detail,
			})
			if err != nil {
				return err
			}
			return s.guard.Keep(ctx, tx, p, once, out)
		})
	})
	return out, err
}
