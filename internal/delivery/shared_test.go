package delivery

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/casehook/casehook/internal/delivery/machine"
	"github.com/casehook/casehook/internal/event"
)

// reads counts the reads of a journal whose entries have the positions 1 to end.
type reads struct {
	shared sharedRanges
	n, end int64
	wait   time.Duration
	err    error
	data   []byte
}

func (r *reads) after(t *testing.T, after int64) (first, upTo int64) {
	t.Helper()
	entries, upTo, err := r.try(t.Context(), after)
	if err != nil || len(entries) == 0 || entries[len(entries)-1].Journal.Seq != upTo {
		t.Fatalf("above %d: %d entries up to %d, %v", after, len(entries), upTo, err)
	}
	return entries[0].Journal.Seq, upTo
}

func (r *reads) try(ctx context.Context, after int64) ([]*machine.Entry, int64, error) {
	return r.shared.get(ctx, 1, after, func() (entries []*machine.Entry, upTo int64, more bool, err error) {
		r.n++
		time.Sleep(r.wait)
		if err := r.err; err != nil {
			r.err = nil
			return nil, after, false, err
		}
		for upTo = after; upTo < min(r.end, after+10); upTo++ {
			snapshot := event.Snapshot{Case: &event.Case{Data: r.data}}
			entries = append(entries, &machine.Entry{Journal: &event.Entry{Seq: upTo + 1, Snapshot: snapshot}})
		}
		return entries, upTo, len(entries) == 10, nil
	})
}

// kept returns the positions above which ranges are kept, and their size.
func (r *reads) kept() (after []int64, bytes int) {
	r.shared.mu.Lock()
	defer r.shared.mu.Unlock()
	for _, kept := range r.shared.ranges {
		after = append(after, kept.after)
	}
	return after, r.shared.bytes
}

func TestEndpointsThatAreBehindShareWhatTheyRead(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := &reads{end: 25, wait: time.Second}
		for range 5 {
			go func() {
				if first, upTo := r.after(t, 0); first != 1 || upTo != 10 {
					t.Errorf("one of five reads %d to %d", first, upTo)
				}
			}()
		}
		time.Sleep(2 * time.Second)
		synctest.Wait()
		if r.n != 1 {
			t.Errorf("five that begin together read %d times", r.n)
		}
		for after, want := range map[int64]int64{0: 1, 4: 5, 9: 10} {
			if first, upTo := r.after(t, after); first != want || upTo != 10 {
				t.Errorf("above %d it reads %d to %d", after, first, upTo)
			}
		}
		if r.n != 1 {
			t.Errorf("later readers read %d times", r.n-1)
		}
		for _, after := range []int64{10, 20, 20} {
			r.after(t, after)
		}
		if r.n != 4 {
			t.Errorf("%d reads; the end of the journal is to be read again each time", r.n)
		}
		if _, upTo, _ := r.shared.get(t.Context(), 2, 0, func() ([]*machine.Entry, int64, bool, error) {
			return nil, 99, false, nil
		}); upTo != 99 {
			t.Error("a tenant gets what another has read")
		}
		time.Sleep(rangesEnd)
		synctest.Wait()
		if after, bytes := r.kept(); len(after) != 0 || bytes != 0 {
			t.Errorf("ranges above %d, of %d bytes, are kept for ever", after, bytes)
		}
	})
}

func TestAReadThatFailsFailsForOneAlone(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := &reads{end: 25, wait: time.Second, err: errors.New("the database is away")}
		failed := 0
		for range 3 {
			go func() {
				if _, upTo, err := r.try(t.Context(), 0); err != nil {
					failed++
				} else if upTo != 10 {
					t.Errorf("another reads to %d", upTo)
				}
			}()
		}
		ended, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		synctest.Wait()
		if _, upTo, err := r.try(ended, 0); err == nil || upTo != 0 {
			t.Errorf("a reader that stops waiting gets %d, %v", upTo, err)
		}
		time.Sleep(5 * time.Second)
		synctest.Wait()
		if failed != 1 || r.n != 2 {
			t.Errorf("%d of 3 fail, after %d reads", failed, r.n)
		}
	})
}

func TestSharedRangesAreBounded(t *testing.T) {
	t.Parallel()
	for size, want := range map[int]int{1: rangesKept, rangesBytes / 4 / 10 / 3: 2} {
		synctest.Test(t, func(t *testing.T) {
			r := &reads{end: 1000, data: make([]byte, size)}
			for after := int64(0); after < 200; after += 10 {
				r.after(t, after)
			}
			if after, _ := r.kept(); len(after) != want || after[want-1] != 190 {
				t.Errorf("ranges above %d are kept of entries with %d bytes, want the last %d", after, size, want)
			}
			time.Sleep(rangesEnd)
		})
	}
}
