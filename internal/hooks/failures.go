package hooks

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/casehook/casehook/internal/access"
	"github.com/casehook/casehook/internal/input"
	"github.com/casehook/casehook/internal/store"
)

// FailureCounts counts failed attempts by their kinds, the most frequent kind first.
type FailureCounts struct {
	Kinds    []store.FailureCount
	Complete bool // false: only the newest attempts were looked at
}

// Sum returns the number of all failures that were counted.
func (f FailureCounts) Sum() (n int64) {
	for _, k := range f.Kinds {
		n += k.Count
	}
	return n
}

// countedFailures bounds how many attempts are looked at to count failures.
const countedFailures = 5000

// CountFailures counts the failed attempts that a filter selects, whatever kind of failure it selects. It looks at the
// newest 5,000 attempts; for a caller who does not see all cases, at the newest 1,000 failures that they see.
func (s *Messages) CountFailures(
	ctx context.Context, p access.Principal, f store.AttemptFilter,
) (counts FailureCounts, err error) {
	if err := s.guard.Permit(ctx, p, access.CountAttempts); err != nil {
		return counts, err
	}
	f.Class, f.Status, f.Outcome, f.Before = "", 0, store.Failed, 0
	if !input.Word(f.Endpoint) || !wellFormed(f) {
		return FailureCounts{Complete: true}, nil
	}
	sees, err := s.visibility(ctx, p)
	if err != nil {
		return counts, err
	}
	if sees.limited() {
		return s.countVisibleFailures(ctx, p, f)
	}
	counts.Kinds, counts.Complete, err = s.store.CountFailures(ctx, p.Tenant, f, countedFailures)
	return counts, err
}

// wellFormed reports whether attempts can have what a filter names.
func wellFormed(f store.AttemptFilter) bool {
	subject := f.Subject == "" || subjectPattern.MatchString(f.Subject)
	return subject && input.Word(f.Message) && input.Word(f.Trigger) && input.Word(f.Class)
}

// limited reports whether there may be attempts that the caller does not see.
func (v *visibility) limited() bool { return len(v.reader.Without) > 0 || v.endpoints != nil }

// countVisibleFailures counts the newest failures that the caller sees.
func (s *Messages) countVisibleFailures(
	ctx context.Context, p access.Principal, f store.AttemptFilter,
) (counts FailureCounts, err error) {
	f.Limit = input.MaxPage
	found, next, err := s.attempts(ctx, p, f)
	for _, a := range found {
		at := slices.IndexFunc(counts.Kinds, func(k store.FailureCount) bool {
			return k.Class == a.Class && k.Status == a.Status
		})
		if at < 0 {
			at = len(counts.Kinds)
			counts.Kinds = append(counts.Kinds, store.FailureCount{Class: a.Class, Status: a.Status})
		}
		counts.Kinds[at].Count++
	}
	slices.SortFunc(counts.Kinds, func(a, b store.FailureCount) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), strings.Compare(a.Class, b.Class), a.Status-b.Status)
	})
	counts.Complete = next == 0
	return counts, err
}
