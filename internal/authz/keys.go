package authz

import (
	"context"
	"sync"
	"time"

	"github.com/casehook/casehook/internal/access"
	"github.com/casehook/casehook/internal/fault"
	"github.com/casehook/casehook/internal/store"
)

const (
	defaultKeyWait = 10 * time.Second
	keyRetryAfter  = time.Second
	claimMargin    = 5 * time.Second // by which a claim outlives the call of another system
	releaseWithin  = 5 * time.Second
	firstLook      = 25 * time.Millisecond // first wait for a key that another process has claimed; doubled each time
	lastLook       = time.Second
)

// keysInUse are the idempotency keys of the requests that this process is carrying out. The zero value is ready for
// use.
type keysInUse struct {
	mu  sync.Mutex
	all map[store.OnceKey]*keyInUse
}

type keyInUse struct {
	request string        // its hash
	done    chan struct{} // closed when it has ended
	claimed bool          // in the database, too
}

// acquire acquires the key once no other request of this process uses it. It waits no longer than wait.
func (k *keysInUse) acquire(ctx context.Context, name store.OnceKey, request string, wait time.Duration) error {
	timer := time.NewTimer(wait)
	defer timer.Stop()
	for {
		other := k.acquireFree(name, request)
		switch {
		case other == nil:
			return nil
		case other.request != request:
			return keyReused()
		}
		select {
		case <-other.done:
		case <-timer.C:
			return KeyInProgress()
		case <-ctx.Done():
			return fault.Cancelled(ctx.Err())
		}
	}
}

// acquireFree acquires a key, or returns the request that uses it.
func (k *keysInUse) acquireFree(name store.OnceKey, request string) *keyInUse {
	k.mu.Lock()
	defer k.mu.Unlock()
	if other := k.all[name]; other != nil {
		return other
	}
	if k.all == nil {
		k.all = map[store.OnceKey]*keyInUse{}
	}
	k.all[name] = &keyInUse{request: request, done: make(chan struct{})}
	return nil
}

func (k *keysInUse) drop(name store.OnceKey) {
	k.mu.Lock()
	defer k.mu.Unlock()
	close(k.all[name].done)
	delete(k.all, name)
}

// setClaimed records that a key has a row in the database.
func (k *keysInUse) setClaimed(name store.OnceKey) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.all[name].claimed = true
}

func (k *keysInUse) isClaimed(name store.OnceKey) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.all[name].claimed
}

// Claim claims a key in the database, so that no other process calls another system for the same request; asking is
// how long that call may take. If another process has the key, Claim waits for that process's answer. Use cases call
// it within Once, before they call another system.
func (g *Guard) Claim(ctx context.Context, p access.Principal, o Once, asking time.Duration) error {
	if o.Key == "" {
		return nil
	}
	name := o.name(p)
	late := time.NewTimer(g.keyWait)
	defer late.Stop()
	for pause := firstLook; ; pause = min(2*pause, lastLook) {
		claimed, err := g.tryClaim(ctx, name, o.request(p), asking)
		if err != nil {
			return err
		}
		if claimed {
			g.keys.setClaimed(name)
			return nil
		}
		if err := g.repeat(ctx, p, o); err != nil {
			return err
		}
		select {
		case <-time.After(pause):
		case <-late.C:
			return KeyInProgress()
		case <-ctx.Done():
			return fault.Cancelled(ctx.Err())
		}
	}
}

func (g *Guard) tryClaim(
	ctx context.Context, name store.OnceKey, request string, asking time.Duration,
) (claimed bool, err error) {
	now := g.now()
	c := store.Claim{
		OnceKey: name, Request: request, By: g.process, Now: now, Until: now.Add(asking + claimMargin),
		Since: now.Add(-AnswersLast), Alone: !g.store.Nodes(),
	}
	err = g.store.Update(ctx, func(tx *store.Tx) error {
		claimed, err = tx.ClaimKey(ctx, c)
		return err
	})
	return claimed, err
}

// release frees a key whose operation has failed. If that can't be written, the claim expires.
func (g *Guard) release(ctx context.Context, name store.OnceKey) {
	if !g.keys.isClaimed(name) {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), releaseWithin)
	defer cancel()
	err := g.store.Update(ctx, func(tx *store.Tx) error { return tx.ReleaseKey(ctx, name, g.process) })
	if err != nil {
		g.log.WarnContext(ctx, "an idempotency key stays claimed until its callback's budget is over", "error", err)
	}
}

func keyReused() error {
	return fault.New(fault.Unprocessable, "idempotency.key_reused",
		"The idempotency key was used before, with another request. Use a new key for a new request.")
}

// KeyInProgress refuses a request while another with its idempotency key is under way.
func KeyInProgress() error {
	e := fault.New(fault.Conflict, "idempotency.in_progress",
		"Another request with the same idempotency key is under way. Send this one again shortly.")
	e.RetryAfter = keyRetryAfter
	return e
}
