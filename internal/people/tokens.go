package people

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/casehook/casehook/internal/access"
	"github.com/casehook/casehook/internal/authz"
	"github.com/casehook/casehook/internal/casetype"
	"github.com/casehook/casehook/internal/event"
	"github.com/casehook/casehook/internal/fault"
	"github.com/casehook/casehook/internal/id"
	"github.com/casehook/casehook/internal/input"
	"github.com/casehook/casehook/internal/store"
)

// TokenRequest has the settings of a new token. Roles and clearance default to the caller's, and are never above them.
type TokenRequest struct {
	Name      string
	Role      access.Role
	Further   []string // further roles; nil: the caller's
	Clearance casetype.Classification
	Allowed   []string  // addresses, or ranges of them (CIDR); none: all
	Expires   time.Time // zero: never

	owner event.Person // whose own it will be; zero: the tenant's
}

// NewToken is the result of creating a token. The bearer value is shown once.
type NewToken struct {
	Token  access.Token
	Bearer string
}

const maxBearer = 300 // bytes

// Authenticate returns the principal with a bearer value, who calls from an address. All invalid values have the same
// error.
func (s *Tokens) Authenticate(ctx context.Context, bearer, address string) (access.Principal, error) {
	tokenID, secret, ok := access.ParseBearer(bearer)
	if !ok || len(bearer) > maxBearer || !input.Word(tokenID) {
		return access.Principal{}, authz.Unauthenticated()
	}
	token, looked, err := s.known.Get(tokenID, func() (access.Token, int64, error) {
		t, err := s.store.Token(ctx, tokenID)
		return t, t.Tenant, err
	})
	if err != nil && !errors.Is(err, fault.NotFound) {
		return access.Principal{}, err
	}
	valid := token.Valid(secret, s.now()) // an unknown token takes as long as a wrong one
	grant := token.Grant()
	if err != nil || !valid || grant.Role == "" {
		return access.Principal{}, authz.Unauthenticated()
	}
	p := access.Principal{
		Tenant: token.Tenant, Role: grant.Role, Further: grant.Further, Clearance: grant.Clearance,
		Actor: event.Actor{
			Source: event.API, Name: token.Name, TokenID: token.ID, Owner: token.User, Address: address,
		},
		Credential: access.Credential{At: looked.Looked, Moment: looked.Moment, Expires: token.ExpiresAt},
	}
	if !token.From(address) {
		s.guard.NoteStranger(ctx, p, access.Denied, authz.AboutToken(token.ID), map[string]any{"reason": "address"})
		return access.Principal{}, fault.New(fault.Forbidden, "token.address_not_allowed",
			"The token may not be used from the address %s. Its allowed_addresses list where it may be used.", address)
	}
	s.used(ctx, token)
	return p, nil
}

// useInterval is the least time between two records of a token's use.
const useInterval = time.Minute

// uses has the time at which this process last recorded each token's use, so that many requests at once record it
// once.
type uses struct {
	mu sync.Mutex
	at map[string]time.Time
}

const maxUses = 10_000

func (u *uses) due(token string, now time.Time) bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	if now.Sub(u.at[token]) < useInterval {
		return false
	}
	if u.at == nil || len(u.at) >= maxUses {
		u.at = map[string]time.Time{}
	}
	u.at[token] = now
	return true
}

// used records a token's last use. A failure is logged, not returned.
func (s *Tokens) used(ctx context.Context, t access.Token) {
	now := s.now()
	if now.Sub(t.LastUsed) < useInterval || !s.uses.due(t.ID, now) {
		return
	}
	ctx = context.WithoutCancel(ctx)
	err := s.store.Update(ctx, func(tx *store.Tx) error {
		return tx.TokenUsed(ctx, t.Tenant, t.ID, now, now.Add(-useInterval))
	})
	if err != nil {
		s.log.WarnContext(ctx, "a token's use could not be recorded", "token_id", t.ID, "code", fault.As(err).Code)
	}
}

