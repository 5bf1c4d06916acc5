package outbound

import (
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"syscall"
	"testing"
)

// Our own failures are distinguished from a server's, however their errors are wrapped.
func TestOurOwnFailuresAreRecognised(t *testing.T) {
	dialed := func(address string, e syscall.Errno) error {
		to := net.TCPAddrFromAddrPort(netip.MustParseAddrPort(address))
		return fmt.Errorf("sending: %w",
			&net.OpError{Op: "dial", Net: "tcp", Addr: to, Err: os.NewSyscallError("connect", e)})
	}
	asked := func(text string, notFound bool) error {
		return &net.OpError{
			Op:  "dial",
			Err: &net.DNSError{Err: text, Name: "example.org", Server: "127.0.0.53:53", IsNotFound: notFound},
		}
	}
	for name, c := range map[string]struct {
		err  error
		want bool
	}{
		"no descriptors":          {dialed("192.0.2.1:1", syscall.EMFILE), true},
		"none on the machine":     {dialed("192.0.2.1:1", syscall.ENFILE), true},
		"no buffers":              {dialed("192.0.2.1:1", syscall.ENOBUFS), true},
		"no memory":               {dialed("192.0.2.1:1", syscall.ENOMEM), true},
		"no ports":                {dialed("192.0.2.1:1", syscall.EADDRNOTAVAIL), true},
		"no IPv6":                 {dialed("[2001:db8::1]:1", syscall.EADDRNOTAVAIL), false},
		"the network is down":     {dialed("192.0.2.1:1", syscall.ENETDOWN), true},
		"no route":                {dialed("192.0.2.1:1", syscall.ENETUNREACH), false},
		"nobody listens":          {dialed("192.0.2.1:1", syscall.ECONNREFUSED), false},
		"reset":                   {dialed("192.0.2.1:1", syscall.ECONNRESET), false},
		"no resolver":             {asked("read udp 127.0.0.1:1->127.0.0.53:53: read: connection refused", false), true},
		"no descriptors to ask":   {asked("dial udp 127.0.0.53:53: socket: too many open files", false), true},
		"no such host":            {asked("no such host", true), false},
		"the zone's servers fail": {asked("server misbehaving", false), false},
		"no roots":                {x509.SystemRootsError{Err: errors.New("none")}, true},
		"an unknown issuer":       {x509.UnknownAuthorityError{}, false},
		"nothing that is known":   {errors.New("else"), false},
		"nothing":                 {nil, false},
	} {
		if got := ours(c.err); got != c.want {
			t.Errorf("%s: ours = %v", name, got)
		}
	}
}
