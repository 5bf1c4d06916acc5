// Package hooks holds the use cases of endpoints and their messages: endpoints and their secrets, attempts, replays,
// dead and parked messages, and the journal as clients read it.
package hooks

import (
	"context"
	"crypto/rand"
	"io"
	"time"

	"github.com/casehook/casehook/internal/access"
	"github.com/casehook/casehook/internal/authz"
	"github.com/casehook/casehook/internal/store"
)

// Config has the collaborators and settings of the use cases of endpoints.
type Config struct {
	Store *store.Store
	Guard *authz.Guard
	Cases Cases

	KeepAttempts time.Duration // after which attempts are removed; 0: never
	KeepJournal  time.Duration // after which entries that nobody needs are removed; 0: never
	Random       io.Reader     // default: real randomness
}

// Cases has the functions of the use cases of cases that these use cases call.
type Cases struct {
	// KnownCase returns nil if there is, or was, a case that the caller sees.
	KnownCase func(ctx context.Context, p access.Principal, id int64) error
}

// Services are the use cases of endpoints.
type Services struct {
	Endpoints *Endpoints
	Messages  *Messages
	Journal   *Journal
}

// New returns the use cases of endpoints.
func New(c Config) Services {
	if c.Random == nil {
		c.Random = rand.Reader
	}
	endpoints := &Endpoints{store: c.Store, guard: c.Guard, now: c.Guard.Now, random: c.Random}
	return Services{
		Endpoints: endpoints,
		Messages:  &Messages{store: c.Store, guard: c.Guard, now: c.Guard.Now, cases: c.Cases},
		Journal: &Journal{
			store: c.Store, guard: c.Guard, now: c.Guard.Now, endpoints: endpoints,
			keepAttempts: c.KeepAttempts, keepJournal: c.KeepJournal,
		},
	}
}

// Endpoints has the use cases of a tenant's endpoints. It is safe for concurrent use.
type Endpoints struct {
	store  *store.Store
	guard  *authz.Guard
	now    func() time.Time
	random io.Reader
}

// Messages has the use cases of messages that endpoints were sent, or are still to be sent. It is safe for concurrent
// use.
type Messages struct {
	store *store.Store
	guard *authz.Guard
	now   func() time.Time
	cases Cases
}

// Journal has the use cases of the journal: how clients read it, and how long it is kept. It is safe for concurrent
// use.
type Journal struct {
	store        *store.Store
	guard        *authz.Guard
	now          func() time.Time
	endpoints    *Endpoints
	keepAttempts time.Duration
	keepJournal  time.Duration
}
