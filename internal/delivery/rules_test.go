package delivery

import (
	"fmt"
	"testing"
	"time"

	"github.com/casehook/casehook/internal/access"
	"github.com/casehook/casehook/internal/endpoint"
	"github.com/casehook/casehook/internal/event"
	"github.com/casehook/casehook/internal/outbound"
	"github.com/casehook/casehook/internal/store"
	"github.com/casehook/casehook/internal/wire"
)

// script is a machine that a test drives by hand.
type script struct {
	*testing.T
	*machine
	now     time.Time
	seq     int64
	more    int // messages of the next entries, beyond one
	journal []*tailEntry
}

func newScript(t *testing.T, p endpoint.Policy, l limits) *script {
	e := endpoint.Endpoint{Triggers: []string{wantedTrigger}, Policy: p}
	return &script{T: t, now: time.Unix(1_800_000_000, 0), machine: fresh(e, l)}
}

// fresh is a machine of an endpoint that has been sent nothing yet.
func fresh(e endpoint.Endpoint, l limits) *machine {
	return newMachine(newGate(e, access.Reader{}, l, func() float64 { return 0.5 }), store.Cursor{ID: "cur"}, nil, nil)
}

// commit reads one entry per case.
func (s *script) commit(cases ...int) {
	for _, c := range cases {
		s.seq++
		e := &tailEntry{Entry: &event.Entry{Seq: s.seq, Subject: fmt.Sprintf("case/%d", c)}}
		for part := range 1 + s.more {
			e.views[0].bodies = append(e.views[0].bodies, &wire.Message{Trigger: wantedTrigger, ID: fmt.Sprintf("msg_%d_%d", s.seq, part)})
		}
		e.views[0].once.Do(func() {})
		s.journal = append(s.journal, e)
		s.follow()
	}
}

// follow reads what the machine wants to know.
func (s *script) follow() {
	for s.wantsMore() && s.readTo < s.seq {
		s.read(s.journal[s.readTo:s.readTo+1], s.readTo+1)
	}
}

// launch takes all that may be sent now.
func (s *script) launch() (sent []*message) {
	s.Helper()
	for range 1000 {
		st, ok := s.next(s.now)
		if !ok {
			return sent
		}
		if st.send == nil {
			s.answer(*st.load)
			continue
		}
		sent = append(sent, st.send)
	}
	s.Fatal("it never has enough")
	return nil
}

// answer loads a parked lane from the journal.
func (s *script) answer(q load) {
	var found []*tailEntry
	for _, e := range s.journal {
		if e.Seq > q.After && e.Seq <= q.UpTo && (kindOf(q.Lane) == ofMessage || e.Subject == q.Lane) {
			found = append(found, e)
		}
	}
	s.loaded(q, found, false)
}

func (s *script) end(v verdict, messages ...*message) {
	for _, m := range messages {
		s.done(m, outcome{verdict: v, connected: true, reason: "because", attempt: store.Attempt{Place: m.Place}}, s.now)
	}
}

func TestTheBreakerOpensOnSeveralCasesOnly(t *testing.T) {
	for name, c := range map[string]struct {
		verdict verdict
		cases   []int
		open    bool
	}{
		"one poisonous case":          {unreachable, []int{1, 1, 1, 1, 1, 1, 1, 1}, false},
		"many cases":                  {unreachable, []int{1, 2, 3, 4, 5, 6}, true},
		"many cases, their own fault": {refused, []int{1, 2, 3, 4, 5, 6}, false},
	} {
		t.Run(name, func(t *testing.T) {
			s := newScript(t, endpoint.Policy{Concurrency: 1, Order: endpoint.None}, defaultLimits)
			for _, n := range c.cases {
				s.commit(n)
				s.end(c.verdict, s.launch()...)
			}
			if s.breaker.open != c.open {
				t.Errorf("open = %v, want %v", s.breaker.open, c.open)
			}
		})
	}
}

