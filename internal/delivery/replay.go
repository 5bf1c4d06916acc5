package delivery

import (
	"time"

	"github.com/casehook/casehook/internal/store"
	"github.com/casehook/casehook/internal/wire"
)

// scope narrows what a cursor tells. The zero value is the live cursor's: all that
// the endpoint wants, without an end.
type scope struct {
	bounded  bool // it ends at until
	until    int64
	triggers map[string]bool // nil: all
	subject  string          // empty: all
	messages map[string]bool // nil: all
}

func (s scope) has(e *tailEntry, body *wire.Message) bool {
	return (s.triggers == nil || s.triggers[body.Trigger]) && (s.subject == "" || s.subject == e.Subject) && (s.messages == nil || s.messages[body.ID])
}

// replayWindow is how many entries a replay's window has at most: there may be
// many of them.
const replayWindow = 128

// newReplay restores the machine of a replay.
func newReplay(g *gate, r store.Replay, named, settled []store.Place, parked []store.Parked) *machine {
	m := newMachine(g, store.Cursor{ID: r.ID, Position: r.Position}, parked, settled)
	m.held = min(m.held, replayWindow)
	m.scope = scope{bounded: true, until: r.Until, subject: r.Subject}
	if r.Triggers != nil {
		m.scope.triggers = set(r.Triggers, func(trigger string) string { return trigger })
	}
	if r.Messages > 0 {
		m.scope.messages = set(named, func(p store.Place) string { return p.Message })
	}
	return m
}

func set[T any](all []T, name func(T) string) map[string]bool {
	names := make(map[string]bool, len(all))
	for _, one := range all {
		names[name(one)] = true
	}
	return names
}

// finished reports whether a replay has told all that it was to tell.
func (m *machine) finished() bool {
	return m.scope.bounded && m.position() >= m.scope.until && len(m.lanes) == 0 && len(m.dormant) == 0 && m.underway == 0
}

// crew is the machines of one endpoint: the live cursor's, and its replays'.
type crew struct {
	live    *machine
	replays []*machine
	replay  bool // what was begun last is a replay's
	turn    int  // the replay whose turn it is
}

// next picks what to do now, and for which machine. Live and replays take turns
// while both have something to do. A replay takes at most half of what may be under
// way while there is something new; and it never takes all, so that what is new
// finds room at once.
func (c *crew) next(now time.Time) (*machine, step, bool) {
	most := c.live.policy.Concurrency
	if !c.replay && c.replaying() < max(1, most/2) {
		if m, s, ok := c.nextReplay(now); ok {
			return m, s, true
		}
	}
	if s, ok := c.live.next(now); ok {
		c.replay = false
		return c.live, s, true
	}
	if c.replaying() < max(1, most-1) {
		return c.nextReplay(now)
	}
	return nil, step{}, false
}

// nextReplay lets the replays take turns among themselves.
func (c *crew) nextReplay(now time.Time) (*machine, step, bool) {
	for i := range c.replays {
		at := (c.turn + i) % len(c.replays)
		if s, ok := c.replays[at].next(now); ok {
			c.replay, c.turn = true, at+1
			return c.replays[at], s, true
		}
	}
	return nil, step{}, false
}

// replaying is what is under way of replays.
func (c *crew) replaying() (n int) {
	for _, m := range c.replays {
		n += m.underway
	}
	return n
}
