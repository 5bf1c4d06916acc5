package hooks

import (
	"cmp"
	"context"
	"errors"
	"time"

	"github.com/casehook/casehook/internal/access"
	"github.com/casehook/casehook/internal/authz"
	"github.com/casehook/casehook/internal/casetype"
	"github.com/casehook/casehook/internal/endpoint"
	"github.com/casehook/casehook/internal/fault"
	"github.com/casehook/casehook/internal/filter"
	"github.com/casehook/casehook/internal/id"
	"github.com/casehook/casehook/internal/input"
	"github.com/casehook/casehook/internal/secrets"
	"github.com/casehook/casehook/internal/store"
	"github.com/casehook/casehook/internal/wire"
)

// CreateEndpoint adds an endpoint with a secret of its own, to be shown once. It receives messages from now on.
// Without a Token it belongs to the caller's token. A secret may be supplied: the first of Secrets, by Kind and Key.
func (s *Endpoints) CreateEndpoint(
	ctx context.Context, p access.Principal, e endpoint.Endpoint, once authz.Once,
) (endpoint.Endpoint, error) {
	return s.CreateEndpointFrom(ctx, p, e, Start{}, once)
}

// CreateEndpointFrom is CreateEndpoint with a start in the past.
func (s *Endpoints) CreateEndpointFrom(
	ctx context.Context, p access.Principal, e endpoint.Endpoint, from Start, once authz.Once,
) (endpoint.Endpoint, error) {
	if err := s.guard.Permit(ctx, p, access.CreateEndpoint); err != nil {
		return endpoint.Endpoint{}, err
	}
	made, err := s.newEndpoint(ctx, p, e)
	if err != nil {
		return endpoint.Endpoint{}, err
	}
	err = s.guard.Once(ctx, p, once, func() error {
		return s.guard.Update(ctx, authz.NewMandate(p, access.CreateEndpoint), func(tx *store.Tx) error {
			if err := tx.CheckEndpointName(ctx, made, p.Clearance); err != nil {
				return err
			}
			if err := tx.CreateEndpoint(ctx, made, id.New("cur")); err != nil {
				return err
			}
			if err := startAt(ctx, tx, made, from); err != nil {
				return err
			}
			err := s.guard.Record(ctx, tx, authz.Note{
				Who:     p,
				What:    access.EndpointCreated,
				Subject: authz.AboutEndpoint(made),
				Detail:  map[string]any{"name": made.Name, "triggers": made.Triggers},
			})
			if err != nil {
				return err
			}
			return s.guard.Keep(ctx, tx, p, once, made)
		})
	})
	if err != nil {
		return endpoint.Endpoint{}, err
	}
	return made, nil
}

// newEndpoint returns a valid endpoint with an id and a secret.
func (s *Endpoints) newEndpoint(
	ctx context.Context, p access.Principal, e endpoint.Endpoint,
) (endpoint.Endpoint, error) {
	e.Clearance = cmp.Or(e.Clearance, p.Clearance)
	if e.Token == "" {
		e.Token = p.Actor.TokenID
	} else if err := checkOwn(ctx, s.store, p.Tenant, e.Token); err != nil {
		return e, err
	}
	if err := checkEndpoint(&e, p); err != nil {
		return e, err
	}
	now := s.now()
	if err := checkCertificate(e.TLS, now); err != nil {
		return e, err
	}
	secret, err := s.newSecretOf(e, now)
	e.ID, e.Tenant, e.Secrets = id.New("ep"), p.Tenant, []endpoint.Secret{secret}
	e.Status, e.Reached, e.Owner = endpoint.Active, e.Clearance, string(p.Owner())
	e.Revision, e.CreatedAt, e.UpdatedAt = 1, now, now
	return e, err
}

// newSecretOf completes the secret that the caller supplied, or generates one.
func (s *Endpoints) newSecretOf(e endpoint.Endpoint, now time.Time) (endpoint.Secret, error) {
	if len(e.Secrets) > 0 {
		return endpoint.Secret{ID: id.New("sec"), Kind: e.Secrets[0].Kind, Key: e.Secrets[0].Key, CreatedAt: now}, nil
	}
	return secrets.Draw(s.random, endpoint.V1, now)
}

// checkEndpoint validates an endpoint and puts its lists in order.
func checkEndpoint(e *endpoint.Endpoint, p access.Principal) error {
	wrong := e.Check(wire.Names())
	switch {
	case e.Clearance.Level() == 0:
		wrong = append(wrong, fault.Field{Path: "/clearance", Message: "is not one of PUBLIC, PRIVATE, RESTRICTED"})
	case !p.Clearance.Sees(e.Clearance):
		wrong = append(wrong, fault.Field{
			Path:    "/clearance",
			Message: "is above yours, which is " + string(p.Clearance),
		})
	}
	if _, unfit := filter.Compile(e.Filter); unfit != nil {
		wrong = append(wrong, fault.Field{Path: "/filter", Message: unfit.Error()})
	}
	if message := input.LineProblem(e.Name, 100); message != "" {
		wrong = append(wrong, fault.Field{Path: "/name", Message: message})
	}
	switch e.Status {
	case "", endpoint.Active, endpoint.Paused, endpoint.Disabled:
	default:
		wrong = append(wrong, fault.Field{Path: "/status", Message: "is neither active nor paused"})
	}
	if len(wrong) > 0 {
		return fault.In("endpoint.invalid", "The endpoint was not saved: see fields.", wrong...)
	}
	e.Normalise()
	return nil
}

