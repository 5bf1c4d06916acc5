package delivery

import (
	"context"
	"time"

	"github.com/casehook/casehook/internal/access"
	"github.com/casehook/casehook/internal/delivery/machine"
	"github.com/casehook/casehook/internal/filter"
	"github.com/casehook/casehook/internal/store"
)

// cursor reads the journal for one cursor of an endpoint, and passes its settlements to the settler.
type cursor struct {
	worker   *worker
	id       string
	machine  *machine.Cursor
	replay   store.Replay    // zero: it is the live cursor
	reading  bool            // the journal is being read
	attempts []store.Attempt // not yet handed over
	flushed  time.Time       // when the position was last handed over
}

func (c *cursor) live() bool { return c == c.worker.live }

// fill reads the journal until the window is full or the journal ends. It first waits until the rights of the
// endpoint's owner are known.
func (c *cursor) fill(ctx context.Context) {
	w := c.worker
	if c.reading || !c.machine.WantsMore() {
		return
	}
	if c.live() {
		if upTo, quiet := w.tail.quiet(w.waiter, c.machine.ReadTo()); quiet {
			c.machine.Read(nil, upTo)
			return
		}
	}
	if reader, ok := w.store.ReaderAtHand(w.lease.Tenant, access.Owner(w.endpoint.Owner)); ok {
		w.setOwner(reader)
		c.read(ctx)
		return
	}
	c.startReading()
	go func() {
		reader, ok := w.owner(ctx)
		w.inbox <- func() {
			c.endReading()
			if ok {
				w.setOwner(reader)
				c.read(ctx)
			}
		}
	}()
}

// startReading and endReading count the reads that run in goroutines of their own.
func (c *cursor) startReading() { c.reading, c.worker.reading = true, c.worker.reading+1 }
func (c *cursor) endReading()   { c.reading, c.worker.reading = false, c.worker.reading-1 }

// read is fill once the rights of the owner are known. The end of the journal is in memory; a goroutine reads ranges
// further back.
func (c *cursor) read(ctx context.Context) {
	w := c.worker
	for !c.reading && c.machine.WantsMore() && w.ending(ctx) == nil {
		after := c.machine.ReadTo()
		if c.live() {
			if entries, upTo, ok := w.tail.recent(w.lease.Tenant, after); ok {
				c.machine.Read(entries, upTo)
				if len(entries) == 0 {
					return
				}
				continue
			}
		}
		c.startReading()
		go func() {
			entries, upTo, err := c.older(ctx, after)
			if err != nil {
				w.log.Error("the journal can't be read; trying again", "error", err)
				sleep(ctx, readAgain)
			}
			w.inbox <- func() {
				c.endReading()
				c.machine.Read(entries, upTo)
			}
		}()
	}
}

// older reads entries that are not in memory.
func (c *cursor) older(ctx context.Context, after int64) (entries []*machine.Entry, upTo int64, err error) {
	w := c.worker
	if c.live() {
		return w.tail.older(ctx, w.lease.Tenant, after, filter.ViewOf(w.endpoint))
	}
	return w.tail.again(ctx, c.replay, after, filter.ViewOf(w.endpoint))
}

// handOver passes the cursor's settlement to the settler. A position that moved only past unwanted entries is included
// only if flush is true.
func (c *cursor) handOver(flush bool) {
	w := c.worker
	s, ok := c.machine.Collect(flush || w.ticks.count(time.Now()) > w.ticks.count(c.flushed))
	if !ok {
		return
	}
	c.flushed = time.Now()
	row := store.Settlement{
		Tenant:   w.lease.Tenant,
		Endpoint: w.lease.Endpoint,
		Cursor:   c.id,
		Epoch:    w.lease.Epoch,
		Replay:   s.Replay,
		Ended:    s.Ended,
		Position: s.Position,
		Revision: w.endpoint.Revision,
		Attempts: c.attempts,
		Park:     parkedRows(s.Park),
		Unpark:   s.Unpark,
		Dead:     deadRows(s.Dead),
		Repaired: repairedRows(s.Repaired),
		Health:   healthRows(s.Health),
	}
	c.attempts = nil
	w.endpointLog.gaveUp(row.Dead)
	w.settler.put(c, row)
}
