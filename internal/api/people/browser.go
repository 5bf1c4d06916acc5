package people

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
func keepSealed[T any](h sessionHandler, x *rest.Exchange, name string, value T, age int) error {
	text, err := h.kernel.Seal("cookie/"+name, sealed[T]{value, time.Now().Unix() + int64(age)})
	if err == nil {
		h.sessions.SetCookie(x.Request.Context(), x, name, text, age)
	}
	return err
}

// sealedIn returns the value of a cookie; the zero value if there is none that is
// good.
func sealedIn[T any](h sessionHandler, x *rest.Exchange, name string) T {
	var s sealed[T]
	err := h.kernel.Open("cookie/"+name, h.sessions.Cookie(x.Request, name), &s)
	if err != nil || s.Expires <= time.Now().Unix() {
		var none T
		return none
	}
	return s.Value
}

// browser is what the request's browser is known by.
func (h sessionHandler) browser(x *rest.Exchange) casework.Browser {
	return sealedIn[casework.Browser](h, x, browserCookie)
}

// know makes the browser one that is known for a user, who has signed in.
func (h sessionHandler) know(x *rest.Exchange, u access.User) error {
	b := h.browser(x)
	if b.ID == "" || b.Tenant != u.Tenant || b.Email != u.Email {
		b = casework.Browser{ID: rand.Text(), Tenant: u.Tenant, Email: u.Email}
	}
	return keepSealed(h, x, browserCookie, b, browserLasts)
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
