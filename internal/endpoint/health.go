package endpoint

import (
	"net/url"
	"time"
)

// Health records an endpoint's recent failures. It is saved, so that a restart or another node knows for how long it
// has been failing.
type Health struct {
	Version  int64     // grows with every change of it
	Since    time.Time // of the first of its failures in a row; zero: it does not fail
	Counted  time.Time // since when they count towards disabling it; zero: from the next failure on
	Reason   string    // of the last failure that was saved
	Reported bool      // endpoint.failing was published, and endpoint.recovered not yet
	Notable  bool      // some of the counted failures were of messages that are not about endpoints
	Breaker  Breaker
}

// Breaker stops messages to an endpoint that is down.
type Breaker string

// The breaker's states.
const (
	Closed      Breaker = ""
	Open        Breaker = "open"
	Unconnected Breaker = "unconnected" // open, because no connection succeeds
	Refuses     Breaker = "refuses"     // closed: it answers, but has accepted nothing for a while
)

// Condition is an endpoint's health in a word.
type Condition string

// The conditions.
const (
	Healthy  Condition = "healthy"
	Unsteady Condition = "unsteady" // its last try failed, which may pass soon
	Failing  Condition = "failing"  // it accepts nothing; messages wait
	Refusing Condition = "refusing" // it answers, but accepts nothing; messages become dead
	Down     Condition = "disabled"
)

// Condition returns the summary of an endpoint's health.
func (e Endpoint) Condition() Condition {
	switch h := e.Health; {
	case e.Status == Disabled:
		return Down
	case h.Breaker == Refuses:
		return Refusing
	case h.Reported, h.Breaker == Open, h.Breaker == Unconnected:
		return Failing
	case !h.Since.IsZero():
		return Unsteady
	}
	return Healthy
}

// ShownURL returns the endpoint's URL as other endpoints receive it: without user and query, which may hold
// credentials.
func (e Endpoint) ShownURL() string {
	u, err := url.Parse(e.URL)
	if err != nil {
		return "" // impossible: it was checked
	}
	u.User, u.RawQuery, u.ForceQuery, u.Fragment, u.RawFragment = nil, "", false, "", ""
	return u.String()
}
