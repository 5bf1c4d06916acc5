package machine

import (
	"container/heap"
	"strings"
	"time"

	"github.com/casehook/casehook/internal/endpoint"
)

// lane is a line of messages of which one is under way at a time.
type lane struct {
	key     string
	queue   []*Message // in the window, not yet sent
	sending *Message
	ready   bool      // it is in the list of ready lanes
	row     *row      // not nil: the lane is parked
	probed  time.Time // when its last probe was sent; zero: never
}

// sendable reports whether the lane's next message may be sent.
func (l *lane) sendable() bool { return l.row == nil && l.sending == nil && len(l.queue) > 0 }

// rows returns how many rows, 0 or 1, the lane has once parked that stand for messages
// outside of the window.
func (l *lane) rows() int {
	if kindOf(l.key) == ofAll {
		return 0
	}
	return 1
}

// row is a parked lane's row. Its head, and all of the lane behind it in the
// journal, is owed.
type row struct {
	ParkedMessage
	lane       *lane
	loaded     []*Message // messages from the head on, loaded for the lane's turn
	loadedTo   int64      // the journal has been searched for the lane up to here
	absorbedTo int64      // the position of its last message that was left in the journal
	index      int        // in the waiting heap; -1: not in it
	away       bool       // its head failed because the endpoint was down, without a Retry-After
	hurried    bool       // it was made due early once
}

// owes reports whether the row stands for the message at a place. The id is the
// message's, and own reports whether it has a lane of its own.
func (r *row) owes(p Place, id string, own bool) bool {
	if p.before(r.place()) || own != (kindOf(r.lane.key) == ofMessage) {
		return false
	}
	return !own || id == r.Message
}

// laneKind is the kind of a lane, by its key.
type laneKind int

const (
	ofSubject laneKind = iota // "case/17": the messages behind its head wait in the journal
	ofMessage                 // "msg_...": a message by itself
	ofAll                     // "": all messages of the endpoint; they stay in the window
)

func kindOf(key string) laneKind {
	switch {
	case key == "":
		return ofAll
	case strings.HasPrefix(key, "msg_"):
		return ofMessage
	}
	return ofSubject
}

func laneKey(order endpoint.Order, m *Message) string {
	switch order {
	case endpoint.Strict:
		return ""
	case endpoint.None:
		return m.ID
	}
	return m.Subject
}

// waiting is the heap of parked lanes, by due time.
type waiting []*row

func (w waiting) Len() int           { return len(w) }
func (w waiting) Less(i, j int) bool { return w[i].Due.Before(w[j].Due) }
func (w waiting) Swap(i, j int) {
	w[i], w[j] = w[j], w[i]
	w[i].index, w[j].index = i, j
}

func (w *waiting) Push(x any) {
	r := x.(*row)
	r.index = len(*w)
	*w = append(*w, r)
}

func (w *waiting) Pop() any {
	old := *w
	r := old[len(old)-1]
	old[len(old)-1] = nil
	*w = old[:len(old)-1]
	r.index = -1
	return r
}

func (w *waiting) add(r *row) {
	if r.index < 0 {
		heap.Push(w, r)
	} else {
		heap.Fix(w, r.index)
	}
}

func (w *waiting) remove(r *row) {
	if r.index >= 0 {
		heap.Remove(w, r.index)
	}
}

// hurry makes due the lanes that failed while the endpoint was down, each once, so that
// it costs a message that fails for its own reasons at most one try.
func (w *waiting) hurry(now time.Time) {
	for _, r := range *w {
		if r.away && !r.hurried && r.Due.After(now) {
			r.Due, r.hurried = now, true
		}
	}
	heap.Init(w)
}
