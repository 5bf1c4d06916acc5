package casework

import (
	"testing"

	"github.com/casehook/casehook/internal/casetype"
	"github.com/casehook/casehook/internal/event"
	"github.com/casehook/casehook/internal/hooks"
)

// However many endpoints there are, an entry is derived once for each clearance.
func TestAnEntryIsDerivedOncePerClearance(t *testing.T) {
	var d hooks.Derived
	one, other := &event.Entry{Seq: 1}, &event.Entry{Seq: 2}
	first := d.At(one, casetype.Public)
	if again := d.At(one, casetype.Public); again.Judged != first.Judged {
		t.Error("it is derived again")
	}
	if private := d.At(one, casetype.Private); private.Judged == first.Judged {
		t.Error("who sees more is told the same")
	}
	if next := d.At(other, casetype.Public); next.Judged == first.Judged {
		t.Error("another entry is told as the first")
	}
}
