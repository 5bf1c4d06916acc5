package endpoint

import (
	"crypto/tls"
	"crypto/x509"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/casehook/casehook/internal/fault"
	"github.com/casehook/casehook/internal/weburl"
)

// Auth is how requests authenticate to the destination, besides their signature. The kind determines which fields
// are set.
type Auth struct {
	Kind     AuthKind `json:"kind,omitempty"`
	Token    string   `json:"token,omitempty"` // secret
	Username string   `json:"username,omitempty"`
	Password string   `json:"password,omitempty"` // secret

	TokenURL     string   `json:"token_url,omitempty"`
	ClientID     string   `json:"client_id,omitempty"`
	ClientSecret string   `json:"client_secret,omitempty"` // secret
	Scopes       []string `json:"scopes,omitempty"`
	Audience     string   `json:"audience,omitempty"`
	ClientAuth   string   `json:"client_auth,omitempty"` // InHeader, the default, or InBody: where the client's id and secret are sent
}

// AuthKind is a way to authenticate.
type AuthKind string

// The kinds.
const (
	NoAuth     AuthKind = ""
	BearerAuth AuthKind = "bearer" // a fixed token
	BasicAuth  AuthKind = "basic"  // user name and password
	OAuth2Auth AuthKind = "oauth2" // tokens by the client credentials grant of RFC 6749
)

// The places of the id and the secret of an OAuth2 client.
const (
	InHeader = "header"
	InBody   = "body"
)

// TLS holds an endpoint's own certificates and key, all in PEM.
type TLS struct {
	Certificate string `json:"certificate,omitempty"` // the client's, with those between it and its root
	Key         string `json:"key,omitempty"`         // secret
	CA          string `json:"ca,omitempty"`          // the only roots that are trusted for the server's certificate; empty: the system's
}

// The bounds of authentication, in bytes.
const (
	maxCredential = 4096
	maxScopes     = 50
	maxPEM        = 64 << 10
)

// secrets are the fields that are never shown.
func (a *Auth) secrets() []*string { return []*string{&a.Token, &a.Password, &a.ClientSecret} }

// Masked returns it with its secrets hidden.
func (a Auth) Masked() Auth {
	for _, secret := range a.secrets() {
		if *secret != "" {
			*secret = Hidden
		}
	}
	return a
}

// Masked returns it with its key hidden. Certificates are not secrets.
func (t TLS) Masked() TLS {
	if t.Key != "" {
		t.Key = Hidden
	}
	return t
}

// SetAuth replaces the endpoint's authentication. A secret that is Hidden stays as it is, unless its destination
// changes.
func (e *Endpoint) SetAuth(a Auth) {
	before := e.Auth
	if a.Kind == before.Kind && (a.Kind != OAuth2Auth || origin(a.TokenURL) == origin(before.TokenURL)) {
		had := before.secrets()
		for i, secret := range a.secrets() {
			if *secret == Hidden {
				*secret = *had[i]
			}
		}
	}
	e.Auth = a
}

// SetTLS replaces the endpoint's certificates and key. A key that is Hidden stays as it is.
func (e *Endpoint) SetTLS(t TLS) {
	if t.Key == Hidden {
		t.Key = e.TLS.Key
	}
	e.TLS = t
}

// CertificateEnds returns when the client's certificate expires, and false if there is none.
func (t TLS) CertificateEnds() (time.Time, bool) {
	pair, err := tls.X509KeyPair([]byte(t.Certificate), []byte(t.Key))
	if err != nil || pair.Leaf == nil {
		return time.Time{}, false
	}
	return pair.Leaf.NotAfter, true
}

func (e Endpoint) checkAuth() []fault.Field {
	var faults []fault.Field
	add := func(path, message string) {
		if message != "" {
			faults = append(faults, fault.Field{Path: "/auth/" + path, Message: message})
		}
	}
	a := e.Auth
	needs, known := map[AuthKind][]string{
		NoAuth: nil, BearerAuth: {"token"}, BasicAuth: {"username", "password"},
		OAuth2Auth: {"token_url", "client_id", "client_secret"},
	}[a.Kind]
	if !known {
		add("type", "is not one of none, bearer, basic, oauth2")
		return faults
	}
	for name, value := range map[string]string{
		"token": a.Token, "username": a.Username, "password": a.Password, "token_url": a.TokenURL,
		"client_id": a.ClientID, "client_secret": a.ClientSecret,
		"audience": a.Audience, "client_auth": a.ClientAuth, "scopes": strings.Join(a.Scopes, " "),
	} {
		needed := slices.Contains(needs, name)
		optional := a.Kind == OAuth2Auth && slices.Contains([]string{"audience", "client_auth", "scopes"}, name)
		switch {
		case value == "" && needed:
			add(name, "is missing")
		case value != "" && !needed && !optional:
			add(name, "does not belong to this type")
		case value == Hidden:
			add(name,
				"is the mask that answers show, not a value; send the value, which does not follow an endpoint to "+
					"another host")
		case value != "":
			add(name, textProblem(value, maxCredential, ""))
		}
	}
	slices.SortFunc(faults, func(a, b fault.Field) int { return strings.Compare(a.Path, b.Path) })
	return append(faults, a.checkForm()...)
}

