package delivery

import (
	"context"
	"slices"
	"time"

	"github.com/casehook/casehook/internal/access"
	"github.com/casehook/casehook/internal/store"
)

// cursor is one of the cursors that a worker serves.
type cursor struct {
	*worker
	id      string
	m       *machine
	replay  store.Replay // zero: it is the live one
	reading bool         // the journal is being read
	flushed time.Time    // when the position was last handed over
}

// fill reads the journal until the window is full or there is no more, once it is
// known what the endpoint's owner may read.
func (c *cursor) fill(ctx context.Context) {
	if c.reading || !c.m.wantsMore() {
		return
	}
	if c == c.live {
		if upTo, quiet := c.tail.quiet(c.waiter, c.m.readTo); quiet {
			c.m.read(nil, upTo)
			return
		}
	}
	if reader, ok := c.store.ReaderAtHand(c.lease.Tenant, access.Owner(c.endpoint.Owner)); ok {
		c.heed(reader)
		c.read(ctx)
		return
	}
	c.begin()
	go func() {
		reader, ok := c.owner(ctx)
		c.inbox <- func() {
			c.end()
			if ok {
				c.heed(reader)
				c.read(ctx)
			}
		}
	}()
}

// begin and end are about the reading beside the sending.
func (c *cursor) begin() { c.reading, c.worker.reading = true, c.worker.reading+1 }
func (c *cursor) end()   { c.reading, c.worker.reading = false, c.worker.reading-1 }

// read is fill for an owner who is known. The end of the journal is at hand; ranges
// further back are read beside the sending.
func (c *cursor) read(ctx context.Context) {
	for !c.reading && c.m.wantsMore() && c.ending(ctx) == nil {
		after := c.m.readTo
		if c == c.live {
			if entries, upTo, ok := c.tail.recent(c.lease.Tenant, after); ok {
				c.m.read(entries, upTo)
				if len(entries) == 0 {
					return
				}
				continue
			}
		}
		c.begin()
		go func() {
			entries, upTo, err := c.older(ctx, after)
			if err != nil {
				c.log.Error("the journal can't be read; trying again", "error", err)
				sleep(ctx, readAgain)
			}
			c.inbox <- func() {
				c.end()
				c.m.read(entries, upTo)
			}
		}()
	}
}

// older reads what is not at hand.
func (c *cursor) older(ctx context.Context, after int64) (entries []*tailEntry, upTo int64, err error) {
	if c == c.live {
		return c.tail.older(ctx, c.lease.Tenant, after, c.endpoint.Clearance)
	}
	return c.tail.again(ctx, c.replay, after, c.endpoint.Clearance)
}

// handOver hands the settler what is to be saved. With flush it includes a
// position that moved only past what nobody wanted, which otherwise waits.
func (c *cursor) handOver(flush bool) {
	s, ok := c.m.take(flush || c.tick(time.Now()) > c.tick(c.flushed))
	if !ok {
		return
	}
	c.flushed = time.Now()
	c.diary.gaveUp(s.Dead)
	c.settler.put(c, s)
}

// errand is what is asked of an endpoint beside what is new.
type errand struct {
	running []string           // replays
	replays []store.Replay     // those of them that the worker does not know yet
	saved   map[string]remains // of them
	wishes  []store.Wish       // of parked messages
}

// remains is what a cursor's machine is restored from.
type remains struct {
	parked  []store.Parked
	settled []store.Place
	named   []store.Place
}

