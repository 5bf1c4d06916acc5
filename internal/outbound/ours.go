package outbound

import (
	"crypto/x509"
	"errors"
	"net"
	"os"
	"slices"
	"strings"
	"syscall"
)

// lacks are the operating system's errors for a machine that can't send: it has no descriptors,
// buffers, memory or ports left, or its network is down.
var lacks = []syscall.Errno{
	syscall.EMFILE, syscall.ENFILE, syscall.ENOBUFS, syscall.ENOMEM, syscall.EADDRNOTAVAIL, syscall.ENETDOWN,
}

// ours reports whether an error is this machine's own failure, and not the server's. A missing route
// may be the failure of either, and is not counted as ours.
func ours(err error) bool {
	var roots x509.SystemRootsError
	var dns *net.DNSError
	switch {
	case err == nil:
		return false
	case errors.As(err, &roots):
		return true
	case errors.As(err, &dns):
		return oursDNS(dns)
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		return !ipv6(err) // dialling an IPv6 address ends with it if there is no IPv6
	}
	return slices.ContainsFunc(lacks, func(e syscall.Errno) bool { return errors.Is(err, e) })
}

// oursDNS reports whether a name was never looked up, or our resolver is missing. A resolver that
// does not answer may be waiting for the zone's servers. Package net keeps only the text of the
// operating system's errors; the C library reports a name as unknown if it can't open its files.
func oursDNS(err *net.DNSError) bool {
	if err.IsNotFound {
		return noDescriptors()
	}
	return slices.ContainsFunc(append([]syscall.Errno{syscall.ECONNREFUSED}, lacks...), func(e syscall.Errno) bool {
		return strings.Contains(err.Err, e.Error())
	})
}

func ipv6(err error) bool {
	var op *net.OpError
	if !errors.As(err, &op) || op.Addr == nil {
		return false
	}
	host, _, _ := net.SplitHostPort(op.Addr.String())
	return strings.Contains(host, ":")
}

// noDescriptors reports whether this process currently can't open a file.
func noDescriptors() bool {
	f, err := os.Open(os.DevNull)
	if err == nil {
		f.Close()
	}
	return errors.Is(err, syscall.EMFILE) || errors.Is(err, syscall.ENFILE)
}
