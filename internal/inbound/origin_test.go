package inbound

import (
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
)

// The client is the last address in the list that is not a trusted proxy's. An unreadable address
// ends the list, and headers of other peers are ignored.
func TestTheOriginOfARequest(t *testing.T) {
	c := New(Config{Proxies: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("fd00::/8")}})
	for name, test := range map[string]struct {
		peer    string // 10.0.0.1 if empty
		headers []string
		address string
		scheme  string
	}{
		"no header":                        {address: "10.0.0.1"},
		"a peer that nobody trusts":        {peer: "192.0.2.9:5", headers: []string{"X-Forwarded-For: 198.51.100.7", "X-Forwarded-Proto: https", "Forwarded: for=198.51.100.7;proto=https"}, address: "192.0.2.9"},
		"one hop":                          {headers: []string{"X-Forwarded-For: 198.51.100.7"}, address: "198.51.100.7"},
		"one that the client made up":      {headers: []string{"X-Forwarded-For: 203.0.113.66, 198.51.100.7"}, address: "198.51.100.7"},
		"a trusted one before it":          {headers: []string{"X-Forwarded-For: 10.9.9.9, 198.51.100.7"}, address: "198.51.100.7"},
		"two proxies":                      {headers: []string{"X-Forwarded-For: 198.51.100.7, 10.0.0.2"}, address: "198.51.100.7"},
		"two lines":                        {headers: []string{"X-Forwarded-For: 203.0.113.66", "X-Forwarded-For: 198.51.100.7", "X-Forwarded-For: 10.0.0.2"}, address: "198.51.100.7"},
		"trusted ones alone":               {headers: []string{"X-Forwarded-For: 10.0.0.3,10.0.0.2"}, address: "10.0.0.3"},
		"unreadable":                       {headers: []string{"X-Forwarded-For: 203.0.113.66, nonsense, 10.0.0.2"}, address: "10.0.0.2"},
		"empty":                            {headers: []string{"X-Forwarded-For:"}, address: "10.0.0.1"},
		"a comma too many":                 {headers: []string{"X-Forwarded-For: 198.51.100.7,"}, address: "10.0.0.1"},
		"with a port":                      {headers: []string{"X-Forwarded-For: 198.51.100.7:4711"}, address: "198.51.100.7"},
		"with a port that is none":         {headers: []string{"X-Forwarded-For: 198.51.100.7:http"}, address: "10.0.0.1"},
		"IPv6":                             {headers: []string{"X-Forwarded-For: 2001:db8::7"}, address: "2001:db8::7"},
		"IPv6 in brackets":                 {headers: []string{"X-Forwarded-For: [2001:db8::7]"}, address: "2001:db8::7"},
		"IPv6 with a port":                 {headers: []string{"X-Forwarded-For: [2001:DB8::7]:4711"}, address: "2001:db8::7"},
		"IPv4 in IPv6":                     {peer: "[::ffff:10.0.0.1]:80", headers: []string{"X-Forwarded-For: ::ffff:198.51.100.7"}, address: "198.51.100.7"},
		"a zone":                           {headers: []string{"X-Forwarded-For: fe80::1%eth0"}, address: "10.0.0.1"},
		"an IPv6 proxy":                    {peer: "[fd00::1]:80", headers: []string{"X-Forwarded-For: 2001:db8::7, fd00::2"}, address: "2001:db8::7"},
		"Forwarded":                        {headers: []string{"Forwarded: for=198.51.100.7;proto=https;by=10.0.0.1"}, address: "198.51.100.7", scheme: "https"},
		"Forwarded, quoted":                {headers: []string{`Forwarded: proto=HTTPS; For="[2001:db8::7]:4711"`}, address: "2001:db8::7", scheme: "https"},
		"Forwarded, two proxies":           {headers: []string{`Forwarded: for=203.0.113.66, for="198.51.100.7:80";proto=https`, "Forwarded: for=10.0.0.2;proto=http"}, address: "198.51.100.7", scheme: "https"},
		"Forwarded, a comma in quotes":     {headers: []string{`Forwarded: for=203.0.113.66;host="a,for=198.51.100.8", for=198.51.100.7`}, address: "198.51.100.7"},
		"Forwarded, unknown":               {headers: []string{"Forwarded: for=203.0.113.66, for=unknown;proto=https, for=10.0.0.2"}, address: "10.0.0.2", scheme: "https"},
		"Forwarded, hidden":                {headers: []string{"Forwarded: for=_gazonk"}, address: "10.0.0.1"},
		"Forwarded, a hidden port":         {headers: []string{`Forwarded: for="198.51.100.7:_a1"`}, address: "198.51.100.7"},
		"Forwarded, twice for":             {headers: []string{"Forwarded: for=203.0.113.66;for=198.51.100.7"}, address: "10.0.0.1"},
		"Forwarded, without for":           {headers: []string{"Forwarded: proto=https"}, address: "10.0.0.1", scheme: "https"},
		"Forwarded, a quote without end":   {headers: []string{`Forwarded: for="198.51.100.7, for=203.0.113.66`}, address: "10.0.0.1"},
		"both":                             {headers: []string{"Forwarded: for=203.0.113.66;proto=https", "X-Forwarded-For: 198.51.100.7"}, address: "198.51.100.7"},
		"X-Forwarded-Proto and Forwarded":  {headers: []string{"Forwarded: for=203.0.113.66;proto=https", "X-Forwarded-Proto: http"}, address: "10.0.0.1", scheme: "http"},
		"the scheme":                       {headers: []string{"X-Forwarded-For: 198.51.100.7", "X-Forwarded-Proto: https"}, address: "198.51.100.7", scheme: "https"},
		"the scheme of two hops":           {headers: []string{"X-Forwarded-For: 198.51.100.7, 10.0.0.2", "X-Forwarded-Proto: https, http"}, address: "198.51.100.7", scheme: "https"},
		"a scheme that the client made up": {headers: []string{"X-Forwarded-For: 203.0.113.66, 198.51.100.7", "X-Forwarded-Proto: https, http"}, address: "198.51.100.7", scheme: "http"},
		"schemes that fit no hop":          {headers: []string{"X-Forwarded-For: 198.51.100.7", "X-Forwarded-Proto: https, http"}, address: "198.51.100.7", scheme: "http"},
		"a scheme that is none":            {headers: []string{"X-Forwarded-For: 198.51.100.7", "X-Forwarded-Proto: gopher"}, address: "198.51.100.7"},
		"a long list":                      {headers: []string{"X-Forwarded-For: " + strings.Repeat("203.0.113.66, ", 2000) + "10.0.0.2"}, address: "203.0.113.66"},
	} {
		t.Run(name, func(t *testing.T) {
			r := httptest.NewRequestWithContext(t.Context(), "GET", "/", nil)
			if r.RemoteAddr = "10.0.0.1:4711"; test.peer != "" {
				r.RemoteAddr = test.peer
			}
			for _, header := range test.headers {
				key, value, _ := strings.Cut(header, ":")
				r.Header.Add(key, strings.TrimSpace(value))
			}
			c.Handler(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
				if address, scheme := Address(r), Scheme(r.Context()); address != test.address ||
					scheme != test.scheme {
					t.Errorf("it comes from %s by %q, want %s by %q", address, scheme, test.address, test.scheme)
				}
			})).ServeHTTP(httptest.NewRecorder(), r)
		})
	}
}

