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
)

func TestPostgresSessionsAreBounded(t *testing.T) {
	s := open(t, engines["postgres"](t))
	update(t, s, func(tx *store.Tx) error {
		for setting, want := range map[string]string{"idle_in_transaction_session_timeout": "5s", "application_name": "casehook"} {
			if got, err := tx.Ask("show " + setting); got != want || err != nil {
				t.Errorf("%s = %s, %v; want %s", setting, got, err, want)
			}
		}
		return nil
	})
}

func TestPostgresWakesOtherNodes(t *testing.T) {
	o := engines["postgres"](t)
	here, there := open(t, o), open(t, o)
	ctx, stop := context.WithCancel(t.Context())
	first, done := there.Wake(), make(chan error)
	go func() { done <- there.Listen(ctx) }()
	<-first // it wakes when it begins: what came before was not heard
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
	wantUnreachable(t, "Update", err)
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
		if n != 1 {
			t.Errorf("counted %d: something of the lost transaction is left", n)
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
