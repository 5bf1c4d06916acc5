package callback_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
	"go.uber.org/goleak"

	"github.com/casehook/casehook/internal/callback"
	"github.com/casehook/casehook/internal/casetype"
	"github.com/casehook/casehook/internal/event"
	"github.com/casehook/casehook/internal/fault"
	"github.com/casehook/casehook/internal/outbound"
	"github.com/casehook/casehook/internal/wire"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var (
	key      = bytes.Repeat([]byte{7}, 32)
	loopback = netip.MustParsePrefix("127.0.0.0/8")
)

// service is a callback on loopback. Its behaviours are used up in turn; the
// last one stays.
type service struct {
	url       string
	mu        sync.Mutex
	behaviour []http.HandlerFunc
	asked     []*http.Request
	bodies    []string
}

func serve(t *testing.T, behaviour ...http.HandlerFunc) *service {
	t.Helper()
	s := &service{behaviour: behaviour}
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	s.url = server.URL + "/ask?token=s3cret"
	return s
}

func (s *service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	s.mu.Lock()
	s.asked, s.bodies = append(s.asked, r), append(s.bodies, string(body))
	does := s.behaviour[0]
	if len(s.behaviour) > 1 {
		s.behaviour = s.behaviour[1:]
	}
	s.mu.Unlock()
	does(w, r)
}

func (s *service) requests() []*http.Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.asked
}

func respond(status int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		io.WriteString(w, body)
	}
}

// drops closes the connection instead of answering.
func drops(w http.ResponseWriter, _ *http.Request) {
	conn, _, _ := w.(http.Hijacker).Hijack()
	conn.Close()
}

// hangs sends what it has and then waits until the client gives up.
func hangs(head string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if head != "" {
			io.WriteString(w, head)
			w.(http.Flusher).Flush()
		}
		<-r.Context().Done()
	}
}

func gzips(n int) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Encoding", "gzip")
		z := gzip.NewWriter(w)
		z.Write([]byte(`{"override_state":"`))
		z.Write(bytes.Repeat([]byte("x"), n))
		z.Write([]byte(`"}`))
		z.Close()
	}
}

// stopped is a clock that moves only when it is slept by, and notes the waits.
type stopped struct {
	now   time.Time
	waits []time.Duration
}

func (s *stopped) clock() callback.Clock {
	s.now = time.Now()
	return callback.Clock{
		Now:   func() time.Time { return s.now },
		Sleep: func(_ context.Context, d time.Duration) { s.now = s.now.Add(d); s.waits = append(s.waits, d) },
	}
}

func ask(t *testing.T, clock callback.Clock, q callback.Question) (wire.Answer, event.Callback, error) {
	t.Helper()
	out := outbound.New(outbound.Config{AllowPrefixes: []netip.Prefix{loopback}})
	t.Cleanup(out.Close)
	q.Name, q.WebhookID, q.Keys = "kyc/submit", "msg_1", [][]byte{key}
	q.Settings.URL = "http://callback/ask?token=${CASEHOOK_VAR_TOKEN}"
	if q.Body == nil {
		q.Body = []byte(`{"case_details_before":null}`)
	}
	reply, err := callback.New(out, clock).Ask(t.Context(), q)
	return reply.Answer, reply.Record, err
}

const short = casetype.Duration(500 * time.Millisecond) // in which a request arrives on a busy machine, too

