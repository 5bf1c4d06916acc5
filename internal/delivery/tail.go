package delivery

import (
	"cmp"
	"context"
	"math"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/casehook/casehook/internal/delivery/machine"
	"github.com/casehook/casehook/internal/event"
	"github.com/casehook/casehook/internal/store"
	"github.com/casehook/casehook/internal/wire"
)

// tailEntry is an entry of the tail. Its messages are encoded once for all clients.
type tailEntry struct {
	entry machine.Entry
	shown [wire.Views]atomic.Pointer[[]encoding] // of each message, by the index of the view
}

func (e *tailEntry) size() int { return entrySize(&e.entry) }

// entrySize estimates the memory of an entry, in bytes: its data is also in bodies, and decoded for filters.
func entrySize(e *machine.Entry) int { return 4 * e.Journal.Size() }

// encodings returns the encodings of the entry's n messages in a view. It is safe for concurrent use.
func (e *tailEntry) encodings(of wire.View, messages int) []encoding {
	shown := &e.shown[of.Index()]
	if made := shown.Load(); made != nil {
		return *made
	}
	made := make([]encoding, messages)
	shown.CompareAndSwap(nil, &made)
	return *shown.Load()
}

// The tail's bounds.
const (
	tailKept  = 4096     // entries held in memory, of all tenants
	tailBytes = 64 << 20 // their size, as entrySize estimates it
	readBatch = 512      // entries
)

// tail is the end of the journal, read once for all endpoints. Endpoints that are far behind read ranges.
type tail struct {
	store  *store.Store
	derive machine.Derive

	reading sync.Mutex // held while new entries are read

	mu      sync.Mutex
	entries []*tailEntry // of all tenants, in order
	bytes   int          // the size of entries
	from    int64        // entries holds all above this position
	head    int64        // the journal has been read up to here
	known   int64        // interests has the triggers of all entries above this position
	waiters map[int64]chan struct{}

	interests interests

	shared sharedRanges // for endpoints that are behind
}

// unbegun is tail.from before the first read.
const unbegun = math.MaxInt64

// newTail returns an empty tail. The version is that of Casehook, for the headers of messages.
func newTail(st *store.Store, version string) *tail {
	derive := func(e *event.Entry, of wire.View) []wire.Message { return of.Messages(e, version) }
	return &tail{store: st, derive: derive, from: unbegun, waiters: map[int64]chan struct{}{}}
}

// advance reads new entries and wakes their tenants. The first call begins at the journal's head. Entries to which
// another node is assigning positions may be left to the next call.
func (t *tail) advance(ctx context.Context) error {
	t.reading.Lock()
	defer t.reading.Unlock()
	if _, err := t.store.Sequence(ctx); err != nil {
		return err
	}
	return t.read(ctx)
}

// catchUp is advance, but reads all entries that were committed before the call.
func (t *tail) catchUp(ctx context.Context) error {
	t.reading.Lock()
	defer t.reading.Unlock()
	if err := t.store.CatchUp(ctx); err != nil {
		return err
	}
	return t.read(ctx)
}

// read reads all new entries that have positions. The caller holds t.reading.
func (t *tail) read(ctx context.Context) error {
	if t.from == unbegun {
		return t.start(ctx)
	}
	for {
		found, err := t.store.Journal(ctx, t.head, readBatch)
		if err != nil {
			return err
		}
		t.append(found.Entries)
		if !found.More {
			return nil
		}
	}
}