// look finds out what is asked, if somebody may have asked something, and lets go
// of replays that are over. It does so once at a time: what two read at once might
// begin a replay twice. What is asked meanwhile is looked at afterwards.
func (w *worker) look(ctx context.Context) {
	w.mu.Lock()
	asked, over := w.asked && !w.looking, w.over
	w.asked, w.over = w.asked && w.looking, map[string]bool{}
	w.mu.Unlock()
	if len(over) > 0 {
		w.replays = slices.DeleteFunc(w.replays, func(c *cursor) bool { return over[c.id] })
		w.muster()
	}
	w.letGo()
	if !asked {
		return
	}
	known := map[string]bool{}
	for _, c := range w.replays {
		known[c.id] = true
	}
	w.looking = true
	w.reading++
	go func() {
		e, err := w.errands(ctx, w.lease, known, w.gate.policy.LongestWait())
		if err != nil && ctx.Err() == nil {
			w.log.Error("what is asked of the endpoint can't be read; trying again", "error", err)
			sleep(ctx, readAgain)
			w.ask()
		}
		w.inbox <- func() {
			w.looking = false
			w.reading--
			if err == nil {
				w.attend(e)
			}
		}
	}()
}

// errands reads what is asked of an endpoint whose schedule has this longest wait.
func (e *Engine) errands(ctx context.Context, l store.Lease, known map[string]bool, longest time.Duration) (errand, error) {
	out := errand{saved: map[string]remains{}}
	running, err := e.store.RunningReplays(ctx, l.Tenant, l.Endpoint)
	if err != nil {
		return out, err
	}
	for _, r := range running {
		out.running = append(out.running, r.ID)
		if known[r.ID] {
			continue
		}
		s, err := e.remains(ctx, store.Cursor{ID: r.ID, Position: r.Position}, l.Tenant, longest)
		if err != nil {
			return out, err
		}
		if r.Messages > 0 {
			if s.named, err = e.store.ReplayMessages(ctx, r.ID); err != nil {
				return out, err
			}
		}
		out.replays = append(out.replays, r)
		out.saved[r.ID] = s
	}
	out.wishes, err = e.store.Wishes(ctx, l.Tenant, l.Endpoint)
	return out, err
}

func (e *Engine) remains(ctx context.Context, c store.Cursor, tenant int64, longest time.Duration) (s remains, err error) {
	if s.parked, err = e.store.Parked(ctx, tenant, c.ID); err != nil {
		return s, err
	}
	for i, now := 0, time.Now(); i < len(s.parked); i++ {
		s.parked[i].Due = dueAt(s.parked[i].Due, now, longest)
	}
	s.settled, err = e.store.Settled(ctx, tenant, c)
	return s, err
}

// dueAt is when a lane is due that is saved, by the clock that runs: the one on the
// wall may have been wrong when it was saved, and may be set while we wait. It waits
// no longer than its endpoint's schedule lets any message wait.
func dueAt(saved, now time.Time, longest time.Duration) time.Time {
	return now.Add(min(saved.Sub(now), longest))
}

// attend begins the replays that are new, stops those that were cancelled, and
// passes on what is asked of parked messages.
func (w *worker) attend(e errand) {
	for _, c := range w.replays {
		if !slices.Contains(e.running, c.id) {
			c.m.stopped = true
		}
	}
	for _, r := range e.replays {
		if slices.ContainsFunc(w.replays, func(c *cursor) bool { return c.id == r.ID }) {
			continue
		}
		s := e.saved[r.ID]
		w.replays = append(w.replays, &cursor{
			worker: w, id: r.ID, replay: r, flushed: time.Now(),
			m: newReplay(w.gate, r, s.named, s.settled, s.parked),
		})
	}
	w.muster()
	for c := range w.cursors {
		for _, wish := range e.wishes {
			if wish.Cursor == c.id {
				c.m.ask([]store.Wish{wish})
			}
		}
	}
}

// letGo forgets the replays that were stopped, once what they sent has come back.
func (w *worker) letGo() {
	before := len(w.replays)
	w.replays = slices.DeleteFunc(w.replays, func(c *cursor) bool {
		gone := c.m.stopped && c.m.underway == 0 && !c.reading
		if gone {
			c.handOver(true)
		}
		return gone
	})
	if len(w.replays) < before {
		w.muster()
	}
}

// muster tells the crew who belongs to it.
func (w *worker) muster() {
	w.crew.replays = w.crew.replays[:0]
	for _, c := range w.replays {
		w.crew.replays = append(w.crew.replays, c.m)
	}
}
