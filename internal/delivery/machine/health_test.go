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

// followed is a script of an endpoint whose health is followed.
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

// noted lists the entries about the endpoint that were noted.
func (s *script) noted() (all []*event.Entry) {
	s.collect()
	for _, c := range s.health {
		if c.Entry != nil {
			all = append(all, c.Entry)
		}
	}
	return all
}

// facts lists the facts that were noted about the endpoint.
func (s *script) facts() string {
	var facts []string
	for _, e := range s.noted() {
		facts = append(facts, strings.TrimPrefix(e.Facts[0].Name, "endpoint."))
	}
	return strings.Join(facts, " ")
}

// outage has every probe fail for some time.
func (s *script) outage(d time.Duration) {
	s.t.Helper()
	for end := s.now.Add(d); s.now.Before(end) && !s.gate.Gone(); s.settle() {
		s.follow()
		s.cut(true, s.launch()...)
		s.wait()
	}
}

func TestOthersAreToldOnceThatAnEndpointFailsAndOnceThatItIsBack(t *testing.T) {
	s := followed(t, endpoint.Health{}, endpoint.Policy{})
	begun := s.now
	s.commit(1, 2, 3, 4, 5, 6)
	s.outage(time.Hour)
	if s.facts() != "failing" || s.Condition() != endpoint.Failing {
		t.Fatalf("after an hour's outage it is %s, and told: %q", s.Condition(), s.facts())
	}
	s.end(machine.Delivered, s.launch()...)
	if s.facts() != "failing recovered" || s.Condition() != endpoint.Healthy {
		t.Fatalf("when it is back it is %s, and told: %q", s.Condition(), s.facts())
	}
	told := s.noted()
	for _, e := range told {
		want := &event.Entry{
			Tenant:  7,
			Subject: "endpoint/" + self,
			Actor:   event.Actor{Source: event.System, Name: "Casehook"},
			Snapshot: event.Snapshot{Endpoint: &event.Endpoint{
				ID: self, URL: "https://hooks.example.com/x", Since: begun.UTC(), Reason: "because", Class: "PRIVATE",
			}},
		}
		if diff := cmp.Diff(want, e, cmpopts.IgnoreFields(event.Entry{}, "Version", "At", "Facts")); diff != "" {
			t.Errorf("noted (-want +got):\n%s", diff)
		}
	}
	if told[0].Version >= told[1].Version {
		t.Errorf("the versions are %d and %d", told[0].Version, told[1].Version)
	}
}

// Condition sums up what was noted.
func (s *script) Condition() endpoint.Condition {
	return endpoint.Endpoint{Health: s.gate.Health()}.Condition()
}

func TestAFailureOrTwoAreToldToNobody(t *testing.T) {
	s := followed(t, endpoint.Health{}, endpoint.Policy{})
	s.commit(1, 2)
	s.cut(true, s.launch()...)
	if s.facts() != "" || s.Condition() != endpoint.Unsteady {
		t.Errorf("it is %s, and told: %q", s.Condition(), s.facts())
	}
	s.now = s.cursor.WakeAt()
	s.end(machine.Refused, s.launch()...) // a refusal shows that it is there
	if s.facts() != "" || s.Condition() != endpoint.Healthy {
		t.Errorf("it is %s, and told: %q", s.Condition(), s.facts())
	}
}

func TestOneFailingCaseIsToldOfAfterAWhile(t *testing.T) {
	s := followed(t, endpoint.Health{}, endpoint.Policy{Order: endpoint.Strict})
	s.commit(1)
	for range 5 {
		if s.facts() != "" {
			t.Fatalf("told: %q after %v", s.facts(), s.now.Sub(s.gate.Health().Since))
		}
		s.cut(true, s.launch()...)
		s.now = s.cursor.WakeAt()
	}
	if s.gate.Open() || s.facts() != "failing" {
		t.Errorf("open = %v, told: %q after %v", s.gate.Open(), s.facts(), s.now.Sub(s.gate.Health().Since))
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
		t.Errorf("it fails since %v, not %v", since, begun)
	}
	if len(out.Dead) > 0 || out.Position+int64(len(out.Park)) < 4 || len(s.launch()) > 0 || s.cursor.WantsMore() {
		t.Errorf("position %d, parked %d, dead %d; nothing may be lost or sent", out.Position, len(out.Park),
			len(out.Dead))
	}
}

