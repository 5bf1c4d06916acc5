package outbound_test

import (
	"bufio"
	"crypto/tls"
	"encoding/base64"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/casehook/casehook/internal/outbound"
)

// gateway is a proxy that speaks CONNECT, or SOCKS5, and wants a password.
type gateway struct {
	t     *testing.T
	url   string // with the password
	to    string // where it leads to; empty: to the address that it is asked for
	socks bool

	mu    sync.Mutex
	asked []string // the addresses
}

const gatewayUser, gatewayPassword = "casehook", "s3cret&word"

// startGateway starts a proxy. Its config is nil for one that is reached by plain TCP.
func startGateway(t *testing.T, socks bool, config *tls.Config) *gateway {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	scheme := map[bool]string{true: "socks5", false: "http"}[socks]
	at := listener.Addr().String()
	if config != nil {
		listener, scheme = tls.NewListener(listener, config), "https"
		at = strings.Replace(at, "127.0.0.1", "localhost", 1)
	}
	g := &gateway{t: t, socks: socks, url: scheme + "://" + gatewayUser + ":s3cret%26word@" + at}
	var all sync.WaitGroup
	all.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			all.Go(func() { g.serve(conn) })
		}
	})
	t.Cleanup(func() { listener.Close(); all.Wait() })
	return g
}

// use makes a client use the proxy. It runs after the client's other settings.
func (g *gateway) use(config *outbound.Config) { config.Proxy = parseProxy(g.t, g.url) }

func parseProxy(t *testing.T, url string) *outbound.Proxy {
	t.Helper()
	p, err := outbound.ParseProxy(url)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func (g *gateway) addresses() []string {
	g.mu.Lock()
	defer g.mu.Unlock()
	return append([]string(nil), g.asked...)
}

func (g *gateway) serve(near net.Conn) {
	defer near.Close()
	from := bufio.NewReader(near)
	address, yes, no := g.connectRequest(from)
	if g.socks {
		address, yes, no = g.socksRequest(near, from)
	}
	if address == "" {
		io.WriteString(near, no)
		return
	}
	g.mu.Lock()
	g.asked = append(g.asked, address)
	if g.to != "" {
		address = g.to
	}
	g.mu.Unlock()
	far, err := net.Dial("tcp", address)
	if err != nil {
		io.WriteString(near, no)
		return
	}
	defer far.Close()
	io.WriteString(near, yes)
	go func() { io.Copy(far, from); far.Close() }()
	io.Copy(near, far)
}

// connectRequest reads a request for a tunnel, and returns the answers that there may be.
func (g *gateway) connectRequest(from *bufio.Reader) (address, yes, no string) {
	if g.socks {
		return
	}
	r, err := http.ReadRequest(from)
	login := "Basic " + base64.StdEncoding.EncodeToString([]byte(gatewayUser+":"+gatewayPassword))
	switch {
	case err != nil:
		return "", "", "HTTP/1.1 400 Bad Request\r\n\r\n"
	case r.Header.Get("Proxy-Authorization") != login:
		return "", "", "HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n"
	case r.Method != http.MethodConnect || len(r.Header) != 1:
		g.t.Errorf("the proxy is asked to %s, with %v", r.Method, r.Header)
	}
	return r.RequestURI, "HTTP/1.1 200 OK\r\n\r\n", "HTTP/1.1 502 Bad Gateway\r\n\r\n"
}

// socksRequest does the same by SOCKS5.
func (g *gateway) socksRequest(near net.Conn, from *bufio.Reader) (address, yes, no string) {
	read := func(n int) []byte {
		b := make([]byte, n)
		io.ReadFull(from, b)
		return b
	}
	read(int(read(2)[1]))
	near.Write([]byte{5, 2})
	read(1)
	user := string(read(int(read(1)[0])))
	password := string(read(int(read(1)[0])))
	if user != gatewayUser || password != gatewayPassword {
		return "", "", "\x01\x01"
	}
	near.Write([]byte{1, 0})
	var host string
	switch head := read(4); head[3] {
	case 1:
		host = netip.AddrFrom4([4]byte(read(4))).String()
	case 3:
		host = string(read(int(read(1)[0])))
	case 4:
		host = netip.AddrFrom16([16]byte(read(16))).String()
	}
	port := read(2)
	address = net.JoinHostPort(host, fmt.Sprint(int(port[0])<<8|int(port[1])))
	return address, "\x05\x00\x00\x01\x7f\x00\x00\x01\x00\x50", "\x05\x04\x00\x01\x00\x00\x00\x00\x00\x00"
}

// gateways starts a proxy of each kind.
func gateways(t *testing.T) map[string]*gateway {
	t.Helper()
	return map[string]*gateway{"CONNECT": startGateway(t, false, nil), "SOCKS5": startGateway(t, true, nil)}
}

// documentation is a network that stands for a public one.
func documentation(config *outbound.Config) {
	config.AllowPrefixes = []netip.Prefix{
		netip.MustParsePrefix("203.0.113.0/24"), netip.MustParsePrefix("2001:db8::/32"),
	}
}

// A proxy is asked for the address that was judged, by HTTP and by HTTPS, and the connection is used again. The address
// of the attempt is the receiver's.
func TestAProxyIsAskedForTheJudgedAddress(t *testing.T) {
	z := serve(t, map[string][]string{"example.com": {"203.0.113.7"}, "six.test": {"2001:db8::7"}})
	secure := tlsServer(t)
	echo := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, r.Method, " ", r.RequestURI, " ", r.Header["Proxy-Authorization"])
	}))
	t.Cleanup(echo.Close)
	plain := echo.URL
	for name, g := range gateways(t) {
		c := client(t, documentation, z.use, g.use, func(config *outbound.Config) {
			config.RootCAs = secure.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs
		})
		for _, step := range []struct{ to, url, address string }{
			{plain, "http://example.com:8080/x", "203.0.113.7:8080"}, {plain, "http://example.com:8080/x", ""},
			{plain, "http://six.test/x", "[2001:db8::7]:80"}, {plain, "http://[2001:db8::8]:81/x", "[2001:db8::8]:81"},
			{secure.URL, "https://example.com/x", "203.0.113.7:443"}, {secure.URL, "https://example.com/x", ""},
		} {
			before := len(g.addresses())
			g.mu.Lock()
			_, g.to, _ = strings.Cut(step.to, "//")
			g.mu.Unlock()
			r := c.Post(t.Context(), outbound.Request{URL: step.url})
			if r.Class != outbound.Answered || r.Status != http.StatusOK {
				t.Fatalf("%s: %s: class %q, %v, %s", name, step.url, r.Class, r.Err, outbound.Cause(r.Err))
			}
			if step.to == plain && string(r.Body) != "POST /x []" {
				t.Errorf("%s: the receiver got %q", name, r.Body)
			}
			asked := g.addresses()[before:]
			if got := strings.Join(asked, " "); got != step.address {
				t.Errorf("%s: %s: the proxy is asked for %q, want %q", name, step.url, got, step.address)
			}
			if step.address != "" && r.Address != step.address {
				t.Errorf("%s: the address is %s, want %s", name, r.Address, step.address)
			}
		}
	}
}

