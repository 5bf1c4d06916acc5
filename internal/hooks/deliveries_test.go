package hooks_test

import (
	"testing"

	"github.com/casehook/casehook/internal/casetype"
	"github.com/casehook/casehook/internal/event"
	"github.com/casehook/casehook/internal/hooks"
)

// However many endpoints there are, an entry is derived once for each clearance.
func TestAnEntryIsDerivedOncePerClearance(t *testing.T) {
	var d hooks.Derivation
	one, other := &event.Entry{Seq: 1}, &event.Entry{Seq: 2}
	first := d.Of(one, casetype.Public)
	if again := d.Of(one, casetype.Public); again.Entry != first.Entry {
		t.Error("it is derived again")
	}
	if private := d.Of(one, casetype.Private); private.Entry == first.Entry {
		t.Error("a reader with more clearance receives the same")
	}
	if next := d.Of(other, casetype.Public); next.Entry == first.Entry {
		t.Error("another entry is read as the first")
	}
}