// checkOwn refuses a token that is not the tenant's. The answer is the same for another tenant's token and for one
// that does not exist.
func checkOwn(ctx context.Context, r tokens, tenant int64, tokenID string) error {
	if !input.Word(tokenID) {
		return notOwn()
	}
	token, err := r.Token(ctx, tokenID)
	if err != nil && !errors.Is(err, fault.NotFound) {
		return err
	}
	if err != nil || token.Tenant != tenant {
		return notOwn()
	}
	return nil
}

func notOwn() error {
	return fault.In("endpoint.invalid", "The endpoint was not saved: see fields.",
		fault.Field{Path: "/token", Message: "is not the id of a token; GET /v1/tokens lists them"})
}

// tokens finds tokens. Both store.Store and store.Tx do.
type tokens interface {
	Token(ctx context.Context, id string) (access.Token, error)
}

// UpdateEndpoint changes the settings of an endpoint. Change may be called more than once. If it changes nothing, the
// revision stays as it is.
func (s *Endpoints) UpdateEndpoint(
	ctx context.Context, p access.Principal, endpointID string, change func(*endpoint.Endpoint),
) (endpoint.Endpoint, error) {
	return s.UpdateEndpointFrom(ctx, p, endpointID, false, change)
}

// UpdateEndpointFrom is UpdateEndpoint; atHead moves the endpoint to the head of the journal, so that it never
// receives the messages that wait for it.
func (s *Endpoints) UpdateEndpointFrom(
	ctx context.Context, p access.Principal, endpointID string, atHead bool, change func(*endpoint.Endpoint),
) (endpoint.Endpoint, error) {
	if err := s.guard.Permit(ctx, p, access.UpdateEndpoint); err != nil {
		return endpoint.Endpoint{}, err
	}
	if !input.Word(endpointID) {
		return endpoint.Endpoint{}, endpointMissing()
	}
	var saved endpoint.Endpoint
	err := authz.Retry("endpoint.version_conflict", func() error {
		return s.guard.Update(ctx, authz.NewMandate(p, access.UpdateEndpoint), func(tx *store.Tx) error {
			before, err := findEndpoint(ctx, tx, p, endpointID)
			if err != nil {
				return err
			}
			if saved, err = s.changeEndpoint(ctx, tx, p, before, change); err != nil {
				return err
			}
			if atHead {
				if err := s.skip(ctx, tx, p, saved); err != nil {
					return err
				}
			}
			if saved.Revision == before.Revision {
				return nil
			}
			of := authz.AboutEndpoint(saved)
			of.Class = casetype.Higher(of.Class, before.Clearance)
			return s.guard.Record(ctx, tx, authz.Note{
				Who:     p,
				What:    access.EndpointUpdated,
				Subject: of,
				Detail: map[string]any{
					"triggers": saved.Triggers,
					"status":   saved.Status,
					"moved":    saved.URL != before.URL,
					"auth":     saved.Auth.Kind,
					"tls":      saved.TLS != (endpoint.TLS{}),
				},
			})
		})
	})
	if err != nil {
		return endpoint.Endpoint{}, err
	}
	return saved, nil
}

func (s *Endpoints) changeEndpoint(
	ctx context.Context, tx *store.Tx, p access.Principal, before endpoint.Endpoint, change func(*endpoint.Endpoint),
) (endpoint.Endpoint, error) {
	after := before.Clone()
	change(&after)
	after.ID, after.Tenant, after.Secrets = before.ID, before.Tenant, before.Secrets
	after.Revision, after.CreatedAt, after.UpdatedAt = before.Revision, before.CreatedAt, s.now()
	if after.Token != "" && after.Token != before.Token {
		if err := checkOwn(ctx, tx, after.Tenant, after.Token); err != nil {
			return after, err
		}
	}
	if after.URL != before.URL || after.Owner != before.Owner {
		after.Owner = string(p.Owner())
	}
	after.Reached = casetype.Higher(before.Reached, after.Clearance)
	if err := checkEndpoint(&after, p); err != nil {
		return after, err
	}
	if after.Status == endpoint.Disabled && before.Status != endpoint.Disabled {
		return after, fault.In("endpoint.invalid", "The endpoint was not saved: see fields.",
			fault.Field{Path: "/status", Message: "can't be set to disabled; pause the endpoint instead"})
	}
	if after.TLS != before.TLS {
		if err := checkCertificate(after.TLS, s.now()); err != nil {
			return after, err
		}
	}
	if after.Same(before) {
		return before, nil
	}
	if after.Name != before.Name || after.Clearance != before.Clearance {
		if err := tx.CheckEndpointName(ctx, after, p.Clearance); err != nil {
			return after, err
		}
	}
	if repaired(before, after) {
		if err := tx.Recount(ctx, after.Tenant, after.ID); err != nil {
			return after, err
		}
	}
	return tx.UpdateEndpoint(ctx, after)
}

