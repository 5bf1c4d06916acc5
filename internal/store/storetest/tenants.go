package storetest

import (
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/casehook/casehook/internal/access"
	"github.com/casehook/casehook/internal/casetype"
	"github.com/casehook/casehook/internal/endpoint"
	"github.com/casehook/casehook/internal/fault"
	"github.com/casehook/casehook/internal/store"
)

var tenantTests = map[string]func(*fixture){
	"tenants are found by key, which is taken once": func(f *fixture) {
		f.equal(must[store.Tenant](f)(f.store.TenantByKey(f.t.Context(), "acme")), store.Tenant{ID: f.tenant, Key: "acme", Name: "The acme", CreatedAt: start})
		_, err := f.store.TenantByKey(f.t.Context(), "none")
		f.wantFault(err, fault.NotFound, "tenant.not_found")
		f.refused(fault.Conflict, "store.duplicate", func(tx *store.Tx) error {
			_, err := tx.CreateTenant(f.t.Context(), "acme", "Another", start)
			return err
		})
	},
	"tenants are found by host names, which are taken once": func(f *fixture) {
		set := func(tenant int64, hosts ...string) {
			f.update(func(tx *store.Tx) error { return tx.SetHosts(f.t.Context(), tenant, hosts) })
		}
		set(f.tenant, "old.example")
		set(f.tenant, "acme.example", "www.acme.example")
		set(f.other, "old.example")
		f.equal(must[int64](f)(f.store.TenantOfHost(f.t.Context(), "www.acme.example")), f.tenant)
		f.equal(must[int64](f)(f.store.TenantOfHost(f.t.Context(), "old.example")), f.other)
		_, err := f.store.TenantOfHost(f.t.Context(), "nobody.example")
		f.wantFault(err, fault.NotFound, "tenant.not_found")
		f.refused(fault.Conflict, "tenant.host_taken", func(tx *store.Tx) error {
			return tx.SetHosts(f.t.Context(), f.other, []string{"other.example", "acme.example"})
		})
		renamed := store.Tenant{
			ID: f.other, Name: "Renamed", PublicURL: "https://renamed.example/desk", ContactIDs: casetype.SequentialIDs,
			Reach: store.Reach{Variables: []string{"A", "B"}, Allow: []string{"10.0.0.0/8:8443"}},
		}
		f.update(func(tx *store.Tx) error { return tx.UpdateTenant(f.t.Context(), renamed) })
		f.equal(must[[]store.Tenant](f)(f.store.Tenants(f.t.Context())), []store.Tenant{
			{ID: f.tenant, Key: "acme", Name: "The acme", Hosts: []string{"acme.example", "www.acme.example"}, CreatedAt: start},
			{
				ID: f.other, Key: "other", Name: "Renamed", Hosts: []string{"old.example"}, Reach: renamed.Reach,
				PublicURL: renamed.PublicURL, ContactIDs: casetype.SequentialIDs, CreatedAt: start,
			},
		})
	},
	"a tenant is read as of the last commit, in a transaction too": func(f *fixture) {
		want := store.Tenant{ID: f.tenant, Key: "acme", Name: "The acme", CreatedAt: start}
		both := func() {
			f.equal(must[store.Tenant](f)(f.store.Tenant(f.t.Context(), f.tenant)), want)
			f.update(func(tx *store.Tx) error {
				f.equal(must[store.Tenant](f)(tx.Tenant(f.t.Context(), f.tenant)), want)
				return nil
			})
		}
		f.update(func(tx *store.Tx) error { // the first to look
			f.equal(must[store.Tenant](f)(tx.Tenant(f.t.Context(), f.tenant)), want)
			return nil
		})
		both()
		want.PublicURL = "https://acme.example"
		f.update(func(tx *store.Tx) error { return tx.UpdateTenant(f.t.Context(), want) })
		both()
		want.Hosts = []string{"a.example", "b.example"}
		f.update(func(tx *store.Tx) error { return tx.SetHosts(f.t.Context(), f.tenant, want.Hosts) })
		both()
		f.refused(fault.NotFound, "tenant.not_found", func(tx *store.Tx) error {
			_, err := tx.Tenant(f.t.Context(), 99)
			return err
		})
	},
	"tokens are found by id, listed and revoked by tenant": func(f *fixture) {
		first := access.Token{ID: "tok_1", Tenant: f.tenant, Name: "robot", Hash: []byte{0, 1, 255}, CreatedAt: start, Clearance: casetype.Private}
		second := access.Token{ID: "tok_2", Tenant: f.tenant, Name: "robot", Hash: []byte{2}, CreatedAt: start, ExpiresAt: start.Add(time.Hour)}
		f.update(func(tx *store.Tx) error {
			if err := tx.CreateToken(f.t.Context(), second); err != nil {
				return err
			}
			return tx.CreateToken(f.t.Context(), first)
		})
		f.equal(must[access.Token](f)(f.store.Token(f.t.Context(), "tok_1")), first)
		f.equal(must[[]access.Token](f)(f.store.Tokens(f.t.Context(), f.tenant)), []access.Token{first, second})
		f.equal(must[[]access.Token](f)(f.store.Tokens(f.t.Context(), f.other)), []access.Token(nil))
		f.refused(fault.NotFound, "token.not_found", func(tx *store.Tx) error { return tx.DeleteToken(f.t.Context(), f.other, "tok_1") })
		f.update(func(tx *store.Tx) error { return tx.DeleteToken(f.t.Context(), f.tenant, "tok_1") })
		_, err := f.store.Token(f.t.Context(), "tok_1")
		f.wantFault(err, fault.NotFound, "token.not_found")
	},
}