func TestWhileTheBreakerIsOpenOneProbeAtATimeTriesEachTimeAnotherLane(t *testing.T) {
	s := newScript(t, endpoint.Policy{Concurrency: 8}, defaultLimits)
	s.commit(1, 2, 3, 4, 5, 6, 7, 8)
	s.end(unreachable, s.launch()...)
	if !s.breaker.open || s.rows != 4 {
		t.Fatalf("open = %v with %d rows, want it open with the 4 failures before", s.breaker.open, s.rows)
	}
	if s.wantsMore() || len(s.launch()) > 0 {
		t.Fatal("it reads or sends although the endpoint is down")
	}
	s.take(true)
	lane := ""
	for wait := firstProbe; wait <= 8*time.Second; wait *= 2 {
		if at := s.wakeAt(); at.Sub(s.now) != wait {
			t.Fatalf("the next probe is in %v, want %v", at.Sub(s.now), wait)
		}
		s.now = s.wakeAt()
		probes := s.launch()
		if len(probes) != 1 || !probes[0].probe || probes[0].subject == lane {
			t.Fatalf("%d probes; the first of %s, after %s", len(probes), probes[0].subject, lane)
		}
		lane = probes[0].subject
		s.end(unreachable, probes...)
		if probes[0].failures != 0 {
			t.Fatal("a probe used up a retry")
		}
	}
	s.now = s.wakeAt()
	s.end(delivered, s.launch()...)
	if s.breaker.open || len(s.launch()) == 0 {
		t.Error("an answer did not close the breaker")
	}
}

func TestPoisonousCasesAreNotTheOnlyOnesThatAreProbed(t *testing.T) {
	for _, order := range []endpoint.Order{endpoint.PerCase, endpoint.None} {
		t.Run(string(order), func(t *testing.T) {
			s := newScript(t, endpoint.Policy{Concurrency: 1, Order: order}, defaultLimits)
			for n := 1; n <= 7; n++ { // 1 to 5 get 500 for ever
				s.commit(n)
				s.end(unreachable, s.launch()...)
			}
			if !s.breaker.open {
				t.Fatal("five failures of five cases did not open the breaker")
			}
			probed := map[string]bool{}
			for range 3 * 7 {
				s.now = s.wakeAt()
				s.follow()
				for _, m := range s.launch() {
					if probed[m.subject] = true; m.subject == "case/6" {
						s.end(delivered, m)
						if s.breaker.open {
							t.Error("an answer did not close the breaker")
						}
						return
					}
					s.end(unreachable, m)
				}
			}
			t.Errorf("only %d cases are probed; those that are well wait for ever", len(probed))
		})
	}
}

func TestParkedLanesLeaveRoomForNewMessages(t *testing.T) {
	s := newScript(t, endpoint.Policy{Concurrency: 4, Retries: []time.Duration{time.Second}}, defaultLimits)
	s.commit(1, 2, 3, 4)
	s.end(refused, s.launch()...)
	s.now = s.now.Add(time.Minute)
	for _, r := range s.waiting {
		r.loaded = []*message{{Place: r.Place(), subject: r.lane.key, body: &wire.Message{}}}
	}
	s.commit(5, 6, 7, 8)
	retries := 0
	for _, m := range s.launch() {
		if m.retry {
			retries++
		}
	}
	if retries != 2 {
		t.Errorf("%d of 4 requests are retries while new messages wait, want 2", retries)
	}
}

