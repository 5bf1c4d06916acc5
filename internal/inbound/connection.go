package inbound

import (
	"cmp"
	"container/list"
	"context"
	"errors"
	"net"
	"net/netip"
	"os"
	"sync/atomic"
	"time"
)

// conn is a connection that is counted.
type conn struct {
	net.Conn
	clients *Clients
	network netip.Prefix
	proxied bool         // the connection comes from a trusted proxy, whose clients are counted instead
	greets  bool         // the first byte has to be one of TLS; used by the reader alone
	pace    pace         // the allowance for writing
	cut     atomic.Bool  // nothing more is written
	since   atomic.Int64 // when the server began to wait for the client, in nanoseconds since 1970; 0: it does not

	inAll, inAddress *list.Element // while it waits; guarded by clients.mu
	authenticated    int           // requests under way; guarded by clients.mu
}

var errPlain = errors.New("a request in plain HTTP, to an address that speaks TLS")

// Read reads what the client sends. It answers a client that does not speak TLS where it has to.
func (c *conn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	if !c.greets || n == 0 {
		return n, err
	}
	c.greets = false
	if b[0] < 'A' || b[0] > 'Z' { // no method of HTTP
		return n, err
	}
	c.Conn.SetDeadline(time.Now().Add(refuseWithin))
	answer(c.Conn, plain)
	return 0, errPlain
}

// writeAtOnce is how much of an answer the client must accept before its deadline is extended, in bytes.
const writeAtOnce = 16 << 10

// Write writes for as long as the client keeps reading.
func (c *conn) Write(b []byte) (written int, err error) {
	for err == nil && len(b) > 0 {
		began := time.Now()
		c.Conn.SetWriteDeadline(began.Add(c.pace.left))
		if c.cut.Load() { // checked after the deadline, which may have replaced the one of a cut
			return written, os.ErrDeadlineExceeded
		}
		c.waits(began)
		var n int
		n, err = c.Conn.Write(b[:min(len(b), writeAtOnce)])
		c.goesOn()
		c.pace.moved(n, time.Since(began))
		written, b = written+n, b[n:]
	}
	return written, err
}

// SetWriteDeadline ends writing for good if the deadline has passed. It ignores any other deadline, since
// pace sets the deadline.
func (c *conn) SetWriteDeadline(t time.Time) error {
	if t.IsZero() || t.After(time.Now()) {
		return nil
	}
	c.cut.Store(true)
	return c.Conn.SetWriteDeadline(t)
}

func (c *conn) waits(since time.Time) { c.since.Store(since.UnixNano()) }
func (c *conn) goesOn()               { c.since.Store(0) }

// CloseWrite closes the connection for writing, so that the client can read the answer to its end.
func (c *conn) CloseWrite() error { return closeWrite(c.Conn) }

func closeWrite(c net.Conn) error {
	if half, ok := c.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return nil
}

func (c *conn) Close() error {
	c.clients.leave(c)
	return c.Conn.Close()
}

// enter counts a connection, if there is room for it. It may close another one to make room.
func (c *Clients) enter(raw net.Conn, secure bool) (*conn, bool) {
	peer := addressOf(raw.RemoteAddr().String())
	one := &conn{
		Conn: raw, clients: c, network: Network(peer), proxied: c.trusts(peer), greets: secure,
		pace: newPace(c.config.Patience),
	}
	evicted, ok := c.register(one, peer)
	if evicted != nil {
		evicted.Close()
	}
	return one, ok
}

func (c *Clients) register(one *conn, peer netip.Addr) (evicted *conn, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	from := c.addresses[one.network]
	switch {
	case !one.proxied && from != nil && from.open >= c.config.PerAddress:
		c.warnCrowded(peer)
		evicted = cmp.Or(longest(from.waiting), c.stopped(one.network))
	case c.isFull():
		c.warnFull()
		evicted = cmp.Or(longest(c.waiting), c.stopped(netip.Prefix{}))
	default:
		c.add(one)
		return nil, true
	}
	if evicted == nil {
		return nil, false
	}
	c.remove(evicted)
	c.add(one)
	return evicted, true
}

