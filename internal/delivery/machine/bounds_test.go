package machine_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/casehook/casehook/internal/delivery/machine"
	"github.com/casehook/casehook/internal/endpoint"
	"github.com/casehook/casehook/internal/event"
	"github.com/casehook/casehook/internal/wire"
)

// hourly returns a policy by which a failed message waits for an hour.
func hourly(concurrency int) endpoint.Policy {
	return endpoint.Policy{Concurrency: concurrency, Retries: []time.Duration{time.Hour, time.Hour}}
}

func TestTheSecondFailureToConnectOpensTheBreaker(t *testing.T) {
	s := newScript(t, hourly(1), machine.DefaultLimits)
	s.commit(1, 2)
	s.cut(false, s.launch()...)
	if s.gate.Open() {
		t.Error("the first opens it")
	}
	s.cut(false, s.launch()...)
	if !s.gate.Open() {
		t.Error("the second does not")
	}
}

func TestAnAnswerAfterAFailureOfOneCaseBringsNothingForward(t *testing.T) {
	s := newScript(t, hourly(8), machine.DefaultLimits)
	s.commit(1)
	s.cut(true, s.launch()...)
	s.commit(2)
	s.end(machine.Delivered, s.launch()...)
	if sent := s.launch(); len(sent) > 0 {
		t.Errorf("%d messages are tried again; this one may be to blame itself", len(sent))
	}
}

func TestProbesAreSpreadByAFifth(t *testing.T) {
	for jitter, want := range map[float64]time.Duration{
		0: 800 * time.Millisecond, 0.5: time.Second, 1: 1200 * time.Millisecond,
	} {
		s := newScript(t, hourly(8), machine.DefaultLimits)
		s.gate = machine.NewGate(machine.GateConfig{
			Endpoint: endpoint.Endpoint{Triggers: []string{wantedTrigger}},
			Limits:   machine.DefaultLimits,
			Jitter:   func() float64 { return jitter },
			Now:      s.now,
		})
		s.cursor = machine.New(s.gate, machine.CursorState{})
		s.commit(1, 2)
		s.cut(false, s.launch()...)
		if wait := s.cursor.WakeAt().Sub(s.now); wait != want {
			t.Errorf("with a jitter of %v the first probe is after %v, not %v", jitter, wait, want)
		}
	}
}

// An outage without a connection ends with a connection, after a restart, too.
func TestARestartKeepsWhyTheBreakerIsOpen(t *testing.T) {
	for saved, open := range map[endpoint.Breaker]bool{endpoint.Unconnected: false, endpoint.Open: true} {
		e := endpoint.Endpoint{
			Triggers: []string{wantedTrigger}, Health: endpoint.Health{Version: 1, Since: start, Breaker: saved},
		}
		s := scriptOf(t, e, machine.DefaultLimits)
		s.commit(1)
		s.now = s.cursor.WakeAt()
		if s.cut(true, s.launch()...); s.gate.Open() != open {
			t.Errorf("saved as %v: after a failure with a connection, open = %v", saved, s.gate.Open())
		}
	}
}

func TestAReplayReadsUpToItsEnd(t *testing.T) {
	s := newScript(t, endpoint.Policy{}, machine.DefaultLimits)
	s.cursor = machine.NewReplay(s.gate, machine.Range{Until: 2}, machine.CursorState{})
	s.commit(1)
	if !s.cursor.WantsMore() {
		t.Error("it stops before its end")
	}
	s.commit(2)
	if s.cursor.WantsMore() {
		t.Error("it reads on behind its end")
	}
}

