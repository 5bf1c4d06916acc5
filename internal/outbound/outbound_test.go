package outbound_test

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
	"go.uber.org/goleak"

	"github.com/casehook/casehook/internal/outbound"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var loopback = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128")}

// client makes a Client that may call loopback addresses, and closes it after the test.
func client(t testing.TB, change ...func(*outbound.Config)) *outbound.Client {
	t.Helper()
	config := outbound.Config{AllowPrefixes: loopback, Version: "0.1.0"}
	for _, f := range change {
		f(&config)
	}
	c := outbound.New(config)
	t.Cleanup(c.Close)
	return c
}

// listen starts a raw TCP server. It reads the head of a request on each connection, and passes the
// connection to serve.
func listen(t testing.TB, serve func(conn net.Conn, head string)) (url string) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			serve(conn, readHead(conn))
			conn.Close()
		}
	}()
	t.Cleanup(func() { listener.Close(); <-done })
	return "http://" + listener.Addr().String()
}

// readHead reads to the empty line. It reads nothing of a TLS handshake.
func readHead(conn net.Conn) string {
	var head strings.Builder
	r := bufio.NewReader(conn)
	if first, err := r.Peek(1); err != nil || first[0] == 0x16 {
		return ""
	}
	for {
		line, err := r.ReadString('\n')
		head.WriteString(line)
		if err != nil || line == "\r\n" {
			return head.String()
		}
	}
}

func write(s string) func(net.Conn, string) {
	return func(conn net.Conn, _ string) { io.WriteString(conn, s) }
}

// hang sends s, and then waits until the client closes the connection.
func hang(s string) func(net.Conn, string) {
	return func(conn net.Conn, _ string) {
		io.WriteString(conn, s)
		io.Copy(io.Discard, conn)
	}
}

func closedPort(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return "http://" + listener.Addr().String()
}

func gzipped(b []byte) string {
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	w.Write(b)
	w.Close()
	return out.String()
}

func answer(head, body string) string {
	return fmt.Sprintf("HTTP/1.1 200 OK\r\n%sContent-Length: %d\r\n\r\n%s", head, len(body), body)
}

// tlsServer answers with the protocol of the request.
func tlsServer(t *testing.T) *httptest.Server {
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, r.Proto)
	}))
	server.EnableHTTP2 = true // offered, and must not be used
	server.Config.ErrorLog = discard
	server.StartTLS()
	t.Cleanup(server.Close)
	return server
}

