package delivery

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/casehook/casehook/internal/access"
	"github.com/casehook/casehook/internal/endpoint"
	"github.com/casehook/casehook/internal/event"
	"github.com/casehook/casehook/internal/store"
	"github.com/casehook/casehook/internal/wire"
)

// world is a machine with the world around it: a journal, a disk that keeps only
// what was settled, and a receiver that remembers what it saw. A crash loses the
// machine and the pool; the receiver may or may not have seen what was under way.
type world struct {
	t       *rapid.T
	order   endpoint.Order
	orders  []endpoint.Order // that it had so far
	limits  limits
	now     time.Time
	journal []*tailEntry
	m       *machine

	flying []*message
	pool   []store.Settlement
	sent   []int // outcomes of each settlement in the pool
	done   int   // outcomes not yet taken

	disk     disk
	worth    bool           // a message that is not about endpoints failed since the last answer
	received map[string]int // by message id
	arrivals []store.Place  // first arrivals, in their order
	subject  map[string]string
	mayAgain map[string]bool // lost in a crash before they were settled
	gaveUp   map[string]bool // given up, be it that a crash forgot it: out of the order
	down     bool            // the receiver is away
	sources  []string        // that the endpoint hears of
	ignore   bool            // what its own token caused
	filters  bool            // by filtering

	limit   float64              // requests per second; 0: none
	paces   []time.Time          // requests since the start
	asked   map[string]time.Time // when a message may be sent again, by the endpoint's own word
	held    time.Time            // until when it wants no message at all; zero: it does
	gate    *gate                // that it shares with others; nil: it has its own
	after   int64                // a replay begins above it
	scope   scope                // of a replay
	ended   bool                 // the replay's end is saved
	hurried map[string]bool      // somebody wanted them to be tried at once
	early   map[string]bool      // they failed while the endpoint was away: one try may come before it is due
}

// disk is what is saved.
type disk struct {
	position int64
	parked   map[string]store.Parked
	settled  map[string]store.Place
	dead     map[string]bool
	health   endpoint.Health
	disabled bool
	told     []string        // facts about the endpoint
	wishes   map[string]bool // what is asked of parked messages: to drop them, or to try them at once
}

func newDisk() disk {
	return disk{parked: map[string]store.Parked{}, settled: map[string]store.Place{}, dead: map[string]bool{}, wishes: map[string]bool{}}
}

const wantedTrigger, otherTrigger, ownToken, self = "wanted", "other", "tok_own", "ep_self"

// actors are who commits.
var actors = []event.Actor{{Source: event.UI, UserID: 7}, {Source: event.API, TokenID: ownToken}, {Source: event.API, TokenID: "tok_other"}, {Source: event.System}}

// wanted is the model's opinion of what the endpoint is told.
func (w *world) wanted(e *tailEntry, body *wire.Message) bool {
	heard := map[event.Source]bool{
		event.UI:     !slices.Equal(w.sources, []string{"api"}),
		event.API:    !slices.Equal(w.sources, []string{"ui"}) && !(w.ignore && e.Actor.TokenID == ownToken),
		event.System: true,
	}
	return body.Trigger == wantedTrigger && heard[e.Actor.Source] && e.Subject != event.EndpointSubject(self) && (!w.filters || e.Version != filteredOut) && e.Seq > w.after && w.scope.has(e, body)
}

// A filter that lets some messages through, keeps some out, and can't be computed
// for others, by their entry's version.
const (
	filtering               = `message.sequence == 2 ? 1 / (message.sequence - 2) == 1 : message.sequence != 1`
	filteredOut, unfiltered = 1, 2
)

// unsendable reports whether no body, or no verdict of the filter, can be made.
func (w *world) unsendable(e *tailEntry, body *wire.Message) bool {
	return body.Err != nil || w.filters && e.Version == unfiltered
}

func newWorld(t *rapid.T, order endpoint.Order) *world {
	w := &world{
		t: t, order: order, orders: []endpoint.Order{order}, now: time.Unix(1_800_000_000, 0),
		limits:   limits{window: rapid.IntRange(2, 12).Draw(t, "window"), unsettled: rapid.IntRange(1, 10).Draw(t, "unsettled"), parked: rapid.IntRange(1, 6).Draw(t, "parked")},
		received: map[string]int{}, subject: map[string]string{}, mayAgain: map[string]bool{}, gaveUp: map[string]bool{}, hurried: map[string]bool{}, early: map[string]bool{},
	}
	w.disk = newDisk()
	w.sources = rapid.SampledFrom([][]string{nil, {"api"}, {"ui"}}).Draw(t, "sources")
	w.ignore = rapid.Bool().Draw(t, "ignores its own")
	w.filters = rapid.Bool().Draw(t, "filters")
	w.limit = rapid.SampledFrom([]float64{0, 0, 0.5, 3}).Draw(t, "limit")
	w.restart()
	return w
}

