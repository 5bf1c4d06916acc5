package machine

import (
	"time"

	"github.com/casehook/casehook/internal/wire"
)

// Range selects the messages that a replay sends again, among those that the endpoint
// subscribes to, up to a position.
type Range struct {
	Until    int64
	Subject  string   // empty: all
	Triggers []string // nil: all
	Messages []string // ids; nil: all
}

// scope restricts the messages that a cursor sends. The zero value is the live cursor's:
// all messages that the endpoint wants, without an end.
type scope struct {
	bounded  bool // the cursor ends at until
	until    int64
	subject  string          // empty: all
	triggers map[string]bool // nil: all
	messages map[string]bool // nil: all
}

func (s scope) has(e *Entry, body *wire.Message) bool {
	return (s.triggers == nil || s.triggers[body.Trigger]) && (s.subject == "" || s.subject == e.Journal.Subject) &&
		(s.messages == nil || s.messages[body.ID])
}

// replayWindow is the size of a replay's window, in entries. It is small because there
// may be many replays.
const replayWindow = 128

// NewReplay restores the cursor of a replay.
func NewReplay(g *Gate, r Range, s CursorState) *Cursor {
	c := New(g, s)
	c.window.most = min(c.window.most, replayWindow)
	c.scope = scope{
		bounded:  true,
		until:    r.Until,
		subject:  r.Subject,
		triggers: set(r.Triggers),
		messages: set(r.Messages),
	}
	return c
}

// set returns the set of names. The set of nil is nil.
func set(all []string) map[string]bool {
	if all == nil {
		return nil
	}
	names := make(map[string]bool, len(all))
	for _, name := range all {
		names[name] = true
	}
	return names
}

// finished reports whether a replay has nothing more to send.
func (c *Cursor) finished() bool {
	return c.scope.bounded && c.Position() >= c.scope.until && len(c.lanes.byKey) == 0 && len(c.lanes.dormant) == 0 &&
		c.underWay == 0
}

// Rotation alternates between the cursors of one endpoint: the live one and its replays.
type Rotation struct {
	live     *Cursor
	replays  []*Cursor
	replayed bool // the last step was a replay's
	turn     int  // the index of the next replay
}

// NewRotation returns a rotation without replays.
func NewRotation(live *Cursor) *Rotation { return &Rotation{live: live} }

// SetReplays replaces the replays.
func (r *Rotation) SetReplays(replays []*Cursor) { r.replays = replays }

// Next returns the next step and its cursor. While both the live cursor and replays have
// steps, it alternates between them. While there are new messages, replays have at most
// half of the requests that may be under way; they never have all of them, so that a new
// message can be sent at once.
func (r *Rotation) Next(now time.Time) (*Cursor, Step, bool) {
	most := r.live.gate.policy.Concurrency
	if !r.replayed && r.replaying() < max(1, most/2) {
		if c, s, ok := r.nextReplay(now); ok {
			return c, s, true
		}
	}
	if s, ok := r.live.Next(now); ok {
		r.replayed = false
		return r.live, s, true
	}
	if r.replaying() < max(1, most-1) {
		return r.nextReplay(now)
	}
	return nil, Step{}, false
}

// nextReplay returns the next step of a replay, in turn.
func (r *Rotation) nextReplay(now time.Time) (*Cursor, Step, bool) {
	for i := range r.replays {
		n := (r.turn + i) % len(r.replays)
		if s, ok := r.replays[n].Next(now); ok {
			r.replayed, r.turn = true, n+1
			return r.replays[n], s, true
		}
	}
	return nil, Step{}, false
}

// replaying returns how many requests of replays are under way.
func (r *Rotation) replaying() (n int) {
	for _, c := range r.replays {
		n += c.underWay
	}
	return n
}
