package machine_test

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/casehook/casehook/internal/delivery/machine"
	"github.com/casehook/casehook/internal/endpoint"
	"github.com/casehook/casehook/internal/event"
	"github.com/casehook/casehook/internal/wire"
)

// world is a cursor with a journal, a disk that has only settled outcomes, and a receiver that records its messages. A
// crash loses the cursor and the pool; the receiver may or may not have got the messages under way.
type world struct {
	t       *rapid.T
	order   endpoint.Order
	orders  []endpoint.Order // so far
	limits  machine.Limits
	now     time.Time
	journal []*machine.Entry
	cursor  *machine.Cursor
	gate    *machine.Gate

	flying []*machine.Message
	sentAt map[string]time.Time // of those
	pool   []machine.Settlement

	results  []result   // not handed over yet
	attempts [][]result // of each settlement in the pool

	disk     disk
	notable  map[int64]bool // the value of worth when a version of the health was made
	worth    bool           // a message not about endpoints failed since the last answer or Recount
	received map[string]int // by message id
	arrivals []arrival      // first arrivals, in their order
	subject  map[string]string
	mayAgain map[string]bool // lost in a crash before they were settled
	gaveUp   map[string]bool // given up, even if a crash lost that: out of the order
	down     bool            // the receiver is away
	sources  []string        // that the endpoint gets
	ignore   bool            // activity of its own token
	filters  bool            // by filtering

	limit   float64              // requests per second; 0: none
	paces   []time.Time          // requests since the start
	asked   map[string]time.Time // when the endpoint allows the next try
	held    time.Time            // until when it wants no message at all; zero: none such
	shared  *machine.Gate        // with others; nil: it has its own
	after   int64                // a replay starts above it
	bounds  *machine.Range       // of a replay; nil: it is live
	ended   bool                 // the replay's end is saved
	hurried map[string]bool      // requested to be tried at once
	early   map[string]bool      // they failed while the endpoint was away: one try may come before it is due
}

// result is the outcome of a request.
type result struct {
	machine.Place
	message   string
	delivered bool
}

// arrival is a message that the receiver got.
type arrival struct {
	machine.Place
	message string
}

// disk has the saved state.
type disk struct {
	position int64
	parked   map[string]machine.ParkedMessage
	settled  map[string]machine.Place
	dead     map[string]bool
	health   endpoint.Health
	disabled bool
	facts    []string        // facts about the endpoint
	repairs  map[string]bool // what is asked of parked messages: to drop them, or to try them at once
}

func newDisk() disk {
	return disk{
		parked:  map[string]machine.ParkedMessage{},
		settled: map[string]machine.Place{},
		dead:    map[string]bool{},
		repairs: map[string]bool{},
	}
}

// before orders messages as the journal does.
func before(p, q machine.Place) bool { return p.Seq < q.Seq || p.Seq == q.Seq && p.Part < q.Part }

// actors are the authors of commits.
var actors = []event.Actor{
	{Source: event.UI, UserID: 7}, {Source: event.API, TokenID: ownToken}, {Source: event.API, TokenID: "tok_other"},
	{Source: event.System},
}

// wanted reports whether the model sends the endpoint a message.
func (w *world) wanted(e *machine.Entry, body *wire.Message) bool {
	journal := e.Journal
	heard := map[event.Source]bool{
		event.UI:     !slices.Equal(w.sources, []string{"api"}),
		event.API:    !slices.Equal(w.sources, []string{"ui"}) && !(w.ignore && journal.Actor.TokenID == ownToken),
		event.System: true,
	}
	return body.Trigger == wantedTrigger && heard[journal.Actor.Source] &&
		journal.Subject != event.EndpointSubject(self) &&
		(!w.filters || journal.Version != filteredOut) && journal.Seq > w.after && w.inRange(journal, body)
}

// inRange reports whether the model's replay sends a message.
func (w *world) inRange(e *event.Entry, body *wire.Message) bool {
	b := w.bounds
	return b == nil ||
		(b.Subject == "" || b.Subject == e.Subject) && (b.Messages == nil || slices.Contains(b.Messages, body.ID))
}

// A filter that passes some messages, excludes some, and can't be computed for others, by their entry's version.
const (
	filtering               = `message.sequence == 2 ? 1 / (message.sequence - 2) == 1 : message.sequence != 1`
	filteredOut, unfiltered = 1, 2
)

