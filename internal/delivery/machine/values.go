package machine

import (
	"time"

	"github.com/casehook/casehook/internal/endpoint"
	"github.com/casehook/casehook/internal/event"
	"github.com/casehook/casehook/internal/wire"
)

// Place is where a message stands in the journal.
type Place struct {
	Seq  int64 // of its entry
	Part int   // which message of the entry
}

func (p Place) before(q Place) bool { return p.Seq < q.Seq || p.Seq == q.Seq && p.Part < q.Part }

// Message is one message on its way to one endpoint.
type Message struct {
	Place
	ID      string
	Subject string
	Entry   *event.Entry
	Body    *wire.Message
	Tries   int // requests made

	failures int          // those that count for the retry schedule
	window   *windowEntry // nil if it came from a parked lane
	sentAt   time.Time
	probe    bool // it shows whether the endpoint is back
	retry    bool // it is the head of a parked lane
}

// Failures returns how many tries count for the retry schedule.
func (m *Message) Failures() int { return m.failures }

// Probe reports whether the message was sent as a probe, while the breaker was open.
func (m *Message) Probe() bool { return m.probe }

// Retry reports whether the message is the head of a parked lane.
func (m *Message) Retry() bool { return m.retry }

// ParkedMessage is the first owed message of a parked lane.
type ParkedMessage struct {
	Lane     string
	Seq      int64  // of its entry
	Part     int    // which message of the entry
	Message  string // its id; empty: the lane's first message from this place on
	Subject  string // of its entry; empty while Message is
	Trigger  string
	Tries    int // requests made
	Failures int // those that count for the retry schedule
	Due      time.Time
	Reason   string
}

func (p ParkedMessage) place() Place { return Place{p.Seq, p.Part} }

// DeadMessage is a dead message.
type DeadMessage struct {
	Place
	Message string // its id
	Subject string
	Trigger string
	At      time.Time
	Reason  string
	Dropped bool // a user dropped it
}

// RepairRequest asks to try a parked message at once, or to drop it.
type RepairRequest struct {
	Message string // its id
	Drop    bool   // give it up; otherwise try it again at once
}

// HealthChange is a change of an endpoint's health.
type HealthChange struct {
	Base            int64 // the version of the health that it is based on
	endpoint.Health       // the new health
	Disable         bool  // the endpoint
	Revision        int64 // of the endpoint that is to be disabled
	Entry           *event.Entry
}

// CursorState is the saved state of a cursor.
type CursorState struct {
	Position int64
	Parked   []ParkedMessage
	Settled  []string // ids of messages above the position that were delivered or given up
}

// Settlement has the changes of a cursor that are to be saved.
type Settlement struct {
	Position int64           // all messages at or below it are delivered, unwanted, parked or dead
	Outcomes int             // of attempts since the last settlement
	Park     []ParkedMessage // replace the rows of their lanes
	Unpark   []string        // lanes
	Dead     []DeadMessage
	Repaired []RepairRequest
	Health   []HealthChange // in their order
	Replay   bool           // the cursor is a replay's
	Ended    bool           // the replay has nothing more to send
}

// Verdict is the meaning of an attempt for its message and its endpoint.
type Verdict int

// The verdicts.
const (
	Delivered    Verdict = iota // a 2xx answer
	Refused                     // the endpoint answered, and did not accept this message
	Unreachable                 // the endpoint's own failure: no answer, 429 or 5xx
	Gone                        // 410: the endpoint wants no more messages
	NotAttempted                // no request was made: the process is stopping, or lacks a resource
)

// String returns the verdict in words.
func (v Verdict) String() string {
	return [...]string{"delivered", "refused", "unreachable", "gone", "not attempted"}[v]
}

// Outcome is the end of an attempt.
type Outcome struct {
	Verdict    Verdict
	Lacking    bool          // this machine could not send it
	Connected  bool          // the request may have reached the endpoint
	Throttled  bool          // 429: RetryAfter is for all messages
	RetryAfter time.Duration // of a 429 or 503; 0: none
	Reason     string        // for people: "503 Service Unavailable"
}
