package delivery

import (
	"testing"
	"testing/synctest"
	"time"
)

func TestLeasesAreGoodFromBeforeTheyWereAskedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := &validity{started: time.Now()}
		if v.now() {
			t.Error("leases are valid before there are any")
		}
		asked := time.Now()
		time.Sleep(2 * time.Second) // the database was slow
		v.extend(asked, 9*time.Second)
		if time.Sleep(7*time.Second - 1); !v.now() {
			t.Error("they end too soon")
		}
		if time.Sleep(1); v.now() {
			t.Error("they are valid for too long")
		}
	})
}

func TestTicksAreTheSameForAll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		all := ticks{started: time.Now(), every: 10 * time.Second}
		for _, step := range []struct {
			wait  time.Duration
			count int64
			next  time.Duration
		}{
			{0, 0, 10 * time.Second}, {3 * time.Second, 0, 7 * time.Second}, {7 * time.Second, 1, 10 * time.Second},
			{25 * time.Second, 3, 5 * time.Second},
		} {
			time.Sleep(step.wait)
			if now := time.Now(); all.count(now) != step.count || all.next(now) != step.next {
				t.Errorf("after %v more: %d ticks, the next in %v; want %+v", step.wait, all.count(now),
					all.next(now), step)
			}
		}
	})
}
