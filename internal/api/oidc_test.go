package api_test

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"math/big"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/casehook/casehook/internal/api"
	"github.com/casehook/casehook/internal/oidc"
)

// provider is an OpenID Connect provider with its own keys. It checks clients: their secret, their redirect URL, PKCE,
// and that codes are used once.
type provider struct {
	server   *httptest.Server
	t        testing.TB
	key      *rsa.PrivateKey
	redirect string

	mu     sync.Mutex
	codes  map[string]url.Values // the request of each
	claims map[string]any        // of the next ID token; they override the right ones
}

func newProvider(t testing.TB) *provider {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	must(t, err)
	p := &provider{t: t, key: key, codes: map[string]url.Values{}}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /.well-known/openid-configuration", func(w http.ResponseWriter, r *http.Request) {
		answerJSON(w, 200, map[string]any{
			"issuer": p.server.URL, "authorization_endpoint": p.server.URL + "/authorize", "token_endpoint": p.server.URL + "/token", "jwks_uri": p.server.URL + "/keys",
			"id_token_signing_alg_values_supported": []string{"RS256"}, "response_types_supported": []string{"code"}, "subject_types_supported": []string{"public"},
		})
	})
	mux.HandleFunc("GET /keys", func(w http.ResponseWriter, r *http.Request) {
		encode := base64.RawURLEncoding.EncodeToString
		answerJSON(w, 200, map[string]any{"keys": []any{map[string]any{
			"kty": "RSA", "alg": "RS256", "use": "sig", "kid": "k", "n": encode(key.N.Bytes()), "e": encode(big.NewInt(int64(key.E)).Bytes()),
		}}})
	})
	mux.HandleFunc("GET /authorize", p.authorize)
	mux.HandleFunc("POST /token", p.token)
	p.server = httptest.NewServer(mux)
	t.Cleanup(p.server.Close)
	return p
}

func answerJSON(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(v)
}

func (p *provider) authorize(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	want := members{
		"client_id": "casehook", "redirect_uri": p.redirect, "response_type": "code", "code_challenge_method": "S256",
	}
	asked := map[string]any{}
	for name := range want {
		asked[name] = q.Get(name)
	}
	hasMembers(p.t, "the question", asked, want)
	if len(q.Get("nonce")) < 20 || len(q.Get("state")) < 20 || !strings.Contains(q.Get("scope"), "openid") {
		p.t.Errorf("it is asked with %v", q)
	}
	code := rand.Text()
	p.mu.Lock()
	p.codes[code] = q
	p.mu.Unlock()
	http.Redirect(w, r, p.redirect+"?"+url.Values{"code": {code}, "state": {q.Get("state")}}.Encode(), http.StatusFound)
}

func (p *provider) token(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	asked, known := p.codes[r.FormValue("code")]
	delete(p.codes, r.FormValue("code"))
	id, secret, _ := r.BasicAuth()
	challenge := sha256.Sum256([]byte(r.FormValue("code_verifier")))
	if !known || id != "casehook" || secret != "its-secret" || r.FormValue("redirect_uri") != p.redirect ||
		base64.RawURLEncoding.EncodeToString(challenge[:]) != asked.Get("code_challenge") {
		answerJSON(w, 400, map[string]any{"error": "invalid_grant"})
		return
	}
	now := time.Now()
	claims := map[string]any{
		"iss": p.server.URL, "aud": "casehook", "sub": "ada-1", "nonce": asked.Get("nonce"), "email": "Ada@example.org", "email_verified": true,
		"iat": now.Unix(), "exp": now.Add(time.Minute).Unix(),
	}
	for name, value := range p.claims {
		claims[name] = value
	}
	answerJSON(w, 200, map[string]any{"access_token": "x", "token_type": "Bearer", "id_token": p.sign(claims)})
}

func (p *provider) sign(claims map[string]any) string {
	raw, err := json.Marshal(claims)
	must(p.t, err)
	encode := base64.RawURLEncoding.EncodeToString
	text := encode([]byte(`{"alg":"RS256","kid":"k"}`)) + "." + encode(raw)
	sum := sha256.Sum256([]byte(text))
	signature, err := rsa.SignPKCS1v15(rand.Reader, p.key, crypto.SHA256, sum[:])
	must(p.t, err)
	return text + "." + encode(signature)
}

// setClaims sets the claims of the next ID tokens.
func (p *provider) setClaims(claims map[string]any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.claims = claims
}

// startWithProvider is start, with a provider to sign in by.
func startWithProvider(t *testing.T) (*world, *provider) {
	w := start(t)
	return w, w.provided()
}

// provided starts a provider, and configures the world with it.
func (w *world) provided() *provider {
	p := newProvider(w.t)
	c := api.Config{Sessions: w.sessions, Log: w.logger(), Operator: operatorKey}
	w.serve(c)
	p.redirect = w.server.URL + "/v1/oidc/callback"
	c.OIDC = oidc.New(oidc.Config{Issuer: p.server.URL, ClientID: "casehook", ClientSecret: "its-secret",
		RedirectURL: p.redirect})
	w.server.Config.Handler = api.New(w.services, c)
	w.server.Client().CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return p
}

