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

func TestTheBreakerOpensOnSeveralCasesOnly(t *testing.T) {
	for name, c := range map[string]struct {
		verdict machine.Verdict
		cases   []int
		open    bool
	}{
		"one poisonous case":          {machine.Unreachable, []int{1, 1, 1, 1, 1, 1, 1, 1}, false},
		"many cases":                  {machine.Unreachable, []int{1, 2, 3, 4, 5, 6}, true},
		"many cases, their own fault": {machine.Refused, []int{1, 2, 3, 4, 5, 6}, false},
	} {
		t.Run(name, func(t *testing.T) {
			s := newScript(t, endpoint.Policy{Concurrency: 1, Order: endpoint.None}, machine.DefaultLimits)
			for _, n := range c.cases {
				s.commit(n)
				s.end(c.verdict, s.launch()...)
			}
			if s.gate.Open() != c.open {
				t.Errorf("open = %v, want %v", s.gate.Open(), c.open)
			}
		})
	}
}

func TestWhileTheBreakerIsOpenOneProbeAtATimeTriesEachTimeAnotherLane(t *testing.T) {
	s := newScript(t, endpoint.Policy{Concurrency: 8}, machine.DefaultLimits)
	s.commit(1, 2, 3, 4, 5, 6, 7, 8)
	s.end(machine.Unreachable, s.launch()...)
	if !s.gate.Open() || s.cursor.State().Rows != 4 {
		t.Fatalf("open = %v with %d rows, want it open with the 4 failures before", s.gate.Open(),
			s.cursor.State().Rows)
	}
	if s.cursor.WantsMore() || len(s.launch()) > 0 {
		t.Fatal("it reads or sends although the endpoint is down")
	}
	s.collect()
	lane := ""
	for wait := time.Second; wait <= 8*time.Second; wait *= 2 {
		if at := s.cursor.WakeAt(); at.Sub(s.now) != wait {
			t.Fatalf("the next probe is in %v, want %v", at.Sub(s.now), wait)
		}
		s.now = s.cursor.WakeAt()
		probes := s.launch()
		if len(probes) != 1 || !probes[0].Probe() || probes[0].Subject == lane {
			t.Fatalf("%d probes; the first of %s, after %s", len(probes), probes[0].Subject, lane)
		}
		lane = probes[0].Subject
		s.end(machine.Unreachable, probes...)
		if probes[0].Failures() != 0 {
			t.Fatal("a probe used up a retry")
		}
	}
	s.now = s.cursor.WakeAt()
	s.end(machine.Delivered, s.launch()...)
	if s.gate.Open() || len(s.launch()) == 0 {
		t.Error("an answer did not close the breaker")
	}
}

func TestPoisonousCasesAreNotTheOnlyOnesThatAreProbed(t *testing.T) {
	for _, order := range []endpoint.Order{endpoint.PerCase, endpoint.None} {
		t.Run(string(order), func(t *testing.T) {
			s := newScript(t, endpoint.Policy{Concurrency: 1, Order: order}, machine.DefaultLimits)
			for n := 1; n <= 7; n++ { // 1 to 5 get 500 for ever
				s.commit(n)
				s.end(machine.Unreachable, s.launch()...)
			}
			if !s.gate.Open() {
				t.Fatal("five failures of five cases did not open the breaker")
			}
			probed := map[string]bool{}
			for range 3 * 7 {
				s.now = s.cursor.WakeAt()
				s.follow()
				for _, m := range s.launch() {
					if probed[m.Subject] = true; m.Subject == "case/6" {
						s.end(machine.Delivered, m)
						if s.gate.Open() {
							t.Error("an answer did not close the breaker")
						}
						return
					}
					s.end(machine.Unreachable, m)
				}
			}
			t.Errorf("only %d cases are probed; the good ones wait for ever", len(probed))
		})
	}
}

