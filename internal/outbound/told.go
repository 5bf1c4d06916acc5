package outbound

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"syscall"
)

// told is an error in words for people. Its cause may name an address that a name
// stands for, or the resolver, which are the operator's alone to know.
type told struct {
	text  string
	cause error
}

func (t *told) Error() string { return t.text }
func (t *told) Unwrap() error { return t.cause }

// Cause returns all that is known of an error of a [Result], for the operator's
// log. Nobody else may see it.
func Cause(err error) string {
	var known *told
	if errors.As(err, &known) {
		return known.cause.Error()
	}
	if err == nil {
		return ""
	}
	return err.Error()
}

// forPeople puts the error of a class in words that name no address, unless the
// URL's host is one itself: then who wrote the URL knows it.
func forPeople(class Class, host string, err error) error {
	if _, parsed := netip.ParseAddr(strings.Trim(host, "[]")); parsed == nil {
		return err
	}
	text := ""
	switch class {
	case Refused:
		text = fmt.Sprintf("%v: %s is not at a public address; whoever runs Casehook may allow it (%s)", errRefused,
			host, AllowFlag)
	case DNS:
		text = "the name " + host + " was not found, or could not be looked up"
	case Connect:
		text = "no connection to " + host + why(err)
	case TLS:
		text = "no TLS connection to " + host + ": " + tlsWhy(err, host)
	case Timeout:
		text = "no connection to " + host + " within the timeout"
	case Ours:
		text = "this server could not send it" + why(err)
	}
	if text == "" || slices.Contains(plainErrors, err) {
		return err // it is one of ours, which name nothing
	}
	return &told{text, err}
}

// plainErrors are those of the classes below that name nothing.
var plainErrors = []error{errTimeout, errAlert, errUnknown}

// tlsWhy says why there is no TLS connection. What a certificate says of itself may
// name addresses, and what the connection says of itself does.
func tlsWhy(err error, host string) string {
	var authority x509.UnknownAuthorityError
	var name x509.HostnameError
	var invalid x509.CertificateInvalidError
	var record tls.RecordHeaderError
	var alert tls.AlertError
	var network net.Error
	switch {
	case errors.As(err, &authority):
		return "x509: certificate signed by unknown authority"
	case errors.As(err, &name):
		return "x509: the certificate is not for " + host
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return invalid.Error()
	case errors.As(err, &invalid):
		return "x509: the certificate can't be used"
	case errors.As(err, &record):
		return "it does not speak TLS"
	case errors.As(err, &alert):
		return "it broke off: " + alert.Error()
	case errors.As(err, &network) && network.Timeout():
		return "it did not answer in time"
	case lost(err):
		return "it closed the connection"
	}
	return "the handshake failed"
}

// why is the system's word for a failure, which names no address.
func why(err error) string {
	var errno syscall.Errno
	if errors.As(err, &errno) {
		return ": " + errno.Error()
	}
	return ""
}

// ShownAddress is an address that was dialled for a URL, as people may see it: one
// that is public, or stands in the URL itself; else nothing.
func ShownAddress(rawURL, dialled string) string {
	target, err := netip.ParseAddrPort(dialled)
	if err != nil {
		return ""
	}
	if u, err := parseURL(rawURL); err == nil {
		if _, err := netip.ParseAddr(u.Hostname()); err == nil {
			return dialled
		}
	}
	if newGuard(nil).guardian.SafeAddr(target.Addr().Unmap().WithZone("")) != nil {
		return ""
	}
	return dialled
}
