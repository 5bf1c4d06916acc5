package delivery

import (
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/casehook/casehook/internal/access"
	"github.com/casehook/casehook/internal/endpoint"
	"github.com/casehook/casehook/internal/store"
)

// troop is the live cursor of an endpoint and its replays, each with its own world
// around it, but for the gate, the journal and the time.
type troop struct {
	worlds  []*world // the live one first
	crew    *crew
	replays int // that there have been
}

func (tr *troop) live() *world { return tr.worlds[0] }

func (tr *troop) any(t *rapid.T) *world {
	return tr.worlds[rapid.IntRange(0, len(tr.worlds)-1).Draw(t, "cursor")]
}

func (tr *troop) muster() {
	tr.crew.live, tr.crew.replays = tr.live().m, nil
	for _, w := range tr.worlds[1:] {
		tr.crew.replays = append(tr.crew.replays, w.m)
	}
}

// replay begins a replay of a range, of a case, or of named messages.
func (tr *troop) replay(t *rapid.T) {
	live := tr.live()
	if len(tr.worlds) > 3 || len(live.journal) == 0 {
		return
	}
	w := *live
	w.t, w.flying, w.pool, w.sent, w.done, w.arrivals = t, nil, nil, nil, 0, nil
	w.received, w.mayAgain, w.gaveUp, w.hurried = map[string]int{}, map[string]bool{}, map[string]bool{}, map[string]bool{}
	w.disk = newDisk()
	w.after = int64(rapid.IntRange(0, len(live.journal)).Draw(t, "after"))
	until := int64(rapid.IntRange(int(w.after), len(live.journal)).Draw(t, "until"))
	w.journal, w.disk.position = live.journal[:until:until], w.after
	w.scope = scope{bounded: true, until: until}
	switch rapid.IntRange(0, 2).Draw(t, "selection") {
	case 1:
		w.scope.subject = "case/1"
	case 2:
		w.scope.messages = map[string]bool{}
		for _, e := range w.journal {
			for _, body := range e.views[0].bodies {
				if rapid.Bool().Draw(t, "named") {
					w.scope.messages[body.ID] = true
				}
			}
		}
	}
	w.restart()
	tr.worlds = append(tr.worlds, &w)
	tr.replays++
	tr.muster()
}

// step does one thing that the crew wants done.
func (tr *troop) step(t *rapid.T) bool {
	for _, w := range tr.worlds {
		w.grant()
	}
	before := tr.crew.replaying()
	m, s, ok := tr.crew.next(tr.live().now)
	if !ok {
		return false
	}
	if m != tr.live().m && before > 0 && before >= m.policy.Concurrency-1 {
		t.Fatalf("replays leave no room for what is new: %d are under way", before)
	}
	for _, w := range tr.worlds {
		if w.m == m {
			w.perform(t, s)
		}
	}
	flying := 0
	for _, w := range tr.worlds {
		flying += len(w.flying)
	}
	if flying != m.sending || flying > 3 || m.owed > m.unsettled {
		t.Fatalf("%d under way, %d counted, %d owed", flying, m.sending, m.owed)
	}
	return true
}

// crash loses all machines, and the gate with them.
func (tr *troop) crash(t *rapid.T) {
	tr.newGate()
	for _, w := range tr.worlds {
		w.crash(t)
	}
	tr.muster()
}

func (tr *troop) newGate() {
	before := tr.live().m.gate
	e := endpoint.Endpoint{Policy: before.policy}
	g := newGate(e, access.Reader{}, tr.live().limits, func() float64 { return 0.5 })
	g.audience = before.audience
	for _, w := range tr.worlds {
		w.gate = g
	}
}

// flush makes everything durable in one transaction, and forgets what has ended.
func (tr *troop) flush(t *rapid.T) {
	running := tr.worlds[:1:1]
	for _, w := range tr.worlds {
		w.flush()
		switch {
		case w.ended:
			w.told(t)
		case w != tr.live():
			running = append(running, w)
		}
	}
	tr.worlds = running
	tr.muster()
}

// finish brings all to their ends.
func (tr *troop) finish(t *rapid.T) {
	for _, w := range tr.worlds {
		w.down = false
		for len(w.flying) > 0 {
			w.finish(t, delivered)
		}
		w.handOver()
	}
	tr.flush(t)
	for _, w := range tr.worlds {
		w.now = tr.live().now
		w.finishAll(t)
		tr.live().now = w.now
		if w != tr.live() && !w.ended {
			t.Fatalf("a replay does not say that it has ended, at %d of %d", w.disk.position, w.scope.until)
		}
	}
	for _, w := range tr.worlds {
		w.complete(t)
	}
}

