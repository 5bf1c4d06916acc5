package bench

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

func TestAPaceWithARateIsDueAtFixedTimesHoweverLongTheRequestsTake(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begun := time.Now()
		var mu sync.Mutex
		late := map[time.Duration]time.Duration{} // how late it began, by when it was due
		p := pace{Clients: 1, Rate: 10, Duration: time.Second}
		took, err := p.run(t.Context(), func(_ context.Context, _ int, due time.Time) error {
			mu.Lock()
			late[due.Sub(begun)] = time.Since(due)
			mu.Unlock()
			if due.Equal(begun) {
				time.Sleep(350 * time.Millisecond) // the first one delays those behind it
			}
			return nil
		})
		if err != nil || len(late) != 10 || took != 900*time.Millisecond {
			t.Fatalf("%d were due within %s: %v", len(late), took, err)
		}
		for due, want := range map[time.Duration]time.Duration{
			100 * time.Millisecond: 250 * time.Millisecond, 300 * time.Millisecond: 50 * time.Millisecond,
			400 * time.Millisecond: 0, 900 * time.Millisecond: 0,
		} {
			if got, there := late[due]; !there || got != want {
				t.Errorf("what was due at %s began %s late (%v), want %s", due, got, there, want)
			}
		}
	})
}

func TestAPaceEndsWithItsCountOrItsTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, test := range []struct {
			pace pace
			want int64
			took time.Duration
		}{
			{pace{Clients: 4, Count: 10}, 10, 3 * time.Second},
			{pace{Clients: 4, Duration: 2500 * time.Millisecond}, 12, 3 * time.Second},
			{pace{Clients: 4, Count: 5, Duration: time.Hour}, 5, 2 * time.Second},
		} {
			var done atomic.Int64
			took, err := test.pace.run(t.Context(), func(context.Context, int, time.Time) error {
				time.Sleep(time.Second)
				done.Add(1)
				return nil
			})
			if err != nil || done.Load() != test.want || took != test.took {
				t.Errorf("%+v: %d in %s (%v), want %d in %s", test.pace, done.Load(), took, err, test.want, test.took)
			}
		}
	})
}

func TestAPaceEndsAtTheFirstError(t *testing.T) {
	broken := errors.New("broken")
	_, err := pace{Clients: 8, Duration: time.Hour}.run(t.Context(), func(ctx context.Context, client int, _ time.Time) error {
		if client == 3 {
			return broken
		}
		<-ctx.Done()
		return ctx.Err()
	})
	if !errors.Is(err, broken) {
		t.Errorf("it ends with %v", err)
	}
	for _, endless := range []pace{{}, {Clients: 1}, {Count: 1}} {
		if _, err := endless.run(t.Context(), nil); !errors.Is(err, errEndless) {
			t.Errorf("%+v: %v", endless, err)
		}
	}
}