// unsendable reports whether no body, or no verdict of the filter, can be made.
func (w *world) unsendable(e *machine.Entry, body *wire.Message) bool {
	return body.Err != nil || w.filters && e.Journal.Version == unfiltered
}

func newWorld(t *rapid.T, order endpoint.Order) *world {
	w := &world{
		t:      t,
		order:  order,
		orders: []endpoint.Order{order},
		now:    start,
		limits: machine.Limits{
			Window:    rapid.IntRange(2, 12).Draw(t, "window"),
			Unsettled: rapid.IntRange(1, 10).Draw(t, "unsettled"),
			Parked:    rapid.IntRange(1, 6).Draw(t, "parked"),
		},
		received: map[string]int{},
		subject:  map[string]string{},
		mayAgain: map[string]bool{},
		gaveUp:   map[string]bool{},
		hurried:  map[string]bool{},
		early:    map[string]bool{},
		notable:  map[int64]bool{},
	}
	w.disk = newDisk()
	w.sources = rapid.SampledFrom([][]string{nil, {"api"}, {"ui"}}).Draw(t, "sources")
	w.ignore = rapid.Bool().Draw(t, "ignores its own")
	w.filters = rapid.Bool().Draw(t, "filters")
	w.limit = rapid.SampledFrom([]float64{0, 0, 0.5, 3}).Draw(t, "limit")
	w.restart()
	return w
}

// endpoint returns the endpoint with its present settings.
func (w *world) endpoint() endpoint.Endpoint {
	e := endpoint.Endpoint{
		ID:        self,
		Health:    w.disk.health,
		Triggers:  []string{wantedTrigger},
		Sources:   w.sources,
		IgnoreOwn: w.ignore,
		Token:     ownToken,
		Policy: endpoint.Policy{
			Retries:     []time.Duration{time.Second, 4 * time.Second},
			Timeout:     5 * time.Second,
			Concurrency: 3,
			Order:       w.order,
			RateLimit:   w.limit,
		},
	}
	if w.filters {
		e.Filter = filtering
	}
	return e
}

func (w *world) restart() {
	saved := machine.CursorState{Position: w.disk.position}
	for _, p := range w.disk.parked {
		saved.Parked = append(saved.Parked, p)
	}
	slices.SortFunc(saved.Parked, func(a, b machine.ParkedMessage) int {
		return cmp.Or(cmp.Compare(a.Seq, b.Seq), cmp.Compare(a.Lane, b.Lane))
	})
	for id, p := range w.disk.settled {
		if p.Seq > w.disk.position {
			saved.Settled = append(saved.Settled, id)
		}
	}
	if w.gate = w.shared; w.gate == nil {
		w.gate = gateOf(w.endpoint(), w.limits, 20*time.Second, w.now)
		w.worth = w.notable[w.disk.health.Version]
		if diff := gocmp.Diff(w.disk.health, w.gate.Health()); diff != "" {
			w.t.Fatalf("a worker goes on from another health than was saved (-want +got):\n%s", diff)
		}
	}
	if w.bounds == nil {
		w.cursor = machine.New(w.gate, saved)
	} else {
		w.cursor = machine.NewReplay(w.gate, *w.bounds, saved)
	}
	for message, drop := range w.disk.repairs {
		w.cursor.RequestRepair(machine.RepairRequest{Message: message, Drop: drop})
	}
	w.flying, w.pool, w.results, w.attempts = nil, nil, nil, nil
	w.paces, w.asked, w.held = nil, map[string]time.Time{}, time.Time{}
	w.sentAt = map[string]time.Time{}
}

// commit appends an entry with a few messages, some wanted.
func (w *world) commit(t *rapid.T) {
	seq := int64(len(w.journal) + 1)
	subjects := []string{
		"case/1", "case/2", "case/3", "case/4", "case/5", event.EndpointSubject("ep_other"),
		event.EndpointSubject(self),
	}
	e := &event.Entry{
		Seq:     seq,
		ID:      seq,
		Subject: rapid.SampledFrom(subjects).Draw(t, "subject"),
		At:      w.now,
		Version: int64(rapid.IntRange(0, 3).Draw(t, "version")),
		Actor:   rapid.SampledFrom(actors).Draw(t, "actor"),
	}
	var messages []wire.Message
	for part := range rapid.IntRange(0, 3).Draw(t, "messages") {
		body := wire.Message{Trigger: wantedTrigger, ID: fmt.Sprintf("msg_%d_%d", seq, part)}
		switch rapid.IntRange(0, 9).Draw(t, "sort") {
		case 0, 1:
			body.Trigger = otherTrigger
		case 2:
			body.Err = errors.New("no body")
		}
		w.subject[body.ID] = e.Subject
		messages = append(messages, body)
	}
	w.journal = append(w.journal, entryOf(e, messages...))
}

