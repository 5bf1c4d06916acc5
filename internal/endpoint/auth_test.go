package endpoint_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/casehook/casehook/internal/endpoint"
)

var oauth2 = endpoint.Auth{Kind: endpoint.OAuth2Auth, TokenURL: "https://login.example/token", ClientID: "id",
	ClientSecret: "secret",
	Scopes:       []string{"a:b", "c"}, Audience: "https://x.example", ClientAuth: endpoint.InBody}

func TestEachKindOfAuthNeedsItsFieldsAndNoOthers(t *testing.T) {
	for _, a := range []endpoint.Auth{
		{}, {Kind: endpoint.BearerAuth, Token: "t-._~+/=0"}, {Kind: endpoint.BasicAuth, Username: "Ada", Password: "a:b ü"}, oauth2,
		{Kind: endpoint.OAuth2Auth, TokenURL: "http://127.0.0.1:9/token", ClientID: "id", ClientSecret: "secret"},
		{Kind: endpoint.OAuth2Auth, TokenURL: "http://localhost/token", ClientID: "id", ClientSecret: "secret"},
		{
			Kind: endpoint.OAuth2Auth, TokenURL: "https://login.example/token", ClientID: "id", ClientSecret: "secret",
			Scopes: slices.Repeat([]string{"!~"}, 50), ClientAuth: endpoint.InHeader,
		},
	} {
		if got := faultsOf(endpoint.Endpoint{Auth: a}); got != nil {
			t.Errorf("%s: faults %v", a.Kind, got)
		}
	}
	change := func(change func(*endpoint.Auth)) endpoint.Auth { a := oauth2; change(&a); return a }
	for _, test := range []struct {
		auth endpoint.Auth
		want []string
	}{
		{endpoint.Auth{Kind: "digest"}, []string{"/auth/type"}},
		{endpoint.Auth{Token: "t"}, []string{"/auth/token"}},
		{endpoint.Auth{Kind: endpoint.BearerAuth}, []string{"/auth/token"}},
		{endpoint.Auth{Kind: endpoint.BearerAuth, Token: "a b"}, []string{"/auth/token"}},
		{endpoint.Auth{Kind: endpoint.BearerAuth, Token: "a\r\nHost: b"}, []string{"/auth/token", "/auth/token"}},
		{endpoint.Auth{Kind: endpoint.BearerAuth, Token: endpoint.Hidden}, []string{"/auth/token"}},
		{endpoint.Auth{Kind: endpoint.BearerAuth, Token: "t", Password: "p", ClientID: "c", Scopes: []string{"s"}}, []string{"/auth/client_id", "/auth/password", "/auth/scopes"}},
		{endpoint.Auth{Kind: endpoint.BasicAuth, Username: "a:b", Password: "p"}, []string{"/auth/username"}},
		{endpoint.Auth{Kind: endpoint.BasicAuth, Username: "a"}, []string{"/auth/password"}},
		{endpoint.Auth{Kind: endpoint.BasicAuth, Username: "a", Password: strings.Repeat("p", 5000)}, []string{"/auth/password"}},
		{endpoint.Auth{Kind: endpoint.OAuth2Auth}, []string{"/auth/client_id", "/auth/client_secret", "/auth/token_url"}},
		{change(func(a *endpoint.Auth) { a.TokenURL = "http://login.example/token" }), []string{"/auth/token_url"}},
		{change(func(a *endpoint.Auth) { a.TokenURL = "http://127.0.0.1.example/token" }), []string{"/auth/token_url"}},
		{change(func(a *endpoint.Auth) { a.TokenURL = "nonsense" }), []string{"/auth/token_url"}},
		{change(func(a *endpoint.Auth) { a.Scopes = []string{"a", "b c", ""} }), []string{"/auth/scopes/1", "/auth/scopes/2"}},
		{change(func(a *endpoint.Auth) { a.Scopes = []string{`a"b`, `a\b`} }), []string{"/auth/scopes/0", "/auth/scopes/1"}},
		{change(func(a *endpoint.Auth) { a.Scopes = make([]string, 51) }), append([]string{"/auth/scopes"}, repeated("/auth/scopes/", 51)...)},
		{change(func(a *endpoint.Auth) { a.ClientAuth = "query" }), []string{"/auth/client_auth"}},
	} {
		if diff := cmp.Diff(test.want, faultsOf(endpoint.Endpoint{Auth: test.auth})); diff != "" {
			t.Errorf("%+v: %s", test.auth, diff)
		}
	}
	both := endpoint.Endpoint{Auth: oauth2, Headers: []endpoint.Header{{Name: "authorization", Value: "ApiKey x"}}}
	if diff := cmp.Diff([]string{"/headers/authorization"}, faultsOf(both)); diff != "" {
		t.Error(diff)
	}
	both.Auth = endpoint.Auth{}
	if got := faultsOf(both); got != nil {
		t.Errorf("an Authorization of its own: %v", got)
	}
}

