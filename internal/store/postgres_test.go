package store_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/casehook/casehook/internal/fault"
	"github.com/casehook/casehook/internal/pgtest"
	"github.com/casehook/casehook/internal/store"
	"github.com/casehook/casehook/internal/waits"
)

func TestPostgresSessionsAreBounded(t *testing.T) {
	t.Parallel()
	s := open(t, engines["postgres"](t))
	update(t, s, func(tx *store.Tx) error {
		for setting, want := range map[string]string{
			"idle_in_transaction_session_timeout": "5s", "application_name": "casehook",
		} {
			if got, err := tx.Ask("show " + setting); got != want || err != nil {
				t.Errorf("%s = %s, %v; want %s", setting, got, err, want)
			}
		}
		return nil
	})
}

func TestPostgresWakesOtherNodes(t *testing.T) {
	t.Parallel()
	o := engines["postgres"](t)
	here, there := open(t, o), open(t, o)
	ctx, stop := context.WithCancel(t.Context())
	first, done := there.Wake(), make(chan error)
	go func() { done <- there.Listen(ctx) }()
	<-first // it wakes when it begins, since it missed earlier notices
	next := there.Wake()
	if err := here.Notify(t.Context()); err != nil {
		t.Fatal(err)
	}
	<-next
	stop()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("Listen = %v", err)
	}
}

func TestPostgresComesBack(t *testing.T) {
	t.Parallel()
	cluster := pgtest.New(t)
	s := open(t, store.Options{URL: cluster.Database(t), Key: key})
	id := tenant(t, s)
	listening, wake := make(chan error, 1), s.Wake()
	go func() { listening <- s.Listen(t.Context()) }()
	<-wake

	err := s.Update(t.Context(), func(tx *store.Tx) error {
		if _, err := tx.Next(t.Context(), id, "n"); err != nil {
			return err
		}
		cluster.Kill(t)
		return nil // so that the commit fails
	})
	if fault.As(err).Code != "store.outcome_unknown" {
		t.Errorf("Update = %v, want store.outcome_unknown", err)
	}
	wantUnreachable(t, "Listen", <-listening)
	_, err = s.Case(t.Context(), id, 1)
	wantUnreachable(t, "Case", err)
	wantUnreachable(t, "Update", s.Update(t.Context(), func(*store.Tx) error { return nil }))
	wantUnreachable(t, "Notify", s.Notify(t.Context()))
	_, err = s.Sequence(t.Context())
	wantUnreachable(t, "Sequence", err)

	cluster.Start(t)
	update(t, s, func(tx *store.Tx) error {
		n, err := tx.Next(t.Context(), id, "n")
		if n != 2 {
			t.Errorf("drew %d: more is lost than the transaction's number", n)
		}
		return err
	})
	cluster.Stop(t)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	_, err = store.Open(ctx, store.Options{URL: "postgres://casehook@localhost:1/x", Key: key})
	wantUnreachable(t, "Open", err)
	if err != nil && strings.Contains(fault.As(err).Detail, "localhost") {
		t.Errorf("the detail shows where the database is: %s", fault.As(err).Detail)
	}
}

// When the answer of a commit is lost, the change may or may not be saved. The error says that, and not that nothing
// was saved.
func TestACommitWhoseAnswerIsLostMayBeSaved(t *testing.T) {
	t.Parallel()
	cluster := pgtest.New(t)
	proxy := cluster.Proxy(t)
	s, err := store.Open(t.Context(), store.Options{URL: proxy.URL(t, cluster.Database(t)), Key: key})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	change := func(name string, then func()) error {
		return s.Update(t.Context(), func(tx *store.Tx) error {
			_, err := tx.CreateTenant(t.Context(), name, name, time.Now())
			then()
			return err
		})
	}
	lost := change("saved", proxy.LoseAnswers)
	if code := fault.As(lost).Code; code != "store.outcome_unknown" || !errors.Is(lost, fault.Unavailable) {
		t.Errorf("with its answer lost, the commit returns %v", lost)
	}
	proxy.Mend()
	cut := change("perhaps", proxy.Cut) // before the commit is sent, although the store can't know that
	if code := fault.As(cut).Code; code != "store.outcome_unknown" {
		t.Errorf("with the connection cut before it, the commit returns %v", cut)
	}
	proxy.Mend()
	if err := change("saved", func() {}); fault.As(err).Code != "store.duplicate" {
		t.Errorf("the change whose answer was lost is not there: %v", err)
	}
	if err := change("perhaps", func() {}); err != nil {
		t.Errorf("the change that was never sent is there: %v", err)
	}
}

