package outbound

import (
	"cmp"
	"fmt"
	"net/netip"
	"syscall"

	"code.dny.dev/ssrf"
)

// The setting that allows more addresses, as a flag and as a variable.
const (
	AllowFlag     = "--allow-address"
	AllowVariable = "CASEHOOK_ALLOW_ADDRESS"
)

// wireserver is the address of the metadata service on Azure. It looks like a public address.
var wireserver = netip.MustParsePrefix("168.63.129.16/32")

// guard checks addresses when they are dialled.
type guard struct {
	guardian *ssrf.Guardian
	at       map[uint16]*ssrf.Guardian // the ports at which more is allowed
}

func newGuard(allow []AllowedPrefix) guard {
	g := guard{guardian: guardian(allow, 0), at: map[uint16]*ssrf.Guardian{}}
	for _, a := range allow {
		if a.Port != 0 && g.at[a.Port] == nil {
			g.at[a.Port] = guardian(allow, a.Port)
		}
	}
	return g
}

// guardian returns the check for a port: it allows the prefixes of all ports, and those of this
// port.
func guardian(allow []AllowedPrefix, port uint16) *ssrf.Guardian {
	var v4, v6 []netip.Prefix
	for _, a := range allow {
		if a.Port != 0 && a.Port != port {
			continue
		}
		prefix := a.Prefix
		if addr := prefix.Addr(); addr.Is4In6() && prefix.Bits() >= 96 {
			prefix = netip.PrefixFrom(addr.Unmap(), prefix.Bits()-96)
		}
		if prefix.Addr().Is4() {
			v4 = append(v4, prefix.Masked())
		} else {
			v6 = append(v6, prefix.Masked())
		}
	}
	return ssrf.New(ssrf.WithAnyPort(),
		ssrf.WithAllowedV4Prefixes(v4...), ssrf.WithAllowedV6Prefixes(v6...),
		ssrf.WithDeniedV4Prefixes(wireserver))
}

// control is a net.Dialer's Control. It runs after the name was resolved, for each address that is
// tried, right before connecting.
func (g guard) control(network, address string, _ syscall.RawConn) error {
	target, err := netip.ParseAddrPort(address)
	if err != nil {
		return fmt.Errorf("%w: %s", errRefused, err)
	}
	// A mapped IPv4 address is checked as IPv4, a scoped one without its zone.
	addr := target.Addr().Unmap().WithZone("")
	guardian := cmp.Or(g.at[target.Port()], g.guardian)
	if network != "tcp4" && network != "tcp6" || guardian.SafeAddr(addr) != nil {
		return refusal(addr)
	}
	if tunnelled, ok := isatap(addr); ok && guardian.SafeAddr(tunnelled) != nil {
		return refusal(addr)
	}
	return nil
}

// isatap returns the IPv4 address to which a host with ISATAP sends packets for addr: RFC 5214,
// section 6.1. Any prefix may be used.
func isatap(addr netip.Addr) (netip.Addr, bool) {
	b := addr.As16()
	if !addr.Is6() || b[8]&^2 != 0 || b[9] != 0 || b[10] != 0x5e || b[11] != 0xfe {
		return netip.Addr{}, false
	}
	return netip.AddrFrom4([4]byte(b[12:])), true
}

// refusal returns an error with the address and the setting that would allow it.
func refusal(addr netip.Addr) error {
	prefix := netip.PrefixFrom(addr, addr.BitLen())
	if addr.Is4() && addr.IsLoopback() {
		prefix = netip.PrefixFrom(addr, 8).Masked()
	}
	return fmt.Errorf("%w: %s is not a public address; if Casehook should call it, start it with %s %s or %s",
		errRefused, addr, AllowFlag, prefix, AllowVariable)
}