func TestParkedLanesLeaveRoomForNewMessages(t *testing.T) {
	s := newScript(t, endpoint.Policy{Concurrency: 4, Retries: []time.Duration{time.Second}}, machine.DefaultLimits)
	s.commit(1, 2, 3, 4)
	s.end(machine.Refused, s.launch()...)
	s.now = s.now.Add(time.Minute)
	s.commit(5, 6, 7, 8)
	retries := 0
	for _, m := range s.launch() {
		if m.Retry() {
			retries++
		}
	}
	if retries != 2 {
		t.Errorf("%d of 4 requests are retries while new messages wait, want 2", retries)
	}
}

func TestAHungMessageInAFullWindowIsParkedSoThatTheCursorMoves(t *testing.T) {
	s := newScript(t, endpoint.Policy{Concurrency: 2}, machine.Limits{Window: 4, Unsettled: 100, Parked: 100})
	s.more = 1
	s.commit(1)
	s.more = 0
	s.commit(2, 3, 4)
	sent := s.launch()
	hung := sent[0]
	for others := sent[1:]; len(others) > 0; others = s.launch() {
		s.end(machine.Delivered, others...)
	}
	if s.cursor.Position() != 0 || s.cursor.WantsMore() {
		t.Fatalf("position %d, wants more: %v; the window should be full behind the hung message", s.cursor.Position(),
			s.cursor.WantsMore())
	}
	s.launch()
	if s.cursor.State().Rows != 0 {
		t.Fatal("it was parked at once")
	}
	s.now = s.cursor.WakeAt()
	s.launch()
	if s.cursor.Position() != 4 || s.cursor.State().Rows != 1 || !s.cursor.WantsMore() {
		t.Fatalf("position %d with %d rows, want 4 with 1", s.cursor.Position(), s.cursor.State().Rows)
	}
	s.end(machine.Delivered, hung)
	out := s.collect()
	if len(out.Unpark) != 0 || len(out.Park) != 1 {
		t.Errorf("the lane must look in the journal before it goes on: %+v", out)
	}
	if next := s.launch(); len(next) != 1 || next[0].ID != "msg_1_1" {
		t.Errorf("after the hung message comes %v, want the other one of its entry", next)
	}
}

func TestTooManyParkedLanesStopTheCursor(t *testing.T) {
	s := newScript(t, endpoint.Policy{Concurrency: 8}, machine.Limits{Window: 100, Unsettled: 100, Parked: 3})
	s.commit(1, 2, 3)
	s.end(machine.Refused, s.launch()...)
	if s.cursor.State().Rows != 3 || s.cursor.WantsMore() {
		t.Errorf("with %d rows of 3 it wants more: %v", s.cursor.State().Rows, s.cursor.WantsMore())
	}
}

func TestAMessageThatCannotBeMadeIsDeadAtOnce(t *testing.T) {
	s := newScript(t, endpoint.Policy{}, machine.DefaultLimits)
	s.append("case/1", wire.Message{Trigger: wantedTrigger, ID: "msg_1", Err: fmt.Errorf("no snapshot")})
	out, ok := s.cursor.Collect(false)
	if !ok || len(out.Dead) != 1 || out.Dead[0].Reason == "" || out.Position != 1 {
		t.Errorf("settlement %+v, want the message dead with its reason, and the cursor past it", out)
	}
}

func TestAMessageThatCannotBeMadeIsGivenUpOnceHoweverOftenItsLaneIsLoaded(t *testing.T) {
	for name, parkedFirst := range map[string]bool{
		"read before its lane is parked": false, "found by its parked lane": true,
	} {
		t.Run(name, func(t *testing.T) {
			s := newScript(t, endpoint.Policy{Concurrency: 1, Retries: []time.Duration{1, 1, 1, 1, 1}},
				machine.DefaultLimits)
			s.commit(1)
			if parkedFirst {
				s.end(machine.Refused, s.launch()...)
			}
			s.append("case/1", wire.Message{Trigger: wantedTrigger, ID: "msg_bad", Err: fmt.Errorf("no snapshot")})
			s.commit(1)
			for range 3 {
				s.now = s.now.Add(time.Minute)
				s.end(machine.Refused, s.launch()...)
			}
			out := s.collect()
			if len(out.Dead) != 1 || out.Dead[0].Message != "msg_bad" {
				t.Errorf("given up: %+v, want msg_bad once", out.Dead)
			}
		})
	}
}

