package hooks_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/casehook/casehook/internal/event"
	"github.com/casehook/casehook/internal/hooks"
	"github.com/casehook/casehook/internal/store"
)

func (w *world) settle(s store.Settlement) {
	w.t.Helper()
	if err := w.store.Update(w.t.Context(), func(tx *store.Tx) error {
		_, err := tx.Settle(w.t.Context(), []store.Settlement{s})
		return err
	}); err != nil {
		w.t.Fatal(err)
	}
}

// A search of contents looks at a bounded number of attempts, and says where it stopped.
func TestASearchOfContentsIsBoundedAndGoesOn(t *testing.T) {
	engines(t, func(t *testing.T, w *world) {
		e := w.endpoint("crm", "https://crm.example", "case_created")
		const all, found = 2150, 70 // the number of attempts, and the one that is searched for
		begin := time.Now().Add(-all * time.Second).Truncate(time.Second)
		s := store.Settlement{Tenant: w.p.Tenant, Endpoint: e.ID}
		for i := range all {
			a := store.Attempt{
				Tenant: w.p.Tenant, Endpoint: e.ID, Place: store.Place{Seq: int64(i + 1), Message: fmt.Sprint("msg_", i)},
				Subject: "contact/1", Trigger: "contact_created", Number: 1, At: begin.Add(time.Duration(i) * time.Second),
				Status: 500, Request: "{}", Response: fmt.Sprintf(`{"body":"answer %04d."}`, i),
			}
			s.Attempts = append(s.Attempts, a)
		}
		w.settle(s)
		q := hooks.AttemptQuery{Contains: fmt.Sprintf("ANSWER %04d.", found)}
		for _, reached := range []int{all - 1000, all - 2000} { // pages without any
			page, err := w.messages.FindAttempts(t.Context(), w.p, q)
			if err != nil || len(page.Items) != 0 || page.Next == 0 {
				t.Fatalf("the page is %+v, %v", page, err)
			}
			if want := begin.Add(time.Duration(reached) * time.Second); !page.SearchedTo.Equal(want) {
				t.Errorf("searched to %s, want %s", page.SearchedTo, want)
			}
			q.Before = page.Next
		}
		page, err := w.messages.FindAttempts(t.Context(), w.p, q)
		if err != nil || len(page.Items) != 1 || page.Items[0].Message != fmt.Sprint("msg_", found) || page.Next != 0 {
			t.Fatalf("the last page is %+v, %v", page, err)
		}
		if seen, pages := w.search(e.ID, "answer"); len(seen) != all || pages > all/99+1 {
			t.Errorf("%d pages have %d attempts", pages, len(seen))
		}
	})
}

// search returns the messages that have a part, and the number of pages on which they are.
func (w *world) search(endpoint, part string) (seen map[string]bool, pages int) {
	w.t.Helper()
	seen = map[string]bool{}
	for before := int64(0); pages == 0 || before > 0; pages++ {
		page, err := w.messages.Attempts(w.t.Context(), w.p, hooks.AttemptQuery{
			AttemptFilter: store.AttemptFilter{Endpoint: endpoint, Before: before, Limit: 99}, Contains: part,
		})
		if err != nil {
			w.t.Fatal(err)
		}
		for _, a := range page.Items {
			seen[a.Message] = true
		}
		before = page.Next
	}
	return seen, pages
}

// Entries that are too large to be read at once are read one after another.
func TestContentsOfLargeEntriesAreSearched(t *testing.T) {
	engines(t, func(t *testing.T, w *world) {
		e := w.endpoint("crm", "https://crm.example", "case_created")
		s := store.Settlement{Tenant: w.p.Tenant, Endpoint: e.ID}
		err := w.store.Update(t.Context(), func(tx *store.Tx) error {
			for i := range int64(4) {
				entry := event.Entry{
					Tenant: w.p.Tenant, Subject: "contact/1", Version: i + 1, At: time.Now(),
					Facts: []event.Fact{{Name: "contact.created", Data: []byte(`"` + strings.Repeat("x", 5<<20) + `"`)}},
				}
				if _, err := tx.Append(t.Context(), entry); err != nil {
					return err
				}
			}
			return nil
		})
		if err == nil {
			err = w.store.CatchUp(t.Context())
		}
		if err != nil {
			t.Fatal(err)
		}
		for _, seq := range []int64{4, 2, 3, 1, 9} { // the oldest attempt first
			s.Attempts = append(s.Attempts, store.Attempt{
				Tenant: w.p.Tenant, Endpoint: e.ID, Place: store.Place{Seq: seq, Message: fmt.Sprint("msg_", seq)},
				Subject: "contact/1", Number: 1, At: time.Now(), Request: "{}", Response: `{"body":"answer"}`,
			})
		}
		w.settle(s)
		if seen, _ := w.search(e.ID, "answer"); len(seen) != 5 {
			t.Errorf("found %v", seen)
		}
	})
}
