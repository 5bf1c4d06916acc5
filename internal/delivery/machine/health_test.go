package machine_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/casehook/casehook/internal/casetype"
	"github.com/casehook/casehook/internal/delivery/machine"
	"github.com/casehook/casehook/internal/endpoint"
	"github.com/casehook/casehook/internal/event"
	"github.com/casehook/casehook/internal/wire"
)

const fiveDays = 5 * 24 * time.Hour

// followed returns a script of an endpoint whose health is followed.
func followed(t *testing.T, h endpoint.Health, p endpoint.Policy) *script {
	e := endpoint.Endpoint{
		ID:        self,
		Tenant:    7,
		URL:       "https://hooks.example.com/x?key=secret",
		Revision:  3,
		Triggers:  []string{wantedTrigger},
		Policy:    p,
		Health:    h,
		Clearance: casetype.Private,
	}
	s := &script{t: t, now: start, gate: gateOf(e, machine.DefaultLimits, fiveDays, start)}
	s.cursor = machine.New(s.gate, machine.CursorState{})
	return s
}

// entries lists the entries about the endpoint.
func (s *script) entries() (all []*event.Entry) {
	s.collect()
	for _, c := range s.health {
		if c.Entry != nil {
			all = append(all, c.Entry)
		}
	}
	return all
}

// facts lists the facts about the endpoint.
func (s *script) facts() string {
	var facts []string
	for _, e := range s.entries() {
		facts = append(facts, strings.TrimPrefix(e.Facts[0].Name, "endpoint."))
	}
	return strings.Join(facts, " ")
}

// outage fails every probe for some time.
func (s *script) outage(d time.Duration) {
	s.t.Helper()
	for end := s.now.Add(d); s.now.Before(end) && !s.gate.Gone(); s.settle() {
		s.follow()
		s.cut(true, s.launch()...)
		s.wait()
	}
}

func TestAnOutageIsReportedOnceAndSoIsItsEnd(t *testing.T) {
	s := followed(t, endpoint.Health{}, endpoint.Policy{})
	begun := s.now
	s.commit(1, 2, 3, 4, 5, 6)
	s.outage(time.Hour)
	if s.facts() != "failing" || s.Condition() != endpoint.Failing {
		t.Fatalf("after an hour's outage it is %s, with the facts %q", s.Condition(), s.facts())
	}
	s.end(machine.Delivered, s.launch()...)
	if s.facts() != "failing recovered" || s.Condition() != endpoint.Healthy {
		t.Fatalf("when it is back it is %s, with the facts %q", s.Condition(), s.facts())
	}
	entries := s.entries()
	for _, e := range entries {
		want := &event.Entry{
			Tenant:  7,
			Subject: "endpoint/" + self,
			Actor:   event.Actor{Source: event.System, Name: "Casehook"},
			Snapshot: event.Snapshot{Endpoint: &event.Endpoint{
				ID: self, URL: "https://hooks.example.com/x", Since: begun.UTC(), Reason: "because", Class: "PRIVATE",
			}},
		}
		if diff := cmp.Diff(want, e, cmpopts.IgnoreFields(event.Entry{}, "Version", "At", "Facts")); diff != "" {
			t.Errorf("entry (-want +got):\n%s", diff)
		}
	}
	if entries[0].Version >= entries[1].Version {
		t.Errorf("the versions are %d and %d", entries[0].Version, entries[1].Version)
	}
}

// Condition returns the condition by the facts.
func (s *script) Condition() endpoint.Condition {
	return endpoint.Endpoint{Health: s.gate.Health()}.Condition()
}

func TestAFailureOrTwoAreNotReported(t *testing.T) {
	s := followed(t, endpoint.Health{}, endpoint.Policy{})
	s.commit(1, 2)
	s.cut(true, s.launch()...)
	if s.facts() != "" || s.Condition() != endpoint.Unsteady {
		t.Errorf("it is %s, with the facts %q", s.Condition(), s.facts())
	}
	s.now = s.cursor.WakeAt()
	s.end(machine.Refused, s.launch()...) // a refusal shows that the endpoint is up
	if s.facts() != "" || s.Condition() != endpoint.Healthy {
		t.Errorf("it is %s, with the facts %q", s.Condition(), s.facts())
	}
}

