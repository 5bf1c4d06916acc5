//go:build unix

package e2e_test

import (
	"crypto/sha256"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"github.com/casehook/casehook/internal/wire/wiretest"
)

// receiver records the requests that arrive, in order.
type receiver struct {
	url   string
	delay time.Duration

	mu       sync.Mutex
	arrived  []arrival
	verifier *standardwebhooks.Webhook
	active   map[net.Conn]bool // with a request under way

	mayAgain map[string]int // how often a message may come again
	again    int            // how many more may
	cutAt    time.Time      // last
	cutAfter int            // arrivals
}

// arrival is one request.
type arrival struct {
	id       string
	trigger  string
	subject  string
	sequence int
	at       time.Time
	body     [32]byte // its SHA-256
	verified error
}

func newReceiver(ts *testscript.TestScript, neg bool, args []string) {
	arguments(ts, neg, args, 1, "receiver NAME [DELAY]")
	r := &receiver{}
	if len(args) > 1 {
		var err error
		r.delay, err = time.ParseDuration(args[1])
		ts.Check(err)
	}
	server := httptest.NewUnstartedServer(r)
	server.Config.ConnState = r.noteConn
	server.Start()
	ts.Defer(server.Close)
	of(ts).receivers[args[0]] = r
	r.url = server.URL
	ts.Setenv(args[0]+"_URL", server.URL)
}

func (r *receiver) ServeHTTP(w http.ResponseWriter, request *http.Request) {
	body, err := io.ReadAll(request.Body)
	if err != nil {
		return // cut off: it has not arrived
	}
	a := arrival{
		at: time.Now(), body: sha256.Sum256(body), id: request.Header.Get("webhook-id"), trigger: request.Header.Get("X-atfinity-event"),
		subject: request.Header.Get("webhook-subject"),
	}
	a.sequence, _ = strconv.Atoi(request.Header.Get("webhook-sequence"))
	r.mu.Lock()
	a.verified = errors.Join(r.verifier.Verify(body, request.Header), wiretest.Valid(request.Header, body))
	r.arrived = append(r.arrived, a)
	r.mu.Unlock()
	if r.delay > 0 {
		timer := time.NewTimer(r.delay)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-request.Context().Done():
		}
	}
}

func (r *receiver) all() []arrival {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.arrived)
}

func subscribe(ts *testscript.TestScript, neg bool, args []string) {
	arguments(ts, neg, args, 2, "subscribe NAME TRIGGER...")
	r := of(ts).receivers[args[0]]
	body, err := json.Marshal(map[string]any{"name": args[0], "url": r.url, "triggers": args[1:]})
	ts.Check(err)
	request(ts, false, []string{"POST", "/v1/endpoints", "201", string(body)})
	let(ts, false, []string{"SECRET", "secret"})
	trust(ts, false, []string{args[0], ts.Getenv("SECRET")})
}

func trust(ts *testscript.TestScript, neg bool, args []string) {
	arguments(ts, neg, args, 2, "trust NAME SECRET")
	verifier, err := standardwebhooks.NewWebhook(args[1])
	ts.Check(err)
	r := of(ts).receivers[args[0]]
	r.mu.Lock()
	defer r.mu.Unlock()
	r.verifier = verifier
}

func received(ts *testscript.TestScript, neg bool, args []string) {
	arguments(ts, neg, args, 1, "received NAME TRIGGER...")
	r, want := of(ts).receivers[args[0]], args[1:]
	await(ts, nil, func() (string, bool) { return "too little arrived", len(r.all()) >= len(want) })
	var got []string
	for _, a := range r.all() {
		got = append(got, a.trigger)
		if a.verified != nil {
			ts.Fatalf("%s: %v", a.trigger, a.verified)
		}
	}
	if !slices.Equal(got, want) {
		ts.Fatalf("%s received %v, want %v", args[0], got, want)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.arrived = r.arrived[len(got):]
}

func arrivals(ts *testscript.TestScript, neg bool, args []string) {
	arguments(ts, neg, args, 2, "arrivals NAME N")
	n, err := strconv.Atoi(args[1])
	ts.Check(err)
	r := of(ts).receivers[args[0]]
	await(ts, nil, func() (string, bool) { return "too little arrived", len(r.all()) >= n })
}
