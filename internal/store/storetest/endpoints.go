package storetest

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/casehook/casehook/internal/casetype"
	"github.com/casehook/casehook/internal/endpoint"
	"github.com/casehook/casehook/internal/fault"
	"github.com/casehook/casehook/internal/store"
)

func anEndpoint(tenant int64, n int) endpoint.Endpoint {
	return endpoint.Endpoint{ID: fmt.Sprintf("ep_%d_%03d", tenant, n), Clearance: casetype.Private,
		Reached: casetype.Restricted, Tenant: tenant, URL: "https://example.org/hook?a=b&c=%3Cd%3E",
		Triggers: []string{"case_approved", "case_created"}, Status: endpoint.Active, Secrets: []endpoint.Secret{
			{ID: "sec_2", Kind: endpoint.V1a, Key: []byte{0, 1, 255}, CreatedAt: start}, {
				ID: "sec_1", Kind: endpoint.V1, Key: []byte("older"), CreatedAt: start, ExpiresAt: start.Add(time.Hour),
			}},
		Revision: 1, CreatedAt: start, UpdatedAt: start}
}

// create saves an endpoint; its cursor is named after it.
func (f *fixture) create(all ...endpoint.Endpoint) {
	f.t.Helper()
	f.update(func(tx *store.Tx) error {
		for _, e := range all {
			if err := tx.CreateEndpoint(f.t.Context(), e, "cur_"+e.ID); err != nil {
				return err
			}
		}
		return nil
	})
}

