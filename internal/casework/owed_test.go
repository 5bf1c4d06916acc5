package casework_test

import (
	"bytes"
	"context"
	"log/slog"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/casehook/casehook/internal/authz"
	"github.com/casehook/casehook/internal/casework"
	"github.com/casehook/casehook/internal/store"
)

// A process that stops between the commit and the question leaves the question to another, which asks the same.
func TestASubmittedCallbackIsAskedThoughAServerStops(t *testing.T) {
	w := start(t)
	w.put(w.p, permit("Permit", "ccd"))
	made := w.submit(casework.Submission{Type: "Permit", Transition: "create", Data: object(`{"resident": "Ada"}`)})
	w.label(w.p, "later")
	asked, stopped := make(chan struct{}), make(chan struct{})
	w.callbacks.on("Permit-done", func(http.ResponseWriter, *http.Request) {
		close(asked)
		<-stopped // until then the first process seems to have stopped
	}, respond(200, ""))
	submitted := make(chan error, 1)
	go func() {
		_, err := w.submissions.Submit(t.Context(), w.p, casework.Submission{
			CaseID: made.ID, Transition: "decide", Data: object(`{"reason": "carer"}`),
		}, authz.Once{})
		submitted <- err
	}()
	<-asked
	if _, err := w.addLabel(w.p, made.ID, "later"); err != nil { // the case goes on
		t.Fatal(err)
	}
	w.askOwed()
	close(stopped)
	if err := <-submitted; err != nil {
		t.Error(err)
	}
	w.askOwed()
	done := w.callbacks.at("Permit-done")
	if len(done.requests) != 2 {
		t.Fatalf("asked %d times, want once by each process", len(done.requests))
	}
	if diff := cmp.Diff(done.bodies[0], done.bodies[1]); diff != "" {
		t.Errorf("the other process asks something else (-first +other):\n%s", diff)
	}
	first, again := done.requests[0].Header.Get("webhook-id"), done.requests[1].Header.Get("webhook-id")
	if first != again {
		t.Errorf("the other process asks as %s, and not as %s", again, first)
	}
}

// askOwed lets another process ask all that is owed.
func (w *world) askOwed() {
	w.t.Helper()
	ctx, stop := context.WithCancel(w.t.Context())
	looked, ended := w.worked.Next(), make(chan struct{})
	go func() {
		defer close(ended)
		w.node().owed.Run(ctx)
	}()
	select {
	case <-looked:
	case <-w.worked.Late():
		w.t.Error("waited in vain for a look at what is owed")
	}
	stop()
	<-ended
}

// A question is given up, and said so, where the history lacks its case.
func TestAnOwedQuestionIsGivenUp(t *testing.T) {
	var log bytes.Buffer
	w := start(t, func(s *settings) { s.Log = slog.New(slog.NewTextHandler(&log, nil)) })
	owed := store.OwedQuestion{Tenant: w.p.Tenant, Case: 7, Version: 1, Transition: "gone", Takes: 1, Holder: "other"}
	err := w.store.Update(t.Context(), func(tx *store.Tx) error { return tx.AddOwed(t.Context(), owed) })
	if err != nil {
		t.Fatal(err)
	}
	w.askOwed()
	w.askOwed()
	if n := strings.Count(log.String(), "is not tried again"); n != 1 {
		t.Errorf("%d lines say that it is given up: %s", n, log.String())
	}
}
