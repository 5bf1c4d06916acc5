package inbound

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

// serveTLS serves a handler by TLS until the test ends. It returns the address, and a client of HTTP/2.
func serveTLS(t *testing.T, c *Clients, handler http.HandlerFunc) (string, *http.Client) {
	t.Helper()
	borrowed := httptest.NewUnstartedServer(nil) // for its certificate
	borrowed.EnableHTTP2 = true
	borrowed.StartTLS()
	t.Cleanup(borrowed.Close)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := c.Server(context.WithoutCancel(t.Context()), handler)
	s.TLSConfig = &tls.Config{Certificates: borrowed.TLS.Certificates}
	done := make(chan struct{})
	go func() { defer close(done); s.ServeTLS(c.TLSListener(l, s.TLSConfig), "", "") }()
	client := borrowed.Client()
	client.Transport.(*http.Transport).TLSClientConfig.ServerName = "example.com"
	t.Cleanup(func() { client.CloseIdleConnections(); s.Close(); <-done })
	return l.Addr().String(), client
}

// stream sends a request by HTTP/2.
func stream(t *testing.T, client *http.Client, to string, headers ...string) *http.Response {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), "GET", "https://"+to, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, header := range headers {
		name, value, _ := strings.Cut(header, ": ")
		r.Header.Set(name, value)
	}
	response, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { response.Body.Close() })
	if response.ProtoMajor != 2 {
		t.Fatalf("it is %s", response.Proto)
	}
	return response
}

func TestPlainHTTPToTLSIsAnsweredWith400(t *testing.T) {
	to, _ := serveTLS(t, New(Config{}), func(http.ResponseWriter, *http.Request) { t.Error("it was served") })
	for name, request := range map[string]string{
		"a short request": "GET / HTTP/1.1\r\nHost: x\r\n\r\n",
		"a long one":      "POST / HTTP/1.1\r\nHost: x\r\nX: " + strings.Repeat("x", maxHead/2) + "\r\n\r\n",
	} {
		conn := dial(t, "127.0.0.1", to, request)
		conn.(*net.TCPConn).CloseWrite()
		answer, err := io.ReadAll(conn)
		if err != nil || !strings.HasPrefix(string(answer), "HTTP/1.1 400 ") ||
			!strings.Contains(string(answer), "server.needs_tls") {
			t.Errorf("%s is answered %q, %v", name, answer, err)
		}
	}
}

// A handshake that does not move is ended as the head of a request is.
func TestAHandshakeHasADeadline(t *testing.T) {
	to, _ := serveTLS(t, New(Config{Patience: 100 * time.Millisecond}), nil)
	for name, say := range map[string]string{"nothing": "", "a part of a record": "\x16\x03\x01\x02\x00\x01"} {
		conn := dial(t, "127.0.0.1", to, say)
		conn.SetReadDeadline(time.Now().Add(20 * time.Second))
		if _, err := io.ReadAll(conn); err != nil {
			t.Errorf("after %s the connection is not ended: %v", name, err)
		}
	}
}

// A client for which there is no room is told by TLS.
func TestARefusalIsWrittenByTLS(t *testing.T) {
	working, finish := make(chan struct{}), make(chan struct{})
	c := New(Config{Connections: 16, PerAddress: 2})
	to, client := serveTLS(t, c, func(_ http.ResponseWriter, r *http.Request) {
		Authenticated(r.Context())
		working <- struct{}{}
		<-finish
	})
	transport := client.Transport.(*http.Transport)
	transport.ForceAttemptHTTP2, transport.Protocols = false, new(http.Protocols)
	transport.Protocols.SetHTTP1(true)
	var all sync.WaitGroup
	ask := func() (int, string) {
		response, err := client.Get("https://" + to)
		if err != nil {
			return 0, err.Error()
		}
		defer response.Body.Close()
		body, _ := io.ReadAll(response.Body)
		return response.StatusCode, string(body)
	}
	for range 2 {
		all.Go(func() {
			if status, body := ask(); status != http.StatusOK {
				t.Errorf("answered %d %s", status, body)
			}
		})
		<-working
	}
	conn, err := tls.Dial("tcp", to, transport.TLSClientConfig) // package http takes an early answer for an error
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	answer, err := io.ReadAll(conn)
	if err != nil || !strings.HasPrefix(string(answer), "HTTP/1.1 503 ") ||
		!strings.Contains(string(answer), "too_many_connections") {
		t.Errorf("one more is answered %q, %v", answer, err)
	}
	close(finish)
	all.Wait()
}

// One connection of many streams is worth no more than as many connections.
func TestStreamsAreCounted(t *testing.T) {
	l := &log{}
	c := New(Config{Connections: 32, PerAddress: 8, Log: slog.New(slog.NewTextHandler(l, nil))})
	working, finish := make(chan struct{}), make(chan struct{})
	to, client := serveTLS(t, c, func(http.ResponseWriter, *http.Request) {
		working <- struct{}{}
		<-finish
	})
	second := &http.Client{Transport: client.Transport.(*http.Transport).Clone()}
	defer second.CloseIdleConnections()
	var all sync.WaitGroup
	for _, one := range []*http.Client{client, second} { // 2 connections and 6 streams
		for range 3 {
			all.Go(func() { stream(t, one, to) })
			<-working
		}
	}
	if one := stream(t, client, to); one.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("one more is answered %s", one.Status)
	}
	c.mu.Lock()
	if c.streams != 6 {
		t.Errorf("%d streams are counted", c.streams)
	}
	c.mu.Unlock()
	close(finish)
	all.Wait()
	client.CloseIdleConnections()
	if l.count("one address has too many") != 1 {
		t.Error("it is not logged")
	}
}

