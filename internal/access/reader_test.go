package access_test

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/casehook/casehook/internal/access"
	"github.com/casehook/casehook/internal/casetype"
	"github.com/casehook/casehook/internal/event"
)

func TestAReaderReadsByRoleAndClearance(t *testing.T) {
	n := access.Narrowing{
		"secret": {Roles: []string{"viewer"}}, "closed": {Roles: []string{}},
		"pay":   {Roles: []string{"manager", "viewer"}},
		"court": {States: map[string][]string{"sealed": {"manager", "clerk"}, "draft": {"clerk"}}},
	}
	now, nobody := time.Now(), []string{"closed", "court/draft", "court/sealed", "pay", "secret"}
	for _, c := range []struct {
		who     string
		grant   access.Grant
		without []string
	}{
		{"an administrator", access.Grant{Role: access.Admin, Clearance: casetype.Public}, nil},
		{"a manager", access.Grant{Role: access.Manager, Clearance: casetype.Private}, []string{"closed", "court/draft", "secret"}},
		{"a clerk", access.Grant{Role: access.Viewer, Further: "clerk"}, []string{"closed"}},
		{"a viewer", access.Grant{Role: access.Viewer, Clearance: casetype.Private}, []string{"closed", "court/draft", "court/sealed"}},
		{"nobody", access.Grant{}, nobody},
		{"an expired administrator", access.Grant{Role: access.Admin, Expires: now}, nobody},
		{"a disabled one", access.User{Role: access.Admin, Disabled: true}.Grant(), nobody},
	} {
		reader := c.grant.Reader(n, now)
		if !slices.Equal(reader.Without, c.without) {
			t.Errorf("%s reads nothing of %v, want %v", c.who, reader.Without, c.without)
		}
		for _, key := range []string{"secret", "closed", "pay", "open"} {
			e := &event.Entry{Snapshot: event.Snapshot{Case: &event.Case{Type: key}}}
			if reader.Reads(e) == slices.Contains(c.without, key) {
				t.Errorf("%s reads %s: %v", c.who, key, reader.Reads(e))
			}
		}
		for _, state := range []string{"sealed", "draft", "open"} {
			e := &event.Entry{Snapshot: event.Snapshot{Case: &event.Case{Type: "court", State: state}}}
			if reader.Reads(e) == slices.Contains(c.without, "court/"+state) {
				t.Errorf("%s reads cases that are %s: %v", c.who, state, reader.Reads(e))
			}
		}
		if !reader.Reads(&event.Entry{Snapshot: event.Snapshot{Contact: &event.Contact{}}}) {
			t.Errorf("%s does not read contacts", c.who)
		}
	}
}

// A grant includes another of no higher role and clearance. The zero Grant is included by every grant.
func TestAGrantIncludesAnother(t *testing.T) {
	grant := func(r access.Role, c casetype.Classification) access.Grant {
		return access.Grant{Role: r, Clearance: c}
	}
	manager := grant(access.Manager, casetype.Private)
	for _, c := range []struct {
		name         string
		grant, other access.Grant
		want         bool
	}{
		{"itself", manager, manager, true},
		{"a lower role", manager, grant(access.Viewer, casetype.Private), true},
		{"a lower clearance", manager, grant(access.Manager, casetype.Public), true},
		{"a higher role", manager, grant(access.Admin, casetype.Public), false},
		{"a higher clearance", manager, grant(access.Viewer, casetype.Restricted), false},
		{"none", manager, access.Grant{}, true},
		{"one, and is none", access.Grant{}, grant(access.Viewer, casetype.Public), false},
		{"none, and is none", access.Grant{}, access.Grant{}, true},
	} {
		if got := c.grant.Includes(c.other); got != c.want {
			t.Errorf("%+v includes %s: %v", c.grant, c.name, got)
		}
	}
}

func TestOnlyUsersWhoCanSignInHaveASignInGrant(t *testing.T) {
	for _, c := range []struct {
		name string
		user access.User
		want access.Grant
	}{
		{"with a password", access.User{Role: access.Admin, Password: "$argon2id$"}, access.Grant{Role: access.Admin}},
		{"with an identity", access.User{Role: access.Admin, Issuer: "https://id"}, access.Grant{Role: access.Admin}},
		{"with neither", access.User{Role: access.Admin}, access.Grant{}},
		{"disabled", access.User{Role: access.Admin, Password: "$argon2id$", Disabled: true}, access.Grant{}},
	} {
		if got := c.user.SignInGrant(); got != c.want {
			t.Errorf("a user %s: %+v, want %+v", c.name, got, c.want)
		}
	}
}

func TestReadersOfTheSameCasesAreTheSame(t *testing.T) {
	r := access.Reader{Clearance: casetype.Private, Without: []string{"a", "b"}}
	for name, other := range map[string]access.Reader{
		"a higher clearance": {Clearance: casetype.Restricted, Without: []string{"a", "b"}},
		"fewer types":        {Clearance: casetype.Private, Without: []string{"a", "b", "c"}},
		"all types":          {Clearance: casetype.Private},
	} {
		if r.Same(other) || !other.Same(other) {
			t.Errorf("a reader of %s is the same, or not the same as itself", name)
		}
	}
}

func TestAnOwnerNamesAUserOrAToken(t *testing.T) {
	type named struct {
		Owner access.Owner
		User  int64
		Token string
	}
	for _, c := range []struct {
		actor event.Actor
		want  named
	}{
		{event.Actor{Source: event.UI, UserID: 7}, named{"user/7", 7, ""}},
		{event.Actor{Source: event.API, TokenID: "tok_1"}, named{"token/tok_1", 0, "tok_1"}},
		{event.Actor{Source: event.System}, named{}},
	} {
		owner := access.Principal{Actor: c.actor}.Owner()
		if diff := cmp.Diff(c.want, named{owner, owner.User(), owner.Token()}); diff != "" {
			t.Errorf("the owner of %+v: %s", c.actor, diff)
		}
	}
}