func TestARestartForgetsNeitherAnOutageNorWhatWasTold(t *testing.T) {
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
		t.Errorf("told: %q after %v", s.facts(), s.now.Sub(since))
	}
	back := followed(t, h, endpoint.Policy{})
	back.commit(1)
	back.now = back.cursor.WakeAt()
	back.end(machine.Delivered, back.launch()...)
	if back.facts() != "recovered" {
		t.Errorf("told after the restart: %q", back.facts())
	}
}

func TestTheFirstFailuresAfterALongTimeAwayDisableNothing(t *testing.T) {
	since := time.Unix(1_800_000_000, 0).Add(-30 * 24 * time.Hour)
	s := followed(t, endpoint.Health{Version: 8, Since: since, Counted: since}, endpoint.Policy{})
	s.commit(1, 2, 3, 4, 5, 6)
	s.outage(9 * time.Minute)
	if s.gate.Gone() {
		t.Fatal("we were away for a month, and it is disabled for that")
	}
	s.outage(10 * time.Minute)
	if !s.gate.Gone() {
		t.Error("it goes on failing, and is not disabled")
	}
}

func TestWhoEnablesAnEndpointGivesItItsFullTime(t *testing.T) {
	since := time.Unix(1_800_000_000, 0).Add(-30 * 24 * time.Hour)
	s := followed(t, endpoint.Health{Version: 8, Since: since, Reported: true}, endpoint.Policy{})
	s.commit(1, 2, 3, 4, 5, 6)
	s.outage(fiveDays - time.Hour)
	if s.gate.Gone() || s.facts() != "" {
		t.Fatalf("disabled = %v, told: %q", s.gate.Gone(), s.facts())
	}
	s.outage(2 * time.Hour)
	if s.facts() != "disabled" {
		t.Errorf("told: %q", s.facts())
	}
}

func TestGoneIsToldAtOnce(t *testing.T) {
	s := followed(t, endpoint.Health{}, endpoint.Policy{})
	s.commit(1, 2)
	sent := s.launch()
	s.end(machine.Gone, sent[0])
	s.end(machine.Gone, sent[1:]...)
	if s.facts() != "disabled" || s.gate.Health().Reason != "410 Gone" || !s.gate.Health().Since.Equal(s.now) {
		t.Errorf("told: %q because of %q since %v", s.facts(), s.gate.Health().Reason, s.gate.Health().Since)
	}
}

// commitAbout reads entries about endpoints.
func (s *script) commitAbout(ids ...string) {
	for _, id := range ids {
		s.append(event.EndpointSubject(id), wire.Message{Trigger: wantedTrigger, ID: "msg_" + id})
	}
}

// untilGone ends all messages in one way until the endpoint is disabled for it.
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

func TestFailuresAtMessagesAboutEndpointsAreToldToNobody(t *testing.T) {
	for name, end := range map[string]func(*script, ...*machine.Message){
		"gone": func(s *script, all ...*machine.Message) { s.end(machine.Gone, all...) },
		"down": unconnected,
	} {
		t.Run(name, func(t *testing.T) {
			s := followed(t, endpoint.Health{}, endpoint.Policy{})
			s.commitAbout("ep_other")
			s.untilGone(end)
			if s.facts() != "" || !s.gate.Gone() || len(s.health) == 0 || !s.health[len(s.health)-1].Disable {
				t.Errorf("disabled = %v, told: %q", s.gate.Gone(), s.facts())
			}
		})
	}
}

// saved returns the health that was saved last.
func (s *script) saved() endpoint.Health {
	s.collect()
	return s.health[len(s.health)-1].Health
}

// goOn returns a script of another worker, which goes on from a health.
func (s *script) goOn(h endpoint.Health) *script {
	s.collect()
	again := followed(s.t, h, endpoint.Policy{})
	again.now, again.health = s.now, s.health
	return again
}

// recounted returns the health of an endpoint that somebody enabled again: store.Tx.Recount.
func recounted(h endpoint.Health) endpoint.Health {
	h.Version++
	h.Counted, h.Notable, h.Breaker = time.Time{}, false, endpoint.Closed
	return h
}