// A stream whose client stops ends, in a body and before an answer, and the connection's other streams go on.
func TestAStreamHasToMove(t *testing.T) {
	ended := make(chan error, 2)
	to, client := serveTLS(t, New(Config{Patience: 200 * time.Millisecond}),
		func(w http.ResponseWriter, r *http.Request) {
			switch r.URL.Path {
			case "/body":
				_, err := io.Copy(io.Discard, r.Body)
				ended <- err
			case "/answer":
				var err error
				for err == nil {
					_, err = w.Write(make([]byte, 1<<20))
				}
				ended <- err
			default:
				for range 8 { // twice the patience
					io.WriteString(w, ".")
					if err := http.NewResponseController(w).Flush(); err != nil {
						t.Error(err)
					}
					<-time.After(50 * time.Millisecond)
				}
			}
		})
	events := stream(t, client, to+"/events")
	body, hold := io.Pipe()
	defer hold.Close()
	r, err := http.NewRequestWithContext(t.Context(), "POST", "https://"+to+"/body", body)
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		if response, err := client.Do(r); err == nil {
			response.Body.Close()
		}
	}()
	stream(t, client, to+"/answer")
	for range 2 {
		select {
		case err := <-ended:
			if err == nil || errors.Is(err, io.EOF) {
				t.Errorf("it ended with %v", err)
			}
		case <-time.After(20 * time.Second):
			t.Fatal("a stream whose client stops is not ended")
		}
	}
	if got, err := io.ReadAll(events.Body); err != nil || !bytes.Equal(got, []byte("........")) {
		t.Errorf("the other stream got %q, %v", got, err)
	}
}

// The rest of an answer that fits into the buffer is written after the handler has returned, and has to move as well.
func TestTheEndOfAStreamHasToMove(t *testing.T) {
	const window = 65535 // of a client that announces no other
	to, client := serveTLS(t, New(Config{Patience: 100 * time.Millisecond}),
		func(w http.ResponseWriter, _ *http.Request) { w.Write(make([]byte, window+1)) })
	config := client.Transport.(*http.Transport).TLSClientConfig.Clone()
	config.NextProtos = []string{"h2"}
	conn, err := tls.Dial("tcp", to, config)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(20 * time.Second))
	var head bytes.Buffer
	fields := hpack.NewEncoder(&head)
	for name, value := range map[string]string{
		":method": "GET", ":scheme": "https", ":authority": "x", ":path": "/",
	} {
		fields.WriteField(hpack.HeaderField{Name: name, Value: value})
	}
	io.WriteString(conn, http2.ClientPreface)
	frames := http2.NewFramer(conn, conn)
	frames.WriteSettings()
	frames.WriteHeaders(http2.HeadersFrameParam{
		StreamID: 1, BlockFragment: head.Bytes(), EndStream: true, EndHeaders: true,
	})
	for got := 0; ; {
		frame, err := frames.ReadFrame()
		if err != nil {
			t.Fatalf("after %d bytes: %v", got, err)
		}
		switch f := frame.(type) {
		case *http2.DataFrame:
			got += len(f.Data())
		case *http2.RSTStreamFrame:
			if got != window {
				t.Errorf("it ends after %d bytes", got)
			}
			return
		}
	}
}

// While one stream of a connection has a credential, the others do not make it one that may be closed.
func TestAStreamWithACredentialKeepsTheConnection(t *testing.T) {
	c := New(Config{})
	working, finish := make(chan struct{}), make(chan struct{})
	to, client := serveTLS(t, c, func(_ http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "" {
			Authenticated(r.Context())
			Authenticated(r.Context())
			working <- struct{}{}
			<-finish
		}
	})
	var all sync.WaitGroup
	waiting := func() int {
		c.mu.Lock()
		defer c.mu.Unlock()
		return c.waiting.Len()
	}
	all.Go(func() { stream(t, client, to, "Authorization: x") })
	<-working
	stream(t, client, to)
	if n := waiting(); n != 0 {
		t.Errorf("%d connections may be closed", n)
	}
	close(finish)
	all.Wait()
	stream(t, client, to)
	if n := waiting(); n != 1 {
		t.Errorf("%d connections may be closed afterwards", n)
	}
}

func TestTheSchemeOfTLSIsHTTPS(t *testing.T) {
	to, client := serveTLS(t, New(Config{}), func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, Scheme(r.Context()))
	})
	response := stream(t, client, to, "X-Forwarded-Proto: http")
	if scheme, err := io.ReadAll(response.Body); err != nil || string(scheme) != "https" {
		t.Errorf("the scheme is %q, %v", scheme, err)
	}
}
