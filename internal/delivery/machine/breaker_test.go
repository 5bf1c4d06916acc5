package machine_test

import (
	"testing"
	"time"

	"github.com/casehook/casehook/internal/delivery/machine"
	"github.com/casehook/casehook/internal/endpoint"
)

// failing tries one message until the breaker opens, or the message is given up.
func (s *script) failing(connected bool) (tries int) {
	s.commit(1)
	for tries = 0; tries < 20; tries++ {
		sent := s.launch()
		if s.cut(connected, sent...); s.gate.Open() || len(sent) == 0 {
			return tries
		}
		s.now = s.cursor.WakeAt()
	}
	return tries
}

func TestFailuresToConnectOpenTheBreakerWhateverTheCases(t *testing.T) {
	for _, order := range []endpoint.Order{endpoint.Strict, endpoint.PerCase, endpoint.None} {
		s := newScript(t, endpoint.Policy{Order: order}, machine.DefaultLimits)
		if s.failing(false); !s.gate.Open() {
			t.Errorf("%s: with one case it never opens", order)
		}
		var failures int
		for range 20 { // longer than the schedule would last
			s.now = s.cursor.WakeAt()
			probes := s.launch()
			if len(probes) != 1 {
				t.Fatalf("%s: %d probes", order, len(probes))
			}
			failures = probes[0].Failures()
			s.cut(false, probes...)
		}
		if failures >= 5 || len(s.cursor.State().Dead) > 0 {
			t.Errorf("%s: an outage used up %d retries, %d messages are dead", order, failures,
				len(s.cursor.State().Dead))
		}
		s.now = s.cursor.WakeAt()
		s.end(machine.Delivered, s.launch()...)
		if s.gate.Open() {
			t.Errorf("%s: an answer does not close it", order)
		}
	}
}

// A message that finds no receiver arrives within ten seconds of the end of the outage, whatever its schedule says. A
// short outage is not reported.
func TestAQuietEndpointHearsSoonAfterAnOutage(t *testing.T) {
	for _, order := range []endpoint.Order{endpoint.Strict, endpoint.PerCase, endpoint.None} {
		s := newScript(t, endpoint.Policy{Order: order, Retries: []time.Duration{time.Hour, time.Hour}},
			machine.DefaultLimits)
		s.commit(1)
		for failures := 1; failures <= 50; failures++ {
			sent := s.launch()
			if len(sent) != 1 {
				t.Fatalf("%s: %d messages are sent", order, len(sent))
			}
			s.cut(false, sent...)
			if wait := s.cursor.WakeAt().Sub(s.now); wait > 10*time.Second {
				t.Fatalf("%s: after %d failures the next try is in %v", order, failures, wait)
			}
			if reported := s.gate.Health().Reported; reported != (failures >= 5) {
				t.Errorf("%s: after %d failures, reported = %v", order, failures, reported)
			}
			s.now = s.cursor.WakeAt()
		}
		s.end(machine.Delivered, s.launch()...)
		if len(s.cursor.State().Dead) > 0 || s.gate.Health().Reported {
			t.Errorf("%s: %d messages are dead, reported = %v", order, len(s.cursor.State().Dead),
				s.gate.Health().Reported)
		}
	}
}

// An answer after failures of several cases brings the failed messages forward: the endpoint was away. It does so once;
// otherwise messages that are to blame themselves would use up their retries.
func TestAnAnswerBringsForwardWhatFailedBeforeIt(t *testing.T) {
	for _, order := range []endpoint.Order{endpoint.PerCase, endpoint.None} {
		s := newScript(t,
			endpoint.Policy{Order: order, Concurrency: 8, Retries: []time.Duration{time.Hour, time.Hour, time.Hour}},
			machine.DefaultLimits)
		s.commit(1, 2)
		s.cut(true, s.launch()...)
		s.commit(3)
		s.end(machine.Delivered, s.launch()...)
		again := s.launch()
		if len(again) != 2 {
			t.Fatalf("%s: %d messages are tried again, want 2", order, len(again))
		}
		s.cut(true, again...)
		s.commit(4)
		s.end(machine.Delivered, s.launch()...)
		if again := s.launch(); len(again) > 0 {
			t.Errorf("%s: %d messages are brought forward again and again", order, len(again))
		}
		s.now = s.now.Add(2 * time.Hour)
		s.end(machine.Delivered, s.launch()...)
		if len(s.cursor.State().Dead) > 0 {
			t.Errorf("%s: %d messages are dead", order, len(s.cursor.State().Dead))
		}
	}
}

func TestOneCaseWithoutAnswersDoesNotOpenTheBreaker(t *testing.T) {
	s := newScript(t, endpoint.Policy{Order: endpoint.Strict}, machine.DefaultLimits)
	if s.failing(true); s.gate.Open() || len(s.cursor.State().Dead) != 1 {
		t.Errorf("open = %v, %d dead; the message may be to blame", s.gate.Open(), len(s.cursor.State().Dead))
	}
}

func TestAConnectionEndsABreakerThatWantedOne(t *testing.T) {
	s := newScript(t, endpoint.Policy{Order: endpoint.Strict}, machine.DefaultLimits)
	s.failing(false)
	s.now = s.cursor.WakeAt()
	s.cut(true, s.launch()...) // it is back, and answers 500 to this message
	if s.gate.Open() {
		t.Fatal("one message can hold the breaker open for ever")
	}
	for range 20 {
		s.now = s.cursor.WakeAt()
		s.cut(true, s.launch()...)
		if len(s.cursor.State().Dead) > 0 {
			return
		}
	}
	t.Error("the message is never given up")
}

func TestAConnectionAloneDoesNotEndAnOutageOfManyCases(t *testing.T) {
	s := newScript(t, endpoint.Policy{Concurrency: 8}, machine.DefaultLimits)
	s.commit(1, 2, 3, 4, 5, 6)
	s.cut(false, s.launch()...)
	s.now = s.cursor.WakeAt()
	s.cut(true, s.launch()...)
	if !s.gate.Open() || s.cursor.WakeAt().Sub(s.now) != 2*time.Second {
		t.Errorf("open = %v, the next probe in %v; a proxy that answers 503 is no recovery", s.gate.Open(),
			s.cursor.WakeAt().Sub(s.now))
	}
}

// However long an outage was, the receiver gets a message within ten seconds of its end.
func TestProbesAreNeverMoreThanTenSecondsApart(t *testing.T) {
	for _, jitter := range []float64{0, 0.5, 1} {
		s := newScript(t, endpoint.Policy{}, machine.DefaultLimits)
		s.gate = machine.NewGate(machine.GateConfig{
			Endpoint: endpoint.Endpoint{Triggers: []string{wantedTrigger}},
			Limits:   machine.DefaultLimits,
			Jitter:   func() float64 { return jitter },
			Now:      s.now,
		})
		s.cursor = machine.New(s.gate, machine.CursorState{})
		s.commit(1)
		for range 100 {
			s.cut(false, s.launch()...)
			if wait := s.wait(); wait > 10*time.Second {
				t.Fatalf("the next probe is in %v", wait)
			}
		}
		if !s.gate.Open() {
			t.Error("the breaker is not open")
		}
	}
}
