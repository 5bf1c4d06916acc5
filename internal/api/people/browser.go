package people

import (
	"crypto/rand"
	"sync"
	"time"

	"github.com/casehook/casehook/internal/access"
	"github.com/casehook/casehook/internal/api/rest"
	"github.com/casehook/casehook/internal/people"
)

// Cookies other than the session's hold sealed values, so that a stranger who begins to sign in adds no row to the
// database.
const (
	browserCookie = "casehook_browser"
	browserLasts  = 365 * 24 * 60 * 60 // seconds
	pendingCookie = "casehook_oidc"
	pendingLasts  = 15 * 60 // seconds
)

// sealedCookie is the value of such a cookie.
type sealedCookie[T any] struct {
	Value   T
	Expires int64 // seconds since 1970
}

// keepSealed sets a cookie with a sealed value, for age seconds.
func keepSealed[T any](h sessionHandler, x *rest.Exchange, name string, value T, age int) error {
	text, err := h.kernel.Seal("cookie/"+name, sealedCookie[T]{value, time.Now().Unix() + int64(age)})
	if err == nil {
		h.sessions.SetCookie(x.Request.Context(), x, name, text, age)
	}
	return err
}

// sealedIn returns the value of a cookie; the zero value if there is no valid one.
func sealedIn[T any](h sessionHandler, x *rest.Exchange, name string) T {
	var s sealedCookie[T]
	err := h.kernel.Open("cookie/"+name, h.sessions.Cookie(x.Request, name), &s)
	if err != nil || s.Expires <= time.Now().Unix() {
		var none T
		return none
	}
	return s.Value
}

// browser returns the browser that the request's cookie identifies.
func (h sessionHandler) browser(x *rest.Exchange) people.Browser {
	return sealedIn[people.Browser](h, x, browserCookie)
}

// remember sets the cookie that identifies the browser of a user who has signed in.
func (h sessionHandler) remember(x *rest.Exchange, u access.User) error {
	b := h.browser(x)
	if b.ID == "" || b.Tenant != u.Tenant || b.Email != u.Email {
		b = people.Browser{ID: rand.Text(), Tenant: u.Tenant, Email: u.Email}
	}
	return keepSealed(h, x, browserCookie, b, browserLasts)
}

// usedStates are the states of sign-ins that have come back from the provider. They
// are recorded because a cookie can be sent twice.
type usedStates struct {
	mu  sync.Mutex
	all map[string]bool
}

const maxStates = 10_000

// use records the use of a state, and reports whether it is the first.
func (u *usedStates) use(state string) bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.all[state] {
		return false
	}
	if u.all == nil || len(u.all) >= maxStates { // the provider accepts a code only once, too
		u.all = map[string]bool{}
	}
	u.all[state] = true
	return true
}
