package delivery

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/casehook/casehook/internal/delivery/machine"
	"github.com/casehook/casehook/internal/endpoint"
	"github.com/casehook/casehook/internal/store"
)

func TestTheLogHasAtMostOneLineAMinuteAboutAnEndpoint(t *testing.T) {
	var log bytes.Buffer
	now := time.Unix(1e9, 0)
	well := endpoint.Endpoint{URL: "https://user:secret@crm.example.com/hooks?key=secret", Status: endpoint.Active}
	ill := well
	ill.Health = endpoint.Health{Since: now, Reason: "503 Service Unavailable", Reported: true, Breaker: endpoint.Open}
	d := newEndpointLog(slog.New(slog.NewTextHandler(&log, nil)), well)
	said := func(what, text string, times int) {
		t.Helper()
		if n := strings.Count(log.String(), text); n != times {
			t.Errorf("%s: %q is said %d times, want %d:\n%s", what, text, n, times, &log)
		}
	}
	for range 3 {
		d.condition(well, now)
		d.condition(ill, now)
	}
	said("an endpoint that comes and goes", "takes nothing", 1)
	said("an endpoint that comes and goes", "takes messages again", 1)
	d.condition(ill, now.Add(repeatEvery))
	said("a minute later", "takes nothing", 2)
	said("a failing endpoint", `url=https://crm.example.com/hooks reason="503 Service Unavailable" failing_since=`, 2)

	for i := range 5 {
		d.gaveUp([]store.DeadMessage{{
			Place: store.Place{Message: "msg_" + string(rune('a'+i))}, Trigger: "case_created", Subject: "case/1",
			Reason: "400 Bad Request",
		}})
		d.condition(ill, now)
	}
	said("the first message", "count=1 last=msg_a trigger=case_created subject=case/1 reason=\"400 Bad Request\"", 1)
	d.condition(ill, now.Add(repeatEvery))
	said("the others a minute later", "count=4 last=msg_e", 1)
	said("a secret", "secret", 0)

	for i, reason := range []string{"a", "a", "b", "a", "b"} { // within a minute
		d.unreached(outcome{Outcome: machine.Outcome{Reason: reason}, cause: "dial 10.0.0.1"},
			now.Add(time.Duration(i)*time.Second))
	}
	d.unreached(outcome{Outcome: machine.Outcome{Reason: "200 OK"}}, now) // nothing is wrong
	said("why it can't be reached", "can't be reached", 1)
	d.unreached(outcome{Outcome: machine.Outcome{Reason: "a"}, cause: "dial 10.0.0.1"}, now.Add(reasonEvery-1))
	said("the same reason", "can't be reached", 1)
	d.unreached(outcome{Outcome: machine.Outcome{Reason: "b"}, cause: "dial 10.0.0.1"}, now.Add(repeatEvery))
	said("another reason a minute later", `reason=b cause="dial 10.0.0.1"`, 1)

	again := newEndpointLog(d.log, ill) // another node, or after a change of the endpoint
	again.condition(ill, now.Add(time.Hour))
	said("what was said before", "takes nothing", 2)
}
