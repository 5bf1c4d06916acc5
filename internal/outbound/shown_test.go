package outbound

import (
	"context"
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"time"
)

// An error contains neither the address of a name nor the resolver; its cause, for the operator's
// log, does. The author of a URL sees an address that is part of it.
func TestErrorsNameNoAddress(t *testing.T) {
	const port = "1" // nobody listens there
	allowed := []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128")}
	for name, c := range map[string]struct {
		url   string
		allow []netip.Prefix
		class Class
		shown string // in the error
		cause string // in its cause
	}{
		"refused by the guard":       {"http://localhost:" + port, nil, Refused, "localhost is not at a public address", "--allow-address"},
		"refused, with its address":  {"http://127.0.0.1:" + port, nil, Refused, "127.0.0.1 is not a public address", "127.0.0.1"},
		"no connection":              {"http://localhost:" + port, allowed, Connect, "no connection to localhost: connection refused", port},
		"no connection, its address": {"http://127.0.0.1:" + port, allowed, Connect, "127.0.0.1:" + port, "127.0.0.1:" + port},
		"no such name":               {"http://nobody.invalid", nil, DNS, "the name nobody.invalid was not found", "nobody.invalid"},
	} {
		t.Run(name, func(t *testing.T) {
			client := New(Config{AllowPrefixes: c.allow})
			t.Cleanup(client.Close)
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
			defer cancel()
			r := client.Post(ctx,
				Request{URL: c.url, ID: "msg_1", Attempt: 1, At: time.Now(), Keys: [][]byte{make([]byte, 24)}})
			request, err := http.NewRequestWithContext(ctx, http.MethodGet, c.url, nil)
			if err != nil {
				t.Fatal(err)
			}
			_, plain := client.Plain(0, 100).RoundTrip(request)
			if plain == nil || r.Class != c.class {
				t.Fatalf("class %q, %v, %v", r.Class, r.Err, plain)
			}
			for _, err := range []error{r.Err, plain} {
				if !strings.Contains(err.Error(), c.shown) || !strings.Contains(Cause(err), c.cause) {
					t.Errorf("it says %q, caused by %q", err, Cause(err))
				}
				if text := err.Error(); !strings.Contains(c.url,
					"127.0.0.1") && (strings.Contains(text, "127.0.0.1") || strings.Contains(text, "::1") ||
					strings.Contains(text, ":53") || strings.Contains(text, port)) {
					t.Errorf("it names an address: %s", text)
				}
			}
		})
	}
}

func TestOnlyPublicAddressesAreShown(t *testing.T) {
	for _, c := range []struct{ url, dialled, want string }{
		{"https://crm.example", "93.184.215.14:443", "93.184.215.14:443"},
		{"https://crm.example", "10.0.0.7:443", ""},
		{"https://crm.example", "[fd00::7]:443", ""},
		{"https://crm.example", "[::ffff:10.0.0.7]:443", ""},
		{"https://10.0.0.7", "10.0.0.7:443", "10.0.0.7:443"},
		{"http://localhost:80", "127.0.0.1:80", ""},
		{"https://crm.example", "", ""},
	} {
		u, failure := parseURL(c.url)
		if failure != nil {
			t.Fatal(failure)
		}
		if got := shownAddress(u, c.dialled); got != c.want {
			t.Errorf("%s, dialled %s: %q", c.url, c.dialled, got)
		}
	}
}
