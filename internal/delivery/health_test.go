package delivery

import (
	"strings"
	"testing"
	"time"

	"github.com/casehook/casehook/internal/casetype"
	"github.com/casehook/casehook/internal/endpoint"
	"github.com/casehook/casehook/internal/event"
	"github.com/casehook/casehook/internal/wire"
)

const fiveDays = 5 * 24 * time.Hour

// followed is a machine of an endpoint whose health is followed.
func followed(t *testing.T, h endpoint.Health, p endpoint.Policy) *script {
	e := endpoint.Endpoint{
		ID: self, Tenant: 7, URL: "https://hooks.example.com/x?key=secret", Revision: 3,
		Triggers: []string{wantedTrigger}, Policy: p, Health: h,
	}
	s := &script{T: t, now: time.Unix(1_800_000_000, 0), machine: fresh(e, defaultLimits)}
	e.Clearance = casetype.Private // the entries of these tests are made for none
	s.restore(e, fiveDays, s.now)
	return s
}

// told lists the facts that were noted about the endpoint.
func (s *script) told() string {
	var facts []string
	for _, c := range s.watch.changes {
		if c.Entry != nil {
			facts = append(facts, strings.TrimPrefix(c.Entry.Facts[0].Name, "endpoint."))
		}
	}
	return strings.Join(facts, " ")
}

// outage has every probe fail for some time.
func (s *script) outage(d time.Duration) {
	s.Helper()
	for end := s.now.Add(d); s.now.Before(end) && !s.gone; s.durable(s.owed) {
		s.follow()
		s.cut(true, s.launch()...)
		if at := s.wakeAt(); at.After(s.now) {
			s.now = at
		}
	}
}

func TestOthersAreToldOnceThatAnEndpointFailsAndOnceThatItIsBack(t *testing.T) {
	s := followed(t, endpoint.Health{}, endpoint.Policy{})
	begun := s.now
	s.commit(1, 2, 3, 4, 5, 6)
	s.outage(time.Hour)
	if s.told() != "failing" || s.Condition() != endpoint.Failing {
		t.Fatalf("after an hour's outage it is %s, and told: %q", s.Condition(), s.told())
	}
	s.end(delivered, s.launch()...)
	if s.told() != "failing recovered" || s.Condition() != endpoint.Healthy {
		t.Fatalf("when it is back it is %s, and told: %q", s.Condition(), s.told())
	}
	var told []*event.Entry
	for _, c := range s.watch.changes {
		if c.Entry != nil {
			told = append(told, c.Entry)
		}
	}
	for _, e := range told {
		want := event.Endpoint{ID: self, URL: "https://hooks.example.com/x", Since: begun.UTC(), Reason: "because", Class: "PRIVATE"}
		if *e.Snapshot.Endpoint != want || e.Subject != "endpoint/"+self || e.Tenant != 7 || e.Actor.Source != event.System {
			t.Errorf("told: %+v of %+v, want %+v", e, e.Snapshot.Endpoint, want)
		}
	}
	if told[0].Version >= told[1].Version {
		t.Errorf("the versions are %d and %d", told[0].Version, told[1].Version)
	}
}

// Condition sums up what was noted.
func (s *script) Condition() endpoint.Condition {
	return endpoint.Endpoint{Health: s.watch.Health}.Condition()
}

func TestAFailureOrTwoAreToldToNobody(t *testing.T) {
	s := followed(t, endpoint.Health{}, endpoint.Policy{})
	s.commit(1, 2)
	s.cut(true, s.launch()...)
	if s.told() != "" || s.Condition() != endpoint.Unsteady {
		t.Errorf("it is %s, and told: %q", s.Condition(), s.told())
	}
	s.now = s.wakeAt()
	s.end(refused, s.launch()...) // a refusal shows that it is there
	if s.told() != "" || s.Condition() != endpoint.Healthy {
		t.Errorf("it is %s, and told: %q", s.Condition(), s.told())
	}
}

func TestOneFailingCaseIsToldOfAfterAWhile(t *testing.T) {
	s := followed(t, endpoint.Health{}, endpoint.Policy{Order: endpoint.Strict})
	s.commit(1)
	for range 5 {
		if s.told() != "" {
			t.Fatalf("told: %q after %v", s.told(), s.now.Sub(s.watch.Since))
		}
		s.cut(true, s.launch()...)
		s.now = s.wakeAt()
	}
	if s.breaker.open || s.told() != "failing" {
		t.Errorf("open = %v, told: %q after %v", s.breaker.open, s.told(), s.now.Sub(s.watch.Since))
	}
}

