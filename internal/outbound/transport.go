package outbound

import (
	"compress/gzip"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"strings"
	"time"
)

const (
	connectTimeout   = 10 * time.Second // for DNS and TCP, and again for TLS
	idleTimeout      = 30 * time.Second // less than most servers', which might close while a request is sent
	maxIdle          = 1024
	maxIdlePerHost   = 64 // the highest concurrency of an endpoint
	maxResponseHead  = 64 << 10
	tlsSessionsCache = 1024
)

// newPool returns a pool of transports with the guarded dialer. A server that requests a certificate gets own.
func newPool(c Config, own []tls.Certificate) *pool {
	return &pool{make: func(allow []AllowedPrefix) *http.Transport {
		return newTransport(c, newGuard(append(everyPort(c.AllowPrefixes), allow...)), own)
	}}
}

// newTransport returns an HTTP/1.1 transport whose dialer a guard controls.
func newTransport(c Config, g guard, own []tls.Certificate) *http.Transport {
	dialer := &net.Dialer{Timeout: connectTimeout, Resolver: c.Resolver, Control: g.control}
	connect := dialFunc(func(ctx context.Context, network, address string) (net.Conn, error) {
		return dial(ctx, dialer, network, address)
	})
	if c.Proxy != nil {
		connect = tunnels{c.Proxy, g, c.Resolver}.dial
	}
	config := &tls.Config{
		MinVersion: tls.VersionTLS12, RootCAs: c.RootCAs, Certificates: own,
		ClientSessionCache: tls.NewLRUClientSessionCache(tlsSessionsCache),
	}
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	return &http.Transport{
		Protocols:   protocols,
		Proxy:       nil, // it would resolve names itself, and see requests; connect asks it for a tunnel
		DialContext: connect,
		DialTLSContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			return dialTLS(ctx, connect, config, network, address)
		},
		DisableCompression:     true, // request no compression; readBody handles servers that compress anyway
		MaxIdleConns:           maxIdle,
		MaxIdleConnsPerHost:    maxIdlePerHost,
		IdleConnTimeout:        idleTimeout,
		MaxResponseHeaderBytes: maxResponseHead,
	}
}

// dialFunc connects. Its errors are of type *dialError.
type dialFunc func(ctx context.Context, network, address string) (net.Conn, error)

// dial connects. Its errors are of type *dialError.
func dial(ctx context.Context, dialer *net.Dialer, network, address string) (net.Conn, error) {
	conn, err := dialer.DialContext(ctx, network, address)
	if err != nil {
		return nil, &dialError{classifyDial(err), err}
	}
	return conn, nil
}

// dialTLS connects and does the handshake. Doing the handshake here distinguishes its errors from others
// without looking at their text.
func dialTLS(ctx context.Context, connect dialFunc, config *tls.Config, network, address string) (net.Conn, error) {
	conn, err := connect(ctx, network, address)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, connectTimeout)
	defer cancel()
	config = config.Clone()
	config.ServerName, _, _ = net.SplitHostPort(address)
	secure := tls.Client(conn, config)
	if err := secure.HandshakeContext(ctx); err != nil {
		conn.Close()
		class := TLS
		if ours(err) {
			class = Ours
		}
		return nil, &dialError{class, fmt.Errorf("TLS handshake with %s: %w", conn.RemoteAddr(), err)}
	}
	return secure, nil
}

// rawSlack is how many bytes a compressed body may have beyond its contents: some endless streams
// decompress to nothing.
const rawSlack = 64 << 10

// readBody reads at most limit bytes of the answer, decompressed, and reports whether there were
// more. If it read the body to its end, the connection can be reused; otherwise closing the body
// closes it.
func readBody(response *http.Response, limit int64) (body []byte, more bool, err error) {
	if response.ContentLength == 0 {
		return nil, false, nil
	}
	raw := &io.LimitedReader{R: response.Body, N: limit + rawSlack}
	var from io.Reader = raw
	if strings.EqualFold(response.Header.Get("Content-Encoding"), "gzip") {
		unzipped, err := gzip.NewReader(from)
		if err == io.EOF {
			return nil, false, nil // an empty body is not compressed
		}
		if err != nil {
			return nil, false, err
		}
		from = unzipped
	}
	body, err = io.ReadAll(io.LimitReader(from, limit+1))
	if int64(len(body)) > limit {
		return body[:limit], true, nil
	}
	if raw.N == 0 { // the compressed body is longer than its contents may be
		return body, true, nil
	}
	return body, false, err
}

// roundTrip sends a request. If a reused connection is lost without a byte of an answer, the server
// most likely closed it while it was idle: roundTrip sends the request once more, on a new
// connection. It is the same attempt; a server that received the first request recognises the
// message's id.
func roundTrip(
	ctx context.Context, transport *http.Transport, request *http.Request,
) (*http.Response, *trace, error) {
	response, seen, err := roundTripOnce(ctx, transport, request)
	if err == nil || !seen.stale(err) || ctx.Err() != nil || request.GetBody == nil {
		return response, seen, err
	}
	again := request.Clone(ctx)
	body, failed := request.GetBody()
	if failed != nil {
		return nil, seen, err
	}
	again.Body = body
	fresh := transport.Clone()
	fresh.DisableKeepAlives = true // its only connection is new, and ends with the answer
	return roundTripOnce(ctx, fresh, again)
}

func roundTripOnce(
	ctx context.Context, transport *http.Transport, request *http.Request,
) (*http.Response, *trace, error) {
	var seen trace
	response, err := transport.RoundTrip(request.WithContext(httptrace.WithClientTrace(ctx, seen.hooks())))
	return response, &seen, err
}
