package delivery

import (
	"errors"
	"net/http"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/casehook/casehook/internal/delivery/machine"
	"github.com/casehook/casehook/internal/outbound"
	"github.com/casehook/casehook/internal/wire"
)

// A received status decides the outcome, whatever happens to the body.
func TestAStatusIsTheAnswerWhateverBecomesOfTheBody(t *testing.T) {
	for _, class := range []outbound.Class{
		outbound.Answered, outbound.Protocol, outbound.Closed, outbound.Timeout, outbound.TooLarge, outbound.Cancelled,
	} {
		for status, want := range map[int]machine.Verdict{
			200: machine.Delivered, 204: machine.Delivered, 299: machine.Delivered, 302: machine.Refused,
			400: machine.Refused, 410: machine.Gone, 429: machine.Unreachable, 503: machine.Unreachable,
		} {
			if class == outbound.Cancelled && status >= 300 {
				want = machine.NotAttempted
			}
			r := outbound.Result{Status: status, Class: class, Connected: true}
			if got := verdictOf(r); got != want {
				t.Errorf("%d, then %q: %v, want %v", status, class, got, want)
			}
			if got := classOf(r); want == machine.Delivered && got != outbound.Answered {
				t.Errorf("%d, then %q: the attempt is recorded as %q", status, class, got)
			}
		}
	}
}

func TestOnly429And503SayWhenToTryAgain(t *testing.T) {
	for status, want := range map[int]machine.Outcome{
		200: {Verdict: machine.Delivered, Reason: "200 OK"},
		302: {Verdict: machine.Refused, Reason: "302 Found"},
		400: {Verdict: machine.Refused, Reason: "400 Bad Request"},
		410: {Verdict: machine.Gone, Reason: "410 Gone"},
		500: {Verdict: machine.Unreachable, Reason: "500 Internal Server Error"},
		429: {Verdict: machine.Unreachable, Throttled: true, RetryAfter: time.Minute, Reason: "429 Too Many Requests"},
		503: {Verdict: machine.Unreachable, RetryAfter: time.Minute, Reason: "503 Service Unavailable"},
	} {
		want.Connected = true
		r := outbound.Result{Status: status, Connected: true, Header: http.Header{"Retry-After": {"60"}}}
		got := classify(&machine.Message{Body: &wire.Message{}}, outbound.Request{}, r, false).Outcome
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%d (-want +got):\n%s", status, diff)
		}
	}
	r := outbound.Result{Class: outbound.Connect, Err: errors.New("refused")}
	got := classify(&machine.Message{Body: &wire.Message{}}, outbound.Request{}, r, false)
	if got.Verdict != machine.Unreachable || got.Connected {
		t.Errorf("no connection: %+v", got)
	}
}
