package store_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/casehook/casehook/internal/cases"
	"github.com/casehook/casehook/internal/casetype"
	"github.com/casehook/casehook/internal/endpoint"
	"github.com/casehook/casehook/internal/event"
	"github.com/casehook/casehook/internal/store"
	"github.com/casehook/casehook/internal/store/storetest"
)

// TestAFrozenNodeHoldsNobodyUp freezes one node before and after each statement of each kind of write, with its
// transaction open. Meanwhile another node commits, assigns positions, delivers and creates: none of its statements
// waits.
func TestAFrozenNodeHoldsNobodyUp(t *testing.T) {
	for name, write := range frozenWrites {
		t.Run(name, func(t *testing.T) {
			w := newFrozenWorld(t)
			for at := 1; ; at++ {
				thaw := w.freeze(t, write, at)
				if thaw == nil {
					return // the write has no further statement
				}
				w.live(t, at)
				thaw()
			}
		})
	}
}

// frozenWrites are the kinds of writes that a frozen node has begun.
var frozenWrites = map[string]func(ctx context.Context, w *frozenWorld, s *store.Store, n int) error{
	"a case": func(ctx context.Context, w *frozenWorld, s *store.Store, n int) error {
		return w.create(ctx, s, 1000+n)
	},
	"an endpoint": func(ctx context.Context, w *frozenWorld, s *store.Store, n int) error {
		return w.endpoint(ctx, s, fmt.Sprint("ep_frozen", n))
	},
	"a skip": func(ctx context.Context, w *frozenWorld, s *store.Store, _ int) error {
		return s.Update(ctx, func(tx *store.Tx) error { return tx.Skip(ctx, w.tenant, "ep_a") })
	},
	"a replay": func(ctx context.Context, w *frozenWorld, s *store.Store, n int) error {
		return s.Update(ctx, func(tx *store.Tx) error {
			if err := tx.CatchUp(ctx); err != nil {
				return err
			}
			return tx.CreateReplay(ctx, store.Replay{ID: fmt.Sprint("rpl_", n), Tenant: w.tenant, Endpoint: "ep_a", Kind: store.ReplayRange, Until: 1}, nil)
		})
	},
	"targets": func(ctx context.Context, w *frozenWorld, s *store.Store, n int) error {
		return s.Update(ctx, func(tx *store.Tx) error {
			if err := tx.LockTargets(ctx, w.tenant); err != nil {
				return err
			}
			return tx.CreateEndpoint(ctx, anEndpoint(w.tenant, fmt.Sprint("ep_target", n)), fmt.Sprint("cur_target", n))
		})
	},
	"outcomes": func(ctx context.Context, w *frozenWorld, s *store.Store, n int) error {
		return w.settle(ctx, s, "ep_a", n)
	},
	"leases": func(ctx context.Context, _ *frozenWorld, s *store.Store, _ int) error {
		return s.Update(ctx, func(tx *store.Tx) error { _, err := tx.Claim(ctx, "a", time.Minute); return err })
	},
	"positions": func(ctx context.Context, w *frozenWorld, s *store.Store, n int) error {
		if err := w.create(ctx, w.alive, 2000+n); err != nil {
			return err
		}
		_, err := s.Sequence(ctx)
		return err
	},
	"retention": func(ctx context.Context, _ *frozenWorld, s *store.Store, _ int) error {
		err := s.Update(ctx, func(tx *store.Tx) error {
			_, _, err := tx.ExpireJournal(ctx, time.Now(), time.Now())
			return err
		})
		return errors.Join(err, s.PurgeJournal(ctx, 1))
	},
}

// frozenWorld is a database with a live node and frozen nodes.
type frozenWorld struct {
	url    string
	alive  *store.Store
	tenant int64
}

func newFrozenWorld(t *testing.T) *frozenWorld {
	w := &frozenWorld{url: storetest.Postgres(t, key) + "&idle_in_transaction_session_timeout=0"}
	w.alive = open(t, store.Options{URL: w.url, Key: key})
	w.tenant = tenant(t, w.alive)
	for _, name := range []string{"ep_a", "ep_b"} {
		if err := w.endpoint(t.Context(), w.alive, name); err != nil {
			t.Fatal(err)
		}
	}
	return w
}

var errThawed = errors.New("thawed")

