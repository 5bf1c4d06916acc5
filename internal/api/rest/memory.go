package rest

import (
	"context"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"time"

	"golang.org/x/sync/semaphore"

	"github.com/casehook/casehook/internal/access"
	"github.com/casehook/casehook/internal/fault"
)

// The bounds of the memory for answers. While an answer is made, it needs its page as read, its page as encoded, and
// one decoded item. While it is sent, it needs the bytes that the client has not read yet. The two have separate
// bounds, so that slow clients do not delay the making of answers.
//
// A large body is read, parsed and kept until its request ends, so there are only a few at once.
const (
	leastLarge      = 1 << 20 // bytes from which a body is large
	mostLarge       = 8       // large bodies at once
	mostLargeClient = 2       // of them for one token or user

	mostMade           = 16        // answers at once
	mostMadeClient     = 8         // of them for one token or user
	mostReserved       = 64 << 20  // bytes of answers that clients have not read yet
	mostReservedClient = 16 << 20  // of them for one token or user
	leastReserved      = 128 << 10 // bytes: smaller answers are not counted
)

const (
	longestQueue        = 10 * time.Second // of a wait for memory
	shortestReservation = 5 * time.Second  // of a reservation while others wait
	cutAgain            = time.Second      // until another connection is closed
)

// memory bounds the memory for answers.
type memory struct {
	slots *semaphore.Weighted // for answers while they are made
	large *semaphore.Weighted // for large bodies

	mu           sync.Mutex
	clients      map[Client]*clientSlots
	reserved     int            // bytes
	reservedBy   map[Client]int // bytes
	reservations []*reservation // the oldest first
	freed        chan struct{}  // closed when memory is freed
}

// clientSlots are the slots of a client: for answers while they are made, and for large bodies.
type clientSlots struct {
	slots, large *semaphore.Weighted
	users        int
}

func newMemory() *memory {
	return &memory{
		slots: semaphore.NewWeighted(mostMade), large: semaphore.NewWeighted(mostLarge),
		clients:    map[Client]*clientSlots{},
		reservedBy: map[Client]int{}, freed: make(chan struct{}),
	}
}

// startAnswer waits until an answer may be made. The caller calls done when it is made.
func (m *memory) startAnswer(ctx context.Context, p access.Principal, weight int64) (done func(), err error) {
	own := m.slotsOf(ClientOf(p))
	return m.acquire(ctx, ClientOf(p), weight, own.slots, m.slots)
}

// startLarge waits until the rest of a large body may be read. The caller calls done when the request has ended.
func (m *memory) startLarge(ctx context.Context, p access.Principal) (done func(), err error) {
	own := m.slotsOf(ClientOf(p))
	return m.acquire(ctx, ClientOf(p), 1, own.large, m.large)
}

// acquire waits for the slots of a client, and then for those of all. The caller calls done to release both.
func (m *memory) acquire(
	ctx context.Context, c Client, weight int64, own, all *semaphore.Weighted,
) (done func(), err error) {
	waiting, cancel := context.WithTimeout(ctx, longestQueue)
	defer cancel()
	if err := own.Acquire(waiting, weight); err != nil {
		m.releaseSlots(c)
		return nil, noMemory(ctx)
	}
	if err := all.Acquire(waiting, weight); err != nil {
		own.Release(weight)
		m.releaseSlots(c)
		return nil, noMemory(ctx)
	}
	return func() {
		all.Release(weight)
		own.Release(weight)
		m.releaseSlots(c)
	}, nil
}

// slotsOf returns the slots of a client. The caller releases them.
func (m *memory) slotsOf(c Client) *clientSlots {
	m.mu.Lock()
	defer m.mu.Unlock()
	own := m.clients[c]
	if own == nil {
		own = &clientSlots{
			slots: semaphore.NewWeighted(mostMadeClient), large: semaphore.NewWeighted(mostLargeClient),
		}
		m.clients[c] = own
	}
	own.users++
	return own
}

func (m *memory) releaseSlots(c Client) {
	m.mu.Lock()
	defer m.mu.Unlock()
	own := m.clients[c]
	if own.users--; own.users == 0 {
		delete(m.clients, c)
	}
}

