package outbound_test

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"github.com/casehook/casehook/internal/outbound"
)

// inward are ranges of IPv4 addresses that are not on the internet, and the addresses of clouds'
// metadata services.
var inward = map[string]string{
	"this network": "0.0.0.0/8", "loopback": "127.0.0.0/8", "private, 10": "10.0.0.0/8", "private, 172": "172.16.0.0/12", "private, 192": "192.168.0.0/16",
	"carriers' NAT": "100.64.0.0/10", "link-local": "169.254.0.0/16", "protocol assignments": "192.0.0.0/24",
	"documentation 1": "192.0.2.0/24", "documentation 2": "198.51.100.0/24", "documentation 3": "203.0.113.0/24", "benchmarks": "198.18.0.0/15",
	"6to4 relays": "192.88.99.0/24", "multicast": "224.0.0.0/4", "reserved": "240.0.0.0/4", "broadcast": "255.255.255.255/32",
	"metadata": "169.254.169.254/32", "metadata of Alibaba": "100.100.100.200/32", "metadata of Oracle": "192.0.0.192/32", "metadata of Azure": "168.63.129.16/32",
	"metadata of Amazon's containers": "169.254.170.2/32",
}

// inward6 are the same for IPv6.
var inward6 = map[string]string{
	"unspecified": "::/128", "loopback": "::1/128", "translated": "::ffff:0:0:0/96", "discard": "100::/64",
	"local NAT64": "64:ff9b:1::/48", "protocol assignments": "2001::/23", "benchmarks": "2001:2::/48", "ORCHID": "2001:10::/28", "ORCHID 2": "2001:20::/28",
	"documentation": "2001:db8::/32", "more documentation": "3fff::/20", "segment routing": "5f00::/16", "unique local": "fc00::/7", "link-local": "fe80::/10",
	"site-local": "fec0::/10", "multicast": "ff00::/8", "metadata of Amazon": "fd00:ec2::254/128", "metadata of Google": "fd20:ce::254/128", "ISATAP, link-local": "fe80::5efe:0:0/96",
}

// ends returns the first and the last address of a range, and one between them.
func ends(prefix string) []netip.Addr {
	p := netip.MustParsePrefix(prefix)
	first := p.Masked().Addr()
	last, middle := first.AsSlice(), first.AsSlice()
	for bit := p.Bits(); bit < first.BitLen(); bit++ {
		last[bit/8] |= 0x80 >> (bit % 8)
		if bit%3 == 0 {
			middle[bit/8] |= 0x80 >> (bit % 8)
		}
	}
	all := []netip.Addr{first}
	for _, raw := range [][]byte{middle, last} {
		addr, _ := netip.AddrFromSlice(raw)
		all = append(all, addr)
	}
	return all
}