var caseTypeTests = map[string]func(*fixture){
	"a case type keeps every version": func(f *fixture) {
		v := func(key string, version int64) store.CaseType {
			return store.CaseType{Key: key, Version: version, Definition: []byte(`{"key": "` + key + `",  "n":"Ü\u0000"}`), CreatedAt: start, Clearance: casetype.Private}
		}
		f.update(func(tx *store.Tx) error {
			for _, t := range []store.CaseType{v("kyc", 1), v("claim", 1), v("kyc", 2), v("kyc", 10)} {
				if err := tx.CreateCaseType(f.t.Context(), f.tenant, t); err != nil {
					return err
				}
			}
			return tx.CreateCaseType(f.t.Context(), f.other, v("kyc", 1))
		})
		get := must[store.CaseType](f)
		f.equal(get(f.store.CaseType(f.t.Context(), f.tenant, "kyc", 0)), v("kyc", 10))
		f.equal(get(f.store.CaseType(f.t.Context(), f.tenant, "kyc", 2)), v("kyc", 2))
		f.equal(get(f.store.CaseType(f.t.Context(), f.other, "kyc", 0)), v("kyc", 1))
		for key, version := range map[string]int64{"kyc": 3, "claim": 2, "none": 0} {
			_, err := f.store.CaseType(f.t.Context(), f.tenant, key, version)
			f.wantFault(err, fault.NotFound, "case_type.not_found")
		}
		f.equal(items[store.CaseType](f)(f.store.CaseTypes(f.t.Context(), f.tenant, "", 9)), []store.CaseType{v("claim", 1), v("kyc", 10)})
		f.refused(fault.Conflict, "store.duplicate", func(tx *store.Tx) error {
			return tx.CreateCaseType(f.t.Context(), f.tenant, v("kyc", 2))
		})
	},
	"callbacks' secrets are set, replaced and listed": func(f *fixture) {
		one := endpoint.Secret{ID: "sec_1", Kind: endpoint.V1, Key: []byte("one"), CreatedAt: start,
			ExpiresAt: start.Add(time.Hour)}
		two := endpoint.Secret{ID: "sec_2", Kind: endpoint.V1a, Key: []byte("two"), CreatedAt: start}
		put := func(tenant int64, callback string, revision int64, secrets ...endpoint.Secret) {
			f.update(func(tx *store.Tx) error {
				s := store.CallbackSecrets{Secrets: secrets, Revision: revision}
				return tx.PutCallbackSecrets(f.t.Context(), store.CallbackRef{
					Tenant: tenant, CaseType: "kyc", Callback: callback,
				}, s, start)
			})
		}
		get := func(tenant int64, callback string) store.CallbackSecrets {
			return must[store.CallbackSecrets](f)(f.store.CallbackSecrets(f.t.Context(), tenant, "kyc", callback))
		}
		put(f.tenant, "approve", 0, one)
		put(f.tenant, "approve", 1, two, one)
		put(f.tenant, "@switch", 0, two)
		put(f.other, "approve", 0, one)
		both := store.CallbackSecrets{Secrets: []endpoint.Secret{two, one}, Revision: 2}
		f.equal(get(f.tenant, "approve"), both)
		f.equal(get(f.other, "approve"), store.CallbackSecrets{Secrets: []endpoint.Secret{one}, Revision: 1})
		f.equal(get(f.other, "@switch"), store.CallbackSecrets{})
		of := must[map[string]store.CallbackSecrets](f)
		f.equal(of(f.store.SecretsOfCallbacks(f.t.Context(), f.tenant, "kyc")),
			map[string]store.CallbackSecrets{"approve": both,
				"@switch": {Secrets: []endpoint.Secret{two}, Revision: 1}})
		f.equal(of(f.store.SecretsOfCallbacks(f.t.Context(), f.tenant, "claim")), map[string]store.CallbackSecrets{})
		f.refused(fault.Conflict, store.SecretsConflict, func(tx *store.Tx) error {
			return tx.PutCallbackSecrets(f.t.Context(), store.CallbackRef{
				Tenant: f.tenant, CaseType: "kyc", Callback: "approve",
			}, store.CallbackSecrets{Revision: 1}, start)
		})
	},
	"callbacks' credentials are set, replaced, found and removed": func(f *fixture) {
		at := store.CallbackRef{Tenant: f.tenant, CaseType: "kyc", Callback: "approve"}
		c := endpoint.Credentials{
			Origin:  "https://callbacks.example",
			Headers: []endpoint.Header{{Name: "X", Value: "one"}},
			Auth:    endpoint.Auth{Kind: endpoint.BearerAuth, Token: "two"},
		}
		all := endpoint.Credentials{Origin: "https://all.example", TLS: endpoint.TLS{Key: "three"}}
		f.update(func(tx *store.Tx) error {
			ctx := f.t.Context()
			elsewhere, whole := at, at
			elsewhere.Tenant, whole.Callback = f.other, "@type"
			return errors.Join(
				tx.PutCallbackCredentials(ctx, at, all, start), tx.PutCallbackCredentials(ctx, at, c, start),
				tx.PutCallbackCredentials(ctx, elsewhere, all, start),
				tx.PutCallbackCredentials(ctx, whole, all, start))
		})
		get := must[map[string]endpoint.Credentials](f)
		f.equal(get(f.store.CallbackCredentials(f.t.Context(), at, "@type")),
			map[string]endpoint.Credentials{"approve": c, "@type": all})
		for _, want := range []bool{true, false} {
			f.update(func(tx *store.Tx) error {
				had, err := tx.DeleteCallbackCredentials(f.t.Context(), at)
				f.equal(had, want)
				return err
			})
		}
		f.equal(get(f.store.CallbackCredentials(f.t.Context(), at, "@type")),
			map[string]endpoint.Credentials{"@type": all})
	},
}

