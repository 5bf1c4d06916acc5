package machine

import (
	"time"

	"golang.org/x/time/rate"
)

// pace spreads an endpoint's requests: in any time t no more than a burst and
// rate*t are sent, of all its cursors. The burst is what a second has, at least
// one request. The zero value sets no limit.
type pace struct {
	limiter *rate.Limiter
	next    time.Time // when there is a request to be had again
}

func newPace(perSecond float64) pace {
	if perSecond <= 0 {
		return pace{}
	}
	return pace{limiter: rate.NewLimiter(rate.Limit(perSecond), burst(perSecond))}
}

func burst(perSecond float64) int { return max(1, int(perSecond)) }

// inherit goes on where the endpoint's pace before a change left off.
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

// spend counts a request that is sent.
func (p *pace) spend(now time.Time) {
	if p.limiter != nil {
		p.limiter.ReserveN(now, 1)
	}
}
