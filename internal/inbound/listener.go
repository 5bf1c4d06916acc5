package inbound

import (
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"sync"
	"time"
)

// Listener returns a listener whose connections are counted.
func (c *Clients) Listener(l net.Listener) net.Listener { return c.listener(l) }

// TLSListener is Listener for [http.Server.ServeTLS]. A client for which there is no room is answered by config.
func (c *Clients) TLSListener(l net.Listener, config *tls.Config) net.Listener {
	one := c.listener(l)
	one.tls = config.Clone()
	one.tls.NextProtos = []string{"http/1.1"} // in which refusals are written
	return one
}

func (c *Clients) listener(l net.Listener) *listener {
	return &listener{
		Listener: l, clients: c,
		refusals: make(chan struct{}, maxRefusals), closed: make(chan struct{}),
	}
}

type listener struct {
	net.Listener
	clients  *Clients
	tls      *tls.Config   // for refusals; nil: the listener is for plain HTTP
	refusals chan struct{} // a semaphore for the answers that are under way
	closed   chan struct{}
	once     sync.Once
}

const (
	maxRefusals  = 16          // refusals under way; others are closed without an answer
	refuseWithin = time.Second // the time limit of such an answer
	mostBackOff  = time.Second
)

// Close closes the listener, and ends an Accept that waits for descriptors.
func (l *listener) Close() error {
	l.once.Do(func() { close(l.closed) })
	return l.Listener.Close()
}

// Accept returns the next connection that there is room for. It waits while the process has no file
// descriptor left.
func (l *listener) Accept() (net.Conn, error) {
	backOff := 5 * time.Millisecond
	for {
		raw, err := l.Listener.Accept()
		switch {
		case err != nil && !outOfFiles(err):
			return nil, err
		case err != nil:
			if err := l.backOff(err, backOff); err != nil {
				return nil, err
			}
			backOff = min(2*backOff, mostBackOff)
			continue
		}
		backOff = 5 * time.Millisecond
		if one, ok := l.clients.enter(raw, l.tls != nil); ok {
			return one, nil
		}
		l.refuse(raw)
	}
}

// backOff makes room for a connection, and waits.
func (l *listener) backOff(cause error, wait time.Duration) error {
	c := l.clients
	if c.exhausted.starts(time.Now()) {
		c.config.Log.Error("no connection can be accepted: the process has no file descriptor left",
			"error", cause, "advice", adviceFiles)
	}
	c.mu.Lock()
	evicted := longest(c.waiting)
	c.mu.Unlock()
	if evicted != nil {
		evicted.Close()
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-l.closed:
		return errors.Join(net.ErrClosed, cause)
	}
}

// refuse answers a client that there is no room, unless too many such answers are under way.
func (l *listener) refuse(raw net.Conn) {
	select {
	case l.refusals <- struct{}{}:
	default:
		raw.Close()
		return
	}
	go func() {
		defer func() { <-l.refusals }()
		defer raw.Close()
		raw.SetDeadline(time.Now().Add(refuseWithin))
		if l.tls != nil {
			answer(tls.Server(raw, l.tls), refusal)
		} else {
			answer(raw, refusal)
		}
	}()
}

// answer writes a last text. It reads what the client still sends, or the client would get a reset instead.
func answer(raw net.Conn, text string) {
	if _, err := io.WriteString(raw, text); err != nil {
		return
	}
	closeWrite(raw)
	io.Copy(io.Discard, io.LimitReader(raw, maxHead))
}

const (
	busy = `{"type":"about:blank","title":"Service Unavailable","status":503,` +
		`"detail":"Too many connections or requests are open. Use fewer, or try again shortly.",` +
		`"code":"server.too_many_connections"}` + "\n"
	refusal = "HTTP/1.1 503 Service Unavailable\r\nContent-Type: application/problem+json\r\n" +
		"Retry-After: 1\r\nConnection: close\r\n\r\n" + busy
	plain = "HTTP/1.1 400 Bad Request\r\nContent-Type: application/problem+json\r\nConnection: close\r\n\r\n" +
		`{"type":"about:blank","title":"Bad Request","status":400,` +
		`"detail":"This address speaks HTTPS, and the request is plain HTTP. Send it to https://.",` +
		`"code":"server.needs_tls"}` + "\n"
)

// writeBusy refuses a request.
func writeBusy(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "application/problem+json")
	w.Header().Set("Retry-After", "1")
	w.WriteHeader(http.StatusServiceUnavailable)
	io.WriteString(w, busy)
}
