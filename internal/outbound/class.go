package outbound

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http/httptrace"
	"net/netip"
	"strings"
	"sync/atomic"
	"syscall"
)

// Class classifies the end of a request. The set is closed.
type Class string

// The classes.
const (
	Answered    Class = ""                // the answer was read, whatever its status
	Invalid     Class = "invalid"         // the URL or a header can't be sent at all
	Refused     Class = "refused_address" // the guard refused the address
	DNS         Class = "dns"             // the host's name has no address
	Connect     Class = "connect"         // no TCP connection
	TLS         Class = "tls"             // no TLS connection: certificate, version, or broken off
	Timeout     Class = "timeout"         // the deadline passed, at whatever step
	TooLarge    Class = "too_large"       // the body is over the limit
	Protocol    Class = "protocol"        // the answer is not valid HTTP, or not valid gzip
	Closed      Class = "closed"          // the connection was lost before the end of the answer
	Cancelled   Class = "cancelled"       // the caller gave up
	Ours        Class = "ours"            // this machine could not send it: our failure, not the server's
	Credentials Class = "credentials"     // there were no credentials for the request, so it was not sent
	Proxying    Class = "proxy"           // the operator's proxy is at fault: not there, or it refuses
)

// Classes lists all classes of requests that failed.
func Classes() []Class {
	return []Class{
		Invalid, Refused, DNS, Connect, TLS, Timeout, TooLarge, Protocol, Closed, Cancelled, Ours, Credentials,
		Proxying,
	}
}

var (
	errHeader    = errors.New("a header can't be sent: its name or value is not allowed in HTTP")
	errTimeout   = errors.New("no complete answer within the timeout")
	errUnknown   = errors.New("the addresses that may be called can't be read; the database does not answer")
	errCancelled = errors.New("cancelled before the answer was complete")
	errAlert     = errors.New("the server broke off TLS; it may require another client certificate")
	errClosed    = errors.New("the connection was closed before the answer was complete")
	errProtocol  = errors.New("the answer is not valid HTTP/1.1, or not valid gzip")
	errRefused   = errors.New("address refused")
)

func tooLarge(limit int64) error { return fmt.Errorf("the answer is longer than %d bytes", limit) }

// dialError is an error before there was a connection.
type dialError struct {
	class Class
	err   error
}

func (e *dialError) Error() string { return e.err.Error() }
func (e *dialError) Unwrap() error { return e.err }

func classifyDial(err error) Class {
	var dns *net.DNSError
	var network net.Error
	switch {
	case errors.Is(err, errRefused):
		return Refused
	case ours(err):
		return Ours
	case errors.As(err, &dns):
		return DNS
	case errors.As(err, &network) && network.Timeout():
		return Timeout
	}
	return Connect
}

// trace records how far a request got. The transport writes it from goroutines of its own.
type trace struct {
	remote   atomic.Pointer[net.Addr]
	reused   atomic.Bool
	answered atomic.Bool // a byte of the answer arrived
}

func (t *trace) hooks() *httptrace.ClientTrace {
	return &httptrace.ClientTrace{
		GotConn: func(info httptrace.GotConnInfo) {
			remote := info.Conn.RemoteAddr()
			t.remote.Store(&remote)
			t.reused.Store(info.Reused)
		},
		GotFirstResponseByte: func() { t.answered.Store(true) },
	}
}

// address returns the address that was connected to, or the one in err that could not be.
func (t *trace) address(err error) string {
	if remote := t.remote.Load(); remote != nil {
		return textOf(*remote)
	}
	var tunnel *tunnelError
	if errors.As(err, &tunnel) {
		return string(tunnel.to)
	}
	var op *net.OpError
	if errors.As(err, &op) && op.Op == "dial" && op.Addr != nil {
		return op.Addr.String()
	}
	return ""
}

// textOf returns an address as its String does, with fewer allocations for TCP.
func textOf(a net.Addr) string {
	if tcp, ok := a.(*net.TCPAddr); ok && tcp.Zone == "" && len(tcp.IP) > 0 {
		target := tcp.AddrPort()
		return netip.AddrPortFrom(target.Addr().Unmap(), target.Port()).String()
	}
	return a.String()
}

// classify converts an error of the transport, or of reading the body, to a class and an error that
// is safe to show: the transport's own error may quote the answer.
func classify(ctx, limited context.Context, err error, seen *trace) (Class, error) {
	var dialing *dialError
	var network net.Error
	switch {
	case errors.Is(ctx.Err(), context.Canceled):
		return Cancelled, errCancelled
	case limited.Err() != nil:
		return Timeout, errTimeout
	case errors.As(err, &dialing):
		return dialing.class, dialing
	case ours(err):
		return Ours, err
	case errors.As(err, &network) && network.Timeout():
		return Timeout, errTimeout
	case seen.remote.Load() == nil:
		return Invalid, errHeader
	case alerted(err):
		return TLS, errAlert
	case !seen.answered.Load(), lost(err):
		return Closed, errClosed
	}
	return Protocol, errProtocol
}

// alerted reports whether the server ended TLS with an alert. With TLS 1.3 it may do so after the
// request was sent, because it checks the client's certificate only then.
func alerted(err error) bool {
	var op *net.OpError
	return errors.As(err, &op) && op.Op == "remote error"
}

// stale reports whether a reused connection was lost before a byte of the answer arrived.
func (t *trace) stale(err error) bool {
	return t.reused.Load() && !t.answered.Load() && (lost(err) || closedIdle(err))
}

// closedIdle matches an error that net/http does not export.
func closedIdle(err error) bool {
	return strings.Contains(err.Error(), "server closed idle connection")
}

// lost reports whether err says that the connection ended.
func lost(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) ||
		errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE)
}
