// Package people holds the use cases of people and programs: users and how they sign in, tokens, and tenants with
// their hosts and public URLs.
package people

import (
	"crypto/rand"
	"io"
	"log/slog"
	"strings"
	"sync/atomic"
	"time"

	"github.com/casehook/casehook/internal/access"
	"github.com/casehook/casehook/internal/authz"
	"github.com/casehook/casehook/internal/store"
)

// Config has the collaborators and settings of the use cases of people.
type Config struct {
	Store *store.Store
	Guard *authz.Guard

	PublicURL    string                      // of the installation; it may have a path
	PasswordCost access.PasswordCost         // default: that of access
	Hashing      func()                      // called before each hashing of a password; may be nil
	Variable     func(string) (string, bool) // looks up ${CASEHOOK_VAR_...}; nil: no variables
	Random       io.Reader                   // default: real randomness
	Log          *slog.Logger                // nil: nothing is logged
}

func (c Config) withDefaults() Config {
	if c.Variable == nil {
		c.Variable = func(string) (string, bool) { return "", false }
	}
	if c.Random == nil {
		c.Random = rand.Reader
	}
	if c.PasswordCost == (access.PasswordCost{}) {
		c.PasswordCost = access.DefaultPasswordCost()
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	c.PublicURL = strings.TrimRight(c.PublicURL, "/")
	return c
}

// Services are the use cases of people.
type Services struct {
	Users   *Users
	Tokens  *Tokens
	Tenants *Tenants
	Views   *Views
	Portal  *Portal
}

// New returns the use cases of people.
func New(c Config) Services {
	c = c.withDefaults()
	tokens := &Tokens{
		store: c.Store, guard: c.Guard, now: c.Guard.Now, random: c.Random, log: c.Log,
		known: store.NewMemory[string, access.Token](c.Store, maxKnown),
	}
	tenants := &Tenants{
		store: c.Store, guard: c.Guard, now: c.Guard.Now, tokens: tokens,
		publicURL: c.PublicURL, variable: c.Variable,
		hosts: store.NewMemory[string, int64](c.Store, maxKnown),
	}
	return Services{
		Users: &Users{
			store: c.Store, guard: c.Guard, now: c.Guard.Now, random: c.Random, tokens: tokens,
			passwordCost: c.PasswordCost, onHash: c.Hashing, hashes: make(chan struct{}, maxHashing),
		},
		Tokens:  tokens,
		Views:   &Views{store: c.Store, guard: c.Guard, now: c.Guard.Now},
		Tenants: tenants,
		Portal: &Portal{
			store: c.Store, guard: c.Guard, now: c.Guard.Now, random: c.Random, tenants: tenants,
			known: store.NewMemory[string, access.PortalLink](c.Store, maxKnown),
		},
	}
}

// maxKnown bounds how many tokens, and how many host names, are held in memory.
const maxKnown = 10_000

// Users has the use cases of users and sign-in. It is safe for concurrent use.
type Users struct {
	store        *store.Store
	guard        *authz.Guard
	now          func() time.Time
	random       io.Reader
	tokens       *Tokens
	passwordCost access.PasswordCost
	onHash       func()        // nil: nothing is called
	hashes       chan struct{} // one for each password that is being hashed
	lockouts     lockouts
	signIns      atomic.Int64 // that were counted
}

// Tokens has the use cases of tokens. It is safe for concurrent use.
type Tokens struct {
	store  *store.Store
	guard  *authz.Guard
	now    func() time.Time
	random io.Reader
	log    *slog.Logger
	uses   uses
	known  *store.Memory[string, access.Token] // by id
}

// Tenants has the use cases of tenants. It is safe for concurrent use.
type Tenants struct {
	store     *store.Store
	guard     *authz.Guard
	now       func() time.Time
	tokens    *Tokens
	hosts     *store.Memory[string, int64] // tenants by host name; 0: none has it
	publicURL string                       // of the installation
	variable  func(string) (string, bool)
}