func TestBehaviours(t *testing.T) {
	long := strings.Repeat("x", callback.MaxAnswer)
	for name, c := range map[string]struct {
		does     http.HandlerFunc
		timeout  casetype.Duration
		want     wire.Answer
		code     string // empty: it is answered
		detail   string
		attempts int // of the three that the default allows; 0: 1
	}{
		"200 with an answer":     {does: respond(200, `{"override_state":"x","x":1}`), want: wire.Answer{OverrideState: "x", Ignored: []string{"x"}}},
		"200 with data":          {does: respond(200, `{"data":{"a":"b"}}`), want: wire.Answer{HasData: true, Data: map[string]any{"a": "b"}}},
		"200 with both lists":    {does: respond(200, `{"errors":["e"],"warnings":["w"]}`), want: wire.Answer{Errors: []string{"e"}, Warnings: []string{"w"}}},
		"200 and nothing":        {does: respond(200, "")},
		"200 and white space":    {does: respond(200, " \n")},
		"200 and null":           {does: respond(200, "null")},
		"204":                    {does: func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(204) }},
		"200 in gzip":            {does: gzips(1), want: wire.Answer{OverrideState: "x"}},
		"201":                    {does: respond(201, "{}"), code: callback.CodeFailed, detail: "answered 201 (1 attempt); nothing was saved."},
		"202":                    {does: respond(202, ""), code: callback.CodeFailed, detail: "answered 202"},
		"301":                    {does: func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/x", 301) }, code: callback.CodeFailed, detail: "answered 301"},
		"400":                    {does: respond(400, `{"errors":["private"]}`), code: callback.CodeFailed, detail: "answered 400"},
		"404":                    {does: respond(404, "private"), code: callback.CodeFailed, detail: "answered 404"},
		"409":                    {does: respond(409, ""), code: callback.CodeFailed, detail: "answered 409"},
		"410":                    {does: respond(410, ""), code: callback.CodeFailed, detail: "answered 410"},
		"422":                    {does: respond(422, ""), code: callback.CodeFailed, detail: "answered 422"},
		"408":                    {does: respond(408, ""), code: callback.CodeFailed, detail: "answered 408 (3 attempts)", attempts: 3},
		"425":                    {does: respond(425, ""), code: callback.CodeFailed, detail: "answered 425 (3 attempts)", attempts: 3},
		"429":                    {does: respond(429, ""), code: callback.CodeFailed, detail: "answered 429 (3 attempts)", attempts: 3},
		"a byte order mark":      {does: respond(200, "\ufeff{\"override_state\":\"x\"}"), want: wire.Answer{OverrideState: "x"}},
		"Errors":                 {does: respond(200, `{"Errors":["private"]}`), code: callback.CodeFailed, detail: "differs from errors in letter case"},
		"CCD's state":            {does: respond(200, `{"state":"private"}`), code: callback.CodeFailed, detail: "override_state"},
		"500":                    {does: respond(500, "private"), code: callback.CodeFailed, detail: "answered 500 (3 attempts); nothing was saved.", attempts: 3},
		"503":                    {does: respond(503, ""), code: callback.CodeFailed, detail: "answered 503", attempts: 3},
		"500 and a huge page":    {does: respond(500, long+"x"), code: callback.CodeFailed, detail: "answered 500", attempts: 3},
		"no answer":              {does: hangs(""), timeout: short, code: callback.CodeTimeout, detail: "did not answer in time (3 attempts)", attempts: 3},
		"half an answer":         {does: hangs(`{"data":`), timeout: short, code: callback.CodeTimeout, detail: "did not answer in time (3 attempts)", attempts: 3},
		"a lost connection":      {does: drops, code: callback.CodeFailed, detail: "closed the connection", attempts: 3},
		"as long as is allowed":  {does: respond(200, "{}"+strings.Repeat(" ", callback.MaxAnswer-2))},
		"longer than is allowed": {does: respond(200, "{}"+strings.Repeat(" ", callback.MaxAnswer-1)), code: callback.CodeFailed, detail: "longer than 16777216 bytes"},
		"a gzip bomb":            {does: gzips(64 << 20), code: callback.CodeFailed, detail: "longer than 16777216 bytes"},
		"gzip that is none": {does: func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Encoding", "gzip")
			io.WriteString(w, "{\"private\":1}")
		}, code: callback.CodeFailed, detail: "gzip"},
		"not JSON":                {does: respond(200, "<p>private"), code: callback.CodeFailed, detail: "is not JSON"},
		"cut off JSON":            {does: respond(200, `{"errors":["private`), code: callback.CodeFailed, detail: "is not JSON"},
		"a list":                  {does: respond(200, `["private"]`), code: callback.CodeFailed, detail: "is not a JSON object"},
		"data as text":            {does: respond(200, `{"data":"private"}`), code: callback.CodeFailed, detail: "data is not an object"},
		"errors as text":          {does: respond(200, `{"errors":"private"}`), code: callback.CodeFailed, detail: "errors is not a list of strings"},
		"warnings of numbers":     {does: respond(200, `{"warnings":[1]}`), code: callback.CodeFailed, detail: "warnings is not a list of strings"},
		"a state that is no text": {does: respond(200, `{"override_state":{"private":1}}`), code: callback.CodeFailed, detail: "override_state is not a string"},
		"names given twice":       {does: respond(200, `{"errors":["private"],"errors":[]}`), code: callback.CodeFailed, detail: "given twice"},
		"two documents":           {does: respond(200, `{} {}`), code: callback.CodeFailed, detail: "is not JSON"},
		"another encoding":        {does: respond(200, "{\"errors\":[\"\xfc\"]}"), code: callback.CodeFailed, detail: "UTF-8"},
	} {
		t.Run(name, func(t *testing.T) {
			if c.timeout == 0 {
				c.timeout = casetype.MaxTimeout // long answers take long on a busy machine
			}
			s := serve(t, c.does)
			got, record, err := ask(t, new(stopped).clock(),
				callback.Question{Question: casetype.AboutToSubmit, URL: s.url, Settings: casetype.CallbackSettings{
					Timeout: c.timeout, Budget: casetype.MaxBudget,
				}})
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Error(diff)
			}
			attempts := max(1, c.attempts)
			if len(s.requests()) != attempts || record.Attempts != attempts {
				t.Errorf("%d requests, %d recorded, want %d", len(s.requests()), record.Attempts, attempts)
			}
			if c.code == "" {
				if err != nil || record.Failure != "" {
					t.Errorf("%v, %+v", err, record)
				}
				return
			}
			checkFailure(t, err, c.code, c.detail)
			if record.Failure == "" || strings.Contains(record.Failure, "private") {
				t.Errorf("recorded failure %q", record.Failure)
			}
		})
	}
}

