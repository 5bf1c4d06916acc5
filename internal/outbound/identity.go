package outbound

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
)

// Identity has a client certificate and trusted roots. It has its own connections: no request with
// another identity uses them.
type Identity struct{ transports *pool }

// Identity makes one of a certificate with its key, of roots, or of both; all are PEM, and may be empty.
// Errors quote none of them.
func (c *Client) Identity(certificate, key, roots []byte) (*Identity, error) {
	config := c.config
	var own []tls.Certificate
	if len(certificate) > 0 {
		pair, err := tls.X509KeyPair(certificate, key)
		if err != nil {
			return nil, errors.New("the client's certificate and its key can't be used")
		}
		own = []tls.Certificate{pair}
	}
	if len(roots) > 0 {
		config.RootCAs = x509.NewCertPool()
		if !config.RootCAs.AppendCertsFromPEM(roots) {
			return nil, errors.New("there is no certificate among the roots")
		}
	}
	return &Identity{newPool(config, own)}, nil
}

// Close closes idle connections.
func (i *Identity) Close() { i.transports.close() }