var idempotencyTests = map[string]func(*fixture){
	"an answer is found by its whole key until it expires": func(f *fixture) {
		k := store.OnceKey{Tenant: f.tenant, Token: "tok_1", Operation: string(access.CreateCase), Key: "k"}
		a := store.Answer{Request: "hash", Status: 201, Header: map[string]string{"ETag": `"1"`}, Body: []byte("{\x00\xff}")}
		f.equal(f.storeAnswer(k, a, start, start.Add(-time.Hour)), true)
		find := func(k store.OnceKey, since time.Time) (store.Answer, bool) {
			got, found, err := f.store.Answered(f.t.Context(), k, since)
			if err != nil {
				f.t.Fatal(err)
			}
			return got, found
		}
		got, found := find(k, start.Add(-time.Hour))
		f.equal(found, true)
		f.equal(got, a)
		_, found = find(k, start)
		f.equal(found, false)
		for _, change := range []func(*store.OnceKey){
			func(k *store.OnceKey) { k.Tenant = f.other }, func(k *store.OnceKey) { k.Token = "tok_2" },
			func(k *store.OnceKey) { k.Operation = "delete" }, func(k *store.OnceKey) { k.Key = "K" },
		} {
			other := k
			change(&other)
			_, found := find(other, start.Add(-time.Hour))
			f.equal(found, false)
		}

		f.equal(f.storeAnswer(k, store.Answer{Request: "late", Status: 200}, start, start.Add(-time.Hour)), false)
		f.equal(f.storeAnswer(k, store.Answer{Request: "next", Status: 204}, start.Add(2*time.Hour), start.Add(time.Hour)), true)
		got, _ = find(k, start)
		f.equal(got, store.Answer{Request: "next", Status: 204})
		purge := func(before time.Time) (rounds int) {
			for more := true; more; rounds++ {
				f.update(func(tx *store.Tx) (err error) {
					more, err = tx.PurgeAnswers(f.t.Context(), before)
					return err
				})
			}
			return rounds
		}
		purge(start.Add(time.Hour))
		_, found = find(k, start)
		f.equal(found, true)
		f.update(func(tx *store.Tx) error { // more than one portion
			for i := range 600 {
				other := k
				other.Key = fmt.Sprint("old ", i)
				_, err := tx.StoreAnswer(f.t.Context(), store.NewAnswer{
					OnceKey: other, Answer: store.Answer{Request: "r", Status: 204}, By: "here", Now: start,
					Since: start.Add(-time.Hour),
				})
				if err != nil {
					return err
				}
			}
			return nil
		})
		f.equal(purge(start.Add(3*time.Hour)), 2)
		_, found = find(k, start)
		f.equal(found, false)
	},
	"a key that one process has claimed is no other's until it is free": func(f *fixture) {
		k := store.OnceKey{Tenant: f.tenant, Token: "tok_1", Operation: string(access.CreateCase), Key: "k"}
		claim := func(by string, now time.Time, alone bool) (claimed bool) {
			f.update(func(tx *store.Tx) (err error) {
				claimed, err = tx.ClaimKey(f.t.Context(), store.Claim{
					OnceKey: k, Request: "hash", By: by, Now: now, Until: now.Add(time.Minute), Since: now.Add(-time.Hour), Alone: alone,
				})
				return err
			})
			return claimed
		}
		release := func(by string) {
			f.update(func(tx *store.Tx) error { return tx.ReleaseKey(f.t.Context(), k, by) })
		}
		soon, later := start.Add(59*time.Second), start.Add(time.Minute)
		f.equal([]bool{claim("here", start, false), claim("there", soon, false), claim("here", start, false)}, []bool{true, false, true})
		got, found, err := f.store.Answered(f.t.Context(), k, start.Add(-time.Hour))
		f.equal([]any{got, found, err}, []any{store.Answer{Request: "hash", Header: map[string]string{}}, true, error(nil)})
		release("there")
		f.equal(claim("there", soon, false), false)
		release("here")
		f.equal(claim("there", soon, false), true)
		a := store.Answer{Request: "hash", Status: 201}
		f.equal(f.storeAnswer(k, a, soon, start.Add(-time.Hour)), false) // by "here", while "there" has the key
		f.equal(claim("here", soon, true), true)                         // nobody else can be there
		f.equal(claim("there", later, false), false)
		f.equal(claim("there", soon.Add(time.Minute), false), true) // here has not come back
		f.equal(claim("here", soon.Add(2*time.Minute), false), true)
		f.equal(f.storeAnswer(k, a, later, start.Add(-time.Hour)), true)
		release("here")
		f.equal([]bool{claim("here", later, true), claim("there", start.Add(59*time.Minute), false)}, []bool{false, false})
		f.equal(claim("there", later.Add(time.Hour), false), true) // the answer is forgotten
	},
	"of many that answer the same request one wins": func(f *fixture) {
		k := store.OnceKey{Tenant: f.tenant, Token: "tok_1", Operation: string(access.CreateCase), Key: "k"}
		var wg sync.WaitGroup
		won := make(chan bool, 20)
		for range 20 {
			wg.Go(func() {
				won <- f.storeAnswer(k, store.Answer{Request: "hash", Status: 200}, start, start.Add(-time.Hour))
			})
		}
		wg.Wait()
		close(won)
		winners := 0
		for w := range won {
			if w {
				winners++
			}
		}
		f.equal(winners, 1)
	},
}

// storeAnswer stores an answer, and reports whether it was the first.
func (f *fixture) storeAnswer(k store.OnceKey, a store.Answer, now, since time.Time) (first bool) {
	err := f.store.Update(f.t.Context(), func(tx *store.Tx) (err error) {
		first, err = tx.StoreAnswer(f.t.Context(), store.NewAnswer{
			OnceKey: k, Answer: a, By: "here", Now: now, Since: since,
		})
		return err
	})
	if err != nil {
		f.t.Error(err)
	}
	return first
}
