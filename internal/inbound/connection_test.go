package inbound

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// log collects what is logged.
type log struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *log) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(b)
}

func (l *log) count(text string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Count(l.b.String(), text)
}

// serve serves a handler until the test ends, and returns its address.
func serve(t *testing.T, c *Clients, handler http.HandlerFunc) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := c.Server(context.WithoutCancel(t.Context()), handler)
	done := make(chan struct{})
	go func() { defer close(done); s.Serve(c.Listener(l)) }()
	t.Cleanup(func() { s.Close(); <-done })
	return l.Addr().String()
}

// dial connects from an address of this machine.
func dial(t *testing.T, from, to, say string) net.Conn {
	t.Helper()
	d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(from)}}
	conn, err := d.DialContext(t.Context(), "tcp", to)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	if _, err := io.WriteString(conn, say); err != nil {
		t.Fatal(err)
	}
	return conn
}

// ask sends a request, and returns the whole answer.
func ask(t *testing.T, from, to, headers string) string {
	t.Helper()
	conn := dial(t, from, to, "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"+headers+"\r\n")
	answer, err := io.ReadAll(conn)
	if err != nil {
		t.Error(err)
	}
	return string(answer)
}

const half = "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\n"

// However many connections strangers have open, there is room for the next: the oldest one without
// an authenticated request is closed.
func TestStrangersMakeRoom(t *testing.T) {
	l := &log{}
	c := New(Config{Connections: 20, PerAddress: 16, Log: slog.New(slog.NewTextHandler(l, nil))})
	reading, working, finish := make(chan struct{}, 100), make(chan struct{}), make(chan struct{})
	to := serve(t, c, func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "" {
			Authenticated(r.Context())
			working <- struct{}{}
			<-finish
			return
		}
		if r.Method == "POST" {
			reading <- struct{}{}
			io.Copy(io.Discard, r.Body)
		}
	})
	worker := make(chan string)
	go func() { worker <- ask(t, "127.0.0.1", to, "Authorization: x\r\n") }()
	<-working
	for range 100 {
		dial(t, "127.0.0.1", to, half)
		<-reading
	}
	for _, from := range []string{"127.0.0.1", "127.0.0.2"} {
		if answer := ask(t, from, to, ""); !strings.HasPrefix(answer, "HTTP/1.1 200") {
			t.Errorf("somebody at %s is answered %q", from, answer)
		}
	}
	close(finish)
	if answer := <-worker; !strings.HasPrefix(answer, "HTTP/1.1 200") {
		t.Errorf("who was authenticated is answered %q", answer)
	}
	if n := l.count("one address has too many"); n != 1 {
		t.Errorf("it is logged %d times", n)
	}
}

// If all connections have authenticated requests under way, a further one gets 503.
func TestAConnectionWithoutRoomIsAnswered(t *testing.T) {
	l := &log{}
	c := New(Config{Connections: 16, PerAddress: 4, Log: slog.New(slog.NewTextHandler(l, nil))})
	working, finish := make(chan struct{}), make(chan struct{})
	to := serve(t, c, func(w http.ResponseWriter, r *http.Request) {
		Authenticated(r.Context())
		working <- struct{}{}
		<-finish
	})
	var all sync.WaitGroup
	fill := func(from string, n int) {
		for range n {
			all.Go(func() { ask(t, from, to, "") })
			<-working
		}
		if answer := ask(t, from, to, ""); !strings.HasPrefix(answer, "HTTP/1.1 503") ||
			!strings.Contains(answer, "server.too_many_connections") {
			t.Errorf("one more from %s is answered %q", from, answer)
		}
	}
	fill("127.0.0.1", 4)
	fill("127.0.0.2", 4)
	fill("127.0.0.3", 4)
	fill("127.0.0.4", 4)
	if answer := ask(t, "127.0.0.5", to, ""); !strings.HasPrefix(answer, "HTTP/1.1 503") {
		t.Errorf("one more than all is answered %q", answer)
	}
	close(finish)
	all.Wait()
	if n, m := l.count("one address has"), l.count("there are too many"); n != 1 || m != 1 {
		t.Errorf("it is logged %d and %d times", n, m)
	}
}

