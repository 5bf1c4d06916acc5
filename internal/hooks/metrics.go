package hooks

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/casehook/casehook/internal/access"
	"github.com/casehook/casehook/internal/casetype"
	"github.com/casehook/casehook/internal/fault"
	"github.com/casehook/casehook/internal/input"
	"github.com/casehook/casehook/internal/store"
)

// MetricsQuery selects attempts that are to be counted.
type MetricsQuery struct {
	Endpoint string        // empty: all
	Step     time.Duration // a minute or an hour
	Since    time.Time     // zero: defaultPoints steps before Until
	Until    time.Time     // zero: now
}

// DeliveryMetrics are counts of attempts, one for each step from Since until Until.
type DeliveryMetrics struct {
	Since, Until time.Time
	Points       []store.DeliveryCount
	Complete     bool // false: only the newest attempts were counted
}

// Sum returns the sum of the points.
func (m DeliveryMetrics) Sum() (sum store.DeliveryCount) {
	sum.Start = m.Since
	for _, c := range m.Points {
		sum.Delivered += c.Delivered
		sum.Failed += c.Failed
		sum.Duration += c.Duration
	}
	return sum
}

// The numbers of points in one answer.
const (
	defaultPoints = 60
	maxPoints     = 400
)

// DeliveryMetrics counts the attempts at an endpoint, or at all endpoints that the caller sees, by the time at which
// they began. Attempts at a deleted endpoint count for callers who see everything. Callers who may not read all case
// types get counts of the newest attempts that they see.
func (s *Messages) DeliveryMetrics(
	ctx context.Context, p access.Principal, q MetricsQuery,
) (m DeliveryMetrics, err error) {
	if err := s.guard.Permit(ctx, p, access.GetDeliveryMetrics); err != nil {
		return m, err
	}
	m, err = s.points(q)
	if err != nil || len(m.Points) == 0 || !input.Word(q.Endpoint) {
		return m, err
	}
	sees, err := s.subjectVisibility(ctx, p)
	if err != nil {
		return m, err
	}
	var counts []store.DeliveryCount
	if len(sees.reader.Without) > 0 {
		counts, m.Complete, err = s.countVisible(ctx, p, q, m)
	} else {
		counts, err = s.deliveryCounts(ctx, p, q, m)
	}
	for _, c := range counts {
		m.Points[c.Start.Sub(m.Since)/q.Step] = c
	}
	return m, err
}

// points returns the metrics with a point for each step.
func (s *Messages) points(q MetricsQuery) (m DeliveryMetrics, err error) {
	m.Until, m.Complete = q.Until.UTC(), true
	if q.Until.IsZero() {
		m.Until = s.now().UTC().Add(time.Microsecond) // so that the step which begins now counts
	}
	m.Since = q.Since.UTC().Truncate(q.Step)
	if q.Since.IsZero() {
		m.Since = m.Until.Add(-1).Truncate(q.Step).Add(-(defaultPoints - 1) * q.Step)
	}
	if m.Until.Sub(m.Since) > maxPoints*q.Step {
		tooMany := fault.New(fault.Invalid, "request.invalid",
			"The period has more than %d steps. Ask for a shorter period, or for longer steps.", maxPoints)
		tooMany.Fields = []fault.Field{{Path: "query.since", Message: "is too long before the end of the period"}}
		return m, tooMany
	}
	for at := m.Since; at.Before(m.Until); at = at.Add(q.Step) {
		m.Points = append(m.Points, store.DeliveryCount{Start: at})
	}
	return m, nil
}

// deliveryCounts reads the counts that the caller sees by their clearance.
func (s *Messages) deliveryCounts(
	ctx context.Context, p access.Principal, q MetricsQuery, m DeliveryMetrics,
) ([]store.DeliveryCount, error) {
	period := store.CountPeriod{Span: q.Step, Since: m.Since, Until: m.Until}
	if q.Endpoint == "" {
		classes := slices.DeleteFunc(casetype.Classifications(), func(c casetype.Classification) bool {
			return !p.Clearance.Sees(c)
		})
		return s.store.TotalCounts(ctx, p.Tenant, classes, period)
	}
	if !p.Clearance.Sees(casetype.Restricted) {
		e, err := findEndpoint(ctx, s.store, p, q.Endpoint)
		if errors.Is(err, fault.NotFound) || err == nil && !p.Clearance.Sees(e.Reached) {
			return nil, nil
		}
		if err != nil {
			return nil, err
		}
	}
	return s.store.EndpointCounts(ctx, p.Tenant, q.Endpoint, period)
}

// countVisible counts the newest attempts that the caller sees. complete reports whether these are all.
func (s *Messages) countVisible(
	ctx context.Context, p access.Principal, q MetricsQuery, m DeliveryMetrics,
) (counts []store.DeliveryCount, complete bool, err error) {
	found, next, err := s.attempts(ctx, p, store.AttemptFilter{
		Endpoint: q.Endpoint, Since: m.Since, Until: m.Until, Limit: input.MaxPage,
	})
	for i := range found {
		a := &found[i]
		start := a.At.UTC().Truncate(q.Step)
		at := slices.IndexFunc(counts, func(c store.DeliveryCount) bool { return c.Start.Equal(start) })
		if at < 0 {
			at = len(counts)
			counts = append(counts, store.DeliveryCount{Start: start})
		}
		counts[at].Add(a)
	}
	return counts, next == 0, err
}