func (w *world) restart() {
	var parked []store.Parked
	for _, p := range w.disk.parked {
		parked = append(parked, p)
	}
	slices.SortFunc(parked, func(a, b store.Parked) int { return cmp.Or(cmp.Compare(a.Seq, b.Seq), cmp.Compare(a.Lane, b.Lane)) })
	var settled []store.Place
	for _, p := range w.disk.settled {
		if p.Seq > w.disk.position {
			settled = append(settled, p)
		}
	}
	e := endpoint.Endpoint{ID: self, Health: w.disk.health, Triggers: []string{wantedTrigger}, Sources: w.sources, IgnoreOwn: w.ignore, Token: ownToken, Policy: endpoint.Policy{
		Retries: []time.Duration{time.Second, 4 * time.Second}, Timeout: 5 * time.Second, Concurrency: 3, Order: w.order, RateLimit: w.limit,
	}}
	if w.filters {
		e.Filter = filtering
	}
	g := w.gate
	if g == nil {
		g = newGate(e, access.Reader{}, w.limits, func() float64 { return 0.5 })
		g.restore(e, 20*time.Second, w.now)
		g.gone, w.worth = w.disk.disabled, w.disk.health.Told && !w.disk.health.Counted.IsZero()
	}
	w.m = newMachine(g, store.Cursor{ID: "cur", Position: w.disk.position}, parked, settled)
	w.m.scope = w.scope
	for message, drop := range w.disk.wishes {
		w.m.ask([]store.Wish{{Message: message, Drop: drop}})
	}
	w.flying, w.pool, w.sent, w.done = nil, nil, nil, 0
	w.paces, w.asked, w.held = nil, map[string]time.Time{}, time.Time{}
}

// commit appends an entry with a few messages, some wanted.
func (w *world) commit(t *rapid.T) {
	seq := int64(len(w.journal) + 1)
	subjects := []string{"case/1", "case/2", "case/3", "case/4", "case/5", event.EndpointSubject("ep_other"), event.EndpointSubject(self)}
	e := &tailEntry{Entry: &event.Entry{Seq: seq, ID: seq, Subject: rapid.SampledFrom(subjects).Draw(t, "subject"), At: w.now,
		Version: int64(rapid.IntRange(0, 3).Draw(t, "version")),
		Actor:   rapid.SampledFrom(actors).Draw(t, "actor")}}
	for part := range rapid.IntRange(0, 3).Draw(t, "messages") {
		body := &wire.Message{Trigger: wantedTrigger, ID: fmt.Sprintf("msg_%d_%d", seq, part)}
		switch rapid.IntRange(0, 9).Draw(t, "sort") {
		case 0, 1:
			body.Trigger = otherTrigger
		case 2:
			body.Err = errors.New("no body")
		}
		w.subject[body.ID] = e.Subject
		e.views[0].bodies = append(e.views[0].bodies, body)
	}
	e.views[0].once.Do(func() {})
	w.journal = append(w.journal, e)
}

func (w *world) read(t *rapid.T) {
	if !w.m.wantsMore() {
		return
	}
	upTo := w.m.readTo + int64(rapid.IntRange(1, 4).Draw(t, "entries"))
	w.readTo(min(upTo, int64(len(w.journal))))
}

func (w *world) readTo(upTo int64) {
	if upTo > w.m.readTo {
		w.m.read(w.journal[w.m.readTo:upTo], upTo)
	}
}

// step does one thing that the machine wants done.
func (w *world) step(t *rapid.T) bool {
	w.grant()
	s, ok := w.m.next(w.now)
	return ok && w.perform(t, s)
}