func TestAnEndpointIsDisabledAfterFiveDaysOfFailure(t *testing.T) {
	s := followed(t, endpoint.Health{}, endpoint.Policy{})
	begun := s.now
	s.commit(1, 2, 3, 4, 5, 6)
	s.outage(fiveDays - time.Hour)
	if s.gone {
		t.Fatalf("it is disabled after %v", s.now.Sub(begun))
	}
	s.outage(2 * time.Hour)
	if took := s.now.Sub(begun); !s.gone || took < fiveDays || took > fiveDays+2*time.Minute {
		t.Fatalf("disabled = %v after %v", s.gone, took)
	}
	out, _ := s.take(true)
	last := out.Health[len(out.Health)-1]
	if !last.Disable || last.Revision != 3 || last.Entry.Facts[0].Name != "endpoint.disabled" || !last.Entry.Snapshot.Endpoint.Since.Equal(begun) {
		t.Errorf("the last change is %+v", last)
	}
	if len(out.Dead) > 0 || out.Position+int64(len(out.Park)) < 4 || len(s.launch()) > 0 || s.wantsMore() {
		t.Errorf("position %d, parked %d, dead %d; nothing may be lost or sent", out.Position, len(out.Park), len(out.Dead))
	}
}

func TestARestartForgetsNeitherAnOutageNorWhatWasTold(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	since := now.Add(-fiveDays + 20*time.Minute)
	h := endpoint.Health{Version: 8, Since: since, Counted: since, Told: true, Breaker: endpoint.Open}
	s := followed(t, h, endpoint.Policy{Concurrency: 8})
	s.commit(1, 2, 3, 4, 5, 6)
	if len(s.launch()) > 0 {
		t.Fatal("the outage begins anew: messages use up retries")
	}
	s.now = s.wakeAt()
	probe := s.launch()
	if len(probe) != 1 || !probe[0].probe {
		t.Fatalf("%d messages are sent, want one probe", len(probe))
	}
	s.cut(true, probe...)
	s.outage(time.Hour)
	if s.told() != "disabled" || s.now.Sub(since) > fiveDays+2*time.Minute {
		t.Errorf("told: %q after %v", s.told(), s.now.Sub(since))
	}
	back := followed(t, h, endpoint.Policy{})
	back.commit(1)
	back.now = back.wakeAt()
	back.end(delivered, back.launch()...)
	if back.told() != "recovered" {
		t.Errorf("told after the restart: %q", back.told())
	}
}

func TestTheFirstFailuresAfterALongTimeAwayDisableNothing(t *testing.T) {
	since := time.Unix(1_800_000_000, 0).Add(-30 * 24 * time.Hour)
	s := followed(t, endpoint.Health{Version: 8, Since: since, Counted: since}, endpoint.Policy{})
	s.commit(1, 2, 3, 4, 5, 6)
	s.outage(seenFailing - time.Minute)
	if s.gone {
		t.Fatal("we were away for a month, and it is disabled for that")
	}
	s.outage(10 * time.Minute)
	if !s.gone {
		t.Error("it goes on failing, and is not disabled")
	}
}

func TestWhoEnablesAnEndpointGivesItItsFullTime(t *testing.T) {
	since := time.Unix(1_800_000_000, 0).Add(-30 * 24 * time.Hour)
	s := followed(t, endpoint.Health{Version: 8, Since: since, Told: true}, endpoint.Policy{})
	s.commit(1, 2, 3, 4, 5, 6)
	s.outage(fiveDays - time.Hour)
	if s.gone || s.told() != "" {
		t.Fatalf("disabled = %v, told: %q", s.gone, s.told())
	}
	s.outage(2 * time.Hour)
	if s.told() != "disabled" {
		t.Errorf("told: %q", s.told())
	}
}

func TestGoneIsToldAtOnce(t *testing.T) {
	s := followed(t, endpoint.Health{}, endpoint.Policy{})
	s.commit(1, 2)
	sent := s.launch()
	s.end(gone, sent[0])
	s.end(gone, sent[1:]...)
	if s.told() != "disabled" || s.watch.Reason != "410 Gone" || !s.watch.Since.Equal(s.now) {
		t.Errorf("told: %q because of %q since %v", s.told(), s.watch.Reason, s.watch.Since)
	}
}