func (t *tail) start(ctx context.Context) error {
	head, err := t.store.Head(ctx)
	if err != nil {
		return err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.from, t.head, t.known = head, head, head
	return nil
}

func (t *tail) append(entries []*event.Entry) {
	if len(entries) == 0 {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, e := range entries {
		wrapped := t.wrap(e)
		t.entries = append(t.entries, wrapped)
		t.bytes += wrapped.size()
		t.interests.note(e)
		if ch := t.waiters[e.Tenant]; ch != nil {
			close(ch)
			delete(t.waiters, e.Tenant)
		}
	}
	t.head = entries[len(entries)-1].Seq
	for len(t.entries) > tailKept || t.bytes > tailBytes {
		t.from = t.entries[0].entry.Journal.Seq
		t.bytes -= t.entries[0].size()
		t.entries[0] = nil
		t.entries = t.entries[1:]
	}
}

func (t *tail) wrap(e *event.Entry) *tailEntry {
	return &tailEntry{entry: machine.Entry{Journal: e, Derive: t.derive}}
}

func (t *tail) entry(e *event.Entry) *machine.Entry {
	return &machine.Entry{Journal: e, Derive: t.derive}
}

// end returns the position up to which the journal has been read.
func (t *tail) end() int64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.head
}

// wait returns a channel that is closed when the tenant has new entries.
func (t *tail) wait(tenant int64) <-chan struct{} {
	t.mu.Lock()
	defer t.mu.Unlock()
	ch := t.waiters[tenant]
	if ch == nil {
		ch = make(chan struct{})
		t.waiters[tenant] = ch
	}
	return ch
}

// recent returns a tenant's entries above a position, and the position up to which
// there are no others, if they are in memory.
func (t *tail) recent(tenant, after int64) (entries []*machine.Entry, upTo int64, ok bool) {
	return recentOf(t, tenant, after, func(e *tailEntry) *machine.Entry { return &e.entry })
}

// recentShown is recent for clients, with the encodings of the messages.
func (t *tail) recentShown(tenant, after int64) (entries []*tailEntry, upTo int64, ok bool) {
	return recentOf(t, tenant, after, func(e *tailEntry) *tailEntry { return e })
}

func recentOf[T any](t *tail, tenant, after int64, as func(*tailEntry) T) (entries []T, upTo int64, ok bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if after < t.from {
		return nil, after, false
	}
	first, _ := slices.BinarySearchFunc(t.entries, after+1, func(e *tailEntry, seq int64) int {
		return cmp.Compare(e.entry.Journal.Seq, seq)
	})
	for _, e := range t.entries[first:] {
		if e.entry.Journal.Tenant != tenant {
			continue
		}
		entries = append(entries, as(e))
		if len(entries) == readBatch {
			return entries, e.entry.Journal.Seq, true
		}
	}
	return entries, max(t.head, after), true
}

// older is recent for entries that are no longer in the tail. It derives their messages in the goroutine of the caller.
// After an error, upTo equals after.
func (t *tail) older(
	ctx context.Context, tenant, after int64, view wire.View,
) (entries []*machine.Entry, upTo int64, err error) {
	entries, upTo, err = t.shared.get(ctx, tenant, after, func() ([]*machine.Entry, int64, bool, error) {
		return t.readOlder(ctx, tenant, after)
	})
	for _, e := range entries {
		e.Messages(view)
	}
	return entries, upTo, err
}

// readOlder reads entries that are no longer in the tail, and reports whether there may be more.
func (t *tail) readOlder(
	ctx context.Context, tenant, after int64,
) (entries []*machine.Entry, upTo int64, more bool, err error) {
	head := t.end() // before reading: all entries up to it are in the database
	found, err := t.store.TenantJournal(ctx, tenant, after, readBatch)
	if err != nil {
		return nil, after, false, err
	}
	entries = make([]*machine.Entry, len(found.Entries))
	for i, e := range found.Entries {
		entries[i] = t.entry(e)
	}
	if found.More {
		return entries, found.Last(), true, nil
	}
	return entries, max(head, found.Last()), false, nil
}

// derived returns an entry whose messages in a view have been derived.
func (t *tail) derived(e *event.Entry, view wire.View) *machine.Entry {
	entry := t.entry(e)
	entry.Messages(view)
	return entry
}

// replayBatch is how many entries a replay reads at once.
const replayBatch = 128

// again is older for a replay, whose entries were all in the journal when it started.
func (t *tail) again(
	ctx context.Context, r store.Replay, after int64, view wire.View,
) (entries []*machine.Entry, upTo int64, err error) {
	var found store.Range
	switch {
	case r.Messages > 0:
		found, err = t.store.ReplayEntries(ctx, r.Tenant, r.ID, after, replayBatch)
	case r.Subject != "":
		found, err = t.store.Lane(ctx, r.Tenant,
			store.Lane{Subject: r.Subject, After: after, UpTo: r.Until, Limit: replayBatch})
	default:
		found, err = t.store.TenantJournal(ctx, r.Tenant, after, replayBatch)
	}
	if err != nil {
		return nil, after, err
	}
	upTo = r.Until
	if found.More {
		upTo = min(upTo, found.Last())
	}
	for _, e := range found.Entries {
		if e.Seq > upTo {
			break
		}
		entries = append(entries, t.derived(e, view))
	}
	return entries, upTo, nil
}

// laneBatch is how many entries of a parked lane are read at once.
const laneBatch = 64

// lane reads the entries of a parked lane, and reports whether there may be more.
func (t *tail) lane(
	ctx context.Context, tenant int64, q machine.LoadRequest,
) (entries []*machine.Entry, full bool, err error) {
	var found store.Range
	if subject, ok := q.Subject(); ok {
		found, err = t.store.Lane(ctx, tenant,
			store.Lane{Subject: subject, After: q.After, UpTo: q.UpTo, Limit: laneBatch})
		full = found.More
	} else {
		found, err = t.store.TenantJournal(ctx, tenant, q.After, 1)
	}
	for _, e := range found.Entries {
		entries = append(entries, t.entry(e))
	}
	return entries, full, err
}