func (w *world) perform(t *rapid.T, s step) bool {
	if s.load != nil && rapid.IntRange(0, 9).Draw(t, "luck of the journal") == 0 {
		w.m.unloaded(*s.load, w.now.Add(time.Second))
		return true
	}
	if s.load != nil {
		w.load(*s.load)
		return true
	}
	id := s.send.Message
	// A changed order may repeat what was delivered out of the new one.
	if _, settled := w.disk.settled[id]; settled && len(w.orders) == 1 {
		t.Fatalf("%s is sent although it was durably settled", id)
	}
	if w.received[id] > 0 && !w.mayAgain[id] && len(w.orders) == 1 {
		t.Fatalf("%s is sent again although no crash lost it", id)
	}
	w.onSchedule(s.send)
	w.asItWasAsked(t, s.send)
	for _, other := range w.flying {
		if other.Message == id {
			t.Fatalf("%s is under way twice", id)
		}
		if w.order != endpoint.None && other.subject == s.send.subject && len(w.orders) == 1 {
			t.Fatalf("two messages of %s are under way", other.subject)
		}
	}
	w.flying = append(w.flying, s.send)
	if len(w.flying) > 3 || w.m.owed > w.limits.unsettled {
		t.Fatalf("%d under way, %d owed: over the limits", len(w.flying), w.m.owed)
	}
	return true
}

// grant does what is asked. What is dropped is out of the order from then on.
func (w *world) grant() {
	w.m.grant(w.now)
	for _, d := range w.m.out.dead {
		w.gaveUp[d.Message] = true
	}
}

// wish asks something of a message that is saved as parked.
func (w *world) wish(t *rapid.T, drop bool) {
	for _, lane := range slices.Sorted(maps.Keys(w.disk.parked)) {
		p := w.disk.parked[lane]
		if p.Message == "" || !rapid.Bool().Draw(t, "of this one") {
			continue
		}
		if p.Subject != w.subject[p.Message] || p.Trigger != wantedTrigger {
			t.Fatalf("%s is parked as %+v", p.Message, p)
		}
		w.disk.wishes[p.Message] = drop
		w.hurried[p.Message] = true
		w.m.ask([]store.Wish{{Message: p.Message, Drop: drop}})
	}
}

// onSchedule checks a message against the row that is saved of it: tries go on
// counting, over restarts too, and none but a probe comes before it is due, or what an
// answer brought forward, once.
func (w *world) onSchedule(msg *message) {
	for _, p := range w.disk.parked {
		if p.Message != msg.Message {
			continue
		}
		if msg.tries < p.Tries || msg.tries == p.Tries && p.Failures > 0 || msg.failures < p.Failures {
			w.t.Fatalf("try %d of %s after %d failures, and %d with %d were saved", msg.tries, msg.Message, msg.failures, p.Tries, p.Failures)
		}
		if p.Failures > 0 && msg.failures == p.Failures && !msg.probe && !w.hurried[msg.Message] && w.now.Before(p.Due) {
			if w.early[msg.Message] {
				w.early[msg.Message] = false
				continue
			}
			w.t.Fatalf("%s is sent at %v and due at %v", msg.Message, w.now, p.Due)
		}
	}
}

// asItWasAsked checks that no message comes sooner or faster than the endpoint
// wants, and that one request finds out whether it is ready again: with a gate of
// its own, what other cursors hear does not count.
func (w *world) asItWasAsked(t *rapid.T, msg *message) {
	w.paces = append(w.paces, w.now)
	paced(t, w.limit, w.paces)
	if w.now.Before(w.asked[msg.Message]) && !msg.probe && !w.hurried[msg.Message] {
		t.Fatalf("%s is sent at %v, and the endpoint asked for %v", msg.Message, w.now, w.asked[msg.Message])
	}
	if w.gate == nil && !w.held.IsZero() && (w.now.Before(w.held) || len(w.flying) > 0) {
		t.Fatalf("%s is sent beside %d others at %v, and the endpoint wants none before %v", msg.Message, len(w.flying), w.now, w.held)
	}
}

// answer is what the receiver says with a verdict.
func (w *world) answer(t *rapid.T, msg *message, v verdict) outcome {
	o := outcome{verdict: v, connected: true, reason: "because", attempt: store.Attempt{Place: msg.Place, Delivered: v == delivered}}
	if v != unreachable {
		return o
	}
	o.connected, o.throttled = rapid.Bool().Draw(t, "connected"), rapid.Bool().Draw(t, "429")
	if o.connected {
		o.retryAfter = rapid.SampledFrom([]time.Duration{0, 0, 2 * time.Second, 30 * time.Second, 30 * time.Hour}).Draw(t, "retry after")
	}
	return o
}

