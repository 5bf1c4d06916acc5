package people

import (
	"cmp"
	"context"
	"errors"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/casehook/casehook/internal/access"
	"github.com/casehook/casehook/internal/authz"
	"github.com/casehook/casehook/internal/casetype"
	"github.com/casehook/casehook/internal/event"
	"github.com/casehook/casehook/internal/fault"
	"github.com/casehook/casehook/internal/input"
	"github.com/casehook/casehook/internal/store"
)

// TenantChange is an operator's change of a tenant; nil leaves a field as it is.
type TenantChange struct {
	Name      *string
	Hosts     *[]string
	Variables *[]string // names, with or without CASEHOOK_VAR_
	Allow     *[]string // addresses, ranges of them, with or without ports
	PublicURL *string   // where its people find the server; empty: as PublicURLOf derives it

	ContactIDs *casetype.IDs // of the contacts that are created from now on
}

// NewTenant is the result of creating a tenant. Its administrator's token is shown once.
type NewTenant struct {
	Tenant store.Tenant
	Token  NewToken
}

const maxHosts = 20

var (
	tenantKeyPattern = regexp.MustCompile(`^[a-z][a-z0-9_-]{0,62}$`)
	hostPattern      = regexp.MustCompile(`^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)*[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$`)
)

// Operator returns the principal of an operator, who belongs to no tenant.
func Operator(address string) access.Principal {
	return access.Principal{
		Role:  access.Operator,
		Actor: event.Actor{Source: event.System, Name: "operator", TokenID: "operator", Address: address},
	}
}

// RefuseTenantOperations returns the refusal of a principal who is not an operator, and records the attempt.
func (s *Tenants) RefuseTenantOperations(ctx context.Context, p access.Principal) error {
	s.guard.NoteDenied(ctx, p, authz.Subject{}, map[string]any{"operation": "tenants", "role": p.Role})
	return fault.New(fault.Forbidden, "tenant.operator_required",
		"Only the operator may manage tenants. Use casehook tenant, with the installation's key.")
}

// CreateTenant adds a tenant with a token that may do everything in it.
func (s *Tenants) CreateTenant(
	ctx context.Context, p access.Principal, key string, c TenantChange, once authz.Once,
) (NewTenant, error) {
	if p.Role != access.Operator {
		return NewTenant{}, s.RefuseTenantOperations(ctx, p)
	}
	made := NewTenant{Tenant: store.Tenant{Key: key, Name: key, CreatedAt: s.now()}}
	if err := c.apply(&made.Tenant); err != nil {
		return NewTenant{}, err
	}
	err := s.guard.Once(ctx, p, once, func() error {
		return s.store.Update(ctx, func(tx *store.Tx) (err error) {
			if made, err = s.createTenant(ctx, tx, p, made.Tenant); err != nil {
				return err
			}
			return s.guard.Keep(ctx, tx, p, once, made)
		})
	})
	if err != nil {
		return NewTenant{}, err
	}
	return made, nil
}

func (s *Tenants) createTenant(
	ctx context.Context, tx *store.Tx, p access.Principal, t store.Tenant,
) (NewTenant, error) {
	id, err := tx.CreateTenant(ctx, t.Key, t.Name, t.CreatedAt)
	if errors.Is(err, fault.Conflict) {
		err = fault.Wrap(err, fault.Conflict, "tenant.key_taken",
			"A tenant with the key %q exists already. Choose another key.", t.Key)
	}
	if err != nil {
		return NewTenant{}, err
	}
	t.ID = id
	if err := tx.UpdateTenant(ctx, t); err != nil {
		return NewTenant{}, err
	}
	if err := tx.SetHosts(ctx, id, t.Hosts); err != nil {
		return NewTenant{}, err
	}
	if err := checkHosts(ctx, tx, t); err != nil {
		return NewTenant{}, err
	}
	if err := s.auditTenant(ctx, tx, p, access.TenantCreated, t); err != nil {
		return NewTenant{}, err
	}
	admin, err := s.tokens.createAdministrator(ctx, tx, p, id, "admin")
	return NewTenant{Tenant: t, Token: admin}, err
}

// auditTenant records an operator's change of a tenant in the tenant's own audit.
func (s *Tenants) auditTenant(
	ctx context.Context, tx *store.Tx, p access.Principal, what access.Action, t store.Tenant,
) error {
	p.Tenant = t.ID
	return s.guard.Record(ctx, tx, authz.Note{
		Who:     p,
		What:    what,
		Subject: authz.Subject{Name: "tenant/" + t.Key},
		Detail: map[string]any{
			"name":            t.Name,
			"hosts":           t.Hosts,
			"public_url":      t.PublicURL,
			"variables":       t.Variables,
			"allow_addresses": t.Allow,
			"contact_ids":     cmp.Or(t.ContactIDs, casetype.RandomIDs),
		},
	})
}

