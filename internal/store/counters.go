package store

import (
	"context"
	"sync"
	"time"
)

var (
	counterNext = sqliteOnly(`insert into counters (tenant, name, value) values ($1, $2, 1)
		on conflict (tenant, name) do update set value = counters.value + 1 returning value`)
	counterReserve = postgresOnly(`insert into counters (tenant, name, value) values ($1, $2, $3)
		on conflict (tenant, name) do update set value = counters.value + excluded.value returning value`)
	counterReturn = postgresOnly(`update counters set value = $3
		where tenant = $1 and name = $2 and value = $4 returning value`)
)

// Next draws the next number of a counter: 1, 2, ... for each name. No number is drawn twice. On PostgreSQL one may
// be missing: a transaction that is rolled back loses its number, and a process that crashes loses the rest of its
// block.
func (tx *Tx) Next(ctx context.Context, tenant int64, name string) (int64, error) {
	if tx.dialect == postgres {
		return tx.counters.next(ctx, counter{tenant, name})
	}
	rows, err := tx.q.query(ctx, counterNext, tenant, name)
	return one(rows, err, scanValue[int64], counterMissing)
}

// Next is [Tx.Next] for who is in no transaction.
func (s *Store) Next(ctx context.Context, tenant int64, name string) (n int64, err error) {
	if s.dialect == postgres {
		return s.counters.next(ctx, counter{tenant, name})
	}
	err = s.Update(ctx, func(tx *Tx) (err error) {
		n, err = tx.Next(ctx, tenant, name)
		return err
	})
	return n, err
}

var counterMissing = notFound("store.counter", "The database lacks a counter. Restore it from your backup.")

// counters hands out numbers on PostgreSQL. They are reserved in blocks, by a statement that is a transaction of its
// own, so that a process that hangs between drawing a number and its commit does not block the others.
type counters struct {
	reserve apart

	mu     sync.Mutex
	blocks map[counter]*block
}

type counter struct {
	tenant int64
	name   string
}

// block is the rest of the numbers that were reserved last. Its size follows the demand, so that a counter that is
// rarely used loses nothing in a crash and leaves no gaps between processes.
type block struct {
	turn chan struct{} // holds one while nobody reserves; whoever takes it owns what follows
	next int64
	last int64
	size int64
	at   time.Time // when it was reserved
}

const (
	longestBlock = 64          // numbers
	fastBlock    = time.Second // a block that is used up within this is followed by one of twice the size
)

func newCounters(reserve apart) *counters {
	return &counters{reserve: reserve, blocks: map[counter]*block{}}
}

func (c *counters) next(ctx context.Context, of counter) (int64, error) {
	b := c.block(of)
	select {
	case <-b.turn:
		defer func() { b.turn <- struct{}{} }()
	case <-ctx.Done():
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
	rows, err := c.reserve(ctx, counterReserve, of.tenant, of.name, size)
	last, err := one(rows, err, scanValue[int64], counterMissing)
	if err != nil {
		return err
	}
	b.next, b.last, b.size, b.at = last-size+1, last, size, time.Now()
	return nil
}

// giveBack returns the rest of each block to its counter if no later block was reserved, so that a restart leaves no
// gap. A number that can't be returned is a gap.
func (c *counters) giveBack(ctx context.Context) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for of, b := range c.blocks {
		select {
		case <-b.turn: // for ever: the store is closed
		default:
			continue
		}
		if b.next > b.last {
			continue
		}
		rows, err := c.reserve(ctx, counterReturn, of.tenant, of.name, b.next-1, b.last)
		if _, err = collect(rows, err, scanValue[int64]); err != nil {
			return
		}
	}
}
