package hostile

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"net"
	"sync"
	"time"
)

// authority signs certificates, for as long as the tests run.
var authority = sync.OnceValue(func() tls.Certificate {
	now := time.Now()
	return sign(&x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "Authority"}, NotBefore: now.Add(-72 * time.Hour),
		NotAfter: now.Add(72 * time.Hour),
		IsCA:     true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}, nil)
})

// Roots trusts the authority that signed what is signed.
func Roots() *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(authority().Leaf)
	return pool
}

const (
	signed         = true
	signedByItself = false
)

// certificate makes one for 127.0.0.1.
func certificate(by bool, from, to time.Time) tls.Certificate {
	template := &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: "Receiver"}, NotBefore: from, NotAfter: to,
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	if by == signedByItself {
		return sign(template, nil)
	}
	parent := authority()
	return sign(template, &parent)
}

// sign makes a certificate with a new key; without a parent it signs itself.
func sign(template *x509.Certificate, parent *tls.Certificate) tls.Certificate {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err)
	}
	signer, by := any(key), template
	if parent != nil {
		signer, by = parent.PrivateKey, parent.Leaf
	}
	raw, err := x509.CreateCertificate(rand.Reader, template, by, key.Public(), signer)
	if err != nil {
		panic(err)
	}
	leaf, err := x509.ParseCertificate(raw)
	if err != nil {
		panic(err)
	}
	return tls.Certificate{Certificate: [][]byte{raw}, PrivateKey: key, Leaf: leaf}
}

func config(c tls.Certificate) *tls.Config { return &tls.Config{Certificates: []tls.Certificate{c}} }
