// Package session keeps people signed in: a cookie has a random token, and the store has the
// token's session. A session ends when it is idle for too long, when it is too old, when the user
// signs out, or when the user's epoch changes. Signing in issues a new token, so that a token that
// an attacker has planted is worthless.
package session

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/alexedwards/scs/v2"

	"github.com/casehook/casehook/internal/inbound"
	"github.com/casehook/casehook/internal/store"
)

// The defaults.
const (
	DefaultIdle     = 2 * time.Hour
	DefaultLifetime = 12 * time.Hour
)

// Config configures sessions. Zero fields get their defaults.
type Config struct {
	Idle     time.Duration // time without a request after which a session ends
	Lifetime time.Duration // time after which a session ends in any case
	// Insecure means that the server is reached by plain HTTP, so that cookies are sent without
	// HTTPS, unless a trusted proxy names another scheme.
	Insecure bool
	Now      func() time.Time
}

// Manager keeps sessions. It is safe for concurrent use.
type Manager struct {
	store    *store.Store
	scs      *scs.SessionManager // without its idle timeout, which uses the wall clock
	idle     time.Duration
	insecure bool
	now      func() time.Time
}

// User is the user of a session, or the receiver whose session began with a portal link.
type User struct {
	Tenant, ID, Epoch int64
	PortalLink        string    // the link's id; empty: it is a user
	Ends              time.Time // of the link; zero: the session ends by its own rules alone
	Key               string    // of the session in the store; empty: it is not stored yet

	Rights store.Rights // from before the session was read
}

// New returns a Manager.
func New(st *store.Store, c Config) *Manager {
	m := &Manager{store: st, scs: scs.New(), idle: DefaultIdle, insecure: c.Insecure, now: c.Now}
	if m.now == nil {
		m.now = time.Now
	}
	m.scs.Lifetime = DefaultLifetime
	if c.Idle > 0 {
		m.idle = c.Idle
	}
	if c.Lifetime > 0 {
		m.scs.Lifetime = c.Lifetime
	}
	m.scs.HashTokenInStore = true
	m.scs.Store = scsStore{st, m.idle, m.now}
	return m
}

type schemeKey struct{}

// WithScheme returns a context with the scheme, http or https, of the tenant's public URL. An empty
// scheme leaves the choice to the configuration.
func WithScheme(ctx context.Context, scheme string) context.Context {
	return context.WithValue(ctx, schemeKey{}, scheme)
}

// Load returns a context with the session of a request, or with an empty one.
func (m *Manager) Load(ctx context.Context, r *http.Request) (context.Context, error) {
	token := m.Cookie(r, cookieName)
	if len(token) > 100 {
		token = ""
	}
	found := &found{rights: m.store.Rights()}
	loaded, err := m.scs.Load(context.WithValue(ctx, foundKey{}, found), token)
	if err != nil {
		return ctx, err
	}
	if m.scs.Token(loaded) == "" {
		m.startLifetime(loaded)
	}
	return loaded, nil
}

// found is how a session was found in the store.
type found struct {
	key    string // empty: the store has none
	rights store.Rights
}

type foundKey struct{}

func foundIn(ctx context.Context) found {
	if f, ok := ctx.Value(foundKey{}).(*found); ok {
		return *f
	}
	return found{}
}

// startLifetime starts the lifetime of ctx's session.
func (m *Manager) startLifetime(ctx context.Context) {
	m.scs.SetDeadline(ctx, m.now().Add(m.scs.Lifetime).UTC())
}

const (
	tenantKey = "tenant"
	userKey   = "user"
	epochKey  = "epoch"
	linkKey   = "portal_link"
	beganKey  = "began" // seconds since 1970
	seenKey   = "seen"  // seconds since 1970
)

// User returns the user of ctx's session, if somebody has signed in.
func (m *Manager) User(ctx context.Context) (User, bool) {
	f := foundIn(ctx)
	u := User{
		Tenant: m.scs.GetInt64(ctx, tenantKey), ID: m.scs.GetInt64(ctx, userKey), Epoch: m.scs.GetInt64(ctx, epochKey),
		PortalLink: m.scs.GetString(ctx, linkKey), Key: f.key, Rights: f.rights,
	}
	return u, u.ID != 0 || u.PortalLink != ""
}

// SignIn binds the session of ctx to a user, under a new token.
func (m *Manager) SignIn(ctx context.Context, w http.ResponseWriter, u User) error {
	before, _ := m.User(ctx)
	if err := m.scs.RenewToken(ctx); err != nil {
		return err
	}
	m.ended(before)
	m.startLifetime(ctx)
	if !u.Ends.IsZero() && u.Ends.Before(m.scs.Deadline(ctx)) {
		m.scs.SetDeadline(ctx, u.Ends.UTC())
	}
	m.scs.Put(ctx, tenantKey, u.Tenant)
	m.scs.Put(ctx, userKey, u.ID)
	m.scs.Put(ctx, epochKey, u.Epoch)
	m.scs.Put(ctx, linkKey, u.PortalLink)
	m.scs.Put(ctx, beganKey, m.now().Unix())
	return m.Save(ctx, w)
}

// SignOut ends the session of ctx.
func (m *Manager) SignOut(ctx context.Context, w http.ResponseWriter) error {
	before, _ := m.User(ctx)
	err := m.scs.Destroy(ctx)
	m.ended(before)
	m.write(ctx, w, "", time.Time{})
	return err
}

// ended notifies the requests of a session that it has ended.
func (m *Manager) ended(u User) {
	if u.Key != "" && u.Tenant != 0 {
		m.store.SessionEnded(u.Tenant)
	}
}