// forms returns the ways to write an IPv4 address in a URL, including odd ones.
func forms(addr netip.Addr) map[string]string {
	b := addr.As4()
	n := uint32(b[0])<<24 | uint32(b[1])<<16 | uint32(b[2])<<8 | uint32(b[3])
	dotted := addr.String()
	six := func(format string, a ...any) string {
		return "[" + netip.MustParseAddr(fmt.Sprintf(format, a...)).String() + "]"
	}
	high, low := n>>16, n&0xffff
	return map[string]string{
		"dotted": dotted, "with a port": dotted + ":443", "with a dot at its end": dotted + ".", "with two": dotted + "..",
		"one number": fmt.Sprint(n), "one octal number": fmt.Sprintf("0%o", n), "one hexadecimal number": fmt.Sprintf("0x%x", n), "in capitals": fmt.Sprintf("0X%X", n),
		"over 32 bits": fmt.Sprint(uint64(n) + 1<<32),
		"two numbers":  fmt.Sprintf("%d.%d", b[0], n&0xffffff), "three numbers": fmt.Sprintf("%d.%d.%d", b[0], b[1], low),
		"octal": fmt.Sprintf("0%o.0%o.0%o.0%o", b[0], b[1], b[2], b[3]), "octal with zeros": fmt.Sprintf("%04o.%04o.%04o.%04o", b[0], b[1], b[2], b[3]),
		"decimal with zeros": fmt.Sprintf("%03d.%03d.%03d.%03d", b[0], b[1], b[2], b[3]), "hexadecimal": fmt.Sprintf("0x%x.0x%x.0x%x.0x%x", b[0], b[1], b[2], b[3]),
		"mixed": fmt.Sprintf("0x%x.0%o.%d", b[0], b[1], low), "one hexadecimal at its end": fmt.Sprintf("%d.%d.%d.0x%x", b[0], b[1], b[2], b[3]),
		"five numbers": dotted + ".0", "in full-width digits": wide(dotted, '.'), "between ideographic full stops": strings.ReplaceAll(dotted, ".", "。"),
		"between full-width full stops": wide(dotted, '．'), "between half-width full stops": strings.ReplaceAll(dotted, ".", "｡"), "in circled digits": circled(dotted),
		"escaped": escaped(dotted), "with a soft hyphen": strings.Replace(dotted, ".", "\u00ad.", 1),
		"behind a name": "example.com@" + dotted, "behind a name and a password": "example.com:443@" + dotted, "before a fragment": dotted + "/#@example.com",
		"before a query": dotted + "/?@example.com", "before a backslash": dotted + "\\@example.com", "before a zone": dotted + "%25eth0",
		"in IPv6": fmt.Sprintf("[::ffff:%s]", dotted), "in IPv6, hexadecimal": fmt.Sprintf("[::ffff:%x:%x]", high, low), "in IPv6, in full": fmt.Sprintf("[0:0:0:0:0:ffff:%04x:%04x]", high, low),
		"in IPv6, with a zone": fmt.Sprintf("[::ffff:%s%%25eth0]", dotted), "in IPv6, as of old": fmt.Sprintf("[::%s]", dotted), "translated": six("::ffff:0:%x:%x", high, low),
		"by NAT64": six("64:ff9b::%x:%x", high, low), "by NAT64 of one's own": six("64:ff9b:1::%x:%x", high, low),
		"by 6to4": six("2002:%x:%x::1", high, low), "by Teredo": six("2001:0:%x:%x::1", high, low), "by Teredo, as a client": six("2001:0:808:808::%x:%x", ^high&0xffff, ^low&0xffff),
		"by ISATAP": six("2400:cb00::5efe:%x:%x", high, low), "by ISATAP, marked as its own": six("2400:cb00::200:5efe:%x:%x", high, low),
	}
}

func wide(s string, dot rune) string {
	return strings.Map(func(r rune) rune {
		if r == '.' {
			return dot
		}
		return r - '0' + '０'
	}, s)
}

func circled(s string) string {
	return strings.Map(func(r rune) rune {
		switch r {
		case '.':
			return r
		case '0':
			return '⓪'
		}
		return r - '1' + '①'
	}, s)
}

func escaped(s string) (all string) {
	for _, b := range []byte(s) {
		all += fmt.Sprintf("%%%02x", b)
	}
	return all
}

func TestNoFormOfAnInwardAddressIsCalled(t *testing.T) {
	c := client(t, func(config *outbound.Config) { config.AllowPrefixes = nil }, serve(t, nil).use)
	calls := 0
	refused := func(form, host string, classes ...outbound.Class) {
		for _, scheme := range []string{"http://", "https://"} {
			calls++
			r := c.Post(t.Context(), outbound.Request{URL: scheme + host + "/"})
			known := false
			for _, class := range append(classes, outbound.Refused) {
				known = known || r.Class == class
			}
			if !known || r.Status != 0 {
				t.Errorf("%s%s (%s): class %q, %v", scheme, host, form, r.Class, r.Err)
			}
		}
	}
	for name, prefix := range inward {
		for _, addr := range ends(prefix) {
			for form, host := range forms(addr) {
				switch form {
				case "with two", "with a soft hyphen", "in circled digits", "before a zone": // nor any names
					refused(name+", "+form, host, outbound.Invalid, outbound.DNS)
				case "escaped", "before a backslash", "behind a name and a password", "behind a name",
					"before a fragment", "in IPv6, with a zone":
					refused(name+", "+form, host, outbound.Invalid)
				default:
					refused(name+", "+form, host)
				}
			}
		}
	}
	for name, prefix := range inward6 {
		for _, addr := range ends(prefix) {
			for form, host := range map[string]string{
				"short": addr.String(), "in full": addr.StringExpanded(), "with a zone": addr.WithZone("eth0").String(), "in capitals": strings.ToUpper(addr.StringExpanded()),
			} {
				// some have no zone
				refused(name+", "+form, "["+strings.ReplaceAll(host, "%", "%25")+"]", outbound.Invalid)
			}
		}
	}
	t.Logf("%d URLs are refused", calls)
}
