package outbound

import (
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"sync"
)

// AllowedPrefix is a range of addresses that are not public and may be called, at one port or at
// all ports.
type AllowedPrefix struct {
	Prefix netip.Prefix
	Port   uint16 // 0: all
}

var errAllowed = errors.New("is not an address or a range of addresses; write 10.0.0.0/8, 10.1.2.3:8080 or [fd00::]/8:443")

// ParseAllowed reads an address or a range of them, with or without a port.
func ParseAllowed(text string) (AllowedPrefix, error) {
	a, err := parseAllowed(text)
	if err != nil {
		return a, fmt.Errorf("%q %w", text, err)
	}
	return a, nil
}

func parseAllowed(text string) (a AllowedPrefix, err error) {
	where, port := text, ""
	if rest, bracketed := strings.CutPrefix(text, "["); bracketed {
		addr, behind, closed := strings.Cut(rest, "]")
		bits, number, ported := strings.Cut(behind, ":")
		if !closed || !strings.Contains(addr, ":") || ported && number == "" || bits != "" && bits[0] != '/' {
			return a, errAllowed
		}
		where, port = addr+bits, number
	} else if strings.Count(text, ":") == 1 {
		if where, port, _ = strings.Cut(text, ":"); port == "" {
			return a, errAllowed
		}
	}
	if port != "" {
		n, err := strconv.ParseUint(port, 10, 16)
		if err != nil || n == 0 {
			return a, errAllowed
		}
		a.Port = uint16(n)
	}
	if a.Prefix, err = netip.ParsePrefix(where); err != nil {
		addr, bad := netip.ParseAddr(where)
		if bad != nil || addr.Zone() != "" {
			return a, errAllowed
		}
		a.Prefix = netip.PrefixFrom(addr, addr.BitLen())
	}
	if addr := a.Prefix.Addr(); addr.Is4In6() && a.Prefix.Bits() >= 96 {
		a.Prefix = netip.PrefixFrom(addr.Unmap(), a.Prefix.Bits()-96)
	}
	a.Prefix = a.Prefix.Masked()
	return a, nil
}

// String returns the canonical text: 10.0.0.0/8, 10.1.2.3:8080, [fd00::]/8:443.
func (a AllowedPrefix) String() string {
	addr, bits := a.Prefix.Addr(), a.Prefix.Bits()
	text, port := addr.String(), ""
	if a.Port != 0 {
		if port = ":" + strconv.Itoa(int(a.Port)); addr.Is6() {
			text = "[" + text + "]"
		}
	}
	if bits != addr.BitLen() {
		text += "/" + strconv.Itoa(bits)
	}
	return text + port
}

// UnmarshalText implements encoding.TextUnmarshaler with ParseAllowed.
func (a *AllowedPrefix) UnmarshalText(text []byte) (err error) {
	*a, err = ParseAllowed(string(text))
	return err
}

// everyPort allows prefixes at all ports.
func everyPort(prefixes []netip.Prefix) []AllowedPrefix {
	all := make([]AllowedPrefix, len(prefixes))
	for i, p := range prefixes {
		all[i] = AllowedPrefix{Prefix: p}
	}
	return all
}

// pool has a transport, with its own connections, for each set of allowed addresses, so that no request is
// sent on a connection that its tenant may not open.
type pool struct {
	make func([]AllowedPrefix) *http.Transport

	mu sync.Mutex
	by map[string]*http.Transport
}

// maxTransports is the size at which the pool is emptied.
const maxTransports = 1000

// of returns the transport for tenants that may call the addresses in these texts. A text that can't
// be parsed allows nothing.
func (p *pool) of(allow []string) *http.Transport {
	p.mu.Lock()
	defer p.mu.Unlock()
	key := strings.Join(allow, " ")
	if t := p.by[key]; t != nil {
		return t
	}
	var all []AllowedPrefix
	for _, text := range allow {
		if a, err := ParseAllowed(text); err == nil {
			all = append(all, a)
		}
	}
	if p.by == nil || len(p.by) >= maxTransports {
		p.drop()
		p.by = map[string]*http.Transport{}
	}
	p.by[key] = p.make(all)
	return p.by[key]
}

func (p *pool) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.drop()
}

// drop closes idle connections.
func (p *pool) drop() {
	for _, t := range p.by {
		t.CloseIdleConnections()
	}
}