func (w *world) read(t *rapid.T) {
	if w.disk.disabled || !w.cursor.WantsMore() {
		return
	}
	upTo := w.cursor.ReadTo() + int64(rapid.IntRange(1, 4).Draw(t, "entries"))
	w.readTo(min(upTo, int64(len(w.journal))))
}

func (w *world) readTo(upTo int64) {
	if upTo > w.cursor.ReadTo() {
		w.cursor.Read(w.journal[w.cursor.ReadTo():upTo], upTo)
	}
}

// step carries out one step of the machine.
func (w *world) step(t *rapid.T) bool {
	w.repair()
	if w.disk.disabled { // a disabled endpoint has no cursor
		return false
	}
	s, ok := w.cursor.Next(w.now)
	return ok && w.perform(t, s)
}

func (w *world) perform(t *rapid.T, s machine.Step) bool {
	if s.Load != nil && rapid.IntRange(0, 9).Draw(t, "luck of the journal") == 0 {
		w.cursor.Unloaded(*s.Load, w.now.Add(time.Second))
		return true
	}
	if s.Load != nil {
		w.load(*s.Load)
		return true
	}
	id := s.Send.ID
	// A changed order may repeat messages that were delivered out of the new order.
	if _, settled := w.disk.settled[id]; settled && len(w.orders) == 1 {
		t.Fatalf("%s is sent although it was durably settled", id)
	}
	if w.received[id] > 0 && !w.mayAgain[id] && len(w.orders) == 1 {
		t.Fatalf("%s is sent again although no crash lost it", id)
	}
	w.onSchedule(s.Send)
	w.asItWasAsked(t, s.Send)
	for _, other := range w.flying {
		if other.ID == id {
			t.Fatalf("%s is under way twice", id)
		}
		if w.order != endpoint.None && other.Subject == s.Send.Subject && len(w.orders) == 1 {
			t.Fatalf("two messages of %s are under way", other.Subject)
		}
	}
	w.flying = append(w.flying, s.Send)
	w.sentAt[id] = w.now
	if owed := w.gate.State().Owed; len(w.flying) > 3 || owed > w.limits.Unsettled {
		t.Fatalf("%d under way, %d owed: over the limits", len(w.flying), owed)
	}
	return true
}

// repair carries out the requests. A dropped message is out of the order from then on.
func (w *world) repair() {
	w.cursor.Repair(w.now)
	w.noteDead()
}

// noteDead records the messages that were given up.
func (w *world) noteDead() {
	for _, message := range w.cursor.State().Dead {
		w.gaveUp[message] = true
	}
}

// requestRepair requests a repair of messages that are saved as parked.
func (w *world) requestRepair(t *rapid.T, drop bool) {
	for _, lane := range slices.Sorted(maps.Keys(w.disk.parked)) {
		p := w.disk.parked[lane]
		if p.Message == "" || !rapid.Bool().Draw(t, "of this one") {
			continue
		}
		if p.Subject != w.subject[p.Message] || p.Trigger != wantedTrigger {
			t.Fatalf("%s is parked as %+v", p.Message, p)
		}
		w.disk.repairs[p.Message] = drop
		w.hurried[p.Message] = true
		w.cursor.RequestRepair(machine.RepairRequest{Message: p.Message, Drop: drop})
	}
}

// onSchedule checks a message against its saved row. Tries go on counting, also after restarts. No message comes before
// it is due, except for a probe, and once for a message that an answer brought forward.
func (w *world) onSchedule(msg *machine.Message) {
	for _, p := range w.disk.parked {
		if p.Message != msg.ID {
			continue
		}
		if msg.Tries < p.Tries || msg.Tries == p.Tries && p.Failures > 0 || msg.Failures() < p.Failures {
			w.t.Fatalf("try %d of %s after %d failures, and %d with %d were saved", msg.Tries, msg.ID, msg.Failures(),
				p.Tries, p.Failures)
		}
		if p.Failures > 0 && msg.Failures() == p.Failures && !msg.Probe() && !w.hurried[msg.ID] && w.now.Before(p.Due) {
			if w.early[msg.ID] {
				w.early[msg.ID] = false
				continue
			}
			w.t.Fatalf("%s is sent at %v and due at %v", msg.ID, w.now, p.Due)
		}
	}
}

