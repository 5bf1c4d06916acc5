package casework_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/casehook/casehook/internal/authz"
	"github.com/casehook/casehook/internal/casework"
	"github.com/casehook/casehook/internal/event"
)

// ticket returns a case type of claims that begin open or closed, some by a callback's answer. Either done or pending
// is final.
func ticket(key string, doneIsFinal bool) string {
	return fmt.Sprintf(`{
	"key": %[1]q, "kind": "claim", "fields": {"type": "object", "properties": {}},
	"states": [{"key": "open"}, {"key": "done", "final": %[2]t}, {"key": "pending", "final": %[3]t}],
	"transitions": [{"key": "begin", "to": "open"}, {"key": "end", "to": "done"},
		{"key": "ask", "to": "open", "about_to_submit": {"url": "${CASEHOOK_VAR_CALLBACKS}/ask", "retries": []}},
		{"key": "finish", "from": ["open", "pending"], "to": "done"}, {"key": "reopen", "from": ["done"], "to": "open"},
		{"key": "move", "from": ["open", "done"], "to": "open", "about_to_submit": {"url": "${CASEHOOK_VAR_CALLBACKS}/move", "retries": []}}]
	}`, key, doneIsFinal, !doneIsFinal)
}

// statusChange is a way in which a status changes.
type statusChange struct {
	name   string
	does   func(*world, int64) (casework.View, error)
	closes bool
}

func submits(transition string) func(*world, int64) (casework.View, error) {
	return func(w *world, id int64) (casework.View, error) {
		return w.submissions.Submit(w.t.Context(), w.p,
			casework.Submission{CaseID: id, Transition: transition}, authz.Once{})
	}
}

func diverts(state string) func(*world, int64) (casework.View, error) {
	return func(w *world, id int64) (casework.View, error) {
		w.callbacks.on("move", answers(`{"override_state":"`+state+`"}`)...)
		return submits("move")(w, id)
	}
}

func switches(to string) func(*world, int64) (casework.View, error) {
	return func(w *world, id int64) (casework.View, error) {
		return w.switches.SwitchType(w.t.Context(), w.p, casework.Switch{CaseID: id, Type: to}, authz.Once{})
	}
}

func TestEveryWayInWhichAStatusChangesSetsWhenAClaimWasOpenedAndClosedAndByWhom(t *testing.T) {
	engines(t, func(t *testing.T, w *world) {
		w.put(w.p, ticket("ticket", true))
		w.put(w.p, ticket("other", false))
		w.p.Actor = event.Actor{Source: event.UI, Name: "Ann", UserID: 7}
		w.clock.Stop()
		v := w.submit(casework.Submission{Type: "ticket", Transition: "begin"})
		created := v.CreatedAt
		for i, c := range []statusChange{
			{"a transition closes", submits("finish"), true}, {"a transition reopens", submits("reopen"), false},
			{"a callback closes", diverts("done"), true}, {"a callback reopens", diverts("pending"), false},
			{"a transition closes again", submits("finish"), true}, {"a switch of type reopens", switches("other"), false},
			{"a switch of type closes", switches("ticket"), true},
		} {
			w.later(time.Hour)
			before := v
			w.p.Actor.UserID++
			var err error
			if v, err = c.does(w, v.ID); err != nil {
				t.Fatalf("%s: %v", c.name, err)
			}
			opened, closed := before.OpenedAt, w.now()
			if !c.closes {
				opened, closed = w.now(), time.Time{}
			}
			same := func(a, b time.Time) bool {
				return a.Truncate(time.Microsecond).Equal(b.Truncate(time.Microsecond))
			}
			for _, got := range []casework.View{v, w.load(v.ID)} {
				if !same(got.OpenedAt, opened) || !same(got.ClosedAt, closed) || got.StatusChangedBy != int64(8+i) ||
					got.LastActivity.By != int64(8+i) || !same(got.LastActivity.At, w.now()) ||
					!got.CreatedAt.Equal(created) {
					t.Errorf("%s: opened %s, closed %s, by %d", c.name, got.OpenedAt, got.ClosedAt, got.StatusChangedBy)
				}
			}
		}
	})
}

