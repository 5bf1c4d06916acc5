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

// Status returns the status of the case's state: closed if that is final, otherwise open.
func (c Case) Status() string {
	if c.ClosedAt.IsZero() {
		return Open
	}
	return Closed
}

// ResolveStatus sets a case's status by its state, which was another one before; empty: the case is new. If the status
// changes, the activity closed or reopened the case. A new case is open from its creation on, unless it begins in a
// final state.
func (c *Case) ResolveStatus(t *casetype.Type, before string, by Activity) {
	if c.State != before {
		c.StateSince = by.At
	}
	if c.LastActivity = by; c.OpenedAt.IsZero() {
		c.OpenedAt = c.CreatedAt
	}
	state, _ := t.State(c.State)
	switch {
	case state.Final && c.ClosedAt.IsZero():
		c.ClosedAt, c.StatusChangedBy = by.At, by.By
	case !state.Final && !c.ClosedAt.IsZero():
		c.OpenedAt, c.ClosedAt, c.StatusChangedBy = by.At, time.Time{}, by.By
	}
}
