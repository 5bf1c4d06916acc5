package storetest

import (
	"cmp"
	"errors"
	"time"

	"github.com/casehook/casehook/internal/store"
)

var sessionTests = map[string]func(*fixture){
	"a session is found until it expires or ends": func(f *fixture) {
		of := func(tenant int64, id string, user int64, data string, expires time.Time) {
			f.update(func(tx *store.Tx) error {
				return tx.PutSession(f.t.Context(), store.Session{
					ID: id, Tenant: tenant, User: user, Data: []byte(data), ExpiresAt: expires,
				})
			})
		}
		put := func(id string, user int64, data string, expires time.Time) { of(f.tenant, id, user, data, expires) }
		get := func(id string, now time.Time) string {
			data, found, err := f.store.Session(f.t.Context(), id, now)
			if err != nil || !found {
				return ""
			}
			return string(data)
		}
		put("a", 7, "one", start.Add(time.Hour))
		put("a", 7, "two", start.Add(2*time.Hour))
		put("b", 7, "b", start.Add(time.Hour))
		put("c", 8, "c", start.Add(time.Hour))
		put("d", 0, "d", start.Add(time.Hour))
		of(f.other, "e", 7, "e", start.Add(time.Hour)) // another tenant's user of the same id
		f.equal([]string{get("a", start.Add(time.Hour)), get("b", start), get("b", start.Add(time.Hour)), get("x", start)}, []string{"two", "b", "", ""})
		f.update(func(tx *store.Tx) error { return tx.DeleteSession(f.t.Context(), "b") })
		f.equal(get("b", start), "")
		f.update(func(tx *store.Tx) error { return tx.DeleteSessionsOf(f.t.Context(), f.tenant, 7) })
		f.update(func(tx *store.Tx) error { return tx.DeleteSessionsOf(f.t.Context(), f.tenant, 0) })
		f.equal([]string{get("a", start), get("c", start), get("d", start), get("e", start)}, []string{"", "c", "d", "e"})
		f.update(func(tx *store.Tx) error { return tx.PurgeSessions(f.t.Context(), start.Add(time.Hour), start) })
		f.equal(get("c", start), "")
	},
	"a user's sessions are listed, and end one by one or but for one": func(f *fixture) {
		ctx := f.t.Context()
		for _, s := range []store.Session{
			{ID: "a", User: 7}, {ID: "b", User: 7}, {ID: "c", User: 7}, {ID: "d", User: 8}, {ID: "e"},
			{ID: "f", User: 7, ExpiresAt: start}, {ID: "g", User: 7, Tenant: f.other},
		} {
			s.Tenant, s.Data = cmp.Or(s.Tenant, f.tenant), []byte("data of "+s.ID)
			if s.ExpiresAt.IsZero() {
				s.ExpiresAt = start.Add(time.Hour)
			}
			f.update(func(tx *store.Tx) error { return tx.PutSession(ctx, s) })
		}
		of := func(tenant, user int64) (data []string) {
			for _, s := range must[[]store.Session](f)(f.store.SessionsOf(ctx, tenant, user, start)) {
				data = append(data, string(s.Data))
			}
			return data
		}
		f.equal(of(f.tenant, 7), []string{"data of a", "data of b", "data of c"})
		f.equal(len(of(f.tenant, 0)), 0) // nobody has signed in there
		f.update(func(tx *store.Tx) error {
			return errors.Join(tx.EndSessionOf(ctx, f.tenant, 7, "a"), tx.EndSessionOf(ctx, f.tenant, 7, "d"),
				tx.EndSessionOf(ctx, f.tenant, 0, "e"), tx.EndSessionOf(ctx, f.tenant, 7, "g"))
		})
		f.update(func(tx *store.Tx) error { // a request that began before
			return tx.ExtendSession(ctx, store.Session{ID: "a", Data: []byte("x"), ExpiresAt: start.Add(time.Hour)})
		})
		f.update(func(tx *store.Tx) error {
			return tx.ExtendSession(ctx, store.Session{ID: "b", Data: []byte("new"), ExpiresAt: start.Add(2 * time.Hour)})
		})
		f.equal(of(f.tenant, 7), []string{"new", "data of c"})
		f.update(func(tx *store.Tx) error { return tx.EndSessionsBut(ctx, f.tenant, 7, "c") })
		f.equal([][]string{of(f.tenant, 7), of(f.tenant, 8), of(f.other, 7)}, [][]string{{"data of c"}, {"data of d"}, {"data of g"}})
		_, found, err := f.store.Session(ctx, "e", start)
		f.equal([]any{found, err}, []any{true, nil})
	},
	"failed sign-ins are counted until they are held, forgiven or forgotten": func(f *fixture) {
		count := func(at time.Time) (n int64, until time.Time) {
			f.update(func(tx *store.Tx) (err error) {
				n, until, err = tx.CountSignIn(f.t.Context(), "account/1", at, at.Add(-time.Hour))
				return err
			})
			return n, until
		}
		counts := func(at time.Time, want int64) {
			f.t.Helper()
			n, until := count(at)
			f.equal(n, want)
			f.equal(until.IsZero(), true)
		}
		counts(start, 1)
		counts(start, 2)
		f.update(func(tx *store.Tx) error { return tx.ForgiveSignIn(f.t.Context(), "account/1") })
		counts(start, 2)
		f.update(func(tx *store.Tx) error { return tx.LockSignIns(f.t.Context(), "account/1", start.Add(time.Minute)) })
		n, until := count(start.Add(time.Second))
		f.equal(n, int64(0))
		f.equal(until, start.Add(time.Minute))
		counts(start.Add(time.Minute), 3)
		counts(start.Add(3*time.Hour), 1)
		f.update(func(tx *store.Tx) error { return tx.ForgetSignIns(f.t.Context(), "account/1") })
		counts(start.Add(3*time.Hour), 1)
		f.update(func(tx *store.Tx) error { return tx.TrimSignIns(f.t.Context(), 1) })
		counts(start.Add(3*time.Hour), 2)
		f.update(func(tx *store.Tx) error {
			_, _, err := tx.CountSignIn(f.t.Context(), "account/2", start.Add(4*time.Hour), start)
			return errors.Join(err, tx.TrimSignIns(f.t.Context(), 1))
		})
		counts(start.Add(3*time.Hour), 1) // the newest is kept
	},
}
