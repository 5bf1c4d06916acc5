package hooks

import (
	"context"

	"github.com/casehook/casehook/internal/access"
	"github.com/casehook/casehook/internal/api/rest"
	"github.com/casehook/casehook/internal/hooks"
)

// FailureGroup sums up the failures of one kind at an endpoint.
type FailureGroup struct {
	Endpoint    string          `json:"endpoint_id" doc:"The endpoint." example:"ep_0197c2f0a1b27c3d8e4f5a6b7c8d9e0f"`
	Failure     *string         `json:"failure" doc:"The class of the failures, such as timeout; null: there was an answer." example:"timeout"`
	Status      *int            `json:"status" doc:"The HTTP status of the answers; null: there was none." example:"503"`
	Count       int64           `json:"count" doc:"How many attempts failed so." example:"7"`
	FirstAt     rest.Time       `json:"first_at" doc:"When the first of them began."`
	LastAt      rest.Time       `json:"last_at" doc:"When the last of them began."`
	LastAttempt string          `json:"last_attempt" doc:"The id of the last of them." example:"att_4be71e2b9ab9d2bb7bd7c8f3a1f0c3d2"`
	AcceptedAt  rest.TimeOrNull `json:"accepted_at" doc:"When the endpoint last accepted a message; null: never, as far as is recorded."`
	Ongoing     bool            `json:"ongoing" doc:"The endpoint has accepted nothing since the last of them." example:"true"`
}

func (h attemptHandler) registerProblems() {
	rest.Handle(h.kernel, rest.Operation{
		ID: access.ListProblems, Weight: 4, Pattern: "GET /v1/problems", Tag: "attempts",
		Summary: "Sum up what fails",
		Description: "The failures among the newest 1,000 attempts at each endpoint, by endpoint and kind, the " +
			"latest first. Who does not see all cases gets those among the newest 1,000 failures that they see.",
	}, func(ctx context.Context, in *rest.InList) (*rest.PageAnswer[FailureGroup], error) {
		all, err := h.service.Messages.Problems(ctx, rest.PrincipalOf(ctx))
		if err != nil {
			return nil, err
		}
		name := func(p hooks.Problem) string { return p.Endpoint.ID + "/" + h.showProblem(p).LastAttempt }
		return rest.PageBehind(rest.NewPager(h.kernel, "problems", h.showProblem, name), in.Cursor, all)
	})
}

func (h attemptHandler) showProblem(p hooks.Problem) FailureGroup {
	return FailureGroup{
		Endpoint:    p.Endpoint.ID,
		Failure:     rest.OrNull(p.Class),
		Status:      rest.OrNull(p.Status),
		Count:       p.Count,
		FirstAt:     rest.Time(p.FirstAt),
		LastAt:      rest.Time(p.LastAt),
		LastAttempt: h.ids.Seal(p.Endpoint.Tenant, p.Last),
		AcceptedAt:  rest.TimeOrNull(p.Accepted),
		Ongoing:     p.Ongoing(),
	}
}
