package machine_test

import (
	"testing"
	"time"

	"github.com/casehook/casehook/internal/delivery/machine"
	"github.com/casehook/casehook/internal/endpoint"
)

func TestARetryComesOnScheduleOrWhenItIsAskedForIfThatIsLater(t *testing.T) {
	schedule := []time.Duration{10 * time.Second, time.Hour}
	for name, c := range map[string]struct {
		asked, first, second time.Duration
	}{
		"not asked":               {0, 10 * time.Second, time.Hour},
		"sooner than scheduled":   {time.Second, 10 * time.Second, time.Hour},
		"later than scheduled":    {time.Minute, time.Minute, time.Hour},
		"later than the next too": {2 * time.Hour, 2 * time.Hour, 2 * time.Hour},
		"at most a day later":     {400 * time.Hour, 24 * time.Hour, 24 * time.Hour},
	} {
		t.Run(name, func(t *testing.T) {
			s := newScript(t, endpoint.Policy{Retries: schedule}, machine.DefaultLimits)
			s.commit(1)
			for _, want := range []time.Duration{c.first, c.second} {
				failed := s.now
				s.throttle(503, c.asked, s.launch()...)
				if s.now = s.cursor.WakeAt(); s.now.Sub(failed) != want {
					t.Fatalf("it is tried again after %v, want %v", s.now.Sub(failed), want)
				}
			}
			s.throttle(503, c.asked, s.launch()...)
			if len(s.cursor.State().Dead) != 1 {
				t.Error("a Retry-After gives a message more tries than the schedule has")
			}
		})
	}
}

func TestAnswers503HoldBackTheirOwnMessageAlone(t *testing.T) {
	s := newScript(t, endpoint.Policy{Concurrency: 1}, machine.DefaultLimits)
	s.commit(1, 2)
	s.throttle(503, time.Hour, s.launch()...)
	if sent := s.launch(); len(sent) != 1 || sent[0].Subject != "case/2" {
		t.Errorf("%d messages follow, want the other case's", len(sent))
	}
}

func TestAnAnswer429HoldsTheWholeEndpointBackAndOneProbeEndsIt(t *testing.T) {
	s := newScript(t, endpoint.Policy{Concurrency: 4}, machine.DefaultLimits)
	s.commit(1, 2, 3, 4, 5, 6, 7, 8, 9)
	first := s.launch()
	s.throttle(429, time.Minute, first[0])
	s.end(machine.Delivered, first[1:]...) // they were sent before
	if sent := s.launch(); len(sent) > 0 {
		t.Fatalf("%d messages are sent although the endpoint asked for a minute", len(sent))
	}
	if wait := s.cursor.WakeAt().Sub(s.now); wait != time.Minute {
		t.Fatalf("it goes on after %v, want a minute", wait)
	}
	s.now = s.cursor.WakeAt()
	probe := s.launch()
	if len(probe) != 1 {
		t.Fatalf("%d requests find out whether it is over, want one", len(probe))
	}
	s.throttle(429, 400*time.Hour, probe...)
	if wait := s.cursor.WakeAt().Sub(s.now); wait != time.Hour {
		t.Fatalf("asked for 400 hours it waits %v, want the bound of one", wait)
	}
	s.now = s.cursor.WakeAt()
	probe = s.launch()
	if len(probe) != 1 {
		t.Fatalf("%d requests find out whether it is over, want one", len(probe))
	}
	s.end(machine.Delivered, probe...)
	if sent := s.launch(); len(sent) != 4 {
		t.Errorf("%d messages are sent after the answer, want 4", len(sent))
	}
}

func TestAnAnswer429WithoutATimeHoldsNothingBack(t *testing.T) {
	s := newScript(t, endpoint.Policy{Concurrency: 1}, machine.DefaultLimits)
	s.commit(1, 2)
	s.throttle(429, 0, s.launch()...)
	if sent := s.launch(); len(sent) != 1 {
		t.Error("the endpoint named no time, and is held back")
	}
}

func TestAProbeOfTheBreakerWaitsForWhatTheEndpointAskedFor(t *testing.T) {
	s := newScript(t, endpoint.Policy{Concurrency: 8}, machine.DefaultLimits)
	s.commit(1, 2, 3, 4, 5)
	s.throttle(503, 10*time.Minute, s.launch()...)
	if wait := s.cursor.WakeAt().Sub(s.now); !s.gate.Open() || wait != 10*time.Minute {
		t.Fatalf("open = %v, the first probe is in %v; want 10 minutes", s.gate.Open(), wait)
	}
	s.now = s.cursor.WakeAt()
	s.throttle(503, 400*time.Hour, s.launch()...)
	if wait := s.cursor.WakeAt().Sub(s.now); wait != time.Hour {
		t.Errorf("the next probe is in %v, want the bound of an hour", wait)
	}
}

func TestAChangedEndpointIsStillHeldBackUnlessItMoved(t *testing.T) {
	for _, moved := range []bool{false, true} {
		s := newScript(t, endpoint.Policy{}, machine.DefaultLimits)
		s.commit(1)
		s.throttle(429, time.Minute, s.launch()...)
		next := newScript(t, endpoint.Policy{}, machine.DefaultLimits)
		next.gate.Inherit(s.gate, moved, s.now)
		next.commit(1)
		if sent := next.launch(); (len(sent) == 1) != moved {
			t.Errorf("moved: %v; %d messages are sent", moved, len(sent))
		}
	}
}
