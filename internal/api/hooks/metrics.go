package hooks

import (
	"context"
	"net/http"
	"time"

	"github.com/casehook/casehook/internal/access"
	"github.com/casehook/casehook/internal/api/rest"
	"github.com/casehook/casehook/internal/hooks"
)

// DeliveryMetrics are counts of attempts by time.
type DeliveryMetrics struct {
	Since    rest.Time       `json:"since" doc:"The start of the first step."`
	Until    rest.Time       `json:"until" doc:"The end of the period."`
	Step     string          `json:"step" enum:"minute,hour" doc:"The length of a step." example:"minute"`
	Complete bool            `json:"complete" doc:"false: only the newest of the attempts that you see were counted." example:"true"`
	Points   []DeliveryPoint `json:"points" doc:"One for each step, the oldest first, also where there was no attempt."`
}

// DeliveryPoint counts the attempts that began within a step.
type DeliveryPoint struct {
	Start      rest.Time `json:"start" doc:"The start of the step."`
	Delivered  int64     `json:"delivered" doc:"How many attempts the receivers accepted." example:"42"`
	Failed     int64     `json:"failed" doc:"How many attempts failed." example:"1"`
	DurationMS int64     `json:"duration_ms" doc:"The durations of all these attempts together." example:"1630"`
}

type shownMetrics struct{ Body DeliveryMetrics }

// metricSteps are the steps by their names in the API.
var metricSteps = map[string]time.Duration{"minute": time.Minute, "hour": time.Hour}

func (h attemptHandler) registerMetrics() {
	rest.Handle(h.kernel, rest.Operation{
		ID: access.GetDeliveryMetrics, Pattern: "GET /v1/metrics/deliveries", Tag: "attempts",
		Summary: "Count attempts by time",
		Description: "How many attempts were accepted and how many failed in each minute or hour, at one endpoint or at " +
			"all that you see. An answer has 400 steps at most. Counts by the minute are kept for six hours, counts by " +
			"the hour for 60 days. For whoever may not read all case types, the newest 1,000 attempts that they see are " +
			"counted.",
		Problems: []int{http.StatusBadRequest},
	}, h.deliveryMetrics)
}

func (h attemptHandler) deliveryMetrics(ctx context.Context, in *struct {
	Endpoint string    `query:"endpoint" maxLength:"100" doc:"At the endpoint with this id; absent: at all." example:"ep_0197c2f0a1b27c3d8e4f5a6b7c8d9e0f"`
	Since    time.Time `query:"since" doc:"Begin with the step that has this time; absent: 60 steps before the end." example:"2026-01-31T08:00:00Z"`
	Until    time.Time `query:"until" doc:"End before this time; absent: now." example:"2026-01-31T09:00:00Z"`
	Step     string    `query:"step" enum:"minute,hour" default:"minute" doc:"The length of a step."`
}) (*shownMetrics, error) {
	m, err := h.service.Messages.DeliveryMetrics(ctx, rest.PrincipalOf(ctx), hooks.MetricsQuery{
		Endpoint: in.Endpoint, Step: metricSteps[in.Step], Since: in.Since, Until: rest.PeriodEnd(in.Until),
	})
	if err != nil {
		return nil, err
	}
	points := make([]DeliveryPoint, len(m.Points))
	for i, c := range m.Points {
		points[i] = DeliveryPoint{rest.Time(c.Start), c.Delivered, c.Failed, c.Duration.Milliseconds()}
	}
	return &shownMetrics{DeliveryMetrics{rest.Time(m.Since), rest.Time(m.Until), in.Step, m.Complete, points}}, nil
}
