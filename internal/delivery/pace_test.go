package delivery

import (
	"math"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/casehook/casehook/internal/endpoint"
)

func TestALimitedEndpointGetsABurstAndThenItsRate(t *testing.T) {
	for _, c := range []struct {
		limit float64
		burst int
		every time.Duration
	}{{0.5, 1, 2 * time.Second}, {1, 1, time.Second}, {4, 4, 250 * time.Millisecond}} {
		s := newScript(t, endpoint.Policy{Concurrency: 64, RateLimit: c.limit}, defaultLimits)
		for n := range 30 {
			s.commit(n)
		}
		sent := s.launch()
		if len(sent) != c.burst {
			t.Fatalf("%v per second: %d are sent at once, want %d", c.limit, len(sent), c.burst)
		}
		for range 5 {
			wait := s.wakeAt().Sub(s.now)
			if wait < c.every || wait > c.every+time.Millisecond {
				t.Fatalf("%v per second: the next is sent after %v, want %v", c.limit, wait, c.every)
			}
			s.now = s.wakeAt()
			more := s.launch()
			if len(more) != 1 {
				t.Fatalf("%v per second: then %d are sent, want one", c.limit, len(more))
			}
			sent = append(sent, more...)
		}
		s.end(delivered, sent...)
		if len(s.launch()) > 0 {
			t.Errorf("%v per second: answers give no right to more", c.limit)
		}
	}
}

func TestRetriesAndProbesAreLimitedToo(t *testing.T) {
	s := newScript(t, endpoint.Policy{Concurrency: 8, RateLimit: 0.1, Retries: []time.Duration{time.Second}}, defaultLimits)
	s.commit(1)
	begun := s.now
	s.end(refused, s.launch()...)
	if s.now = s.wakeAt(); s.now.Sub(begun) < 10*time.Second {
		t.Errorf("the retry is sent after %v, and the limit is one in 10 s", s.now.Sub(begun))
	}
	if len(s.launch()) != 1 {
		t.Error("the retry does not come when it may")
	}
}

func TestAChangeGivesNoRightToAnotherBurst(t *testing.T) {
	s := newScript(t, endpoint.Policy{Concurrency: 8, RateLimit: 2}, defaultLimits)
	s.commit(1, 2, 3)
	s.launch()
	next := newScript(t, endpoint.Policy{Concurrency: 8, RateLimit: 4}, defaultLimits)
	next.inherit(s.gate, true, s.now)
	next.commit(1, 2, 3)
	if sent := next.launch(); len(sent) > 0 {
		t.Fatalf("%d are sent at once", len(sent))
	}
	if wait := next.wakeAt().Sub(next.now); wait < 250*time.Millisecond || wait > 251*time.Millisecond {
		t.Errorf("the next is sent after %v, want what the new limit says", wait)
	}
}

// paced checks that no stretch of time between two requests saw more of them than
// the burst and the rate allow.
func paced(t *rapid.T, limit float64, sent []time.Time) {
	if limit == 0 || len(sent) == 0 {
		return
	}
	last := sent[len(sent)-1]
	for i, first := range sent {
		allowed := float64(burst(limit)) + limit*last.Sub(first).Seconds()
		if n := len(sent) - i; float64(n) > math.Floor(allowed+1e-6) {
			t.Fatalf("%d requests in %v, and %v per second are allowed", n, last.Sub(first), limit)
		}
	}
}

func TestNoLimitIsEverExceeded(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		limit := rapid.Float64Range(endpoint.MinRateLimit, endpoint.MaxRateLimit).Draw(t, "limit")
		p, now := newPace(limit), time.Unix(1_800_000_000, 0)
		var sent []time.Time
		for range rapid.IntRange(1, 60).Draw(t, "steps") {
			switch rapid.IntRange(0, 2).Draw(t, "step") {
			case 0:
				now = now.Add(time.Duration(rapid.Int64Range(0, int64(10*time.Second)).Draw(t, "time")))
			case 1:
				if !p.may(now) {
					if p.next.Before(now) {
						t.Fatal("it may not, and would not be woken")
					}
					if now = p.next; !p.may(now) {
						t.Fatalf("it may not when it said: %v more", p.next.Sub(now))
					}
				}
				fallthrough
			default:
				if p.may(now) {
					p.took(now)
					sent = append(sent, now)
					paced(t, limit, sent)
				}
			}
		}
	})
}
