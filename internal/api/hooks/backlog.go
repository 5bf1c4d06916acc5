package hooks

import (
	"context"

	"github.com/casehook/casehook/internal/access"
	"github.com/casehook/casehook/internal/api/rest"
	"github.com/casehook/casehook/internal/hooks"
)

// Backlog sums up what endpoints are owed.
type Backlog struct {
	Endpoints int             `json:"endpoints" doc:"The endpoints that are counted: the oldest 100 that you see." example:"7"`
	More      bool            `json:"more" doc:"There are further endpoints, which are not counted." example:"false"`
	Stopped   int             `json:"stopped" doc:"Endpoints that are paused or disabled." example:"1"`
	Behind    int             `json:"behind" doc:"Endpoints that have not passed all commits of the tenant." example:"2"`
	Entries   int64           `json:"entries" doc:"Commits that the endpoint which is furthest behind has not passed." example:"42"`
	Estimated bool            `json:"estimated" doc:"It is so far behind that entries is an estimate." example:"false"`
	Oldest    rest.TimeOrNull `json:"oldest" doc:"When the oldest of these commits was made; null: there is none."`
	Parked    int64           `json:"parked" doc:"Lanes whose first message has failed and waits for its next try. Of one endpoint, 1000 stands for all beyond." example:"3"`
	Dead      int64           `json:"dead" doc:"Messages that were given up. Of one endpoint, 1000 stands for all beyond." example:"0"`
}

func (h endpointHandler) registerBacklog() {
	rest.Handle(h.kernel, rest.Operation{
		ID: access.GetBacklog, Pattern: "GET /v1/metrics/backlog", Tag: "endpoints",
		Summary: "Sum up what endpoints are owed",
		Description: "What waits, and what was given up, at all endpoints that you see together. GET " +
			"/v1/endpoints/{id}/lag has the numbers of one.",
	}, func(ctx context.Context, _ *struct{}) (*struct{ Body Backlog }, error) {
		b, all, err := h.service.Endpoints.Backlog(ctx, rest.PrincipalOf(ctx))
		if err != nil {
			return nil, err
		}
		return &struct{ Body Backlog }{showBacklog(b, len(all))}, nil
	})
}

func showBacklog(b hooks.Backlog, endpoints int) Backlog {
	return Backlog{
		Endpoints: endpoints, More: b.More, Stopped: b.Stopped, Behind: b.Behind, Entries: b.Furthest.Entries,
		Estimated: b.Furthest.Estimated, Oldest: rest.TimeOrNull(b.Furthest.Oldest), Parked: b.Parked, Dead: b.Dead,
	}
}