// DeleteEndpoint removes an endpoint and the messages that wait for it.
func (s *Endpoints) DeleteEndpoint(ctx context.Context, p access.Principal, endpointID string) error {
	if err := s.guard.Permit(ctx, p, access.DeleteEndpoint); err != nil {
		return err
	}
	if !input.Word(endpointID) {
		return endpointMissing()
	}
	return s.guard.Update(ctx, authz.NewMandate(p, access.DeleteEndpoint), func(tx *store.Tx) error {
		e, err := findEndpoint(ctx, tx, p, endpointID)
		if err != nil {
			return err
		}
		if err := tx.DeleteEndpoint(ctx, p.Tenant, endpointID); err != nil {
			return err
		}
		return s.guard.Record(ctx, tx, authz.Note{
			Who:     p,
			What:    access.EndpointDeleted,
			Subject: authz.AboutEndpoint(e),
		})
	})
}

// Endpoint returns an endpoint.
func (s *Endpoints) Endpoint(ctx context.Context, p access.Principal, endpointID string) (endpoint.Endpoint, error) {
	if err := s.guard.Permit(ctx, p, access.GetEndpoint); err != nil {
		return endpoint.Endpoint{}, err
	}
	e, err := s.known(ctx, p, endpointID)
	return shownTo(p, e), err
}

// known is Endpoint for an operation that is permitted already.
func (s *Endpoints) known(ctx context.Context, p access.Principal, endpointID string) (endpoint.Endpoint, error) {
	if !input.Word(endpointID) {
		return endpoint.Endpoint{}, endpointMissing()
	}
	return findEndpoint(ctx, s.store, p, endpointID)
}

// endpointReader reads endpoints. Both store.Store and store.Tx do.
type endpointReader interface {
	Endpoint(ctx context.Context, tenant int64, id string) (endpoint.Endpoint, error)
}

// findEndpoint returns an endpoint. It does not find one above the caller's clearance: a caller who changed its URL
// would see all its messages. Nor does it find one outside a receiver's scope.
func findEndpoint(ctx context.Context, r endpointReader, p access.Principal, id string) (endpoint.Endpoint, error) {
	e, err := r.Endpoint(ctx, p.Tenant, id)
	if err == nil && !seesEndpoint(p, e) {
		return endpoint.Endpoint{}, fault.New(fault.NotFound, "endpoint.not_found",
			"There is no endpoint %q. GET /v1/endpoints lists the endpoints with their ids.", id)
	}
	return e, err
}

// Endpoints lists endpoints after one of them, oldest first.
func (s *Endpoints) Endpoints(
	ctx context.Context, p access.Principal, after string, limit int,
) (none store.Page[endpoint.Endpoint], err error) {
	if err := s.guard.Permit(ctx, p, access.ListEndpoints); err != nil {
		return none, err
	}
	return s.seen(ctx, p, after, limit)
}

// seen returns the endpoints after one of them that a caller may know of.
func (s *Endpoints) seen(
	ctx context.Context, p access.Principal, after string, limit int,
) (none store.Page[endpoint.Endpoint], err error) {
	if err := input.CheckAfter(after); err != nil {
		return none, err
	}
	read := func(limit int) (store.Page[endpoint.Endpoint], error) {
		found, err := endpointsAfter(ctx, s.store, p, after, limit)
		shown := make([]endpoint.Endpoint, 0, len(found.Items))
		for _, e := range found.Items {
			after = e.ID
			if seesEndpoint(p, e) {
				shown = append(shown, shownTo(p, e))
			}
		}
		return store.Page[endpoint.Endpoint]{Items: shown, More: found.More}, err
	}
	return authz.FillPage(input.Page(limit), store.PageBytes, sizeOfEndpoint, read)
}

// sizeOfEndpoint returns roughly how many bytes of memory an endpoint needs.
func sizeOfEndpoint(e endpoint.Endpoint) int {
	n := 1<<10 + len(e.Description) + len(e.Filter)
	for key, value := range e.Metadata {
		n += len(key) + len(value)
	}
	for _, h := range e.Headers {
		n += len(h.Name) + len(h.Value)
	}
	return n
}

func endpointMissing() error {
	return fault.New(fault.NotFound, "endpoint.not_found",
		"There is no endpoint with this id. GET /v1/endpoints lists the endpoints.")
}
