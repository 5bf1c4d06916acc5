package outbound

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
)

// Identity has a client certificate and trusted roots. It has its own connections, which no request with
// another identity uses.
type Identity struct{ transports *pool }

// Identity returns an identity with a certificate and its key, with roots, or with both. They are PEM, and
// may be empty. Errors quote none of them.
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
