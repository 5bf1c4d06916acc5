package casework

import (
	"testing"

	"github.com/casehook/casehook/internal/casetype"
	"github.com/casehook/casehook/internal/event"
)

// However many endpoints there are, an entry is derived once for each clearance.
func TestAnEntryIsDerivedOncePerClearance(t *testing.T) {
	var d derived
	one, other := &event.Entry{Seq: 1}, &event.Entry{Seq: 2}
	first := d.at(one, casetype.Public)
	if again := d.at(one, casetype.Public); again.judged != first.judged {
		t.Error("it is derived again")
	}
	if private := d.at(one, casetype.Private); private.judged == first.judged {
		t.Error("who sees more is told the same")
	}
	if next := d.at(other, casetype.Public); next.judged == first.judged {
		t.Error("another entry is told as the first")
	}
}
