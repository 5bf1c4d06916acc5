package access_test

import (
	"slices"
	"testing"
	"time"

	"github.com/casehook/casehook/internal/access"
	"github.com/casehook/casehook/internal/casetype"
	"github.com/casehook/casehook/internal/event"
)

func TestWhatSomebodyMayRead(t *testing.T) {
	n := access.Narrowing{"secret": {"viewer"}, "closed": {}, "pay": {"manager", "viewer"}}
	now := time.Now()
	for _, c := range []struct {
		who     string
		grant   access.Grant
		without []string
	}{
		{"an administrator", access.Grant{Role: access.Admin, Clearance: casetype.Public}, nil},
		{"a manager", access.Grant{Role: access.Manager, Clearance: casetype.Private}, []string{"closed", "secret"}},
		{"a viewer", access.Grant{Role: access.Viewer, Clearance: casetype.Private}, []string{"closed"}},
		{"nobody", access.Grant{}, []string{"closed", "pay", "secret"}},
		{"an expired administrator", access.Grant{Role: access.Admin, Expires: now}, []string{"closed", "pay", "secret"}},
		{"a disabled one", access.User{Role: access.Admin, Disabled: true}.Grant(), []string{"closed", "pay", "secret"}},
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
		if !reader.Reads(&event.Entry{Snapshot: event.Snapshot{Contact: &event.Contact{}}}) {
			t.Errorf("%s hears nothing of contacts", c.who)
		}
	}
}

func TestAnOwnerNamesAUserOrAToken(t *testing.T) {
	for _, c := range []struct {
		actor event.Actor
		owner access.Owner
		user  int64
		token string
	}{
		{event.Actor{Source: event.UI, UserID: 7}, "user/7", 7, ""},
		{event.Actor{Source: event.API, TokenID: "tok_1"}, "token/tok_1", 0, "tok_1"},
		{event.Actor{Source: event.System}, "", 0, ""},
	} {
		owner := access.Principal{Actor: c.actor}.Owner()
		if owner != c.owner || owner.User() != c.user || owner.Token() != c.token {
			t.Errorf("%+v is %q: user %d, token %q", c.actor, owner, owner.User(), owner.Token())
		}
	}
}