func TestOneFailingCaseIsReportedAfterAWhile(t *testing.T) {
	s := followed(t, endpoint.Health{}, endpoint.Policy{Order: endpoint.Strict})
	s.commit(1)
	for range 5 {
		if s.facts() != "" {
			t.Fatalf("facts %q after %v", s.facts(), s.now.Sub(s.gate.Health().Since))
		}
		s.cut(true, s.launch()...)
		s.now = s.cursor.WakeAt()
	}
	if s.gate.Open() || s.facts() != "failing" {
		t.Errorf("open = %v, facts %q after %v", s.gate.Open(), s.facts(), s.now.Sub(s.gate.Health().Since))
	}
}

func TestAnEndpointIsDisabledAfterFiveDaysOfFailure(t *testing.T) {
	s := followed(t, endpoint.Health{}, endpoint.Policy{})
	begun := s.now
	s.commit(1, 2, 3, 4, 5, 6)
	s.outage(fiveDays - time.Hour)
	if s.gate.Gone() {
		t.Fatalf("it is disabled after %v", s.now.Sub(begun))
	}
	s.outage(2 * time.Hour)
	if took := s.now.Sub(begun); !s.gate.Gone() || took < fiveDays || took > fiveDays+2*time.Minute {
		t.Fatalf("disabled = %v after %v", s.gate.Gone(), took)
	}
	out := s.collect()
	last := out.Health[len(out.Health)-1]
	if !last.Disable || last.Revision != 3 || last.Entry.Facts[0].Name != "endpoint.disabled" {
		t.Errorf("the last change is %+v", last)
	}
	if since := last.Entry.Snapshot.Endpoint.Since; !since.Equal(begun) {
		t.Errorf("it has failed since %v, not %v", since, begun)
	}
	if len(out.Dead) > 0 || out.Position+int64(len(out.Park)) < 4 || len(s.launch()) > 0 || s.cursor.WantsMore() {
		t.Errorf("position %d, parked %d, dead %d; nothing may be lost or sent", out.Position, len(out.Park),
			len(out.Dead))
	}
}

func TestARestartForgetsNeitherAnOutageNorItsReport(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	since := now.Add(-fiveDays + 20*time.Minute)
	h := endpoint.Health{Version: 8, Since: since, Counted: since, Reported: true, Breaker: endpoint.Open}
	s := followed(t, h, endpoint.Policy{Concurrency: 8})
	s.commit(1, 2, 3, 4, 5, 6)
	if len(s.launch()) > 0 {
		t.Fatal("the outage begins anew: messages use up retries")
	}
	s.now = s.cursor.WakeAt()
	probe := s.launch()
	if len(probe) != 1 || !probe[0].Probe() {
		t.Fatalf("%d messages are sent, want one probe", len(probe))
	}
	s.cut(true, probe...)
	s.outage(time.Hour)
	if s.facts() != "disabled" || s.now.Sub(since) > fiveDays+2*time.Minute {
		t.Errorf("facts %q after %v", s.facts(), s.now.Sub(since))
	}
	back := followed(t, h, endpoint.Policy{})
	back.commit(1)
	back.now = back.cursor.WakeAt()
	back.end(machine.Delivered, back.launch()...)
	if back.facts() != "recovered" {
		t.Errorf("after the restart: facts %q", back.facts())
	}
}

func TestTheFirstFailuresAfterALongTimeAwayDisableNothing(t *testing.T) {
	since := time.Unix(1_800_000_000, 0).Add(-30 * 24 * time.Hour)
	s := followed(t, endpoint.Health{Version: 8, Since: since, Counted: since}, endpoint.Policy{})
	s.commit(1, 2, 3, 4, 5, 6)
	s.outage(9 * time.Minute)
	if s.gate.Gone() {
		t.Fatal("it is disabled for a month in which our process was down")
	}
	s.outage(10 * time.Minute)
	if !s.gate.Gone() {
		t.Error("it goes on failing, and is not disabled")
	}
}

func TestAnEnabledEndpointHasItsFullTime(t *testing.T) {
	since := time.Unix(1_800_000_000, 0).Add(-30 * 24 * time.Hour)
	s := followed(t, endpoint.Health{Version: 8, Since: since, Reported: true}, endpoint.Policy{})
	s.commit(1, 2, 3, 4, 5, 6)
	s.outage(fiveDays - time.Hour)
	if s.gate.Gone() || s.facts() != "" {
		t.Fatalf("disabled = %v, facts %q", s.gate.Gone(), s.facts())
	}
	s.outage(2 * time.Hour)
	if s.facts() != "disabled" {
		t.Errorf("facts %q", s.facts())
	}
}

