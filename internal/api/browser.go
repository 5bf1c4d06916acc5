package api

import (
	"crypto/rand"
	"sync"
	"time"

	"github.com/casehook/casehook/internal/access"
	"github.com/casehook/casehook/internal/api/rest"
	"github.com/casehook/casehook/internal/casework"
)

// Cookies that are no session hold what they say themselves, sealed: a stranger
// who begins something leaves no row behind.
const (
	browserCookie = "casehook_browser"
	browserLasts  = 365 * 24 * 60 * 60 // seconds
	pendingCookie = "casehook_oidc"
	pendingLasts  = 15 * 60 // seconds
)

// sealed is what such a cookie holds.
type sealed[T any] struct {
	Value   T
	Expires int64 // seconds since 1970
}

// keepSealed sets a cookie that holds a value for so many seconds.
func keepSealed[T any](a *API, x *rest.Exchange, name string, value T, age int) error {
	text, err := a.kernel.Seal("cookie/"+name, sealed[T]{value, time.Now().Unix() + int64(age)})
	if err == nil {
		a.config.Sessions.SetCookie(x.Request.Context(), x, name, text, age)
	}
	return err
}

// sealedIn returns the value of a cookie; the zero value if there is none that is
// good.
func sealedIn[T any](a *API, x *rest.Exchange, name string) T {
	var s sealed[T]
	err := a.kernel.Open("cookie/"+name, a.config.Sessions.Cookie(x.Request, name), &s)
	if err != nil || s.Expires <= time.Now().Unix() {
		var none T
		return none
	}
	return s.Value
}

// browser is what the request's browser is known by.
func (a *API) browser(x *rest.Exchange) casework.Browser {
	return sealedIn[casework.Browser](a, x, browserCookie)
}

// know makes the browser one that is known for a user, who has signed in.
func (a *API) know(x *rest.Exchange, u access.User) error {
	b := a.browser(x)
	if b.ID == "" || b.Tenant != u.Tenant || b.Email != u.Email {
		b = casework.Browser{ID: rand.Text(), Tenant: u.Tenant, Email: u.Email}
	}
	return keepSealed(a, x, browserCookie, b, browserLasts)
}

// usedStates are those of sign-ins that have come back from the provider: a
// cookie could be sent twice.
type usedStates struct {
	mu  sync.Mutex
	all map[string]bool
}

const maxStates = 10_000

// use reports whether a state had not been used.
func (u *usedStates) use(state string) bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.all[state] {
		return false
	}
	if u.all == nil || len(u.all) >= maxStates { // the provider's codes are good for one time, too
		u.all = map[string]bool{}
	}
	u.all[state] = true
	return true
}
