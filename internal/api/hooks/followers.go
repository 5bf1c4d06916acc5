package hooks

import (
	"sync"

	"github.com/casehook/casehook/internal/access"
	"github.com/casehook/casehook/internal/api/rest"
	"github.com/casehook/casehook/internal/fault"
)

// followers counts streams and polls. Polls that do not wait count, too: one may evaluate
// a filter for many messages.
type followers struct {
	perTenant, perClient int

	mu      sync.Mutex
	tenants map[int64]int
	clients map[rest.Client]int
}

func newFollowers(f FollowLimits) *followers {
	return &followers{perTenant: f.PerTenant, perClient: f.PerClient, tenants: map[int64]int{},
		clients: map[rest.Client]int{}}
}

// enter counts one follower more, or refuses it. The caller calls done when it ends.
func (f *followers) enter(p access.Principal) (done func(), err error) {
	c := rest.ClientOf(p)
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.tenants[c.Tenant] >= f.perTenant || f.clients[c] >= f.perClient {
		return nil, fault.New(fault.TooMany, "journal.too_many",
			"Too many streams and polls are open: %d of this token or user, %d in all. Close some of them first.",
			f.clients[c], f.tenants[c.Tenant])
	}
	f.tenants[c.Tenant]++
	f.clients[c]++
	return func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		if f.tenants[c.Tenant]--; f.tenants[c.Tenant] == 0 {
			delete(f.tenants, c.Tenant)
		}
		if f.clients[c]--; f.clients[c] == 0 {
			delete(f.clients, c)
		}
	}, nil
}
