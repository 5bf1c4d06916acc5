// Package inbound accepts connections, determines the address that a request comes from, and ends connections
// that do not move. A client without a credential can occupy little, and not for long:
//
//   - Connections are limited, in all and per address. When there are too many, the oldest of those without
//     an authenticated request are closed first, and then those whose clients stop.
//   - A request's head has a deadline. Bodies and answers have to keep moving: a client may stop for
//     [Config.Patience], and has to be faster than minRate.
//   - An answer that is sent before the whole body has been read closes the connection.
//   - Addresses that proxies pass on count only if the proxies are trusted.
//   - A TLS handshake has the deadline of a head. A request in plain HTTP is answered that the port speaks TLS.
//   - A stream of HTTP/2 counts as a connection does, so that one connection is not worth many.
//
// The listener counts connections, in all and per address. When there are too many, it closes the one that has waited
// longest without an authenticated request, or else the one whose client has stopped for longest. If there is neither,
// it refuses the new connection (503). Without file descriptors it also closes one, logs this once, and waits.
//
// The connection enforces the pace of writing, so that it applies to every kind of answer. The handler enforces the
// pace of bodies, because a read that waits for the client to disconnect must have no deadline. A pace is an allowance
// of time, which shrinks while the server waits and grows with each byte.
//
// The handler closes the connection after an answer that was sent before the end of the body; net/http would first
// wait for the rest of the body, without a limit. A stream of HTTP/2 needs no closing, and has flow control of its own:
// there the handler enforces the pace of writing, too.
//
// The origin of a request is its connection's address, or the one that trusted proxies name. All code that counts
// addresses uses it. The server takes its own address from its configuration, never from a header.
package inbound

import (
	"cmp"
	"container/list"
	"context"
	"crypto/tls"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"time"
)

// Config configures the acceptance of connections. Zero fields get their defaults.
type Config struct {
	Connections int            // at a time; default: half of the file descriptors, and at most defaultConnections
	PerAddress  int            // per address; default: a quarter
	Proxies     []netip.Prefix // proxies that are trusted to name the origin of a request
	Patience    time.Duration  // how long a client may stop within a request; default 30 s
	Log         *slog.Logger   // default: nothing is logged
}

const (
	defaultConnections = 4096
	leastConnections   = 16
	defaultPatience    = 30 * time.Second

	headTimeout = 10 * time.Second // time for the head of a request
	idleTimeout = 2 * time.Minute  // time between requests
	maxHead     = 32 << 10         // bytes
	maxStreams  = 100              // requests at a time on one connection of HTTP/2
)

// Clients has all connected clients. It is safe for concurrent use.
type Clients struct {
	config Config

	mu        sync.Mutex
	all       map[*conn]bool
	waiting   *list.List // of *conn: those without an authenticated request, the oldest first
	streams   int        // requests under way by HTTP/2
	addresses map[netip.Prefix]*address

	full, crowded, exhausted condition
}

// address counts the connections of one address.
type address struct {
	open    int        // connections, requests through a trusted proxy, and requests by HTTP/2
	waiting *list.List // of *conn, as Clients.waiting
}

// New returns Clients without connections.
func New(c Config) *Clients {
	c.Connections = max(leastConnections, cmp.Or(c.Connections, min(defaultConnections, descriptors()/2)))
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if most := max(leastConnections, descriptors()*3/4); c.Connections > most {
		c.Log.Warn("fewer connections can be open than are configured, since files and deliveries need "+
			"descriptors, too",
			"configured", c.Connections, "most", most, "advice", adviceFiles)
		c.Connections = most
	}
	c.PerAddress = cmp.Or(c.PerAddress, c.Connections/4)
	c.Patience = cmp.Or(c.Patience, defaultPatience)
	return &Clients{config: c, all: map[*conn]bool{}, waiting: list.New(), addresses: map[netip.Prefix]*address{}}
}

// Server returns a server of a handler, whose Serve needs the listener that [Clients.Listener] returns.
// Requests run in ctx.
func (c *Clients) Server(ctx context.Context, handler http.Handler) *http.Server {
	return &http.Server{
		Handler:                      c.Handler(handler),
		ReadHeaderTimeout:            min(headTimeout, c.config.Patience),
		IdleTimeout:                  min(idleTimeout, 4*c.config.Patience),
		MaxHeaderBytes:               maxHead,
		DisableGeneralOptionsHandler: true, // it would wait for a body
		BaseContext:                  func(net.Listener) context.Context { return ctx },
		ConnContext: func(ctx context.Context, n net.Conn) context.Context {
			if secure, ok := n.(*tls.Conn); ok {
				n = secure.NetConn()
			}
			return context.WithValue(ctx, connKey{}, n)
		},
		HTTP2: &http.HTTP2Config{
			MaxConcurrentStreams: max(1, min(maxStreams, c.config.PerAddress/2)),
			SendPingTimeout:      c.config.Patience,
			PingTimeout:          c.config.Patience,
		},
		ErrorLog: slog.NewLogLogger(c.config.Log.Handler(), slog.LevelDebug),
	}
}

type connKey struct{}

// Network returns the prefix that counts as one address: an IPv4 address, or the 64 leading bits of an IPv6
// address, because a subscriber has at least all addresses with these bits.
func Network(a netip.Addr) netip.Prefix {
	a = a.Unmap().WithZone("")
	bits := 64
	if a.Is4() {
		bits = 32
	}
	network, _ := a.Prefix(bits) // of the zero address: the zero prefix
	return network
}

// NetworkOf is [Network] for a text. It returns a text that is not an address unchanged.
func NetworkOf(address string) string {
	a, err := netip.ParseAddr(address)
	if err != nil {
		return address
	}
	return Network(a).String()
}

// condition is a state that is logged once when it starts. It lasts as long as it recurs within a minute.
type condition struct {
	mu   sync.Mutex
	last time.Time
}

const holdEnds = time.Minute

func (h *condition) starts(now time.Time) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	begins := now.Sub(h.last) > holdEnds
	h.last = now
	return begins
}
