package schema

import (
	"context"
	"errors"
)

// ErrSpent is the error of work that takes more steps than its budget has.
var ErrSpent = errors.New("the budget of steps is spent")

// interval is the number of steps between two checks of the context.
const interval = 4096

// Budget counts the work of one request while it is being done, and ends it when it takes too many steps
// or when the client has left. It belongs to one goroutine. A nil *Budget is unlimited.
//
// Work is counted in steps, not in time, so that the same request ends at the same place on every machine.
// A step takes about 100 ns.
type Budget struct {
	ctx  context.Context // of the request; nil: it can't be cancelled
	left int
	look int // what is left when the context is checked next
	used int
	err  error // why it ended
}

// NewBudget returns a budget of steps that ends with the context, too. A nil context never ends.
func NewBudget(ctx context.Context, steps int) *Budget {
	return &Budget{ctx: ctx, left: steps, look: steps}
}

// Spend spends steps before the work is done. It returns ErrSpent if there are not enough left, or the
// context's error if that has ended; from then on, always the same.
func (b *Budget) Spend(steps int) error {
	if b == nil || b.err == nil && b.allows(steps) {
		return nil
	}
	return b.err
}

// allows reports whether the steps may be spent.
func (b *Budget) allows(steps int) bool {
	if steps > b.left || steps < 0 {
		b.err = ErrSpent
		return false
	}
	b.left -= steps
	b.used += steps
	if b.left > b.look || b.ctx == nil {
		return true
	}
	b.look = b.left - interval
	b.err = b.ctx.Err()
	return b.err == nil
}

// Used returns the number of steps spent.
func (b *Budget) Used() int { return b.used }
