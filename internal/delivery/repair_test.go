package delivery_test

import (
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/casehook/casehook/internal/endpoint"
	"github.com/casehook/casehook/internal/id"
	"github.com/casehook/casehook/internal/store"
	"github.com/casehook/casehook/internal/store/storetest"
)

// again starts a replay of the entries above a position, of all messages or of the named ones.
func (b *bench) again(e endpoint.Endpoint, r store.Replay, named ...store.Place) store.Replay {
	b.Helper()
	r.ID, r.Tenant, r.Endpoint, r.Messages, r.CreatedAt = id.New("rpl"), b.tenant, e.ID, int64(len(named)), time.Now()
	b.update(func(tx *store.Tx) error {
		if err := tx.CatchUp(b.Context()); err != nil {
			return err
		}
		head, err := tx.Head(b.Context())
		if err != nil {
			return err
		}
		if r.Until == 0 {
			r.Until = head
		}
		return tx.CreateReplay(b.Context(), r, named)
	})
	return r
}

func (b *bench) replayed(r store.Replay) store.Replay {
	b.Helper()
	got, err := b.store.Replay(b.Context(), b.tenant, r.Endpoint, r.ID)
	if err != nil {
		b.Fatal(err)
	}
	return got
}

func (b *bench) done(r store.Replay) store.Replay {
	b.Helper()
	b.eventually("the replay is done", func() bool { return b.replayed(r).State == store.ReplayDone })
	return b.replayed(r)
}

func TestAReplayGoesOnWhereARestartInterruptsItAndKeepsOrder(t *testing.T) {
	const cases, versions = 20, 50
	onBothEngines(t, func(b *bench) {
		var replaying, stalled atomic.Bool
		hold := make(chan struct{})
		reached, once := make(chan struct{}), sync.Once{}
		var n atomic.Int64
		r := b.receiver(func(arrival) int {
			if replaying.Load() && n.Add(1) == 400 {
				once.Do(func() { close(reached) })
			}
			if stalled.Load() {
				<-hold
			}
			return 200
		})
		e := b.listen(r.url, endpoint.Policy{})
		for version := int64(1); version <= versions; version++ {
			b.update(func(tx *store.Tx) error {
				for c := int64(1); c <= cases; c++ {
					if _, err := tx.Append(b.Context(), b.commented(c, version)); err != nil {
						return err
					}
				}
				return nil
			})
		}
		ids := map[string]bool{}
		for range cases * versions {
			ids[b.next(r).id] = true
		}
		b.served(e)
		live, _ := b.saved(e)
		replaying.Store(true)
		replay := b.again(e, store.Replay{Kind: store.ReplayRange})
		<-reached
		b.stop()
		if got := b.replayed(replay); got.State != store.ReplayRunning || got.Position == 0 ||
			got.Position >= got.Until || got.Delivered < 300 {
			b.Fatalf("interrupted, it is %+v", got)
		}
		close(hold)
		b.start()
		last, repeated := map[int64]int64{}, 0
		for len(last) < cases || last[1] < versions {
			a := b.next(r)
			if !ids[a.id] {
				b.Fatalf("message %s is new", a.id)
			}
			switch {
			case a.version <= last[a.caseID]:
				repeated++
			case a.version != last[a.caseID]+1:
				b.Fatalf("case %d: version %d after %d", a.caseID, a.version, last[a.caseID])
			default:
				last[a.caseID] = a.version
			}
			if complete(last, cases, versions) {
				break
			}
		}
		if got := b.done(replay); got.Delivered < cases*versions || got.Dead != 0 || got.Position != got.Until ||
			got.EndedAt.IsZero() {
			b.Errorf("done, it is %+v", got)
		}
		if repeated > 8 {
			b.Errorf("%d messages were repeated, and 8 were under way", repeated)
		}
		if now, _ := b.saved(e); now != live {
			b.Errorf("the replay moved the live cursor from %+v to %+v", live, now)
		}
	})
}