// CreateToken adds a token to the caller's tenant. It belongs to nobody, and outlives its maker's account.
func (s *Tokens) CreateToken(
	ctx context.Context, p access.Principal, r TokenRequest, once authz.Once,
) (NewToken, error) {
	if err := s.guard.Permit(ctx, p, access.CreateToken); err != nil {
		return NewToken{}, err
	}
	return s.create(ctx, p, access.CreateToken, r, once)
}

// create adds a token: the own one of a user, or the tenant's.
func (s *Tokens) create(
	ctx context.Context, p access.Principal, o access.Operation, r TokenRequest, once authz.Once,
) (NewToken, error) {
	r.Role, r.Clearance = cmp.Or(r.Role, p.Role), cmp.Or(r.Clearance, p.Clearance)
	if r.Further == nil {
		r.Further = p.Further.Names()
	}
	wrong := append(above(p, r.Role, r.Clearance), furtherProblems(p, r.Further)...)
	var made NewToken
	err := s.guard.Once(ctx, p, once, func() (err error) {
		if made, err = s.newToken(p.Tenant, r, wrong...); err != nil {
			return err
		}
		return s.guard.Update(ctx, authz.NewMandate(p, o), func(tx *store.Tx) error {
			if err := tx.CreateToken(ctx, made.Token); err != nil {
				return err
			}
			err := s.guard.Record(ctx, tx, authz.Note{
				Who:     p,
				What:    access.TokenCreated,
				Subject: authz.AboutToken(made.Token.ID),
				Detail:  detail(made.Token),
			})
			if err != nil {
				return err
			}
			return s.guard.Keep(ctx, tx, p, once, made)
		})
	})
	if err != nil {
		return NewToken{}, err
	}
	return made, nil
}

// detail returns what the audit says of a token that was created or revoked.
func detail(t access.Token) map[string]any {
	d := map[string]any{"name": t.Name, "role": t.Role, "clearance": t.Clearance}
	if t.Further != "" {
		d["further_roles"] = t.Further.Names()
	}
	if t.Own() {
		d["user_id"] = t.User.UserID
	}
	return d
}

// above reports an unknown role or clearance, or one above the granter's.
func above(p access.Principal, role access.Role, clearance casetype.Classification) []fault.Field {
	var wrong []fault.Field
	switch {
	case !slices.Contains(access.Roles(), role):
		wrong = append(wrong, fault.Field{Path: "/role", Message: "is not one of admin, manager, caseworker and " +
			"viewer"})
	case !p.Role.Includes(role):
		wrong = append(wrong, fault.Field{Path: "/role", Message: "is above your own"})
	}
	switch {
	case !casetype.Restricted.Sees(clearance) || clearance == "":
		wrong = append(wrong, fault.Field{Path: "/clearance", Message: "is not one of PUBLIC, PRIVATE and RESTRICTED"})
	case !p.Clearance.Sees(clearance):
		wrong = append(wrong, fault.Field{Path: "/clearance", Message: "is above your own"})
	}
	return wrong
}

// furtherProblems reports further roles that the granter may not give.
func furtherProblems(p access.Principal, names []string) (wrong []fault.Field) {
	if len(names) > access.MaxFurtherRoles {
		return []fault.Field{{
			Path: "/further_roles", Message: fmt.Sprintf("lists more than %d", access.MaxFurtherRoles),
		}}
	}
	own := p.Further.Names()
	for i, name := range names {
		message := ""
		switch {
		case slices.Contains(access.Roles(), access.Role(name)):
			message = "is the role of a user or a token: write it into role"
		case !access.ValidFurtherRole(name):
			message = "is not a role: letters, digits, _ and -, at most 70"
		case p.Role != access.Admin && !slices.Contains(own, name):
			message = "is not one of your own"
		default:
			continue
		}
		wrong = append(wrong, fault.Field{Path: "/further_roles/" + strconv.Itoa(i), Message: message})
	}
	return wrong
}