func TestGoneIsReportedAtOnce(t *testing.T) {
	s := followed(t, endpoint.Health{}, endpoint.Policy{})
	s.commit(1, 2)
	sent := s.launch()
	s.end(machine.Gone, sent[0])
	s.end(machine.Gone, sent[1:]...)
	if s.facts() != "disabled" || s.gate.Health().Reason != "410 Gone" || !s.gate.Health().Since.Equal(s.now) {
		t.Errorf("facts %q because of %q since %v", s.facts(), s.gate.Health().Reason, s.gate.Health().Since)
	}
}

// commitAbout feeds entries about endpoints.
func (s *script) commitAbout(ids ...string) {
	for _, id := range ids {
		s.append(event.EndpointSubject(id), wire.Message{Trigger: wantedTrigger, ID: "msg_" + id})
	}
}

// untilGone ends all messages in one way until the endpoint is disabled.
func (s *script) untilGone(end func(*script, ...*machine.Message)) {
	s.t.Helper()
	for begun := s.now; !s.gate.Gone() && s.now.Sub(begun) < 2*fiveDays; s.settle() {
		s.follow()
		end(s, s.launch()...)
		s.wait()
	}
}

// unconnected ends messages without a connection.
func unconnected(s *script, all ...*machine.Message) { s.cut(false, all...) }

func TestFailuresOfMessagesAboutEndpointsAreNotReported(t *testing.T) {
	for name, end := range map[string]func(*script, ...*machine.Message){
		"gone": func(s *script, all ...*machine.Message) { s.end(machine.Gone, all...) },
		"down": unconnected,
	} {
		t.Run(name, func(t *testing.T) {
			s := followed(t, endpoint.Health{}, endpoint.Policy{})
			s.commitAbout("ep_other")
			s.untilGone(end)
			if s.facts() != "" || !s.gate.Gone() || len(s.health) == 0 || !s.health[len(s.health)-1].Disable {
				t.Errorf("disabled = %v, facts %q", s.gate.Gone(), s.facts())
			}
		})
	}
}

// saved returns the last saved health.
func (s *script) saved() endpoint.Health {
	s.collect()
	return s.health[len(s.health)-1].Health
}

// goOn returns a script of another worker that continues from a health.
func (s *script) goOn(h endpoint.Health) *script {
	s.collect()
	again := followed(s.t, h, endpoint.Policy{})
	again.now, again.health = s.now, s.health
	return again
}

// recounted returns the health of an endpoint after it is enabled again, as store.Tx.Recount does.
func recounted(h endpoint.Health) endpoint.Health {
	h.Version++
	h.Counted, h.Notable, h.Breaker = time.Time{}, false, endpoint.Closed
	return h
}

func TestARestartRemembersAtWhichMessagesAnEndpointFailed(t *testing.T) {
	// It was reported as disabled. It is enabled again, and its failures count anew.
	enabled := endpoint.Health{Version: 8, Since: start.Add(-30 * 24 * time.Hour), Reported: true}
	for name, test := range map[string]struct {
		saved  endpoint.Health
		commit func(*script) // the failures before the restart
		want   string        // the facts in the end
	}{
		"an endpoint":                 {endpoint.Health{}, func(s *script) { s.commitAbout("ep_other") }, ""},
		"an endpoint, after its fact": {enabled, func(s *script) { s.commitAbout("ep_other") }, ""},
		"a case":                      {endpoint.Health{}, func(s *script) { s.commit(1) }, "failing disabled"},
		"a case, after its fact":      {enabled, func(s *script) { s.commit(1) }, "disabled"},
	} {
		t.Run(name, func(t *testing.T) {
			s := followed(t, test.saved, endpoint.Policy{})
			test.commit(s)
			unconnected(s, s.launch()...)
			again := s.goOn(s.saved())
			again.commitAbout("ep_other")
			again.untilGone(unconnected)
			if !again.gate.Gone() || again.facts() != test.want {
				t.Errorf("disabled = %v, facts %q, want %q", again.gate.Gone(), again.facts(), test.want)
			}
		})
	}
}

