package delivery

import (
	"testing"
	"time"

	"github.com/casehook/casehook/internal/access"
	"github.com/casehook/casehook/internal/endpoint"
	"github.com/casehook/casehook/internal/store"
)

func TestWhatAShutdownBrokeOffCountsAsNoTry(t *testing.T) {
	for _, order := range []endpoint.Order{endpoint.PerCase, endpoint.Strict, endpoint.None} {
		s := newScript(t, endpoint.Policy{Order: order, Concurrency: 1, Retries: []time.Duration{time.Second, time.Second}}, defaultLimits)
		s.commit(1)
		for range 3 {
			m := s.launch()[0]
			if m.tries != 1 || m.failures != 0 || s.owed != 1 {
				t.Fatalf("%s: try %d after %d failures, %d owed; want the first again", order, m.tries, m.failures, s.owed)
			}
			s.end(notAttempted, m)
			if s.owed != 0 || len(s.out.attempts) != 0 {
				t.Fatalf("%s: %d are owed, %d attempts to be recorded", order, s.owed, len(s.out.attempts))
			}
		}
		s.end(refused, s.launch()...)
		s.take(true)
		for range 3 {
			s.now = s.now.Add(time.Minute)
			m := s.launch()[0]
			if m.tries != 2 || m.failures != 1 {
				t.Fatalf("%s: try %d after %d failures; want the second", order, m.tries, m.failures)
			}
			s.end(notAttempted, m)
			out, ok := s.take(true)
			if !ok || len(out.Park) != 1 || out.Park[0].Tries != 1 || out.Park[0].Failures != 1 {
				t.Fatalf("%s: saved is %+v; want one try and one failure", order, out.Park)
			}
		}
	}
}

func TestAProbeThatAShutdownBrokeOffIsMadeAgain(t *testing.T) {
	s := newScript(t, endpoint.Policy{Concurrency: 8}, defaultLimits)
	s.commit(1, 2, 3, 4, 5, 6)
	s.end(unreachable, s.launch()...)
	if !s.breaker.open {
		t.Fatal("the breaker is not open")
	}
	s.now = s.wakeAt()
	for range 3 {
		probes := s.launch()
		if len(probes) != 1 || !probes[0].probe {
			t.Fatalf("%d probes, want one at a time", len(probes))
		}
		if !s.wakeAt().IsZero() || len(s.launch()) != 0 {
			t.Fatal("another probe is made while one is under way")
		}
		s.end(notAttempted, probes...)
		if s.wakeAt().After(s.now) {
			t.Fatal("a probe that was not made delays the next one")
		}
	}
	s.end(delivered, s.launch()...)
	if s.breaker.open {
		t.Error("an answer did not close the breaker")
	}
}

func TestALaneThatWasParkedAboveThePositionWakesWithItsHead(t *testing.T) {
	for _, order := range []endpoint.Order{endpoint.PerCase, endpoint.Strict, endpoint.None} {
		before := newScript(t, endpoint.Policy{Order: order}, defaultLimits)
		before.commit(2, 3, 1, 4)
		head := before.journal[2].views[0].bodies[0].ID
		parked := store.Parked{Lane: map[endpoint.Order]string{endpoint.PerCase: "case/1", endpoint.Strict: "", endpoint.None: head}[order],
			Seq: 3, Message: head, Tries: 1, Failures: 1, Due: before.now, Reason: "because"}
		e := endpoint.Endpoint{Triggers: []string{wantedTrigger}, Policy: endpoint.Policy{Order: order}}
		m := newMachine(newGate(e, access.Reader{}, defaultLimits, func() float64 { return 0.5 }), store.Cursor{ID: "cur"}, []store.Parked{parked}, nil)
		for seq := int64(1); seq <= 4; seq++ {
			m.read(before.journal[seq-1:seq], seq)
			if woken := len(m.waiting) == 1 && len(m.dormant) == 0; woken != (seq >= 3) {
				t.Errorf("%s: with the journal read to %d of 3, woken is %v", order, seq, woken)
			}
		}
	}
}
