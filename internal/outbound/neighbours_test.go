package outbound

import (
	"net/netip"
	"testing"
)

// This test sends nothing: it would call the internet.
func TestNeighboursOfInwardAddressesArePublic(t *testing.T) {
	for _, addr := range []string{
		"1.1.1.1", "8.8.8.8", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0", "126.255.255.255", "128.0.0.0", "168.63.129.15", "168.63.129.17",
		"169.253.255.255", "169.255.0.0", "172.15.255.255", "172.32.0.0", "192.0.1.0", "192.0.3.0", "192.167.255.255", "192.169.0.0", "198.17.255.255", "198.20.0.0",
		"198.51.99.255", "198.51.101.0", "203.0.112.255", "203.0.114.0", "223.255.255.255", "::ffff:8.8.8.8",
		"2606:4700:4700::1111", "2001:4860:4860::8888", "2001:200::1", "2003::1", "2400:cb00::5efe:808:808", "2400:cb00::5eff:a00:1",
	} {
		network := "tcp6"
		if netip.MustParseAddr(addr).Unmap().Is4() {
			network = "tcp4"
		}
		if err := newGuard(nil).control(network, netip.AddrPortFrom(netip.MustParseAddr(addr), 443).String(),
			nil); err != nil {
			t.Errorf("%s: %v", addr, err)
		}
	}
}