// Loading a lane from the journal counts like sending a message.
func TestAGateIsBusyWithMessagesAndWithLoads(t *testing.T) {
	s := newScript(t, hourly(2), machine.DefaultLimits)
	s.commit(1, 2)
	if s.gate.Busy() {
		t.Error("it is busy before it sends")
	}
	sent := s.launch()
	if !s.gate.Busy() {
		t.Error("it is not busy with messages")
	}
	s.end(machine.Refused, sent...)
	if s.gate.Busy() {
		t.Error("it is busy after all are answered")
	}
	s.now = s.now.Add(time.Hour)
	s.commit(3)
	for range 2 {
		step, ok := s.cursor.Next(s.now)
		if !ok || step.Load == nil || !s.gate.Busy() {
			t.Fatalf("%+v; busy with a load: %v", step, s.gate.Busy())
		}
	}
	if step, ok := s.cursor.Next(s.now); ok {
		t.Errorf("a third is under way, and two may be: %+v", step)
	}
}

func TestParkedLanesHaveAllOfTheRoomWhileNothingIsNew(t *testing.T) {
	s := newScript(t, hourly(4), machine.DefaultLimits)
	s.commit(1, 2, 3, 4)
	s.end(machine.Refused, s.launch()...)
	s.now = s.now.Add(time.Hour)
	if sent := s.launch(); len(sent) != 4 {
		t.Errorf("%d of 4 are sent", len(sent))
	}
}

func TestAThrottleEndsWithOneRequestAloneWhateverIsLoaded(t *testing.T) {
	s := newScript(t, hourly(8), machine.DefaultLimits)
	s.commit(1)
	s.end(machine.Refused, s.launch()...)
	s.now = s.now.Add(time.Hour)
	load, _ := s.cursor.Next(s.now)
	s.commit(2, 3, 4)
	sent := s.launch()
	s.throttle(429, time.Minute, sent[0])
	s.end(machine.Delivered, sent[1])
	s.commit(5)
	s.now = s.now.Add(time.Minute)
	if more := s.launch(); load.Load == nil || len(sent) != 3 || len(more) > 0 {
		t.Errorf("%+v, %d were sent, and %d more while one is under way", load, len(sent), len(more))
	}
}

// The endpoint answers 410 while other messages are under way.
func TestNothingCountsAgainstAMessageOfAnEndpointThatIsGone(t *testing.T) {
	s := newScript(t, hourly(8), machine.DefaultLimits)
	s.commit(1, 2, 3, 4)
	sent := s.launch()
	s.end(machine.Gone, sent[0])
	s.end(machine.Unreachable, sent[1])
	s.end(machine.Refused, sent[2])
	s.end(machine.Delivered, sent[3])
	for i, want := range []int{0, 0, 1, 0} {
		if got := sent[i].Failures(); got != want {
			t.Errorf("case %d has %d failures, not %d", i+1, got, want)
		}
	}
	if out := s.collect(); len(out.Park) != 1 || out.Park[0].Subject != "case/3" || out.Position != 0 {
		t.Errorf("%+v; what was refused waits for its next try, and the others where they were", out)
	}
}

func TestAnEndpointFailsAfterTenMinutesAndIsDisabledAfterItsTime(t *testing.T) {
	s := followed(t, endpoint.Health{}, endpoint.Policy{Order: endpoint.Strict, Retries: []time.Duration{
		10*time.Minute - 1, 1, fiveDays - 10*time.Minute - 1, 1, time.Hour,
	}})
	s.commit(1)
	for _, want := range []struct {
		after time.Duration
		facts string
	}{
		{0, ""}, {10*time.Minute - 1, ""}, {10 * time.Minute, "failing"}, {fiveDays - 1, "failing"},
		{fiveDays, "failing disabled"},
	} {
		s.now = start.Add(want.after)
		if s.cut(true, s.launch()...); s.facts() != want.facts {
			t.Fatalf("after %v the facts are %q, want %q", want.after, s.facts(), want.facts)
		}
	}
}

