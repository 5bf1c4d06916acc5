package cases

import (
	"time"

	"github.com/casehook/casehook/internal/casetype"
)

// The statuses.
const (
	Open   = "open"
	Closed = "closed"
)

// Status is that of the case's state: closed in a final one, else open.
func (c Case) Status() string {
	if c.ClosedAt.IsZero() {
		return Open
	}
	return Closed
}

// Settle gives a case the status of its state. When that changes it, at is the
// time that it was closed, and by the user who did it; 0 is none.
func (c *Case) Settle(t *casetype.Type, by int64, at time.Time) {
	state, _ := t.State(c.State)
	switch {
	case state.Final && c.ClosedAt.IsZero():
		c.ClosedAt, c.StatusChangedBy = at, by
	case !state.Final && !c.ClosedAt.IsZero():
		c.ClosedAt, c.StatusChangedBy = time.Time{}, by
	}
}