// checkFailure checks an error and that it shows neither answer nor secret.
func checkFailure(t *testing.T, err error, code, detail string) {
	t.Helper()
	var f *fault.Error
	if !errors.As(err, &f) {
		t.Fatalf("%v is no fault", err)
	}
	kind := map[string]fault.Kind{
		callback.CodeTimeout: fault.UpstreamTimeout, callback.CodeFailed: fault.Upstream,
		callback.CodeCancelled: fault.Unavailable,
	}[code]
	if f.Code != code || f.Kind != kind || !strings.HasPrefix(f.Detail, "The callback of kyc/submit ") ||
		!strings.Contains(f.Detail, detail) {
		t.Errorf("%v: %s; want %s, %q", f.Kind, f, code, detail)
	}
	for _, secret := range []string{"private", "s3cret", "CASEHOOK_VAR_TOKEN"} {
		if strings.Contains(f.Error(), secret) {
			t.Errorf("%q is shown: %s", secret, f)
		}
	}
}

func TestEveryAttemptHasTheSameIDAndItsNumberAndVerifies(t *testing.T) {
	s := serve(t, respond(500, ""), respond(502, ""), respond(200, `{"override_state":"x"}`))
	var clock stopped
	answer, record, err := ask(t, clock.clock(), callback.Question{Question: casetype.AboutToSubmit, URL: s.url})
	if err != nil || answer.OverrideState != "x" {
		t.Fatal(answer, err)
	}
	hook, err := standardwebhooks.NewWebhook(outbound.FormatKey(key))
	if err != nil {
		t.Fatal(err)
	}
	for i, r := range s.requests() {
		type head struct{ Method, Query, ID, Attempt, ContentType string }
		got := head{r.Method, r.URL.RawQuery, r.Header.Get("webhook-id"), r.Header.Get("webhook-attempt"),
			r.Header.Get("Content-Type")}
		want := head{"POST", "token=s3cret", "msg_1", strconv.Itoa(i + 1), "application/json"}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("attempt %d: %s", i+1, diff)
		}
		if err := hook.Verify([]byte(s.bodies[i]), r.Header); err != nil {
			t.Errorf("attempt %d: %v", i+1, err)
		}
		if s.bodies[i] != `{"case_details_before":null}` {
			t.Errorf("attempt %d: %s", i+1, s.bodies[i])
		}
	}
	if diff := cmp.Diff([]time.Duration{time.Second, 3 * time.Second}, clock.waits); diff != "" {
		t.Error(diff)
	}
	want := event.Callback{
		URL: "http://callback/ask?token=${CASEHOOK_VAR_TOKEN}", WebhookID: "msg_1",
		Attempts: 3, DurationMS: 4000, Status: 200, Override: "x",
	}
	if diff := cmp.Diff(want, record); diff != "" {
		t.Error(diff)
	}
}

