package casework_test

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/casehook/casehook/internal/access"
	"github.com/casehook/casehook/internal/authz"
	"github.com/casehook/casehook/internal/casework"
	"github.com/casehook/casehook/internal/endpoint"
	"github.com/casehook/casehook/internal/fault"
	"github.com/casehook/casehook/internal/people"
	"github.com/casehook/casehook/internal/secrets"
	"github.com/casehook/casehook/internal/store"
	"github.com/casehook/casehook/internal/store/storetest"
	"github.com/casehook/casehook/internal/testworld"
)

func TestARepeatedRequestGetsTheFirstAnswer(t *testing.T) {
	engines(t, func(t *testing.T, w *world) {
		w.put(w.p, loan("loan", ""))
		in := casework.Submission{Type: "loan", Transition: "open"}
		create := func(p access.Principal, o authz.Once) (casework.View, error) {
			return w.submissions.Submit(t.Context(), p, in, o)
		}
		v, err := create(w.p, once("create", "k", "r"))
		if err != nil {
			t.Fatal(err)
		}
		_, err = create(w.p, once("create", "k", "r"))
		a := replayed(t, err)
		type answer struct {
			ID        int64
			Status    int
			Operation string
		}
		got := answer{Status: a.Status, Operation: a.Header["X-Operation"]}
		if err := json.Unmarshal(a.Body, &got); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(answer{v.ID, 201, "create"}, got); diff != "" {
			t.Errorf("the stored answer: %s", diff)
		}

		_, err = create(w.p, once("create", "k", "another"))
		wantFault(t, err, fault.Unprocessable, "idempotency.key_reused")
		other := w.p
		other.Actor.TokenID = "tok_other"
		for name, again := range map[string]func() (casework.View, error){
			"another token":     func() (casework.View, error) { return create(other, once("create", "k", "r")) },
			"another operation": func() (casework.View, error) { return create(w.p, once("create-2", "k", "r")) },
			"another key":       func() (casework.View, error) { return create(w.p, once("create", "K", "r")) },
			"no key":            func() (casework.View, error) { return create(w.p, authz.Once{}) },
		} {
			if v2, err := again(); err != nil || v2.ID == v.ID {
				t.Errorf("%s: %v", name, err)
			}
		}
		w.later(23 * time.Hour)
		_, err = create(w.p, once("create", "k", "r"))
		replayed(t, err)
		w.later(2 * time.Hour)
		if v2, err := create(w.p, once("create", "k", "different")); err != nil || v2.ID == v.ID {
			t.Errorf("a day later: %v", err)
		}
		_, err = create(w.p, once("create", strings.Repeat("k", 256), "r"))
		wantFault(t, err, fault.Invalid, "idempotency.key_invalid")
		_, err = create(w.p, once("create", "a\x00", "r"))
		wantFault(t, err, fault.Invalid, "idempotency.key_invalid")
	})
}

func TestATokenThatHasExpiredSinceIsShownAgain(t *testing.T) {
	w := start(t)
	expires := w.now().Add(time.Hour)
	if _, err := w.tokens.CreateToken(t.Context(), w.p, people.TokenRequest{Name: "short", Expires: expires},
		once(access.CreateToken, "k", "r")); err != nil {
		t.Fatal(err)
	}
	w.later(2 * time.Hour)
	_, err := w.tokens.CreateToken(t.Context(), w.p, people.TokenRequest{Name: "short", Expires: expires},
		once(access.CreateToken, "k", "r"))
	replayed(t, err)
}

func TestARefusalIsNotRemembered(t *testing.T) {
	w := start(t)
	w.put(w.p, loan("loan", `"retries": []`))
	c := w.open("loan")
	w.callbacks.on("loan", respond(500, ""), respond(200, ""))
	in := casework.Submission{CaseID: c.ID, Transition: "submit"}
	_, err := w.submissions.Submit(t.Context(), w.p, in, once("submit", "k", "r"))
	wantFault(t, err, fault.Upstream, "callback.failed")
	if _, err := w.submissions.Submit(t.Context(), w.p, in, once("submit", "k", "r")); err != nil {
		t.Fatal(err)
	}
	_, err = w.submissions.Submit(t.Context(), w.p, in, once("submit", "k", "r"))
	replayed(t, err) // although the transition is no longer allowed
}

