package api

import (
	"strconv"
	"sync"

	"github.com/casehook/casehook/internal/access"
	"github.com/casehook/casehook/internal/fault"
)

// followers counts the streams and the polls: one that does not wait may judge much, too.
type followers struct {
	perTenant, perClient int

	mu      sync.Mutex
	tenants map[int64]int
	clients map[client]int
}

// client is a token or a user.
type client struct {
	tenant int64
	name   string
}

func clientOf(p access.Principal) client {
	return client{p.Tenant, p.Actor.TokenID + "/" + strconv.FormatInt(p.Actor.UserID, 10)}
}

func newFollowers(f Follow) *followers {
	return &followers{perTenant: f.PerTenant, perClient: f.PerClient, tenants: map[int64]int{}, clients: map[client]int{}}
}

// enter lets one more in; it calls done when it leaves.
func (f *followers) enter(p access.Principal) (done func(), err error) {
	c := clientOf(p)
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.tenants[c.tenant] >= f.perTenant || f.clients[c] >= f.perClient {
		return nil, fault.New(fault.TooMany, "journal.too_many",
			"Too many streams and polls are open: %d by this token or user, %d by all. End some of them first.", f.clients[c], f.tenants[c.tenant])
	}
	f.tenants[c.tenant]++
	f.clients[c]++
	return func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		if f.tenants[c.tenant]--; f.tenants[c.tenant] == 0 {
			delete(f.tenants, c.tenant)
		}
		if f.clients[c]--; f.clients[c] == 0 {
			delete(f.clients, c)
		}
	}, nil
}