// asItWasAsked checks that no message comes sooner or faster than the endpoint wants, and that a single request probes
// whether it is ready again. Answers to other cursors count only if they share the gate.
func (w *world) asItWasAsked(t *rapid.T, msg *machine.Message) {
	w.paces = append(w.paces, w.now)
	paced(t, w.limit, w.paces)
	if w.now.Before(w.asked[msg.ID]) && !msg.Probe() && !w.hurried[msg.ID] {
		t.Fatalf("%s is sent at %v, and the endpoint asked for %v", msg.ID, w.now, w.asked[msg.ID])
	}
	if w.shared == nil && !w.held.IsZero() && (w.now.Before(w.held) || len(w.flying) > 0) {
		t.Fatalf("%s is sent beside %d others at %v, and the endpoint wants none before %v", msg.ID, len(w.flying),
			w.now, w.held)
	}
}

// answer returns the receiver's answer for a verdict.
func (w *world) answer(t *rapid.T, v machine.Verdict) machine.Outcome {
	o := machine.Outcome{Verdict: v, Connected: true, Reason: "because"}
	if v != machine.Unreachable {
		return o
	}
	o.Connected, o.Throttled = rapid.Bool().Draw(t, "connected"), rapid.Bool().Draw(t, "429")
	if o.Connected {
		o.RetryAfter = rapid.SampledFrom([]time.Duration{
			0, 0, 2 * time.Second, 30 * time.Second, 30 * time.Hour,
		}).Draw(t, "retry after")
	}
	return o
}

// heed records the waits that the receiver asks for.
func (w *world) heed(msg *machine.Message, o machine.Outcome) {
	if _, spent := w.early[msg.ID]; !spent && o.Verdict == machine.Unreachable && o.RetryAfter == 0 {
		w.early[msg.ID] = true
	}
	switch {
	case o.Throttled && o.RetryAfter > 0:
		if until := w.now.Add(min(o.RetryAfter, time.Hour)); until.After(w.held) {
			w.held = until
		}
	case !w.held.IsZero() && !w.sentAt[msg.ID].Before(w.held) && o.Verdict != machine.NotAttempted:
		w.held = time.Time{}
	}
	if o.RetryAfter > 0 && !w.gate.Open() {
		w.asked[msg.ID] = w.now.Add(min(o.RetryAfter, 24*time.Hour))
	}
}

// note notes whether what is told of the endpoint because of an outcome may be: of
// failures at messages about endpoints alone nothing is.
func (w *world) note(msg *machine.Message, v machine.Verdict, before int64) {
	switch v {
	case machine.Unreachable, machine.Gone:
		w.worth = w.worth || !event.Operational(msg.Subject)
	case machine.Delivered, machine.Refused:
		w.worth = false
	}
	for version := before + 1; version <= w.gate.Health().Version; version++ {
		w.notable[version] = w.worth
	}
}

// fares saves the endpoint's health.
func (w *world) fares(changes []machine.HealthChange) {
	if w.shared != nil {
		return // it is also on the disks of the others
	}
	for _, c := range changes {
		if c.Base != w.disk.health.Version || c.Version <= c.Base {
			w.t.Fatalf("version %d of the health follows on %d, and is made from %d", c.Version,
				w.disk.health.Version, c.Base)
		}
		if c.Notable != w.notable[c.Version] {
			w.t.Fatalf("version %d of the health is saved as notable = %v", c.Version, c.Notable)
		}
		w.disk.health, w.disk.disabled = c.Health, w.disk.disabled || c.Disable
		if c.Entry == nil {
			w.recoveryReported()
			continue
		}
		fact, last := c.Entry.Facts[0].Name, ""
		if fact != event.EndpointRecovered.Name && !w.notable[c.Version] {
			w.t.Fatalf("%s follows failures of operational messages alone", fact)
		}
		if n := len(w.disk.facts); n > 0 {
			last = w.disk.facts[n-1]
		}
		if fact == last || fact == event.EndpointFailing.Name && last == event.EndpointDisabled.Name ||
			fact == event.EndpointRecovered.Name && last == "" {
			w.t.Fatalf("%s follows %q", fact, last)
		}
		w.disk.facts = append(w.disk.facts, fact)
		w.recoveryReported()
	}
}

