// Package outbound has the HTTP client for callbacks and deliveries. All outgoing requests use it. It guarantees that
//
//   - it connects only to public addresses and to those that are allowed
//     explicitly; it checks the address that is dialled, not the URL or an
//     earlier answer of DNS;
//   - every request is signed as Standard Webhooks specifies, and no header of
//     the caller's overrides one of the client's;
//   - header names are sent in their original spelling, so it uses HTTP/1.1 only;
//   - it follows no redirects, and uses no proxy but the operator's;
//   - one deadline covers the whole request, to the last byte of the answer, and
//     the answer is limited after decompression.
//
// The outcome of a request is a value, [Result], whose [Class] says how it ended.
//
// For every attempt, the guard checks the address that is dialled, after DNS: it has to be public, or allowed for the
// tenant by the operator, possibly at one port. Each set of allowed addresses has connections of its own. Answers from
// addresses that are not public are not kept in attempts. IPv4 in IPv6, NAT64, 6to4, Teredo and metadata addresses are
// checked as the addresses that they stand for. A host that is a number in a form on which libraries disagree is
// refused.
//
// By a proxy, the client resolves names itself, judges each address, and asks the proxy for a tunnel (CONNECT, SOCKS5)
// to the address that it has judged, for plain HTTP too. So the proxy sees no name, and a name that changes its address
// gains nothing. The address of an attempt is the receiver's. The proxy's own address is not judged, and nothing else
// is sent to it. A proxy that resolves names (?resolve=proxy) is trusted to judge their addresses; answers from there
// count as private.
//
// HTTP/2 is not used, because it lower-cases header names, whose spelling is part of the published contract.
//
// Answers are limited before and after decompression, because some endless streams decompress to nothing.
//
// Errors for users (shown.go) contain no address that a name stands for, no resolver, and nothing of a certificate.
// TestFailuresNameNoAddressAnywhere provokes each kind of failure and reads every operation.
package outbound

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/x509"
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

	"github.com/casehook/casehook/internal/cache"
	"github.com/casehook/casehook/internal/weburl"
)

// The defaults.
const (
	DefaultMaxResponse = 1 << 20 // bytes of an answer's body, decompressed
	DefaultTimeout     = 15 * time.Second
)

// Config configures a Client. The zero value calls public addresses only.
type Config struct {
	AllowPrefixes []netip.Prefix // may be called as if they were public
	Version       string         // of Casehook, for the User-Agent; default "dev"
	MaxResponse   int64          // bytes; default DefaultMaxResponse
	RootCAs       *x509.CertPool // sign the certificates of servers; nil: the system's roots
	Resolver      *net.Resolver  // resolves hosts' names; nil: the system's resolver
	Proxy         *Proxy         // by which all requests leave; nil: they leave directly

	// Allowed returns further prefixes that a tenant may call, as texts of AllowedPrefix; nil: none.
	Allowed func(ctx context.Context, tenant int64) ([]string, error)
}

// Client makes requests. It is safe for concurrent use.
type Client struct {
	config      Config
	transports  *pool
	public      guard // permits what counts as public
	userAgent   string
	maxResponse int64
	targets     *cache.Cache[string, *url.URL] // canonical URLs, parsed; they must not be changed
}

// maxTargets is how many parsed URLs a client caches. The length of a URL is bounded.
const maxTargets = 10_000

// New returns a Client.
func New(c Config) *Client {
	if c.Version == "" {
		c.Version = "dev"
	}
	if c.MaxResponse <= 0 {
		c.MaxResponse = DefaultMaxResponse
	}
	return &Client{
		config:      c,
		transports:  newPool(c, nil),
		public:      newGuard(everyPort(c.AllowPrefixes)),
		userAgent:   "Casehook/" + c.Version,
		maxResponse: c.MaxResponse,
		targets:     cache.New[string, *url.URL](maxTargets, maxTargets),
	}
}

// Close closes idle connections.
func (c *Client) Close() { c.transports.close() }

// Header is one header line. Its name is sent in this spelling.
type Header struct{ Name, Value string }

// Request is one POST. Its body must not change until Post returns.
type Request struct {
	Tenant      int64 // whose allowed addresses may be called; 0: only public addresses
	URL         string
	Header      []Header // the client's own headers replace these
	Private     []Header // headers with secret values; Header replaces these
	Body        []byte
	Timeout     time.Duration // from dialling to the last byte of the answer; default DefaultTimeout
	MaxResponse int64         // bytes of the answer's body; default the client's
	Truncate    bool          // keep the first MaxResponse bytes of a longer answer; otherwise it is TooLarge
	ID          string        // the webhook-id
	Attempt     int           // the webhook-attempt: 1, 2, ...
	At          time.Time     // the webhook-timestamp
	Keys        [][]byte      // each makes a signature, in this order
	Seeds       [][]byte      // Ed25519 keys; each makes a signature of version 1a
	Signature   string        // a webhook-signature that was made elsewhere, in place of Keys and Seeds; empty: none
	Trace       string        // the traceparent; empty: there is none
	Identity    *Identity     // the client certificate and roots; nil: none
}

