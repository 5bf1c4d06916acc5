package outbound

import (
	"bufio"
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Proxy is a proxy by which all requests leave. It is the operator's, so the guard does not judge its address.
type Proxy struct {
	scheme   string // http, https or socks5
	address  string // host and port
	host     string
	user     *url.Userinfo
	resolves bool // names, in place of this server, so that their addresses are not judged

	RootCAs *x509.CertPool // sign the certificate of a proxy that is reached by HTTPS; nil: the system's roots
}

// The errors of ParseProxy. None quotes the URL, which may contain a password.
var (
	errProxyURL    = errors.New("is no URL; it looks like http://user:password@proxy.example.com:3128")
	errProxyScheme = errors.New("has another scheme than http, https and socks5")
	errProxyName   = errors.New("leaves names to the proxy (socks5h). Write socks5, and names are resolved here and " +
		"their addresses judged; or add ?resolve=proxy, and they are not")
	errProxyRest = errors.New("has a path or a query. Only ?resolve=proxy may follow the host and the port")
	errProxyUser = errors.New("has a user or a password of more than 255 bytes")
)

// ParseProxy reads the URL of a proxy: http, https (by CONNECT) or socks5, with a user and a password if it wants them.
// With ?resolve=proxy it resolves names. Errors complete "The URL of the proxy ...", and do not quote it.
func ParseProxy(raw string) (*Proxy, error) {
	u, err := url.Parse(raw)
	if err != nil || u.Host == "" || u.Hostname() == "" {
		return nil, errProxyURL
	}
	p := &Proxy{scheme: u.Scheme, host: u.Hostname(), user: u.User, resolves: u.RawQuery == "resolve=proxy"}
	port := map[string]string{"http": "80", "https": "443", "socks5": "1080", "socks5h": "1080"}[u.Scheme]
	password, _ := u.User.Password()
	switch {
	case port == "":
		return nil, errProxyScheme
	case u.Scheme == "socks5h" && !p.resolves:
		return nil, errProxyName
	case u.RawQuery != "" && !p.resolves, strings.Trim(u.Path, "/") != "", u.Fragment != "":
		return nil, errProxyRest
	case len(u.User.Username()) > 255 || len(password) > 255:
		return nil, errProxyUser
	case u.Scheme == "socks5h":
		p.scheme = "socks5"
	}
	p.address = net.JoinHostPort(p.host, cmp.Or(u.Port(), port))
	return p, nil
}

// String returns the URL without user and password, for the operator's log.
func (p *Proxy) String() string { return p.scheme + "://" + p.address }

// maxTries is how many addresses of a name are tried.
const maxTries = 4

// tunnels dials by a proxy.
type tunnels struct {
	proxy    *Proxy
	guard    guard
	resolver *net.Resolver
}

// dial connects to an address by the proxy. The proxy is asked for the address that was judged, never for a name,
// unless it is to resolve names itself. Errors are of type *dialError.
func (t tunnels) dial(ctx context.Context, _, address string) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, connectTimeout)
	defer cancel()
	targets, err := t.targets(ctx, address)
	if err != nil {
		return nil, &dialError{classifyDial(err), err}
	}
	var failed *dialError
	for i, target := range targets {
		conn, failure := t.try(ctx, target, len(targets)-i)
		if failure == nil {
			return conn, nil
		}
		if failed = failure; failed.class != Connect {
			break // it is not about this address
		}
	}
	return nil, failed
}

// target is where a proxy is asked to connect to: an address that was judged, or a name that it resolves.
type target string

func (target) Network() string  { return "tcp" }
func (t target) String() string { return string(t) }

// targets returns the addresses of a host that may be called.
func (t tunnels) targets(ctx context.Context, address string) ([]target, error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, fmt.Errorf("%w: %s", errRefused, err)
	}
	literal, parsed := netip.ParseAddr(host)
	addresses := []netip.Addr{literal}
	if parsed != nil {
		if t.proxy.resolves {
			return []target{target(address)}, local(host)
		}
		resolver := cmp.Or(t.resolver, net.DefaultResolver)
		if addresses, err = resolver.LookupNetIP(ctx, "ip", host); err != nil {
			return nil, err
		}
	}
	var permitted []target
	var refused error
	for _, one := range addresses {
		at := net.JoinHostPort(one.Unmap().String(), port)
		network := "tcp6"
		if one.Unmap().Is4() {
			network = "tcp4"
		}
		if err := t.guard.control(network, at, nil); err != nil {
			refused = cmp.Or(refused, error(&net.OpError{Op: "dial", Net: "tcp", Addr: target(at), Err: err}))
		} else {
			permitted = append(permitted, target(at))
		}
	}
	if len(permitted) == 0 {
		return nil, cmp.Or(refused, error(&net.DNSError{Err: "no address", Name: host, IsNotFound: true}))
	}
	return permitted[:min(len(permitted), maxTries)], nil
}

