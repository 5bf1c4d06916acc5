package machine_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/casehook/casehook/internal/delivery/machine"
	"github.com/casehook/casehook/internal/endpoint"
	"github.com/casehook/casehook/internal/event"
	"github.com/casehook/casehook/internal/wire"
)

const wantedTrigger, otherTrigger, ownToken, self = "wanted", "other", "tok_own", "ep_self"

// start is the time at which tests begin.
var start = time.Unix(1_800_000_000, 0)

// entryOf returns an entry with these messages for every clearance.
func entryOf(e *event.Entry, messages ...wire.Message) *machine.Entry {
	return &machine.Entry{
		Journal: e, Derive: func(*event.Entry, wire.View) []wire.Message { return messages },
	}
}

// messagesOf returns the messages of an entry made by entryOf.
func messagesOf(e *machine.Entry) []*wire.Message { return e.Messages(wire.View{}) }

// gateOf returns the gate of an endpoint without what its owner may not read.
func gateOf(e endpoint.Endpoint, l machine.Limits, disableAfter time.Duration, now time.Time) *machine.Gate {
	return machine.NewGate(machine.GateConfig{
		Endpoint:     e,
		Limits:       l,
		Jitter:       func() float64 { return 0.5 },
		DisableAfter: disableAfter,
		Now:          now,
	})
}

// script is a cursor that a test drives by hand.
type script struct {
	t       *testing.T
	gate    *machine.Gate
	cursor  *machine.Cursor
	now     time.Time
	seq     int64
	more    int // messages of the next entries, beyond one
	journal []*machine.Entry
	health  []machine.HealthChange // all changes so far
}

func newScript(t *testing.T, p endpoint.Policy, l machine.Limits) *script {
	return scriptOf(t, endpoint.Endpoint{Triggers: []string{wantedTrigger}, Policy: p}, l)
}

// scriptOf returns a script of an endpoint that has been sent nothing yet.
func scriptOf(t *testing.T, e endpoint.Endpoint, l machine.Limits) *script {
	s := &script{t: t, now: start, gate: gateOf(e, l, 0, start)}
	s.cursor = machine.New(s.gate, machine.CursorState{})
	return s
}

// commit feeds one entry per case.
func (s *script) commit(cases ...int) {
	for _, c := range cases {
		messages := make([]wire.Message, 1+s.more)
		for part := range messages {
			messages[part] = wire.Message{Trigger: wantedTrigger, ID: fmt.Sprintf("msg_%d_%d", s.seq+1, part)}
		}
		s.append(fmt.Sprintf("case/%d", c), messages...)
	}
}

// append feeds an entry about a subject with these messages.
func (s *script) append(subject string, messages ...wire.Message) {
	s.seq++
	s.journal = append(s.journal, entryOf(&event.Entry{Seq: s.seq, Subject: subject}, messages...))
	s.follow()
}

// follow reads as much of the journal as the cursor wants.
func (s *script) follow() {
	for s.cursor.WantsMore() && s.cursor.ReadTo() < s.seq {
		at := s.cursor.ReadTo()
		s.cursor.Read(s.journal[at:at+1], at+1)
	}
}

// launch sends all messages that may be sent now.
func (s *script) launch() (sent []*machine.Message) {
	s.t.Helper()
	for range 1000 {
		step, ok := s.cursor.Next(s.now)
		if !ok {
			return sent
		}
		if step.Send == nil {
			s.load(*step.Load)
			continue
		}
		sent = append(sent, step.Send)
	}
	s.t.Fatal("it never has enough")
	return nil
}

// load loads a parked lane from the journal.
func (s *script) load(q machine.LoadRequest) {
	subject, ok := q.Subject()
	var found []*machine.Entry
	for _, e := range s.journal {
		if e.Journal.Seq > q.After && e.Journal.Seq <= q.UpTo && (!ok || e.Journal.Subject == subject) {
			found = append(found, e)
		}
	}
	s.cursor.Loaded(q, found, false)
}

// end ends messages with a verdict.
func (s *script) end(v machine.Verdict, messages ...*machine.Message) {
	s.finish(machine.Outcome{Verdict: v, Connected: true}, messages...)
}

// cut ends messages as if there had been no connection, or one without an answer.
func (s *script) cut(connected bool, messages ...*machine.Message) {
	s.finish(machine.Outcome{Verdict: machine.Unreachable, Connected: connected}, messages...)
}

// throttle ends messages with 429 or 503 and a Retry-After.
func (s *script) throttle(status int, retryAfter time.Duration, messages ...*machine.Message) {
	s.finish(machine.Outcome{
		Verdict:    machine.Unreachable,
		Connected:  true,
		Throttled:  status == 429,
		RetryAfter: retryAfter,
	}, messages...)
}

func (s *script) finish(o machine.Outcome, messages ...*machine.Message) {
	o.Reason = "because"
	for _, m := range messages {
		s.cursor.Done(m, o, s.now)
	}
}

// collect returns what is to be saved, with a position that only moved.
func (s *script) collect() machine.Settlement {
	out, _ := s.cursor.Collect(true)
	s.health = append(s.health, out.Health...)
	return out
}

// settle makes all outcomes durable.
func (s *script) settle() { s.gate.Durable(s.gate.State().Owed) }

// wait moves the time to the cursor's next wake, and returns the difference.
func (s *script) wait() time.Duration {
	before := s.now
	if wake := s.cursor.WakeAt(); wake.After(s.now) {
		s.now = wake
	}
	return s.now.Sub(before)
}
