package hostile

import (
	"context"
	"io"
	"math/rand/v2"
	"net"
	"strings"
	"time"
)

// Client is one way to be a client that nobody wants: it leaves a request half
// said, says it for ever, or hears no answer.
type Client struct {
	Name   string
	Begin  string // what it sends first
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

// Clients returns the ways in which somebody without a credential can try to hold
// a connection.
func Clients() []Client {
	return []Client{
		{Name: "says nothing"},
		{Name: "says half a head", Begin: "GET /healthz" + hello},
		{Name: "says its head letter by letter", Begin: "GET /healthz HTTP/1.1\r\nX-", Again: "a"},
		{Name: "has headers without end", Begin: "GET /healthz" + hello, Again: "X-A: b\r\n"},
		{
			Name:  "floods headers",
			Begin: "GET /healthz" + hello, Again: "X-A: " + strings.Repeat("b", 1000) + "\r\n", Flood: true,
		},
		{Name: "leaves the body of nothing out", Begin: "POST /x" + hello + none},
		{Name: "leaves the body of a GET out", Begin: "GET /healthz" + hello + none},
		{Name: "leaves the body of a HEAD out", Begin: "HEAD /docs" + hello + none},
		{Name: "leaves the body of OPTIONS * out", Begin: "OPTIONS *" + hello + none},
		{
			Name:  "leaves the body out that an operation wants",
			Begin: "POST /v1/case-types/a/cases" + hello + wrong + typed + "Content-Length: 9\r\n\r\n",
		},
		{
			Name:  "leaves the body out and closes",
			Begin: "DELETE /v1/session" + hello + "Connection: close\r\nContent-Length: 1\r\n\r\n",
		},
		{
			Name:  "leaves the body of HTTP/1.0 out",
			Begin: "POST /v1/session HTTP/1.0\r\nConnection: keep-alive\r\n" + typed + "Content-Length: 5\r\n\r\n{",
		},
		{Name: "asks whether it may go on", Begin: signIn + "Expect: 100-continue\r\nContent-Length: 9\r\n\r\n"},
		{
			Name:  "asks whether it may upload",
			Begin: "POST /v1/cases/1/proofs" + hello + wrong + "Expect: 100-continue\r\nContent-Length: 1000000\r\n\r\n",
		},
		{Name: "signs in by half", Begin: signIn + "Content-Length: 9000\r\n\r\n{\"email\": \""},
		{
			Name:  "signs in with too much",
			Begin: signIn + "Content-Length: 1000000\r\n\r\n{\"email\": \"", Again: strings.Repeat("a", 1000),
		},
		{
			Name:  "signs in letter by letter",
			Begin: signIn + "Content-Length: 9000\r\n\r\n{\"email\": \"", Again: "a",
		},
		{Name: "signs in with chunks without end", Begin: signIn + chunks, Again: "1\r\n \r\n"},
		{
			Name:  "floods chunks",
			Begin: signIn + chunks, Again: "100\r\n" + strings.Repeat(" ", 256) + "\r\n", Flood: true,
		},
		{Name: "leaves a chunk out", Begin: signIn + chunks + "5"},
		{Name: "has an extension without end", Begin: signIn + chunks + "1;a=", Again: "b"},
		{
			Name:  "has trailers without end",
			Begin: signIn + "Transfer-Encoding: chunked\r\nTrailer: X-A\r\n\r\n2\r\n{}\r\n0\r\n", Again: "X-A: b\r\n",
		},
		{
			Name:  "signs in with half of a gzip",
			Begin: signIn + "Content-Encoding: gzip\r\nContent-Length: 100\r\n\r\n\x1f\x8b\x08",
		},
		{Name: "asks and goes on by half", Begin: "GET /healthz" + hello + "\r\nPOST /x" + hello + none},
		{Name: "asks and begins again", Begin: "GET /healthz" + hello + "\r\nGE", Idle: true},
		{Name: "asks and stays", Begin: "GET /healthz" + hello + "\r\n", Idle: true},
		{Name: "hears nothing", Begin: page, Again: page, Flood: true, Silent: true},
		{
			Name:  "hears no refusal",
			Begin: "GET /v1/cases" + hello + "\r\n", Again: "GET /v1/cases" + hello + "\r\n", Flood: true, Silent: true,
		},
		{Name: "shakes hands", Begin: "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"},
	}
}

// Cut returns the client as one that says less: its beginning ends anywhere.
func (c Client) Cut(r *rand.Rand) Client {
	if len(c.Begin) > 0 {
		c.Begin = c.Begin[:r.IntN(len(c.Begin))]
		c.Name += ", cut short"
	}
	return c
}

// Hold connects to an address and misbehaves until the server has ended the connection; then it
// returns nil. A client that sends little by little does so every while. It ends with ctx, and fails
// then.
func (c Client) Hold(ctx context.Context, address string, while time.Duration) error {
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
	if _, err := io.WriteString(conn, c.Begin); err != nil || c.Again == "" {
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
