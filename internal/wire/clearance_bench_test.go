package wire_test

import (
	"testing"
	"time"

	"github.com/casehook/casehook/internal/casetype"
	"github.com/casehook/casehook/internal/event"
	"github.com/casehook/casehook/internal/wire"
)

// BenchmarkClearance derives the messages of the same entry with and without
// marks in turn, as RESTRICTED sees it, and reports how much longer the marks
// take: ratio is 1 when they cost nothing.
func BenchmarkClearance(b *testing.B) {
	plain, marked := caseEntry(event.CaseCreated.New(event.Creation{})),
		caseEntry(event.CaseCreated.New(event.Creation{}))
	marked.Snapshot.Case.Classes = map[string]string{
		"email": "PRIVATE", "iban": "RESTRICTED", "phone": "PRIVATE", "risk": "RESTRICTED", "note": "PRIVATE",
	}
	marked.Snapshot.Case.NameClass = "PRIVATE"
	least := [2]time.Duration{time.Hour, time.Hour} // of many tries, which others on the machine do not disturb
	both := []*event.Entry{plain, marked}
	for first := 0; b.Loop(); first = 1 - first {
		for _, i := range []int{first, 1 - first} { // what comes first is not favoured
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
