package access

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/casehook/casehook/internal/casetype"
	"github.com/casehook/casehook/internal/event"
)

// Reader is what somebody may read of a tenant's cases, as of a moment: people,
// programs, and endpoints by their owners. It is the one rule for all that tells
// of cases.
type Reader struct {
	Clearance casetype.Classification // the highest that may be seen
	Without   []string                // types whose cases may not be read, sorted
}

// Reads reports whether what an entry tells may be read, as far as the type of its
// case says. Contacts and endpoints have no type: their classifications alone say.
func (r Reader) Reads(e *event.Entry) bool {
	return e.Snapshot.Case == nil || !slices.Contains(r.Without, e.Snapshot.Case.Type)
}

// Same reports whether two may read the same.
func (r Reader) Same(other Reader) bool {
	return r.Clearance == other.Clearance && slices.Equal(r.Without, other.Without)
}

// Narrowing lists the roles that may read cases, by type: of those types alone that
// name them. Types are as their newest definitions have them.
type Narrowing map[string][]string

// Reader is what a role with a clearance may read.
func (n Narrowing) Reader(role Role, clearance casetype.Classification) Reader {
	r := Reader{Clearance: clearance}
	for key, roles := range n {
		if !role.Among(roles) {
			r.Without = append(r.Without, key)
		}
	}
	slices.Sort(r.Without)
	return r
}

// Grant is what an owner was given: by a user's row, or a token's. The zero Grant is
// that of an owner who is gone, disabled or expired, and of none at all.
type Grant struct {
	Role      Role
	Clearance casetype.Classification
	Expires   time.Time // zero: never
}

// Reader is what an owner with the grant may read now. Without one, an endpoint goes
// on with what is narrowed to nobody: its own clearance bounds it.
func (g Grant) Reader(n Narrowing, now time.Time) Reader {
	if g = g.AsOf(now); g.Role == "" {
		return n.Reader("", casetype.Restricted)
	}
	return n.Reader(g.Role, g.Clearance)
}

// AsOf is what of the grant is left at a time.
func (g Grant) AsOf(now time.Time) Grant {
	if !g.Expires.IsZero() && !now.Before(g.Expires) {
		return Grant{}
	}
	return g
}

// Includes reports whether a grant allows all that another does.
func (g Grant) Includes(other Grant) bool {
	return other.Role == "" || g.Role.Includes(other.Role) && g.Clearance.Sees(other.Clearance)
}

// Grant is what the user was given.
func (u User) Grant() Grant {
	if u.Disabled {
		return Grant{}
	}
	return Grant{Role: u.Role, Clearance: u.Clearance}
}

// SignInGrant is what the user was given, if there is a way to sign in: a password, or an
// identity elsewhere.
func (u User) SignInGrant() Grant {
	if u.Password == "" && u.Issuer == "" {
		return Grant{}
	}
	return u.Grant()
}

// Owner is the user as an owner.
func (u User) Owner() Owner { return Owner("user/" + strconv.FormatInt(u.ID, 10)) }

// Owner is the token as an owner.
func (t Token) Owner() Owner { return Owner("token/" + t.ID) }

// Grant is what the token was given.
func (t Token) Grant() Grant {
	return Grant{Role: t.Role, Clearance: t.Clearance, Expires: t.ExpiresAt}
}

// Owner names whom an endpoint belongs to: "user/7", "token/tok_...", or nobody.
type Owner string

// Owner is the principal as an owner.
func (p Principal) Owner() Owner {
	switch {
	case p.Actor.UserID != 0:
		return User{ID: p.Actor.UserID}.Owner()
	case p.Actor.TokenID != "":
		return Token{ID: p.Actor.TokenID}.Owner()
	}
	return ""
}

// User is the id of the user that an owner is; 0: none.
func (o Owner) User() int64 {
	text, _ := strings.CutPrefix(string(o), "user/")
	id, _ := strconv.ParseInt(text, 10, 64)
	return id
}

// Token is the id of the token that an owner is; empty: none.
func (o Owner) Token() string {
	id, is := strings.CutPrefix(string(o), "token/")
	if !is {
		return ""
	}
	return id
}
