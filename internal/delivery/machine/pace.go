package machine

import (
	"time"

	"golang.org/x/time/rate"
)

// pace is an endpoint's rate limit: in any time t, all its cursors together send at most
// a burst and rate*t requests. The burst is one second's requests, at least one. The
// zero value sets no limit.
type pace struct {
	limiter *rate.Limiter
	next    time.Time // when the next request may be sent, if the burst is used up
}

func newPace(perSecond float64) pace {
	if perSecond <= 0 {
		return pace{}
	}
	return pace{limiter: rate.NewLimiter(rate.Limit(perSecond), burst(perSecond))}
}

func burst(perSecond float64) int { return max(1, int(perSecond)) }

// inherit continues the pace that the endpoint had before a change.
func (p *pace) inherit(before pace, now time.Time) {
	if p.limiter == nil || before.limiter == nil {
		return
	}
	limit, size := p.limiter.Limit(), p.limiter.Burst()
	p.limiter = before.limiter
	p.limiter.SetLimitAt(now, limit)
	p.limiter.SetBurstAt(now, size)
}

// may reports whether a request may be sent.
func (p *pace) may(now time.Time) bool {
	if p.limiter == nil {
		return true
	}
	const nearly = 1 - 1e-9 // fractions of a request don't add up exactly
	missing := nearly - p.limiter.TokensAt(now)
	if missing <= 0 {
		p.next = time.Time{}
		return true
	}
	p.next = now.Add(time.Duration(missing/float64(p.limiter.Limit())*float64(time.Second)) + time.Microsecond)
	return false
}

// spend counts a request.
func (p *pace) spend(now time.Time) {
	if p.limiter != nil {
		p.limiter.ReserveN(now, 1)
	}
}