func checkReplays(t *testing.T, order endpoint.Order) {
	rapid.Check(t, func(t *rapid.T) {
		tr := &troop{worlds: []*world{newWorld(t, order)}, crew: &crew{}}
		tr.crash(t)
		t.Repeat(map[string]func(*rapid.T){
			"commit": func(t *rapid.T) { tr.live().commit(t) },
			"replay": tr.replay,
			"read":   func(t *rapid.T) { tr.any(t).read(t) },
			"step":   func(t *rapid.T) { tr.step(t) },
			"all": func(t *rapid.T) {
				for _, w := range tr.worlds {
					w.readTo(w.canRead())
				}
				for tr.step(t) {
				}
			},
			"deliver":     func(t *rapid.T) { tr.any(t).finish(t, delivered) },
			"refuse":      func(t *rapid.T) { tr.any(t).finish(t, refused) },
			"unreachable": func(t *rapid.T) { tr.any(t).finish(t, unreachable) },
			"give up":     func(t *rapid.T) { tr.any(t).finish(t, notAttempted) },
			"hand over":   func(t *rapid.T) { tr.any(t).handOver() },
			"retry":       func(t *rapid.T) { tr.any(t).wish(t, false) },
			"drop":        func(t *rapid.T) { tr.any(t).wish(t, true) },
			"flush":       tr.flush,
			"crash":       tr.crash,
			"wait": func(t *rapid.T) {
				now := tr.live().now.Add(time.Duration(rapid.IntRange(1, 5000).Draw(t, "milliseconds")) * time.Millisecond)
				for _, w := range tr.worlds {
					w.now = now
				}
			},
		})
		tr.finish(t)
	})
}

func TestReplaysLoseNothingAndKeepOrderPerCase(t *testing.T)  { checkReplays(t, endpoint.PerCase) }
func TestReplaysLoseNothingAndKeepOrderStrictly(t *testing.T) { checkReplays(t, endpoint.Strict) }
func TestReplaysLoseNothingWithoutOrder(t *testing.T)         { checkReplays(t, endpoint.None) }

// crewed is a script with a replay of all that was committed so far.
func (s *script) crewed(cases ...int) (*crew, *machine) {
	s.commit(cases...)
	replay := newMachine(s.gate, store.Cursor{ID: "rpl"}, nil, nil)
	replay.scope = scope{bounded: true, until: s.seq}
	replay.read(s.journal, s.seq)
	return &crew{live: s.machine, replays: []*machine{replay}}, replay
}

// began takes all that a crew may send now, and counts by machine.
func (s *script) began(c *crew, n int) (live, replayed int) {
	s.Helper()
	for range n {
		m, st, ok := c.next(s.now)
		switch {
		case !ok:
			return live, replayed
		case st.send == nil:
			s.Fatal("it looks for a lane")
		case m == c.live:
			live++
		default:
			replayed++
		}
	}
	return live, replayed
}

func TestReplaysLeaveRoomForWhatIsNew(t *testing.T) {
	all := make([]int, 20)
	for i := range all {
		all[i] = i
	}
	for _, c := range []struct{ concurrency, live, replayed int }{{8, 4, 4}, {5, 3, 2}, {2, 1, 1}} {
		t.Run(fmt.Sprint(c.concurrency), func(t *testing.T) {
			s := newScript(t, endpoint.Policy{Concurrency: c.concurrency}, defaultLimits)
			crew, _ := s.crewed(all...)
			if live, replayed := s.began(crew, 99); live != c.live || replayed != c.replayed {
				t.Errorf("%d that are new and %d that are replayed are under way, want %d and %d", live, replayed, c.live, c.replayed)
			}
		})
	}
	s := newScript(t, endpoint.Policy{Concurrency: 8}, defaultLimits)
	crew, _ := s.crewed(all...)
	idle := newScript(t, endpoint.Policy{}, defaultLimits)
	idle.gate = s.gate
	crew.live = idle.machine
	if live, replayed := s.began(crew, 99); live != 0 || replayed != 7 {
		t.Errorf("with nothing new %d are replayed, want 7 of 8", replayed)
	}
}

func TestWithOneAtATimeReplaysTakeTurns(t *testing.T) {
	s := newScript(t, endpoint.Policy{Concurrency: 1}, defaultLimits)
	crew, _ := s.crewed(1, 2, 3, 4, 5, 6)
	var turns []bool
	for range 6 {
		m, st, ok := crew.next(s.now)
		if !ok {
			t.Fatal("nothing is begun")
		}
		turns = append(turns, m == crew.live)
		m.done(st.send, outcome{verdict: delivered}, s.now)
		s.gate.durable(1)
	}
	for i := 1; i < len(turns); i++ {
		if turns[i] == turns[i-1] {
			t.Fatalf("they do not take turns: %v", turns)
		}
	}
}

func TestACancelledReplayBeginsNothingMore(t *testing.T) {
	s := newScript(t, endpoint.Policy{Concurrency: 2}, defaultLimits)
	crew, replay := s.crewed(1, 2, 3)
	crew.live = newScript(t, endpoint.Policy{}, defaultLimits).machine
	crew.live.gate = s.gate
	_, st, _ := crew.next(s.now)
	replay.stopped = true
	if _, _, ok := crew.next(s.now); ok || replay.wantsMore() || !replay.wakeAt().IsZero() {
		t.Error("it goes on")
	}
	replay.done(st.send, outcome{verdict: delivered}, s.now)
	if out, _ := replay.take(true); len(out.Attempts) != 1 || out.Ended {
		t.Errorf("what was under way is settled as %+v", out)
	}
}
