package outbound_test

import (
	"io"
	"log"
	"net"
	"net/netip"
	"strings"
	"testing"

	"github.com/casehook/casehook/internal/outbound"
)

var discard = log.New(io.Discard, "", 0)

func TestOnlyPublicAddressesAreCalled(t *testing.T) {
	refused := []string{
		"127.0.0.1", "127.255.255.254", "localhost", "0.0.0.0", "[::]", "[::1]", // this host
		"2130706433", "0177.0.0.1", "0x7f.0.0.1", "0x7f000001", "127.1", "0", "127.0.0.1.", "017700000001", // in odd forms
		"10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1", "100.64.0.1", "[fd00::1]", "[fc00::1]", // private
		"169.254.169.254", "[fe80::1]", "[fe80::1%25lo]", "[fd00:ec2::254]", "100.100.100.200", "168.63.129.16", "192.0.0.192", // metadata
		"224.0.0.1", "239.255.255.250", "255.255.255.255", "240.0.0.1", "[ff02::1]", // multicast, broadcast, reserved
		"192.0.2.1", "198.51.100.1", "203.0.113.1", "198.18.0.1", "[2001:db8::1]", // documentation, benchmarks
		"[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[::ffff:10.0.0.1]", "[::ffff:169.254.169.254]", "[::127.0.0.1]", // IPv4 in IPv6
		"[64:ff9b::7f00:1]", "[64:ff9b::169.254.169.254]", "[64:ff9b:1::1]", "[2002:7f00:1::]", "[2001:0:7f00:1::]", // NAT64, 6to4, Teredo
	}
	c := outbound.New(outbound.Config{})
	defer c.Close()
	for _, host := range refused {
		for _, port := range []string{"", ":1", ":443"} {
			r := c.Post(t.Context(), outbound.Request{URL: "http://" + host + port + "/"})
			if r.Class != outbound.Refused {
				t.Errorf("%s%s: class %q, %v", host, port, r.Class, r.Err)
			}
		}
	}
}

func TestARefusalNamesTheSettingThatAllows(t *testing.T) {
	c := outbound.New(outbound.Config{})
	for url, want := range map[string]string{
		"http://127.0.0.1:9/":    "--allow-address 127.0.0.0/8",
		"http://10.1.2.3:9/":     "--allow-address 10.1.2.3/32",
		"http://[::1]:9/":        "--allow-address ::1/128",
		"http://[fe80::1%25x]:9": "--allow-address fe80::1/128",
	} {
		r := c.Post(t.Context(), outbound.Request{URL: url})
		if r.Err == nil || !strings.Contains(r.Err.Error(), want) ||
			!strings.Contains(r.Err.Error(), "CASEHOOK_ALLOW_ADDRESS") {
			t.Errorf("%s: %v, want %q", url, r.Err, want)
		}
	}
}

func TestAnAllowedPrefixOpensNothingElse(t *testing.T) {
	url := listen(t, write(answer("", "")))
	port := url[strings.LastIndexByte(url, ':'):]
	prefixes := func(s ...string) (p []netip.Prefix) {
		for _, s := range s {
			p = append(p, netip.MustParsePrefix(s))
		}
		return p
	}
	for _, c := range []struct {
		allow []netip.Prefix
		host  string
		class outbound.Class
	}{
		{prefixes("127.0.0.1/32"), "127.0.0.1", outbound.Answered},
		{prefixes("127.0.0.1/32"), "[::ffff:127.0.0.1]", outbound.Answered}, // the same address
		{prefixes("::ffff:127.0.0.0/104"), "127.0.0.1", outbound.Answered},
		{prefixes("0.0.0.0/0"), "127.0.0.1", outbound.Answered},
		{prefixes("127.0.0.1/32"), "127.0.0.2", outbound.Refused},
		{prefixes("127.0.0.0/8"), "10.0.0.1", outbound.Refused},
		{prefixes("127.0.0.0/8"), "169.254.169.254", outbound.Refused},
		{prefixes("127.0.0.0/8"), "[::1]", outbound.Refused},
		{prefixes("127.0.0.0/8"), "[64:ff9b::7f00:1]", outbound.Refused},
		{prefixes("127.0.0.0/8"), "2130706433", outbound.Refused},
		{prefixes("::1/128"), "127.0.0.1", outbound.Refused},
		{prefixes("::/0"), "127.0.0.1", outbound.Refused},
		{prefixes("::1/128"), "[fd00::1]", outbound.Refused},
		{prefixes("10.0.0.0/8", "fd00::/8"), "127.0.0.1", outbound.Refused},
	} {
		r := client(t, func(config *outbound.Config) { config.AllowPrefixes = c.allow }).
			Post(t.Context(), outbound.Request{URL: "http://" + c.host + port})
		if r.Class != c.class {
			t.Errorf("%v allowed, %s called: class %q, %v; want %q", c.allow, c.host, r.Class, r.Err, c.class)
		}
	}
}

func TestAnAllowedIPv6PrefixIsCalled(t *testing.T) {
	listener, err := net.Listen("tcp", "[::1]:0")
	if err != nil {
		// Without IPv6 the guard still allows the address, and connecting to it fails.
		r := client(t).Post(t.Context(), outbound.Request{URL: "http://[::1]:9/"})
		if r.Class != outbound.Connect {
			t.Errorf("class %q, %v", r.Class, r.Err)
		}
		return
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		if conn, err := listener.Accept(); err == nil {
			readHead(conn)
			io.WriteString(conn, answer("", ""))
			conn.Close()
		}
	}()
	r := client(t).Post(t.Context(), outbound.Request{URL: "http://" + listener.Addr().String()})
	listener.Close()
	<-done
	if r.Class != outbound.Answered || r.Address != listener.Addr().String() {
		t.Errorf("class %q, %v, address %q", r.Class, r.Err, r.Address)
	}
}