func TestAnAnswerIsKeptWhereNothingChanges(t *testing.T) {
	w := start(t)
	w.put(w.p, loan("loan", ""))
	in := casework.Submission{CaseID: w.open("loan").ID, Edit: true}
	if _, err := w.submissions.Submit(t.Context(), w.p, in, once("edit", "k", "r")); err != nil {
		t.Fatal(err)
	}
	_, err := w.submissions.Submit(t.Context(), w.p, in, once("edit", "k", "r"))
	replayed(t, err)
}

// While the callback of the first request is asked, a second one with its key waits. It asks no callback, and gets the
// first one's answer.
func TestOfTwoRequestsAtOnceOneIsAskedAbout(t *testing.T) {
	twice(t, func(w *world) *services { return &w.services })
}

// The same holds for two nodes.
func TestOfTwoRequestsAtTwoNodesOneIsAskedAbout(t *testing.T) {
	twice(t, func(w *world) *services {
		if !w.store.Nodes() {
			return &w.services // SQLite has one node
		}
		return w.node()
	})
}

func twice(t *testing.T, other func(*world) *services) {
	engines(t, func(t *testing.T, w *world) {
		w.put(w.p, loan("loan", `"retries": []`))
		existing := w.open("loan")
		for name, in := range map[string]casework.Submission{
			"creation":   {Type: "loan", Transition: "open_asked"},
			"transition": {CaseID: existing.ID, Transition: "submit"},
		} {
			second := make(chan error, 1)
			w.callbacks.on("loan", func(rw http.ResponseWriter, _ *http.Request) {
				go func() {
					_, err := other(w).submissions.Submit(t.Context(), w.p, in, once(access.Operation(name), "k", "r"))
					second <- err
				}()
				io.WriteString(rw, "{}")
			}, respond(500, "asked twice"))
			if _, err := w.submissions.Submit(t.Context(), w.p, in,
				once(access.Operation(name), "k", "r")); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			replayed(t, <-second)
			if n := len(w.callbacks.at("loan").requests); n != 1 {
				t.Errorf("%s: asked %d times", name, n)
			}
		}
		if all, err := listed(w.cases.Cases(t.Context(), w.p, store.CaseFilter{})); err != nil || len(all) != 2 {
			t.Errorf("%d cases, %v, want 2", len(all), err)
		}
		if n := len(w.history(existing.ID)); n != 2 {
			t.Errorf("%d entries, want 2", n)
		}
	})
}

// A request that would wait for too long is refused with Retry-After. One with the same key and other content is
// refused at once.
func TestAKeyInUseIsAConflict(t *testing.T) {
	t.Parallel()
	for engine, url := range map[string]string{"sqlite": "", "postgres": storetest.Postgres(t, testworld.Key)} {
		w := startAt(t, url, func(c *settings) { c.guard.KeyWait = 50 * time.Millisecond })
		w.put(w.p, loan("loan", `"retries": []`))
		in := casework.Submission{Type: "loan", Transition: "open_asked"}
		nodes := map[string]*services{"the same": &w.services}
		if w.store.Nodes() {
			nodes["another"] = w.node()
		}
		w.callbacks.on("loan", func(rw http.ResponseWriter, _ *http.Request) {
			for name, node := range nodes {
				_, err := node.submissions.Submit(t.Context(), w.p, in, once("create", "k", "r"))
				wantFault(t, err, fault.Conflict, "idempotency.in_progress")
				if fault.As(err).RetryAfter <= 0 {
					t.Errorf("%s, %s node: it does not say when to come back", engine, name)
				}
				_, err = node.submissions.Submit(t.Context(), w.p, in, once("create", "k", "another"))
				wantFault(t, err, fault.Unprocessable, "idempotency.key_reused")
			}
			io.WriteString(rw, "{}")
		}, respond(500, "asked twice"))
		if _, err := w.submissions.Submit(t.Context(), w.p, in, once("create", "k", "r")); err != nil {
			t.Fatal(err)
		}
		for name, node := range nodes {
			if _, err := node.submissions.Submit(t.Context(), w.p, in,
				once("create", "k", "r")); replayed(t, err).Status != 201 {
				t.Errorf("%s, %s node: not the first answer", engine, name)
			}
		}
	}
}

