package access

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/casehook/casehook/internal/casetype"
	"github.com/casehook/casehook/internal/event"
)

// Reader is the right to read a tenant's cases at one moment: that of a person, a program, or an endpoint
// by its owner. Everything that shows or sends cases uses this one rule.
type Reader struct {
	Clearance casetype.Classification // the highest that may be seen
	// Without lists what may not be read, sorted: the keys of types, and, of other types, "<type>/<state>" for the
	// cases in a state.
	Without []string
	// Granted lists "<type>/<state>/<role>": cases of Without that may be read nevertheless by Holders who were granted
	// the role on them. Lists of cases alone ask for it.
	Granted, Holders []string
}

// Reads reports whether an entry may be read, as far as its case's type and state decide. Contacts and endpoints
// have neither: their classification alone decides.
func (r Reader) Reads(e *event.Entry) bool {
	return e.Snapshot.Case == nil || r.ReadsCase(e.Snapshot.Case.Type, e.Snapshot.Case.State)
}

// ReadsCase reports whether cases of a type that are in a state may be read.
func (r Reader) ReadsCase(caseType, state string) bool {
	has := func(entry string) bool { return slices.Contains(r.Without, entry) }
	return len(r.Without) == 0 || !has(caseType) && !has(caseType+"/"+state)
}

// Types lists the types of which not all cases may be read.
func (r Reader) Types() (all []string) {
	for _, entry := range r.Without {
		key, _, _ := strings.Cut(entry, "/")
		all = append(all, key)
	}
	return slices.Compact(all)
}

// Same reports whether two readers may read the same.
func (r Reader) Same(other Reader) bool {
	return r.Clearance == other.Clearance && slices.Equal(r.Without, other.Without)
}

// Narrowing says who may read the cases of a type, by the type's key. It has only types whose newest definitions name
// roles.
type Narrowing map[string]casetype.Reading

// Reader returns the principal as a reader.
func (n Narrowing) Reader(p Principal) Reader {
	r := Reader{Clearance: p.Clearance, Holders: p.Holders()}
	for key, reading := range n {
		left := leftOut(p, key, reading)
		if r.Without = append(r.Without, left...); len(left) > 0 {
			r.Granted = append(r.Granted, granted(p, key, reading)...)
		}
	}
	slices.Sort(r.Without)
	slices.Sort(r.Granted)
	return r
}

// leftOut lists what of a type a principal may not read, as [Reader] has it.
func leftOut(p Principal, key string, reading casetype.Reading) (without []string) {
	if !p.Among(reading.Roles) {
		return []string{key}
	}
	for state, roles := range reading.States {
		if !p.Among(roles) {
			without = append(without, key+"/"+state)
		}
	}
	return without
}

// granted lists the states of a type whose cases a principal may read by a role that is granted case by case.
func granted(p Principal, key string, reading casetype.Reading) (all []string) {
	for _, role := range reading.CaseRoles {
		p.OnCase.Roles = FurtherRoles(role)
		for _, state := range reading.AllStates {
			if p.Among(reading.Roles) && p.Among(reading.States[state]) {
				all = append(all, key+"/"+state+"/"+role)
			}
		}
	}
	return all
}

// Grant holds the rights of an owner, from a user's row or a token's. The zero Grant is that of an owner
// who is deleted, disabled or expired, or of no owner.
type Grant struct {
	Role      Role
	Further   FurtherRoles
	Clearance casetype.Classification
	Expires   time.Time // zero: never
}

// Reader returns the reader that an owner with the grant is now. An endpoint whose owner has no rights any more
// still receives cases of types that name no roles, up to its own clearance.
func (g Grant) Reader(n Narrowing, now time.Time) Reader {
	if g = g.AsOf(now); g.Role == "" {
		return n.Reader(Principal{Clearance: casetype.Restricted})
	}
	return n.Reader(Principal{Role: g.Role, Further: g.Further, Clearance: g.Clearance})
}

// AsOf returns the grant, or the zero Grant if it has expired by now.
func (g Grant) AsOf(now time.Time) Grant {
	if !g.Expires.IsZero() && !now.Before(g.Expires) {
		return Grant{}
	}
	return g
}

// Includes reports whether the grant allows everything that another does.
func (g Grant) Includes(other Grant) bool {
	return other.Role == "" || g.Role.Includes(other.Role) && g.Further.Includes(other.Further) &&
		g.Clearance.Sees(other.Clearance)
}

// Within returns the grant with at most the roles and the clearance of another one. If the other is zero, so is the
// result.
func (g Grant) Within(bound Grant) Grant {
	if g.Role == "" || bound.Role == "" {
		return Grant{}
	}
	if !bound.Role.Includes(g.Role) {
		g.Role = bound.Role
	}
	g.Further, g.Clearance = g.Further.Within(bound.Further), casetype.Lower(g.Clearance, bound.Clearance)
	return g
}

// Grant returns the user's rights; those of a disabled user are none.
func (u User) Grant() Grant {
	if u.Disabled {
		return Grant{}
	}
	return Grant{Role: u.Role, Further: u.Further, Clearance: u.Clearance}
}

// SignInGrant returns the rights of a user who can sign in, by a password or an identity elsewhere, otherwise the
// zero Grant.
func (u User) SignInGrant() Grant {
	if u.Password == "" && u.Issuer == "" {
		return Grant{}
	}
	return u.Grant()
}

// Owner returns the user as an owner.
func (u User) Owner() Owner { return Owner("user/" + strconv.FormatInt(u.ID, 10)) }

// Owner returns the token as an owner.
func (t Token) Owner() Owner { return Owner("token/" + t.ID) }

// Grant returns the token's rights. A user's own token has at most the user's present rights.
func (t Token) Grant() Grant {
	g := Grant{Role: t.Role, Further: t.Further, Clearance: t.Clearance, Expires: t.ExpiresAt}
	if t.Own() {
		g = g.Within(t.Bound)
	}
	return g
}

// Owner names the owner of an endpoint, and the actor of an audit record: "user/7", "token/tok_...", or "" for none.
type Owner string

// Owner returns the principal as an owner.
func (p Principal) Owner() Owner { return OwnerOf(p.Actor) }

// OwnerOf returns an actor as an owner.
func OwnerOf(a event.Actor) Owner {
	switch {
	case a.UserID != 0:
		return User{ID: a.UserID}.Owner()
	case a.TokenID != "":
		return Token{ID: a.TokenID}.Owner()
	}
	return ""
}

// User returns the id of an owner that is a user, else 0.
func (o Owner) User() int64 {
	text, _ := strings.CutPrefix(string(o), "user/")
	id, _ := strconv.ParseInt(text, 10, 64)
	return id
}

// Token returns the id of an owner that is a token, else "".
func (o Owner) Token() string {
	id, is := strings.CutPrefix(string(o), "token/")
	if !is {
		return ""
	}
	return id
}