// A client that has authenticated and then stops, in a body or before an answer, makes room as well: if
// nobody else waits, the one that has stopped for longest.
func TestAClientThatStopsMakesRoom(t *testing.T) {
	c := New(Config{Connections: 16, PerAddress: 8, Patience: time.Hour})
	stopped := make(chan struct{}, 100)
	to := serve(t, c, func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") == "" {
			return
		}
		Authenticated(r.Context())
		stopped <- struct{}{}
		if r.Method == "POST" {
			io.Copy(io.Discard, r.Body)
		}
		for _, err := w.Write(make([]byte, 1<<20)); err == nil; _, err = w.Write(make([]byte, 1<<20)) {
		}
	})
	for i := range 16 {
		from := []string{"127.0.0.1", "127.0.0.2"}[i%2]
		dial(t, from, to,
			[]string{
				"GET / HTTP/1.1\r\nHost: x\r\nAuthorization: x\r\n\r\n",
				strings.Replace(half, "Host", "Authorization: x\r\nHost", 1),
			}[i%2])
		<-stopped
	}
	for _, from := range []string{"127.0.0.1", "127.0.0.2", "127.0.0.3"} {
		answer := ""
		// until their buffers are full
		for tries := 0; tries < 1000 && !strings.HasPrefix(answer, "HTTP/1.1 200"); tries++ {
			c.mu.Lock()
			for one := range c.all {
				if at := one.since.Load(); at != 0 {
					one.since.CompareAndSwap(at, 1) // as if it had stopped years ago
				}
			}
			c.mu.Unlock()
			answer = ask(t, from, to, "")
		}
		if !strings.HasPrefix(answer, "HTTP/1.1 200") {
			t.Errorf("somebody at %s is answered %q", from, answer)
		}
	}
}

// A trusted proxy's connections are not limited; its clients are.
func TestTheClientsOfAProxyAreCounted(t *testing.T) {
	c := New(Config{Connections: 40, PerAddress: 4, Proxies: []netip.Prefix{netip.MustParsePrefix("127.0.0.9/32")}})
	working, finish := make(chan struct{}), make(chan struct{})
	to := serve(t, c, func(http.ResponseWriter, *http.Request) {
		working <- struct{}{}
		<-finish
	})
	var all sync.WaitGroup
	for _, client := range []string{"192.0.2.1", "192.0.2.2", "192.0.2.3"} {
		header := "X-Forwarded-For: " + client + "\r\n"
		for range 4 {
			all.Go(func() { ask(t, "127.0.0.9", to, header) })
			<-working
		}
		if answer := ask(t, "127.0.0.9", to, header); !strings.HasPrefix(answer, "HTTP/1.1 503") {
			t.Errorf("one more of %s is answered %q", client, answer)
		}
	}
	close(finish)
	all.Wait()
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.addresses) != 0 {
		t.Errorf("%d addresses are still counted", len(c.addresses))
	}
}

// Some descriptors are kept for files and deliveries, whatever the configuration.
func TestNoMoreConnectionsThanDescriptors(t *testing.T) {
	l := &log{}
	c := New(Config{Connections: 1 << 30, Log: slog.New(slog.NewTextHandler(l, nil))})
	if most := c.config.Connections; most >= descriptors() || l.count("advice") != 1 {
		t.Errorf("%d connections, of %d descriptors", most, descriptors())
	}
}

// starved is a listener that fails at first, for lack of descriptors.
type starved struct {
	net.Listener
	times int
}

func (s *starved) Accept() (net.Conn, error) {
	if s.times--; s.times >= 0 {
		return nil, &net.OpError{Op: "accept", Err: syscall.EMFILE}
	}
	return s.Listener.Accept()
}

// A process without descriptors logs that once, waits, and goes on.
func TestAcceptingGoesOnWithoutDescriptors(t *testing.T) {
	l := &log{}
	c := New(Config{Log: slog.New(slog.NewTextHandler(l, nil))})
	inner, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	listener := c.Listener(&starved{inner, 4})
	dial(t, "127.0.0.1", inner.Addr().String(), "")
	conn, err := listener.Accept()
	if err != nil {
		t.Fatal(err)
	}
	conn.Close()
	if n := l.count("no file descriptor left"); n != 1 {
		t.Errorf("it is logged %d times", n)
	}
	listener.Close()
	closed := c.Listener(&starved{inner, 1 << 20})
	closed.Close()
	if _, err := closed.Accept(); !errors.Is(err, net.ErrClosed) {
		t.Errorf("a closed listener that waits for descriptors: %v", err)
	}
}