// No header changes the address of an untrusted peer.
func FuzzForwarded(f *testing.F) {
	for _, seed := range []string{
		`for=198.51.100.7;proto=https, for="[2001:db8::7]:4711"`, `for="_a\"`, `,;=`, `for="`,
	} {
		f.Add(seed)
	}
	c := New(Config{Proxies: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}})
	f.Fuzz(func(t *testing.T, text string) {
		for _, name := range []string{"Forwarded", "X-Forwarded-For", "X-Forwarded-Proto"} {
			for _, peer := range []string{"10.0.0.1:1", "192.0.2.9:1"} {
				r := &http.Request{RemoteAddr: peer, Header: http.Header{name: {text}}}
				from := c.origin(r)
				if !from.address.IsValid() || from.text != from.address.String() {
					t.Errorf("%q: it comes from %q", text, from.text)
				}
				if peer == "192.0.2.9:1" && (from.text != "192.0.2.9" || from.scheme != "") {
					t.Errorf("%q: it is believed", text)
				}
			}
		}
	})
}

func TestANetworkIsAnAddressOr64BitsOfOne(t *testing.T) {
	for address, want := range map[string]string{
		"192.0.2.9": "192.0.2.9/32", "::ffff:192.0.2.9": "192.0.2.9/32", "2001:db8:1:2:3:4:5:6": "2001:db8:1:2::/64", "fe80::1%eth0": "fe80::/64",
	} {
		if got := Network(netip.MustParseAddr(address)).String(); got != want {
			t.Errorf("%s counts as %s, want %s", address, got, want)
		}
	}
}
