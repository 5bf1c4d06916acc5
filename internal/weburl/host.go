package weburl

import (
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"unicode/utf8"

	"golang.org/x/net/idna"
)

// names turns internationalised domain names into those of DNS, as programs do that look them up. [named]
// checks the ASCII names that result.
var names = idna.New(idna.MapForLookup(), idna.BidiRule(), idna.CheckJoiners(true), idna.StrictDomainName(false))

// hostPort returns the canonical form of a host with or without a port.
func hostPort(scheme, authority string) (string, error) {
	host, port := authority, ""
	if strings.HasPrefix(authority, "[") {
		end := strings.LastIndexByte(authority, ']')
		if end == -1 {
			return "", errIPv6
		}
		host, port = authority[:end+1], authority[end+1:]
		if port != "" && port[0] != ':' {
			return "", errPort
		}
		port = strings.TrimPrefix(port, ":")
	} else if at := strings.IndexByte(authority, ':'); at >= 0 {
		host, port = authority[:at], authority[at+1:]
	}
	host, err := hostOnly(host)
	if err != nil || port == "" {
		return host, err
	}
	n, err := strconv.ParseUint(port, 10, 16)
	if err != nil || n == 0 {
		return "", errPort
	}
	if n == 80 && scheme == "http" || n == 443 && scheme == "https" {
		return host, nil
	}
	return host + ":" + strconv.FormatUint(n, 10), nil
}

func hostOnly(host string) (string, error) {
	switch {
	case host == "":
		return "", errNoHost
	case host[0] == '[':
		return ipv6(host[1 : len(host)-1])
	case strings.Contains(host, "%"):
		decoded, err := url.PathUnescape(host)
		if err != nil {
			return "", errHost
		}
		host = decoded
	}
	host = strings.Map(lowerASCII, host)
	if needsIDNA(host) {
		ascii, err := names.ToASCII(host)
		if err != nil {
			return "", errInternat
		}
		host = ascii
	}
	if addr, err := netip.ParseAddr(host); err == nil && addr.Is4() {
		return host, nil
	}
	if oddAddress(host) {
		return "", ErrAddress
	}
	host = strings.TrimSuffix(host, ".") // the root, which every name is below
	if !named(host) {
		return "", errHost
	}
	return host, nil
}

func lowerASCII(r rune) rune {
	if 'A' <= r && r <= 'Z' {
		r += 'a' - 'A'
	}
	return r
}

// needsIDNA reports whether a name has characters beyond ASCII, or claims to be the ASCII form of one that
// has.
func needsIDNA(host string) bool {
	return strings.ContainsFunc(host, func(r rune) bool { return r >= utf8.RuneSelf }) ||
		strings.HasPrefix(host, "xn--") || strings.Contains(host, ".xn--")
}

// named reports whether a host is a name that can be looked up. RFC 952 has no underscore in a host's
// name, but names of containers have.
func named(host string) bool {
	for label := range strings.SplitSeq(host, ".") {
		if len(label) == 0 || len(label) > 63 || strings.ContainsFunc(label, func(r rune) bool {
			return (r < 'a' || r > 'z') && (r < '0' || r > '9') && r != '-' && r != '_'
		}) {
			return false
		}
	}
	return len(host) <= 253
}

// oddAddress reports whether a host ends in a number without being an IPv4 address in its usual form, so
// that C libraries may read it as an address (2130706433, 0177.0.0.1, 0x7f.1) and systems resolve it
// differently.
func oddAddress(host string) bool {
	host = strings.TrimSuffix(host, ".")
	last := host[strings.LastIndexByte(host, '.')+1:]
	if strings.HasPrefix(last, "0x") {
		return strings.Trim(last[2:], "0123456789abcdef") == ""
	}
	return last != "" && strings.Trim(last, "0123456789") == ""
}

// ipv6 returns the canonical form of an IPv6 address, in brackets. Only a link-local one has a zone, the
// interface that it is reached through.
func ipv6(host string) (string, error) {
	literal, zone, zoned := strings.Cut(host, "%25")
	addr, err := netip.ParseAddr(literal)
	if err != nil || !addr.Is6() || addr.Zone() != "" {
		return "", errIPv6
	}
	if !zoned {
		return "[" + addr.String() + "]", nil
	}
	odd := strings.Trim(zone, unreserved) != ""
	if zone == "" || len(zone) > 32 || odd || !addr.IsLinkLocalUnicast() || addr.Is4In6() {
		return "", errZone
	}
	return "[" + addr.String() + "%25" + zone + "]", nil
}
