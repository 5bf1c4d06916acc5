package inbound

import (
	"cmp"
	"context"
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

// origin is the address and scheme that a request comes from.
type origin struct {
	address netip.Addr
	text    string // the address, or the connection's text if it has none
	scheme  string // the scheme that the client used; empty: the connection has no TLS, and no trusted proxy names one
	counted bool   // the request counts for its address, because its connection is a trusted proxy's
}

type originKey struct{}

// Address returns the IP address that a request comes from: the one that [Clients.Handler] has
// determined, or else the connection's.
func Address(r *http.Request) string {
	if from, ok := r.Context().Value(originKey{}).(origin); ok {
		return from.text
	}
	return direct(r).text
}

// Scheme returns the scheme that the client used: https by TLS, or the one that a trusted proxy names; otherwise "".
func Scheme(ctx context.Context) string {
	from, _ := ctx.Value(originKey{}).(origin)
	return from.scheme
}

func direct(r *http.Request) origin {
	from := origin{address: addressOf(r.RemoteAddr), text: r.RemoteAddr}
	if from.address.IsValid() {
		from.text = from.address.String()
	}
	if r.TLS != nil {
		from.scheme = "https"
	}
	return from
}

// addressOf returns the address in host:port, or the zero address if there is none.
func addressOf(text string) netip.Addr {
	at, err := netip.ParseAddrPort(text)
	if err != nil {
		return netip.Addr{}
	}
	return at.Addr().Unmap().WithZone("")
}

func (c *Clients) trusts(a netip.Addr) bool {
	return slices.ContainsFunc(c.config.Proxies, func(p netip.Prefix) bool { return p.Contains(a) })
}

// origin returns the origin of a request: the address of its connection or, if that is a trusted proxy's, an
// address from the proxies' headers. The list of addresses is read from its end, and the first that is not a
// trusted proxy's is the client's. An unreadable address ends the list, because no trusted proxy has written
// the addresses before it.
func (c *Clients) origin(r *http.Request) origin {
	from := direct(r)
	if !from.address.IsValid() || !c.trusts(from.address) {
		return from
	}
	for _, hop := range slices.Backward(hops(r.Header)) {
		from.scheme = cmp.Or(hop.scheme, from.scheme)
		if !hop.address.IsValid() {
			break
		}
		from.address, from.text = hop.address, hop.address.String()
		if !c.trusts(hop.address) {
			from.counted = true
			break
		}
	}
	return from
}

// hop is one proxy's record of its client.
type hop struct {
	address netip.Addr // zero: it is hidden, or no address
	scheme  string
}

// hops parses the headers in which proxies record their clients: X-Forwarded-For with X-Forwarded-Proto, or
// Forwarded if there is neither. They are never combined, because a client can add the one that its proxy
// does not write.
func hops(h http.Header) []hop {
	addresses, schemes := valuesOf(h, "X-Forwarded-For"), valuesOf(h, "X-Forwarded-Proto")
	if len(addresses) == 0 && len(schemes) == 0 {
		return forwarded(strings.Join(h.Values("Forwarded"), ","))
	}
	if len(addresses) == 0 {
		return []hop{{scheme: scheme(schemes[len(schemes)-1])}}
	}
	all := make([]hop, len(addresses))
	for i, text := range addresses {
		all[i].address = hostOf(text)
		switch {
		case len(schemes) == len(addresses): // if each proxy added both
			all[i].scheme = scheme(schemes[i])
		case len(schemes) > 0:
			all[i].scheme = scheme(schemes[len(schemes)-1])
		}
	}
	return all
}

func valuesOf(h http.Header, name string) []string {
	if len(h.Values(name)) == 0 {
		return nil
	}
	return strings.Split(strings.Join(h.Values(name), ","), ",")
}

func scheme(text string) string {
	text = strings.ToLower(strings.Trim(text, " \t"))
	if text != "http" && text != "https" {
		return ""
	}
	return text
}

// forwarded reads the header of RFC 7239.
func forwarded(text string) []hop {
	if strings.Trim(text, " \t,") == "" {
		return nil
	}
	var all []hop
	for _, element := range split(text, ',') {
		var h hop
		seen := 0
		for _, pair := range split(element, ';') {
			name, value, _ := strings.Cut(strings.Trim(pair, " \t"), "=")
			switch strings.ToLower(name) {
			case "for":
				seen++
				h.address = hostOf(unquoted(value))
			case "proto":
				h.scheme = scheme(unquoted(value))
			}
		}
		if seen != 1 {
			h.address = netip.Addr{}
		}
		all = append(all, h)
	}
	return all
}

// split splits at a separator outside of quotes.
func split(text string, by byte) (parts []string) {
	quoted, from := false, 0
	for i := 0; i < len(text); i++ {
		switch {
		case quoted && text[i] == '\\':
			i++
		case text[i] == '"':
			quoted = !quoted
		case !quoted && text[i] == by:
			parts, from = append(parts, text[from:i]), i+1
		}
	}
	return append(parts, text[from:])
}

// unquoted returns a token, or the content of a quoted string.
func unquoted(value string) string {
	if len(value) < 2 || value[0] != '"' || value[len(value)-1] != '"' {
		return value
	}
	var b strings.Builder
	for i := 1; i < len(value)-1; i++ {
		if value[i] == '\\' && i+1 < len(value)-1 {
			i++
		}
		b.WriteByte(value[i])
	}
	return b.String()
}

// hostOf returns the address in a text, which may have a port and brackets. It returns the zero address for
// anything else: unknown, _hidden, a host name.
func hostOf(text string) netip.Addr {
	text = strings.Trim(text, " \t")
	host, port, withPort := text, "", false
	if rest, bracketed := strings.CutPrefix(text, "["); bracketed {
		var closed bool
		if host, port, closed = strings.Cut(rest, "]"); !closed || !strings.Contains(host, ":") {
			return netip.Addr{}
		}
		if port, withPort = strings.CutPrefix(port, ":"); !withPort && port != "" {
			return netip.Addr{}
		}
	} else if strings.Count(text, ":") == 1 {
		host, port, withPort = strings.Cut(text, ":")
	}
	if withPort && !isPort(port) {
		return netip.Addr{}
	}
	address, err := netip.ParseAddr(host)
	if err != nil || address.Zone() != "" {
		return netip.Addr{}
	}
	return address.Unmap()
}

// isPort reports whether a text is a port, hidden ones (_a1) included.
func isPort(text string) bool {
	hidden := strings.HasPrefix(text, "_")
	for _, r := range strings.TrimPrefix(text, "_") {
		digit := '0' <= r && r <= '9'
		if !digit && (!hidden || !(r == '.' || r == '_' || r == '-' || 'a' <= r|0x20 && r|0x20 <= 'z')) {
			return false
		}
	}
	return text != "" && text != "_" && (hidden || len(text) <= 5)
}
