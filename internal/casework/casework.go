// Package casework holds the use cases: what people and programs do with cases,
// case types, endpoints and tokens. It authorises, judges, asks, and commits.
//
// The submit road, from [Service.Submit]:
//
//	load version v -> merge, check -> ask the callback -> check its answer ->
//	one transaction: the case at v+1 and one journal entry
//
// No transaction is open while a callback is asked. If the case's content moved
// meanwhile, nothing is saved and the caller is told so.
package casework

import (
	"crypto/rand"
	"io"
	"log/slog"
	"strings"
	"sync/atomic"
	"time"

	"github.com/casehook/casehook/internal/access"
	"github.com/casehook/casehook/internal/blob"
	"github.com/casehook/casehook/internal/cache"
	"github.com/casehook/casehook/internal/callback"
	"github.com/casehook/casehook/internal/cases"
	"github.com/casehook/casehook/internal/casetype"
	"github.com/casehook/casehook/internal/document"
	"github.com/casehook/casehook/internal/id"
	"github.com/casehook/casehook/internal/observe"
	"github.com/casehook/casehook/internal/store"
)

// Config is what a Service needs besides its collaborators.
type Config struct {
	PublicURL string // of the console; it may have a path
	MaxUpload int64  // bytes of one proof

	KeepAttempts time.Duration // after which attempts are removed; 0: never
	KeepJournal  time.Duration // after which entries are that nobody needs, and with them what happened to cases; 0: never

	Hold bool // no callback is asked: what would ask one is refused

	KeyWait time.Duration // how long a request waits for another with its idempotency key; default 10 s

	PasswordCost access.PasswordCost // default: what access says

	Fonts    *document.Fonts             // of documents; nil: those that are built in
	Hashing  func()                      // is called whenever a password is hashed; nil: nothing is
	Variable func(string) (string, bool) // looks up ${CASEHOOK_VAR_...}
	Now      func() time.Time
	Random   io.Reader
	Log      *slog.Logger
	Tracer   *observe.Tracer // nil: nothing is traced
}

// Service carries out the use cases. It is safe for concurrent use.
type Service struct {
	Config
	store     *store.Store
	blobs     blob.Store
	callbacks *callback.Client
	types     *cache.Bounded[typeKey, TypeVersion]
	uses      uses
	keys      keysInUse
	process   string        // names this one among those that share the database
	hashes    chan struct{} // one for each password that is being hashed
	holds     holds
	signIns   atomic.Int64 // that were counted
	sums      sums
}

// defaultMaxUpload bounds a proof where the configuration does not.
const defaultMaxUpload = 32 << 20

// New makes a Service. Of the configuration, what is zero gets a default: the
// real clock and randomness, no variables, no log, proofs of up to 32 MiB.
func New(st *store.Store, blobs blob.Store, callbacks *callback.Client, c Config) *Service {
	if c.MaxUpload <= 0 {
		c.MaxUpload = defaultMaxUpload
	}
	if c.Variable == nil {
		c.Variable = func(string) (string, bool) { return "", false }
	}
	if c.Fonts == nil {
		c.Fonts = document.NewFonts(nil, nil)
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Random == nil {
		c.Random = rand.Reader
	}
	if c.PasswordCost == (access.PasswordCost{}) {
		c.PasswordCost = access.DefaultPasswordCost()
	}
	if c.KeyWait <= 0 {
		c.KeyWait = defaultKeyWait
	}
	c.PublicURL = strings.TrimRight(c.PublicURL, "/")
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	return &Service{
		Config: c, store: st, blobs: blobs, callbacks: callbacks,
		types: newTypeCache(), hashes: make(chan struct{}, maxHashing), process: id.New("process"),
	}
}

// now is the time as the store keeps it: UTC, to the microsecond.
func (s *Service) now() time.Time { return s.Now().UTC().Truncate(time.Microsecond) }

// Submission is what somebody wants to do to a case.
type Submission struct {
	CaseID        int64          // 0: create one
	Type          string         // of the case to create
	Transition    string         // key; on creation it may be empty where the type has only one; for an edit it is empty
	Edit          bool           // submit the type's edit transition, whichever that is
	Data          map[string]any // fields to set; null clears one
	Name          *string        // creation and edit only; "" returns to the type's template
	Color         *string        // creation and edit only; "" returns to the state's colour
	IgnoreWarning bool           // the callback's warnings do not stop it
	IfRevision    Revisions      // the content revisions it may be based on; nil: whichever is current
}

// View is a case with the type it works by, as it is shown.
type View struct {
	cases.Case
	Definition *casetype.Type
	URL        string

	Transitions []string  // that the reader may submit now
	Blocked     []Blocked // that wait for data
}

// Once makes an operation happen once per key. The zero value is no key. Render
// makes the response out of the operation's result (a View, a cases.Comment, a
// cases.Attachment, an endpoint.Endpoint ...); it is stored in the operation's own transaction
// and returned, to this caller and to whoever repeats the request within 24 hours.
type Once struct {
	Operation access.Operation
	Key       string // the client's; at most 255 bytes
	Request   string // a hash of all that the request said
	Render    func(result any) (store.Answer, error)
}

// Replayed is the error that carries a stored answer: the operation was carried
// out before, by an earlier request with the same key.
type Replayed struct{ Answer store.Answer }

func (r *Replayed) Error() string { return "casework: carried out before" }