// extendEvery is the precision of a session's last use.
const extendEvery = time.Minute

// Extend restarts the idle time of ctx's session, at most once in extendEvery.
func (m *Manager) Extend(ctx context.Context, w http.ResponseWriter) error {
	if m.now().Unix()-m.scs.GetInt64(ctx, seenKey) < int64(min(extendEvery, m.idle/4)/time.Second) {
		return nil
	}
	return m.Save(ctx, w)
}

// Save saves the session of ctx and sets its cookie.
func (m *Manager) Save(ctx context.Context, w http.ResponseWriter) error {
	m.scs.Put(ctx, seenKey, m.now().Unix())
	token, expiry, err := m.scs.Commit(ctx)
	if err != nil {
		return err
	}
	m.write(ctx, w, token, expiry)
	return nil
}

// write sets the session's cookie, or removes it.
func (m *Manager) write(ctx context.Context, w http.ResponseWriter, token string, expiry time.Time) {
	age := 0 // it ends with the browser
	if expiry.IsZero() {
		age = -1
	}
	m.SetCookie(ctx, w, cookieName, token, age)
}

const cookieName = "casehook_session"

// full returns a cookie's full name: with HTTPS it has a prefix, so that no other host can set it.
func (m *Manager) full(ctx context.Context, name string) string {
	if m.secure(ctx) {
		return "__Host-" + name
	}
	return name
}

func (m *Manager) secure(ctx context.Context) bool {
	insecure := m.insecure
	if scheme, _ := ctx.Value(schemeKey{}).(string); scheme != "" {
		insecure = scheme == "http"
	}
	return !insecure || inbound.Scheme(ctx) == "https"
}

// Cookie returns the value of a cookie in a request, or "". The cookie is one that SetCookie has set.
func (m *Manager) Cookie(r *http.Request, name string) string {
	cookie, err := r.Cookie(m.full(r.Context(), name))
	if err != nil {
		return ""
	}
	return cookie.Value
}

// SetCookie sets a cookie with a maximum age in seconds, and replaces one of that name in the
// answer. An age of 0 lasts until the browser ends; a negative one removes the cookie.
func (m *Manager) SetCookie(ctx context.Context, w http.ResponseWriter, name, value string, age int) {
	cookie := http.Cookie{
		Name: m.full(ctx, name), Value: value, Path: "/", MaxAge: age,
		HttpOnly: true, Secure: m.secure(ctx),
		SameSite: http.SameSiteLaxMode, // so that it is sent after a provider's redirect
	}
	w.Header()["Set-Cookie"] = slices.DeleteFunc(w.Header()["Set-Cookie"], func(set string) bool {
		return strings.HasPrefix(set, cookie.Name+"=")
	})
	http.SetCookie(w, &cookie)
}

// stored adapts the store to scs.
type scsStore struct {
	store *store.Store
	idle  time.Duration
	now   func() time.Time
}

func (k scsStore) FindCtx(ctx context.Context, id string) ([]byte, bool, error) {
	data, exists, err := k.store.Session(ctx, id, k.now())
	if f, ok := ctx.Value(foundKey{}).(*found); ok && exists {
		f.key = id
	}
	return data, exists, err
}

// CommitCtx stores a session, which expires when it has been idle for too long, or at its deadline.
func (k scsStore) CommitCtx(ctx context.Context, id string, data []byte, deadline time.Time) error {
	_, values, err := scs.GobCodec{}.Decode(data)
	if err != nil {
		return err
	}
	tenant, _ := values[tenantKey].(int64)
	user, _ := values[userKey].(int64)
	link, _ := values[linkKey].(string)
	expires := k.now().Add(k.idle)
	if deadline.Before(expires) {
		expires = deadline
	}
	s := store.Session{ID: id, Tenant: tenant, User: user, PortalLink: link, Data: data, ExpiresAt: expires}
	return k.store.Update(ctx, func(tx *store.Tx) error {
		if foundIn(ctx).key == id { // it must not come back if it was ended meanwhile
			return tx.ExtendSession(ctx, s)
		}
		return tx.PutSession(ctx, s)
	})
}

// Open is a session of a user that has not ended.
type Open struct {
	ID       string    // tells nothing about the cookie, and not the key in the store
	Key      string    // in the store
	Began    time.Time // zero: unknown
	LastUsed time.Time // at most a minute behind
	Ends     time.Time // unless it is used before
}

// Read returns a session of the store as its user sees it.
func Read(s store.Session) (Open, error) {
	_, values, err := scs.GobCodec{}.Decode(s.Data)
	if err != nil {
		return Open{}, err
	}
	at := func(key string) time.Time {
		if seconds, ok := values[key].(int64); ok {
			return time.Unix(seconds, 0).UTC()
		}
		return time.Time{}
	}
	sum := sha256.Sum256([]byte("session " + s.ID))
	return Open{
		ID: "ses_" + hex.EncodeToString(sum[:16]), Key: s.ID, Began: at(beganKey), LastUsed: at(seenKey),
		Ends: s.ExpiresAt,
	}, nil
}

func (k scsStore) DeleteCtx(ctx context.Context, id string) error {
	return k.store.Update(ctx, func(tx *store.Tx) error { return tx.DeleteSession(ctx, id) })
}

var errNoContext = errors.New("session: called without a context")

// These are scs's methods without a context. It never calls them.
func (scsStore) Find(string) ([]byte, bool, error)      { return nil, false, errNoContext }
func (scsStore) Commit(string, []byte, time.Time) error { return errNoContext }
func (scsStore) Delete(string) error                    { return errNoContext }