func TestAWorkerSeesAnEndpointFailForTenMinutesBeforeItDisablesIt(t *testing.T) {
	since := start.Add(-30 * 24 * time.Hour)
	h := endpoint.Health{Version: 8, Since: since, Counted: since, Notable: true, Reported: true}
	s := followed(t, h, endpoint.Policy{Order: endpoint.Strict, Retries: []time.Duration{
		10*time.Minute - 1, 1, time.Hour,
	}})
	s.commit(1)
	for _, want := range []struct {
		after time.Duration
		gone  bool
	}{{0, false}, {10*time.Minute - 1, false}, {10 * time.Minute, true}} {
		s.now = start.Add(want.after)
		if s.cut(true, s.launch()...); s.gate.Gone() != want.gone {
			t.Fatalf("after %v, disabled = %v", want.after, s.gate.Gone())
		}
	}
}

func TestAnEndpointThatRefusesEverythingFailsAfterTenMinutes(t *testing.T) {
	s := followed(t, endpoint.Health{}, endpoint.Policy{Retries: []time.Duration{}})
	for _, want := range []struct {
		after time.Duration
		facts string
	}{{0, ""}, {10*time.Minute - 1, ""}, {10 * time.Minute, "failing"}} {
		s.now = start.Add(want.after)
		s.commit(1, 2)
		for sent := s.launch(); len(sent) > 0; sent = s.launch() {
			s.end(machine.Refused, sent...)
		}
		if s.facts() != want.facts {
			t.Fatalf("after %v the facts are %q, want %q", want.after, s.facts(), want.facts)
		}
	}
}

// The head of a lane at the position was read before the restart; that of one above it is read again.
func TestARestoredLaneIsDormantIfItsHeadIsAboveThePosition(t *testing.T) {
	s := newScript(t, hourly(8), machine.DefaultLimits)
	s.cursor = machine.New(s.gate, machine.CursorState{Position: 5, Parked: []machine.ParkedMessage{
		{Lane: "case/1", Seq: 5, Message: "msg_5", Due: start}, {Lane: "case/2", Seq: 6, Message: "msg_6", Due: start},
	}})
	if state := s.cursor.State(); state.Waiting != 1 || state.Dormant != 1 {
		t.Errorf("%+v, want one that waits and one that is dormant", state)
	}
	m := wire.Message{Trigger: wantedTrigger, ID: "msg_6"}
	s.cursor.Read([]*machine.Entry{entryOf(&event.Entry{Seq: 6, Subject: "case/2"}, m)}, 6)
	if state := s.cursor.State(); state.Waiting != 2 || state.Dormant != 0 {
		t.Errorf("%+v, want two that wait", state)
	}
}

// After failures of our own machine a gate rests for a quarter of a second, then for twice as long, up to five seconds.
// Messages that were under way together cause one rest.
func TestRestsBecomeLonger(t *testing.T) {
	s := newScript(t, hourly(2), machine.DefaultLimits)
	s.commit(1, 2, 3)
	for _, want := range []time.Duration{250, 500, 1000, 2000, 4000, 5000, 5000} {
		sent := s.launch()
		if len(sent) != 2 {
			t.Fatalf("%d are sent", len(sent))
		}
		s.finish(machine.Outcome{Verdict: machine.NotAttempted, Lacking: true}, sent...)
		if wait := s.wait(); wait != want*time.Millisecond {
			t.Fatalf("it rests for %v, not %v", wait, want*time.Millisecond)
		}
	}
}

// A quarter of an endpoint's places is one, and so is half of one.
func TestReplaysHaveHalfOfThePlacesAndNeverAll(t *testing.T) {
	for concurrency, want := range map[int]struct{ both, alone int }{1: {1, 1}, 2: {1, 1}, 5: {2, 4}, 8: {4, 7}} {
		for _, news := range []bool{true, false} {
			s := newScript(t, endpoint.Policy{Order: endpoint.None, Concurrency: concurrency}, machine.DefaultLimits)
			s.commit(1, 2, 3, 4, 5, 6, 7, 8, 9)
			live := s.cursor
			if !news {
				live = machine.New(s.gate, machine.CursorState{Position: 9})
			}
			s.cursor = machine.NewReplay(s.gate, machine.Range{Until: 9}, machine.CursorState{})
			s.follow()
			r := machine.NewRotation(live)
			r.SetReplays([]*machine.Cursor{s.cursor})
			sent := map[*machine.Cursor]int{}
			for range 20 {
				if c, _, ok := r.Next(s.now); ok {
					sent[c]++
				}
			}
			most := want.alone
			if news {
				most = want.both
			}
			if sent[s.cursor] != most || news && sent[live] != concurrency-most {
				t.Errorf("of %d places, with news %v, %d are a replay's and %d the live cursor's; want %d", concurrency,
					news, sent[s.cursor], sent[live], most)
			}
		}
	}
}

