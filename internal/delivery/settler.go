package delivery

import (
	"context"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/casehook/casehook/internal/observe"
	"github.com/casehook/casehook/internal/store"
)

// settler writes outcomes. Workers put settlements into its pool; one loop takes all that gathered while it wrote the
// previous batch, and writes it in one transaction. While the database is unavailable it keeps trying; the workers'
// windows fill, and they stop sending.
type settler struct {
	store *store.Store
	log   *slog.Logger

	signals *signals
	metrics *observe.Delivery
	started time.Time
	writing atomic.Int64 // when writing the batch began, in nanoseconds from started; 0: none is being written

	mu       sync.Mutex
	pool     map[*cursor]*settlement
	idle     map[*cursor]*settlement // positions alone, which wait for gather
	ripening *time.Timer             // nil: there are none
	ripe     bool
	barriers []chan struct{}
	filled   chan struct{} // holds a value when there is something to write
}

// settlement is the entry of one cursor in the pool.
type settlement struct {
	row   store.Settlement                // without the lanes
	lanes map[string]*store.ParkedMessage // the latest state of each; nil: unpark
	sent  int                             // outcomes of messages that were sent
}

func newSettler(st *store.Store, log *slog.Logger) *settler {
	return &settler{
		store:   st,
		log:     log,
		pool:    map[*cursor]*settlement{},
		idle:    map[*cursor]*settlement{},
		filled:  make(chan struct{}, 1),
		signals: &signals{},
	}
}

// put adds a settlement to the pool. Once it is saved, the cursor's worker is notified.
func (s *settler) put(c *cursor, more store.Settlement) {
	s.mu.Lock()
	defer s.mu.Unlock()
	pool, moved := s.pool, onlyMoved(more)
	if moved {
		pool = s.idle
	}
	pooled := pool[c]
	if pooled == nil {
		pooled = &settlement{lanes: map[string]*store.ParkedMessage{}}
		pooled.row.Tenant, pooled.row.Endpoint, pooled.row.Cursor = more.Tenant, more.Endpoint, more.Cursor
		pooled.row.Epoch, pooled.row.Revision = more.Epoch, more.Revision
		pool[c] = pooled
	}
	pooled.merge(more)
	switch {
	case !moved:
		s.nudge()
	case s.ripening == nil:
		s.ripening = time.AfterFunc(gather, s.ripen)
	}
}

// gather is how long settlements of a position alone are collected, so that those of all idle endpoints are written
// together.
const gather = 300 * time.Millisecond

// onlyMoved reports whether a settlement changes nothing but a position.
func onlyMoved(s store.Settlement) bool {
	return len(s.Attempts)+len(s.Dead)+len(s.Park)+len(s.Unpark)+len(s.Repaired)+len(s.Health) == 0 && !s.Ended &&
		!s.Replay
}

func (s *settler) ripen() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ripe = true
	s.nudge()
}

// gathered empties the pool, and returns its settlements. It includes positions that are still being collected if all
// is true or a barrier waits.
func (s *settler) gathered(all bool) (batch map[*cursor]*settlement, barriers []chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	batch, barriers = s.pool, s.barriers
	s.pool, s.barriers = map[*cursor]*settlement{}, nil
	if !all && !s.ripe && len(barriers) == 0 {
		return batch, barriers
	}
	for c, p := range s.idle {
		if busy := batch[c]; busy != nil {
			busy.row.Position = max(busy.row.Position, p.row.Position)
		} else {
			batch[c] = p
		}
	}
	if s.ripening != nil {
		s.ripening.Stop()
	}
	s.idle, s.ripening, s.ripe = map[*cursor]*settlement{}, nil, false
	return batch, barriers
}

func (s *settler) nudge() {
	select {
	case s.filled <- struct{}{}:
	default:
	}
}

func (p *settlement) merge(more store.Settlement) {
	row := &p.row
	row.Replay, row.Ended = more.Replay, row.Ended || more.Ended
	row.Position = max(row.Position, more.Position)
	if len(row.Attempts) == 0 {
		row.Attempts = more.Attempts
	} else {
		row.Attempts = append(row.Attempts, more.Attempts...)
	}
	row.Dead = append(row.Dead, more.Dead...)
	row.Health = append(row.Health, more.Health...)
	row.Repaired = append(row.Repaired, more.Repaired...)
	for i := range more.Park {
		p.lanes[more.Park[i].Lane] = &more.Park[i]
	}
	for _, lane := range more.Unpark {
		p.lanes[lane] = nil
	}
	p.sent += len(more.Attempts)
}

