package machine_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/casehook/casehook/internal/delivery/machine"
	"github.com/casehook/casehook/internal/endpoint"
)

func TestARequestEndedByAShutdownCountsNoTry(t *testing.T) {
	for _, order := range []endpoint.Order{endpoint.PerCase, endpoint.Strict, endpoint.None} {
		s := newScript(t,
			endpoint.Policy{Order: order, Concurrency: 1, Retries: []time.Duration{time.Second, time.Second}},
			machine.DefaultLimits)
		s.commit(1)
		for range 3 {
			m := s.launch()[0]
			type sent struct{ Tries, Failures, Owed int }
			if diff := cmp.Diff(sent{1, 0, 1}, sent{m.Tries, m.Failures(), s.gate.State().Owed}); diff != "" {
				t.Fatalf("%s: the first is sent again (-want +got):\n%s", order, diff)
			}
			s.end(machine.NotAttempted, m)
			if s.gate.State().Owed != 0 || s.cursor.State().Outcomes != 0 {
				t.Fatalf("%s: %d are owed, %d attempts to be recorded", order, s.gate.State().Owed,
					s.cursor.State().Outcomes)
			}
		}
		s.end(machine.Refused, s.launch()...)
		s.collect()
		for range 3 {
			s.now = s.now.Add(time.Minute)
			m := s.launch()[0]
			if m.Tries != 2 || m.Failures() != 1 {
				t.Fatalf("%s: try %d after %d failures; want the second", order, m.Tries, m.Failures())
			}
			s.end(machine.NotAttempted, m)
			out := s.collect()
			if len(out.Park) != 1 || out.Park[0].Tries != 1 || out.Park[0].Failures != 1 {
				t.Fatalf("%s: saved is %+v; want one try and one failure", order, out.Park)
			}
		}
	}
}

func TestAProbeThatAShutdownBrokeOffIsMadeAgain(t *testing.T) {
	s := newScript(t, endpoint.Policy{Concurrency: 8}, machine.DefaultLimits)
	s.commit(1, 2, 3, 4, 5, 6)
	s.end(machine.Unreachable, s.launch()...)
	if !s.gate.Open() {
		t.Fatal("the breaker is not open")
	}
	s.now = s.cursor.WakeAt()
	for range 3 {
		probes := s.launch()
		if len(probes) != 1 || !probes[0].Probe() {
			t.Fatalf("%d probes, want one at a time", len(probes))
		}
		if !s.cursor.WakeAt().IsZero() || len(s.launch()) != 0 {
			t.Fatal("another probe is made while one is under way")
		}
		s.end(machine.NotAttempted, probes...)
		if s.cursor.WakeAt().After(s.now) {
			t.Fatal("a probe that was not made delays the next one")
		}
	}
	s.end(machine.Delivered, s.launch()...)
	if s.gate.Open() {
		t.Error("an answer did not close the breaker")
	}
}

func TestALaneThatWasParkedAboveThePositionWakesWithItsHead(t *testing.T) {
	for _, order := range []endpoint.Order{endpoint.PerCase, endpoint.Strict, endpoint.None} {
		before := newScript(t, endpoint.Policy{Order: order}, machine.DefaultLimits)
		before.commit(2, 3, 1, 4)
		head := messagesOf(before.journal[2])[0].ID
		parked := machine.ParkedMessage{
			Lane: map[endpoint.Order]string{
				endpoint.PerCase: "case/1", endpoint.Strict: "", endpoint.None: head,
			}[order],
			Seq:      3,
			Message:  head,
			Tries:    1,
			Failures: 1,
			Due:      before.now,
			Reason:   "because",
		}
		c := machine.New(before.gate, machine.CursorState{Parked: []machine.ParkedMessage{parked}})
		for seq := int64(1); seq <= 4; seq++ {
			c.Read(before.journal[seq-1:seq], seq)
			if woken := c.State().Waiting == 1 && c.State().Dormant == 0; woken != (seq >= 3) {
				t.Errorf("%s: with the journal read to %d of 3, woken is %v", order, seq, woken)
			}
		}
	}
}
