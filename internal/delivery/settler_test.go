package delivery

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/casehook/casehook/internal/store"
)

// positions returns the positions of a batch, by cursor.
func positions(batch map[*cursor]*settlement) map[string]int64 {
	all := map[string]int64{}
	for c, p := range batch {
		all[c.id] = p.row.Position
	}
	return all
}

func TestPositionsAloneAreGathered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSettler(nil, nil)
		w := &worker{}
		idle, busy := &cursor{worker: w, id: "idle"}, &cursor{worker: w, id: "busy"}
		gathered := func(what string, all bool, want map[string]int64) map[*cursor]*settlement {
			t.Helper()
			batch, _ := s.gathered(all)
			if diff := cmp.Diff(want, positions(batch)); diff != "" {
				t.Errorf("%s (-want +got):\n%s", what, diff)
			}
			return batch
		}
		filled := func(want bool) {
			t.Helper()
			select {
			case <-s.filled:
				if !want {
					t.Error("there is something to write")
				}
			default:
				if want {
					t.Error("it is not written")
				}
			}
		}
		s.put(idle, store.Settlement{Position: 5})
		filled(false)
		s.put(busy, store.Settlement{Position: 7})
		s.put(busy, store.Settlement{Position: 6, Attempts: []store.Attempt{{}}})
		filled(true)
		gathered("with an outcome", false, map[string]int64{"busy": 6})
		time.Sleep(gather - 1)
		filled(false)
		time.Sleep(1)
		synctest.Wait()
		filled(true)
		gathered("once they are ripe", false, map[string]int64{"idle": 5, "busy": 7})
		s.put(idle, store.Settlement{Position: 9})
		gathered("at the end", true, map[string]int64{"idle": 9})
		s.put(idle, store.Settlement{Position: 10, Repaired: []store.RepairRequest{{Message: "msg_1"}}})
		if batch := gathered("what was repaired", false,
			map[string]int64{"idle": 10}); len(batch[idle].row.Repaired) != 1 {
			t.Errorf("repaired is %v", batch[idle].row.Repaired)
		}
	})
}

// Batches that can't be saved for long make the engine unready.
func TestASettlerThatWaitsForLongIsStuck(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSettler(nil, nil)
		s.started = time.Now()
		if s.stuck() {
			t.Error("it is stuck with nothing to do")
		}
		time.Sleep(time.Second)
		s.writing.Store(int64(time.Since(s.started)))
		if time.Sleep(slowSettle); s.stuck() {
			t.Error("it is stuck too soon")
		}
		if time.Sleep(1); !s.stuck() {
			t.Error("it is not stuck")
		}
	})
}