// heed notes what the receiver asked for.
func (w *world) heed(msg *message, o outcome) {
	if _, spent := w.early[msg.Message]; !spent && o.verdict == unreachable && o.retryAfter == 0 {
		w.early[msg.Message] = true
	}
	switch {
	case o.throttled && o.retryAfter > 0:
		w.held = later(w.held, w.now.Add(min(o.retryAfter, time.Hour)))
	case !w.held.IsZero() && !msg.sentAt.Before(w.held) && o.verdict != notAttempted:
		w.held = time.Time{}
	}
	if o.retryAfter > 0 && !w.m.breaker.open {
		w.asked[msg.Message] = w.now.Add(min(o.retryAfter, 24*time.Hour))
	}
}

// tellable checks that what is told of the endpoint because of an outcome may be.
// Of failures at messages about endpoints alone nothing is.
func (w *world) tellable(msg *message, v verdict, before int64) {
	if w.gate != nil {
		return // others' outcomes count too
	}
	switch v {
	case unreachable, gone:
		w.worth = w.worth || !event.Operational(msg.subject)
	case delivered, refused:
		w.worth = false
	}
	for _, c := range w.m.watch.changes {
		if c.Entry != nil && c.Version > before && c.Entry.Facts[0].Name != event.EndpointRecovered.Name && !w.worth {
			w.t.Fatalf("%s is told of failures at operational messages alone", c.Entry.Facts[0].Name)
		}
	}
}

// fares saves how the endpoint fares.
func (w *world) fares(changes []store.HealthChange) {
	if w.gate != nil {
		return // it is on the others' disks too
	}
	for _, c := range changes {
		if c.Base != w.disk.health.Version || c.Version <= c.Base {
			w.t.Fatalf("version %d of the health follows on %d, and is made from %d", c.Version, w.disk.health.Version, c.Base)
		}
		w.disk.health, w.disk.disabled = c.Health, w.disk.disabled || c.Disable
		if c.Entry == nil {
			continue
		}
		fact, last := c.Entry.Facts[0].Name, ""
		if n := len(w.disk.told); n > 0 {
			last = w.disk.told[n-1]
		}
		if fact == last || fact == event.EndpointFailing.Name && last == event.EndpointDisabled.Name || fact == event.EndpointRecovered.Name && last == "" {
			w.t.Fatalf("%s is told after %q", fact, last)
		}
		w.disk.told = append(w.disk.told, fact)
	}
}

// enable has a person set a disabled endpoint to active.
func (w *world) enable(t *rapid.T) {
	for len(w.flying) > 0 {
		w.finish(t, notAttempted)
	}
	w.handOver()
	w.flush()
	if !w.disk.disabled {
		return
	}
	w.disk.disabled, w.disk.told = false, append(w.disk.told, "enabled")
	w.disk.health.Version++
	w.disk.health.Counted, w.disk.health.Breaker = time.Time{}, endpoint.Closed
	w.restart()
}

// load answers as the journal does, two entries at a time.
func (w *world) load(q load) {
	var found []*tailEntry
	for _, e := range w.journal {
		inLane := kindOf(q.Lane) == ofMessage || e.Subject == q.Lane
		if inLane && e.Seq > q.After && (e.Seq <= q.UpTo || kindOf(q.Lane) == ofMessage) && len(found) < 2 {
			found = append(found, e)
		}
	}
	if kindOf(q.Lane) == ofMessage {
		found = found[:min(1, len(found))]
		w.m.loaded(q, found, false)
		return
	}
	w.m.loaded(q, found, len(found) == 2)
}

// finish ends a request.
func (w *world) finish(t *rapid.T, v verdict) {
	if len(w.flying) == 0 {
		return
	}
	i := rapid.IntRange(0, len(w.flying)-1).Draw(t, "which")
	msg := w.flying[i]
	w.flying = slices.Delete(w.flying, i, i+1)
	if w.down && v != notAttempted {
		v = unreachable
	}
	if v == delivered {
		w.arrive(msg)
	}
	o := w.answer(t, msg, v)
	before := w.m.watch.Version
	w.m.done(msg, o, w.now)
	w.tellable(msg, v, before)
	w.heed(msg, o)
	if v != notAttempted {
		w.done++
	}
	for _, d := range w.m.out.dead {
		w.gaveUp[d.Message] = true
	}
}

