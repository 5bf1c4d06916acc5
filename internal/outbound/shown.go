package outbound

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"syscall"
)

// shownError is an error with a text for people. Its cause may name the address behind a name, or
// the resolver, which only the operator may see.
type shownError struct {
	text  string
	cause error
}

func (t *shownError) Error() string { return t.text }
func (t *shownError) Unwrap() error { return t.cause }

// Cause returns the full error of a [Result], for the operator's log. Nobody else may see it.
func Cause(err error) string {
	var known *shownError
	if errors.As(err, &known) {
		return known.cause.Error()
	}
	if err == nil {
		return ""
	}
	return err.Error()
}

// forPeople returns the error of a class without addresses, except if the URL's host is an address:
// the author of the URL knows it.
func forPeople(class Class, host string, err error) error {
	var tunnel *tunnelError
	if errors.As(err, &tunnel) {
		return &tunnel.shown
	}
	if _, parsed := netip.ParseAddr(strings.Trim(host, "[]")); parsed == nil {
		return err
	}
	text := ""
	switch class {
	case Refused:
		text = fmt.Sprintf("%v: %s is not at a public address; the operator of Casehook can allow it (%s)", errRefused,
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
		return err // an error of this package, which contains no names
	}
	return &shownError{text, err}
}

// plainErrors are errors of the classes below that contain no names.
var plainErrors = []error{errTimeout, errAlert, errUnknown}

// tlsWhy returns the reason why there is no TLS connection, without the names that errors about
// certificates and connections contain.
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

// why returns the operating system's text for an error, which contains no address.
func why(err error) string {
	var errno syscall.Errno
	if errors.As(err, &errno) {
		return ": " + errno.Error()
	}
	return ""
}

// publicAddresses permits public addresses alone, and none that an operator allows.
var publicAddresses = newGuard(nil).guardian

// shownAddress returns a dialled address if people may see it: if it is public, or part of the URL.
// Otherwise it returns "".
func shownAddress(u *url.URL, dialled string) string {
	target, err := netip.ParseAddrPort(dialled)
	if err != nil {
		return ""
	}
	if _, err := netip.ParseAddr(u.Hostname()); err == nil {
		return dialled
	}
	if publicAddresses.SafeAddr(target.Addr().Unmap().WithZone("")) != nil {
		return ""
	}
	return dialled
}