func TestAHungMessageInAFullWindowIsParkedSoThatTheCursorMoves(t *testing.T) {
	s := newScript(t, endpoint.Policy{Concurrency: 2}, limits{window: 4, unsettled: 100, parked: 100})
	s.more = 1
	s.commit(1)
	s.more = 0
	s.commit(2, 3, 4)
	hung := s.launch()[0]
	for range 3 {
		for _, m := range s.launch() {
			s.end(delivered, m)
		}
		for _, l := range s.lanes {
			if m := l.sending; m != nil && m != hung {
				s.end(delivered, m)
			}
		}
	}
	if s.position() != 0 || s.wantsMore() {
		t.Fatalf("position %d, wants more: %v; the window should be full behind the hung message", s.position(), s.wantsMore())
	}
	s.launch()
	if s.rows != 0 {
		t.Fatal("it was parked at once")
	}
	s.now = s.wakeAt()
	s.launch()
	if s.position() != 4 || s.rows != 1 || !s.wantsMore() {
		t.Fatalf("position %d with %d rows, want 4 with 1", s.position(), s.rows)
	}
	s.end(delivered, hung)
	out, _ := s.take(true)
	if len(out.Unpark) != 0 || len(out.Park) != 1 {
		t.Errorf("the lane must look in the journal before it goes on: %+v", out)
	}
	if next := s.launch(); len(next) != 1 || next[0].Message != "msg_1_1" {
		t.Errorf("after the hung message comes %v, want the other one of its entry", next)
	}
}

func TestTooManyParkedLanesStopTheCursor(t *testing.T) {
	s := newScript(t, endpoint.Policy{Concurrency: 8}, limits{window: 100, unsettled: 100, parked: 3})
	s.commit(1, 2, 3)
	s.end(refused, s.launch()...)
	if s.rows != 3 || s.wantsMore() {
		t.Errorf("with %d rows of 3 it wants more: %v", s.rows, s.wantsMore())
	}
}

func TestAMessageThatCannotBeMadeIsDeadAtOnce(t *testing.T) {
	s := newScript(t, endpoint.Policy{}, defaultLimits)
	e := &tailEntry{Entry: &event.Entry{Seq: 1, Subject: "case/1"}}
	e.views[0].bodies = []*wire.Message{{Trigger: wantedTrigger, ID: "msg_1", Err: fmt.Errorf("no snapshot")}}
	e.views[0].once.Do(func() {})
	s.read([]*tailEntry{e}, 1)
	out, ok := s.take(false)
	if !ok || len(out.Dead) != 1 || out.Dead[0].Reason == "" || out.Position != 1 {
		t.Errorf("settlement %+v, want the message dead with its reason, and the cursor past it", out)
	}
}

func TestAMessageThatCannotBeMadeIsGivenUpOnceHoweverOftenItsLaneIsLoaded(t *testing.T) {
	for name, parkedFirst := range map[string]bool{"read before its lane is parked": false, "found by its parked lane": true} {
		t.Run(name, func(t *testing.T) {
			s := newScript(t, endpoint.Policy{Concurrency: 1, Retries: []time.Duration{1, 1, 1, 1, 1}}, defaultLimits)
			s.commit(1)
			if parkedFirst {
				s.end(refused, s.launch()...)
			}
			s.seq++
			e := &tailEntry{Entry: &event.Entry{Seq: s.seq, Subject: "case/1"}}
			e.views[0].bodies = []*wire.Message{{Trigger: wantedTrigger, ID: "msg_bad", Err: fmt.Errorf("no snapshot")}}
			e.views[0].once.Do(func() {})
			s.journal = append(s.journal, e)
			s.follow()
			s.commit(1)
			for range 3 {
				s.now = s.now.Add(time.Minute)
				s.end(refused, s.launch()...)
			}
			out, _ := s.take(true)
			if len(out.Dead) != 1 || out.Dead[0].Message != "msg_bad" {
				t.Errorf("given up: %+v, want msg_bad once", out.Dead)
			}
		})
	}
}

func TestAPositionThatPassedOnlyUnwantedEntriesWaitsForAFlush(t *testing.T) {
	s := newScript(t, endpoint.Policy{}, defaultLimits)
	s.read(nil, 17)
	if _, ok := s.take(false); ok {
		t.Error("an idle endpoint writes at every commit of the others")
	}
	if out, ok := s.take(true); !ok || out.Position != 17 {
		t.Errorf("flushed %+v, %v; want position 17", out, ok)
	}
}

