package hooks

import (
	"time"

	"github.com/casehook/casehook/internal/endpoint"
	"github.com/casehook/casehook/internal/fault"
)

// checkCertificate refuses a client certificate that has expired.
func checkCertificate(t endpoint.TLS, now time.Time) error {
	if ends, there := t.CertificateEnds(); there && !now.Before(ends) {
		return fault.In("endpoint.invalid", "The endpoint was not saved: see fields.", fault.Field{
			Path:    "/tls/certificate",
			Message: "expired on " + ends.UTC().Format(time.DateOnly) + "; set one that is valid",
		})
	}
	return nil
}
