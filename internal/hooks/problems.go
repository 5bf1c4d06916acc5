package hooks

import (
	"cmp"
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/casehook/casehook/internal/access"
	"github.com/casehook/casehook/internal/endpoint"
	"github.com/casehook/casehook/internal/input"
	"github.com/casehook/casehook/internal/store"
)

// Problem sums up the failures of one kind at an endpoint.
type Problem struct {
	store.Problem
	Endpoint endpoint.Endpoint
	Accepted time.Time // when the endpoint last accepted a message; zero: never, as far as is recorded
}

// Ongoing reports whether the endpoint has accepted nothing since the last failure.
func (p Problem) Ongoing() bool { return !p.Accepted.After(p.LastAt) }

// The bounds of the list of problems.
const (
	problemEndpoints = 500
	problemAttempts  = 1000 // the newest ones of each endpoint
)

// Problems sums up the failures among the newest attempts at each endpoint, the latest first.
func (s *Messages) Problems(ctx context.Context, p access.Principal) (all []Problem, err error) {
	if err := s.guard.Permit(ctx, p, access.FindAttempts); err != nil {
		return nil, err
	}
	looked := 0
	for after := ""; looked < problemEndpoints; {
		found, err := s.store.Endpoints(ctx, p.Tenant, after, input.MaxPage)
		if err != nil {
			return nil, err
		}
		for _, e := range found.Items {
			after = e.ID
			if looked++; !p.Clearance.Sees(e.Reached) {
				continue
			}
			problems, err := s.problemsOf(ctx, p, e)
			if err != nil {
				return nil, err
			}
			all = append(all, problems...)
		}
		if !found.More || len(found.Items) == 0 {
			break
		}
	}
	slices.SortStableFunc(all, func(a, b Problem) int { return cmp.Compare(b.Last, a.Last) })
	return all, nil
}

func (s *Messages) problemsOf(ctx context.Context, p access.Principal, e endpoint.Endpoint) (all []Problem, err error) {
	found, err := s.store.Problems(ctx, p.Tenant, e.ID, problemAttempts)
	if err != nil || len(found) == 0 {
		return nil, err
	}
	contact, err := s.store.LastContact(ctx, p.Tenant, e.ID)
	for _, one := range found {
		all = append(all, Problem{one, e, contact.Delivered})
	}
	return all, err
}

// References returns the references of cases that the caller sees, by the subjects of messages.
func (s *Messages) References(
	ctx context.Context, p access.Principal, subjects []string,
) (map[string]string, error) {
	if err := s.guard.Permit(ctx, p, access.FindAttempts); err != nil {
		return nil, err
	}
	var ids []int64
	for _, subject := range subjects {
		if text, ok := strings.CutPrefix(subject, "case/"); ok {
			if id, err := strconv.ParseInt(text, 10, 64); err == nil && !slices.Contains(ids, id) {
				ids = append(ids, id)
			}
		}
	}
	references := map[string]string{}
	if len(ids) == 0 {
		return references, nil
	}
	reader, err := s.guard.Reader(ctx, p)
	if err != nil {
		return nil, err
	}
	found, err := s.store.CaseNames(ctx, p.Tenant, ids)
	for _, c := range found {
		if p.Clearance.Sees(c.Classification) && !slices.Contains(reader.Without, c.Type) {
			references["case/"+strconv.FormatInt(c.ID, 10)] = c.Reference
		}
	}
	return references, err
}
