package people

import (
	"context"
	"errors"
	"strconv"
	"sync"
	"time"

	"github.com/casehook/casehook/internal/access"
	"github.com/casehook/casehook/internal/authz"
	"github.com/casehook/casehook/internal/fault"
	"github.com/casehook/casehook/internal/inbound"
	"github.com/casehook/casehook/internal/store"
)

// Failed sign-ins are slowed down: some are free, then each further failure in a row locks the account out for twice
// as long. Many people may share an address. Strangers who guess at an account from elsewhere must not keep its owner
// out, unless they use hundreds of networks.
const (
	freeByBrowser = 5 // failures of a browser that is known for the account
	freeByPair    = 5 // failures of an account from one address
	freeByAddress = 20
	freeByAccount = 1000
	maxLockout    = 15 * time.Minute
)

// Browser is a browser in which somebody has signed in before. Its proof is a cookie that only this server can make.
type Browser struct {
	ID     string
	Tenant int64
	Email  string
}

// counter counts failed sign-ins in a row.
type counter struct {
	key    string
	free   int64
	shared bool // by several accounts: a success takes back one failure, not all
}

func (c counter) forgive(ctx context.Context, tx *store.Tx) error {
	if c.shared {
		return tx.ForgiveSignIn(ctx, c.key)
	}
	return tx.ForgetSignIns(ctx, c.key)
}

// counters returns the counters of an attempt to sign in to an account. A browser that is known for the account has a
// counter of its own, so that nobody else's failures matter.
func (in SignIn) counters(email string) []counter {
	if b := in.Browser; b.ID != "" && b.Tenant == in.Tenant && b.Email == email {
		return []counter{{key: "browser/" + b.ID, free: freeByBrowser}}
	}
	network := inbound.NetworkOf(in.From)
	account := "account/" + strconv.FormatInt(in.Tenant, 10) + "/" + email
	if in.Tenant == 0 {
		account = "account/" + in.Key + "/" + email
	}
	return []counter{
		{key: "address/" + network, free: freeByAddress, shared: true},
		{key: account + "/" + network, free: freeByPair},
		{key: account, free: freeByAccount},
	}
}

// lockoutError is the error of an attempt during a lockout. It rolls the transaction back, so that the attempt is not
// counted.
type lockoutError struct {
	key   string
	until time.Time
}

func (lockoutError) Error() string { return "sign-ins are locked out" }

// maxFailures bounds the counters that are kept. They are trimmed at every trimEvery-th attempt.
const (
	maxFailures = 100_000
	trimEvery   = 1000
)

// countSignIn counts an attempt as a failure beforehand, so that many attempts at once are counted too, and refuses it
// during a lockout.
func (s *Users) countSignIn(ctx context.Context, who access.Principal, counters []counter) error {
	now := s.now()
	met, found := s.lockouts.find(counters, now)
	if !found {
		err := s.store.Update(ctx, func(tx *store.Tx) error { return s.count(ctx, tx, counters, now) })
		if found = errors.As(err, &met); !found {
			return err
		}
		s.lockouts.put(met, now)
	}
	s.guard.NoteOnce(ctx, "held/"+met.key, authz.Note{
		Who: who, What: access.SignInFailed, Detail: map[string]any{"by": "password", "held": true},
	})
	e := fault.New(fault.TooMany, "session.too_many",
		"Too many sign-ins failed in a row. Wait a while before you try again.")
	e.RetryAfter = met.until.Sub(now)
	return e
}

func (s *Users) count(ctx context.Context, tx *store.Tx, counters []counter, now time.Time) error {
	for _, c := range counters {
		failures, until, err := tx.CountSignIn(ctx, c.key, now, now.Add(-authz.FailuresLast))
		switch {
		case err != nil:
			return err
		case !until.IsZero():
			return lockoutError{c.key, until}
		case failures > c.free:
			if err := tx.LockSignIns(ctx, c.key, now.Add(lockoutTime(failures-c.free))); err != nil {
				return err
			}
		}
	}
	if s.signIns.Add(1)%trimEvery == 0 {
		return tx.TrimSignIns(ctx, maxFailures)
	}
	return nil
}

// lockoutTime returns the length of the lockout after a number of failures beyond the free ones.
func lockoutTime(failures int64) time.Duration {
	return min(maxLockout, time.Second<<min(failures, 20))
}

// lockouts caches the counters that are locked out, so that further attempts cost no transaction.
type lockouts struct {
	mu  sync.Mutex
	all map[string]lockoutEntry
}

type lockoutEntry struct{ lockedUntil, until time.Time }

const (
	lockoutRemembered = time.Second
	maxRemembered     = 10_000
)

func (h *lockouts) put(met lockoutError, now time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.all == nil || len(h.all) >= maxRemembered {
		h.all = map[string]lockoutEntry{}
	}
	until := now.Add(lockoutRemembered)
	if met.until.Before(until) {
		until = met.until
	}
	h.all[met.key] = lockoutEntry{lockedUntil: met.until, until: until}
}

func (h *lockouts) find(counters []counter, now time.Time) (lockoutError, bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, c := range counters {
		if r, ok := h.all[c.key]; ok && now.Before(r.until) {
			return lockoutError{c.key, r.lockedUntil}, true
		}
	}
	return lockoutError{}, false
}
