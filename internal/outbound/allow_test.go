package outbound_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"

	"github.com/casehook/casehook/internal/outbound"
)

func TestAllowedAddressesHaveOneText(t *testing.T) {
	for text, want := range map[string]string{
		"10.0.0.0/8": "10.0.0.0/8", "10.1.2.3/8": "10.0.0.0/8", "10.1.2.3": "10.1.2.3", "10.1.2.3/32": "10.1.2.3", "10.1.2.3:8080": "10.1.2.3:8080",
		"10.0.0.0/8:8443": "10.0.0.0/8:8443", "fd00::/8": "fd00::/8", "[fd00::]/8:443": "[fd00::]/8:443", "[fd00::1]:443": "[fd00::1]:443", "[fd00::1]": "fd00::1",
		"::1": "::1", "::ffff:10.0.0.0/104": "10.0.0.0/8", "0.0.0.0/0": "0.0.0.0/0",
	} {
		a, err := outbound.ParseAllowed(text)
		if err != nil || a.String() != want {
			t.Errorf("%s is %s, %v; want %s", text, a, err, want)
		}
		if again, err := outbound.ParseAllowed(want); err != nil || again != a {
			t.Errorf("%s is read as %s, %v", want, again, err)
		}
	}
	for _, text := range []string{"", "localhost", "10.0.0.0/33", "10.1.2.3:0", "10.1.2.3:65536", "10.1.2.3:", ":80",
		"10.0.0.0:80/8", "[10.1.2.3]:80",
		"[fd00::1", "[fd00::1]x", "[fd00::1]:", "[fd00::]/8:x", "fe80::1%eth0", "http://10.1.2.3", "127.1",
		"10.0.0.0/8:443:443"} {
		if a, err := outbound.ParseAllowed(text); err == nil {
			t.Errorf("%q is read as %s", text, a)
		}
	}
}

// A tenant may not call the addresses of another one, nor other ports of its own, nor use a
// connection that the other has opened.
func TestATenantCallsWhatItMay(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Write([]byte("inside"))
	}))
	t.Cleanup(server.Close)
	other := httptest.NewServer(server.Config.Handler)
	t.Cleanup(other.Close)
	at := netip.MustParseAddrPort(strings.TrimPrefix(server.URL, "http://"))
	allowed := map[int64][]string{
		1: {outbound.AllowedPrefix{Prefix: netip.MustParsePrefix("127.0.0.0/8"), Port: at.Port()}.String()},
		2: {"10.0.0.0/8"}, 4: {"127.0.0.0/8"},
	}
	c := outbound.New(outbound.Config{Allowed: func(_ context.Context, tenant int64) ([]string, error) {
		if tenant == 3 {
			return nil, errors.New("the database is away")
		}
		return allowed[tenant], nil
	}})
	t.Cleanup(c.Close)
	post := func(tenant int64, url string) outbound.Result {
		return c.Post(t.Context(),
			outbound.Request{Tenant: tenant, URL: url, ID: "msg_1", Keys: [][]byte{make([]byte, 32)}})
	}
	if r := post(1, server.URL); r.Status != 200 || !r.Private || string(r.Body) != "inside" {
		t.Errorf("what is allowed: %+v", r)
	}
	for name, r := range map[string]outbound.Result{
		"another port": post(1, other.URL), "another tenant": post(2, server.URL), "nobody": post(0, server.URL), "an unknown tenant": post(5, server.URL),
	} {
		if r.Class != outbound.Refused {
			t.Errorf("%s: %+v", name, r)
		}
	}
	if r := post(4, other.URL); r.Status != 200 {
		t.Errorf("all ports: %+v", r)
	}
	if r := post(3, server.URL); r.Class != outbound.Cancelled {
		t.Errorf("what can't be found out: %+v", r)
	}
	allowed[1] = nil
	if r := post(1, server.URL); r.Class != outbound.Refused {
		t.Errorf("what was taken away: %+v", r)
	}
	identity, err := c.Identity(nil, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	if r := c.Post(t.Context(),
		outbound.Request{Tenant: 2, URL: server.URL, ID: "msg_1", Identity: identity}); r.Class != outbound.Refused {
		t.Errorf("with an identity: %+v", r)
	}
}
