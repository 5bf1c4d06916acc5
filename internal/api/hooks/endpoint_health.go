package hooks

import (
	"context"
	"net/http"

	"github.com/casehook/casehook/internal/access"
	"github.com/casehook/casehook/internal/api/rest"
	"github.com/casehook/casehook/internal/endpoint"
	"github.com/casehook/casehook/internal/store"
)

// EndpointCondition is the health of an endpoint in short.
type EndpointCondition struct {
	Condition    endpoint.Condition `json:"condition" enum:"healthy,unsteady,failing,refusing,disabled" doc:"healthy: it accepted, or refused, its last message; unsteady: its last message failed; failing: it is down, and its messages wait; refusing: it answers, and for ten minutes has accepted no message of several cases; disabled: it was down for too long, or answered 410." example:"failing"`
	FailingSince rest.TimeOrNull    `json:"failing_since" doc:"Since when it has not answered, or has refused all messages; null: neither."`
	Reason       *string            `json:"reason" doc:"Of a failure since then; null: there was none." example:"503 Service Unavailable"`
}

// EndpointHealth is the health of an endpoint.
type EndpointHealth struct {
	EndpointCondition
	Breaker         string          `json:"breaker" enum:"open,closed" doc:"open: one message at a time is tried until the endpoint is back, and no retries are used up; closed: messages flow." example:"open"`
	LastAttemptAt   rest.TimeOrNull `json:"last_attempt_at" doc:"When it was last sent a message; null: never, as far as is recorded."`
	LastDeliveredAt rest.TimeOrNull `json:"last_delivered_at" doc:"When it last accepted a message, repetitions apart; null: never, as far as is recorded."`
}

func (h endpointHandler) registerHealth() {
	rest.Handle(h.kernel, rest.Operation{
		ID: access.GetEndpointHealth, Pattern: "GET /v1/endpoints/{id}/health", Tag: "endpoints",
		Summary: "Get an endpoint's health",
		Description: "Other endpoints can subscribe to changes of it: endpoint.failing, endpoint.disabled and " +
			"endpoint.recovered.",
		Problems: []int{http.StatusNotFound},
	}, func(ctx context.Context, in *InEndpoint) (*struct{ Body EndpointHealth }, error) {
		e, c, err := h.service.Endpoints.EndpointHealth(ctx, rest.PrincipalOf(ctx), in.ID)
		if err != nil {
			return nil, err
		}
		return &struct{ Body EndpointHealth }{showEndpointHealth(e, c)}, nil
	})
}

func showCondition(e endpoint.Endpoint) EndpointCondition {
	return EndpointCondition{Condition: e.Condition(), FailingSince: rest.TimeOrNull(e.Health.Since),
		Reason: rest.OrNull(e.Health.Reason)}
}

func showEndpointHealth(e endpoint.Endpoint, c store.LastContact) EndpointHealth {
	breaker := "closed"
	if e.Health.Breaker == endpoint.Open || e.Health.Breaker == endpoint.Unconnected {
		breaker = "open"
	}
	return EndpointHealth{EndpointCondition: showCondition(e), Breaker: breaker,
		LastAttemptAt: rest.TimeOrNull(c.Attempt), LastDeliveredAt: rest.TimeOrNull(c.Delivered)}
}