// newToken returns a new token, unless the request has faults.
func (s *Tokens) newToken(tenant int64, r TokenRequest, wrong ...fault.Field) (NewToken, error) {
	now := s.now()
	expires := r.Expires.UTC().Truncate(time.Microsecond) // as it is kept
	if message := input.LineProblem(r.Name, 100); message != "" || r.Name == "" {
		wrong = append(wrong, fault.Field{Path: "/name", Message: cmp.Or(message, "is empty")})
	}
	if !expires.IsZero() && !expires.After(now) {
		wrong = append(wrong, fault.Field{Path: "/expires_at", Message: "is in the past"})
	}
	allowed, faults := prefixes(r.Allowed)
	if wrong = append(wrong, faults...); len(wrong) > 0 {
		return NewToken{}, fault.In("token.unusable", "The token was not created: see fields.", wrong...)
	}
	secret, hash, err := access.NewToken(s.random)
	token := access.Token{
		ID: id.New("tok"), Tenant: tenant, Name: r.Name, Hash: hash, Role: r.Role,
		Further: access.NewFurtherRoles(r.Further), Clearance: r.Clearance, Allowed: allowed, CreatedAt: now,
		ExpiresAt: expires, User: r.owner,
	}
	return NewToken{Token: token, Bearer: access.Bearer(token.ID, secret)}, err
}

const maxAllowed = 100

// prefixes parses addresses and ranges of them.
func prefixes(texts []string) (all []netip.Prefix, wrong []fault.Field) {
	if len(texts) > maxAllowed {
		return nil, []fault.Field{{Path: "/allowed_addresses", Message: fmt.Sprintf("lists more than %d", maxAllowed)}}
	}
	for i, text := range texts {
		prefix, err := netip.ParsePrefix(text)
		if address, bad := netip.ParseAddr(text); err != nil && bad == nil && address.Zone() == "" {
			address = address.Unmap()
			prefix, err = netip.PrefixFrom(address, address.BitLen()), nil
		}
		if err != nil || prefix.Addr().Is4In6() {
			wrong = append(wrong, fault.Field{
				Path:    "/allowed_addresses/" + strconv.Itoa(i),
				Message: "is neither an address nor a range; write 192.0.2.7 or 192.0.2.0/24",
			})
			continue
		}
		all = append(all, prefix.Masked())
	}
	return all, wrong
}

// Tokens lists all tokens in the tenant, those of users too, oldest first.
func (s *Tokens) Tokens(ctx context.Context, p access.Principal) ([]access.Token, error) {
	if err := s.guard.Permit(ctx, p, access.ListTokens); err != nil {
		return nil, err
	}
	return s.store.Tokens(ctx, p.Tenant)
}

// DeleteToken revokes a token at once. It refuses tokens that may do or see more than the caller, and the last
// administrator's.
func (s *Tokens) DeleteToken(ctx context.Context, p access.Principal, tokenID string) error {
	if err := s.guard.Permit(ctx, p, access.DeleteToken); err != nil {
		return err
	}
	if !input.Word(tokenID) {
		return fault.New(fault.NotFound, "token.not_found",
			"There is no token with this id. GET /v1/tokens lists the tokens.")
	}
	token, err := s.store.Token(ctx, tokenID)
	if err == nil && token.Tenant != p.Tenant {
		err = fault.New(fault.NotFound, "token.not_found",
			"There is no token with this id. GET /v1/tokens lists the tokens.")
	}
	if err != nil {
		return err
	}
	if len(above(p, token.Role, token.Clearance)) > 0 {
		return s.guard.Deny(ctx, p, access.DeleteToken, authz.AboutToken(tokenID),
			authz.Forbidden("The token has a role or a clearance above yours. Ask an administrator who has them too."))
	}
	return s.revoke(ctx, p, access.DeleteToken, token)
}

func (s *Tokens) revoke(ctx context.Context, p access.Principal, o access.Operation, token access.Token) error {
	return s.guard.Update(ctx, authz.NewMandate(p, o), func(tx *store.Tx) error {
		if !token.Own() { // an own one is no administrator by itself
			lost := token.Grant().AsOf(s.now())
			if err := s.keepsAnAdministrator(ctx, tx, p.Tenant, lost, token.Owner()); err != nil {
				return err
			}
		}
		if err := tx.DeleteToken(ctx, p.Tenant, token.ID); err != nil {
			return err
		}
		return s.guard.Record(ctx, tx, authz.Note{
			Who:     p,
			What:    access.TokenRevoked,
			Subject: authz.AboutToken(token.ID),
			Detail:  detail(token),
		})
	})
}
