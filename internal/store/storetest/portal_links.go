package storetest

import (
	"time"

	"github.com/casehook/casehook/internal/access"
	"github.com/casehook/casehook/internal/casetype"
	"github.com/casehook/casehook/internal/event"
	"github.com/casehook/casehook/internal/fault"
	"github.com/casehook/casehook/internal/store"
)

var portalLinkTests = map[string]func(*fixture){
	"a portal link is its tenant's until it expires or is revoked with its sessions": func(f *fixture) {
		ctx := f.t.Context()
		link := func(tenant int64, id string, hours int) access.PortalLink {
			l := access.PortalLink{
				ID: id, Tenant: tenant, Name: "crm", Scope: access.Scope{Endpoint: "ep_1", Role: access.Manager, Further: "clerk"},
				Clearance: casetype.Private, Hash: []byte{0, 1, 255}, CreatedBy: "Ünïcödé", CreatedAt: start,
				ExpiresAt: start.Add(time.Duration(hours) * time.Hour),
			}
			f.update(func(tx *store.Tx) error { return tx.CreatePortalLink(ctx, l) })
			return l
		}
		first, second, others := link(f.tenant, "link_1", 1), link(f.tenant, "link_2", 2), link(f.other, "link_3", 2)
		f.equal(must[[]access.PortalLink](f)(f.store.PortalLinks(ctx, f.tenant, start)), []access.PortalLink{first, second})
		f.equal(must[[]access.PortalLink](f)(f.store.PortalLinks(ctx, f.tenant, first.ExpiresAt)), []access.PortalLink{second})
		f.equal(must[access.PortalLink](f)(f.store.PortalLink(ctx, others.ID)), others)

		for id, of := range map[string]string{"a": first.ID, "b": second.ID, "c": ""} {
			f.update(func(tx *store.Tx) error {
				return tx.PutSession(ctx, store.Session{
					ID: id, Tenant: f.tenant, PortalLink: of, Data: []byte(id), ExpiresAt: start.Add(time.Hour),
				})
			})
		}
		standing := func(l access.PortalLink, session string, now time.Time) access.Standing {
			return must[access.Standing](f)(f.store.Standing(ctx, access.Principal{
				Tenant: f.tenant, Role: access.Receiver, Actor: event.Actor{TokenID: l.ID},
				Credential: access.Credential{Session: session},
			}, "", now))
		}
		in := access.Standing{Role: access.Receiver, Clearance: casetype.Private}
		f.equal([]access.Standing{
			standing(first, "a", start), standing(first, "", start), standing(first, "b", start), standing(first, "x", start),
			standing(others, "", start), standing(first, "a", first.ExpiresAt),
		}, []access.Standing{in, in, {}, {}, {}, {}})

		f.refused(fault.NotFound, "portal_link.not_found", func(tx *store.Tx) error {
			return tx.DeletePortalLink(ctx, f.other, first.ID)
		})
		f.update(func(tx *store.Tx) error { return tx.DeletePortalLink(ctx, f.tenant, first.ID) })
		left := ""
		for _, id := range []string{"a", "b", "c"} {
			if _, found, err := f.store.Session(ctx, id, start); err == nil && found {
				left += id
			}
		}
		f.equal(left, "bc")
		f.equal(standing(first, "", start), access.Standing{})
		f.update(func(tx *store.Tx) error { return tx.PurgeSessions(ctx, second.ExpiresAt, start) })
		for _, id := range []string{first.ID, second.ID, others.ID} {
			f.refused(fault.NotFound, "portal_link.not_found", func(tx *store.Tx) error {
				_, err := tx.PortalLink(ctx, id)
				return err
			})
		}
	},
}