// leave begins a sign-in, and returns the cookie and the URL to which the provider redirects.
func (w *world) leave(p *provider, query string) (cookie, back string) {
	w.t.Helper()
	g := w.get("/v1/oidc/login"+query, "Authorization", "").is(303, "")
	cookie = g.cookie("casehook_oidc")
	client := w.server.Client()
	response, err := client.Get(g.header.Get("Location"))
	must(w.t, err)
	response.Body.Close()
	return cookie, strings.TrimPrefix(response.Header.Get("Location"), w.server.URL)
}

func TestSignInWithOpenIDConnect(t *testing.T) {
	t.Parallel()
	w, p := startWithProvider(t)
	path := w.post("/v1/users", `{"email": "ada@example.org", "name": "Ada", "role": "caseworker"}`).is(201, "").
		header.Get("Location")
	cookie, back := w.leave(p, "?return_to=/cases")
	g := w.get(back, "Authorization", "", "Cookie", cookie).is(303, "")
	if g.header.Get("Location") != "/cases" || cookieOf(g) == cookie {
		t.Errorf("signed in: %s", g.header)
	}
	me := w.get("/v1/session", "Authorization", "", "Cookie", cookieOf(g)).is(200, "")
	if me.text("name") != "Ada" || me.text("source") != "ui" {
		t.Errorf("the session is %s", me.body)
	}
	if u := w.get(path).is(200, ""); u.text("identity") != p.server.URL {
		t.Errorf("the user is %s", u.body)
	}
	w.get(back, "Authorization", "", "Cookie", cookie).is(400, "oidc.state")
	w.get(back, "Authorization", "", "Cookie", cookieOf(g)).is(400, "oidc.state")

	p.setClaims(map[string]any{"email": "another@example.org", "email_verified": false}) // the identity is known by now
	cookie, back = w.leave(p, "?return_to=//evil.example")
	if g := w.get(back, "Authorization", "", "Cookie", cookie).is(303, ""); g.header.Get("Location") != "/" {
		t.Errorf("it leads to %s", g.header.Get("Location"))
	}
	w.do("PATCH", path, `{"disabled": true}`).is(200, "")
	cookie, back = w.leave(p, "")
	w.get(back, "Authorization", "", "Cookie", cookie).is(403, "oidc.unknown_user")
	if log := w.log.String(); strings.Contains(log, "its-secret") || strings.Contains(log, "?code=") ||
		strings.Contains(log, "&code=") || strings.Contains(log, "ada@") {
		t.Errorf("the log has secrets: %s", log)
	}
}

func TestBadAnswersOfAProvider(t *testing.T) {
	t.Parallel()
	w, p := startWithProvider(t)
	w.post("/v1/users", `{"email": "ada@example.org", "name": "Ada"}`).is(201, "")
	for name, want := range map[string]struct {
		claims map[string]any
		status int
		code   string
	}{
		"an address that is not verified": {map[string]any{"email_verified": false}, 403, "oidc.unknown_user"},
		"a stranger":                      {map[string]any{"email": "eve@example.org"}, 403, "oidc.unknown_user"},
		"no subject":                      {map[string]any{"sub": ""}, 403, "oidc.unknown_user"},
		"another nonce":                   {map[string]any{"nonce": "another"}, 502, "oidc.token_invalid"},
		"another client's":                {map[string]any{"aud": "another"}, 502, "oidc.token_invalid"},
		"another issuer's":                {map[string]any{"iss": "https://evil.example"}, 502, "oidc.token_invalid"},
		"an old one":                      {map[string]any{"exp": time.Now().Add(-time.Hour).Unix()}, 502, "oidc.token_invalid"},
	} {
		p.setClaims(want.claims)
		cookie, back := w.leave(p, "")
		g := w.get(back, "Authorization", "", "Cookie", cookie)
		if g.status != want.status || g.text("code") != want.code {
			t.Errorf("%s: %d %s", name, g.status, g.body)
		}
	}
	p.setClaims(nil)
	cookie, back := w.leave(p, "")
	w.get(back, "Authorization", "").is(400, "oidc.state")
	w.get(back+"x", "Authorization", "", "Cookie", cookie).is(400, "oidc.state")
	cookie, back = w.leave(p, "")
	w.get(strings.Replace(back, "code=", "code=x", 1), "Authorization", "", "Cookie", cookie).is(400, "oidc.refused")
	cookie, back = w.leave(p, "")
	q, err := url.ParseQuery(back[strings.IndexByte(back, '?')+1:])
	must(t, err)
	w.get("/v1/oidc/callback?error=access_denied&state="+q.Get("state"), "Authorization", "", "Cookie",
		cookie).is(400, "oidc.refused")
	cookie, back = w.leave(p, "?tenant=none") // the answer does not show whether the tenant exists
	p.setClaims(map[string]any{"email": "eve@example.org"})
	w.get(back, "Authorization", "", "Cookie", cookie).is(403, "oidc.unknown_user")
	off := start(t)
	off.get("/v1/oidc/login", "Authorization", "").is(404, "oidc.off")
	off.get("/v1/oidc/callback", "Authorization", "").is(404, "oidc.off")
	gone := oidc.New(oidc.Config{Issuer: "http://127.0.0.1:1", ClientID: "casehook"})
	off.serve(api.Config{Sessions: off.sessions, OIDC: gone, Log: off.logger()})
	off.get("/v1/oidc/login", "Authorization", "").is(502, "oidc.unreachable")
}
