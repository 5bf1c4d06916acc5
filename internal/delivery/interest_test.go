package delivery

import (
	"testing"

	"github.com/casehook/casehook/internal/event"
)

// entryOf returns an entry of a tenant with one fact.
func entryOf(tenant, seq int64, f event.Kind[event.NoDetails]) *event.Entry {
	return &event.Entry{Tenant: tenant, Seq: seq, Subject: "case/1", Facts: []event.Fact{f.New(event.NoDetails{})}}
}

func woken(w *waiter) bool {
	select {
	case <-w.woken:
		return true
	default:
		return false
	}
}

func TestAnEntryWakesThoseAloneWhoMayWantIt(t *testing.T) {
	tail := &tail{}
	wants := tail.follow(nil, 1, []string{"case_finished", "contact.created"})
	other := tail.follow(nil, 1, []string{"case_approved"})
	stranger := tail.follow(nil, 2, []string{"case_finished"})
	gone := tail.follow(nil, 1, []string{"case_finished"})
	tail.letGo(gone)
	tail.append([]*event.Entry{entryOf(1, 1, event.CaseFinished), entryOf(1, 2, event.CaseDeclined)})
	if !woken(wants) || woken(other) || woken(stranger) || woken(gone) {
		t.Errorf("woken: %v, and %v, %v, %v", woken(wants), woken(other), woken(stranger), woken(gone))
	}
	if tail.follow(other, 1, nil) != other || tail.follow(wants, 1, []string{"case_finished"}) == wants {
		t.Error("a woken waiter waits on, or another one starts anew")
	}
	if n := len(tail.interests.waiting); n != 3 {
		t.Errorf("%d triggers are waited for, want 3", n)
	}
}

func TestEndpointsWithoutInterestPassEntriesUnread(t *testing.T) {
	tail := &tail{from: 10, head: 10, known: 10}
	finished, approved := newWaiter(1, []string{"case_finished"}), newWaiter(1, []string{"case_approved"})
	tail.append([]*event.Entry{
		entryOf(1, 11, event.CaseFinished), entryOf(2, 12, event.CaseApproved), entryOf(1, 13, event.CaseDeclined),
	})
	for _, test := range []struct {
		name  string
		w     *waiter
		after int64
		upTo  int64
		quiet bool
	}{
		{"before what is known", approved, 9, 9, false},
		{"nothing came", approved, 10, 13, true},
		{"something came", finished, 10, 10, false},
		{"something came before", finished, 11, 13, true},
		{"it is ahead", finished, 15, 15, true},
	} {
		if upTo, quiet := tail.quiet(test.w, test.after); upTo != test.upTo || quiet != test.quiet {
			t.Errorf("%s: %d, %v; want %d, %v", test.name, upTo, quiet, test.upTo, test.quiet)
		}
	}
	if _, quiet := (newTail(nil, "")).quiet(finished, 0); quiet {
		t.Error("a tail that has read nothing claims that nothing was committed")
	}
}
