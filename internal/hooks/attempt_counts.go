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

// AttemptCounts counts attempts by their class and status, the most frequent first.
type AttemptCounts struct {
	Kinds    []store.AttemptCount
	Complete bool // false: only the newest attempts were looked at
}

// Sum returns the number of all attempts that were counted.
func (c AttemptCounts) Sum() (n int64) {
	for _, k := range c.Kinds {
		n += k.Count
	}
	return n
}

// countedAttempts bounds how many attempts are looked at to count some of them.
const countedAttempts = 2000

// CountAttempts counts the attempts that a filter selects. It looks at the newest 2,000 attempts; for a caller who does
// not see all cases, at the newest 1,000 that the filter selects and they see.
func (s *Messages) CountAttempts(
	ctx context.Context, p access.Principal, f store.AttemptFilter,
) (counts AttemptCounts, err error) {
	if err := s.guard.Permit(ctx, p, access.CountAttempts); err != nil {
		return counts, err
	}
	if !input.Word(f.Endpoint) || !wellFormed(f) {
		return AttemptCounts{Complete: true}, nil
	}
	sees, err := s.visibility(ctx, p)
	if err != nil {
		return counts, err
	}
	if sees.limited() {
		return s.countVisibleAttempts(ctx, p, f)
	}
	counts.Kinds, counts.Complete, err = s.store.CountAttempts(ctx, p.Tenant, f, countedAttempts)
	return counts, err
}

// wellFormed reports whether attempts can have what a filter names.
func wellFormed(f store.AttemptFilter) bool {
	subject := f.Subject == "" || subjectPattern.MatchString(f.Subject)
	return subject && input.Word(f.Message) && input.Word(f.Trigger) && input.Word(f.Class)
}

// limited reports whether there may be attempts that the caller does not see.
func (v *visibility) limited() bool { return len(v.reader.Without) > 0 || v.endpoints != nil }

// countVisibleAttempts counts the newest attempts that the caller sees.
func (s *Messages) countVisibleAttempts(
	ctx context.Context, p access.Principal, f store.AttemptFilter,
) (counts AttemptCounts, err error) {
	f.Limit = input.MaxPage
	found, next, err := s.attempts(ctx, p, f)
	for _, a := range found {
		at := slices.IndexFunc(counts.Kinds, func(k store.AttemptCount) bool {
			return k.Class == a.Class && k.Status == a.Status
		})
		if at < 0 {
			at = len(counts.Kinds)
			counts.Kinds = append(counts.Kinds, store.AttemptCount{Class: a.Class, Status: a.Status})
		}
		counts.Kinds[at].Count++
	}
	slices.SortFunc(counts.Kinds, func(a, b store.AttemptCount) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), strings.Compare(a.Class, b.Class), a.Status-b.Status)
	})
	counts.Complete = next == 0
	return counts, err
}
