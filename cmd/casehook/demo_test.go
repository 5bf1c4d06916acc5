package main

import (
	"bytes"
	"context"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/casehook/casehook/internal/demo"
	"github.com/casehook/casehook/internal/wire/wiretest"
)

// play runs the demo with its real server, and returns its output. It checks that the server's data
// is removed afterwards.
func play(t *testing.T, o demo.Options) (string, error) {
	t.Helper()
	var out bytes.Buffer
	var data string
	o.Once, o.Out = true, &out
	disturbed := o.Receive
	o.Receive = func(h http.Handler) http.Handler {
		if disturbed != nil {
			h = disturbed(h)
		}
		return wiretest.Handler(t, h)
	}
	o.Start = func(ctx context.Context, variables map[string]string) (demo.Server, func() error, error) {
		s, stop, err := startDemo(ctx, variables)
		data = s.Data
		return s, stop, err
	}
	err := demo.Run(t.Context(), o)
	if _, missing := os.Stat(data); !os.IsNotExist(missing) {
		t.Errorf("the data in %s is still there: %v", data, missing)
	}
	return out.String(), err
}

func TestTheDemoPrintsItsWholeStory(t *testing.T) {
	out, err := play(t, demo.Options{})
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, want := range []string{
		"risk_score 55, risk_level medium",
		"error: Clients resident in KP are not accepted.",
		"warning: There is no passport number yet.",
		"is escalated, version 4",
		"attempt 2  signature ✓",
		"%PDF-1.",
		"with the state escalated",
		"reserve 76800",
		"claim.created           v1",
		"/data/vehicle is not a field of property_claim",
		"claim.assigned          v3",
		"property_claim, closed, labels [fast_track], assigned to Grace Hopper",
		"claim.closed            v7",
		"claim.reopened          v8",
		"claim.unassigned        v9",
		"claim.label.removed     v10",
		"✓ 34 webhooks arrived, in order, and 8 questions were asked; every signature was right.",
	} {
		if !strings.Contains(out, want) {
			t.Errorf("the output lacks %q", want)
		}
	}
	checkReadmeShows(t, out)
	if strings.Contains(out, "\x1b[") {
		t.Error("the output has colours, but is not a terminal")
	}
	if t.Failed() {
		t.Log(out)
	}
}

func TestTheDemoFailsWhenAWebhookIsLost(t *testing.T) {
	out, err := play(t, demo.Options{Wait: 2 * time.Second, Receive: func(h http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("X-atfinity-event") == "case_comment" {
				return // 200, and lost
			}
			h.ServeHTTP(w, r)
		})
	}})
	if err == nil || !strings.Contains(err.Error(), "missing") || !strings.Contains(err.Error(), "case_comment") {
		t.Fatalf("the error is %v, and does not name what is missing\n%s", err, out)
	}
}

func TestTheDemoFailsWhenASignatureIsWrong(t *testing.T) {
	out, err := play(t, demo.Options{Receive: func(h http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			r.Header.Set("webhook-timestamp", "1")
			h.ServeHTTP(w, r)
		})
	}})
	if err == nil || !strings.Contains(err.Error(), "wrong signature") {
		t.Fatalf("the error is %v\n%s", err, out)
	}
}

func TestTheDemoFailsWhenWebhooksComeOutOfOrder(t *testing.T) {
	swallowed := false
	out, err := play(t, demo.Options{Receive: func(h http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("X-atfinity-event") == "case_created" && !swallowed {
				swallowed = true // requests of one case come one after the other
				return
			}
			h.ServeHTTP(w, r)
		})
	}})
	if err == nil || !strings.Contains(err.Error(), "out of order: case_created") {
		t.Fatalf("the error is %v\n%s", err, out)
	}
}

func TestTheDemoStaysUpUntilItIsStopped(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	out := writer(func(b []byte) {
		if strings.Contains(string(b), "Press Ctrl-C") {
			cancel()
		}
	})
	if err := demo.Run(ctx, demo.Options{Out: out, Start: startDemo}); err != nil {
		t.Fatal(err)
	}
	if ctx.Err() == nil {
		t.Error("it did not wait to be stopped")
	}
}

type writer func([]byte)

func (w writer) Write(b []byte) (int, error) { w(b); return len(b), nil }
