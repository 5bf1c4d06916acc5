// Package hostile has the receivers that nobody wants: they refuse, stall, drip, flood, lie and break off. Tests send
// them the requests that any receiver would get.
//
// [Receivers] lists all ways to misbehave, each with how a request to it has to end. One that can tell requests apart
// misbehaves for one subject alone, if asked to, and is a good receiver to the others.
//
// [Clients] lists the clients that nobody wants: half-open ones.
package hostile

import (
	"bufio"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// Receiver is one way to misbehave.
type Receiver struct {
	Name   string
	Class  string // how a request ends that keeps the beginning of a long answer; as outbound names it
	Status int    // that was read; 0: none
	Slow   bool   // nothing but the deadline ends a request
	Long   bool   // the answer has no end: one that has to be read whole is too large
	Blunt  bool   // it misbehaves before it could have read a request

	url   func(address string) string
	serve func(c *conn)
}

// Server is a receiver that is started.
type Server struct {
	URL      string
	Requests atomic.Int64 // that were read
	Written  atomic.Int64 // bytes of answers

	receiver Receiver
	only     string
	listener net.Listener
	closing  chan struct{}
	all      sync.WaitGroup
}

// conn is a connection to a client.
type conn struct {
	net.Conn
	r      *bufio.Reader
	server *Server
	gone   chan struct{} // closed when the client is
}

func (c *conn) Write(p []byte) (int, error) {
	n, err := c.Conn.Write(p)
	c.server.Written.Add(int64(n))
	return n, err
}

// Start starts a receiver, until the test ends. If only is not empty, it misbehaves for the messages of that subject,
// and accepts all others.
func (r Receiver) Start(t testing.TB, only string) *Server {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &Server{receiver: r, only: only, listener: listener, closing: make(chan struct{})}
	s.URL = "http://" + listener.Addr().String()
	if r.url != nil {
		s.URL = r.url(listener.Addr().String())
	}
	if r.serve == nil {
		s.URL = "http://" + deaf(t, listener)
		return s
	}
	s.all.Go(s.accept)
	t.Cleanup(s.Close)
	return s
}

// deaf returns an address at which nothing listens or can start to: it is the local end of a connection, which keeps
// its port from other processes.
func deaf(t testing.TB, listener net.Listener) string {
	t.Helper()
	taken, err := net.Dial("tcp", listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { taken.Close(); listener.Close() })
	return taken.LocalAddr().String()
}

// Close ends the receiver, and all connections to it.
func (s *Server) Close() {
	select {
	case <-s.closing:
	default:
		close(s.closing)
	}
	s.listener.Close()
	s.all.Wait()
}

func (s *Server) accept() {
	for {
		raw, err := s.listener.Accept()
		if err != nil {
			return
		}
		s.all.Go(func() { s.handle(raw) })
	}
}

func (s *Server) handle(raw net.Conn) {
	c := &conn{Conn: raw, r: bufio.NewReader(raw), server: s, gone: make(chan struct{})}
	served := make(chan struct{})
	s.all.Go(func() {
		select {
		case <-s.closing:
		case <-served:
		}
		raw.Close()
	})
	defer close(served)
	if s.receiver.Blunt {
		s.receiver.serve(c)
		return
	}
	for {
		request, err := http.ReadRequest(c.r)
		if err != nil {
			return
		}
		io.Copy(io.Discard, request.Body)
		s.Requests.Add(1)
		if s.only == "" || request.Header.Get("webhook-subject") == s.only {
			s.receiver.serve(c)
			return
		}
		io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
	}
}

// say writes and then ends the connection, in good order.
func say(s string) func(*conn) {
	return func(c *conn) { io.WriteString(c, s) }
}

// stall writes and then waits until the client has gone.
func stall(s string) func(*conn) {
	return func(c *conn) {
		io.WriteString(c, s)
		io.Copy(io.Discard, c.r)
	}
}

// repeat writes one thing and then another for ever.
func repeat(first, again string) func(*conn) {
	return func(c *conn) {
		chunk := []byte(strings.Repeat(again, 1+(32<<10)/len(again)))
		io.WriteString(c, first)
		for {
			if _, err := c.Write(chunk); err != nil {
				return
			}
		}
	}
}

// drip writes one thing and then another for ever, little by little.
func drip(first, again string) func(*conn) {
	return func(c *conn) {
		io.WriteString(c, first)
		tick := time.NewTicker(5 * time.Millisecond)
		defer tick.Stop()
		for range tick.C {
			if _, err := io.WriteString(c, again); err != nil {
				return
			}
		}
	}
}

// reset writes and then resets the connection, so that the client sees an error and no end of file.
func reset(s string) func(*conn) {
	return func(c *conn) {
		io.WriteString(c, s)
		if tcp, ok := c.Conn.(*net.TCPConn); ok {
			tcp.SetLinger(0)
		}
	}
}

// shake takes part in a TLS handshake, and answers well if it succeeds.
func shake(config *tls.Config) func(*conn) {
	return func(c *conn) {
		secure := tls.Server(c, config)
		if secure.Handshake() != nil {
			return
		}
		if _, err := http.ReadRequest(bufio.NewReader(secure)); err == nil {
			io.WriteString(secure, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
		}
		secure.Close()
	}
}