func TestTheRecoveryIsReportedOfAnEndpointDisabledForOperationalMessages(t *testing.T) {
	s := followed(t, endpoint.Health{}, endpoint.Policy{})
	s.commit(1)
	s.untilGone(unconnected)
	for range 2 { // it is enabled, and its failures now are not reported
		s = s.goOn(recounted(s.saved()))
		s.commitAbout("ep_other")
		s.untilGone(unconnected)
	}
	s = s.goOn(recounted(s.saved()))
	s.commit(1)
	s.end(machine.Delivered, s.launch()...)
	if s.facts() != "failing disabled recovered" {
		t.Errorf("facts %q", s.facts())
	}
}

func TestAnEndpointGetsNoMessageAboutItself(t *testing.T) {
	s := followed(t, endpoint.Health{}, endpoint.Policy{})
	s.commitAbout(self, "ep_other")
	if sent := s.launch(); len(sent) != 1 || sent[0].Subject != "endpoint/ep_other" {
		t.Errorf("%d messages are sent", len(sent))
	}
}

// refuse refuses a message of each case for some time.
func (s *script) refuse(d time.Duration, cases ...int) {
	s.t.Helper()
	for end := s.now.Add(d); s.now.Before(end); s.now = s.now.Add(time.Minute) {
		s.commit(cases...)
		for sent := s.launch(); len(sent) > 0; sent = s.launch() {
			s.end(machine.Refused, sent...)
		}
		s.settle()
	}
}

func TestAnEndpointThatRefusesEverythingIsReportedAndRecovers(t *testing.T) {
	never := endpoint.Policy{Retries: []time.Duration{}}
	s := followed(t, endpoint.Health{}, never)
	s.refuse(9*time.Minute, 1, 2)
	if s.facts() != "" || s.Condition() != endpoint.Healthy {
		t.Fatalf("after nine minutes it is %s, with the facts %q", s.Condition(), s.facts())
	}
	s.refuse(5*time.Minute, 1, 2)
	type known struct {
		Facts, Reason string
		Condition     endpoint.Condition
	}
	want := known{"failing", "because", endpoint.Refusing}
	if diff := cmp.Diff(want, known{s.facts(), s.gate.Health().Reason, s.Condition()}); diff != "" {
		t.Fatalf("after a while (-want +got):\n%s", diff)
	}
	saved := s.gate.Health()
	again := followed(t, saved, never) // another node continues
	again.now = s.now
	again.refuse(2*time.Minute, 1)
	again.commit(1)
	again.cut(true, again.launch()...)
	if again.facts() != "" || again.Condition() != endpoint.Refusing {
		t.Errorf("on another node it is %s, with the facts %q", again.Condition(), again.facts())
	}
	s.commit(3)
	s.end(machine.Delivered, s.launch()...)
	if s.facts() != "failing recovered" || s.Condition() != endpoint.Healthy {
		t.Errorf("when it takes a message it is %s, with the facts %q", s.Condition(), s.facts())
	}
}

func TestAnEndpointThatRefusesEverythingHasItsFullTimeWhenItFails(t *testing.T) {
	s := followed(t, endpoint.Health{}, endpoint.Policy{Retries: []time.Duration{}})
	s.refuse(15*time.Minute, 1, 2)
	s.commit(1)
	s.cut(true, s.launch()...)
	s.settle()
	s.refuse(fiveDays, 1, 2)
	s.commit(1, 2, 3, 4, 5, 6)
	s.outage(time.Hour)
	if s.gate.Gone() || s.facts() != "failing" {
		t.Errorf("disabled = %v after an hour, with the facts %q", s.gate.Gone(), s.facts())
	}
}

func TestRefusalsOfOneCaseOrAmongOthersAreNotReported(t *testing.T) {
	never := endpoint.Policy{Retries: []time.Duration{}}
	s := followed(t, endpoint.Health{}, never)
	s.refuse(time.Hour, 1)
	if s.facts() != "" || s.Condition() != endpoint.Healthy {
		t.Errorf("when it refuses one case it is %s, with the facts %q", s.Condition(), s.facts())
	}
	for range 20 {
		s.commit(3)
		s.end(machine.Delivered, s.launch()...)
		s.refuse(5*time.Minute, 1, 2)
	}
	if s.facts() != "" || s.Condition() != endpoint.Healthy {
		t.Errorf("when it takes some it is %s, with the facts %q", s.Condition(), s.facts())
	}
}
