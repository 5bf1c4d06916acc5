package outbound_test

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"testing"

	"github.com/casehook/casehook/internal/outbound"
)

// A server may close an idle connection at the very moment at which we use it again. Then the
// request is sent once more, at once and on a new connection. If the connection was new, the
// request is not repeated.
func TestAStaleConnectionIsReplacedOnce(t *testing.T) {
	for name, c := range map[string]struct {
		answered []int // how many requests each connection answers; the server closes it when it reads one more
		class    outbound.Class
		requests int // the requests that the server read
	}{
		"the new one answers":    {[]int{1, 1}, outbound.Answered, 3},
		"the new one is cut too": {[]int{1, 0}, outbound.Closed, 3},
	} {
		t.Run(name, func(t *testing.T) {
			s := closing(t, c.answered...)
			cl := client(t)
			if r := post(t, cl, s.url); r.Class != outbound.Answered {
				t.Fatalf("the first request: %+v", r)
			}
			r := post(t, cl, s.url)
			if r.Class != c.class || len(s.seen) != c.requests {
				t.Errorf("class %q after %d requests, want %q after %d: %v", r.Class, len(s.seen), c.class,
					c.requests, r.Err)
			}
			for range len(s.seen) {
				if got := <-s.seen; got != "1 {}" {
					t.Errorf("the server read %q", got)
				}
			}
		})
	}
	s := closing(t, 0, 9)
	if r := post(t, client(t), s.url); r.Class != outbound.Closed || len(s.seen) != 1 {
		t.Errorf("on a new connection: class %q after %d requests", r.Class, len(s.seen))
	}
}

type closingServer struct {
	url  string
	seen chan string // the attempt and the body of each request
}

// closing starts a server whose connections answer a number of requests each, and are closed when
// they have read one more.
func closing(t *testing.T, answered ...int) *closingServer {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &closingServer{url: "http://" + listener.Addr().String(), seen: make(chan string, 10)}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for _, n := range answered {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			s.serve(conn, n)
		}
	}()
	t.Cleanup(func() { listener.Close(); <-done })
	return s
}

func (s *closingServer) serve(conn net.Conn, n int) {
	defer conn.Close()
	in := bufio.NewReader(conn)
	for ; ; n-- {
		r, err := http.ReadRequest(in)
		if err != nil {
			return
		}
		body, _ := io.ReadAll(r.Body)
		s.seen <- r.Header.Get("webhook-attempt") + " " + string(body)
		if n == 0 {
			return
		}
		io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
	}
}

func post(t *testing.T, c *outbound.Client, url string) outbound.Result {
	t.Helper()
	return c.Post(t.Context(), outbound.Request{URL: url, Body: []byte("{}"), ID: "msg_1", Attempt: 1})
}
