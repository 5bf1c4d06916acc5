package ui

import (
	"context"
	"io"
	"net/http"
	"sync"
	"time"

	"github.com/casehook/casehook/internal/access"
	"github.com/casehook/casehook/internal/api/rest"
	"github.com/casehook/casehook/internal/fault"
)

// Pages get themselves again when they are told that something was committed. They are told so once in liveInterval at
// most, and a second time soon after, when webhooks have arrived. Retries are no commits: pages are also told every
// liveTick, and then the session is checked again.
const (
	liveInterval = time.Second
	liveTick     = 10 * time.Second
	liveLifetime = 10 * time.Minute // then the browser connects again
	livePerUser  = 30               // open pages
	livePerSite  = 5000
)

// livePages counts the pages that are open.
type livePages struct {
	mu    sync.Mutex
	all   int
	users map[rest.Client]int
}

// enter counts a page more, or refuses it. The caller calls done when it is closed.
func (l *livePages) enter(p access.Principal) (done func(), err error) {
	user := rest.ClientOf(p)
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.all >= livePerSite || l.users[user] >= livePerUser {
		return nil, fault.New(fault.TooMany, "console.too_many",
			"You have too many live pages open. Close some of them; the others can be used, but are not live.")
	}
	l.all++
	l.users[user]++
	return func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.all--
		if l.users[user]--; l.users[user] == 0 {
			delete(l.users, user)
		}
	}, nil
}

// serveLive serves the stream of events that keeps pages live.
func (s *Site) serveLive() {
	pages := &livePages{users: map[rest.Client]int{}}
	s.pages["GET /live"] = access.GetSession
	s.config.Kernel.HandleFunc("GET /live", func(_ http.ResponseWriter, request *http.Request) {
		x := rest.ExchangeOf(request.Context())
		r := &Request{Exchange: x, site: s}
		_, err := s.answer(r, access.GetSession, func(context.Context, *Request) (View, error) { return View{}, nil })
		var done func()
		if err == nil {
			done, err = pages.enter(r.Principal)
		}
		if err != nil {
			s.config.Kernel.Problem(x.Request.Context(), err).Write(x)
			return
		}
		defer done()
		x.Header().Set("Content-Type", "text/event-stream")
		x.Header().Set("Cache-Control", "no-store")
		x.Header().Set("X-Accel-Buffering", "no")
		s.stream(x.Request.Context(), x, r.Principal)
	})
}

// stream tells a page of commits until the page is closed, the session ends, or the server stops. A receiver's page is
// told at each tick alone: commits of the tenant are not theirs to see.
func (s *Site) stream(ctx context.Context, x *rest.Exchange, p access.Principal) {
	control := http.NewResponseController(x)
	send := func(event string) error {
		if _, err := io.WriteString(x, "event: "+event+"\ndata: 1\n\n"); err != nil {
			return err
		}
		return control.Flush()
	}
	tick := time.NewTicker(liveTick)
	defer tick.Stop()
	end := time.NewTimer(liveLifetime)
	defer end.Stop()
	again := time.NewTimer(time.Hour)
	again.Stop()
	defer again.Stop()
	var committed <-chan struct{}
	if p.Role != access.Receiver {
		committed = s.config.Wait(p.Tenant)
	}
	if send("ready") != nil {
		return
	}
	for {
		select {
		case <-committed:
			committed = nil // until the next turn
			again.Reset(liveInterval)
		case <-again.C:
			committed = s.config.Wait(p.Tenant)
		case <-tick.C:
			if _, err := s.config.Kernel.Reauthenticate(ctx); err != nil {
				return
			}
		case <-end.C:
			return
		case <-s.config.Stop:
			return
		case <-ctx.Done():
			return
		}
		if send("changed") != nil {
			return
		}
	}
}
