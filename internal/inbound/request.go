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

// Handler returns a handler whose requests know their origin, and have to keep moving.
func (c *Clients) Handler(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer c.ended(r.Context())
		from := c.origin(r)
		on, _ := r.Context().Value(connKey{}).(*conn)
		b := &body{
			conn: on, ReadCloser: r.Body, remaining: r.ContentLength, ended: r.ContentLength == 0,
			control: http.NewResponseController(w), pace: newPace(c.config.Patience),
		}
		defer b.abandon()
		answer := &answer{ResponseWriter: w, body: b}
		if from.counted {
			if !c.startRequest(from) {
				writeBusy(answer)
				return
			}
			defer c.end(from)
		}
		r = r.WithContext(context.WithValue(r.Context(), originKey{}, from))
		r.Body = b
		next.ServeHTTP(answer, r)
		answer.early()
	})
}

// startRequest counts a request through a trusted proxy for its address.
func (c *Clients) startRequest(from origin) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	at := c.network(Network(from.address))
	if at.open >= c.config.PerAddress {
		c.warnCrowded(from.address)
		return false
	}
	at.open++
	return true
}

func (c *Clients) end(from origin) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.forget(Network(from.address))
}

// body is the body of a request, which has to keep moving.
type body struct {
	io.ReadCloser
	conn      *conn // nil: it is not counted
	control   *http.ResponseController
	pace      pace
	remaining int64 // the length in bytes; negative: unknown
	ended     bool
}

// Read waits for as long as the client's pace allows. It clears the deadline at the end of the
// body: otherwise the deadline would cancel the request while its callback is being asked.
func (b *body) Read(p []byte) (int, error) {
	began := time.Now()
	b.control.SetReadDeadline(began.Add(b.pace.left)) // some writers don't support it
	if b.conn != nil {
		b.conn.waits(began)
		defer b.conn.goesOn()
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

// answer is a ResponseWriter that closes the connection after an answer that is sent before the whole body
// was read, so that the server does not wait for the rest.
type answer struct {
	http.ResponseWriter
	body    *body
	started bool
}

func (a *answer) early() {
	if !a.started && !a.body.ended {
		a.Header().Set("Connection", "close")
	}
}

// WriteHeader starts the answer.
func (a *answer) WriteHeader(status int) {
	a.early()
	a.started = a.started || status >= http.StatusOK
	a.ResponseWriter.WriteHeader(status)
}

// Write starts the answer if necessary, and continues it.
func (a *answer) Write(b []byte) (int, error) {
	a.early()
	a.started = true
	return a.ResponseWriter.Write(b)
}

// Unwrap is used by http.ResponseController.
func (a *answer) Unwrap() http.ResponseWriter { return a.ResponseWriter }