// When the answer of a commit is lost, the error says that the outcome is unknown. With a key, the repeated request
// gets its answer.
func TestTheKeyTellsWhatBecameOfALostCommit(t *testing.T) {
	t.Parallel()
	for engine, url := range map[string]string{"sqlite": "", "postgres": storetest.Postgres(t, testworld.Key)} {
		lose := false
		w := startOn(t, store.Options{URL: url, Fail: func(what string, done bool) error {
			if lose && done && strings.HasPrefix(what, "commit") && strings.Contains(what, "into journal") {
				lose = false
				return fault.New(fault.Unavailable, "store.unreachable", "The database can't be reached.")
			}
			return nil
		}})
		w.put(w.p, loan("loan", `"retries": []`))
		in := casework.Submission{Type: "loan", Transition: "open"}
		lose = true
		_, err := w.submissions.Submit(t.Context(), w.p, in, once("create", "k", "r"))
		replayed(t, err)
		lose = true
		_, err = w.submissions.Submit(t.Context(), w.p, in, authz.Once{})
		wantFault(t, err, fault.Unavailable, "store.outcome_unknown")
		if all, err := listed(w.cases.Cases(t.Context(), w.p, store.CaseFilter{})); err != nil || len(all) != 2 {
			t.Errorf("%s: %d cases, %v, want 2", engine, len(all), err)
		}
	}
}

func TestEveryPostCanBeRepeated(t *testing.T) {
	engines(t, func(t *testing.T, w *world) {
		w.put(w.p, loan("loan", ""))
		c := w.open("loan")
		ctx := t.Context()
		for name, post := range map[string]func(authz.Once) error{
			"comment": func(o authz.Once) error {
				_, err := w.comment(w.p, c.ID, "x", o)
				return err
			},
			"document": func(o authz.Once) error {
				_, err := w.files.GenerateDocuments(ctx, w.p, oneDocument(c.ID, "summary"), o)
				return err
			},
			"proof": func(o authz.Once) error {
				_, err := w.files.UploadProof(ctx, w.p, c.ID,
					casework.Upload{Key: "bill", Body: strings.NewReader("x")}, o)
				return err
			},
			"endpoint": func(o authz.Once) error {
				_, err := w.endpoints.CreateEndpoint(ctx, w.p, endpoint.Endpoint{URL: "https://a.example", Triggers: []string{"case_created"}}, o)
				return err
			},
			"secret": func(o authz.Once) error {
				_, err := w.types.RotateCallbackSecret(ctx, w.p, casework.CallbackRotation{CaseType: "loan", Callback: "submit", Secret: secrets.Request{Kind: endpoint.V1}}, o)
				return err
			},
			"token": func(o authz.Once) error {
				_, err := w.tokens.CreateToken(ctx, w.p, people.TokenRequest{Name: "x"}, o)
				return err
			},
		} {
			if err := post(once(access.Operation(name), "k", "r")); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			before := w.load(c.ID).Version
			if a := replayed(t, post(once(access.Operation(name), "k", "r"))); len(a.Body) < 2 {
				t.Errorf("%s: answer %q", name, a.Body)
			}
			if w.load(c.ID).Version != before {
				t.Errorf("%s was carried out twice", name)
			}
			wantFault(t, post(once(access.Operation(name), "k", "r2")), fault.Unprocessable, "idempotency.key_reused")
		}
		_, err := w.files.UploadProof(ctx, w.p, c.ID, casework.Upload{Key: "bill", Body: strings.NewReader("other")},
			once("proof", "k", "r"))
		wantFault(t, err, fault.Unprocessable, "idempotency.key_reused")
		if n := w.contents(); n != 2 {
			t.Errorf("%d contents are kept, want the document's and the proof's", n)
		}
	})
}

// contents counts the stored contents.
func (w *world) contents() (n int) {
	w.t.Helper()
	err := w.blobs.List(w.t.Context(), func(string, time.Time) error { n++; return nil })
	if err != nil {
		w.t.Fatal(err)
	}
	return n
}