// run writes batches until stop is closed. Then it writes the rest, unless ctx ends first.
func (s *settler) run(ctx context.Context, stop <-chan struct{}) {
	for {
		select {
		case <-s.filled:
			s.flush(ctx, false)
		case <-stop:
			s.flush(ctx, true)
			return
		case <-ctx.Done():
			return
		}
	}
}

// The waits between tries to write a batch, and the timeout of a try: a dead connection may hang for much longer.
const (
	longestSettle     = time.Minute
	firstSettleWait   = 50 * time.Millisecond
	slowestSettleWait = 2 * time.Second
)

// slowSettle is how long writing a batch may take before the engine is no longer ready.
const slowSettle = 20 * time.Second

// stuck reports whether writing the batch has taken longer than slowSettle.
func (s *settler) stuck() bool {
	since := s.writing.Load()
	return since != 0 && time.Since(s.started)-time.Duration(since) > slowSettle
}

// flush writes what is in the pool.
func (s *settler) flush(ctx context.Context, all bool) {
	batch, barriers := s.gathered(all)
	if len(batch) > 0 && !s.save(ctx, batch) {
		return
	}
	for _, written := range barriers {
		close(written)
	}
}

// save writes a batch, with as many tries as it needs, and returns false if ctx ends first.
func (s *settler) save(ctx context.Context, batch map[*cursor]*settlement) bool {
	s.writing.Store(max(1, int64(time.Since(s.started))))
	defer s.writing.Store(0)
	again := false
	for wait := firstSettleWait; ; wait = min(2*wait, slowestSettleWait) {
		start := time.Now()
		lost, err := s.write(ctx, batch, again)
		if err == nil {
			s.count(batch, lost, time.Since(start))
			report(batch, lost)
			signal(s.signals.settled)
			return true
		}
		if ctx.Err() != nil {
			return false
		}
		s.metrics.SettleFailed()
		s.log.Error("outcomes can't be saved; trying again", "error", err, "endpoints", len(batch))
		again = true // the batch may have been saved despite the error
		sleep(ctx, wait)
	}
}

func (s *settler) write(ctx context.Context, batch map[*cursor]*settlement, again bool) (lost []string, err error) {
	all := make([]store.Settlement, 0, len(batch))
	for _, p := range batch {
		row := p.row
		row.Again = again
		for lane, parked := range p.lanes {
			if parked == nil {
				row.Unpark = append(row.Unpark, lane)
			} else {
				row.Park = append(row.Park, *parked)
			}
		}
		all = append(all, row)
	}
	ctx, cancel := context.WithTimeout(ctx, longestSettle)
	defer cancel()
	err = s.store.Update(ctx, func(tx *store.Tx) error {
		lost, err = tx.Settle(ctx, all)
		return err
	})
	return lost, err
}

// count updates the metrics after a batch was written.
func (s *settler) count(batch map[*cursor]*settlement, lost []string, took time.Duration) {
	attempts, dead := 0, 0
	for _, p := range batch {
		attempts += len(p.row.Attempts)
		if !slices.Contains(lost, p.row.Endpoint) {
			dead += len(p.row.Dead)
		}
	}
	s.metrics.Settled(attempts, dead, took)
}

// report notifies the workers that their settlements are saved, or that their lease is lost.
func report(batch map[*cursor]*settlement, lost []string) {
	for c, p := range batch {
		if slices.Contains(lost, p.row.Endpoint) {
			c.worker.stop(errLeaseLost)
			continue
		}
		c.worker.saved(p)
	}
}

// barrier returns once all settlements that were put before are written, or ctx ends.
func (s *settler) barrier(ctx context.Context) {
	written := make(chan struct{})
	s.mu.Lock()
	s.barriers = append(s.barriers, written)
	s.mu.Unlock()
	s.nudge()
	select {
	case <-written:
	case <-ctx.Done():
	}
}
