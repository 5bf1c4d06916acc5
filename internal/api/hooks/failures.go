package hooks

import (
	"context"

	"github.com/casehook/casehook/internal/access"
	"github.com/casehook/casehook/internal/api/rest"
	"github.com/casehook/casehook/internal/store"
)

// FailureCounts are counts of failed attempts.
type FailureCounts struct {
	Failures []FailureCount `json:"failures" doc:"The kinds of failures, the most frequent first."`
	Complete bool           `json:"complete" doc:"false: only the newest attempts were looked at, so that there may be more failures." example:"true"`
}

// FailureCount counts the failures of one kind.
type FailureCount struct {
	Failure *string `json:"failure" doc:"The class of the failures, such as timeout; null: there was an answer." example:"timeout"`
	Status  *int    `json:"status" doc:"The HTTP status of the answers; null: there was none." example:"503"`
	Count   int64   `json:"count" doc:"How many attempts failed so." example:"7"`
}

type shownFailures struct{ Body FailureCounts }

func (h attemptHandler) registerFailures() {
	rest.Handle(h.kernel, rest.Operation{
		ID: access.CountAttempts, Pattern: "GET /v1/attempts/facets", Tag: "attempts",
		Summary: "Count failed attempts",
		Description: "Counts the failures that a list with the same filters has, by class and status. It looks at the " +
			"newest 2,000 attempts at most, of an endpoint, a subject or a message if one is given, else at the newest " +
			"2,000 failures. For whoever does not see all cases, the newest 1,000 failures that they see are counted.",
	}, h.countFailures)
}

func (h attemptHandler) countFailures(ctx context.Context, in *struct {
	Endpoint string `query:"endpoint" maxLength:"100" doc:"Made for the endpoint with this id." example:"ep_0197c2f0a1b27c3d8e4f5a6b7c8d9e0f"`
	InSelection
}) (*shownFailures, error) {
	f, err := in.filter()
	if err != nil {
		return nil, err
	}
	f.Endpoint, f.Outcome = in.Endpoint, store.Failed
	found, err := h.service.Messages.CountAttempts(ctx, rest.PrincipalOf(ctx), f)
	if err != nil {
		return nil, err
	}
	counts := make([]FailureCount, len(found.Kinds))
	for i, k := range found.Kinds {
		counts[i] = FailureCount{rest.OrNull(k.Class), rest.OrNull(k.Status), k.Count}
	}
	return &shownFailures{FailureCounts{counts, found.Complete}}, nil
}