func TestSourcesAreJudgedWhenAMessageIsSent(t *testing.T) {
	read := func(e endpoint.Endpoint) (*script, *machine) {
		m := fresh(e, defaultLimits)
		s := &script{T: t, now: time.Unix(1_800_000_000, 0), machine: m}
		for seq, actor := range []event.Actor{{Source: event.API, TokenID: "tok_own"}, {Source: event.UI}} {
			entry := &tailEntry{Entry: &event.Entry{Seq: int64(seq + 1), Subject: "case/1", Actor: actor}}
			entry.views[0].bodies = []*wire.Message{{Trigger: wantedTrigger, ID: fmt.Sprintf("msg_%d", seq+1)}}
			entry.views[0].once.Do(func() {})
			m.read([]*tailEntry{entry}, entry.Seq)
		}
		return s, m
	}
	e := endpoint.Endpoint{Triggers: []string{wantedTrigger}, Token: "tok_own"}
	if s, _ := read(e); s.launch()[0].Message != "msg_1" {
		t.Error("by default it is not told of programs' activity")
	}
	for name, change := range map[string]func(*endpoint.Endpoint){
		"people's only": func(e *endpoint.Endpoint) { e.Sources = []string{"ui"} },
		"not its own":   func(e *endpoint.Endpoint) { e.IgnoreOwn = true },
	} {
		changed := e
		change(&changed)
		s, m := read(changed)
		sent := s.launch()
		if len(sent) != 1 || sent[0].Message != "msg_2" {
			t.Errorf("%s: %d messages are sent", name, len(sent))
			continue
		}
		s.end(delivered, sent...)
		if m.position() != 2 {
			t.Errorf("%s: what is not wanted holds the cursor at %d", name, m.position())
		}
	}
}

// What this machine could not send stays where it was: no retry is used up, nothing is
// recorded, and the endpoint is not blamed. It is tried again after a moment.
func TestWhatWeLackIsNobodysFault(t *testing.T) {
	for _, order := range []endpoint.Order{endpoint.PerCase, endpoint.Strict, endpoint.None} {
		s := newScript(t, endpoint.Policy{Order: order, Concurrency: 8}, defaultLimits)
		s.commit(1, 2, 3, 4, 5, 6)
		for round := range 20 {
			sent := s.launch()
			if len(sent) == 0 || sent[0].tries != 1 || sent[0].failures != 0 {
				t.Fatalf("%s, round %d: %d messages, %+v", order, round, len(sent), sent)
			}
			for _, msg := range sent {
				s.done(msg, outcome{verdict: notAttempted, lacking: true}, s.now)
			}
			wait := s.wakeAt().Sub(s.now)
			if s.breaker.open || s.watch.Version != 0 || len(s.out.attempts) != 0 || wait <= 0 || wait > 2*longestRest {
				t.Fatalf("%s, round %d: open = %v, health %+v, %d attempts, the next in %v", order, round, s.breaker.open, s.watch.Health, len(s.out.attempts), wait)
			}
			if early := s.launch(); len(early) != 0 {
				t.Fatalf("%s: %d messages are sent without a rest", order, len(early))
			}
			s.now = s.now.Add(wait)
		}
		s.end(delivered, s.launch()...)
		if s.rest != (rest{}) {
			t.Errorf("%s: it rests on: %+v", order, s.rest)
		}
	}
}

// A status is the answer, whatever became of the body behind it.
func TestAStatusIsTheAnswerWhateverBecomesOfTheBody(t *testing.T) {
	for _, class := range []outbound.Class{outbound.Answered, outbound.Protocol, outbound.Closed, outbound.Timeout, outbound.TooLarge, outbound.Cancelled} {
		for status, want := range map[int]verdict{200: delivered, 204: delivered, 299: delivered, 302: refused, 400: refused, 410: gone, 429: unreachable, 503: unreachable} {
			if class == outbound.Cancelled && status >= 300 {
				want = notAttempted
			}
			r := outbound.Result{Status: status, Class: class, Connected: true}
			if got := verdictOf(r); got != want {
				t.Errorf("%d, then %q: %v, want %v", status, class, got, want)
			}
			if got := classOf(r); want == delivered && got != outbound.Answered {
				t.Errorf("%d, then %q: the attempt is recorded as %q", status, class, got)
			}
		}
	}
}