func TestEveryWayToCreateAClosedClaimClosesIt(t *testing.T) {
	w := start(t)
	w.put(w.p, ticket("ticket", true))
	w.p.Actor = event.Actor{Source: event.UI, Name: "Ann", UserID: 7}
	w.callbacks.on("ask", answers(`{"override_state":"done"}`)...)
	for _, transition := range []string{"end", "ask"} {
		v := w.submit(casework.Submission{Type: "ticket", Transition: transition})
		if got := fmt.Sprint(w.claimEvents(v.ID)); got != "[claim.created v1 claim.closed v1]" {
			t.Errorf("%s fires %s", transition, got)
		}
		if v.StatusChangedBy != 7 || !v.OpenedAt.Equal(v.CreatedAt) || !v.ClosedAt.Equal(v.CreatedAt) {
			t.Errorf("%s: %+v", transition, v.Case)
		}
	}
}

func TestEveryCommitSaysWhoWasLastActive(t *testing.T) {
	engines(t, func(t *testing.T, w *world) {
		w.putClaims()
		w.label(w.p, "a")
		grace := w.user(w.p, "Grace")
		c := w.report(`{"claimant": "Ada"}`)
		contact := w.contact(w.p, event.ContactDetails{FirstName: "Ada", LastName: "King"})
		ctx := t.Context()
		drop := func(_ any, err error) error { return err }
		for i, do := range []func() error{
			func() error { return drop(w.addLabel(w.p, c.ID, "a")) },
			func() error { return drop(w.removeLabel(w.p, c.ID, "a")) },
			func() error { return drop(w.assign(w.p, c.ID, grace)) },
			func() error { return drop(w.assign(w.p, c.ID, 0)) },
			func() error { return drop(w.contacts.LinkContact(ctx, w.p, c.ID, contact.ID, "owner")) },
			func() error { return drop(w.contacts.UnlinkContact(ctx, w.p, c.ID, contact.ID, "owner")) },
			func() error { return drop(w.comment(w.p, c.ID, "hello", authz.Once{})) },
			func() error { return drop(switches("home")(w, c.ID)) },
			func() error { return drop(submits("settle")(w, c.ID)) },
		} {
			w.p.Actor = event.Actor{Source: event.UI, Name: "Ann", UserID: int64(100 + i)}
			if err := do(); err != nil {
				t.Fatalf("step %d: %v", i, err)
			}
			entries := w.history(c.ID)
			last := entries[len(entries)-1].Snapshot.Case
			if got := w.load(c.ID).LastActivity.By; got != int64(100+i) || last.LastActivityBy != got {
				t.Errorf("step %d: by %d, stored %d", i, got, last.LastActivityBy)
			}
		}
		w.p.Actor = event.Actor{Source: event.API, Name: "crm"}
		if err := drop(w.addLabel(w.p, c.ID, "a")); err != nil || w.load(c.ID).LastActivity.By != 0 {
			t.Errorf("a program did it, %v", err)
		}
	})
}

func TestAnAssignmentHasItsOwnTime(t *testing.T) {
	engines(t, func(t *testing.T, w *world) {
		w.putClaims()
		w.clock.Stop()
		grace, ada := w.user(w.p, "Grace"), w.user(w.p, "Ada")
		c := w.report(`{}`)
		var since time.Time
		for i, to := range []int64{grace, grace, ada, 0, grace} {
			w.later(time.Hour)
			do := func() (casework.View, error) { return w.assign(w.p, c.ID, to) }
			if to == 0 {
				do = func() (casework.View, error) { return w.assign(w.p, c.ID, 0) }
			}
			if i != 1 { // the present assignee
				since = w.now().Truncate(time.Microsecond)
			}
			if to == 0 {
				since = time.Time{}
			}
			v, err := do()
			if err != nil || !v.AssignedAt.Truncate(time.Microsecond).Equal(since) {
				t.Errorf("step %d: assigned at %s, want %s, %v", i, v.AssignedAt, since, err)
			}
			if v = w.submit(casework.Submission{
				CaseID: c.ID, Transition: "amend", Data: object(fmt.Sprintf(`{"cost": %d}`, i)),
			}); !v.AssignedAt.Truncate(time.Microsecond).Equal(since) {
				t.Errorf("step %d: an edit moved it to %s", i, v.AssignedAt)
			}
		}
	})
}
