package storetest

import (
	"encoding/json"
	"fmt"
	"time"

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
			return items[access.Record](f)(f.store.Audited(f.t.Context(), tenant,
				store.AuditFilter{Clearance: casetype.Restricted, Before: before}, 10))
		}
		all := list(f.tenant, 1<<62)
		f.equal(len(all), 2)
		for i, subject := range []string{"token/3", "token/1"} {
			want := record(f.tenant, subject)
			want.ID, want.By = all[i].ID, "user/7"
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
			f.equal(len(f.audited(store.AuditFilter{Clearance: clearance})), want)
		}
		first := must[store.Page[access.Record]](f)(f.store.Audited(f.t.Context(), f.tenant,
			store.AuditFilter{Clearance: casetype.Public, Before: 1 << 62}, 1))
		f.equal(first.More, true) // hidden records do not shorten pages
	},
	"records are found by actor, action and subject, and the first since a time": func(f *fixture) {
		actors := []event.Actor{
			{Source: event.UI, Name: "Ada", UserID: 7}, {Source: event.API, Name: "crm", TokenID: "tok_1"},
			{Name: "Casehook"},
		}
		f.update(func(tx *store.Tx) error {
			for i := range 12 {
				r := access.Record{
					Tenant: f.tenant, At: start.Add(time.Duration(i) * time.Hour), Actor: actors[i%3],
					Action: []access.Action{access.TokenCreated, access.Denied}[i%2], Subject: fmt.Sprint("case/", i%4),
				}
				if err := tx.Audit(f.t.Context(), r); err != nil {
					return err
				}
			}
			return nil
		})
		for filter, want := range map[store.AuditFilter]int{
			{By: "user/7"}: 4, {By: "token/tok_1"}: 4, {By: "token/tok"}: 0, {Action: access.Denied}: 6,
			{Subject: "case/3"}: 3, {Subject: "case/4"}: 0, {}: 12,
		} {
			filter.Clearance = casetype.Public
			f.equal(len(f.audited(filter)), want)
		}
		all := f.audited(store.AuditFilter{Clearance: casetype.Public})
		first := func(at time.Time) int64 { return must[int64](f)(f.store.FirstAudited(f.t.Context(), f.tenant, at)) }
		f.equal(first(start.Add(-time.Hour)), all[11].ID)
		f.equal(first(start.Add(9*time.Hour+time.Minute)), all[1].ID)
		f.equal(first(start.Add(12*time.Hour)), int64(0))
		f.equal(must[int64](f)(f.store.FirstAudited(f.t.Context(), f.other, start)), int64(0))
	},
}

// audited returns the tenant's records that a filter selects.
func (f *fixture) audited(filter store.AuditFilter) []access.Record {
	f.t.Helper()
	filter.Before = 1 << 62
	return items[access.Record](f)(f.store.Audited(f.t.Context(), f.tenant, filter, 100))
}
