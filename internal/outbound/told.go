package outbound

import (
	"errors"
	"fmt"
	"net/netip"
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
		text = fmt.Sprintf("%v: %s is not at a public address; whoever runs Casehook may allow it (%s)", errRefused, host, AllowFlag)
	case DNS:
		text = "the name " + host + " was not found, or could not be looked up"
	case Connect:
		text = "no connection to " + host + why(err)
	case Ours:
		text = "this server could not send it" + why(err)
	default:
		return err
	}
	return &told{text, err}
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