// Result is the outcome of a request. Status and Header are set once the answer's head was read,
// even if reading its body failed.
type Result struct {
	Status    int // 0: there was no answer
	Header    http.Header
	Body      []byte // decompressed; the part that was read
	Truncated bool   // the body was longer
	// Private reports whether the answer came from an address that is not public: only the caller
	// may see it, and it must not be stored.
	Private   bool
	Address   string        // the address and port that was dialled or refused; empty if there was none
	Shown     string        // Address, if people may see it: it is public, or part of the URL; else empty
	Connected bool          // a connection was made, with TLS if asked for, so that the request may have arrived
	Duration  time.Duration // the time of the whole request
	Class     Class
	// Err is nil if and only if Class is empty. It quotes only the host of the URL, and nothing of
	// the answer. It names no address and no resolver; [Cause] does.
	Err error
}

// Post sends one request, once. It does not follow redirects.
func (c *Client) Post(ctx context.Context, r Request) Result {
	start := time.Now()
	if r.Timeout <= 0 {
		r.Timeout = DefaultTimeout
	}
	if r.MaxResponse <= 0 {
		r.MaxResponse = c.maxResponse
	}
	limited, cancel := context.WithTimeout(ctx, r.Timeout)
	defer cancel()
	result := c.post(ctx, limited, r)
	result.Duration = time.Since(start)
	return result
}

// post is Post with two contexts: ctx is the caller's, limited has the deadline.
func (c *Client) post(ctx, limited context.Context, r Request) Result {
	target, failure := c.target(r.URL)
	if failure != nil {
		return Result{Class: failure.Class, Err: failure.Err}
	}
	request := c.request(target, r)
	transports := c.transports
	if r.Identity != nil {
		transports = r.Identity.transports
	}
	transport, err := c.transportFor(limited, r.Tenant, transports)
	if err != nil {
		return Result{Class: Cancelled, Err: err}
	}
	response, seen, err := roundTrip(limited, transport, request)
	if err != nil {
		address := seen.address(err)
		class, err := classify(ctx, limited, err, seen)
		return Result{
			Class: class, Err: forPeople(class, target.Hostname(), err), Address: address,
			Shown: shownAddress(target, address), Connected: seen.remote.Load() != nil,
		}
	}
	defer response.Body.Close()
	result := Result{Status: response.StatusCode, Header: response.Header, Address: seen.address(nil), Connected: true}
	result.Private, result.Shown = c.private(result.Address), shownAddress(target, result.Address)
	result.Body, result.Truncated, err = readBody(response, r.MaxResponse)
	switch {
	case err != nil:
		class, err := classify(ctx, limited, err, seen)
		result.Class, result.Err = class, forPeople(class, target.Hostname(), err)
	case result.Truncated && !r.Truncate:
		result.Class, result.Err = TooLarge, tooLarge(r.MaxResponse)
	}
	return result
}

// transportFor returns the transport for the addresses that a tenant may call.
func (c *Client) transportFor(ctx context.Context, tenant int64, transports *pool) (*http.Transport, error) {
	if c.config.Allowed == nil || tenant == 0 {
		return transports.of(nil), nil
	}
	allowed, err := c.config.Allowed(ctx, tenant)
	if err != nil {
		return nil, errUnknown
	}
	return transports.of(allowed), nil
}

// private reports whether a dialled address is not public.
func (c *Client) private(address string) bool {
	target, err := netip.ParseAddrPort(address)
	network := "tcp6"
	if target.Addr().Is4() {
		network = "tcp4"
	}
	return err != nil || c.public.control(network, address, nil) != nil
}