// A proxy that is reached by HTTPS has to have a certificate.
func TestAProxyByHTTPS(t *testing.T) {
	server := tlsServer(t)
	g := startGateway(t, false, &tls.Config{Certificates: server.TLS.Certificates})
	c := client(t, g.use)
	r := c.Post(t.Context(), outbound.Request{URL: listen(t, write(answer("", "")))})
	if r.Class != outbound.Proxying || len(g.addresses()) != 0 {
		t.Errorf("class %q, %v", r.Class, r.Err)
	}
	g.url = strings.Replace(g.url, "localhost", "127.0.0.1", 1) // for which the certificate is
	trusted := parseProxy(t, g.url)
	trusted.RootCAs = server.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs
	c = client(t, func(config *outbound.Config) { config.Proxy = trusted })
	checkResult(t, c.Post(t.Context(), outbound.Request{URL: listen(t, write(answer("", "")))}), outbound.Answered, 200)
}

// The proxy's own address may be called as a proxy alone.
func TestTheProxysAddressIsNoReceivers(t *testing.T) {
	for name, g := range gateways(t) {
		_, at, _ := strings.Cut(g.url, "@")
		r := client(t, documentation, g.use).Post(t.Context(), outbound.Request{URL: "http://" + at + "/"})
		if r.Class != outbound.Refused || r.Address != at || len(g.addresses()) != 0 {
			t.Errorf("%s: class %q of %s, %v", name, r.Class, r.Address, r.Err)
		}
	}
}