// noMemory returns the error of a request that waited for memory too long, or whose
// client is gone.
func noMemory(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return fault.Cancelled(err)
	}
	e := fault.New(fault.Unavailable, "server.busy",
		"Too many large requests or answers are under way. Try again in a moment, with a smaller limit or fewer "+
			"requests at once.")
	e.RetryAfter = 2 * time.Second
	return e
}

// reservation is the memory of an answer that its client has not read yet. The zero
// value reserves nothing.
type reservation struct {
	memory  *memory
	client  Client
	bytes   int
	since   time.Time
	cut     func() // closes the connection
	counted bool
}

// reserve reserves memory for an answer of n bytes. If there is too little, it waits
// until clients have read others, and closes the connections of those that read too
// slowly. A forced reservation, for the answer to a change that was made, does not wait.
func (m *memory) reserve(ctx context.Context, x *Exchange, n int, forced bool) error {
	if n < leastReserved {
		return nil
	}
	r := &x.reservation
	*r = reservation{memory: m, client: ClientOf(x.Principal), bytes: min(n, mostReservedClient), cut: x.cut}
	until := time.NewTimer(longestQueue)
	defer until.Stop()
	for {
		wait, freed := m.admit(r, forced)
		if wait == 0 {
			return nil
		}
		again := time.NewTimer(wait)
		select {
		case <-freed:
		case <-again.C:
		case <-until.C:
			again.Stop()
			return noMemory(ctx)
		case <-ctx.Done():
			again.Stop()
			return noMemory(ctx)
		}
		again.Stop()
	}
}

// admit counts a reservation, if there is memory for it. Otherwise it closes the
// connection of the oldest one, if that is old enough, and returns when to try again.
func (m *memory) admit(r *reservation, forced bool) (wait time.Duration, freed <-chan struct{}) {
	m.mu.Lock()
	defer m.mu.Unlock()
	full := m.reservedBy[r.client]+r.bytes > mostReservedClient // of this client
	if forced || !full && m.reserved+r.bytes <= mostReserved {
		r.since = time.Now()
		r.counted = true
		m.reservations = append(m.reservations, r)
		m.reserved += r.bytes
		m.reservedBy[r.client] += r.bytes
		return 0, nil
	}
	for _, other := range m.reservations {
		if full && other.client != r.client {
			continue
		}
		if left := shortestReservation - time.Since(other.since); left > 0 {
			return left, m.freed
		}
		other.cut()
		break
	}
	return cutAgain, m.freed
}

// sent frees n bytes, which the client has read.
func (r *reservation) sent(n int) {
	if !r.counted {
		return
	}
	r.memory.mu.Lock()
	defer r.memory.mu.Unlock()
	r.free(min(n, r.bytes))
}

// end frees the rest.
func (r *reservation) end() {
	if !r.counted {
		return
	}
	m := r.memory
	m.mu.Lock()
	defer m.mu.Unlock()
	r.free(r.bytes)
	m.reservations = slices.DeleteFunc(m.reservations, func(other *reservation) bool { return other == r })
	r.counted = false
}

func (r *reservation) free(n int) {
	if n == 0 {
		return
	}
	m := r.memory
	r.bytes -= n
	m.reserved -= n
	if m.reservedBy[r.client] -= n; m.reservedBy[r.client] == 0 {
		delete(m.reservedBy, r.client)
	}
	close(m.freed)
	m.freed = make(chan struct{})
}

// Client is a token or a user, whose answers and streams are counted.
type Client struct {
	Tenant int64
	name   string
}

// ClientOf returns the client of a principal.
func ClientOf(p access.Principal) Client {
	return Client{p.Tenant, p.Actor.TokenID + "/" + strconv.FormatInt(p.Actor.UserID, 10)}
}

// StartAnswer waits until an answer may be made that needs the memory of weight common answers. The caller calls done
// when it is made.
func (k *Kernel) StartAnswer(ctx context.Context, p access.Principal, weight int64) (done func(), err error) {
	return k.memory.startAnswer(ctx, p, weight)
}

// Reserve reserves memory for the n bytes of an answer until its client has read them.
// It waits if there is too little, unless the request may have changed something.
func (k *Kernel) Reserve(ctx context.Context, n int) error {
	x := ExchangeOf(ctx)
	return k.memory.reserve(ctx, x, n, x.Request.Method != http.MethodGet)
}