func TestTheRecordTellsWhatWasAnswered(t *testing.T) {
	s := serve(t, respond(200, `{"data":{},"warnings":["w"],"override_state":"x"}`))
	_, record, err := ask(t, new(stopped).clock(), callback.Question{Question: casetype.AboutToSubmit, URL: s.url})
	if err != nil || !record.ReplacedData || record.Override != "x" || !cmp.Equal(record.Warnings, []string{"w"}) {
		t.Errorf("%+v, %v", record, err)
	}
}

func TestRetriesFollowTheCaseType(t *testing.T) {
	seconds := func(n ...int) []casetype.Duration {
		waits := []casetype.Duration{}
		for _, n := range n {
			waits = append(waits, casetype.Duration(n)*casetype.Duration(time.Second))
		}
		return waits
	}
	for name, c := range map[string]struct {
		retries []casetype.Duration
		budget  casetype.Duration
		waits   string
	}{
		"the default":                          {waits: "[1s 3s]"},
		"none":                                 {retries: seconds(), waits: "[]"},
		"its own":                              {retries: seconds(2, 2, 2), waits: "[2s 2s 2s]"},
		"the default budget caps them":         {retries: seconds(5, 5, 5, 5), waits: "[5s 5s]"},
		"its own budget caps them":             {retries: seconds(1, 1, 1), budget: casetype.Duration(2500 * time.Millisecond), waits: "[1s 1s]"},
		"a wait that fills the budget is none": {budget: casetype.Duration(time.Second), waits: "[]"},
	} {
		t.Run(name, func(t *testing.T) {
			s := serve(t, respond(503, ""))
			var clock stopped
			_, record, err := ask(t, clock.clock(),
				callback.Question{
					Question: casetype.AboutToSubmit,
					URL:      s.url, Settings: casetype.CallbackSettings{Retries: c.retries, Budget: c.budget},
				})
			if got := fmt.Sprint(clock.waits); got != c.waits || record.Attempts != len(clock.waits)+1 ||
				len(s.requests()) != record.Attempts {
				t.Errorf("waits %v, %d attempts, %d requests; want %v", got, record.Attempts,
					len(s.requests()), c.waits)
			}
			checkFailure(t, err, callback.CodeFailed, fmt.Sprintf("(%d attempt", record.Attempts))
		})
	}
}

// A callback that asks to be left alone for a while is, as far as there is time.
func TestARetryWaitsAsLongAsTheCallbackAsks(t *testing.T) {
	for after, waits := range map[string]string{
		"5": "[5s]", "0": "[1s]", "14": "[14s]", "15": "[1s]", "soon": "[1s]", "99999999999999999999": "[1s]",
	} {
		t.Run(after, func(t *testing.T) {
			s := serve(t, func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Retry-After", after)
				w.WriteHeader(429)
			}, respond(200, ""))
			var clock stopped
			_, record, err := ask(t, clock.clock(), callback.Question{Question: casetype.AboutToSubmit, URL: s.url})
			if got := fmt.Sprint(clock.waits); err != nil || got != waits || record.Attempts != 2 {
				t.Errorf("waits %v, %d attempts, %v; want %v", got, record.Attempts, err, waits)
			}
		})
	}
}

// People are told what is wrong with an answer's keys wherever the callback is, and why
// its body can't be read only where everybody reaches the callback.
func TestWrongKeysOfPrivateAnswersAreReported(t *testing.T) {
	for body, want := range map[string]string{
		`{"Errors":["private"]}`:    "differs from errors in letter case",
		`{"state":"private"}`:       "override_state",
		`{"data":["private"]}`:      "data is not an object",
		`{"errors":"private"}`:      "errors is not a list of strings",
		`<p>private`:                "something else than the documented body (1 attempt)",
		`{"x":"private","x":"two"}`: "something else than the documented body (1 attempt)",
	} {
		s := serve(t, respond(200, body))
		out := outbound.New(outbound.Config{Allowed: func(context.Context, int64) ([]string, error) {
			return []string{loopback.String()}, nil
		}})
		t.Cleanup(out.Close)
		_, err := callback.New(out, new(stopped).clock()).Ask(t.Context(),
			callback.Question{
				Question: casetype.AboutToSubmit,
				Tenant:   1, URL: s.url, Name: "kyc/submit", WebhookID: "msg_1", Keys: [][]byte{key}, Body: []byte(`{}`),
			})
		checkFailure(t, err, callback.CodeFailed, want)
	}
}