// about is an entry that says how an endpoint fares.
func about(id string, seq int64) *tailEntry {
	e := &tailEntry{Entry: &event.Entry{Seq: seq, Subject: event.EndpointSubject(id), Actor: event.Actor{Source: event.System}}}
	e.views[0].bodies = []*wire.Message{{Trigger: wantedTrigger, ID: "msg_" + id}}
	e.views[0].once.Do(func() {})
	return e
}

func TestFailuresAtMessagesAboutEndpointsAreToldToNobody(t *testing.T) {
	for name, end := range map[string]func(*script, ...*message){
		"gone": func(s *script, all ...*message) { s.end(gone, all...) },
		"down": func(s *script, all ...*message) { s.cut(false, all...) },
	} {
		t.Run(name, func(t *testing.T) {
			s := followed(t, endpoint.Health{}, endpoint.Policy{})
			s.seq = 1
			e := about("ep_other", 1)
			s.journal = append(s.journal, e)
			s.follow()
			begun := s.now
			for ; !s.gone && s.now.Sub(begun) < 2*fiveDays; s.durable(s.owed) {
				s.follow()
				end(s, s.launch()...)
				if at := s.wakeAt(); at.After(s.now) {
					s.now = at
				}
			}
			if out, _ := s.take(true); !s.gone || s.told() != "" || len(out.Health) == 0 || !out.Health[len(out.Health)-1].Disable {
				t.Errorf("disabled = %v, told: %q", s.gone, s.told())
			}
			for _, c := range s.watch.changes {
				if c.Entry != nil {
					t.Errorf("told: %+v", c.Entry)
				}
			}
		})
	}
}

func TestAnEndpointIsNotToldAboutItself(t *testing.T) {
	s := followed(t, endpoint.Health{}, endpoint.Policy{})
	s.journal = append(s.journal, about(self, 1), about("ep_other", 2))
	s.seq = 2
	s.follow()
	if sent := s.launch(); len(sent) != 1 || sent[0].subject != "endpoint/ep_other" {
		t.Errorf("%d messages are sent", len(sent))
	}
}

// refuse has the endpoint refuse a message of each case for some time.
func (s *script) refuse(d time.Duration, cases ...int) {
	s.Helper()
	for end := s.now.Add(d); s.now.Before(end); s.now = s.now.Add(time.Minute) {
		s.commit(cases...)
		for sent := s.launch(); len(sent) > 0; sent = s.launch() {
			s.end(refused, sent...)
		}
		s.durable(s.owed)
	}
}

func TestAnEndpointThatRefusesEverythingIsToldOfAndComesBack(t *testing.T) {
	never := endpoint.Policy{Retries: []time.Duration{}}
	s := followed(t, endpoint.Health{}, never)
	s.refuse(9*time.Minute, 1, 2)
	if s.told() != "" || s.Condition() != endpoint.Healthy {
		t.Fatalf("after nine minutes it is %s, and told: %q", s.Condition(), s.told())
	}
	s.refuse(5*time.Minute, 1, 2)
	if s.told() != "failing" || s.Condition() != endpoint.Refusing || s.watch.Reason != "because" {
		t.Fatalf("after a while it is %s since %s, %q, and told: %q", s.Condition(), s.watch.Since, s.watch.Reason, s.told())
	}
	saved := s.watch.Health
	again := followed(t, saved, never) // another node goes on
	again.now = s.now
	again.refuse(2*time.Minute, 1)
	again.commit(1)
	again.cut(true, again.launch()...)
	if again.told() != "" || again.Condition() != endpoint.Refusing {
		t.Errorf("on another node it is %s, and told: %q", again.Condition(), again.told())
	}
	s.commit(3)
	s.end(delivered, s.launch()...)
	if s.told() != "failing recovered" || s.Condition() != endpoint.Healthy {
		t.Errorf("when it takes a message it is %s, and told: %q", s.Condition(), s.told())
	}
}

func TestRefusalsOfOneCaseOrAmongOthersAreToldToNobody(t *testing.T) {
	never := endpoint.Policy{Retries: []time.Duration{}}
	s := followed(t, endpoint.Health{}, never)
	s.refuse(time.Hour, 1)
	if s.told() != "" || s.Condition() != endpoint.Healthy {
		t.Errorf("when it refuses one case it is %s, and told: %q", s.Condition(), s.told())
	}
	for range 20 {
		s.commit(3)
		s.end(delivered, s.launch()...)
		s.refuse(5*time.Minute, 1, 2)
	}
	if s.told() != "" || s.Condition() != endpoint.Healthy {
		t.Errorf("when it takes some it is %s, and told: %q", s.Condition(), s.told())
	}
}
