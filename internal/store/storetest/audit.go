package storetest

import (
	"encoding/json"

	"github.com/casehook/casehook/internal/access"
	"github.com/casehook/casehook/internal/casetype"
	"github.com/casehook/casehook/internal/event"
	"github.com/casehook/casehook/internal/store"
)

var auditTests = map[string]func(*fixture){
	"the audit is listed by tenant, newest first": func(f *fixture) {
		record := func(tenant int64, subject string) access.Record {
			return access.Record{
				Tenant: tenant, At: start, Action: access.TokenCreated, Subject: subject,
				Actor: event.Actor{Source: event.UI, Name: "Ada", UserID: 7, Address: "192.0.2.1"}, Detail: json.RawMessage(`{"name":"x"}`),
				Classification: casetype.Public,
			}
		}
		f.update(func(tx *store.Tx) error {
			for _, r := range []access.Record{record(f.tenant, "token/1"), record(f.other, "token/2"), record(f.tenant, "token/3")} {
				if err := tx.Audit(f.t.Context(), r); err != nil {
					return err
				}
			}
			return nil
		})
		list := func(tenant, before int64) []access.Record {
			return items[access.Record](f)(f.store.Audited(f.t.Context(), tenant, casetype.Restricted, before, 10))
		}
		all := list(f.tenant, 1<<62)
		f.equal(len(all), 2)
		for i, subject := range []string{"token/3", "token/1"} {
			want := record(f.tenant, subject)
			want.ID = all[i].ID
			f.equal(all[i], want)
		}
		f.equal(len(list(f.tenant, all[0].ID)), 1)
		f.equal(len(list(f.other, 1<<62)), 1)
	},
	"a record is read by those cleared for what it is about": func(f *fixture) {
		f.update(func(tx *store.Tx) error {
			for _, class := range append([]casetype.Classification{""}, casetype.Classifications()...) {
				r := access.Record{Tenant: f.tenant, At: start, Action: access.EndpointDeleted, Classification: class}
				if err := tx.Audit(f.t.Context(), r); err != nil {
					return err
				}
			}
			return nil
		})
		for clearance, want := range map[casetype.Classification]int{
			"": 0, casetype.Public: 2, casetype.Private: 3, casetype.Restricted: 4,
		} {
			f.equal(len(items[access.Record](f)(f.store.Audited(f.t.Context(), f.tenant, clearance, 1<<62, 9))), want)
		}
		first := must[store.Page[access.Record]](f)(f.store.Audited(f.t.Context(), f.tenant, casetype.Public, 1<<62, 1))
		f.equal(first.More, true) // hidden records do not shorten pages
	},
}