func repeated(prefix string, n int) (all []string) {
	for i := range n {
		all = append(all, prefix+big.NewInt(int64(i)).String())
	}
	return all
}

func TestAHiddenSecretStaysUnlessItsDestinationChanges(t *testing.T) {
	for name, test := range map[string]struct {
		change func(*endpoint.Endpoint)
		keeps  bool
	}{
		"as shown":          {func(e *endpoint.Endpoint) { e.SetAuth(e.Auth.Masked()) }, true},
		"other scopes":      {func(e *endpoint.Endpoint) { a := e.Auth.Masked(); a.Scopes = nil; e.SetAuth(a) }, true},
		"another token URL": {func(e *endpoint.Endpoint) { a := e.Auth.Masked(); a.TokenURL = "https://evil.example/"; e.SetAuth(a) }, false},
		"another kind": {func(e *endpoint.Endpoint) {
			e.SetAuth(endpoint.Auth{Kind: endpoint.BearerAuth, Token: endpoint.Hidden})
		}, false},
		"another URL":           {func(e *endpoint.Endpoint) { e.Point("https://evil.example/") }, false},
		"another URL, as shown": {func(e *endpoint.Endpoint) { e.Point("https://evil.example/"); e.SetAuth(e.Auth.Masked()) }, false},
		"another path":          {func(e *endpoint.Endpoint) { e.Point("https://a.example/b") }, true},
	} {
		e := endpoint.Endpoint{URL: "https://a.example/a", Auth: oauth2}
		test.change(&e)
		if kept := e.Auth.ClientSecret == "secret"; kept != test.keeps || kept == (len(faultsOf(e)) > 0) {
			t.Errorf("%s: %+v, faults %v", name, e.Auth, faultsOf(e))
		}
	}
	e := endpoint.Endpoint{TLS: endpoint.TLS{Certificate: "c", Key: "k"}}
	if e.SetTLS(e.TLS.Masked()); e.TLS.Key != "k" {
		t.Errorf("the key is %q", e.TLS.Key)
	}
	if shown := e.TLS.Masked(); shown.Key != endpoint.Hidden || shown.Certificate != "c" {
		t.Errorf("shown %+v", shown)
	}
}

// selfSigned returns a certificate and its key, in PEM.
func selfSigned(t *testing.T, ends time.Time) (certificate, key string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: ends.Add(-time.Hour), NotAfter: ends}
	der, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})),
		string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret}))
}

func TestCertificatesAreCheckedWhenTheyAreSet(t *testing.T) {
	ends := time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC)
	certificate, key := selfSigned(t, ends)
	_, other := selfSigned(t, ends)
	for _, test := range []struct {
		tls  endpoint.TLS
		want []string
	}{
		{endpoint.TLS{}, nil},
		{endpoint.TLS{Certificate: certificate, Key: key}, nil},
		{endpoint.TLS{Certificate: certificate, Key: key, CA: certificate}, nil},
		{endpoint.TLS{CA: certificate}, nil},
		{endpoint.TLS{CA: certificate + strings.Repeat("\n", 64<<10-len(certificate))}, nil},
		{endpoint.TLS{CA: certificate + strings.Repeat("\n", 64<<10-len(certificate)+1)}, []string{"/tls/ca"}},
		{endpoint.TLS{Certificate: certificate}, []string{"/tls/key"}},
		{endpoint.TLS{Key: key}, []string{"/tls/certificate"}},
		{endpoint.TLS{Certificate: certificate, Key: other}, []string{"/tls/certificate"}},
		{endpoint.TLS{Certificate: key, Key: key}, []string{"/tls/certificate"}},
		{endpoint.TLS{Certificate: certificate, Key: "nonsense"}, []string{"/tls/certificate"}},
		{endpoint.TLS{Certificate: certificate, Key: endpoint.Hidden}, []string{"/tls/key"}},
		{endpoint.TLS{CA: key}, []string{"/tls/ca"}},
		{endpoint.TLS{CA: strings.Repeat("x", 65<<10)}, []string{"/tls/ca"}},
	} {
		e := endpoint.Endpoint{TLS: test.tls}
		if diff := cmp.Diff(test.want, faultsOf(e)); diff != "" {
			t.Errorf("%.60v: %s", test.tls, diff)
		}
	}
	if at, there := (endpoint.TLS{Certificate: certificate, Key: key}).CertificateEnds(); !there || !at.Equal(ends) {
		t.Errorf("it ends %v, %v", at, there)
	}
	if at, there := (endpoint.TLS{CA: certificate}).CertificateEnds(); there || !at.IsZero() {
		t.Errorf("without a certificate it ends %v, %v", at, there)
	}
	plain := endpoint.Endpoint{URL: "http://a.example", Triggers: []string{"x"}, TLS: endpoint.TLS{CA: certificate}}
	if faults := plain.Check([]string{"x"}); len(faults) != 1 || faults[0].Path != "/tls" {
		t.Errorf("over http: %v", faults)
	}
}