func TestEveryWayToFailHasItsClass(t *testing.T) {
	const short, long = 50 * time.Millisecond, 10 * time.Second
	bomb := gzipped(make([]byte, 8<<20))
	for name, c := range map[string]struct {
		url     string
		timeout time.Duration
		class   outbound.Class
		status  int
	}{
		"not a URL":                {url: "http://[::1", class: outbound.Invalid},
		"another scheme":           {url: "gopher://127.0.0.1/", class: outbound.Invalid},
		"no host":                  {url: "http://:80/", class: outbound.Invalid},
		"no such name":             {url: "http://no-such-host.invalid/", class: outbound.DNS},
		"nobody listens":           {url: closedPort(t), class: outbound.Connect},
		"a private address":        {url: "http://10.0.0.1/", class: outbound.Refused},
		"no TLS there":             {url: strings.Replace(listen(t, write(answer("", ""))), "http:", "https:", 1), class: outbound.TLS},
		"TLS broken off":           {url: strings.Replace(listen(t, write("")), "http:", "https:", 1), class: outbound.TLS},
		"a certificate of nobody":  {url: tlsServer(t).URL, class: outbound.TLS},
		"no answer":                {url: listen(t, hang("")), timeout: short, class: outbound.Timeout},
		"half a head":              {url: listen(t, hang("HTTP/1.1 200 OK\r\nX: ")), timeout: short, class: outbound.Timeout},
		"half a body":              {url: listen(t, hang("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nab")), timeout: short, class: outbound.Timeout, status: 200},
		"closed without a word":    {url: listen(t, write("")), class: outbound.Closed},
		"closed within the head":   {url: listen(t, write("HTTP/1.1 200 OK\r\nX: ")), class: outbound.Closed},
		"closed within the body":   {url: listen(t, write("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nab")), class: outbound.Closed, status: 200},
		"closed within a chunk":    {url: listen(t, write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab")), class: outbound.Closed, status: 200},
		"not HTTP":                 {url: listen(t, write("SSH-2.0-OpenSSH_9.2\r\n\r\n")), class: outbound.Protocol},
		"a malformed header":       {url: listen(t, write("HTTP/1.1 200 OK\r\n: x\r\n\r\n")), class: outbound.Protocol},
		"a malformed chunk":        {url: listen(t, write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n")), class: outbound.Protocol, status: 200},
		"an endless head":          {url: listen(t, write("HTTP/1.1 200 OK\r\nX: "+strings.Repeat("x", 1<<20))), class: outbound.Protocol},
		"gzip that is none":        {url: listen(t, write(answer("Content-Encoding: gzip\r\n", "hello hello hello"))), class: outbound.Protocol, status: 200},
		"gzip with a wrong sum":    {url: listen(t, write(answer("Content-Encoding: gzip\r\n", damaged(gzipped([]byte("hello")))))), class: outbound.Protocol, status: 200},
		"a long body":              {url: listen(t, write(answer("", strings.Repeat("x", 1025)))), class: outbound.TooLarge, status: 200},
		"a bomb":                   {url: listen(t, write(answer("Content-Encoding: gzip\r\n", bomb))), class: outbound.TooLarge, status: 200},
		"as much as is allowed":    {url: listen(t, write(answer("", strings.Repeat("x", 1024)))), status: 200},
		"an error is an answer":    {url: listen(t, write("HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n")), status: 503},
		"an interim answer passes": {url: listen(t, write("HTTP/1.1 103 Early Hints\r\n\r\n"+answer("", "x"))), status: 200},
	} {
		t.Run(name, func(t *testing.T) {
			if c.timeout == 0 {
				c.timeout = long
			}
			r := client(t).Post(t.Context(),
				outbound.Request{URL: c.url, Body: []byte("{}"), Timeout: c.timeout, MaxResponse: 1024, At: time.Now()})
			checkResult(t, r, c.class, c.status)
			before := []outbound.Class{outbound.Invalid, outbound.DNS, outbound.Connect, outbound.Refused, outbound.TLS}
			if r.Connected == slices.Contains(before, r.Class) {
				t.Errorf("class %q, and connected is %v", r.Class, r.Connected)
			}
			if int64(len(r.Body)) > 1024 || r.Duration <= 0 || r.Duration > long {
				t.Errorf("%d bytes in %v", len(r.Body), r.Duration)
			}
			if r.Class != outbound.Answered && !slices.Contains(outbound.Classes(), r.Class) {
				t.Errorf("%q is not among the classes", r.Class)
			}
		})
	}
}

func damaged(s string) string { return s[:len(s)-8] + "\x00\x00\x00\x00" + s[len(s)-4:] }

func TestTheCallerCanGiveUp(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	url := listen(t, func(conn net.Conn, _ string) { cancel(); io.Copy(io.Discard, conn) })
	if r := client(t).Post(ctx, outbound.Request{URL: url}); r.Class != outbound.Cancelled {
		t.Errorf("class %q, %v", r.Class, r.Err)
	}
}

func TestTheCallersDeadlineIsATimeout(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if r := client(t).Post(ctx, outbound.Request{URL: listen(t, hang(""))}); r.Class != outbound.Timeout {
		t.Errorf("class %q, %v", r.Class, r.Err)
	}
}

func TestALongAnswerIsCutWhereThatIsAskedFor(t *testing.T) {
	for name, body := range map[string]string{
		"plain": answer("", strings.Repeat("x", 1<<20)),
		"gzip":  answer("Content-Encoding: gzip\r\n", gzipped(bytes.Repeat([]byte("x"), 1<<20))),
	} {
		r := client(t).Post(t.Context(),
			outbound.Request{URL: listen(t, write(body)), MaxResponse: 1000, Truncate: true})
		if r.Class != outbound.Answered || !r.Truncated || string(r.Body) != strings.Repeat("x", 1000) {
			t.Errorf("%s: class %q, %v, truncated %v, %d bytes", name, r.Class, r.Err, r.Truncated, len(r.Body))
		}
	}
}

func TestGzipIsReadThoughNotAskedFor(t *testing.T) {
	var head string
	url := listen(t, func(conn net.Conn, h string) {
		head = h
		io.WriteString(conn, answer("Content-Encoding: gzip\r\n", gzipped([]byte("hello"))))
	})
	r := client(t).Post(t.Context(), outbound.Request{URL: url})
	if string(r.Body) != "hello" || r.Truncated {
		t.Errorf("%q, %v", r.Body, r.Err)
	}
	if strings.Contains(strings.ToLower(head), "accept-encoding") {
		t.Errorf("asked for compression:\n%s", head)
	}
}

func TestHeadersGoOutAsSpelt(t *testing.T) {
	heads := make(chan string, 1)
	url := listen(t, func(conn net.Conn, head string) { heads <- head; io.WriteString(conn, answer("", "")) })
	r := client(t).Post(t.Context(), outbound.Request{
		URL:     url + "/hook?a=b",
		Body:    []byte("{}"),
		ID:      "msg_1",
		Attempt: 3,
		At:      time.Unix(1700000000, 0),
		Keys:    [][]byte{key},
		Header: []outbound.Header{
			{Name: "Content-Type", Value: "application/json; charset=UTF-8"},
			{Name: "X-atfinity-event", Value: "case_created"}, {Name: "webhook-subject", Value: "case/1"},
			{Name: "Webhook-ID", Value: "theirs"}, {Name: "WEBHOOK-signature", Value: "theirs"}, {Name: "user-agent", Value: "theirs"},
			{Name: "host", Value: "theirs"}, {Name: "content-length", Value: "7"}, {Name: "transfer-encoding", Value: "chunked"},
		},
	})
	if r.Status != 200 {
		t.Fatal(r.Err)
	}
	head := <-heads
	for _, line := range []string{
		"POST /hook?a=b HTTP/1.1\r\n", "\r\nX-atfinity-event: case_created\r\n", "\r\nContent-Type: application/json; charset=UTF-8\r\n",
		"\r\nwebhook-subject: case/1\r\n", "\r\nwebhook-id: msg_1\r\n", "\r\nwebhook-attempt: 3\r\n", "\r\nwebhook-timestamp: 1700000000\r\n",
		"\r\nwebhook-signature: v1,", "\r\nUser-Agent: Casehook/0.1.0\r\n", "\r\nContent-Length: 2\r\n",
	} {
		if !strings.Contains(head, line) {
			t.Errorf("no %q in\n%s", line, head)
		}
	}
	if strings.Contains(head, "theirs") || strings.Contains(head, "chunked") {
		t.Errorf("a caller's header won:\n%s", head)
	}
}

func TestAHeaderThatCannotBeSentIsInvalid(t *testing.T) {
	for _, h := range []outbound.Header{
		{Name: "a b", Value: "x"}, {Name: "", Value: "x"}, {Name: "a", Value: "x\r\nb: c"},
	} {
		url := listen(t, func(_ net.Conn, head string) { t.Errorf("sent:\n%s", head) })
		if r := client(t).Post(t.Context(),
			outbound.Request{URL: url, Header: []outbound.Header{h}}); r.Class != outbound.Invalid {
			t.Errorf("%q: class %q, %v", h, r.Class, r.Err)
		}
	}
}

func TestRedirectsAreAnswers(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/" {
			t.Errorf("followed to %s", r.URL)
		}
		http.Redirect(w, r, "/elsewhere", http.StatusTemporaryRedirect)
	}))
	defer server.Close()
	r := client(t).Post(t.Context(), outbound.Request{URL: server.URL + "/"})
	checkResult(t, r, outbound.Answered, 307)
	if got := r.Header.Get("Location"); got != "/elsewhere" {
		t.Errorf("the answer redirects to %q", got)
	}
}

