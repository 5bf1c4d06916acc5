package people_test

import (
	"strings"
	"testing"
	"time"

	"github.com/casehook/casehook/internal/access"
	"github.com/casehook/casehook/internal/authz"
	"github.com/casehook/casehook/internal/casetype"
	"github.com/casehook/casehook/internal/endpoint"
	"github.com/casehook/casehook/internal/fault"
	"github.com/casehook/casehook/internal/id"
	"github.com/casehook/casehook/internal/people"
	"github.com/casehook/casehook/internal/store"
)

// endpoint adds an endpoint with a customer in its metadata.
func (w *world) endpoint(p access.Principal, customer string, clearance casetype.Classification) string {
	w.t.Helper()
	e := endpoint.Endpoint{
		ID: id.New("ep"), Tenant: p.Tenant, URL: "https://receiver.example/", Triggers: []string{"case_created"},
		Status: endpoint.Active, Clearance: clearance, Reached: clearance, Revision: 1,
		Metadata: map[string]string{"customer": customer},
	}
	err := w.store.Update(w.t.Context(), func(tx *store.Tx) error {
		return tx.CreateEndpoint(w.t.Context(), e, id.New("cur"))
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return e.ID
}

// link makes a portal link for an endpoint, and returns its secret.
func (w *world) link(endpointID string, hours int) (l access.PortalLink, secret string) {
	w.t.Helper()
	r := people.PortalRequest{Endpoint: endpointID, Hours: hours}
	made, err := w.portal.CreateLink(w.t.Context(), w.p, r, authz.Once{})
	if err != nil {
		w.t.Fatal(err)
	}
	_, secret, _ = strings.Cut(made.URL, "https://casehook.example/portal#secret=")
	return made.Link, secret
}

func TestAPortalLinkIsForEndpointsThatItsMakerSees(t *testing.T) {
	engines(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		public, restricted := w.endpoint(w.p, "acme", casetype.Public), w.endpoint(w.p, "secret", casetype.Restricted)
		other := w.tenant("second")
		theirs := w.endpoint(other, "theirs", casetype.Public)
		low := w.as(access.Manager)
		low.Clearance = casetype.Public
		for name, c := range map[string]struct {
			p      access.Principal
			in     people.PortalRequest
			fields []string
		}{
			"an endpoint":              {low, people.PortalRequest{Endpoint: public}, nil},
			"a value":                  {low, people.PortalRequest{Key: "customer", Value: "acme", Hours: 72}, nil},
			"an endpoint above":        {low, people.PortalRequest{Endpoint: restricted}, []string{"/endpoint"}},
			"a value above":            {low, people.PortalRequest{Key: "customer", Value: "secret"}, []string{"/metadata"}},
			"a part of a value":        {w.p, people.PortalRequest{Key: "customer", Value: "acm"}, []string{"/metadata"}},
			"another tenant's":         {w.p, people.PortalRequest{Endpoint: theirs}, []string{"/endpoint"}},
			"a value of another's":     {w.p, people.PortalRequest{Key: "customer", Value: "theirs"}, []string{"/metadata"}},
			"nothing":                  {w.p, people.PortalRequest{}, []string{"/endpoint"}},
			"both":                     {w.p, people.PortalRequest{Endpoint: public, Key: "customer", Value: "acme"}, []string{"/endpoint"}},
			"longer than three days":   {w.p, people.PortalRequest{Endpoint: public, Hours: 73}, []string{"/hours"}},
			"a time before it is made": {w.p, people.PortalRequest{Endpoint: public, Hours: -1}, []string{"/hours"}},
		} {
			made, err := w.portal.CreateLink(ctx, c.p, c.in, authz.Once{})
			if c.fields != nil {
				wantFields(t, wantFault(t, err, fault.Unprocessable, "portal_link.invalid"), c.fields...)
			} else if err != nil || made.Link.Scope.Role != access.Manager || made.Link.Clearance != casetype.Public {
				t.Errorf("%s: %+v, %v", name, made.Link, err)
			}
		}
		for _, role := range []access.Role{access.Caseworker, access.Viewer, access.Receiver} {
			_, err := w.portal.CreateLink(ctx, w.as(role), people.PortalRequest{Endpoint: public}, authz.Once{})
			wantFault(t, err, fault.Forbidden, "access.denied")
		}
	})
}

func TestAPortalLinkIsSeenAndRevokedByThoseWhoSeeAsMuch(t *testing.T) {
	engines(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		l, secret := w.link(w.endpoint(w.p, "acme", casetype.Restricted), 0)
		if got := l.ExpiresAt.Sub(l.CreatedAt); got != 24*time.Hour {
			t.Errorf("it lasts %s", got)
		}
		low, other := w.as(access.Admin), w.tenant("second")
		low.Clearance = casetype.Private
		for _, p := range []access.Principal{low, other} {
			if all, err := w.portal.Links(ctx, p); err != nil || len(all) != 0 {
				t.Errorf("%s sees %v, %v", p.Actor.Name, all, err)
			}
			wantFault(t, w.portal.DeleteLink(ctx, p, l.ID), fault.NotFound, "portal_link.not_found")
		}
		if all, err := w.portal.Links(ctx, w.p); err != nil || len(all) != 1 || all[0].ID != l.ID {
			t.Errorf("the links are %v, %v", all, err)
		}
		if _, err := w.portal.Open(ctx, secret, "casehook.example", "192.0.2.7"); err != nil {
			t.Fatal(err)
		}
		session := people.Session{Tenant: l.Tenant, PortalLink: l.ID}
		p, err := w.portal.InSession(ctx, session, "192.0.2.7")
		if err != nil || p.Role != access.Receiver || p.Scope != l.Scope {
			t.Errorf("they are %+v, %v", p, err)
		}
		if err := w.portal.DeleteLink(ctx, w.p, l.ID); err != nil {
			t.Fatal(err)
		}
		_, err = w.portal.InSession(ctx, session, "192.0.2.7")
		wantFault(t, err, fault.Unauthenticated, "session.over")
		_, err = w.portal.Open(ctx, secret, "casehook.example", "192.0.2.7")
		wantFault(t, err, fault.Unauthenticated, "portal_link.refused")
		err = w.guard.Update(ctx, authz.NewMandate(p, access.ResendMessage), func(*store.Tx) error { return nil })
		wantFault(t, err, fault.Unauthenticated, "session.over")
		var audited []string
		for _, r := range w.audited(t) {
			if r.Subject == "portal_link/"+l.ID {
				audited = append(audited, string(r.Action))
			}
			if strings.Contains(string(r.Detail), secret) {
				t.Errorf("the audit has the secret: %s", r.Detail)
			}
		}
		if got := strings.Join(audited, " "); got != "portal_link.revoked session.created portal_link.created" {
			t.Errorf("the audit has %s", got)
		}
	})
}