func TestARestartRemembersAtWhichMessagesAnEndpointFailed(t *testing.T) {
	// Others were told that it was disabled. It has been enabled again, and counts anew.
	enabled := endpoint.Health{Version: 8, Since: start.Add(-30 * 24 * time.Hour), Reported: true}
	for name, test := range map[string]struct {
		saved  endpoint.Health
		commit func(*script) // what it fails at before the restart
		want   string        // told in the end
	}{
		"an endpoint":                    {endpoint.Health{}, func(s *script) { s.commitAbout("ep_other") }, ""},
		"an endpoint, after it was told": {enabled, func(s *script) { s.commitAbout("ep_other") }, ""},
		"a case":                         {endpoint.Health{}, func(s *script) { s.commit(1) }, "failing disabled"},
		"a case, after it was told":      {enabled, func(s *script) { s.commit(1) }, "disabled"},
	} {
		t.Run(name, func(t *testing.T) {
			s := followed(t, test.saved, endpoint.Policy{})
			test.commit(s)
			unconnected(s, s.launch()...)
			again := s.goOn(s.saved())
			again.commitAbout("ep_other")
			again.untilGone(unconnected)
			if !again.gate.Gone() || again.facts() != test.want {
				t.Errorf("disabled = %v, told: %q, want %q", again.gate.Gone(), again.facts(), test.want)
			}
		})
	}
}

func TestOthersHearThatAnEndpointIsBackThatWasDisabledForOperationalMessages(t *testing.T) {
	s := followed(t, endpoint.Health{}, endpoint.Policy{})
	s.commit(1)
	s.untilGone(unconnected)
	for range 2 { // it is enabled, and what it fails at now is told to nobody
		s = s.goOn(recounted(s.saved()))
		s.commitAbout("ep_other")
		s.untilGone(unconnected)
	}
	s = s.goOn(recounted(s.saved()))
	s.commit(1)
	s.end(machine.Delivered, s.launch()...)
	if s.facts() != "failing disabled recovered" {
		t.Errorf("told: %q", s.facts())
	}
}

func TestAnEndpointIsNotToldAboutItself(t *testing.T) {
	s := followed(t, endpoint.Health{}, endpoint.Policy{})
	s.commitAbout(self, "ep_other")
	if sent := s.launch(); len(sent) != 1 || sent[0].Subject != "endpoint/ep_other" {
		t.Errorf("%d messages are sent", len(sent))
	}
}

// refuse has the endpoint refuse a message of each case for some time.
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

func TestAnEndpointThatRefusesEverythingIsToldOfAndComesBack(t *testing.T) {
	never := endpoint.Policy{Retries: []time.Duration{}}
	s := followed(t, endpoint.Health{}, never)
	s.refuse(9*time.Minute, 1, 2)
	if s.facts() != "" || s.Condition() != endpoint.Healthy {
		t.Fatalf("after nine minutes it is %s, and told: %q", s.Condition(), s.facts())
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
	again := followed(t, saved, never) // another node goes on
	again.now = s.now
	again.refuse(2*time.Minute, 1)
	again.commit(1)
	again.cut(true, again.launch()...)
	if again.facts() != "" || again.Condition() != endpoint.Refusing {
		t.Errorf("on another node it is %s, and told: %q", again.Condition(), again.facts())
	}
	s.commit(3)
	s.end(machine.Delivered, s.launch()...)
	if s.facts() != "failing recovered" || s.Condition() != endpoint.Healthy {
		t.Errorf("when it takes a message it is %s, and told: %q", s.Condition(), s.facts())
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
		t.Errorf("disabled = %v after an hour, and told: %q", s.gate.Gone(), s.facts())
	}
}

func TestRefusalsOfOneCaseOrAmongOthersAreToldToNobody(t *testing.T) {
	never := endpoint.Policy{Retries: []time.Duration{}}
	s := followed(t, endpoint.Health{}, never)
	s.refuse(time.Hour, 1)
	if s.facts() != "" || s.Condition() != endpoint.Healthy {
		t.Errorf("when it refuses one case it is %s, and told: %q", s.Condition(), s.facts())
	}
	for range 20 {
		s.commit(3)
		s.end(machine.Delivered, s.launch()...)
		s.refuse(5*time.Minute, 1, 2)
	}
	if s.facts() != "" || s.Condition() != endpoint.Healthy {
		t.Errorf("when it takes some it is %s, and told: %q", s.Condition(), s.facts())
	}
}