func (w *world) arrive(msg *message) {
	if w.received[msg.Message]++; w.received[msg.Message] == 1 {
		w.arrivals = append(w.arrivals, msg.Place)
	}
}

func (w *world) handOver() {
	if s, ok := w.m.take(true); ok {
		w.pool, w.sent = append(w.pool, s), append(w.sent, w.done)
		w.done = 0
	}
}

// flush makes the pool durable, as one transaction.
func (w *world) flush() {
	for i, s := range w.pool {
		if s.Position < w.disk.position {
			w.t.Fatalf("the position went back from %d to %d", w.disk.position, s.Position)
		}
		w.disk.position = s.Position
		for _, a := range s.Attempts {
			if a.Delivered {
				w.disk.settled[a.Message] = a.Place
			}
		}
		w.fares(s.Health)
		for _, d := range s.Dead {
			w.disk.settled[d.Message], w.disk.dead[d.Message] = d.Place, true
		}
		for _, p := range s.Park {
			w.disk.parked[p.Lane] = p
		}
		for _, lane := range s.Unpark {
			delete(w.disk.parked, lane)
		}
		for _, granted := range s.Granted {
			if drop, asked := w.disk.wishes[granted.Message]; asked && drop == granted.Drop {
				delete(w.disk.wishes, granted.Message)
			}
		}
		if w.ended = s.Ended; w.ended && (w.disk.position != w.scope.until || len(w.disk.parked) > 0 || len(w.flying) > 0) {
			w.t.Fatalf("a replay ends at %d of %d, with %v", w.disk.position, w.scope.until, w.disk.parked)
		}
		w.m.durable(w.sent[i])
	}
	w.pool, w.sent = nil, nil
	w.accounted()
}

// accounted checks the promise: what is on the disk accounts for every message.
func (w *world) accounted() {
	for _, e := range w.journal {
		if e.Seq > w.disk.position || e.Seq <= w.after {
			continue
		}
		for part, body := range e.views[0].bodies {
			if _, settled := w.disk.settled[body.ID]; settled || !w.wanted(e, body) {
				continue
			}
			place := store.Place{Seq: e.Seq, Part: part}
			lane, waits := w.disk.parked[e.Subject]
			one, alone := w.disk.parked[body.ID]
			if waits && !before(place, store.Place{Seq: lane.Seq, Part: lane.Part}) || alone && one.Seq == e.Seq {
				continue
			}
			w.t.Fatalf("%s of %s is lost: the position is %d, parked %v", body.ID, e.Subject, w.disk.position, w.disk.parked)
		}
	}
}

func (w *world) crash(t *rapid.T) {
	clear(w.early) // a crash forgets who was brought forward
	for _, msg := range w.flying {
		if rapid.Bool().Draw(t, "seen by the receiver") {
			w.arrive(msg)
		}
	}
	for id := range w.received {
		if _, settled := w.disk.settled[id]; !settled {
			w.mayAgain[id] = true
		}
	}
	w.restart()
}

// reorder changes the endpoint's order, once what is under way has settled.
func (w *world) reorder(t *rapid.T) {
	for len(w.flying) > 0 {
		w.finish(t, rapid.SampledFrom([]verdict{delivered, refused, unreachable, notAttempted}).Draw(t, "end"))
	}
	w.handOver()
	w.flush()
	w.order = rapid.SampledFrom([]endpoint.Order{endpoint.PerCase, endpoint.Strict, endpoint.None}).Draw(t, "order")
	w.orders = append(w.orders, w.order)
	w.restart()
}

// finishAll brings everything to its end, with a receiver that takes all.
func (w *world) finishAll(t *rapid.T) {
	w.down = false
	for range 40 * (len(w.journal) + 10) {
		if w.disk.disabled || w.m.gone {
			w.enable(t)
		}
		w.readTo(w.canRead())
		for w.step(t) {
		}
		w.finish(t, delivered)
		w.handOver()
		w.flush()
		if at := w.m.wakeAt(); at.After(w.now) {
			w.now = at
		}
		if w.m.position() == int64(len(w.journal)) && len(w.disk.parked) == 0 && len(w.flying) == 0 {
			return
		}
	}
	t.Fatalf("it does not come to an end: position %d of %d, parked %v, under way %d, ready %d, waiting %d, breaker %+v",
		w.m.position(), len(w.journal), w.disk.parked, len(w.flying), len(w.m.ready), len(w.m.waiting), w.m.breaker)
}

