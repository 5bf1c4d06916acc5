package rest

import (
	"sync"
	"time"

	"github.com/casehook/casehook/internal/access"
	"github.com/casehook/casehook/internal/fault"
)

// FollowLimits bound the clients that follow the journal, or wait for questions. Zero values get their defaults.
type FollowLimits struct {
	PerTenant int             // streams and polls at once; default 500
	PerClient int             // streams and polls of one token or user at once; default 50
	KeepAlive time.Duration   // between comments in a stream, and between rechecks of its client; default 15 s
	Lifetime  time.Duration   // of a stream; its client resumes afterwards; default 1 h
	Stop      <-chan struct{} // closed when the server stops, which ends all streams and polls
}

func (f FollowLimits) withDefaults() FollowLimits {
	if f.PerTenant <= 0 {
		f.PerTenant = 500
	}
	if f.PerClient <= 0 {
		f.PerClient = 50
	}
	if f.KeepAlive <= 0 {
		f.KeepAlive = 15 * time.Second
	}
	if f.Lifetime <= 0 {
		f.Lifetime = time.Hour
	}
	return f
}

// Followers counts streams and polls. Polls that do not wait count, too: one may evaluate
// a filter for many messages.
type Followers struct {
	FollowLimits

	mu      sync.Mutex
	tenants map[int64]int
	clients map[Client]int
}

// NewFollowers returns a count of none.
func NewFollowers(f FollowLimits) *Followers {
	return &Followers{FollowLimits: f.withDefaults(), tenants: map[int64]int{}, clients: map[Client]int{}}
}

// Enter counts one follower more, or refuses it. The caller calls done when it ends.
func (f *Followers) Enter(p access.Principal) (done func(), err error) {
	c := ClientOf(p)
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.tenants[c.Tenant] >= f.PerTenant || f.clients[c] >= f.PerClient {
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