func TestAReplayRequestedDuringAReadStartsOnce(t *testing.T) {
	const messages = 40
	for name, options := range map[string]store.Options{
		"sqlite":   {Path: storetest.SQLite(t, filepath.Join(t.TempDir(), "casehook.db"), databaseKey)},
		"postgres": {URL: storetest.Postgres(t, databaseKey)},
	} {
		t.Run(name, func(t *testing.T) {
			var reads atomic.Int64
			var slow atomic.Bool
			reading, readTwice := make(chan struct{}), make(chan struct{})
			options.Fail = func(what string, done bool) error {
				if done || !slow.Load() || !strings.Contains(what, "from parked where tenant") {
					return nil
				}
				switch reads.Add(1) {
				case 1:
					close(reading)
					select { // no second read runs beside it; one would start the replay twice
					case <-readTwice:
					case <-time.After(500 * time.Millisecond):
					}
				case 2:
					close(readTwice)
				}
				return nil
			}
			b := newBench(t, options)
			var told atomic.Int64
			r := b.serve(func(arrival, http.ResponseWriter) { told.Add(1) })
			e := b.listen(r.URL, endpoint.Policy{Concurrency: 2})
			for version := int64(1); version <= messages; version++ {
				b.comment(1, version)
			}
			b.served(e)
			slow.Store(true)
			first := b.again(e, store.Replay{Kind: store.ReplayRange})
			<-reading
			second := b.again(e, store.Replay{Kind: store.ReplayRange})
			for _, replay := range []store.Replay{first, second} {
				if got := b.done(replay); got.Delivered != messages || got.Dead != 0 {
					b.Errorf("done, it is %+v", got)
				}
			}
			if n := told.Load(); n != 3*messages {
				b.Errorf("%d messages arrived, want %d by the live cursor and each replay", n, messages)
			}
		})
	}
}

func complete(last map[int64]int64, cases, versions int64) bool {
	for c := int64(1); c <= cases; c++ {
		if last[c] < versions {
			return false
		}
	}
	return true
}

func TestAMessageIsResentWithTheSameIDWhateverBecameOfIt(t *testing.T) {
	onBothEngines(t, func(b *bench) {
		var refuse atomic.Bool
		refuse.Store(true)
		r := b.receiver(func(a arrival) int {
			if refuse.Load() && a.caseID > 1 {
				return 400
			}
			return 200
		})
		dies := b.listen(r.url, endpoint.Policy{Retries: []time.Duration{}})
		waits := b.listen(r.url, endpoint.Policy{Retries: every(time.Hour, 3)})
		var told [3]string // delivered, dead and parked
		b.comment(1, 1)
		told[0] = b.next(r).id
		b.next(r)
		b.comment(2, 1)
		told[1] = b.next(r).id
		b.next(r)
		told[2] = told[1]
		b.eventually("all is recorded", func() bool { return b.tries(dies) == 2 && b.tries(waits) == 2 })
		refuse.Store(false)
		for i, e := range []endpoint.Endpoint{dies, dies, waits} {
			m, err := b.store.SentMessage(b.Context(), b.tenant, e.ID, told[i])
			if err != nil {
				b.Fatal(err)
			}
			replay := b.again(e, store.Replay{Kind: store.ReplayResend, After: m.Seq - 1, Until: m.Seq}, m.Place)
			if a := b.next(r); a.id != told[i] {
				b.Errorf("resent as %s, want %s", a.id, told[i])
			}
			if got := b.done(replay); got.Delivered != 1 {
				b.Errorf("the replay is %+v", got)
			}
		}
		dead, err := b.store.DeadMessages(b.Context(), b.tenant, dies.ID, 9)
		if err != nil || len(dead) > 0 {
			b.Errorf("the resent message is still dead: %+v, %v", dead, err)
		}
		if _, parked := b.saved(waits); len(parked) != 1 {
			b.Errorf("a resent message moved its lane: %+v", parked)
		}
	})
}

func TestAReplayHoldsUpNothingThatIsNew(t *testing.T) {
	onBothEngines(t, func(b *bench) {
		var old atomic.Int64 // replayed messages under way, at most
		gate := make(chan struct{}, 1000)
		var replaying atomic.Bool
		r := b.receiver(func(a arrival) int {
			if replaying.Load() && a.caseID < 1000 {
				old.Add(1)
				b.progress.Made()
				<-gate
				old.Add(-1)
			}
			return 200
		})
		e := b.listen(r.url, endpoint.Policy{Concurrency: 4})
		for c := int64(1); c <= 60; c++ {
			b.comment(c, 1)
		}
		for range 60 {
			b.next(r)
		}
		b.served(e)
		replaying.Store(true)
		replay := b.again(e, store.Replay{Kind: store.ReplayRange})
		b.eventually("the replay is at it", func() bool { return old.Load() == 3 })
		for c := int64(1000); c < 1020; c++ { // new messages are sent while the replay waits
			b.comment(c, 1)
			if a := b.next(r); a.caseID != c {
				b.Fatalf("case %d arrived, want %d", a.caseID, c)
			}
		}
		close(gate)
		for range 60 {
			b.next(r)
		}
		b.done(replay)
		b.served(e)
	})
}

