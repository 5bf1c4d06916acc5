// Package endpoint describes receivers: their URL, the messages that they want, their secrets, and the policy of
// delivery to them. It is pure.
package endpoint

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/casehook/casehook/internal/casetype"
	"github.com/casehook/casehook/internal/fault"
	"github.com/casehook/casehook/internal/spelling"
	"github.com/casehook/casehook/internal/weburl"
)

// Endpoint is a receiver.
type Endpoint struct {
	ID          string
	Tenant      int64
	Name        string            // a handle for configuration as code; unique in the tenant, or empty
	URL         string            // http or https
	Description string            // for people
	Metadata    map[string]string // for programs; Casehook only stores it
	Auth        Auth              // how its requests authenticate
	TLS         TLS               // certificates and key of its connections
	Headers     []Header          // sent with each request, sorted by name
	Triggers    []string          // names, sorted; at least one
	Sources     []string          // "ui", "api", sorted; empty: both
	IgnoreOwn   bool              // skip changes that Token made
	Filter      string            // a condition in CEL that messages have to meet; empty: all do
	Token       string            // id of the integration's own API token; empty where a person made the endpoint
	// "user/7", "token/tok_..."; the endpoint receives only cases that its owner may read; empty: no owner
	Owner  string
	Status Status
	Policy Policy
	Options
	Clearance   casetype.Classification // the highest that it receives
	Reached     casetype.Classification // the highest clearance it has had, which its attempts may quote
	Secrets     []Secret                // the newest first; all that have not expired sign
	ExpiredFrom time.Time               // time of the first entry that it lost, stopped for too long; zero: none
	ExpiredTo   time.Time               // and the last
	Health      Health                  // delivery's own to change
	Revision    int64                   // grows with every change of the settings above, not of the health
	CreatedAt   time.Time
	UpdatedAt   time.Time
	Later       map[string]json.RawMessage // settings that a newer Casehook has saved, by name; this one keeps them
}

// Status tells whether messages are sent.
type Status string

// The statuses.
const (
	Active   Status = "active"
	Paused   Status = "paused"   // by a person: the cursor does not move
	Disabled Status = "disabled" // by the receiver's answer 410, or because it failed for too long
)

// Order determines which messages wait for which.
type Order string

// The orders.
const (
	PerCase Order = "per-case" // a subject's next message waits for the one before
	Strict  Order = "strict"   // one message at a time
	None    Order = "none"     // nothing waits
)

// Policy bounds the tries of delivery. The zero value means the defaults.
type Policy struct {
	// Retries are the waits before the second, third, ... try; nil is DefaultRetries, empty is none.
	Retries     []time.Duration `json:"retries"`     // nanoseconds in the database
	Timeout     time.Duration   `json:"timeout"`     // for one try, from dialling to the last byte of the answer
	Concurrency int             `json:"concurrency"` // requests under way at once
	Order       Order           `json:"order"`
	RateLimit   float64         `json:"rate_limit"` // requests per second, of all kinds; 0: no limit
}

// The defaults and bounds of a policy.
const (
	DefaultTimeout     = 15 * time.Second
	MaxTimeout         = 60 * time.Second
	DefaultConcurrency = 8
	MaxConcurrency     = 64
	MinRateLimit       = 0.01
	MaxRateLimit       = 1000
	MaxRetries         = 30
	MaxRetryWait       = 24 * time.Hour
)

// DefaultRetries tries for about 28 hours.
var DefaultRetries = []time.Duration{
	5 * time.Second, 30 * time.Second, 2 * time.Minute, 10 * time.Minute, 30 * time.Minute,
	time.Hour, 2 * time.Hour, 4 * time.Hour, 8 * time.Hour, 12 * time.Hour,
}

// WithDefaults returns the policy with defaults for the fields that are not set.
func (p Policy) WithDefaults() Policy {
	if p.Retries == nil {
		p.Retries = DefaultRetries
	}
	if p.Timeout == 0 {
		p.Timeout = DefaultTimeout
	}
	if p.Concurrency == 0 {
		p.Concurrency = DefaultConcurrency
	}
	if p.Order == "" {
		p.Order = PerCase
	}
	return p
}

// Retry returns the wait after the given number of failed tries, and false when there are no more. Jitter, in [0,1),
// spreads it over 80 % to 120 % of the schedule, so that messages that failed together are not retried together.
func (p Policy) Retry(failed int, jitter float64) (time.Duration, bool) {
	if failed < 1 || failed > len(p.Retries) {
		return 0, false
	}
	wait := p.Retries[failed-1]
	return time.Duration(float64(wait) * (0.8 + 0.4*jitter)), true
}

// LongestWait returns the longest time that the schedule lets a message wait.
func (p Policy) LongestWait() time.Duration {
	longest := time.Duration(0)
	for i := range p.Retries {
		wait, _ := p.Retry(i+1, 1)
		longest = max(longest, wait)
	}
	return longest
}

// Check lists the faults of an endpoint. Triggers are those that exist.
func (e Endpoint) Check(triggers []string) []fault.Field {
	var faults []fault.Field
	add := func(path, message string) { faults = append(faults, fault.Field{Path: path, Message: message}) }
	if _, err := weburl.Canonical(e.URL); err != nil {
		add("/url", err.Error())
	}
	if len(e.Name) > 100 {
		add("/name", "is longer than 100 bytes")
	}
	if len(e.Triggers) == 0 {
		add("/triggers", "is empty; an endpoint listens to at least one trigger")
	}
	for i, trigger := range e.Triggers {
		if !slices.Contains(triggers, trigger) {
			add("/triggers/"+strconv.Itoa(i), strconv.Quote(trigger)+" is not a trigger"+spelling.DidYouMean(trigger,
				triggers)+"; GET /v1/triggers lists them")
		}
	}
	faults = append(faults, e.Options.check()...)
	faults = append(faults, e.checkSettings()...)
	faults = append(faults, e.checkSources()...)
	return append(faults, e.Policy.check()...)
}

func (p Policy) check() []fault.Field {
	var faults []fault.Field
	add := func(path, message string) {
		faults = append(faults, fault.Field{Path: "/policy/" + path, Message: message})
	}
	if p.Timeout < 0 || p.Timeout > MaxTimeout {
		add("timeout", "is not between 0 and "+MaxTimeout.String())
	}
	if p.Concurrency < 0 || p.Concurrency > MaxConcurrency {
		add("concurrency", "is not between 1 and "+strconv.Itoa(MaxConcurrency))
	}
	if len(p.Retries) > MaxRetries {
		add("retries", "has more than "+strconv.Itoa(MaxRetries)+" waits")
	}
	for i, wait := range p.Retries {
		if wait <= 0 || wait > MaxRetryWait {
			add("retries/"+strconv.Itoa(i), "is not above 0 and at most "+MaxRetryWait.String())
		}
	}
	if p.RateLimit != 0 && !(p.RateLimit >= MinRateLimit && p.RateLimit <= MaxRateLimit) {
		add("rate_limit",
			fmt.Sprintf("is neither 0, which is no limit, nor between %v and %v requests per second", MinRateLimit,
				MaxRateLimit))
	}
	if !slices.Contains([]Order{"", PerCase, Strict, None}, p.Order) {
		add("order", "is not one of per-case, strict, none")
	}
	return faults
}