// ChangeTenant changes a tenant.
func (s *Tenants) ChangeTenant(
	ctx context.Context, p access.Principal, key string, c TenantChange,
) (store.Tenant, error) {
	if p.Role != access.Operator {
		return store.Tenant{}, s.RefuseTenantOperations(ctx, p)
	}
	if !tenantKeyPattern.MatchString(key) {
		return store.Tenant{}, tenantMissing()
	}
	var saved store.Tenant
	err := s.store.Update(ctx, func(tx *store.Tx) (err error) {
		if saved, err = tx.TenantByKey(ctx, key); err != nil {
			return err
		}
		if err := c.apply(&saved); err != nil {
			return err
		}
		if err := tx.UpdateTenant(ctx, saved); err != nil {
			return err
		}
		if err := tx.SetHosts(ctx, saved.ID, saved.Hosts); err != nil {
			return err
		}
		if err := checkHosts(ctx, tx, saved); err != nil {
			return err
		}
		return s.auditTenant(ctx, tx, p, access.TenantUpdated, saved)
	})
	return saved, err
}

func tenantMissing() error {
	return fault.New(fault.NotFound, "tenant.not_found", "There is no such tenant.")
}

// apply writes the change into t, and checks all fields.
func (c TenantChange) apply(t *store.Tenant) error {
	var wrong []fault.Field
	add := func(path, message string) { wrong = append(wrong, fault.Field{Path: path, Message: message}) }
	if !tenantKeyPattern.MatchString(t.Key) {
		add("/key", "is not 1 to 63 of a-z, 0-9, _ and -, beginning with a letter")
	}
	if c.Name != nil {
		t.Name = *c.Name
		if message := input.LineProblem(t.Name, input.MaxName); message != "" || t.Name == "" {
			add("/name", cmp.Or(message, "is empty"))
		}
	}
	if c.Hosts != nil {
		t.Hosts = nil
		for i, host := range *c.Hosts {
			host = strings.ToLower(strings.TrimSuffix(host, "."))
			if len(host) > 253 || !hostPattern.MatchString(host) {
				add("/hosts/"+strconv.Itoa(i), "is not a host name, such as acme.example.com, without a port")
			}
			t.Hosts = append(t.Hosts, host)
		}
		if t.Hosts = slices.Compact(slices.Sorted(slices.Values(t.Hosts))); len(t.Hosts) > maxHosts {
			add("/hosts", "lists more than "+strconv.Itoa(maxHosts)+" names")
		}
	}
	if c.ContactIDs != nil {
		if t.ContactIDs = *c.ContactIDs; t.ContactIDs != casetype.RandomIDs && t.ContactIDs != casetype.SequentialIDs {
			add("/contact_ids", "is neither random nor sequential")
		}
	}
	wrong = append(wrong, c.setPublicURL(t)...)
	wrong = append(wrong, c.reach(&t.Reach)...)
	if len(wrong) > 0 {
		return fault.In("tenant.invalid", "The tenant was not saved: see fields.", wrong...)
	}
	return nil
}

// Tenants lists all tenants, oldest first.
func (s *Tenants) Tenants(ctx context.Context, p access.Principal) ([]store.Tenant, error) {
	if p.Role != access.Operator {
		return nil, s.RefuseTenantOperations(ctx, p)
	}
	return s.store.Tenants(ctx)
}

// TenantAt returns the tenant of the name in a Host header, for people who are not signed in yet. A name of no tenant
// stands for the first tenant.
func (s *Tenants) TenantAt(ctx context.Context, header string) (int64, error) {
	id, err := s.tenantOf(ctx, header)
	if err != nil || id != 0 {
		return id, err
	}
	t, err := s.store.TenantByKey(ctx, DefaultTenant)
	return t.ID, err
}

// CheckHost refuses a principal at the host name of another tenant, with the answer of an invalid token.
func (s *Tenants) CheckHost(ctx context.Context, p access.Principal, header string) error {
	id, err := s.tenantOf(ctx, header)
	if err == nil && id != 0 && id != p.Tenant {
		err = authz.Unauthenticated()
	}
	return err
}

// tenantOf returns the tenant that has the name in a Host header; 0: none has.
func (s *Tenants) tenantOf(ctx context.Context, header string) (int64, error) {
	host := hostName(header)
	if len(host) > 253 || !hostPattern.MatchString(host) {
		return 0, nil
	}
	id, _, err := s.hosts.Get(host, func() (int64, int64, error) {
		id, err := s.store.TenantOfHost(ctx, host)
		if errors.Is(err, fault.NotFound) {
			err = nil
		}
		return id, store.AnyTenant, err
	})
	return id, err
}

// TenantFor returns the tenant to sign in to: the one with the key, or without a key that of [Tenants.TenantAt]; 0:
// there is none. For a tenant with other host names it returns 0, and takes as long.
func (s *Tenants) TenantFor(ctx context.Context, key, host string) (int64, error) {
	if key == "" {
		return s.TenantAt(ctx, host)
	}
	if !input.Word(key) {
		key = "" // no tenant has it
	}
	t, err := s.store.TenantByKey(ctx, key)
	if err != nil && !errors.Is(err, fault.NotFound) {
		return 0, err
	}
	if err := s.CheckHost(ctx, access.Principal{Tenant: t.ID}, host); err != nil {
		if errors.Is(err, fault.Unauthenticated) {
			err = nil
		}
		return 0, err
	}
	return t.ID, nil
}