func TestACancelledReplayEndsAndAPausedOneWaits(t *testing.T) {
	onBothEngines(t, func(b *bench) {
		var replaying atomic.Bool
		entered, leave := make(chan struct{}, 1000), make(chan struct{})
		r := b.receiver(func(a arrival) int {
			if replaying.Load() {
				entered <- struct{}{}
				<-leave
			}
			return 200
		})
		e := b.listen(r.url, endpoint.Policy{Concurrency: 1})
		for c := int64(1); c <= 50; c++ {
			b.comment(c, 1)
			b.next(r)
		}
		b.served(e)
		replaying.Store(true)
		replay := b.again(e, store.Replay{Kind: store.ReplayRange})
		<-entered
		b.update(func(tx *store.Tx) error {
			return tx.CancelReplay(b.Context(), b.tenant, e.ID, replay.ID, time.Now())
		})
		b.eventually("the replay begins no more requests", b.stopped.Load)
		close(leave)
		b.next(r)
		b.eventually("the request under way is recorded", func() bool { return b.tries(e) == 51 })
		if got := b.replayed(replay); got.State != store.ReplayCancelled {
			b.Errorf("it is %+v", got)
		}
		if n := len(entered); n > 0 {
			b.Errorf("it sent %d more", n)
		}
		replaying.Store(false)
		e.Status = endpoint.Paused
		b.update(func(tx *store.Tx) (err error) { e, err = tx.UpdateEndpoint(b.Context(), e); return err })
		waits := b.again(e, store.Replay{Kind: store.ReplayRange, Until: 2})
		e.Status = endpoint.Active
		b.update(func(tx *store.Tx) (err error) { e, err = tx.UpdateEndpoint(b.Context(), e); return err })
		for want := int64(1); want <= 2; want++ {
			if a := b.next(r); a.caseID != want {
				b.Errorf("case %d arrives, want %d", a.caseID, want)
			}
		}
		b.done(waits)
	})
}

func TestAnotherNodeIsNotifiedOfAReplay(t *testing.T) {
	one, two := twoNodes(t)
	r := one.receiver(ok)
	e := one.listen(r.url, endpoint.Policy{})
	two.start()
	t.Cleanup(func() { two.stop() })
	two.comment(1, 1)
	one.next(r)
	two.served(e)
	replay := one.again(e, store.Replay{Kind: store.ReplayRange}) // requested at the node without the lease
	if a := one.next(r); a.caseID != 1 {
		t.Errorf("case %d arrived", a.caseID)
	}
	one.done(replay)
}

func (b *bench) retryDead(e endpoint.Endpoint, messages []string) (r store.Replay) {
	b.Helper()
	b.update(func(tx *store.Tx) (err error) {
		r, err = tx.RetryDead(b.Context(),
			store.Replay{
				ID: id.New("rpl"), Tenant: b.tenant, Endpoint: e.ID, Kind: store.ReplayRetry, CreatedAt: time.Now(),
			}, messages)
		return err
	})
	return r
}

func (b *bench) deadIn(e endpoint.Endpoint, state store.DeadState) []store.DeadMessage {
	b.Helper()
	all, err := b.store.Dead(b.Context(), b.tenant, store.DeadFilter{Endpoint: e.ID, State: state, Limit: 100})
	if err != nil {
		b.Fatal(err)
	}
	return all
}

func (b *bench) askParked(e endpoint.Endpoint, messages []string, drop bool) {
	b.Helper()
	b.update(func(tx *store.Tx) error {
		_, err := tx.RequestRepairs(b.Context(), b.tenant, e.ID, messages, drop)
		return err
	})
}