func TestAPortalLinkExpiresWithItsSessions(t *testing.T) {
	engines(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		w.clock.Stop()
		l, secret := w.link(w.endpoint(w.p, "acme", casetype.Public), 2)
		session := people.Session{Tenant: l.Tenant, PortalLink: l.ID}
		w.later(2*time.Hour - time.Second)
		if _, err := w.portal.Open(ctx, secret, "", ""); err != nil {
			t.Error(err)
		}
		p, err := w.portal.InSession(ctx, session, "")
		if err != nil {
			t.Fatal(err)
		}
		w.later(time.Second)
		_, err = w.portal.Open(ctx, secret, "", "")
		wantFault(t, err, fault.Unauthenticated, "portal_link.refused")
		_, err = w.portal.InSession(ctx, session, "")
		wantFault(t, err, fault.Unauthenticated, "session.over")
		err = w.guard.Update(ctx, authz.NewMandate(p, access.ResendMessage), func(*store.Tx) error { return nil })
		wantFault(t, err, fault.Unauthenticated, "session.over")
		if all, err := w.portal.Links(ctx, w.p); err != nil || len(all) != 0 {
			t.Errorf("listed are %v, %v", all, err)
		}
		if err := w.users.Clean(ctx); err != nil {
			t.Fatal(err)
		}
		_, err = w.store.PortalLink(ctx, l.ID)
		wantFault(t, err, fault.NotFound, "portal_link.not_found")
	})
}

func TestOnlyTheSecretOpensAPortalLink(t *testing.T) {
	w := start(t)
	l, secret := w.link(w.endpoint(w.p, "acme", casetype.Public), 1)
	other, _ := w.link(w.endpoint(w.p, "acme", casetype.Public), 1)
	_, half, _ := strings.Cut(secret, ".")
	token, err := w.tokens.CreateToken(t.Context(), w.p, people.TokenRequest{Name: "x"}, authz.Once{})
	if err != nil {
		t.Fatal(err)
	}
	for _, wrong := range []string{
		"", secret[:len(secret)-1], secret + "x", strings.Repeat("x", 400), "chp_" + l.ID + ".", "chp_." + half,
		"chp_" + other.ID + "." + half, "chp_link_none." + half, "chk_" + l.ID + "." + half, token.Bearer,
	} {
		_, err := w.portal.Open(t.Context(), wrong, "", "192.0.2.7")
		wantFault(t, err, fault.Unauthenticated, "portal_link.refused")
	}
	_, err = w.tokens.Authenticate(t.Context(), "chk_"+l.ID+"."+half, "192.0.2.7")
	wantFault(t, err, fault.Unauthenticated, "token.invalid")
	_, err = w.portal.InSession(t.Context(), people.Session{Tenant: w.tenant("second").Tenant, PortalLink: l.ID}, "")
	wantFault(t, err, fault.Unauthenticated, "session.over")
}
