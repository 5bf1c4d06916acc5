package machine_test

import (
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/casehook/casehook/internal/delivery/machine"
	"github.com/casehook/casehook/internal/endpoint"
)

// troop is the live cursor of an endpoint and its replays. Each has its own world; they share the gate, the journal and
// the time.
type troop struct {
	worlds   []*world // the live one first
	rotation *machine.Rotation
	replays  int // so far
}

func (tr *troop) live() *world { return tr.worlds[0] }

func (tr *troop) any(t *rapid.T) *world {
	return tr.worlds[rapid.IntRange(0, len(tr.worlds)-1).Draw(t, "cursor")]
}

func (tr *troop) rotate() {
	var replays []*machine.Cursor
	for _, w := range tr.worlds[1:] {
		replays = append(replays, w.cursor)
	}
	tr.rotation.SetReplays(replays)
}

// replay starts a replay of a range, of a case, or of named messages.
func (tr *troop) replay(t *rapid.T) {
	live := tr.live()
	if len(tr.worlds) > 3 || len(live.journal) == 0 {
		return
	}
	w := *live
	w.t, w.arrivals = t, nil
	w.received, w.mayAgain, w.gaveUp, w.hurried = map[string]int{}, map[string]bool{}, map[string]bool{},
		map[string]bool{}
	w.disk = newDisk()
	w.after = int64(rapid.IntRange(0, len(live.journal)).Draw(t, "after"))
	until := int64(rapid.IntRange(int(w.after), len(live.journal)).Draw(t, "until"))
	w.journal, w.disk.position = live.journal[:until:until], w.after
	w.bounds = &machine.Range{Until: until}
	switch rapid.IntRange(0, 2).Draw(t, "selection") {
	case 1:
		w.bounds.Subject = "case/1"
	case 2:
		w.bounds.Messages = []string{}
		for _, e := range w.journal {
			for _, body := range messagesOf(e) {
				if rapid.Bool().Draw(t, "named") {
					w.bounds.Messages = append(w.bounds.Messages, body.ID)
				}
			}
		}
	}
	w.restart()
	tr.worlds = append(tr.worlds, &w)
	tr.replays++
	tr.rotate()
}

// replaying counts the messages of replays that are under way.
func (tr *troop) replaying() (n int) {
	for _, w := range tr.worlds[1:] {
		n += w.cursor.State().UnderWay
	}
	return n
}

// step carries out one step of a cursor.
func (tr *troop) step(t *rapid.T) bool {
	for _, w := range tr.worlds {
		w.repair()
	}
	before := tr.replaying()
	c, s, ok := tr.rotation.Next(tr.live().now)
	if !ok {
		return false
	}
	if c != tr.live().cursor && before > 0 && before >= tr.live().gate.Policy().Concurrency-1 {
		t.Fatalf("replays leave no room for new messages: %d are under way", before)
	}
	for _, w := range tr.worlds {
		if w.cursor == c {
			w.perform(t, s)
		}
	}
	flying := 0
	for _, w := range tr.worlds {
		flying += len(w.flying)
	}
	if g := tr.live().gate.State(); flying != g.Sending || flying > 3 || g.Owed > tr.live().limits.Unsettled {
		t.Fatalf("%d under way, and the gate is %+v", flying, g)
	}
	return true
}

// crash loses all cursors, and the gate with them.
func (tr *troop) crash(t *rapid.T) {
	shared := gateOf(tr.live().endpoint(), tr.live().limits, 0, tr.live().now)
	for _, w := range tr.worlds {
		w.shared = shared
		w.crash(t)
	}
	tr.rotation = machine.NewRotation(tr.live().cursor)
	tr.rotate()
}

// flush makes everything durable in one transaction, and forgets what has ended.
func (tr *troop) flush(t *rapid.T) {
	running := tr.worlds[:1:1]
	for _, w := range tr.worlds {
		w.flush()
		switch {
		case w.ended:
			w.facts(t)
		case w != tr.live():
			running = append(running, w)
		}
	}
	tr.worlds = running
	tr.rotate()
}

// finish finishes all cursors.
func (tr *troop) finish(t *rapid.T) {
	for _, w := range tr.worlds {
		w.down = false
		for len(w.flying) > 0 {
			w.finish(t, machine.Delivered)
		}
		w.handOver()
	}
	tr.flush(t)
	for _, w := range tr.worlds {
		w.now = tr.live().now
		w.finishAll(t)
		tr.live().now = w.now
		if w != tr.live() && !w.ended {
			t.Fatalf("a replay does not report its end, at %d of %d", w.disk.position, w.bounds.Until)
		}
	}
	for _, w := range tr.worlds {
		w.complete(t)
	}
}

