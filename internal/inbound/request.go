package inbound

import (
	"context"
	"io"
	"net/http"
	"time"
)

// minRate is the minimum speed of a client, in bytes per second.
const minRate = 512

// pace is the time that the server may still wait for a client: it shrinks while the server waits,
// grows with each byte that moves, and is never more than the patience.
type pace struct{ left, patience time.Duration }

func newPace(patience time.Duration) pace { return pace{patience, patience} }

func (p *pace) moved(bytes int, took time.Duration) {
	p.left = min(p.patience, p.left-took+time.Duration(bytes)*time.Second/minRate)
}

// linger is how long the rest of a body is read and discarded before its connection is closed. Without it,
// a client that is still sending would not get its answer.
const linger = time.Second

// request is a request under way.
type request struct {
	conn          *conn // nil: it is not counted
	stream        bool  // of HTTP/2, which has its own flow control
	from          origin
	authenticated bool // guarded by clients.mu
}

type requestKey struct{}

// Handler returns a handler whose requests know their origin, and have to keep moving.
func (c *Clients) Handler(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		from := c.origin(r)
		on, _ := r.Context().Value(connKey{}).(*conn)
		under := &request{conn: on, stream: r.ProtoMajor == 2, from: from}
		defer c.ended(under)
		control := http.NewResponseController(w)
		b := &body{
			request: under, ReadCloser: r.Body, remaining: r.ContentLength, ended: r.ContentLength == 0,
			control: control, pace: newPace(c.config.Patience),
		}
		defer b.abandon()
		answer := &reply{ResponseWriter: w, body: b, control: control, pace: newPace(c.config.Patience)}
		defer answer.finish()
		if !c.startRequest(under) {
			writeBusy(answer)
			return
		}
		defer c.end(under)
		ctx := context.WithValue(r.Context(), originKey{}, from)
		r = r.WithContext(context.WithValue(ctx, requestKey{}, under))
		r.Body = b
		next.ServeHTTP(answer, r)
		answer.early()
	})
}

// counted reports whether a request counts for its address: one through a trusted proxy, or a stream that is not from
// such a proxy itself.
func (r *request) counted() bool {
	return r.from.counted || r.stream && r.conn != nil && !r.conn.proxied
}

// startRequest counts a request, if there is room for it.
func (c *Clients) startRequest(r *request) bool {
	if !r.counted() && !r.stream {
		return true
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if r.stream && c.isFull() {
		c.warnFull()
		return false
	}
	if r.counted() {
		at := c.network(Network(r.from.address))
		if at.open >= c.config.PerAddress {
			c.warnCrowded(r.from.address)
			return false
		}
		at.open++
	}
	if r.stream {
		c.streams++
	}
	return true
}

func (c *Clients) end(r *request) {
	if !r.counted() && !r.stream {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if r.counted() {
		c.forget(Network(r.from.address))
	}
	if r.stream {
		c.streams--
	}
}

// body is the body of a request, which has to keep moving.
type body struct {
	io.ReadCloser
	request   *request
	control   *http.ResponseController
	pace      pace
	remaining int64 // the length in bytes; negative: unknown
	ended     bool
}

// Read waits for as long as the client's pace allows. It clears the deadline at the end of the
// body: otherwise the deadline would cancel the request while its callback is being asked.
func (b *body) Read(p []byte) (int, error) {
	began := time.Now()
	b.control.SetReadDeadline(began.Add(b.pace.left))         // some writers don't support it
	if on := b.request.conn; on != nil && !b.request.stream { // other streams of the connection may go on
		on.waits(began)
		defer on.goesOn()
	}
	n, err := b.ReadCloser.Read(p)
	b.pace.moved(n, time.Since(began))
	if b.remaining > 0 {
		b.remaining -= int64(n)
	}
	b.ended = b.ended || err == io.EOF || b.remaining == 0
	if err != nil || b.ended {
		b.control.SetReadDeadline(time.Time{})
	}
	return n, err
}

// abandon limits how long the server waits for the unread rest of a body.
func (b *body) abandon() {
	if !b.ended {
		b.control.SetReadDeadline(time.Now().Add(min(linger, b.pace.patience)))
	}
}

// reply is a ResponseWriter that closes the connection after an answer that is sent before the whole body
// was read, so that the server does not wait for the rest. A stream of HTTP/2 ends by itself; reply enforces the pace
// of its client.
type reply struct {
	http.ResponseWriter
	body    *body
	control *http.ResponseController
	pace    pace // for writing to a stream
	started bool
}

func (a *reply) early() {
	if !a.started && !a.body.ended && !a.body.request.stream {
		a.Header().Set("Connection", "close")
	}
}

// WriteHeader starts the answer.
func (a *reply) WriteHeader(status int) {
	a.early()
	a.started = a.started || status >= http.StatusOK
	a.ResponseWriter.WriteHeader(status)
}

// Write starts the answer if necessary, and continues it.
func (a *reply) Write(b []byte) (written int, err error) {
	a.early()
	a.started = true
	if !a.body.request.stream {
		return a.ResponseWriter.Write(b)
	}
	for err == nil && len(b) > 0 {
		var n int
		err = a.paced(func() (int, error) {
			n, err = a.ResponseWriter.Write(b[:min(len(b), writeAtOnce)])
			return n, err
		})
		written, b = written+n, b[n:]
	}
	return written, err
}

// FlushError is used by http.ResponseController.
func (a *reply) FlushError() error {
	if !a.body.request.stream {
		return a.control.Flush()
	}
	a.started = true
	return a.paced(func() (int, error) { return 0, a.control.Flush() })
}

// paced writes to a stream for as long as the client's pace allows. Afterwards the stream has no deadline, because one
// that passes between two writes would end it.
func (a *reply) paced(write func() (int, error)) error {
	began := time.Now()
	a.control.SetWriteDeadline(began.Add(a.pace.left))
	n, err := write()
	a.pace.moved(n, time.Since(began))
	a.control.SetWriteDeadline(time.Time{})
	return err
}

// finish limits the time for the rest of a stream's answer, which is written after the handler has returned.
func (a *reply) finish() {
	if a.body.request.stream {
		a.control.SetWriteDeadline(time.Now().Add(a.pace.left))
	}
}

// Unwrap is used by http.ResponseController.
func (a *reply) Unwrap() http.ResponseWriter { return a.ResponseWriter }
