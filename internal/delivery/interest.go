package delivery

import (
	"github.com/casehook/casehook/internal/event"
	"github.com/casehook/casehook/internal/wire"
)

// interest is a trigger of a tenant's entries.
type interest struct {
	tenant  int64
	trigger string
}

// interests records which workers wait for which triggers, and the last position of each trigger, so that an entry
// wakes only workers that may want it. The others skip it without reading it. The zero value is ready.
type interests struct {
	last    map[interest]int64
	waiting map[interest]map[*waiter]struct{}
}

// waiter is a worker that waits for triggers.
type waiter struct {
	woken chan struct{} // closed when an entry has one of them
	wants []interest
}

func newWaiter(tenant int64, triggers []string) *waiter {
	w := &waiter{woken: make(chan struct{}), wants: make([]interest, len(triggers))}
	for i, trigger := range triggers {
		w.wants[i] = interest{tenant, trigger}
	}
	return w
}

// add adds a waiter.
func (i *interests) add(w *waiter) {
	if i.waiting == nil {
		i.waiting = map[interest]map[*waiter]struct{}{}
	}
	for _, want := range w.wants {
		if i.waiting[want] == nil {
			i.waiting[want] = map[*waiter]struct{}{}
		}
		i.waiting[want][w] = struct{}{}
	}
}

// remove removes a waiter.
func (i *interests) remove(w *waiter) {
	for _, want := range w.wants {
		if delete(i.waiting[want], w); len(i.waiting[want]) == 0 {
			delete(i.waiting, want)
		}
	}
}

// note records an entry's triggers, and wakes the waiters for them.
func (i *interests) note(e *event.Entry) {
	if i.last == nil {
		i.last = map[interest]int64{}
	}
	for _, trigger := range wire.TriggersOf(e) {
		key := interest{e.Tenant, trigger}
		i.last[key] = e.Seq
		for w := range i.waiting[key] {
			i.remove(w)
			close(w.woken)
		}
	}
}

// above reports whether any of the triggers occurred above a position.
func (i *interests) above(wants []interest, after int64) bool {
	for _, want := range wants {
		if i.last[want] > after {
			return true
		}
	}
	return false
}

// follow makes a worker wait for triggers, until it is woken or released. It does not change a worker that already
// waits.
func (t *tail) follow(before *waiter, tenant int64, triggers []string) *waiter {
	if before != nil {
		select {
		case <-before.woken:
		default:
			return before
		}
	}
	w := newWaiter(tenant, triggers)
	t.mu.Lock()
	defer t.mu.Unlock()
	t.interests.add(w)
	return w
}

// letGo releases a worker that waits.
func (t *tail) letGo(w *waiter) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.interests.remove(w)
}

// quiet returns the position up to which there is no entry that a worker waits for, if it is above the worker's own.
// It returns false if there may be such an entry.
func (t *tail) quiet(w *waiter, after int64) (upTo int64, quiet bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if after < t.known || t.from == unbegun || t.interests.above(w.wants, after) {
		return after, false
	}
	return max(t.head, after), true
}