// checkResult checks that a result has a class and a status, and an error unless there was an answer.
func checkResult(t *testing.T, r outbound.Result, class outbound.Class, status int) {
	t.Helper()
	type outcome struct {
		Class  outbound.Class
		Status int
		Failed bool
	}
	want := outcome{class, status, class != outbound.Answered}
	if diff := cmp.Diff(want, outcome{r.Class, r.Status, r.Err != nil}); diff != "" {
		t.Errorf("%v: %s", r.Err, diff)
	}
}

func TestTheEnvironmentsProxyIsNotUsed(t *testing.T) {
	proxy := listen(t, func(_ net.Conn, head string) { t.Errorf("the proxy got\n%s", head) })
	for _, name := range []string{"HTTP_PROXY", "http_proxy", "ALL_PROXY", "HTTPS_PROXY"} {
		t.Setenv(name, proxy)
	}
	r := client(t).Post(t.Context(), outbound.Request{URL: "http://no-such-host.invalid/"})
	if r.Class != outbound.DNS {
		t.Errorf("class %q, %v", r.Class, r.Err)
	}
}

func TestConnectionsAreReused(t *testing.T) {
	for name, serve := range map[string]http.HandlerFunc{
		"plain":   func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "ok") },
		"empty":   func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(204) },
		"chunked": func(w http.ResponseWriter, _ *http.Request) { w.(http.Flusher).Flush(); io.WriteString(w, "ok") },
		"gzip": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Encoding", "gzip")
			w.(http.Flusher).Flush()
			io.WriteString(w, gzipped([]byte("ok")))
		},
	} {
		t.Run(name, func(t *testing.T) {
			from := make(chan string, 2)
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				from <- r.RemoteAddr
				io.Copy(io.Discard, r.Body)
				serve(w, r)
			}))
			defer server.Close()
			c := client(t)
			defer c.Close() // before the server waits for its connections
			for range 2 {
				r := c.Post(t.Context(), outbound.Request{URL: server.URL, Body: []byte("{}")})
				if r.Class != outbound.Answered || "http://"+r.Address != server.URL {
					t.Fatalf("class %q, %v, address %q", r.Class, r.Err, r.Address)
				}
			}
			if a, b := <-from, <-from; a != b {
				t.Errorf("two connections: %s, %s", a, b)
			}
		})
	}
}

