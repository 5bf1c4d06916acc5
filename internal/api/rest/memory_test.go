package rest

import (
	"context"
	"errors"
	"strconv"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/casehook/casehook/internal/access"
	"github.com/casehook/casehook/internal/event"
	"github.com/casehook/casehook/internal/fault"
)

func as(token string) access.Principal {
	return access.Principal{Tenant: 1, Actor: event.Actor{TokenID: token}}
}

func TestLargeBodiesAtOnceAreLimitedForEachAndForAll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory()
		var ends []func()
		for i := range mostLarge {
			done, err := m.startLarge(t.Context(), as(strconv.Itoa(i/mostLargeClient)))
			if err != nil {
				t.Fatalf("body %d: %v", i, err)
			}
			ends = append(ends, done)
		}
		for _, client := range []string{"0", "modest"} {
			if _, err := m.startLarge(t.Context(), as(client)); fault.As(err).Code != "server.busy" {
				t.Errorf("one too many of %s: %v", client, err)
			}
		}
		for _, end := range ends {
			end()
		}
		if done, err := m.startLarge(t.Context(), as("modest")); err != nil {
			t.Error(err)
		} else {
			done()
		}
		if len(m.clients) != 0 {
			t.Errorf("%d clients are remembered", len(m.clients))
		}
	})
}

// A client that asks for much at once leaves memory to others, and waits, but not for ever.
func TestAnswersThatAreMadeAtOnceAreLimitedForEachAndForAll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory()
		var ends []func()
		for i := range mostMadeClient {
			done, err := m.startAnswer(t.Context(), as("greedy"), 1)
			if err != nil {
				t.Fatalf("answer %d: %v", i, err)
			}
			ends = append(ends, done)
		}
		begun := time.Now()
		_, err := m.startAnswer(t.Context(), as("greedy"), 1)
		if !errors.Is(err, fault.Unavailable) || fault.As(err).RetryAfter == 0 {
			t.Errorf("one too many of one token: %v", err)
		} else if waited := time.Since(begun); waited != longestQueue {
			t.Errorf("it waited for %v", waited)
		}
		done, err := m.startAnswer(t.Context(), as("modest"), 1)
		if err != nil {
			t.Fatalf("another waits for the greedy one: %v", err)
		}
		done()
		gone, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := m.startAnswer(gone, as("greedy"), 1); fault.As(err).Code != "request.cancelled" {
			t.Errorf("of a client that is gone: %v", err)
		}
		go ends[0]()
		if done, err = m.startAnswer(t.Context(), as("greedy"), 1); err != nil {
			t.Fatalf("after one has ended: %v", err)
		}
		done()
		for _, end := range ends[1:] {
			end()
		}
		if len(m.clients) != 0 {
			t.Errorf("%d clients are remembered", len(m.clients))
		}
	})
}

// enter lets an answer of a token in, and counts how often its connection is ended.
func enter(ctx context.Context, m *memory, token string, n int, forced bool) (*Exchange, *atomic.Int32, error) {
	x, cuts := &Exchange{Principal: as(token)}, &atomic.Int32{}
	err := m.reserve(ctx, x, n, forced)
	x.reservation.cut = func() { cuts.Add(1); go x.reservation.end() }
	return x, cuts, err
}

// Clients that do not read their answers make room for others after a while, those of
// the same token first.
func TestAnAnswerThatIsNotReadMakesRoom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory()
		other, others, err := enter(t.Context(), m, "other", mostReservedClient, false)
		if err != nil {
			t.Fatal(err)
		}
		defer other.reservation.end()
		_, cuts, err := enter(t.Context(), m, "slow", mostReservedClient, false)
		if err != nil {
			t.Fatal(err)
		}
		begun := time.Now()
		second, _, err := enter(t.Context(), m, "slow", mostReservedClient/2, false)
		if err != nil {
			t.Fatal(err)
		}
		type admission struct {
			Waited     time.Duration
			Own, Other int32 // answers that were cut off
		}
		got := admission{time.Since(begun), cuts.Load(), others.Load()}
		if diff := cmp.Diff(admission{shortestReservation, 1, 0}, got); diff != "" {
			t.Error(diff)
		}
		second.reservation.sent(mostReservedClient/2 - 1)
		if third, cuts, err := enter(t.Context(), m, "slow", mostReservedClient-1, false); err != nil ||
			cuts.Load() != 0 {
			t.Errorf("what was read makes no room: %v", err)
		} else {
			third.reservation.end()
		}
		second.reservation.end()
	})
}

// A change that was saved is always answered; a small answer reserves nothing.
func TestAnswersToChangesAndSmallOnesWaitForNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory()
		begun := time.Now()
		var all []*Exchange
		for range 10 {
			x, _, err := enter(t.Context(), m, "changes", mostReservedClient, true)
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, x)
		}
		if _, _, err := enter(t.Context(), m, "small", leastReserved-1, false); err != nil {
			t.Error(err)
		}
		if waited := time.Since(begun); waited != 0 || m.reserved != 10*mostReservedClient {
			t.Errorf("they waited for %v, and hold %d", waited, m.reserved)
		}
		for _, x := range all {
			x.reservation.end()
		}
		if m.reserved != 0 || len(m.reservedBy) != 0 || len(m.reservations) != 0 {
			t.Errorf("%d bytes are left, of %d clients and %d answers", m.reserved, len(m.reservedBy),
				len(m.reservations))
		}
	})
}