func TestDeadMessagesAreTriedAgainInOrder(t *testing.T) {
	onBothEngines(t, func(b *bench) {
		var refuse atomic.Bool
		refuse.Store(true)
		r := b.receiver(func(a arrival) int {
			if refuse.Load() || a.caseID == 3 {
				return 400
			}
			return 200
		})
		e := b.listen(r.url, endpoint.Policy{Retries: []time.Duration{}})
		for version := int64(1); version <= 3; version++ {
			for c := int64(1); c <= 3; c++ {
				b.comment(c, version)
				b.next(r)
			}
		}
		b.served(e)
		if n := len(b.deadIn(e, store.Given)); n != 9 {
			b.Fatalf("%d are dead, want 9", n)
		}
		refuse.Store(false)
		replay := b.retryDead(e, nil)
		last := map[int64]int64{}
		for range 9 {
			a := b.next(r)
			if a.version != last[a.caseID]+1 || a.attempt != 1 {
				b.Errorf("case %d: version %d after %d", a.caseID, a.version, last[a.caseID])
			}
			last[a.caseID] = a.version
		}
		if got := b.done(replay); got.Delivered != 6 || got.Dead != 3 {
			b.Errorf("the replay is %+v", got)
		}
		dead := b.deadIn(e, store.Given)
		if len(dead) != 3 || len(b.deadIn(e, store.DeliveredAfterAll)) != 6 || len(b.deadIn(e, store.Retrying)) != 0 {
			b.Fatalf("dead are %+v", dead)
		}
		b.update(func(tx *store.Tx) error {
			_, err := tx.DropDead(b.Context(), b.tenant, e.ID, []string{dead[0].Message})
			return err
		})
		if left, dropped := b.deadIn(e, store.Given), b.deadIn(e, store.Dropped); len(left) != 2 || len(dropped) != 1 ||
			dropped[0].Message != dead[0].Message {
			b.Errorf("dropped are %+v", dropped)
		}
	})
}

func TestParkedMessagesAreTriedAtOnceOrDropped(t *testing.T) {
	for _, order := range []endpoint.Order{endpoint.PerCase, endpoint.Strict, endpoint.None} {
		t.Run(string(order), func(t *testing.T) {
			onBothEngines(t, func(b *bench) { b.hurryAndDrop(b, order) })
		})
	}
}

// hurryAndDrop requests repairs through one store, and an engine on another carries them out.
func (b *bench) hurryAndDrop(asks *bench, order endpoint.Order) {
	b.Helper()
	var refuse atomic.Bool
	refuse.Store(true)
	r := b.receiver(func(a arrival) int {
		if refuse.Load() && a.version == 1 {
			return 400
		}
		return 200
	})
	e := b.listen(r.url, endpoint.Policy{Retries: every(time.Hour, 3), Order: order})
	b.comment(1, 1)
	first := b.next(r).id
	b.eventually("it is parked", func() bool { _, parked := b.saved(e); return len(parked) == 1 })
	b.comment(1, 2)
	if order == endpoint.None {
		b.next(r)
	}
	asks.askParked(e, []string{first}, false)
	if a := b.next(r); a.id != first || a.attempt != 2 {
		b.Errorf("tried again is %+v", a)
	}
	b.eventually("it is parked again",
		func() bool { _, parked := b.saved(e); return len(parked) == 1 && parked[0].Tries == 2 })
	asks.askParked(e, nil, true)
	if order != endpoint.None {
		if a := b.next(r); a.version != 2 {
			b.Errorf("behind the dropped message comes %+v", a)
		}
	}
	b.served(e)
	ignore := cmpopts.IgnoreFields(store.DeadMessage{}, "Seq", "Part", "At")
	want := []store.DeadMessage{{
		Place:   store.Place{Message: first},
		Subject: "case/1",
		Trigger: "case_comment",
		Reason:  "400 Bad Request",
		State:   store.Dropped,
	}}
	if diff := gocmp.Diff(want, b.deadIn(e, store.Dropped), ignore); diff != "" {
		b.Errorf("dropped are (-want +got):\n%s", diff)
	}
	wishes, err := b.store.RepairRequests(b.Context(), b.tenant, e.ID)
	if err != nil || len(wishes) > 0 {
		b.Errorf("the requests are still there: %v, %v", wishes, err)
	}
}

func TestParkedMessagesAreDroppedOnTheOtherNode(t *testing.T) {
	one, two := twoNodes(t)
	two.start()
	t.Cleanup(func() { two.stop() })
	two.hurryAndDrop(one, endpoint.PerCase)
}