// local refuses a name that stands for the machine or the network of the proxy wherever it is resolved.
func local(host string) error {
	name := strings.ToLower(strings.TrimSuffix(host, "."))
	last := name[strings.LastIndexByte(name, '.')+1:]
	if last == name || slices.Contains([]string{"localhost", "local", "internal", "localdomain"}, last) {
		return fmt.Errorf("%w: %s is a name of a local network", errRefused, host)
	}
	return nil
}

// try asks the proxy for one of several targets that are left, which share the time.
func (t tunnels) try(ctx context.Context, to target, left int) (net.Conn, *dialError) {
	until, _ := ctx.Deadline()
	ctx, cancel := context.WithTimeout(ctx, time.Until(until)/time.Duration(left))
	defer cancel()
	conn, err := t.proxy.dial(ctx)
	if err != nil {
		return nil, t.failed(ctx, to, Proxying, "it can't be reached"+why(err), err)
	}
	stop := context.AfterFunc(ctx, func() { conn.SetDeadline(time.Unix(1, 0)) })
	failure := t.proxy.connect(conn, string(to))
	if !stop() && failure == nil {
		failure = &proxyAnswer{Proxying, "it did not answer in time", ctx.Err()}
	}
	if failure != nil {
		conn.Close()
		return nil, t.failed(ctx, to, failure.class, failure.text, failure.cause)
	}
	return tunnel{conn, to}, nil
}

// failed returns the error of a tunnel that could not be made. It shows neither the proxy's address nor its words.
func (t tunnels) failed(ctx context.Context, to target, class Class, text string, cause error) *dialError {
	switch {
	case ours(cause):
		return &dialError{Ours, cause}
	case ctx.Err() != nil:
		text = "it did not answer in time"
	}
	return &dialError{class, &tunnelError{to, shownError{
		"the egress proxy did not connect: " + text,
		fmt.Errorf("egress proxy %s, asked for %s: %s: %w", t.proxy, to, text, cause),
	}}}
}

// tunnelError is the error of a tunnel to a target. It does not unwrap to the errors of the connection to the proxy,
// whose address is not the receiver's.
type tunnelError struct {
	to    target
	shown shownError
}

func (e *tunnelError) Error() string { return e.shown.text }

// As lets Cause find the full error.
func (e *tunnelError) As(as any) bool {
	if shown, ok := as.(**shownError); ok {
		*shown = &e.shown
		return true
	}
	return false
}

// tunnel is a connection to a target, whose address it has.
type tunnel struct {
	net.Conn
	to target
}

// RemoteAddr returns the receiver's address, not the proxy's.
func (t tunnel) RemoteAddr() net.Addr { return t.to }

// dial connects to the proxy itself.
func (p *Proxy) dial(ctx context.Context) (net.Conn, error) {
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", p.address)
	if err != nil || p.scheme != "https" {
		return conn, err
	}
	secure := tls.Client(conn, &tls.Config{ServerName: p.host, MinVersion: tls.VersionTLS12, RootCAs: p.RootCAs})
	if err := secure.HandshakeContext(ctx); err != nil {
		conn.Close()
		return nil, err
	}
	return secure, nil
}

// proxyAnswer is a proxy's answer that is no connection.
type proxyAnswer struct {
	class Class
	text  string // is safe to show
	cause error
}

// connect asks the proxy for a connection to an address.
func (p *Proxy) connect(conn net.Conn, address string) *proxyAnswer {
	if p.scheme == "socks5" {
		return p.socks(conn, address)
	}
	ask := "CONNECT " + address + " HTTP/1.1\r\nHost: " + address + "\r\n"
	if p.user != nil {
		password, _ := p.user.Password()
		ask += "Proxy-Authorization: Basic " +
			base64.StdEncoding.EncodeToString([]byte(p.user.Username()+":"+password)) + "\r\n"
	}
	if _, err := io.WriteString(conn, ask+"\r\n"); err != nil {
		return brokenOff(err)
	}
	from := bufio.NewReader(io.LimitReader(conn, maxResponseHead))
	response, err := http.ReadResponse(from, &http.Request{Method: http.MethodConnect})
	if err != nil {
		return brokenOff(err)
	}
	status := strings.TrimSpace(strconv.Itoa(response.StatusCode) + " " + http.StatusText(response.StatusCode))
	cause := fmt.Errorf("it answered %q", response.Status)
	switch code := response.StatusCode; {
	case code == http.StatusOK && from.Buffered() == 0:
		return nil
	case code == http.StatusOK:
		return &proxyAnswer{Proxying, "its answer is not valid", errors.New("it says more than an answer")}
	case code == http.StatusProxyAuthRequired:
		return &proxyAnswer{Proxying, "it does not accept this server's credentials (407)", cause}
	case code == http.StatusBadGateway, code == http.StatusServiceUnavailable, code == http.StatusGatewayTimeout:
		return &proxyAnswer{Connect, "it can't reach the receiver (" + status + ")", cause}
	}
	return &proxyAnswer{Proxying, "it refuses (" + status + ")", cause}
}

func brokenOff(err error) *proxyAnswer {
	return &proxyAnswer{Proxying, "it broke off, or its answer is not valid", err}
}
