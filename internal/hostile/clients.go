package hostile

import (
	"context"
	"io"
	"math/rand/v2"
	"net"
	"strings"
	"time"
)

// Client is one kind of hostile client: it sends half of a request, sends one for ever,
// or does not read the answer.
type Client struct {
	Name   string
	First  string // what it sends first
	Again  string // what it then sends again and again; empty: nothing
	Flood  bool   // it sends that at once, instead of a little at a time
	Silent bool   // it reads nothing
	Idle   bool   // it has had a whole answer, so that what ends it is idleness
}

const (
	hello  = " HTTP/1.1\r\nHost: casehook\r\n"
	typed  = "Content-Type: application/json\r\n"
	wrong  = "Authorization: Bearer chk_nobody_nothing\r\n"
	signIn = "POST /v1/session" + hello + typed
	chunks = "Transfer-Encoding: chunked\r\n\r\n"
	none   = "Content-Length: 1\r\n\r\n"
	page   = "GET /openapi.json" + hello + "\r\n"
)

// Clients returns the ways in which a client without a credential can try to keep a
// connection busy.
func Clients() []Client {
	return []Client{
		{Name: "says nothing"},
		{Name: "says half a head", First: "GET /healthz" + hello},
		{Name: "says its head letter by letter", First: "GET /healthz HTTP/1.1\r\nX-", Again: "a"},
		{Name: "has headers without end", First: "GET /healthz" + hello, Again: "X-A: b\r\n"},
		{
			Name:  "floods headers",
			First: "GET /healthz" + hello, Again: "X-A: " + strings.Repeat("b", 1000) + "\r\n", Flood: true,
		},
		{Name: "leaves the body of nothing out", First: "POST /x" + hello + none},
		{Name: "leaves the body of a GET out", First: "GET /healthz" + hello + none},
		{Name: "leaves the body of a HEAD out", First: "HEAD /docs" + hello + none},
		{Name: "leaves the body of OPTIONS * out", First: "OPTIONS *" + hello + none},
		{
			Name:  "leaves the body out that an operation wants",
			First: "POST /v1/case-types/a/cases" + hello + wrong + typed + "Content-Length: 9\r\n\r\n",
		},
		{
			Name:  "leaves the body out and closes",
			First: "DELETE /v1/session" + hello + "Connection: close\r\nContent-Length: 1\r\n\r\n",
		},
		{
			Name:  "leaves the body of HTTP/1.0 out",
			First: "POST /v1/session HTTP/1.0\r\nConnection: keep-alive\r\n" + typed + "Content-Length: 5\r\n\r\n{",
		},
		{Name: "asks whether it may go on", First: signIn + "Expect: 100-continue\r\nContent-Length: 9\r\n\r\n"},
		{
			Name:  "asks whether it may upload",
			First: "POST /v1/cases/1/proofs" + hello + wrong + "Expect: 100-continue\r\nContent-Length: 1000000\r\n\r\n",
		},
		{Name: "signs in by half", First: signIn + "Content-Length: 9000\r\n\r\n{\"email\": \""},
		{
			Name:  "signs in with too much",
			First: signIn + "Content-Length: 1000000\r\n\r\n{\"email\": \"", Again: strings.Repeat("a", 1000),
		},
		{
			Name:  "signs in letter by letter",
			First: signIn + "Content-Length: 9000\r\n\r\n{\"email\": \"", Again: "a",
		},
		{Name: "signs in with chunks without end", First: signIn + chunks, Again: "1\r\n \r\n"},
		{
			Name:  "floods chunks",
			First: signIn + chunks, Again: "100\r\n" + strings.Repeat(" ", 256) + "\r\n", Flood: true,
		},
		{Name: "leaves a chunk out", First: signIn + chunks + "5"},
		{Name: "has an extension without end", First: signIn + chunks + "1;a=", Again: "b"},
		{
			Name:  "has trailers without end",
			First: signIn + "Transfer-Encoding: chunked\r\nTrailer: X-A\r\n\r\n2\r\n{}\r\n0\r\n", Again: "X-A: b\r\n",
		},
		{
			Name:  "signs in with half of a gzip",
			First: signIn + "Content-Encoding: gzip\r\nContent-Length: 100\r\n\r\n\x1f\x8b\x08",
		},
		{Name: "asks and goes on by half", First: "GET /healthz" + hello + "\r\nPOST /x" + hello + none},
		{Name: "asks and begins again", First: "GET /healthz" + hello + "\r\nGE", Idle: true},
		{Name: "asks and stays", First: "GET /healthz" + hello + "\r\n", Idle: true},
		{Name: "hears nothing", First: page, Again: page, Flood: true, Silent: true},
		{
			Name:  "hears no refusal",
			First: "GET /v1/cases" + hello + "\r\n", Again: "GET /v1/cases" + hello + "\r\n", Flood: true, Silent: true,
		},
		{Name: "shakes hands", First: "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"},
	}
}

// Cut returns a client that sends only a random part of First.
func (c Client) Cut(r *rand.Rand) Client {
	if len(c.First) > 0 {
		c.First = c.First[:r.IntN(len(c.First))]
		c.Name += ", cut short"
	}
	return c
}

// Misbehave connects to an address and misbehaves until the server ends the connection; then it returns nil. A client
// that sends little by little pauses in between. It returns an error when ctx ends.
func (c Client) Misbehave(ctx context.Context, address string, while time.Duration) error {
	raw, err := new(net.Dialer).DialContext(ctx, "tcp", address)
	if err != nil {
		return err
	}
	defer raw.Close()
	defer context.AfterFunc(ctx, func() { raw.Close() })()
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		if !c.Silent {
			io.Copy(io.Discard, raw)
		} else {
			c.say(ctx, raw, nil, while)
		}
	}()
	if !c.Silent {
		c.say(ctx, raw, ended, while)
	}
	<-ended
	return ctx.Err()
}

// say says all there is to say, for as long as somebody listens.
func (c Client) say(ctx context.Context, conn net.Conn, ended <-chan struct{}, while time.Duration) {
	if _, err := io.WriteString(conn, c.First); err != nil || c.Again == "" {
		return
	}
	tick := time.NewTicker(while)
	defer tick.Stop()
	for {
		if _, err := io.WriteString(conn, c.Again); err != nil {
			return
		}
		if c.Flood {
			continue
		}
		select {
		case <-tick.C:
		case <-ended:
			return
		case <-ctx.Done():
			return
		}
	}
}
