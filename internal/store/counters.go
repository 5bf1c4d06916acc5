package store

import (
	"context"
	"sync"
	"time"
)

var (
	counterNext = sqliteOnly(`insert into counters (tenant, name, value) values ($1, $2, 1)
		on conflict (tenant, name) do update set value = counters.value + 1 returning value`)
	counterReserve = define(`insert into counters (tenant, name, value) values ($1, $2, $3)
		on conflict (tenant, name) do update set value = counters.value + excluded.value returning value`)
	counterReturn = define(`update counters set value = $3
		where tenant = $1 and name = $2 and value = $4
		returning value`)
)

// Next returns the next number of a counter: 1, 2, ... for each name. No number is returned twice. On PostgreSQL there
// may be gaps: a transaction that is rolled back loses its number, and a process that crashes loses the rest of its
// block.
func (tx *Tx) Next(ctx context.Context, tenant int64, name string) (int64, error) {
	if tx.dialect == postgres {
		return tx.counters.next(ctx, counter{tenant, name})
	}
	rows, err := tx.q.query(ctx, counterNext, tenant, name)
	return one(rows, err, scanValue[int64], counterMissing)
}

// Next returns the next number of a counter from a block that this process has reserved. There may be gaps, as with
// [Tx.Next] on PostgreSQL.
func (s *Store) Next(ctx context.Context, tenant int64, name string) (int64, error) {
	return s.counters.next(ctx, counter{tenant, name})
}

var counterMissing = notFound("store.counter", "The database lacks a counter. Restore it from your backup.")

// counters draws numbers from blocks. A block is reserved by a transaction of its own, so that a process that hangs
// between drawing a number and its commit does not block the others, and no commit waits for another.
type counters struct {
	run func(ctx context.Context, s *statement, args ...any) ([]int64, error) // as a transaction of its own

	mu     sync.Mutex
	blocks map[counter]*block
}

type counter struct {
	tenant int64
	name   string
}

// block holds the unused numbers of the last reservation. Its size follows the demand: a counter that is rarely used
// reserves one number at a time, and so has no gaps after a crash or between processes.
type block struct {
	turn chan struct{} // a semaphore of one, full while free; it guards the fields below
	next int64
	last int64
	size int64
	at   time.Time // when it was reserved
}

const (
	longestBlock = 64          // numbers
	fastBlock    = time.Second // a block that is used up faster is followed by one of twice the size
)

func newCounters(s *Store) *counters { return &counters{run: s.alone, blocks: map[counter]*block{}} }

// alone runs a statement that writes and returns numbers, as a transaction of its own.
func (s *Store) alone(ctx context.Context, text *statement, args ...any) (numbers []int64, err error) {
	if s.dialect == postgres {
		rows, err := s.engine.apart(ctx, text, args...)
		return collect(rows, err, scanValue[int64])
	}
	started := time.Now()
	err = s.engine.update(ctx, func(q querier) error {
		rows, err := q.query(ctx, text, args...)
		numbers, err = collect(rows, err, scanValue[int64])
		return err
	})
	s.ended(err, started)
	return numbers, err
}

func (c *counters) next(ctx context.Context, of counter) (int64, error) {
	ctx, ended := patient(ctx) // another request may be waiting for the database
	b := c.block(of)
	select {
	case <-b.turn:
		defer func() { b.turn <- struct{}{} }()
	case <-ctx.Done():
		ended(ctx.Err())
		return 0, translate(ctx.Err())
	}
	if b.next > b.last {
		if err := c.refill(ctx, of, b); err != nil {
			return 0, err
		}
	}
	b.next++
	return b.next - 1, nil
}

func (c *counters) block(of counter) *block {
	c.mu.Lock()
	defer c.mu.Unlock()
	b := c.blocks[of]
	if b == nil {
		b = &block{turn: make(chan struct{}, 1), next: 1}
		b.turn <- struct{}{}
		c.blocks[of] = b
	}
	return b
}

func (c *counters) refill(ctx context.Context, of counter, b *block) error {
	size := int64(1)
	if time.Since(b.at) < fastBlock {
		size = min(2*b.size, longestBlock)
	}
	reserved, err := c.run(ctx, counterReserve, of.tenant, of.name, size)
	if err != nil {
		return err
	}
	if len(reserved) == 0 {
		return counterMissing()
	}
	last := reserved[0]
	b.next, b.last, b.size, b.at = last-size+1, last, size, time.Now()
	return nil
}

// giveBack returns the unused numbers of each block to its counter if no later block was reserved, so that a restart
// leaves no gap. Numbers that can't be returned leave a gap.
func (c *counters) giveBack(ctx context.Context) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for of, b := range c.blocks {
		select {
		case <-b.turn: // it is never put back: the store is closed
		default:
			continue
		}
		if b.next > b.last {
			continue
		}
		if _, err := c.run(ctx, counterReturn, of.tenant, of.name, b.next-1, b.last); err != nil {
			return
		}
	}
}