// freeze starts a write on a new node, and freezes it at one of the moments before and after its statements, until it
// is thawed. It returns nil if the write has fewer moments.
func (w *frozenWorld) freeze(
	t *testing.T, write func(context.Context, *frozenWorld, *store.Store, int) error, at int,
) (thaw func()) {
	t.Helper()
	moments, armed := 0, false
	frozen, thawed, done := make(chan struct{}), make(chan struct{}), make(chan error, 1)
	s := open(t, store.Options{URL: w.url, Key: key, Fail: func(string, bool) error {
		if moments++; !armed || moments != at {
			return nil
		}
		close(frozen)
		<-thawed
		return errThawed
	}})
	moments, armed = 0, true
	go func() { done <- write(context.WithoutCancel(t.Context()), w, s, at) }()
	select {
	case <-frozen:
		return func() { close(thawed); <-done; s.Close() }
	case err := <-done:
		if err != nil {
			t.Errorf("before moment %d: %v", at, err)
		}
		return nil
	}
}

// live does with the live node everything that a frozen one must not delay.
func (w *frozenWorld) live(t *testing.T, at int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	head, err := w.alive.Head(ctx)
	if err != nil {
		t.Fatal(err)
	}
	for what, err := range map[string]error{
		"commits":  w.create(ctx, w.alive, at),
		"delivers": w.settle(ctx, w.alive, "ep_b", at),
		"renews its leases": w.alive.Update(ctx, func(tx *store.Tx) error {
			_, err := tx.Claim(ctx, "b", time.Minute)
			return err
		}),
		"catches up":          w.alive.CatchUp(ctx),
		"creates an endpoint": w.endpoint(ctx, w.alive, fmt.Sprint("ep_", at)),
	} {
		if err != nil {
			t.Errorf("moment %d: no other node %s: %v", at, what, err)
		}
	}
	if n, err := w.alive.Sequence(ctx); err != nil {
		t.Errorf("moment %d: no other node assigns positions: %d, %v", at, n, err)
	}
	if after, err := w.alive.Head(ctx); err != nil || after <= head {
		t.Errorf("moment %d: the journal is at %d, %v; it was at %d", at, after, err, head)
	}
}

// create commits a case with each number that cases can have.
func (w *frozenWorld) create(ctx context.Context, s *store.Store, n int) error {
	return s.Update(ctx, func(tx *store.Tx) error {
		for _, name := range []string{"reference/kyc", "outcome/customer"} {
			if _, err := tx.Next(ctx, w.tenant, name); err != nil {
				return err
			}
		}
		c := cases.Case{
			ID:             int64(n),
			Tenant:         w.tenant,
			Type:           "kyc",
			Reference:      fmt.Sprint("KYC-", n),
			Classification: casetype.Public,
			Version:        1,
			Revision:       1,
			Data:           map[string]any{},
		}
		if err := tx.InsertCase(ctx, c, &casetype.Type{Definition: casetype.Definition{Key: "kyc"}}); err != nil {
			return err
		}
		_, err := tx.Append(ctx,
			event.Entry{Tenant: w.tenant, Subject: event.CaseSubject(c.ID), Version: 1, At: time.Now()})
		return err
	})
}

func (w *frozenWorld) endpoint(ctx context.Context, s *store.Store, id string) error {
	return s.Update(ctx, func(tx *store.Tx) error {
		return tx.CreateEndpoint(ctx, anEndpoint(w.tenant, id), "cur_"+id)
	})
}

func anEndpoint(tenant int64, id string) endpoint.Endpoint {
	return endpoint.Endpoint{
		ID: id, Tenant: tenant, URL: "https://example.org/", Status: endpoint.Active,
		Triggers: []string{"case_created"}, Revision: 1,
	}
}

func (w *frozenWorld) settle(ctx context.Context, s *store.Store, endpoint string, n int) error {
	return s.Update(ctx, func(tx *store.Tx) error {
		_, err := tx.Settle(ctx, []store.Settlement{{
			Tenant: w.tenant, Endpoint: endpoint, Cursor: "cur_" + endpoint, Position: int64(n),
			Attempts: []store.Attempt{{Place: store.Place{Seq: int64(n), Message: "msg"}, Subject: "case/1", Trigger: "case_created", At: time.Now()}},
			Park: []store.ParkedMessage{
				{Lane: fmt.Sprint("case/", n), Seq: int64(n), Message: "msg", Due: time.Now()},
			},
		}})
		return err
	})
}