func TestReplaysTakeTurns(t *testing.T) {
	s := newScript(t, endpoint.Policy{Order: endpoint.None, Concurrency: 8}, machine.DefaultLimits)
	s.commit(1, 2, 3, 4)
	var replays []*machine.Cursor
	for range 3 {
		s.cursor = machine.NewReplay(s.gate, machine.Range{Until: 4}, machine.CursorState{})
		s.follow()
		replays = append(replays, s.cursor)
	}
	r := machine.NewRotation(machine.New(s.gate, machine.CursorState{Position: 4}))
	r.SetReplays(replays)
	for i := range 7 {
		if c, _, ok := r.Next(s.now); !ok || c != replays[i%3] {
			t.Errorf("the turn after %d is not that of the next replay", i)
		}
	}
}

// A burst has the requests of a second, rounded down.
func TestARateLimitHasTheBurstOfASecond(t *testing.T) {
	for limit, want := range map[float64]int{0.5: 1, 1: 1, 1.9: 1, 2: 2, 3.5: 3} {
		s := newScript(t, endpoint.Policy{Concurrency: 64, RateLimit: limit}, machine.DefaultLimits)
		s.commit(1, 2, 3, 4, 5)
		if sent := s.launch(); len(sent) != want {
			t.Errorf("%v per second: %d at once, not %d", limit, len(sent), want)
		}
		if at := s.cursor.WakeAt(); !at.After(s.now) {
			t.Errorf("%v per second: it wakes at once", limit)
		}
	}
}

func TestACursorWithoutMessagesSleepsUntilItHasSome(t *testing.T) {
	s := newScript(t, endpoint.Policy{}, machine.DefaultLimits)
	s.commit(1)
	s.end(machine.Delivered, s.launch()...)
	live := s.cursor
	s.cursor = machine.NewReplay(s.gate, machine.Range{Until: 1}, machine.CursorState{})
	s.follow()
	s.throttle(429, time.Hour, s.launch()...)
	if at := s.cursor.WakeAt(); at.Before(s.now.Add(time.Hour)) {
		t.Errorf("the replay wakes at %v", at)
	}
	if at := live.WakeAt(); !at.IsZero() {
		t.Errorf("it wakes at %v when its endpoint takes requests again, and has none", at)
	}
}

func TestTheFirstParkedMessageIsTriedAtOnceOnRequest(t *testing.T) {
	s := newScript(t, endpoint.Policy{}, machine.DefaultLimits)
	s.commit(1, 2)
	s.end(machine.Refused, s.launch()...)
	for _, message := range []string{"msg_1_0", "msg_2_0"} {
		s.cursor.RequestRepair(machine.RepairRequest{Message: message})
	}
	s.cursor.Repair(s.now)
	if sent := s.launch(); len(sent) != 2 {
		t.Errorf("%d of two are sent", len(sent))
	}
}

func TestADroppedMessageIsFollowedByTheNextOfItsCase(t *testing.T) {
	s := newScript(t, endpoint.Policy{}, machine.DefaultLimits)
	s.commit(1, 1)
	s.end(machine.Refused, s.launch()...)
	s.wait()
	s.end(machine.Refused, s.launch()...) // both had been found in the journal
	s.cursor.RequestRepair(machine.RepairRequest{Message: "msg_1_0", Drop: true})
	s.cursor.Repair(s.now)
	if sent := s.launch(); len(sent) != 1 || sent[0].ID != "msg_2_0" {
		t.Errorf("%d messages are sent", len(sent))
	}
}

