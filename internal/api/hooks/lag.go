package hooks

import (
	"context"
	"net/http"
	"time"

	"github.com/casehook/casehook/internal/access"
	"github.com/casehook/casehook/internal/api/rest"
	"github.com/casehook/casehook/internal/fault"
	"github.com/casehook/casehook/internal/hooks"
	"github.com/casehook/casehook/internal/store"
)

// Lag is the number of commits, and the time, by which an endpoint is behind.
type Lag struct {
	Entries   int64           `json:"entries" doc:"Commits of the tenant that it has not passed yet, whether it receives them or not." example:"3"`
	Estimated bool            `json:"estimated" doc:"It is so far behind that entries is an estimate." example:"false"`
	Oldest    rest.TimeOrNull `json:"oldest" doc:"When the oldest of them was committed, those that wait for another try included; null: there is none. Commits that it does not receive are passed within 10 seconds."`
	Parked    int64           `json:"parked" doc:"Lanes whose first message has failed and waits for its next try." example:"0"`
	Dead      int64           `json:"dead" doc:"Messages that were given up; 1000 stands for all beyond." example:"0"`
}

func (h endpointHandler) registerLag() {
	rest.Handle(h.kernel, rest.Operation{
		ID: access.GetLag, Pattern: "GET /v1/endpoints/{id}/lag", Tag: "endpoints",
		Summary: "Get an endpoint's lag",
		Description: "The messages that it has not been sent yet: exactly for the next thousand commits, and " +
			"estimated beyond.",
		Problems: []int{http.StatusNotFound},
	}, func(ctx context.Context, in *InEndpoint) (*struct{ Body Lag }, error) {
		l, err := h.service.Endpoints.Lag(ctx, rest.PrincipalOf(ctx), in.ID)
		if err != nil {
			return nil, err
		}
		return &struct{ Body Lag }{showLag(l)}, nil
	})
}

func showLag(l store.Lag) Lag {
	return Lag{Entries: l.Entries, Estimated: l.Estimated, Oldest: rest.TimeOrNull(l.Oldest), Parked: l.Parked,
		Dead: l.Dead}
}

// Moment is a position in the journal: now, beginning, or a time.
type Moment string

// parse parses the moment at a path of the body. The empty one is now.
func (m Moment) parse(path string) (from hooks.Start, err error) {
	switch m {
	case "", "now":
		return from, nil
	case "beginning":
		return hooks.Start{Beginning: true}, nil
	}
	if from.At, err = time.Parse(time.RFC3339, string(m)); err != nil || from.At.IsZero() {
		return from, fault.In("request.body_invalid", "The request's body is not as described: see fields.",
			fault.Field{Path: path, Message: "is neither now, nor beginning, nor a time such as 2026-11-01T09:30:00Z"})
	}
	return from, nil
}
