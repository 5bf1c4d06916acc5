package people

import (
	"cmp"
	"context"
	"errors"
	"net"
	"net/url"
	"slices"
	"strings"

	"github.com/casehook/casehook/internal/fault"
	"github.com/casehook/casehook/internal/store"
	"github.com/casehook/casehook/internal/weburl"
)

// PublicURLOf returns the URL at which a tenant's people find the server: its own public URL, or that of the
// installation, with the first of the tenant's host names in it unless it has one of them already.
func (s *Tenants) PublicURLOf(t store.Tenant) string {
	if t.PublicURL != "" || len(t.Hosts) == 0 {
		return cmp.Or(t.PublicURL, s.publicURL)
	}
	if slices.Contains(t.Hosts, hostIn(s.publicURL)) {
		return s.publicURL
	}
	return atHost(s.publicURL, t.Hosts[0])
}

// Place is the URL of the server under the host name of a tenant. The zero value stands for a host name of no tenant.
type Place struct {
	URL string
	Set bool // URL is made from the tenant's own public URL
}

// PlaceAt returns the place of a request to a tenant, by its Host header: the tenant's public URL, with the host
// replaced if the request names another of the tenant's hosts. Tenant 0 stands for the tenant of the host name.
func (s *Tenants) PlaceAt(ctx context.Context, tenant int64, header string) (Place, error) {
	if tenant == 0 {
		var err error
		if tenant, err = s.TenantAt(ctx, header); err != nil {
			return Place{}, err
		}
	}
	t, err := s.store.Tenant(ctx, tenant)
	if err != nil {
		return Place{}, err
	}
	own, host := s.PublicURLOf(t), hostName(header)
	switch {
	case hostIn(own) == host && own != s.publicURL:
		return Place{own, t.PublicURL != ""}, nil
	case slices.Contains(t.Hosts, host):
		return Place{atHost(own, host), t.PublicURL != ""}, nil
	}
	return Place{}, nil
}

// setPublicURL writes a public URL into t in its canonical form; empty removes it.
func (c TenantChange) setPublicURL(t *store.Tenant) (wrong []fault.Field) {
	if c.PublicURL == nil {
		return nil
	}
	t.PublicURL = ""
	if *c.PublicURL == "" {
		return nil
	}
	base, err := weburl.Base(*c.PublicURL)
	if err != nil {
		return []fault.Field{{Path: "/public_url", Message: err.Error()}}
	}
	t.PublicURL = base
	return nil
}

// checkHosts refuses a tenant whose public URL has another tenant's host name, and a tenant with a host name that is in
// the public URL of another.
func checkHosts(ctx context.Context, tx *store.Tx, t store.Tenant) error {
	host := hostIn(t.PublicURL)
	if host != "" {
		owner, err := tx.TenantOfHost(ctx, host)
		if err != nil && !errors.Is(err, fault.NotFound) {
			return err
		}
		if err == nil && owner != t.ID {
			return hostTaken("The host name %q of the public URL belongs to another tenant, so this tenant's users "+
				"can't sign in there. Choose another host name.", host)
		}
	}
	others, err := tx.Tenants(ctx)
	if err != nil {
		return err
	}
	for _, other := range others {
		if name := hostIn(other.PublicURL); other.ID != t.ID && name != "" && slices.Contains(t.Hosts, name) {
			return hostTaken("The host name %q is in the public URL of another tenant. Choose another host name.", name)
		}
	}
	return nil
}

func hostTaken(detail, host string) error {
	return fault.New(fault.Conflict, "tenant.host_taken", detail, host)
}

// hostName returns the name in a Host header, without its port, in lower case.
func hostName(header string) string {
	host, _, err := net.SplitHostPort(header)
	if err != nil {
		host = strings.Trim(header, "[]")
	}
	return strings.ToLower(strings.TrimSuffix(host, "."))
}

// hostIn returns the host of a URL as hostName writes it; empty: it has none.
func hostIn(rawURL string) string {
	u, err := url.Parse(rawURL)
	if err != nil {
		return ""
	}
	return strings.ToLower(u.Hostname())
}

// atHost returns a URL with another host name in it, and the same port.
func atHost(rawURL, host string) string {
	u, err := url.Parse(rawURL)
	if err != nil {
		return rawURL
	}
	if port := u.Port(); port != "" {
		host = net.JoinHostPort(host, port)
	}
	u.Host = host
	return u.String()
}