func TestAReplaysWindowHas128EntriesAndALiveOneItsLimit(t *testing.T) {
	s := newScript(t, endpoint.Policy{}, machine.Limits{Window: 200, Unsettled: 500, Parked: 100})
	for range 300 {
		s.commit(1)
	}
	if s.cursor.ReadTo() != 200 {
		t.Errorf("the live cursor has read %d entries", s.cursor.ReadTo())
	}
	s.cursor = machine.NewReplay(s.gate, machine.Range{Until: 300}, machine.CursorState{})
	s.follow()
	if s.cursor.ReadTo() != 128 {
		t.Errorf("a replay has read %d entries", s.cursor.ReadTo())
	}
}

// An entry without owed messages takes no place in the window.
func TestOnlyEntriesWithMessagesFillTheWindow(t *testing.T) {
	for _, test := range []struct {
		name     string
		triggers []string
		full     bool
	}{
		{"both unwanted", []string{wantedTrigger, otherTrigger, otherTrigger}, false},
		{"one unwanted", []string{wantedTrigger, otherTrigger, wantedTrigger}, true},
	} {
		s := newScript(t, endpoint.Policy{}, machine.Limits{Window: 2, Unsettled: 8, Parked: 8})
		for _, trigger := range test.triggers {
			s.append("case/1", wire.Message{Trigger: trigger, ID: fmt.Sprintf("msg_%d", s.seq+1)})
		}
		if s.cursor.ReadTo() != 3 || s.cursor.WantsMore() == test.full {
			t.Errorf("%s: it has read up to %d and wants more: %v", test.name, s.cursor.ReadTo(), s.cursor.WantsMore())
		}
	}
}

// Only a 429 with a time makes the next request wait for those under way.
func TestAnAnswer429WithoutATimeLeavesTheOthersUnderWayAlone(t *testing.T) {
	for asked, want := range map[time.Duration]int{0: 1, time.Nanosecond: 0} {
		s := newScript(t, endpoint.Policy{Concurrency: 2}, machine.DefaultLimits)
		s.commit(1, 2, 3)
		s.throttle(429, asked, s.launch()[0])
		s.now = s.now.Add(time.Second)
		if sent := s.launch(); len(sent) != want {
			t.Errorf("asked for %v: %d messages are sent beside the one under way, want %d", asked, len(sent), want)
		}
	}
}

// The order was strict when the head failed. Under the present order the head keeps its tries and its due time.
func TestAHeadParkedUnderTheStrictOrderWaitsOnUnderAnother(t *testing.T) {
	for order, lane := range map[endpoint.Order]string{endpoint.PerCase: "case/2", endpoint.None: "msg_2_0"} {
		s := newScript(t, endpoint.Policy{Order: order}, machine.DefaultLimits)
		parked := machine.ParkedMessage{
			Seq: 2, Message: "msg_2_0", Subject: "case/2", Tries: 3, Failures: 2, Due: start.Add(time.Hour), Reason: "because",
		}
		s.cursor = machine.New(s.gate, machine.CursorState{Parked: []machine.ParkedMessage{parked}})
		s.commit(1, 2, 3)
		var sent []string
		for _, m := range s.launch() {
			sent = append(sent, m.ID)
		}
		if diff := cmp.Diff([]string{"msg_1_0", "msg_3_0"}, sent); diff != "" {
			t.Errorf("%s: sent at once (-want +got):\n%s", order, diff)
		}
		out := s.collect()
		parked.Lane = lane
		diff := cmp.Diff([]machine.ParkedMessage{parked}, out.Park)
		if diff != "" || !slices.Equal(out.Unpark, []string{""}) {
			t.Errorf("%s: %q are no longer parked; parked (-want +got):\n%s", order, out.Unpark, diff)
		}
	}
}