func checkReplays(t *testing.T, order endpoint.Order) {
	rapid.Check(t, func(t *rapid.T) {
		tr := &troop{worlds: []*world{newWorld(t, order)}}
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
			"deliver":     func(t *rapid.T) { tr.any(t).finish(t, machine.Delivered) },
			"refuse":      func(t *rapid.T) { tr.any(t).finish(t, machine.Refused) },
			"unreachable": func(t *rapid.T) { tr.any(t).finish(t, machine.Unreachable) },
			"give up":     func(t *rapid.T) { tr.any(t).finish(t, machine.NotAttempted) },
			"hand over":   func(t *rapid.T) { tr.any(t).handOver() },
			"retry":       func(t *rapid.T) { tr.any(t).requestRepair(t, false) },
			"drop":        func(t *rapid.T) { tr.any(t).requestRepair(t, true) },
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

// withReplay returns a rotation of the script's cursor, or another live one, and a replay of all present entries.
func (s *script) withReplay(live *machine.Cursor, cases ...int) (*machine.Rotation, *machine.Cursor) {
	s.commit(cases...)
	replay := machine.NewReplay(s.gate, machine.Range{Until: s.seq}, machine.CursorState{})
	replay.Read(s.journal, s.seq)
	r := machine.NewRotation(live)
	r.SetReplays([]*machine.Cursor{replay})
	return r, replay
}

// launched sends all messages that may be sent now, and counts them by cursor.
func (s *script) launched(r *machine.Rotation, replay *machine.Cursor) (live, replayed int) {
	s.t.Helper()
	for range 99 {
		c, step, ok := r.Next(s.now)
		switch {
		case !ok:
			return live, replayed
		case step.Send == nil:
			s.t.Fatal("it looks for a lane")
		case c == replay:
			replayed++
		default:
			live++
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
			s := newScript(t, endpoint.Policy{Concurrency: c.concurrency}, machine.DefaultLimits)
			rotation, replay := s.withReplay(s.cursor, all...)
			if live, replayed := s.launched(rotation, replay); live != c.live || replayed != c.replayed {
				t.Errorf("%d that are new and %d that are replayed are under way, want %d and %d", live, replayed,
					c.live, c.replayed)
			}
		})
	}
	s := newScript(t, endpoint.Policy{Concurrency: 8}, machine.DefaultLimits)
	rotation, replay := s.withReplay(machine.New(s.gate, machine.CursorState{}), all...)
	if live, replayed := s.launched(rotation, replay); live != 0 || replayed != 7 {
		t.Errorf("with nothing new %d are replayed, want 7 of 8", replayed)
	}
}

func TestWithOneAtATimeReplaysTakeTurns(t *testing.T) {
	s := newScript(t, endpoint.Policy{Concurrency: 1}, machine.DefaultLimits)
	rotation, replay := s.withReplay(s.cursor, 1, 2, 3, 4, 5, 6)
	var turns []bool
	for range 6 {
		c, step, ok := rotation.Next(s.now)
		if !ok {
			t.Fatal("nothing is sent")
		}
		turns = append(turns, c == replay)
		c.Done(step.Send, machine.Outcome{Verdict: machine.Delivered}, s.now)
		s.gate.Durable(1)
	}
	for i := 1; i < len(turns); i++ {
		if turns[i] == turns[i-1] {
			t.Fatalf("they do not take turns: %v", turns)
		}
	}
}

func TestACancelledReplaySendsNothingMore(t *testing.T) {
	s := newScript(t, endpoint.Policy{Concurrency: 2}, machine.DefaultLimits)
	rotation, replay := s.withReplay(machine.New(s.gate, machine.CursorState{}), 1, 2, 3)
	_, step, _ := rotation.Next(s.now)
	replay.Stop()
	if _, _, ok := rotation.Next(s.now); ok || replay.WantsMore() || !replay.WakeAt().IsZero() || replay.Stopped() {
		t.Error("it goes on")
	}
	replay.Done(step.Send, machine.Outcome{Verdict: machine.Delivered}, s.now)
	if out, _ := replay.Collect(true); out.Outcomes != 1 || out.Ended || !replay.Stopped() {
		t.Errorf("the messages under way are settled as %+v", out)
	}
}
