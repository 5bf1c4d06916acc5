package rest

import (
	"context"
	"slices"
	"strconv"
	"sync"
	"time"

	"golang.org/x/sync/semaphore"

	"github.com/casehook/casehook/internal/access"
	"github.com/casehook/casehook/internal/fault"
)

// The bounds of what answers take in memory. While one is made, it takes its page
// as it was read and as it is encoded, and what one item takes once it is decoded.
// After that it takes what the client has not read yet, and clients are slow: so
// answers that are made and answers that are sent have bounds of their own, and who
// is slow holds up nobody who makes one.
const (
	mostMade       = 16        // answers at once
	mostMadeClient = 8         // of them for one token or user
	mostHeld       = 64 << 20  // bytes of answers that clients have not read yet
	mostHeldClient = 16 << 20  // of them for one token or user
	leastHeld      = 128 << 10 // bytes: less than that counts for nothing
)

// How long is waited for room, and how long an answer keeps what others wait for.
const (
	longestQueue = 10 * time.Second
	shortestHold = 5 * time.Second
	cutAgain     = time.Second // after another was ended
)

// room is the memory for answers.
type room struct {
	making *semaphore.Weighted

	mu      sync.Mutex
	makers  map[Client]*maker
	held    int            // bytes
	holders map[Client]int // bytes
	answers []*hold        // the oldest first
	freed   chan struct{}  // closed when something comes free
}

// maker is a client for whom answers are made.
type maker struct {
	making *semaphore.Weighted
	users  int
}

func newRoom() *room {
	return &room{
		making: semaphore.NewWeighted(mostMade), makers: map[Client]*maker{},
		holders: map[Client]int{}, freed: make(chan struct{}),
	}
}

// make waits until an answer may be made. Done is called when it is.
func (r *room) make(ctx context.Context, p access.Principal, weight int64) (done func(), err error) {
	c := ClientOf(p)
	m := r.maker(c)
	waiting, cancel := context.WithTimeout(ctx, longestQueue)
	defer cancel()
	if err := m.making.Acquire(waiting, weight); err != nil {
		r.leave(c, m)
		return nil, noRoom(ctx)
	}
	if err := r.making.Acquire(waiting, weight); err != nil {
		m.making.Release(weight)
		r.leave(c, m)
		return nil, noRoom(ctx)
	}
	return func() {
		r.making.Release(weight)
		m.making.Release(weight)
		r.leave(c, m)
	}, nil
}

func (r *room) maker(c Client) *maker {
	r.mu.Lock()
	defer r.mu.Unlock()
	m := r.makers[c]
	if m == nil {
		m = &maker{making: semaphore.NewWeighted(mostMadeClient)}
		r.makers[c] = m
	}
	m.users++
	return m
}

func (r *room) leave(c Client, m *maker) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if m.users--; m.users == 0 {
		delete(r.makers, c)
	}
}

// noRoom says that it was waited for too long, or that the client is gone.
func noRoom(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return fault.Wrap(err, fault.Unavailable, "request.cancelled", "The request was given up before it was carried out.")
	}
	e := fault.New(fault.Unavailable, "server.busy",
		"Too many large answers are under way. Try again in a moment, with a smaller limit or fewer requests at once.")
	e.RetryAfter = 2 * time.Second
	return e
}

// hold is an answer that its client has not read yet. The zero value holds nothing.
type hold struct {
	room   *room
	client Client
	bytes  int
	since  time.Time
	cut    func() // ends the connection
	inside bool   // it is counted
}

// enter counts an answer of n bytes. Where there is no room it waits until others
// have been read; those that are not after a while make room. A forced answer, of
// what has been done already, waits for nobody.
func (r *room) enter(ctx context.Context, x *Exchange, n int, forced bool) error {
	if n < leastHeld {
		return nil
	}
	h := &x.held
	*h = hold{room: r, client: ClientOf(x.Principal), bytes: min(n, mostHeldClient), cut: x.cut}
	until := time.NewTimer(longestQueue)
	defer until.Stop()
	for {
		wait, freed := r.admit(h, forced)
		if wait == 0 {
			return nil
		}
		again := time.NewTimer(wait)
		select {
		case <-freed:
		case <-again.C:
		case <-until.C:
			again.Stop()
			return noRoom(ctx)
		case <-ctx.Done():
			again.Stop()
			return noRoom(ctx)
		}
		again.Stop()
	}
}

// admit lets an answer in, if there is room. Otherwise it ends the one that has been
// held for longest, if that is long enough, and returns when to look again.
func (r *room) admit(h *hold, forced bool) (wait time.Duration, freed <-chan struct{}) {
	r.mu.Lock()
	defer r.mu.Unlock()
	crowded := r.holders[h.client]+h.bytes > mostHeldClient
	if forced || !crowded && r.held+h.bytes <= mostHeld {
		h.since = time.Now()
		h.inside = true
		r.answers = append(r.answers, h)
		r.held += h.bytes
		r.holders[h.client] += h.bytes
		return 0, nil
	}
	for _, other := range r.answers {
		if crowded && other.client != h.client {
			continue
		}
		if left := shortestHold - time.Since(other.since); left > 0 {
			return left, r.freed
		}
		other.cut()
		break
	}
	return cutAgain, r.freed
}

// sent counts what the client has read.
func (h *hold) sent(n int) {
	if !h.inside {
		return
	}
	h.room.mu.Lock()
	defer h.room.mu.Unlock()
	h.free(min(n, h.bytes))
}

// end frees what is left.
func (h *hold) end() {
	if !h.inside {
		return
	}
	h.room.mu.Lock()
	defer h.room.mu.Unlock()
	h.free(h.bytes)
	h.room.answers = slices.DeleteFunc(h.room.answers, func(other *hold) bool { return other == h })
	h.inside = false
}

func (h *hold) free(n int) {
	if n == 0 {
		return
	}
	r := h.room
	h.bytes -= n
	r.held -= n
	if r.holders[h.client] -= n; r.holders[h.client] == 0 {
		delete(r.holders, h.client)
	}
	close(r.freed)
	r.freed = make(chan struct{})
}

// Client is a token or a user, for which answers and streams are counted.
type Client struct {
	Tenant int64
	name   string
}

// ClientOf returns the client that a principal is.
func ClientOf(p access.Principal) Client {
	return Client{p.Tenant, p.Actor.TokenID + "/" + strconv.FormatInt(p.Actor.UserID, 10)}
}

// StartAnswer waits until an answer may be made, which takes the room of weight
// common ones. Done is called when it is made.
func (k *Kernel) StartAnswer(ctx context.Context, p access.Principal, weight int64) (done func(), err error) {
	return k.room.make(ctx, p, weight)
}

// Reserve counts the n bytes of the answer of a request, which are held until its
// client has read them. It waits where there is no room.
func (k *Kernel) Reserve(ctx context.Context, n int) error {
	return k.room.enter(ctx, ExchangeOf(ctx), n, false)
}