// recoveryReported checks that the recovery of an endpoint was published if its failure was.
func (w *world) recoveryReported() {
	for _, fact := range slices.Backward(w.disk.facts) {
		if fact == "enabled" {
			continue
		}
		if w.disk.health.Since.IsZero() && fact != event.EndpointRecovered.Name {
			w.t.Fatalf("it is back, and its last fact is %s", fact)
		}
		return
	}
}

// enable sets a disabled endpoint to active, as a person does.
func (w *world) enable(t *rapid.T) {
	for len(w.flying) > 0 {
		w.finish(t, machine.NotAttempted)
	}
	w.handOver()
	w.flush()
	if !w.disk.disabled {
		return
	}
	w.disk.disabled, w.disk.facts = false, append(w.disk.facts, "enabled")
	w.disk.health.Version++
	w.disk.health.Counted, w.disk.health.Breaker = time.Time{}, endpoint.Closed
	w.disk.health.Notable = false
	delete(w.notable, w.disk.health.Version)
	w.restart()
}

// load answers as the journal does, two entries at a time.
func (w *world) load(q machine.LoadRequest) {
	var found []*machine.Entry
	subject, ok := q.Subject()
	if !ok {
		w.cursor.Loaded(q, w.journal[q.After:q.After+1], false)
		return
	}
	for _, e := range w.journal {
		if e.Journal.Subject == subject && e.Journal.Seq > q.After && e.Journal.Seq <= q.UpTo && len(found) < 2 {
			found = append(found, e)
		}
	}
	w.cursor.Loaded(q, found, len(found) == 2)
}

// finish ends a request.
func (w *world) finish(t *rapid.T, v machine.Verdict) {
	if len(w.flying) == 0 {
		return
	}
	i := rapid.IntRange(0, len(w.flying)-1).Draw(t, "which")
	msg := w.flying[i]
	w.flying = slices.Delete(w.flying, i, i+1)
	if w.down && v != machine.NotAttempted {
		v = machine.Unreachable
	}
	if v == machine.Delivered {
		w.arrive(msg)
	}
	o := w.answer(t, v)
	before := w.gate.Health().Version
	w.cursor.Done(msg, o, w.now)
	if w.shared == nil { // others' outcomes count, too
		w.note(msg, v, before)
	}
	w.heed(msg, o)
	if v != machine.NotAttempted {
		w.results = append(w.results, result{msg.Place, msg.ID, v == machine.Delivered})
	}
	w.noteDead()
}

func (w *world) arrive(msg *machine.Message) {
	if w.received[msg.ID]++; w.received[msg.ID] == 1 {
		w.arrivals = append(w.arrivals, arrival{msg.Place, msg.ID})
	}
}

// handOver puts a settlement and its results into the pool.
func (w *world) handOver() {
	s, ok := w.cursor.Collect(true)
	if !ok {
		return
	}
	if s.Outcomes != len(w.results) {
		w.t.Fatalf("%d outcomes are handed over, and there were %d", s.Outcomes, len(w.results))
	}
	w.pool, w.attempts = append(w.pool, s), append(w.attempts, w.results)
	w.results = nil
}

