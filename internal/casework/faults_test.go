package casework_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"testing"

	"github.com/casehook/casehook/internal/authz"
	"github.com/casehook/casehook/internal/casework"
	"github.com/casehook/casehook/internal/event"
	"github.com/casehook/casehook/internal/fault"
	"github.com/casehook/casehook/internal/store"
	"github.com/casehook/casehook/internal/store/faulty"
	"github.com/casehook/casehook/internal/store/storetest"
	"github.com/casehook/casehook/internal/testworld"
)

// Each statement and the commit of a submission fail twice: once not carried out, once carried out and reported lost. A
// client that repeats the request until it is answered has submitted once.
func TestASubmissionWhoseDatabaseFailsIsRepeatedAndHappensOnce(t *testing.T) {
	for name, url := range map[string]func(*testing.T) string{
		"sqlite":   func(*testing.T) string { return "" },
		"postgres": func(t *testing.T) string { return storetest.Postgres(t, testworld.Key) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			faults := &faulty.Database{}
			w := startOn(t, store.Options{URL: url(t), Fail: faults.Fail})
			w.put(w.p, loan("loan", ""))
			created := w.insist(faults, func() error {
				_, err := w.submissions.Submit(t.Context(), w.p, casework.Submission{Type: "loan", Transition: "open"},
					once("create", "k", "r"))
				return err
			})
			w.insist(faults, func() error {
				_, err := w.comment(w.p, created, "Seen.", once("comment", "k", "r"))
				return err
			})
			entries, err := items(w.store.History(t.Context(), w.p.Tenant, event.CaseSubject(created), 1<<62, 10))
			if err != nil || len(entries) != 2 || entries[0].Version != 2 || entries[1].Version != 1 {
				t.Errorf("the history has %d entries, %v; want the creation and the comment, once each",
					len(entries), err)
			}
			in := casework.Submission{Type: "loan", Transition: "open_asked"}
			w.insist(faults, func() error {
				_, err := w.submissions.Submit(t.Context(), w.p, in, once("create", "asked", "r"))
				return err
			})
			w.callbacks.on("loan", respond(200, `{"errors":["no"]}`))
			faults.Start()
			for range 9 { // some don't get as far as the callback
				w.submissions.Submit(t.Context(), w.p, in, authz.Once{})
			}
			faults.Stop()
			saved := 0
			for _, q := range w.asked(w.p, store.QuestionFilter{Transition: "open_asked"}) {
				if q.Code == "" {
					saved++
				}
			}
			if saved != 1 {
				t.Errorf("%d questions led to a case", saved)
			}
			failures, of := faults.Failures()
			t.Logf("%d failures of %d statements and commits", failures, of)
			if spared := faults.NotYetFailed(); len(spared) > 0 || of < 5 {
				t.Errorf("these have not failed both ways: %q", spared)
			}
		})
	}
}

// insist repeats a request until it is known to have succeeded, and once more. It
// returns the case's id, where the answer has it.
func (w *world) insist(faults *faulty.Database, do func() error) int64 {
	w.t.Helper()
	faults.Start()
	for range 100 {
		if err := do(); err == nil || !errors.Is(err, fault.Unavailable) {
			break
		}
	}
	faults.Stop()
	var body struct{ ID any }
	d := json.NewDecoder(bytes.NewReader(replayed(w.t, do()).Body))
	d.UseNumber()
	if err := d.Decode(&body); err != nil {
		w.t.Fatal(err)
	}
	number, _ := body.ID.(json.Number)
	id, _ := number.Int64()
	return id
}
