package server

import (
	"net/url"
	"strings"

	"github.com/casehook/casehook/internal/weburl"
)

// corsOrigins returns the origins in the form that browsers send.
func corsOrigins(all []string) ([]string, error) {
	origins := make([]string, len(all))
	for i, raw := range all {
		origin, problem := corsOrigin(raw)
		if problem != "" {
			return nil, invalid("cors_origin",
				"The origin %q of --cors-origin %s. It looks like https://app.example.com.", raw, problem)
		}
		origins[i] = origin
	}
	return origins, nil
}

// corsOrigin returns an origin, or an error that completes "The origin ...".
func corsOrigin(raw string) (origin, problem string) {
	switch {
	case strings.Contains(raw, "*"):
		return "", "has a wildcard; name each origin"
	case !strings.Contains(raw, "://"):
		return "", "has no scheme"
	}
	canonical, err := weburl.Canonical(raw)
	if err != nil {
		return "", err.Error()
	}
	u, err := url.Parse(canonical)
	if err != nil {
		return "", "is not a URL"
	}
	if strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.Fragment != "" {
		return "", "has more than a scheme, a host and a port"
	}
	return u.Scheme + "://" + u.Host, ""
}
