package delivery

import (
	"encoding/json"
	"testing"

	"github.com/casehook/casehook/internal/event"
)

func TestTheTailIsBoundedInEntriesAndInBytes(t *testing.T) {
	for name, c := range map[string]struct{ entries, data, kept int }{
		"small entries": {tailKept + 100, 10, tailKept},
		"large entries": {100, 1 << 20, tailBytes / (4 * (1<<20 + 1<<10))},
	} {
		t.Run(name, func(t *testing.T) {
			tail := &tail{waiters: map[int64]chan struct{}{}}
			data := json.RawMessage(make([]byte, c.data)) // shared by all entries: only the counted size matters
			for seq := range c.entries {
				tail.append([]*event.Entry{{
					Seq: int64(seq + 1), Tenant: 1, Snapshot: event.Snapshot{Case: &event.Case{Data: data}},
				}})
			}
			if len(tail.entries) != c.kept {
				t.Errorf("%d entries are held, want %d", len(tail.entries), c.kept)
			}
			before := int64(c.entries - c.kept)
			if _, _, ok := tail.recent(1, before-1); ok {
				t.Error("it claims to have an entry that was dropped")
			}
			if got, _, ok := tail.recent(1, before); !ok || len(got) != min(c.kept, readBatch) ||
				got[0].Journal.Seq != before+1 {
				t.Errorf("it returns %d entries (%v)", len(got), ok)
			}
		})
	}
}