// A request waits some seconds for a database that is silent, and hardly any more for its further statements. Of a
// commit that was sent, nobody knows the outcome.
func TestARequestDoesNotWaitForASilentDatabase(t *testing.T) {
	t.Parallel()
	cluster := pgtest.New(t)
	proxy := cluster.Proxy(t)
	s, err := store.Open(t.Context(), store.Options{URL: proxy.URL(t, cluster.Database(t)), Key: key})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { proxy.Mend(); s.Close() })
	ctx := store.WithPatience(t.Context())
	change := func(name string, then func()) error {
		return s.Update(ctx, func(tx *store.Tx) error {
			_, err := tx.CreateTenant(ctx, name, name, time.Now())
			then()
			return err
		})
	}
	began := time.Now()
	if err := change("perhaps", proxy.Swallow); fault.As(err).Code != "store.outcome_unknown" {
		t.Errorf("a commit that is swallowed returns %v", err)
	}
	wantUnreachable(t, "a change", change("never", func() {}))
	_, err = s.Tenants(ctx)
	wantUnreachable(t, "a list", err)
	if took := time.Since(began); took > 9*time.Second {
		t.Errorf("the request waits for %v", took)
	}
	proxy.Mend()
	waits.Poll(t, "the store goes on", func() bool { return change("later", func() {}) == nil })
	all, err := s.Tenants(ctx)
	if err != nil || len(all) > 2 {
		t.Errorf("%d tenants, %v", len(all), err)
	}
}

func wantUnreachable(t *testing.T, what string, err error) {
	t.Helper()
	if err == nil || fault.As(err).Code != "store.unreachable" || !errors.Is(err, fault.Unavailable) {
		t.Errorf("%s = %v, want store.unreachable", what, err)
	}
}

func TestADatabaseURLThatCannotBeReadIsNotRepeated(t *testing.T) {
	_, err := store.Open(t.Context(), store.Options{URL: "postgres://me:hunter2@[broken/x", Key: key})
	if fault.As(err).Code != "store.url_invalid" || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("Open = %v", err)
	}
}

// A killed process loses its connections, and with them its leases. A process that lost only the connection by which it
// is known reports that, and keeps them.
func TestAKilledNodesLeasesAreFreeAtOnce(t *testing.T) {
	t.Parallel()
	o := engines["postgres"](t)
	here, there := open(t, o), open(t, o)
	id := tenant(t, here)
	update(t, here, func(tx *store.Tx) error { return tx.CreateEndpoint(t.Context(), anEndpoint(id, "ep_1"), "cur_1") })
	claim := func(s *store.Store, owner string) (held []store.Lease) {
		update(t, s, func(tx *store.Tx) (err error) {
			held, err = tx.Claim(t.Context(), owner, store.MaxLease)
			return err
		})
		return held
	}
	ctx, kill := context.WithCancel(t.Context())
	begun, ended := here.EndpointsChanged(), make(chan struct{})
	go func() { defer close(ended); _ = here.Listen(ctx) }()
	<-begun
	if held := claim(here, "a"); len(held) != 1 {
		t.Fatalf("the first node holds %v", held)
	}
	update(t, there, func(tx *store.Tx) error {
		left, err := tx.NextExpiry(t.Context(), "b")
		if left <= store.MaxLease/2 || left > store.MaxLease {
			t.Errorf("its leases end in %v", left)
		}
		return err
	})
	if held := claim(there, "b"); len(held) != 0 {
		t.Fatalf("the second took %v from a node that lives", held)
	}
	lost := here.EndpointsChanged()
	kill()
	<-ended
	<-lost
	claim(here, "a") // it is alive all the same
	if held := claim(there, "b"); len(held) != 0 {
		t.Fatalf("the second took %v from a node that lost a connection", held)
	}
	update(t, there, func(tx *store.Tx) error {
		return tx.Exec("update nodes set session = 2147483647, session_at = 1 where id = 'a'")
	})
	if held := claim(there, "b"); len(held) != 0 {
		t.Fatalf("the second took %v, and it may have been the database that was restarted", held)
	}
	update(t, there, func(tx *store.Tx) error {
		return tx.Exec("update nodes set session_at = 4102444800000000 where id = 'a'") // as if it were killed now
	})
	if held := claim(there, "b"); len(held) != 1 || held[0].Epoch != 2 {
		t.Fatalf("the second holds %v of a node that was killed", held)
	}
}