// A proxy that does not connect is named as the reason, without its address and its password; the operator's log has
// the address. The address of the attempt is the receiver's.
func TestAProxysRefusalIsNamed(t *testing.T) {
	const target = "203.0.113.7:80"
	socks := func(greeting, reply string) func(net.Conn, string) {
		return func(conn net.Conn, _ string) {
			io.WriteString(conn, greeting+reply)
			io.Copy(io.Discard, conn)
		}
	}
	connect := func(status string) func(net.Conn, string) { return write("HTTP/1.1 " + status + "\r\n\r\n") }
	for _, c := range []struct {
		scheme string
		serve  func(net.Conn, string)
		class  outbound.Class
		shown  string
	}{
		{"http", connect("407 Proxy Authentication Required"), outbound.Proxying, "credentials (407)"},
		{"http", connect("403 Because"), outbound.Proxying, "it refuses (403 Forbidden)"},
		{"http", connect("301 Elsewhere"), outbound.Proxying, "it refuses (301 Moved Permanently)"},
		{"http", connect("502 Bad Gateway"), outbound.Connect, "can't reach the receiver (502 Bad Gateway)"},
		{"http", connect("504 Late"), outbound.Connect, "can't reach the receiver (504"},
		{"http", write("SSH-2.0\r\n"), outbound.Proxying, "not valid"},
		{"http", write("HTTP/1.1 200 OK\r\n\r\nHTTP/1.1 200 OK\r\n\r\n"), outbound.Proxying, "not valid"},
		{"http", write("HTTP/1.1 200 OK\r\nX: " + strings.Repeat("x", 1<<20)), outbound.Proxying, "not valid"},
		{"http", write(""), outbound.Proxying, "broke off"},
		{"http", hang(""), outbound.Timeout, "within the timeout"},
		{"https", write("HTTP/1.1 400 Bad Request\r\n\r\n"), outbound.Proxying, "it can't be reached"},
		{"socks5", socks("\x05\xff", ""), outbound.Proxying, "credentials"},
		{"socks5", socks("\x05\x02", "\x01\x01"), outbound.Proxying, "credentials"},
		{"socks5", socks("\x05\x00", "\x05\x02\x00\x01\x00"), outbound.Proxying, "rules"},
		{"socks5", socks("\x05\x00", "\x05\x01\x00\x01\x00"), outbound.Proxying, "it fails"},
		{"socks5", socks("\x05\x00", "\x05\x05\x00\x01\x00"), outbound.Connect, "refuses connections"},
		{"socks5", socks("\x05\x00", "\x05\x00\x00\x09\x00"), outbound.Proxying, "not valid"},
		{"socks5", socks("\x04\x00", ""), outbound.Proxying, "not valid"},
		{"socks5", socks("", ""), outbound.Timeout, "within the timeout"},
	} {
		at := strings.TrimPrefix(listenRaw(t, c.serve), "http://")
		r := client(t, documentation, func(config *outbound.Config) {
			config.Proxy = parseProxy(t, c.scheme+"://user:hunter2@"+at)
		}).Post(t.Context(), outbound.Request{URL: "http://" + target, Timeout: 500 * time.Millisecond})
		if r.Class != c.class || r.Err == nil || !strings.Contains(r.Err.Error(), c.shown) {
			t.Errorf("%s: class %q, %v; want %q, %q", c.scheme, r.Class, r.Err, c.class, c.shown)
			continue
		}
		for _, secret := range []string{at, "hunter2", "Because"} {
			if strings.Contains(r.Err.Error(), secret) {
				t.Errorf("%v shows %s", r.Err, secret)
			}
		}
		cause := outbound.Cause(r.Err)
		if c.class != outbound.Timeout && (!strings.Contains(cause, at) || r.Address != target || r.Connected) {
			t.Errorf("the cause is %q, the address %s, connected %t", cause, r.Address, r.Connected)
		}
		if strings.Contains(cause, "hunter2") {
			t.Errorf("%q shows the password", cause)
		}
	}
	gone := strings.TrimPrefix(closedPort(t), "http://")
	r := client(t, documentation, func(config *outbound.Config) { config.Proxy = parseProxy(t, "http://"+gone) }).
		Post(t.Context(), outbound.Request{URL: "http://" + target})
	want := "proxy 203.0.113.7:80 the egress proxy did not connect: it can't be reached: connection refused"
	if got := fmt.Sprint(r.Class, " ", r.Address, " ", r.Err); got != want {
		t.Errorf("without a proxy: %s, want %s", got, want)
	}
}

