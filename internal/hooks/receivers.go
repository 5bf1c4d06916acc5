package hooks

import (
	"context"
	"slices"

	"github.com/casehook/casehook/internal/access"
	"github.com/casehook/casehook/internal/endpoint"
	"github.com/casehook/casehook/internal/event"
	"github.com/casehook/casehook/internal/fault"
	"github.com/casehook/casehook/internal/store"
)

// seesEndpoint reports whether a caller may know of an endpoint.
func seesEndpoint(p access.Principal, e endpoint.Endpoint) bool {
	return p.Clearance.Sees(e.Clearance) && p.InScope(e.ID, e.Metadata)
}

// endpointsAfter reads endpoints behind one of them, in the order of their ids. For a receiver it reads those in the
// scope alone.
func endpointsAfter(
	ctx context.Context, st *store.Store, p access.Principal, after string, limit int,
) (page store.Page[endpoint.Endpoint], err error) {
	switch {
	case p.Role != access.Receiver:
		return st.Endpoints(ctx, p.Tenant, after, limit)
	case p.Scope.Endpoint == "":
		text := store.MetadataText{Key: p.Scope.Key, Value: p.Scope.Value}
		return st.EndpointsWith(ctx, p.Tenant, text, after, limit)
	}
	e, err := st.Endpoint(ctx, p.Tenant, p.Scope.Endpoint)
	if err == nil && e.ID > after {
		page.Items = []endpoint.Endpoint{e}
	}
	return page, ignore(err, fault.NotFound)
}

// shownTo returns an endpoint as a caller may see it. A receiver sees neither secrets nor what the sender's people and
// programs have noted about it.
func shownTo(p access.Principal, e endpoint.Endpoint) endpoint.Endpoint {
	if p.Role != access.Receiver {
		return e
	}
	e.Owner, e.Token, e.Metadata, e.Secrets, e.Later = "", "", nil, nil, nil
	e.Auth, e.TLS = e.Auth.Masked(), e.TLS.Masked()
	e.Headers = slices.Clone(e.Headers)
	for i := range e.Headers {
		e.Headers[i].Value = ""
	}
	return e
}

// sentOnly reduces an attempt to what a receiver may see of it: what the endpoint was sent. The body of an entry that
// is read differently today may have more in it.
func (d *AttemptDetail) sentOnly(p access.Principal) {
	if p.Role != access.Receiver {
		return
	}
	if d.State != BodySame {
		d.Body = nil
	}
	if e := d.Entry; e != nil {
		d.Entry = &event.Entry{ID: e.ID, Seq: e.Seq, Tenant: e.Tenant, Subject: e.Subject, Version: e.Version, At: e.At}
	}
	d.Endpoint = shownTo(p, d.Endpoint)
}