func TestTrustedCertificatesWorkAndHTTP2IsNotSpoken(t *testing.T) {
	server := tlsServer(t)
	roots := x509.NewCertPool()
	roots.AddCert(server.Certificate())
	c := client(t, func(config *outbound.Config) { config.RootCAs = roots })
	defer c.Close()
	r := c.Post(t.Context(), outbound.Request{URL: server.URL})
	if string(r.Body) != "HTTP/1.1" {
		t.Errorf("%q, class %q, %v", r.Body, r.Class, r.Err)
	}
	if r := c.Post(t.Context(),
		outbound.Request{URL: strings.Replace(server.URL, "127.0.0.1", "localhost", 1)}); r.Class != outbound.TLS {
		t.Errorf("a certificate for another name: class %q, %v", r.Class, r.Err)
	}
}

func TestOldTLSIsRefused(t *testing.T) {
	server := httptest.NewUnstartedServer(http.NotFoundHandler())
	server.TLS = &tls.Config{MaxVersion: tls.VersionTLS11, MinVersion: tls.VersionTLS10}
	server.Config.ErrorLog = discard
	server.StartTLS()
	defer server.Close()
	roots := x509.NewCertPool()
	roots.AddCert(server.Certificate())
	c := client(t, func(config *outbound.Config) { config.RootCAs = roots })
	if r := c.Post(t.Context(), outbound.Request{URL: server.URL}); r.Class != outbound.TLS {
		t.Errorf("class %q, %v", r.Class, r.Err)
	}
}

func TestAURLThatCannotBeCalledIsNeverQuoted(t *testing.T) {
	c := client(t)
	defer c.Close()
	for _, bad := range []string{
		"http://ann:s3cret@[::1/", "ftp://ann:s3cret@x/", "http://ann:s3cret@no-such-host.invalid/s3cret?s3cret",
		"http://ann:s3cret@10.0.0.1/s3cret", "http://x/%s3cret", "http://x:99999/s3cret", "http://127.1/s3cret",
	} {
		if r := c.Post(t.Context(), outbound.Request{URL: bad}); r.Err == nil ||
			strings.Contains(r.Err.Error(), "s3cret") {
			t.Errorf("%q: %v", bad, r.Err)
		}
	}
}

func TestStandardWebhooksVerifiesWhatIsSent(t *testing.T) {
	old := bytes.Repeat([]byte{9}, 24)
	body := []byte(`{"trigger":"case_created"}`)
	verified := make(chan error, 3)
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		got, _ := io.ReadAll(r.Body)
		for _, k := range [][]byte{key, old, bytes.Repeat([]byte{1}, 32)} {
			hook, err := standardwebhooks.NewWebhook(outbound.FormatKey(k))
			if err != nil {
				t.Error(err)
			}
			verified <- hook.Verify(got, r.Header)
		}
	}))
	defer server.Close()
	c := client(t)
	defer c.Close()
	if r := c.Post(t.Context(),
		outbound.Request{
			URL: server.URL, Body: body, ID: "msg_1", Attempt: 1, At: time.Now(), Keys: [][]byte{key, old},
		}); r.Status != 200 {
		t.Fatal(r.Err)
	}
	if err := <-verified; err != nil {
		t.Errorf("the newest key: %v", err)
	}
	if err := <-verified; err != nil {
		t.Errorf("the key before: %v", err)
	}
	if err := <-verified; err == nil {
		t.Error("a foreign key verifies")
	}
}

func BenchmarkPost(b *testing.B) {
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard,
			r.Body)
	}))
	defer server.Close()
	c := client(b)
	defer c.Close()
	request := outbound.Request{
		URL: server.URL, Body: bytes.Repeat([]byte("x"), 1024), ID: "msg_1", Attempt: 1, At: time.Now(),
		Keys: [][]byte{key},
	}
	b.ReportAllocs()
	for b.Loop() {
		if r := c.Post(b.Context(), request); r.Status != 200 {
			b.Fatal(r.Err)
		}
	}
}

func TestTheAddressIsKnownAlsoWhenItCouldNotBeReached(t *testing.T) {
	for _, url := range []string{closedPort(t), "http://10.0.0.1:81", listen(t, write(""))} {
		if r := client(t).Post(t.Context(), outbound.Request{URL: url}); r.Err == nil || "http://"+r.Address != url {
			t.Errorf("%s: address %q, class %q, %v", url, r.Address, r.Class, r.Err)
		}
	}
}
