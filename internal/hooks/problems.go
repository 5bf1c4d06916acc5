package hooks

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/casehook/casehook/internal/access"
	"github.com/casehook/casehook/internal/endpoint"
	"github.com/casehook/casehook/internal/fault"
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

// Problems sums up the failures among the newest attempts at each endpoint, the latest first. For a caller who does not
// see all cases it sums up the newest failures that they see.
func (s *Messages) Problems(ctx context.Context, p access.Principal) ([]Problem, error) {
	if err := s.guard.Permit(ctx, p, access.ListProblems); err != nil {
		return nil, err
	}
	sees, err := s.visibility(ctx, p)
	if err != nil {
		return nil, err
	}
	var all []Problem
	if sees.limited() {
		all, err = s.visibleProblems(ctx, p)
	} else {
		all, err = s.allProblems(ctx, p)
	}
	slices.SortStableFunc(all, func(a, b Problem) int { return cmp.Compare(b.Last, a.Last) })
	return all, err
}

// allProblems sums up the failures of each endpoint.
func (s *Messages) allProblems(ctx context.Context, p access.Principal) (all []Problem, err error) {
	looked := 0
	for after := ""; looked < problemEndpoints; {
		found, err := s.store.Endpoints(ctx, p.Tenant, after, input.MaxPage)
		if err != nil {
			return nil, err
		}
		for _, e := range found.Items {
			after = e.ID
			looked++
			problems, err := s.store.Problems(ctx, p.Tenant, e.ID, problemAttempts)
			if err != nil {
				return nil, err
			}
			if all, err = s.addProblems(ctx, all, e, problems); err != nil {
				return nil, err
			}
		}
		if !found.More || len(found.Items) == 0 {
			break
		}
	}
	return all, nil
}

// addProblems adds the problems of an endpoint.
func (s *Messages) addProblems(
	ctx context.Context, all []Problem, e endpoint.Endpoint, found []store.Problem,
) ([]Problem, error) {
	if len(found) == 0 {
		return all, nil
	}
	contact, err := s.store.LastContact(ctx, e.Tenant, e.ID)
	for _, one := range found {
		all = append(all, Problem{one, e, contact.Delivered})
	}
	return all, err
}

// visibleProblems sums up the newest failures that a caller sees.
func (s *Messages) visibleProblems(ctx context.Context, p access.Principal) (all []Problem, err error) {
	by, err := s.visibleFailures(ctx, p)
	if err != nil {
		return nil, err
	}
	for id, problems := range by {
		e, err := s.store.Endpoint(ctx, p.Tenant, id)
		if errors.Is(err, fault.NotFound) {
			continue
		}
		if err != nil {
			return nil, err
		}
		if all, err = s.addProblems(ctx, all, shownTo(p, e), problems); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// visibleFailures sums up the newest failures that a caller sees, by their endpoints.
func (s *Messages) visibleFailures(ctx context.Context, p access.Principal) (map[string][]store.Problem, error) {
	found, _, err := s.attempts(ctx, p, store.AttemptFilter{Outcome: store.Failed, Limit: problemAttempts})
	by := map[string][]store.Problem{}
	for _, a := range found { // the newest first
		all := by[a.Endpoint]
		at := slices.IndexFunc(all, func(one store.Problem) bool {
			return one.Class == a.Class && one.Status == a.Status
		})
		if at < 0 {
			at = len(all)
			all = append(all, store.Problem{Class: a.Class, Status: a.Status, LastAt: a.At, Last: a.ID})
		}
		all[at].Count++
		all[at].FirstAt = a.At
		by[a.Endpoint] = all
	}
	return by, err
}

// References returns the references of cases that the caller sees, by the subjects of messages. A receiver sees none.
func (s *Messages) References(
	ctx context.Context, p access.Principal, subjects []string,
) (map[string]string, error) {
	if err := s.guard.Permit(ctx, p, access.FindAttempts); err != nil {
		return nil, err
	}
	if p.Role == access.Receiver {
		return map[string]string{}, nil
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
		if p.Clearance.Sees(c.Classification) && reader.ReadsCase(c.Type, c.State) {
			references["case/"+strconv.FormatInt(c.ID, 10)] = c.Reference
		}
	}
	return references, err
}