func (w *world) canRead() int64 {
	if w.m.wantsMore() {
		return min(w.m.readTo+1, int64(len(w.journal)))
	}
	return w.m.readTo
}

// complete checks that everybody was told, in order, and that nothing is left.
func (w *world) complete(t *rapid.T) {
	w.told(t)
	w.grant() // what is moot by now
	w.handOver()
	w.flush()
	if len(w.disk.wishes) > 0 {
		t.Fatalf("what is asked is forgotten: %v", w.disk.wishes)
	}
	if len(w.m.lanes) != 0 || w.m.rows != 0 || w.m.owed != 0 || w.m.sending != 0 || w.m.retrying != 0 || w.m.underway != 0 {
		t.Fatalf("the machine keeps %d lanes, %d rows, %d owed, %d under way", len(w.m.lanes), w.m.rows, w.m.owed, w.m.sending)
	}
}

func (w *world) told(t *rapid.T) {
	for _, e := range w.journal {
		for _, body := range e.views[0].bodies {
			if w.wanted(e, body) && w.received[body.ID] == 0 && !w.disk.dead[body.ID] {
				t.Fatalf("%s never arrived and is not dead", body.ID)
			}
			if !w.wanted(e, body) && (w.received[body.ID] > 0 || w.disk.dead[body.ID]) {
				t.Fatalf("%s arrived or is dead, and nobody wanted it", body.ID)
			}
			if w.wanted(e, body) && w.unsendable(e, body) && (w.received[body.ID] > 0 || !w.disk.dead[body.ID]) {
				t.Fatalf("%s can't be sent, and arrived or is not dead", body.ID)
			}
		}
	}
	last := map[string]store.Place{}
	for _, p := range w.arrivals {
		if w.gaveUp[p.Message] {
			continue
		}
		lane := laneKey(w.order, &message{Place: p, subject: w.subject[p.Message]})
		if earlier, ok := last[lane]; ok && !before(earlier, p) && len(w.orders) == 1 {
			t.Fatalf("%s arrived after %s", p.Message, earlier.Message)
		}
		last[lane] = p
	}
}

func checkMachine(t *testing.T, order endpoint.Order, reorders bool) {
	rapid.Check(t, func(t *rapid.T) {
		w := newWorld(t, order)
		actions := map[string]func(*rapid.T){
			"commit":     w.commit,
			"read":       w.read,
			"step":       func(t *rapid.T) { w.step(t) },
			"step again": func(t *rapid.T) { w.step(t) },
			"all": func(t *rapid.T) {
				w.readTo(w.canRead())
				for w.step(t) {
				}
			},
			"deliver":     func(t *rapid.T) { w.finish(t, delivered) },
			"refuse":      func(t *rapid.T) { w.finish(t, refused) },
			"unreachable": func(t *rapid.T) { w.finish(t, unreachable) },
			"hand over":   func(*rapid.T) { w.handOver() },
			"flush":       func(*rapid.T) { w.flush() },
			"crash":       w.crash,
			"gone":        func(t *rapid.T) { w.finish(t, gone) },
			"enable":      w.enable,
			"retry":       func(t *rapid.T) { w.wish(t, false) },
			"drop":        func(t *rapid.T) { w.wish(t, true) },
			"give up":     func(t *rapid.T) { w.finish(t, notAttempted) },
			"outage":      func(*rapid.T) { w.down = !w.down },
			"wait": func(t *rapid.T) {
				w.now = w.now.Add(time.Duration(rapid.IntRange(1, 5000).Draw(t, "milliseconds")) * time.Millisecond)
			},
		}
		if reorders {
			actions["reorder"] = w.reorder
		}
		t.Repeat(actions)
		w.finishAll(t)
		w.complete(t)
	})
}

func TestNothingIsLostAndOrderIsKeptPerCase(t *testing.T)  { checkMachine(t, endpoint.PerCase, false) }
func TestNothingIsLostAndOrderIsKeptStrictly(t *testing.T) { checkMachine(t, endpoint.Strict, false) }
func TestNothingIsLostWithoutOrder(t *testing.T)           { checkMachine(t, endpoint.None, false) }
func TestNothingIsLostWhenTheOrderChanges(t *testing.T)    { checkMachine(t, endpoint.PerCase, true) }
