package delivery

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/casehook/casehook/internal/delivery/machine"
)

// sharedRanges caches recently read ranges of the journal, so that endpoints that are about equally far behind its end
// share the reading and the encoding of messages. The zero value is ready.
type sharedRanges struct {
	mu     sync.Mutex
	ranges []*sharedRange // oldest first; including those that are being read
	bytes  int            // the size of their entries
	ends   *time.Timer    // nil: no range is kept
}

// sharedRange holds a tenant's entries above one position and up to another.
type sharedRange struct {
	tenant, after int64
	done          chan struct{} // closed when the range has been read and the fields below are set

	upTo    int64
	entries []*machine.Entry
	bytes   int
	err     error
}

// The bounds of shared ranges.
const (
	rangesKept  = 8
	rangesBytes = 32 << 20 // by the size of their entries
	rangesEnd   = 5 * time.Second
)

// readRange reads a tenant's entries above a position. The result more reports whether the range is full, so that a
// later read would return the same.
type readRange func() (entries []*machine.Entry, upTo int64, more bool, err error)

// get returns a tenant's entries above a position: from a range that another reader has read or is reading, or by
// reading them.
func (s *sharedRanges) get(
	ctx context.Context, tenant, after int64, read readRange,
) (entries []*machine.Entry, upTo int64, err error) {
	for {
		r, mine := s.find(tenant, after)
		if mine {
			var more bool
			r.entries, r.upTo, more, r.err = read()
			s.finish(r, more)
			return r.entries, r.upTo, r.err
		}
		select {
		case <-r.done:
		case <-ctx.Done():
			return nil, after, ctx.Err()
		}
		if r.err == nil {
			return r.above(after), r.upTo, nil
		}
	}
}

// find returns the range that has the entries after a position, or a new one that the caller has to read.
func (s *sharedRanges) find(tenant, after int64) (r *sharedRange, mine bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range s.ranges {
		if r.tenant == tenant && r.covers(after) {
			return r, false
		}
	}
	r = &sharedRange{tenant: tenant, after: after, done: make(chan struct{})}
	s.ranges = append(s.ranges, r)
	return r, true
}

// covers reports whether a range has the entries after a position, or will have them.
func (r *sharedRange) covers(after int64) bool {
	if r.reading() {
		return r.after == after
	}
	return r.after <= after && after < r.upTo
}

// above returns the entries above a position.
func (r *sharedRange) above(after int64) []*machine.Entry {
	first, _ := slices.BinarySearchFunc(r.entries, after, func(e *machine.Entry, after int64) int {
		if e.Journal.Seq > after {
			return 1
		}
		return -1
	})
	return r.entries[first:]
}

// finish wakes the readers that wait for a range. A full range is kept for a while. Any other is dropped, because it
// may be longer at the next read.
func (s *sharedRanges) finish(r *sharedRange, more bool) {
	for _, e := range r.entries {
		r.bytes += entrySize(e)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	close(r.done)
	s.bytes += r.bytes
	if r.err != nil || !more {
		s.drop(slices.Index(s.ranges, r))
		return
	}
	for i := 0; i < len(s.ranges) && (len(s.ranges) > rangesKept || s.bytes > rangesBytes); {
		if s.ranges[i].reading() {
			i++
			continue
		}
		s.drop(i)
	}
	if s.ends == nil {
		s.ends = time.AfterFunc(rangesEnd, s.clear)
		return
	}
	s.ends.Reset(rangesEnd)
}

func (r *sharedRange) reading() bool {
	select {
	case <-r.done:
		return false
	default:
		return true
	}
}

func (s *sharedRanges) drop(i int) {
	s.bytes -= s.ranges[i].bytes
	s.ranges = slices.Delete(s.ranges, i, i+1)
}

// clear drops all ranges except those that are being read.
func (s *sharedRanges) clear() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := len(s.ranges) - 1; i >= 0; i-- {
		if !s.ranges[i].reading() {
			s.drop(i)
		}
	}
}
