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
	queue   []*Message // read into the window, not sent
	sending *Message
	ready   bool      // it is in the list of ready lanes
	row     *row      // not nil: the lane is parked
	probed  time.Time // when its last probe was sent; zero: never
}

// sendable reports whether the lane's next message may be sent.
func (l *lane) sendable() bool { return l.row == nil && l.sending == nil && len(l.queue) > 0 }

// rows returns how many rows the lane has, once it is parked, that stand for
// messages outside of the window.
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
	loaded     []*Message // from the head on, when it is the lane's turn
	loadedTo   int64      // the journal has been searched for the lane up to here
	absorbedTo int64      // the last of its messages that was left in the journal
	index      int        // in the heap of those that wait for their due time; -1: not in it
	away       bool       // its head failed because the endpoint was not there, and named no time
	hurried    bool       // it was tried before its due time once
}

// owes reports whether the row stands for a message at this place. The id is the
// message's, and own tells whether that has a row by itself.
func (r *row) owes(p Place, id string, own bool) bool {
	if p.before(r.place()) || own != (kindOf(r.lane.key) == ofMessage) {
		return false
	}
	return !own || id == r.Message
}

// laneKind says what a lane's key stands for.
type laneKind int

const (
	ofSubject laneKind = iota // "case/17": the messages behind its head wait in the journal
	ofMessage                 // "msg_...": a message by itself
	ofAll                     // "": the whole endpoint; its messages stay in the window
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

// hurry makes lanes due that failed while the endpoint was away, each once, so that a
// message which fails by itself uses up one try more at most.
func (w *waiting) hurry(now time.Time) {
	for _, r := range *w {
		if r.away && !r.hurried && r.Due.After(now) {
			r.Due, r.hurried = now, true
		}
	}
	heap.Init(w)
}
