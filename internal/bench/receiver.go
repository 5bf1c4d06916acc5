package bench

import (
	"context"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
)

// The paths of the receiver. Below each but the callback's are the names of endpoints.
const (
	pathHook     = "/hook/"    // takes messages at once
	pathSlow     = "/slow/"    // takes them after slowness
	pathDead     = "/dead/"    // refuses them all, as a server does that is down
	pathCallback = "/callback" // accepts every question
)

const (
	slowness    = 5 * time.Second
	mostSamples = 16 // requests that are kept whole, of each path
)

// receiver gets messages and questions, and logs when each arrived.
type receiver struct {
	mu        sync.Mutex
	log       []arrival
	questions int
	last      time.Time
	changed   chan struct{} // is closed when something arrives
	samples   map[string][]sample
}

// sample is a request as it arrived, without what is of one attempt.
type sample struct {
	Header http.Header `json:"header"`
	Body   []byte      `json:"body"`
}

// address is the answer to the first call: where the receiver listens.
type address struct {
	URL string `json:"url"`
}

// receive serves HTTP on a free port of this machine, and answers calls, until in ends.
func receive(ctx context.Context, in io.Reader, out io.Writer) error {
	var c net.ListenConfig
	listener, err := c.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	r := &receiver{changed: make(chan struct{}), samples: map[string][]sample{}}
	server := &http.Server{Handler: r, ReadHeaderTimeout: time.Minute}
	go server.Serve(listener)
	defer server.Close()
	return answerCalls(ctx, in, out, r.methods("http://"+listener.Addr().String()))
}

func (r *receiver) methods(url string) methods {
	return methods{
		"address": method(func(context.Context, struct{}) (address, error) { return address{url}, nil }),
		"wait":    method(r.wait),
		"take":    method(r.take),
		"samples": method(r.samplesOf),
	}
}

// ServeHTTP implements http.Handler.
func (r *receiver) ServeHTTP(w http.ResponseWriter, request *http.Request) {
	body, err := io.ReadAll(request.Body)
	if err != nil {
		return // cut off: it has not arrived
	}
	path := request.URL.Path
	switch {
	case path == pathCallback:
		r.note(request, body, pathCallback)
		return // 200 without a body accepts
	case strings.HasPrefix(path, pathDead):
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	case strings.HasPrefix(path, pathSlow):
		timer := time.NewTimer(slowness)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-request.Context().Done():
		}
	default:
		r.note(request, body, pathHook)
	}
	w.WriteHeader(http.StatusNoContent)
}

// note logs an arrival.
func (r *receiver) note(request *http.Request, body []byte, kind string) {
	a := arrival{Endpoint: strings.TrimPrefix(request.URL.Path, kind)}
	_, number, _ := strings.Cut(request.Header.Get("webhook-subject"), "/")
	a.Case, _ = strconv.ParseInt(number, 10, 64)
	a.Version, _ = strconv.ParseInt(request.Header.Get("webhook-sequence"), 10, 64)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.last = time.Now()
	a.At = r.last.UnixNano()
	if kind == pathCallback {
		r.questions++
	} else {
		r.log = append(r.log, a)
	}
	if len(r.samples[kind]) < mostSamples {
		r.samples[kind] = append(r.samples[kind], sample{request.Header.Clone(), body})
	}
	close(r.changed)
	r.changed = make(chan struct{})
}

// expectation is a number of arrivals, and how long nothing may arrive until they are given up.
type expectation struct {
	Count int           `json:"count"`
	Quiet time.Duration `json:"quiet"`
}

// wait waits until as many messages as expected have arrived, or nothing has for a while.
func (r *receiver) wait(ctx context.Context, e expectation) (struct{}, error) {
	timer := time.NewTimer(e.Quiet)
	defer timer.Stop()
	for {
		r.mu.Lock()
		count, changed := len(r.log), r.changed
		r.mu.Unlock()
		if count >= e.Count {
			return struct{}{}, nil
		}
		timer.Reset(e.Quiet)
		select {
		case <-changed:
		case <-timer.C:
			return struct{}{}, nil
		case <-ctx.Done():
			return struct{}{}, ctx.Err()
		}
	}
}

// arrivals are the requests that have arrived.
type arrivals struct {
	Arrivals  []arrival `json:"arrivals"`
	Questions int       `json:"questions"`
}

// take returns the requests that have arrived, and forgets them.
func (r *receiver) take(context.Context, struct{}) (arrivals, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	t := arrivals{r.log, r.questions}
	r.log, r.questions = make([]arrival, 0, cap(r.log)), 0
	return t, nil
}

// samplesOf returns samples of the requests to a path.
func (r *receiver) samplesOf(_ context.Context, path string) ([]sample, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.samples[path], nil
}
