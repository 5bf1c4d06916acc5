package machine_test

import (
	"math"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/casehook/casehook/internal/delivery/machine"
	"github.com/casehook/casehook/internal/endpoint"
)

func TestALimitedEndpointGetsABurstAndThenItsRate(t *testing.T) {
	for _, c := range []struct {
		limit float64
		burst int
		every time.Duration
	}{{0.5, 1, 2 * time.Second}, {1, 1, time.Second}, {4, 4, 250 * time.Millisecond}} {
		s := newScript(t, endpoint.Policy{Concurrency: 64, RateLimit: c.limit}, machine.DefaultLimits)
		for n := range 30 {
			s.commit(n)
		}
		sent := s.launch()
		if len(sent) != c.burst {
			t.Fatalf("%v per second: %d are sent at once, want %d", c.limit, len(sent), c.burst)
		}
		for range 5 {
			wait := s.cursor.WakeAt().Sub(s.now)
			if wait < c.every || wait > c.every+time.Millisecond {
				t.Fatalf("%v per second: the next is sent after %v, want %v", c.limit, wait, c.every)
			}
			s.now = s.cursor.WakeAt()
			more := s.launch()
			if len(more) != 1 {
				t.Fatalf("%v per second: then %d are sent, want one", c.limit, len(more))
			}
			sent = append(sent, more...)
		}
		s.end(machine.Delivered, sent...)
		if len(s.launch()) > 0 {
			t.Errorf("%v per second: answers give no right to more", c.limit)
		}
	}
}

func TestRetriesAndProbesAreLimitedToo(t *testing.T) {
	s := newScript(t, endpoint.Policy{Concurrency: 8, RateLimit: 0.1, Retries: []time.Duration{time.Second}},
		machine.DefaultLimits)
	s.commit(1)
	begun := s.now
	s.end(machine.Refused, s.launch()...)
	if s.now = s.cursor.WakeAt(); s.now.Sub(begun) < 10*time.Second {
		t.Errorf("the retry is sent after %v, and the limit is one in 10 s", s.now.Sub(begun))
	}
	if len(s.launch()) != 1 {
		t.Error("the retry does not come when it may")
	}
}

func TestAChangeGivesNoRightToAnotherBurst(t *testing.T) {
	s := newScript(t, endpoint.Policy{Concurrency: 8, RateLimit: 2}, machine.DefaultLimits)
	s.commit(1, 2, 3)
	s.launch()
	next := newScript(t, endpoint.Policy{Concurrency: 8, RateLimit: 4}, machine.DefaultLimits)
	next.gate.Inherit(s.gate, false, s.now)
	next.commit(1, 2, 3)
	if sent := next.launch(); len(sent) > 0 {
		t.Fatalf("%d are sent at once", len(sent))
	}
	if wait := next.cursor.WakeAt().Sub(next.now); wait < 250*time.Millisecond || wait > 251*time.Millisecond {
		t.Errorf("the next is sent after %v, not by the new limit", wait)
	}
}

// paced checks that no period between two requests had more of them than the burst and the rate allow.
func paced(t *rapid.T, limit float64, sent []time.Time) {
	if limit == 0 || len(sent) == 0 {
		return
	}
	last := sent[len(sent)-1]
	for i, first := range sent {
		allowed := max(1, math.Floor(limit)) + limit*last.Sub(first).Seconds()
		if n := len(sent) - i; float64(n) > math.Floor(allowed+1e-6) {
			t.Fatalf("%d requests in %v, and %v per second are allowed", n, last.Sub(first), limit)
		}
	}
}

func TestNoLimitIsEverExceeded(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		limit := rapid.Float64Range(endpoint.MinRateLimit, endpoint.MaxRateLimit).Draw(r, "limit")
		policy := endpoint.Policy{Concurrency: endpoint.MaxConcurrency, Order: endpoint.None, RateLimit: limit}
		s := newScript(t, policy, machine.DefaultLimits)
		var sent []time.Time
		for range rapid.IntRange(1, 60).Draw(r, "steps") {
			s.commit(make([]int, rapid.IntRange(1, 10).Draw(r, "messages"))...)
			if rapid.Bool().Draw(r, "sleeps") {
				s.now = s.now.Add(time.Duration(rapid.Int64Range(0, int64(10*time.Second)).Draw(r, "time")))
			} else {
				s.wait()
			}
			for messages := s.launch(); len(messages) > 0; messages = s.launch() {
				for range messages {
					sent = append(sent, s.now)
					paced(r, limit, sent)
				}
				s.end(machine.Delivered, messages...)
				s.settle()
			}
			if wake := s.cursor.WakeAt(); s.cursor.State().Lanes > 0 && !wake.After(s.now) {
				r.Fatalf("messages wait, and it wakes at %v", wake)
			}
		}
	})
}
