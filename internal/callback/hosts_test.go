package callback_test

import (
	"bytes"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/casehook/casehook/internal/callback"
	"github.com/casehook/casehook/internal/casetype"
	"github.com/casehook/casehook/internal/fault"
	"github.com/casehook/casehook/internal/outbound"
)

// asker asks one client, on a clock that stands still between questions.
type asker struct {
	t      *testing.T
	clock  *stopped
	client *callback.Client
	log    bytes.Buffer
}

func newAsker(t *testing.T) *asker {
	t.Helper()
	out := outbound.New(outbound.Config{AllowPrefixes: []netip.Prefix{loopback}})
	t.Cleanup(out.Close)
	a := &asker{t: t, clock: new(stopped)}
	a.client = callback.New(out, a.clock.clock()).Logged(slog.New(slog.NewTextHandler(&a.log, nil)))
	return a
}

// ask returns the code of the error, or the verdict, and the number of attempts.
func (a *asker) ask(q callback.Question) (string, int) {
	a.t.Helper()
	q.Question, q.Name, q.WebhookID = casetype.AboutToSubmit, "kyc/submit", "msg_1"
	q.Keys, q.Body = [][]byte{key}, []byte(`{}`)
	q.Settings.URL = "https://${CASEHOOK_VAR_HOST}/ask?token=s3cret"
	reply, err := a.client.Ask(a.t.Context(), q)
	if err != nil {
		return fault.As(err).Code, reply.Record.Attempts
	}
	return string(reply.Verdict), reply.Record.Attempts
}

func (a *asker) want(q callback.Question, outcome string, attempts int) {
	a.t.Helper()
	got, tries := a.ask(q)
	if got != outcome || tries != attempts {
		a.t.Errorf("%s after %d attempts, want %s after %d", got, tries, outcome, attempts)
	}
}

// dead returns the URL of a port at which nobody listens.
func dead(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	return "http://" + l.Addr().String() + "/ask"
}

func TestADeadHostIsNotAskedUntilAProbeIsAnswered(t *testing.T) {
	a := newAsker(t)
	s := serve(t, respond(500, ""))
	for n := range int64(5) {
		a.want(callback.Question{URL: s.url, Case: n}, callback.CodeFailed, 3)
	}
	a.want(callback.Question{URL: s.url, Case: 9}, callback.CodeResting, 0)
	a.want(callback.Question{URL: s.url, Case: 9, Tenant: 2}, callback.CodeFailed, 3)
	a.want(callback.Question{URL: strings.Replace(s.url, "127.0.0.1", "localhost", 1), Case: 9}, callback.CodeFailed, 3)
	a.want(callback.Question{URL: s.url, Case: 9, DryRun: true}, callback.CodeResting, 0)
	a.want(callback.Question{URL: s.url, Case: 9, DryRun: true, Elsewhere: true}, callback.CodeFailed, 3)

	for _, seconds := range []time.Duration{1, 2, 4, 8, 8} {
		a.clock.now = a.clock.now.Add(seconds * time.Second)
		a.want(callback.Question{URL: s.url, DryRun: true}, callback.CodeResting, 0)
		a.want(callback.Question{URL: s.url}, callback.CodeFailed, 1)
		a.want(callback.Question{URL: s.url}, callback.CodeResting, 0)
	}
	s.mu.Lock()
	s.behaviour = s.behaviour[:0:0]
	s.behaviour = append(s.behaviour, respond(200, ""))
	s.mu.Unlock()
	a.clock.now = a.clock.now.Add(8 * time.Second)
	a.want(callback.Question{URL: s.url}, "accepted", 1)
	a.want(callback.Question{URL: s.url}, "accepted", 1)

	text := a.log.String()
	counts := []int{strings.Count(text, "is dead"), strings.Count(text, "answers again"), strings.Count(text, "s3cret")}
	if diff := cmp.Diff([]int{1, 1, 0}, counts); diff != "" {
		t.Errorf("the log speaks of death, of life, and of secrets (-want +got):\n%s%s", diff, text)
	}
}

func TestTwoFailuresToConnectMakeAHostRest(t *testing.T) {
	a := newAsker(t)
	url := dead(t)
	a.want(callback.Question{URL: url, Case: 1}, callback.CodeFailed, 3)
	a.want(callback.Question{URL: url, Case: 1}, callback.CodeFailed, 3)
	_, err := a.client.Ask(t.Context(), callback.Question{URL: url, Name: "kyc/submit"})
	resting := fault.As(err)
	if resting.Code != callback.CodeResting || resting.RetryAfter != time.Second {
		t.Errorf("%v, again after %s; want %s, again after 1s", err, resting.RetryAfter, callback.CodeResting)
	}
	if want := "it can't be reached: no connection; nothing was saved"; !strings.Contains(resting.Detail, want) {
		t.Errorf("detail %q has not %q", resting.Detail, want)
	}
}

// One case may be poisonous, an answer of 404 comes from a host that lives, and errors are a verdict at any status.
func TestOtherFailuresDoNotMakeAHostRest(t *testing.T) {
	for name, c := range map[string]struct {
		status int
		body   string
		cases  int64
		tries  int
	}{
		"one case":              {500, "", 1, 3},
		"two cases":             {503, "", 2, 3},
		"404":                   {404, "", 9, 1},
		"a failure with errors": {500, `{"errors":["no"]}`, 9, 3},
	} {
		t.Run(name, func(t *testing.T) {
			a := newAsker(t)
			s := serve(t, respond(c.status, c.body))
			for n := range int64(9) {
				a.want(callback.Question{URL: s.url, Case: n % c.cases}, callback.CodeFailed, c.tries)
			}
		})
	}
}

func TestDryRunsDoNotMakeAHostRest(t *testing.T) {
	a := newAsker(t)
	url := dead(t)
	for range 4 {
		a.want(callback.Question{URL: url, DryRun: true}, callback.CodeFailed, 3)
	}
}

func TestAnAnswerEndsTheRowOfFailures(t *testing.T) {
	a := newAsker(t)
	s := serve(t, respond(500, ""))
	for n := range int64(8) {
		url := s.url
		a.want(callback.Question{URL: url, Case: n}, callback.CodeFailed, 3)
		if n == 3 {
			s.mu.Lock()
			s.behaviour = append([]http.HandlerFunc{respond(200, "")}, s.behaviour...)
			s.mu.Unlock()
			a.want(callback.Question{URL: url}, "accepted", 1)
		}
	}
}