// request returns the HTTP request, in which the client's headers replace the caller's.
func (c *Client) request(target *url.URL, r Request) *http.Request {
	lines := headerLines{
		header: make(http.Header, len(r.Header)+len(r.Private)+ownNames),
		values: make([]string, 0, len(r.Header)+len(r.Private)+ownNames),
	}
	lines.addCallers(r)
	lines.set("User-Agent", c.userAgent)
	lines.set("webhook-id", r.ID)
	lines.set("webhook-timestamp", strconv.FormatInt(r.At.Unix(), 10))
	lines.set("webhook-attempt", strconv.Itoa(r.Attempt))
	if r.Trace != "" {
		lines.set("traceparent", r.Trace)
	}
	switch {
	case r.Signature != "":
		lines.set("webhook-signature", r.Signature)
	case len(r.Keys)+len(r.Seeds) > 0:
		lines.set("webhook-signature", signAll(r))
	}
	content := r.Body
	return &http.Request{
		Method: http.MethodPost, URL: target, Host: target.Host, Header: lines.header,
		Body: body(content), ContentLength: int64(len(content)),
		// With GetBody the transport can use another connection if an idle one turns out to be closed
		// before a byte was written.
		GetBody: func() (io.ReadCloser, error) { return body(content), nil },
	}
}

// Headers returns the headers that Post would send, by their names, but for private ones and those of the connection.
// It is for requests that travel otherwise.
func (c *Client) Headers(r Request) map[string]string {
	r.Private = nil
	headers := map[string]string{}
	for name, values := range c.request(&url.URL{}, r).Header {
		headers[name] = strings.Join(values, ", ")
	}
	return headers
}

// ownNames is the number of headers that request sets itself.
const ownNames = 6

// headerLines fills a header whose values share one array.
type headerLines struct {
	header http.Header
	values []string
}

// set adds a header line, and replaces those of its name.
func (l *headerLines) set(name, value string) {
	n := len(l.values)
	l.values = append(l.values, value)
	l.header[name] = l.values[n : n+1 : n+1]
}

// add adds a header line, and keeps those of its name.
func (l *headerLines) add(h Header) {
	if before := l.header[h.Name]; len(before) > 0 {
		l.header[h.Name] = append(before, h.Value)
		return
	}
	l.set(h.Name, h.Value)
}

// addCallers adds the caller's headers, except those that the client sets.
func (l *headerLines) addCallers(r Request) {
	for _, h := range r.Header {
		if !reserved(h.Name) {
			l.add(h)
		}
	}
	for _, h := range r.Private {
		named := func(other Header) bool { return strings.EqualFold(other.Name, h.Name) }
		if !reserved(h.Name) && !slices.ContainsFunc(r.Header, named) {
			l.add(h)
		}
	}
}

func body(b []byte) io.ReadCloser {
	if len(b) == 0 {
		return http.NoBody
	}
	return io.NopCloser(bytes.NewReader(b))
}

// target is parseURL with a cache.
func (c *Client) target(raw string) (*url.URL, *Failure) {
	if u, ok := c.targets.Get(raw); ok {
		return u, nil
	}
	u, failure := parseURL(raw)
	if failure == nil {
		c.targets.Put(raw, u, 1)
	}
	return u, failure
}

// parseURL returns a URL in its canonical form. Its error does not quote the URL, which may contain
// secrets.
func parseURL(raw string) (*url.URL, *Failure) {
	u, err := weburl.Parse(raw)
	switch {
	case errors.Is(err, weburl.ErrAddress):
		return nil, &Failure{Refused, fmt.Errorf("%w: the URL %w", errRefused, err)}
	case err != nil:
		return nil, &Failure{Invalid, fmt.Errorf("the URL %w", err)}
	}
	return u, nil
}

// signAll joins the signatures of all keys.
func signAll(r Request) string {
	if len(r.Keys) == 1 && len(r.Seeds) == 0 {
		return Sign(r.Keys[0], r.ID, r.At, r.Body)
	}
	signatures := make([]string, 0, len(r.Keys)+len(r.Seeds))
	for _, key := range r.Keys {
		signatures = append(signatures, Sign(key, r.ID, r.At, r.Body))
	}
	for _, seed := range r.Seeds {
		signatures = append(signatures, SignV1a(ed25519.NewKeyFromSeed(seed), r.ID, r.At, r.Body))
	}
	return strings.Join(signatures, " ")
}

// reservedNames are the headers that callers can't set, in any letter case: the client's own, and those that frame the
// request.
var reservedNames = []string{
	"Webhook-Id", "Webhook-Timestamp", "Webhook-Signature", "Webhook-Attempt", "User-Agent", "Traceparent",
	"Tracestate",
	"Host", "Content-Length", "Transfer-Encoding", "Connection", "Keep-Alive", "Trailer", "Te",
	"Upgrade", "Expect", "Accept-Encoding", "Proxy-Connection", "Proxy-Authorization",
}

func reserved(name string) bool {
	return slices.ContainsFunc(reservedNames, func(ours string) bool {
		return len(ours) == len(name) && strings.EqualFold(ours, name)
	})
}
