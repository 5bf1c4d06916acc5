// Package authz authorizes operations: it checks them by role and by case type, checks the rights again at the
// commit, writes the audit, and carries an operation out once per idempotency key. All use cases are built on it.
package authz

import (
	"log/slog"
	"time"

	"github.com/casehook/casehook/internal/access"
	"github.com/casehook/casehook/internal/definitions"
	"github.com/casehook/casehook/internal/id"
	"github.com/casehook/casehook/internal/store"
)

// Config has the settings of a Guard.
type Config struct {
	KeyWait time.Duration    // how long a request waits for another with its idempotency key; default 10 s
	Now     func() time.Time // default: the real clock
	Log     *slog.Logger     // nil: nothing is logged

	Checked func(access.Operation) // called with each operation that a role is checked for; may be nil
}

// Guard permits and records operations for all use cases. It is safe for concurrent use.
type Guard struct {
	store       *store.Store
	definitions *definitions.Catalog
	keyWait     time.Duration
	now         func() time.Time
	log         *slog.Logger
	checked     func(access.Operation)
	keys        keysInUse
	process     string // the id of this process among those that share the database
	sums        sums
}

// New returns a Guard of the tenants in a store.
func New(st *store.Store, d *definitions.Catalog, c Config) *Guard {
	if c.KeyWait <= 0 {
		c.KeyWait = defaultKeyWait
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.Checked == nil {
		c.Checked = func(access.Operation) {}
	}
	return &Guard{
		store:       st,
		definitions: d,
		keyWait:     c.KeyWait,
		now:         func() time.Time { return c.Now().UTC().Truncate(time.Microsecond) },
		log:         c.Log,
		checked:     c.Checked,
		process:     id.New("process"),
	}
}

// Now returns the time as the store keeps it: UTC, to the microsecond.
func (g *Guard) Now() time.Time { return g.now() }
