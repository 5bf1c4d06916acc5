// Package weburl reads the URLs that requests are sent to. It is pure. A URL that it accepts has one
// canonical form, in which it is stored, shown and sent: every server reads the request line and the Host
// header made of it alike, and the host that is dialled is the host that is named. It refuses a URL that
// can't be sent as it was meant, with the reason.
package weburl

import (
	"errors"
	"net/url"
	"regexp"
	"strings"
	"unicode/utf8"
)

// MaxLength is the longest canonical URL, in bytes.
const MaxLength = 2048

// The reasons for refusing a URL. Their texts follow a name of the URL, and quote nothing of it: it may
// hold secrets.
var (
	ErrAddress = errors.New("has a number as its host, which programs read differently; write an IPv4 address as " +
		"four decimal numbers, such as 192.0.2.1")

	errUTF8      = errors.New("is not valid UTF-8")
	errControl   = errors.New("holds a tab, a line break or another control character; remove it")
	errScheme    = errors.New("does not begin with http:// or https://")
	errNoHost    = errors.New("names no host; it looks like https://example.com/path")
	errBackslash = errors.New("has a backslash before its query; write /")
	errUser      = errors.New("carries a user name or password, which would be shown; authenticate by a header, or " +
		"verify the signature instead")
	errEscape   = errors.New("has a % in its path that begins no escape; write %25")
	errFragment = errors.New("has a fragment, the part behind #, which is never sent; write %23 for a # that is meant")
	errLong     = errors.New("is longer than 2048 bytes once it is percent-encoded")
	errQuery    = errors.New("has a query, which no path can follow")
	errHost     = errors.New("has a host that is neither a name nor an address: names are letters, digits, - and _ " +
		"between dots, at most 63 between two and 253 in all")
	errInternat = errors.New("has a host that is not a valid internationalised domain name (IDNA)")
	errIPv6     = errors.New("has no IPv6 address between the brackets")
	errZone     = errors.New("has an IPv6 zone that is not valid, or has one after an address that is not link-local")
	errPort     = errors.New("has a port that is not a number from 1 to 65535")
)

// badEscape matches a percent sign that starts no escape.
var badEscape = regexp.MustCompile(`%([^0-9A-Fa-f]|.[^0-9A-Fa-f]|.?$)`)

// Canonical returns the one form of a URL: scheme and host in lower case, the host as in DNS, no default
// port, and a path. Characters that RFC 3986 does not allow in a path or query are percent-encoded;
// existing escapes and + stay; a % in a query that starts no escape is encoded. The error says why the URL
// has no such form.
func Canonical(raw string) (string, error) {
	raw = strings.Trim(raw, " \t\r\n")
	if err := readable(raw); err != nil {
		return "", err
	}
	scheme, rest, _ := strings.Cut(raw, ":")
	scheme = strings.ToLower(scheme)
	if scheme != "http" && scheme != "https" {
		return "", errScheme
	}
	rest, ok := strings.CutPrefix(rest, "//")
	if !ok {
		return "", errNoHost
	}
	rest, fragment, _ := strings.Cut(rest, "#")
	rest, query, asks := strings.Cut(rest, "?")
	authority, path, _ := strings.Cut(rest, "/")
	switch {
	case strings.Contains(rest, `\`):
		return "", errBackslash
	case strings.Contains(authority, "@"):
		return "", errUser
	case fragment != "":
		return "", errFragment
	case badEscape.MatchString(path):
		return "", errEscape
	}
	host, err := hostPort(scheme, authority)
	if err != nil {
		return "", err
	}
	canonical := scheme + "://" + host + encode(withoutDots("/"+path), inPath)
	if asks {
		canonical += "?" + encode(query, inQuery)
	}
	if len(canonical) > MaxLength {
		return "", errLong
	}
	return canonical, nil
}

// Base returns the canonical form of a URL to which paths are appended: it has no query and no slash at
// its end.
func Base(raw string) (string, error) {
	canonical, err := Canonical(raw)
	if err != nil {
		return "", err
	}
	if strings.Contains(canonical, "?") {
		return "", errQuery
	}
	return strings.TrimRight(canonical, "/"), nil
}

// Parse returns the canonical form of a URL, parsed.
func Parse(raw string) (*url.URL, error) {
	canonical, err := Canonical(raw)
	if err != nil {
		return nil, err
	}
	return url.Parse(canonical)
}

// Stored returns the canonical form of a URL that was saved before canonical forms existed, or the URL
// itself if it would be refused now.
func Stored(raw string) string {
	if canonical, err := Canonical(raw); err == nil {
		return canonical
	}
	return raw
}

func readable(raw string) error {
	switch {
	case !utf8.ValidString(raw):
		return errUTF8
	case strings.ContainsFunc(raw, func(r rune) bool { return r < ' ' || r == 0x7f }):
		return errControl
	}
	return nil
}

// escapedDot matches an escaped dot.
var escapedDot = regexp.MustCompile(`%2[eE]`)

// withoutDots removes the segments . and .. from a path: RFC 3986, section 5.2.4. Escaped dots count, as
// they do for browsers.
func withoutDots(path string) string {
	segments := strings.Split(path[1:], "/")
	kept := segments[:0]
	for i, segment := range segments {
		dots := escapedDot.ReplaceAllString(segment, ".")
		if dots != "." && dots != ".." {
			kept = append(kept, segment)
			continue
		}
		if dots == ".." && len(kept) > 0 {
			kept = kept[:len(kept)-1]
		}
		if i == len(segments)-1 {
			kept = append(kept, "")
		}
	}
	return "/" + strings.Join(kept, "/")
}

// Characters by their names in RFC 3986, and those that need no escape in a path and in a query.
const (
	hexDigits     = "0123456789ABCDEFabcdef"
	unreserved    = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-._~"
	subDelimiters = "!$&'()*+,;="
	inPath        = unreserved + subDelimiters + "/:@"
	inQuery       = inPath + "?"
)

// encode percent-encodes the characters of a part of a URL that are not allowed in it. Escapes stay.
func encode(part, allowed string) string {
	var b strings.Builder
	for i := range len(part) {
		c := part[i]
		if c == '%' && isEscape(part[i:]) || strings.IndexByte(allowed, c) >= 0 {
			b.WriteByte(c)
		} else {
			b.Write([]byte{'%', hexDigits[c>>4], hexDigits[c&15]})
		}
	}
	return b.String()
}

// isEscape reports whether a % and two hexadecimal digits are at the beginning of a text.
func isEscape(text string) bool {
	return len(text) >= 3 && strings.Trim(text[1:3], hexDigits) == ""
}

// WithoutQuery returns a URL, which may have variables, without its query, which may hold a key.
func WithoutQuery(raw string) string {
	before, _, _ := strings.Cut(raw, "?")
	return before
}