// flush makes the pool durable, as one transaction.
func (w *world) flush() {
	for i, s := range w.pool {
		if s.Position < w.disk.position {
			w.t.Fatalf("the position went back from %d to %d", w.disk.position, s.Position)
		}
		w.disk.position = s.Position
		for _, a := range w.attempts[i] {
			if a.delivered {
				w.disk.settled[a.message] = a.Place
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
		for _, repaired := range s.Repaired {
			if drop, asked := w.disk.repairs[repaired.Message]; asked && drop == repaired.Drop {
				delete(w.disk.repairs, repaired.Message)
			}
		}
		if w.ended = s.Ended; w.ended &&
			(w.disk.position != w.bounds.Until || len(w.disk.parked) > 0 || len(w.flying) > 0) {
			w.t.Fatalf("a replay ends at %d of %d, with %v", w.disk.position, w.bounds.Until, w.disk.parked)
		}
		w.gate.Durable(s.Outcomes)
	}
	w.pool, w.attempts = nil, nil
	w.accounted()
}

// accounted checks the promise: the disk accounts for every message.
func (w *world) accounted() {
	for _, e := range w.journal {
		seq, subject := e.Journal.Seq, e.Journal.Subject
		if seq > w.disk.position || seq <= w.after {
			continue
		}
		for part, body := range messagesOf(e) {
			if _, settled := w.disk.settled[body.ID]; settled || !w.wanted(e, body) {
				continue
			}
			place := machine.Place{Seq: seq, Part: part}
			lane, waits := w.disk.parked[subject]
			one, alone := w.disk.parked[body.ID]
			if waits && !before(place, machine.Place{Seq: lane.Seq, Part: lane.Part}) || alone && one.Seq == seq {
				continue
			}
			w.t.Fatalf("%s of %s is lost: the position is %d, parked %v", body.ID, subject, w.disk.position,
				w.disk.parked)
		}
	}
}

func (w *world) crash(t *rapid.T) {
	clear(w.early) // a crash forgets which messages were brought forward
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

// reorder changes the endpoint's order, once all messages under way are settled.
func (w *world) reorder(t *rapid.T) {
	for len(w.flying) > 0 {
		w.finish(t,
			rapid.SampledFrom([]machine.Verdict{
				machine.Delivered, machine.Refused, machine.Unreachable, machine.NotAttempted,
			}).Draw(t, "end"))
	}
	w.handOver()
	w.flush()
	w.order = rapid.SampledFrom([]endpoint.Order{endpoint.PerCase, endpoint.Strict, endpoint.None}).Draw(t, "order")
	w.orders = append(w.orders, w.order)
	w.restart()
}

// finishAll delivers everything, with a receiver that accepts all.
func (w *world) finishAll(t *rapid.T) {
	w.down = false
	for range 40 * (len(w.journal) + 10) {
		if w.disk.disabled || w.gate.Gone() {
			w.enable(t)
		}
		w.readTo(w.canRead())
		for w.step(t) {
		}
		w.finish(t, machine.Delivered)
		w.handOver()
		w.flush()
		if at := w.cursor.WakeAt(); at.After(w.now) {
			w.now = at
		}
		if w.cursor.Position() == int64(len(w.journal)) && len(w.disk.parked) == 0 && len(w.flying) == 0 {
			return
		}
	}
	t.Fatalf("it does not come to an end: %+v and %+v of %d entries, parked %v, under way %d",
		w.cursor.State(), w.gate.State(), len(w.journal), w.disk.parked, len(w.flying))
}

func (w *world) canRead() int64 {
	if !w.disk.disabled && w.cursor.WantsMore() {
		return min(w.cursor.ReadTo()+1, int64(len(w.journal)))
	}
	return w.cursor.ReadTo()
}

// complete checks that every message was delivered, in order, and that nothing is left.
func (w *world) complete(t *rapid.T) {
	w.facts(t)
	w.repair() // requests that are moot by now
	w.handOver()
	w.flush()
	if len(w.disk.repairs) > 0 {
		t.Fatalf("requests are forgotten: %v", w.disk.repairs)
	}
	end := int64(len(w.journal))
	if diff := gocmp.Diff(machine.State{Position: end, ReadTo: end}, w.cursor.State()); diff != "" {
		t.Fatalf("what the cursor keeps (-want +got):\n%s", diff)
	}
	if g := w.gate.State(); g.Owed != 0 || g.Sending != 0 {
		t.Fatalf("the gate keeps %+v", g)
	}
}

func (w *world) facts(t *rapid.T) {
	for _, e := range w.journal {
		for _, body := range messagesOf(e) {
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
	last := map[string]arrival{}
	for _, a := range w.arrivals {
		if w.gaveUp[a.message] {
			continue
		}
		lane := map[endpoint.Order]string{endpoint.None: a.message, endpoint.PerCase: w.subject[a.message]}[w.order]
		if earlier, ok := last[lane]; ok && !before(earlier.Place, a.Place) && len(w.orders) == 1 {
			t.Fatalf("%s arrived after %s", a.message, earlier.message)
		}
		last[lane] = a
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
			"deliver":     func(t *rapid.T) { w.finish(t, machine.Delivered) },
			"refuse":      func(t *rapid.T) { w.finish(t, machine.Refused) },
			"unreachable": func(t *rapid.T) { w.finish(t, machine.Unreachable) },
			"hand over":   func(*rapid.T) { w.handOver() },
			"flush":       func(*rapid.T) { w.flush() },
			"crash":       w.crash,
			"gone":        func(t *rapid.T) { w.finish(t, machine.Gone) },
			"enable":      w.enable,
			"retry":       func(t *rapid.T) { w.requestRepair(t, false) },
			"drop":        func(t *rapid.T) { w.requestRepair(t, true) },
			"give up":     func(t *rapid.T) { w.finish(t, machine.NotAttempted) },
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
