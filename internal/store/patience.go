package store

import (
	"context"
	"errors"
	"sync/atomic"
	"time"
)

// The limits of a request's wait for a database that is reached by a network.
const (
	databaseSilent = 6 * time.Second        // for one statement, or one transaction
	stillSilent    = 250 * time.Millisecond // for each after one that was not answered, until one is
)

// patience is how long a request waits for the database. Packets may vanish without a sign, so that a statement would
// wait for ever, and a request is to be answered within 10 seconds however many statements it has left.
type patience struct{ exhausted atomic.Bool }

type patienceKey struct{}

// WithPatience returns a context for a request: each of its statements and transactions fails, as unreachable, if the
// database does not answer within some seconds. The time for anything else, such as a callback or a client that uploads,
// is not limited. Work in the background waits for as long as its own context allows.
func WithPatience(ctx context.Context) context.Context {
	return context.WithValue(ctx, patienceKey{}, new(patience))
}

// patient returns a context for one statement or transaction of a request, and a function that takes its error. Others'
// contexts stay as they are. The rows of a statement have to be read within the limit, too; its timer ends with the
// request, or at the limit.
func patient(ctx context.Context) (limited context.Context, ended func(error)) {
	p, ok := ctx.Value(patienceKey{}).(*patience)
	if !ok {
		return ctx, func(error) {}
	}
	limit := databaseSilent
	if p.exhausted.Load() {
		limit = stillSilent
	}
	limited, cancel := context.WithTimeout(ctx, limit)
	context.AfterFunc(limited, cancel) // which frees its timer
	return limited, func(err error) {
		switch {
		case err == nil:
			p.exhausted.Store(false)
		case errors.Is(err, context.DeadlineExceeded):
			p.exhausted.Store(true)
		}
	}
}
