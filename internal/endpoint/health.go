package endpoint

import (
	"net/url"
	"time"
)

// Health is how an endpoint has fared lately. It is saved, so that neither a
// restart nor another node forgets for how long it has been failing.
type Health struct {
	Version  int64     // grows with every change of it
	Since    time.Time // of the first of its failures in a row; zero: it does not fail
	Counted  time.Time // from when they count towards being disabled; zero: from the next one on
	Reason   string    // of the failure that was noted last
	Reported bool      // endpoint.failing was published, and endpoint.recovered not yet
	Notable  bool      // of the failures that count, not all were at messages about endpoints
	Breaker  Breaker
}

// Breaker is what keeps messages from an endpoint that is down.
type Breaker string

// The breaker's states.
const (
	Closed      Breaker = ""
	Open        Breaker = "open"
	Unconnected Breaker = "unconnected" // open, and only because nothing connects
	Refuses     Breaker = "refuses"     // closed: it answers, and has taken nothing for a while
)

// Condition is an endpoint's health in a word.
type Condition string

// The conditions.
const (
	Healthy  Condition = "healthy"
	Unsteady Condition = "unsteady" // it failed last, which may be a matter of moments
	Failing  Condition = "failing"  // it takes nothing; messages wait
	Refusing Condition = "refusing" // it answers, and takes nothing; messages are given up
	Down     Condition = "disabled"
)

// Condition sums an endpoint's health up.
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

// ShownURL is the endpoint's URL as other endpoints receive it: without a user, and
// without the query, where receivers like to put their keys.
func (e Endpoint) ShownURL() string {
	u, err := url.Parse(e.URL)
	if err != nil {
		return "" // can't be: it was checked
	}
	u.User, u.RawQuery, u.ForceQuery, u.Fragment, u.RawFragment = nil, "", false, "", ""
	return u.String()
}