// listenRaw is listen for connections that begin with something else than a request.
func listenRaw(t *testing.T, serve func(net.Conn, string)) string {
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
			conn.Read(make([]byte, 1024))
			serve(conn, "")
			conn.Close()
		}
	}()
	t.Cleanup(func() { listener.Close(); <-done })
	return "http://" + listener.Addr().String()
}

// If one address of a name can't be reached, another is tried; a proxy that refuses is not asked again.
func TestAnotherAddressIsTriedByTheProxy(t *testing.T) {
	z := serve(t, map[string][]string{"two.test": {"127.0.0.9 127.0.0.1"}})
	to := listen(t, write(answer("", "")))
	port := to[strings.LastIndexByte(to, ':'):]
	for name, g := range gateways(t) {
		r := client(t, z.use, g.use).Post(t.Context(), outbound.Request{URL: "http://two.test" + port})
		if r.Class != outbound.Answered || r.Address != "127.0.0.1"+port {
			t.Errorf("%s: class %q of %s, %v", name, r.Class, r.Address, r.Err)
		}
		if asked := g.addresses(); len(asked) > 2 {
			t.Errorf("%s: asked for %v", name, asked)
		}
		g.url = strings.Replace(g.url, gatewayUser, "nobody", 1)
		r = client(t, z.use, g.use).Post(t.Context(), outbound.Request{URL: "http://two.test" + port})
		if r.Class != outbound.Proxying {
			t.Errorf("%s: with wrong credentials: class %q, %v", name, r.Class, r.Err)
		}
	}
}

// A proxy that resolves names gets them. Addresses are judged all the same, and names of the machine are refused. The
// answers count as private, since nobody knows where they come from.
func TestAProxyMayResolveNames(t *testing.T) {
	for name, g := range gateways(t) {
		_, g.to, _ = strings.Cut(listen(t, write(answer("", ""))), "//")
		g.url += "?resolve=proxy"
		c := client(t, documentation, g.use)
		r := c.Post(t.Context(), outbound.Request{URL: "http://hook.test:8080/"})
		if got := fmt.Sprint(r.Status, r.Private, r.Shown, g.addresses()); got != "200 true[hook.test:8080]" {
			t.Errorf("%s: %s, %v", name, got, r.Err)
		}
		for _, host := range []string{
			"127.0.0.1", "10.0.0.1", "[::1]", "localhost", "a.localhost", "db", "db.internal",
		} {
			r := c.Post(t.Context(), outbound.Request{URL: "http://" + host + ":8080/"})
			if r.Class != outbound.Refused || len(g.addresses()) != 1 {
				t.Errorf("%s: %s: class %q, %v; asked for %v", name, host, r.Class, r.Err, g.addresses())
			}
		}
	}
}

func TestURLsOfProxies(t *testing.T) {
	for raw, want := range map[string]string{
		"http://proxy.test":                                         "http://proxy.test:80",
		"http://u:hunter2@proxy.test:3128/":                         "http://proxy.test:3128",
		"https://proxy.test?resolve=proxy":                          "https://proxy.test:443",
		"socks5://hunter2@[::1]":                                    "socks5://[::1]:1080",
		"socks5h://proxy.test?resolve=proxy":                        "socks5://proxy.test:1080",
		"socks5h://u:hunter2@proxy.test":                            "names",
		"ftp://u:hunter2@proxy.test":                                "scheme",
		"proxy.test:3128":                                           "URL",
		"hunter2":                                                   "URL",
		"http://u:hunter2@:3128":                                    "URL",
		"http://u:hunter2@proxy.test/x":                             "path",
		"http://u:hunter2@proxy.test?resolve=x":                     "query",
		"http://u:" + strings.Repeat("hunter2", 50) + "@proxy.test": "255 bytes",
		"http://u:hunter2@proxy.test:port":                          "URL",
	} {
		p, err := outbound.ParseProxy(raw)
		switch {
		case err != nil && (strings.Contains(err.Error(), "hunter2") || !strings.Contains(err.Error(), want)):
			t.Errorf("%s: %v, want %q", raw, err, want)
		case err == nil && p.String() != want:
			t.Errorf("%s is %s, want %s", raw, p, want)
		}
	}
}