func TestARetryMaySucceedAfterAnyPassingFailure(t *testing.T) {
	for name, first := range map[string]http.HandlerFunc{"500": respond(500, ""), "lost": drops, "timeout": hangs("")} {
		t.Run(name, func(t *testing.T) {
			s := serve(t, first, respond(200, "{}"))
			_, record, err := ask(t, new(stopped).clock(),
				callback.Question{Question: casetype.AboutToSubmit, URL: s.url, Settings: casetype.CallbackSettings{Timeout: 10 * short}})
			if err != nil {
				t.Fatal(err)
			}
			got := event.Callback{Attempts: record.Attempts, Status: record.Status, Failure: record.Failure}
			if diff := cmp.Diff(event.Callback{Attempts: 2, Status: 200}, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestTheBudgetEndsAnAttemptOnTheRealClock(t *testing.T) {
	s := serve(t, hangs(""))
	start := time.Now()
	_, record, err := ask(t, callback.Clock{}, callback.Question{Question: casetype.AboutToSubmit, URL: s.url, Settings: casetype.CallbackSettings{
		Timeout: casetype.Duration(time.Minute), Budget: 2 * short, Retries: []casetype.Duration{1}}})
	checkFailure(t, err, callback.CodeTimeout, "(1 attempt)")
	if took := time.Since(start); took > 10*time.Second || record.DurationMS < 80 {
		t.Errorf("took %v, recorded %d ms", took, record.DurationMS)
	}
}

func TestRetriesWaitOnTheRealClock(t *testing.T) {
	s := serve(t, respond(500, ""), respond(200, ""))
	_, record, err := ask(t, callback.Clock{},
		callback.Question{Question: casetype.AboutToSubmit, URL: s.url, Settings: casetype.CallbackSettings{Retries: []casetype.Duration{short}}})
	if err != nil || record.Attempts != 2 || record.DurationMS < 40 {
		t.Errorf("%+v, %v", record, err)
	}
}

// Behaviour G5 of the callback family.
func TestG5AllFailuresAreTriedAgainWhereTheCaseTypeSaysSo(t *testing.T) {
	for name, fails := range map[string]http.HandlerFunc{
		"401": respond(401, ""), "404": respond(404, ""), "a redirect": respond(302, ""),
		"422 with errors": respond(422, `{"errors": ["no"]}`), "a body that is not JSON": respond(200, "<html>"),
		"a body of another shape": respond(200, `{"errors": {}}`),
	} {
		t.Run(name, func(t *testing.T) {
			for on, attempts := range map[casetype.RetryOn]int{"": 1, casetype.RetryPassing: 1, casetype.RetryAny: 3} {
				s := serve(t, fails)
				_, record, err := ask(t, new(stopped).clock(), callback.Question{
					Question: casetype.AboutToSubmit,
					URL:      s.url, Settings: casetype.CallbackSettings{RetryOn: on},
				})
				checkFailure(t, err, callback.CodeFailed, "")
				if record.Attempts != attempts || len(s.requests()) != attempts {
					t.Errorf("retry_on %q: %d attempts, want %d", on, len(s.requests()), attempts)
				}
			}
			s := serve(t, fails, fails, respond(200, ""))
			if _, record, err := ask(t, new(stopped).clock(), callback.Question{
				Question: casetype.AboutToSubmit,
				URL:      s.url, Settings: casetype.CallbackSettings{RetryOn: casetype.RetryAny},
			}); err != nil || record.Attempts != 3 {
				t.Errorf("the third attempt is answered: %d attempts, %v", record.Attempts, err)
			}
		})
	}
}

func TestARefusedAddressIsNotTriedAgainAndNamesTheSetting(t *testing.T) {
	for _, on := range []casetype.RetryOn{casetype.RetryPassing, casetype.RetryAny} {
		_, record, err := ask(t, new(stopped).clock(), callback.Question{
			Question: casetype.AboutToSubmit,
			URL:      "http://10.0.0.1/?s3cret", Settings: casetype.CallbackSettings{RetryOn: on},
		})
		checkFailure(t, err, callback.CodeFailed, "an address that may not be called")
		if record.Attempts != 1 {
			t.Errorf("retry_on %s: %d attempts", on, record.Attempts)
		}
	}
}

func TestUnreachableCallbacks(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	listener.Close()
	plain := serve(t, respond(200, ""))
	for url, c := range map[string]struct {
		detail   string
		attempts int
	}{
		"http://" + listener.Addr().String() + "/?s3cret": {"no connection", 3},
		"http://no-such-host.invalid/?s3cret":             {"its host's name was not found", 3},
		strings.Replace(plain.url, "http:", "https:", 1):  {"no TLS connection", 1},
		"http://[::1/?s3cret":                             {"the URL has no IPv6 address", 1},
	} {
		_, record, err := ask(t, new(stopped).clock(), callback.Question{Question: casetype.AboutToSubmit, URL: url})
		checkFailure(t, err, callback.CodeFailed, c.detail)
		if record.Attempts != c.attempts || record.Status != 0 {
			t.Errorf("%s: %+v, want %d attempts", url, record, c.attempts)
		}
	}
}

func TestGivingUpIsNoFailureOfTheCallback(t *testing.T) {
	out := outbound.New(outbound.Config{AllowPrefixes: []netip.Prefix{loopback}})
	defer out.Close()
	for name, where := range map[string]string{"in an attempt": "attempt", "in a wait": "wait"} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			does, clock := respond(500, ""), callback.Clock{}
			if where == "attempt" {
				does = func(w http.ResponseWriter, r *http.Request) { cancel(); <-r.Context().Done() }
			} else {
				clock.Sleep = func(context.Context, time.Duration) { cancel() }
			}
			s := serve(t, does)
			reply, err := callback.New(out, clock).Ask(ctx, callback.Question{Question: casetype.AboutToSubmit, URL: s.url, Name: "kyc/submit"})
			checkFailure(t, err, callback.CodeCancelled, "was given up (1 attempt)")
			if reply.Record.Attempts != 1 || len(s.requests()) != 1 {
				t.Errorf("%+v", reply.Record)
			}
		})
	}
}

// The beginning of an answer is kept; of one from an address that is not public only what is documented.
func TestThePartOfAnAnswerThatIsKept(t *testing.T) {
	long := strings.Repeat("x", callback.MaxKept)
	type kept = callback.Kept
	inside, withheld := kept{Body: []byte("inside")}, kept{Withheld: true}
	for name, c := range map[string]struct {
		does           http.HandlerFunc
		public, inside kept
	}{
		"nothing": {respond(204, ""), kept{}, kept{}},
		"documented": {
			respond(200, `{"errors":["<no>"],"data":{"a":1.0},"more":"inside"}`),
			kept{Body: []byte(`{"errors":["<no>"],"data":{"a":1.0},"more":"inside"}`)},
			kept{Body: []byte(`{"data":{"a":1.0},"errors":["<no>"]}`)},
		},
		"something else": {respond(200, "inside"), inside, withheld},
		"another status": {respond(404, "inside"), inside, withheld},
		"long":           {respond(404, long+"y"), kept{Body: []byte(long), Truncated: true}, withheld},
		"a long text": {
			respond(404, long[1:]+"€"), kept{Body: []byte(long[1:]), Truncated: true}, withheld,
		},
		"none": {drops, kept{}, kept{}},
	} {
		s := serve(t, c.does)
		allowed := outbound.Config{Allowed: func(context.Context, int64) ([]string, error) {
			return []string{loopback.String()}, nil
		}}
		public := outbound.Config{AllowPrefixes: []netip.Prefix{loopback}}
		for config, want := range map[*outbound.Config]callback.Kept{&allowed: c.inside, &public: c.public} {
			out := outbound.New(*config)
			t.Cleanup(out.Close)
			reply, _ := callback.New(out, new(stopped).clock()).Ask(t.Context(), callback.Question{
				Question: casetype.AboutToSubmit,
				Tenant:   1, URL: s.url, Name: "kyc/submit", WebhookID: "msg_1", Keys: [][]byte{key}, Body: []byte(`{}`),
			})
			if diff := cmp.Diff(want, reply.Kept, cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("%s: %s", name, diff)
			}
		}
	}
}
