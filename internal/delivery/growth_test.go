package delivery_test

import (
	"flag"
	"testing"
	"time"

	"github.com/casehook/casehook/internal/endpoint"
	"github.com/casehook/casehook/internal/store"
)

var growth = flag.Int64("growth.messages", 1500, "messages while old ones are removed; a multiple of 500")

// Entries and attempts are removed as soon as nothing needs them, while others are delivered or wait for their next
// try. No owed message is lost, and the database does not grow with the number of delivered messages.
func TestTheJournalIsBoundedWhileMessagesAreSent(t *testing.T) {
	onBothEngines(t, func(b *bench) {
		const cases, round = 20, 500
		fails := func(a arrival) bool { return a.caseID%5 == 0 && a.version%20 == 0 && a.attempt < 3 }
		r := b.receiver(func(a arrival) int {
			if fails(a) {
				return 500
			}
			return 200
		})
		e := b.listen(r.url, endpoint.Policy{Retries: every(20*time.Millisecond, 5)})
		taken, sent, most := int64(0), map[int64]int64{}, 0
		for n := range *growth {
			b.comment(1+n%cases, 1+n/cases)
			for n%round == round-1 && taken <= n {
				if a := b.next(r); !fails(a) {
					if taken++; a.version != sent[a.caseID]+1 {
						b.Fatalf("version %d of case %d came after %d", a.version, a.caseID, sent[a.caseID])
					}
					sent[a.caseID] = a.version
				}
				b.forget()
				entries, attempts := b.kept(e)
				most = max(most, entries, attempts)
			}
		}
		b.served(e)
		b.forget()
		if entries, attempts := b.kept(e); entries > 1 || attempts > 0 {
			t.Errorf("at the end %d entries and %d attempts are kept", entries, attempts)
		}
		t.Logf("%d messages, at most %d of them kept", *growth, most)
		if most > 2*round {
			t.Errorf("%d were kept at once", most)
		}
	})
}

// forget removes all entries and attempts that nothing needs, however new they are.
func (b *bench) forget() {
	b.Helper()
	soon := time.Now().Add(time.Hour)
	b.update(func(tx *store.Tx) error {
		for after, first := int64(0), true; first || after > 0; first = false {
			var err error
			if after, err = tx.PurgeAttempts(b.Context(), after, soon); err != nil {
				return err
			}
		}
		return nil
	})
	for r := (store.Removal{More: true}); r.More; {
		b.update(func(tx *store.Tx) (err error) {
			_, r, err = tx.ExpireJournal(b.Context(), soon, time.Time{})
			return err
		})
		if err := b.store.PurgeJournal(b.Context(), r.UpTo); err != nil {
			b.Fatal(err)
		}
	}
}

// kept counts the entries and the attempts, up to ten thousand each.
func (b *bench) kept(e endpoint.Endpoint) (entries, attempts int) {
	b.Helper()
	found, err := b.store.Journal(b.Context(), 0, 10_000)
	if err != nil {
		b.Fatal(err)
	}
	tries, err := b.store.Attempts(b.Context(), b.tenant, e.ID, 1<<62, 10_000)
	if err != nil {
		b.Fatal(err)
	}
	return len(found.Entries), len(tries)
}
