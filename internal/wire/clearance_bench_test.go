package wire_test

import (
	"testing"
	"time"

	"github.com/casehook/casehook/internal/casetype"
	"github.com/casehook/casehook/internal/event"
	"github.com/casehook/casehook/internal/wire"
)

// BenchmarkClearance derives the messages of the same entry with and without classifications in turn, as RESTRICTED
// sees it, and reports the ratio of their times: 1 when classifications cost nothing.
func BenchmarkClearance(b *testing.B) {
	plain, marked := caseEntry(event.CaseCreated.New(event.Creation{})),
		caseEntry(event.CaseCreated.New(event.Creation{}))
	marked.Snapshot.Case.Classes = map[string]string{
		"email": "PRIVATE", "iban": "RESTRICTED", "phone": "PRIVATE", "risk": "RESTRICTED", "note": "PRIVATE",
	}
	marked.Snapshot.Case.NameClass = "PRIVATE"
	least := [2]time.Duration{time.Hour, time.Hour} // of many tries, so that other load does not count
	both := []*event.Entry{plain, marked}
	for first := 0; b.Loop(); first = 1 - first {
		for _, i := range []int{first, 1 - first} { // the order does not favour either
			e := both[i]
			start := time.Now()
			for range 20 {
				wire.Messages(e, "0.1.0", casetype.Restricted)
			}
			least[i] = min(least[i], time.Since(start))
		}
	}
	b.ReportMetric(float64(least[1])/float64(least[0]), "ratio")
}