func TestAPositionThatPassedOnlyUnwantedEntriesWaitsForAFlush(t *testing.T) {
	s := newScript(t, endpoint.Policy{}, machine.DefaultLimits)
	s.cursor.Read(nil, 17)
	if _, ok := s.cursor.Collect(false); ok {
		t.Error("an idle endpoint writes at every commit of the others")
	}
	if out, ok := s.cursor.Collect(true); !ok || out.Position != 17 {
		t.Errorf("flushed %+v, %v; want position 17", out, ok)
	}
}

func TestSourcesAreDecidedWhenAMessageIsSent(t *testing.T) {
	read := func(e endpoint.Endpoint) *script {
		s := scriptOf(t, e, machine.DefaultLimits)
		for i, actor := range []event.Actor{{Source: event.API, TokenID: "tok_own"}, {Source: event.UI}} {
			seq := int64(i + 1)
			m := wire.Message{Trigger: wantedTrigger, ID: fmt.Sprintf("msg_%d", seq)}
			entry := entryOf(&event.Entry{Seq: seq, Subject: "case/1", Actor: actor}, m)
			s.cursor.Read([]*machine.Entry{entry}, seq)
		}
		return s
	}
	e := endpoint.Endpoint{Triggers: []string{wantedTrigger}, Token: "tok_own"}
	if read(e).launch()[0].ID != "msg_1" {
		t.Error("by default it does not get the activity of programs")
	}
	for name, change := range map[string]func(*endpoint.Endpoint){
		"people's only": func(e *endpoint.Endpoint) { e.Sources = []string{"ui"} },
		"not its own":   func(e *endpoint.Endpoint) { e.IgnoreOwn = true },
	} {
		changed := e
		change(&changed)
		s := read(changed)
		sent := s.launch()
		if len(sent) != 1 || sent[0].ID != "msg_2" {
			t.Errorf("%s: %d messages are sent", name, len(sent))
			continue
		}
		s.end(machine.Delivered, sent...)
		if s.cursor.Position() != 2 {
			t.Errorf("%s: what is not wanted holds the cursor at %d", name, s.cursor.Position())
		}
	}
}

// A message that our own machine could not send keeps its place: it uses up no retry, nothing is recorded, and the
// endpoint is not blamed. It is tried again after a moment.
func TestOurOwnFailuresBlameNoEndpoint(t *testing.T) {
	for _, order := range []endpoint.Order{endpoint.PerCase, endpoint.Strict, endpoint.None} {
		s := newScript(t, endpoint.Policy{Order: order, Concurrency: 8}, machine.DefaultLimits)
		s.commit(1, 2, 3, 4, 5, 6)
		for round := range 20 {
			sent := s.launch()
			if len(sent) == 0 || sent[0].Tries != 1 || sent[0].Failures() != 0 {
				t.Fatalf("%s, round %d: %d messages, %+v", order, round, len(sent), sent)
			}
			s.finish(machine.Outcome{Verdict: machine.NotAttempted, Lacking: true}, sent...)
			wait := s.cursor.WakeAt().Sub(s.now)
			if s.gate.Open() || s.gate.Health().Version != 0 || s.cursor.State().Outcomes != 0 || wait <= 0 ||
				wait > 10*time.Second {
				t.Fatalf("%s, round %d: open = %v, health %+v, %d attempts, the next in %v", order, round,
					s.gate.Open(), s.gate.Health(), s.cursor.State().Outcomes, wait)
			}
			if early := s.launch(); len(early) != 0 {
				t.Fatalf("%s: %d messages are sent without a rest", order, len(early))
			}
			s.now = s.now.Add(wait)
		}
		s.end(machine.Delivered, s.launch()...)
		s.commit(7)
		if len(s.launch()) == 0 {
			t.Errorf("%s: it rests on after an answer", order)
		}
	}
}
