package bucket

import (
	"context"
	"errors"
	"io"
	"net/http"
	"time"
)

// errStalled is the cause of requests that ended because nothing moved.
var errStalled = errors.New("the server has neither taken nor sent anything for too long")

// stallGuard ends requests of which nothing moves for too long: neither their bodies nor their answers. So a server
// that swallows packets hangs nobody, and a large object may take its time.
type stallGuard struct {
	next  http.RoundTripper
	after time.Duration
}

// RoundTrip implements http.RoundTripper.
func (g stallGuard) RoundTrip(r *http.Request) (*http.Response, error) {
	ctx, cancel := context.WithCancelCause(r.Context())
	watch := &watch{ctx: ctx, cancel: cancel, after: g.after}
	watch.timer = time.AfterFunc(g.after, func() { cancel(errStalled) })
	r = r.Clone(ctx)
	if r.Body != nil && r.Body != http.NoBody {
		r.Body = sending{r.Body, watch}
	}
	answer, err := g.next.RoundTrip(r)
	if err != nil {
		err = watch.cause(err)
		watch.end()
		return nil, err
	}
	watch.timer.Stop()
	answer.Body = receiving{answer.Body, watch}
	return answer, nil
}

// watch is the clock of one request.
type watch struct {
	ctx    context.Context
	cancel context.CancelCauseFunc
	timer  *time.Timer
	after  time.Duration
}

// cause returns errStalled in place of an error that it caused.
func (w *watch) cause(err error) error {
	if context.Cause(w.ctx) == errStalled {
		return errStalled
	}
	return err
}

func (w *watch) end() {
	w.timer.Stop()
	w.cancel(context.Canceled)
}

// sending is the body of a request. Each read of it shows that what came before was sent.
type sending struct {
	io.ReadCloser
	watch *watch
}

func (s sending) Read(p []byte) (int, error) {
	s.watch.timer.Reset(s.watch.after)
	return s.ReadCloser.Read(p)
}

// receiving is the body of an answer. The clock runs while it is read, so that a slow reader takes its time.
type receiving struct {
	io.ReadCloser
	watch *watch
}

func (r receiving) Read(p []byte) (int, error) {
	r.watch.timer.Reset(r.watch.after)
	n, err := r.ReadCloser.Read(p)
	r.watch.timer.Stop()
	if err != nil && err != io.EOF {
		err = r.watch.cause(err)
	}
	return n, err
}

func (r receiving) Close() error {
	defer r.watch.end()
	return r.ReadCloser.Close()
}
