package main

import (
	"fmt"
	"net"
	"strings"
)

// webURL is a URL on the command line. It refuses a URL without a scheme, and suggests the one that
// was probably meant. The rest is checked where the URL is used.
type webURL string

// UnmarshalText reads http://... or https://...
func (u *webURL) UnmarshalText(text []byte) error {
	raw := strings.TrimSpace(string(text))
	scheme, _, hasScheme := strings.Cut(raw, "://")
	switch {
	case raw == "", hasScheme && (strings.EqualFold(scheme, "http") || strings.EqualFold(scheme, "https")):
		*u = webURL(raw)
		return nil
	case hasScheme:
		return fmt.Errorf("%q does not begin with http:// or https://; write http://localhost:3000", raw)
	}
	return fmt.Errorf("%q is not a URL, since it has no scheme; write %s", raw, withScheme(raw))
}

// serverURL is the URL of a server. It may have a path, which a proxy adds, but not the path of the
// API.
type serverURL webURL

// UnmarshalText reads http://... or https://...
func (u *serverURL) UnmarshalText(text []byte) error {
	if err := (*webURL)(u).UnmarshalText(text); err != nil {
		return err
	}
	if base, found := strings.CutSuffix(strings.TrimRight(string(*u), "/"), "/v1"); found {
		return fmt.Errorf("%q is the path of the server's API; leave /v1 out: write %s", *u, base)
	}
	return nil
}

// withScheme returns the URL that was probably meant by one without a scheme.
func withScheme(raw string) string {
	raw = strings.TrimLeft(raw, "/:")
	authority, _, _ := strings.Cut(raw, "/")
	host := authority
	if name, _, err := net.SplitHostPort(authority); err == nil {
		host = name
	}
	switch ip := net.ParseIP(strings.Trim(host, "[]")); {
	case raw == "" || host == "":
		return "http://localhost:3000"
	case strings.Trim(raw, "0123456789") == "":
		return "http://localhost:" + raw
	case ip != nil, !strings.Contains(host, "."), strings.HasSuffix(host, ".localhost"):
		return "http://" + raw
	}
	return "https://" + raw
}