// isFull reports whether there is no room for a connection or stream more.
func (c *Clients) isFull() bool { return len(c.all)+c.streams >= c.config.Connections }

// longest returns the connection that has waited longest, or nil.
func longest(waiting *list.List) *conn {
	if first := waiting.Front(); first != nil {
		return first.Value.(*conn)
	}
	return nil
}

// stopsAfter is a divisor of the patience: a client that has authenticated is closed to make room once it
// has kept the server waiting for this fraction of it.
const stopsAfter = 30

// stopped returns the connection whose client has stopped for longest, within a network if it is valid.
func (c *Clients) stopped(network netip.Prefix) (found *conn) {
	since := time.Now().Add(-c.config.Patience / stopsAfter).UnixNano()
	for one := range c.all {
		if at := one.since.Load(); at != 0 && at < since && (network == one.network || !network.IsValid()) {
			found, since = one, at
		}
	}
	return found
}

func (c *Clients) add(one *conn) {
	c.all[one] = true
	if !one.proxied {
		c.network(one.network).open++
	}
	c.wait(one)
}

// network returns the counts of a network.
func (c *Clients) network(network netip.Prefix) *address {
	from := c.addresses[network]
	if from == nil {
		from = &address{waiting: list.New()}
		c.addresses[network] = from
	}
	return from
}

// forget removes a connection from the count of a network.
func (c *Clients) forget(network netip.Prefix) {
	from := c.addresses[network]
	if from.open--; from.open == 0 {
		delete(c.addresses, network)
	}
}

// wait adds a connection to those that may be closed to make room.
func (c *Clients) wait(one *conn) {
	if !c.all[one] || one.inAll != nil {
		return
	}
	one.inAll = c.waiting.PushBack(one)
	if !one.proxied {
		one.inAddress = c.network(one.network).waiting.PushBack(one)
	}
}

// work removes a connection from those that may be closed to make room.
func (c *Clients) work(one *conn) {
	if one.inAll == nil {
		return
	}
	c.waiting.Remove(one.inAll)
	if one.inAddress != nil {
		c.addresses[one.network].waiting.Remove(one.inAddress)
	}
	one.inAll, one.inAddress = nil, nil
}

func (c *Clients) leave(one *conn) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.remove(one)
}

func (c *Clients) remove(one *conn) {
	if !c.all[one] {
		return
	}
	c.work(one)
	delete(c.all, one)
	if !one.proxied {
		c.forget(one.network)
	}
}

// Authenticated records that a request has a credential. Its connection is not closed to make room until
// the request has ended.
func Authenticated(ctx context.Context) {
	r, ok := ctx.Value(requestKey{}).(*request)
	if !ok || r.conn == nil {
		return
	}
	c := r.conn.clients
	c.mu.Lock()
	defer c.mu.Unlock()
	if !r.authenticated {
		r.authenticated = true
		r.conn.authenticated++
		c.work(r.conn)
	}
}

// ended records that a request has ended.
func (c *Clients) ended(r *request) {
	if r.conn == nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if r.authenticated {
		r.conn.authenticated--
	}
	if r.conn.authenticated == 0 {
		c.wait(r.conn)
	}
}

// The advice in log messages about connections.
const (
	adviceFull = "Raise --max-connections and the limit of open files (ulimit -n, LimitNOFILE=), " +
		"or put a proxy in front."
	adviceCrowded = "If a proxy is there, name it in --trusted-proxies; " +
		"else something opens connections without using them."
	adviceFiles = "Raise the limit of open files: ulimit -n, or LimitNOFILE= of the unit."
)

func (c *Clients) warnFull() {
	if c.full.starts(time.Now()) {
		c.config.Log.Warn("there are too many connections; unused ones are closed",
			"most", c.config.Connections, "advice", adviceFull)
	}
}

func (c *Clients) warnCrowded(peer netip.Addr) {
	if c.crowded.starts(time.Now()) {
		c.config.Log.Warn("one address has too many connections; unused ones are closed",
			"address", peer.String(), "most", c.config.PerAddress, "advice", adviceCrowded)
	}
}
