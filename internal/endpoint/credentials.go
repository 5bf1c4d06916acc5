package endpoint

import (
	"slices"
	"strings"

	"github.com/casehook/casehook/internal/fault"
)

// Credentials authenticate questions to the callbacks at one origin.
type Credentials struct {
	Origin  string   `json:"origin"` // a URL, or its beginning in a variable; its scheme, host and port count
	Headers []Header `json:"headers,omitempty"`
	Auth    Auth     `json:"auth,omitzero"`
	TLS     TLS      `json:"tls,omitzero"`
}

// questionNames are the headers of questions, which credentials may not have, in lower case.
var questionNames = []string{"client-context", "dry-run", "shadow", "user-id", "user-roles"}

// Over returns the credentials as a replacement of others: a secret that is Hidden stays as it was, unless the origin
// changes.
func (c Credentials) Over(before Credentials) Credentials {
	if c.Origin != before.Origin {
		return c
	}
	kept := Endpoint{Auth: before.Auth, TLS: before.TLS}
	kept.SetAuth(c.Auth)
	kept.SetTLS(c.TLS)
	c.Auth, c.TLS, c.Headers = kept.Auth, kept.TLS, slices.Clone(c.Headers)
	for i, h := range c.Headers {
		same := func(other Header) bool { return strings.EqualFold(other.Name, h.Name) }
		if n := slices.IndexFunc(before.Headers, same); n >= 0 && h.Value == Hidden {
			c.Headers[i].Value = before.Headers[n].Value
		}
	}
	return c
}

// Check returns the faults of the credentials. The URL stands for their origin, with its variable replaced.
func (c Credentials) Check(url string) []fault.Field {
	e := Endpoint{URL: url, Headers: c.Headers, Auth: c.Auth, TLS: c.TLS}
	faults := append(e.checkAuth(), e.checkTLS()...)
	faults = append(faults, e.checkHeaders()...)
	for _, h := range c.Headers {
		name := strings.ToLower(h.Name)
		if slices.Contains(questionNames, name) || strings.HasPrefix(name, "casehook-") {
			faults = append(faults, fault.Field{
				Path: "/headers/" + pointerEscape.Replace(h.Name), Message: "is a header that Casehook sets itself",
			})
		}
	}
	return faults
}

// Origin returns the part of a URL that identifies the receiver; empty: it is not the URL of one.
func Origin(raw string) string { return origin(raw) }