// checkForm checks the fields that only some kinds have.
func (a Auth) checkForm() []fault.Field {
	var faults []fault.Field
	add := func(path, message string) {
		if message != "" {
			faults = append(faults, fault.Field{Path: "/auth/" + path, Message: message})
		}
	}
	if strings.ContainsFunc(a.Token, func(r rune) bool { return r <= ' ' || r > '~' }) {
		add("token", "is not printable ASCII without spaces")
	}
	if strings.Contains(a.Username, ":") {
		add("username", "holds a colon, at which the receiver would cut it off")
	}
	if a.TokenURL != "" {
		add("token_url", checkTokenURL(a.TokenURL))
	}
	if len(a.Scopes) > maxScopes {
		add("scopes", "has more than "+strconv.Itoa(maxScopes)+" scopes")
	}
	for i, scope := range a.Scopes {
		if scope == "" || strings.ContainsFunc(scope, func(r rune) bool {
			return r <= ' ' || r > '~' || r == '"' ||
				r == '\\'
		}) {
			add("scopes/"+strconv.Itoa(i),
				"is not a scope: printable ASCII without spaces, quotation marks and backslashes")
		}
	}
	if !slices.Contains([]string{"", InHeader, InBody}, a.ClientAuth) {
		add("client_auth", "is neither header nor body")
	}
	return faults
}

// checkTokenURL checks the URL that a client's secret is sent to: plain text is allowed only to this machine.
func checkTokenURL(raw string) string {
	u, err := weburl.Parse(raw)
	if err != nil {
		return err.Error()
	}
	address, err := netip.ParseAddr(u.Hostname())
	if u.Scheme != "https" && u.Hostname() != "localhost" && (err != nil || !address.IsLoopback()) {
		return "does not begin with https://: the client's secret would go out in plain text"
	}
	return ""
}

func (e Endpoint) checkTLS() []fault.Field {
	var faults []fault.Field
	add := func(path, message string) {
		faults = append(faults, fault.Field{Path: "/tls" + path, Message: message})
	}
	t := e.TLS
	if t == (TLS{}) {
		return nil
	}
	if !strings.HasPrefix(weburl.Stored(e.URL), "https://") {
		add("", "needs a URL that begins with https://")
	}
	for path, text := range map[string]string{"/certificate": t.Certificate, "/key": t.Key, "/ca": t.CA} {
		if len(text) > maxPEM {
			add(path, "is longer than "+strconv.Itoa(maxPEM)+" bytes")
			return faults
		}
	}
	switch {
	case t.Certificate == "" && t.Key != "":
		add("/certificate", "is missing, although there is a key")
	case t.Certificate != "" && t.Key == "":
		add("/key", "is missing, although there is a certificate")
	case t.Key == Hidden:
		add("/key", "is the mask that answers show, not a key; send the key")
	case t.Certificate != "":
		if _, err := tls.X509KeyPair([]byte(t.Certificate), []byte(t.Key)); err != nil {
			add("/certificate", "and the key can't be used: "+pairProblem(err))
		}
	}
	if t.CA != "" && !x509.NewCertPool().AppendCertsFromPEM([]byte(t.CA)) {
		add("/ca", "holds no certificate in PEM")
	}
	return faults
}

// pairProblem describes the error in a certificate and its key, without quoting either.
func pairProblem(err error) string {
	for part, message := range map[string]string{
		"does not match":    "they don't belong together",
		"certificate input": "the certificate is not PEM that begins with BEGIN CERTIFICATE",
		"key input":         "the key is not PEM of a private key without a password",
		"parse private key": "the key is not PKCS #1, PKCS #8 or SEC 1",
	} {
		if strings.Contains(err.Error(), part) {
			return message
		}
	}
	return "they can't be read"
}