var endpointTests = map[string]func(*fixture){
	"an endpoint is read back as it was saved": func(f *fixture) {
		for n, policy := range []endpoint.Policy{
			{}, {Retries: []time.Duration{}}, {
				Retries: []time.Duration{time.Nanosecond, 24 * time.Hour}, Timeout: time.Second, Concurrency: 3,
				Order: endpoint.Strict, RateLimit: 0.5,
			},
		} {
			e := anEndpoint(f.tenant, n)
			e.Policy, e.Name = policy, fmt.Sprint("name ", n)
			e.Sources, e.IgnoreOwn, e.Token = [][]string{nil, {"api"}, {"ui"}}[n], n == 1, [3]string{"", "tok_1", "tok_2"}[n]
			e.Options = []endpoint.Options{{}, {KeepAnswers: true}, {AtfinityVersion: "2.4.1"}}[n]
			e.Owner = []string{"", "user/7", "token/tok_1"}[n]
			if n == 1 {
				e.Filter = `case.type == "kyc"`
				e.Description, e.Metadata = "Two\nlines", map[string]string{"<team>": "ü", "": ""}
				e.Headers = []endpoint.Header{{Name: "X-Api-Key", Value: "s3cr3t"}, {Name: "X-Other", Value: ""}}
				e.Auth = endpoint.Auth{Kind: endpoint.OAuth2Auth, TokenURL: "https://x/", ClientID: "id", ClientSecret: "s3cr3t", Scopes: []string{"a", "b"}, Audience: "x", ClientAuth: endpoint.InBody}
				e.TLS = endpoint.TLS{Certificate: "c", Key: "k", CA: "ca"}
			}
			f.create(e)
			got := must[endpoint.Endpoint](f)(f.store.Endpoint(f.t.Context(), f.tenant, e.ID))
			f.equal(got, e)
			if (got.Policy.Retries == nil) != (policy.Retries == nil) {
				f.t.Errorf("retries %#v came back as %#v: none is not the default", policy.Retries, got.Policy.Retries)
			}
		}
	},
	"settings of a newer version survive a change by this one": func(f *fixture) {
		e := anEndpoint(f.tenant, 1)
		e.Later = map[string]json.RawMessage{"colour": json.RawMessage(`{"a":[1.50,null]}`)}
		f.create(e)
		got := must[endpoint.Endpoint](f)(f.store.Endpoint(f.t.Context(), f.tenant, e.ID))
		f.equal(got, e)
		got.Description = "Changed."
		f.update(func(tx *store.Tx) error { _, err := tx.UpdateEndpoint(f.t.Context(), got); return err })
		got.Revision++
		f.equal(must[endpoint.Endpoint](f)(f.store.Endpoint(f.t.Context(), f.tenant, e.ID)), got)
	},
	"URLs that were saved before they had a canonical form are read in it": func(f *fixture) {
		for n, url := range []string{"HTTPS://Example.org:443/a b?ü", "http://example.org:99999/"} {
			e := anEndpoint(f.tenant, n)
			e.URL, e.Auth = url, endpoint.Auth{Kind: endpoint.OAuth2Auth, TokenURL: url}
			f.create(e)
			want := []string{"https://example.org/a%20b?%C3%BC", url}[n]
			got := must[endpoint.Endpoint](f)(f.store.Endpoint(f.t.Context(), f.tenant, e.ID))
			f.equal([]string{got.URL, got.Auth.TokenURL}, []string{want, want})
		}
	},
	"an endpoint is its tenant's alone": func(f *fixture) {
		e := anEndpoint(f.tenant, 1)
		e.Name = "crm"
		f.create(e)
		_, err := f.store.Endpoint(f.t.Context(), f.other, e.ID)
		f.wantFault(err, fault.NotFound, "endpoint.not_found")
		same := anEndpoint(f.other, 2)
		same.Name = "crm"
		f.noError(f.store.CheckEndpointName(f.t.Context(), same, casetype.Restricted))
		f.equal(items[endpoint.Endpoint](f)(f.store.Endpoints(f.t.Context(), f.other, "", 9)), []endpoint.Endpoint(nil))
		f.equal(must[[]endpoint.Endpoint](f)(f.store.Subscribers(f.t.Context(), f.other, "case_created")), []endpoint.Endpoint(nil))
		theirs := e
		theirs.Tenant = f.other
		f.refused(fault.NotFound, "endpoint.not_found", func(tx *store.Tx) error { _, err := tx.UpdateEndpoint(f.t.Context(), theirs); return err })
		f.refused(fault.NotFound, "endpoint.not_found", func(tx *store.Tx) error { return tx.DeleteEndpoint(f.t.Context(), f.other, e.ID) })
		f.equal(must[endpoint.Endpoint](f)(f.store.Endpoint(f.t.Context(), f.tenant, e.ID)), e)
	},
	"endpoints are listed page by page, and by trigger": func(f *fixture) {
		var all []endpoint.Endpoint
		for n := range 5 {
			e := anEndpoint(f.tenant, n)
			if n%2 == 1 {
				e.Triggers = []string{"case_finished"}
			}
			all = append(all, e)
		}
		f.create(all...)
		list := must[[]endpoint.Endpoint](f)
		f.equal(items[endpoint.Endpoint](f)(f.store.Endpoints(f.t.Context(), f.tenant, "", 3)), all[:3])
		f.equal(items[endpoint.Endpoint](f)(f.store.Endpoints(f.t.Context(), f.tenant, all[2].ID, 3)), all[3:])
		f.equal(list(f.store.Subscribers(f.t.Context(), f.tenant, "case_finished")), []endpoint.Endpoint{all[1], all[3]})
		f.equal(list(f.store.Subscribers(f.t.Context(), f.tenant, "case_comment")), []endpoint.Endpoint(nil))
	},
	"endpoints are listed by a text in their metadata": func(f *fixture) {
		var all []endpoint.Endpoint
		for n, metadata := range []map[string]string{
			{"customer": "acme", "$.a": `"\'é%_`}, {"customer": "Acme", "acme": "customer"}, nil, {"customer": "acme"},
			{"customer": ""},
		} {
			e := anEndpoint(f.tenant, n)
			e.Metadata = metadata
			all = append(all, e)
		}
		f.create(all...)
		others := anEndpoint(f.other, 6)
		others.Metadata = all[0].Metadata
		f.create(others)
		with := func(key, value, after string, limit int) []endpoint.Endpoint {
			text := store.MetadataText{Key: key, Value: value}
			return items[endpoint.Endpoint](f)(f.store.EndpointsWith(f.t.Context(), f.tenant, text, after, limit))
		}
		f.equal(with("customer", "acme", "", 9), []endpoint.Endpoint{all[0], all[3]})
		f.equal(with("customer", "acme", "", 1), all[:1])
		f.equal(with("customer", "acme", all[0].ID, 1), all[3:4])
		f.equal(with("$.a", `"\'é%_`, "", 9), all[:1])
		f.equal(with("customer", "", "", 9), all[4:])
		f.equal(len(with("none", "", "", 9))+len(with("custom%", "acme", "", 9)), 0)
	},
	"an update needs the revision and replaces all": func(f *fixture) {
		e := anEndpoint(f.tenant, 1)
		f.create(e)
		e.Name, e.URL, e.Triggers, e.Status, e.UpdatedAt = "new", "http://new/", []string{"case_comment"}, endpoint.Paused, start.Add(time.Hour)
		e.Sources, e.IgnoreOwn, e.Token = []string{"ui"}, true, "tok_1"
		e.Filter = "true"
		e.Description, e.Metadata, e.Headers = "new", map[string]string{"a": "b"}, []endpoint.Header{{Name: "X-New", Value: "new"}}
		e.Auth, e.TLS = endpoint.Auth{Kind: endpoint.BasicAuth, Username: "Ada", Password: "s3cr3t"}, endpoint.TLS{CA: "new"}
		e.Policy, e.Secrets = endpoint.Policy{Retries: []time.Duration{}}, []endpoint.Secret{{ID: "sec_3", Kind: endpoint.V1, Key: []byte("newest"), CreatedAt: start}}
		want := e
		want.Revision = 2
		f.update(func(tx *store.Tx) error {
			got, err := tx.UpdateEndpoint(f.t.Context(), e)
			f.equal(got, want)
			return err
		})
		f.equal(must[endpoint.Endpoint](f)(f.store.Endpoint(f.t.Context(), f.tenant, e.ID)), want)
		f.refused(fault.Conflict, "endpoint.version_conflict", func(tx *store.Tx) error { _, err := tx.UpdateEndpoint(f.t.Context(), e); return err })
	},
	"a name is one endpoint's, in every spelling": func(f *fixture) {
		for n, spellings := range spellings {
			e, other := anEndpoint(f.tenant, 2*n), anEndpoint(f.tenant, 2*n+1)
			e.Name = spellings[0]
			f.create(e)
			for _, other.Name = range spellings {
				f.wantFault(f.store.CheckEndpointName(f.t.Context(), other, e.Clearance), fault.Conflict, "endpoint.name_taken")
				f.refused(fault.Conflict, "endpoint.name_taken", func(tx *store.Tx) error {
					return tx.CreateEndpoint(f.t.Context(), other, "cur")
				})
			}
			e.Name = spellings[1] // its own name in another spelling
			f.noError(f.store.CheckEndpointName(f.t.Context(), e, e.Clearance))
			f.update(func(tx *store.Tx) error { _, err := tx.UpdateEndpoint(f.t.Context(), e); return err })
		}
		nothing := anEndpoint(f.tenant, 99)
		nothing.Name = "\u00ad"
		f.noError(f.store.CheckEndpointName(f.t.Context(), nothing, casetype.Restricted))
	},
	"names are unique in a tenant, and many may have none": func(f *fixture) {
		named, second, third := anEndpoint(f.tenant, 1), anEndpoint(f.tenant, 2), anEndpoint(f.other, 3)
		named.Name, third.Name = "crm", "crm"
		f.create(named, second, third, anEndpoint(f.tenant, 4))
		same := anEndpoint(f.tenant, 5)
		same.Name = "crm"
		f.refused(fault.Conflict, "endpoint.name_taken", func(tx *store.Tx) error { return tx.CreateEndpoint(f.t.Context(), same, "cur") })
		second.Name = "crm"
		f.refused(fault.Conflict, "endpoint.name_taken", func(tx *store.Tx) error { _, err := tx.UpdateEndpoint(f.t.Context(), second); return err })
	},
	"a name is taken for those alone who see whose it is": func(f *fixture) {
		hidden, seen := anEndpoint(f.tenant, 1), anEndpoint(f.tenant, 2)
		hidden.Name, hidden.Clearance, seen.Name, seen.Clearance = "crm", casetype.Private, "CRM", casetype.Public
		f.create(hidden)
		f.noError(f.store.CheckEndpointName(f.t.Context(), seen, casetype.Public))
		f.wantFault(f.store.CheckEndpointName(f.t.Context(), seen, casetype.Private), fault.Conflict, "endpoint.name_taken")
		f.create(seen)
		seen.Clearance = casetype.Private
		f.refused(fault.Conflict, "endpoint.name_taken", func(tx *store.Tx) error {
			_, err := tx.UpdateEndpoint(f.t.Context(), seen)
			return err
		})
	},
	"an endpoint begins behind all earlier entries": func(f *fixture) {
		for i := range int64(3) {
			f.appendEntry(anEntry(f.tenant, i, 1)) // positions are not assigned yet
		}
		e := anEndpoint(f.tenant, 1)
		f.create(e)
		f.equal(must[store.Cursor](f)(f.store.Cursor(f.t.Context(), f.tenant, e.ID)), store.Cursor{ID: "cur_" + e.ID, Position: 3})
		f.equal(must[int64](f)(f.store.Head(f.t.Context())), int64(3))
	},
	"a deleted endpoint leaves its attempts alone behind": func(f *fixture) {
		e, kept := anEndpoint(f.tenant, 1), anEndpoint(f.tenant, 2)
		f.create(e, kept)
		leases := f.claim("node", time.Minute)
		for _, l := range leases {
			f.settle(aSettlement(f.tenant, l.Endpoint, l.Epoch, 5))
		}
		f.update(func(tx *store.Tx) error { return tx.DeleteEndpoint(f.t.Context(), f.tenant, e.ID) })
		f.refused(fault.NotFound, "endpoint.not_found", func(tx *store.Tx) error { return tx.DeleteEndpoint(f.t.Context(), f.tenant, e.ID) })
		_, err := f.store.Cursor(f.t.Context(), f.tenant, e.ID)
		f.wantFault(err, fault.NotFound, "endpoint.not_found")
		for endpoint, n := range map[string]int{e.ID: 0, kept.ID: 1} {
			f.equal(len(must[[]store.ParkedMessage](f)(f.store.Parked(f.t.Context(), f.tenant, "cur_"+endpoint))), n)
			f.equal(len(must[[]store.DeadMessage](f)(f.store.DeadMessages(f.t.Context(), f.tenant, endpoint, 9))), n)
			f.equal(len(must[[]store.Attempt](f)(f.store.Attempts(f.t.Context(), f.tenant, endpoint, 1<<62, 9))), 2)
		}
		f.equal(len(f.claim("node", time.Minute)), 1)
		f.equal(f.settle(aSettlement(f.tenant, e.ID, leases[0].Epoch, 6)), []string{e.ID})
		f.create(e) // the deleted one left nothing
	},
}
