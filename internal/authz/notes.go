package authz

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"strconv"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/casehook/casehook/internal/access"
	"github.com/casehook/casehook/internal/inbound"
)

// Refusals change nothing, and strangers may cause them all day. So the audit records the first, and then how often
// it was repeated: after a minute, two, four and so on up to an hour, as long as it is. Different refusals, and all
// refusals of known people and programs, are recorded one by one up to a limit, and counted together beyond it.
const (
	sumFirst   = time.Minute
	sumLongest = time.Hour
	maxSums    = 1000 // held in memory

	strangersAtOnce = 100 // notes that a tenant's strangers may cause
	othersAtOnce    = 1000
	noteEvery       = 10 * time.Second // the interval of further notes
)

// Note is an entry for the audit.
type Note struct {
	Who     access.Principal
	What    access.Action
	Subject Subject
	Detail  map[string]any // without secrets and case data; may be nil
}

// sum counts the repetitions of a note.
type sum struct {
	note  Note
	times int // not recorded yet
	lasts time.Duration
	until time.Time // when it is recorded, or removed if there are none
}

// sums has the recent notes.
type sums struct {
	mu     sync.Mutex
	all    map[string]*sum
	limits map[tenantSide]*rate.Limiter
}

// tenantSide is a tenant's own people and programs, or all strangers who call it.
type tenantSide struct {
	tenant   int64
	stranger bool
}

// add counts a note, and reports whether it is to be recorded by itself. Notes with the same key are equal; a note
// without a key equals no other.
func (s *sums) add(key string, n Note, now time.Time) (alone bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.all == nil {
		s.all, s.limits = map[string]*sum{}, map[tenantSide]*rate.Limiter{}
	}
	tenant := strconv.FormatInt(n.Who.Tenant, 10) + "/" + string(n.What)
	of := tenant + "/" + key
	if s.all[of] == nil && (len(s.all) >= maxSums || !s.admits(n.Who, now)) {
		of = tenant
		n.Who.Actor.Name, n.Subject, n.Detail = "", Subject{}, map[string]any{"various": true}
	} else if key == "" {
		return true
	}
	if before := s.all[of]; before != nil {
		before.times++
		return false
	}
	s.all[of] = &sum{note: n, lasts: sumFirst, until: now.Add(sumFirst)}
	return true
}

func (s *sums) admits(p access.Principal, now time.Time) bool {
	side := tenantSide{p.Tenant, p.Role == ""}
	l := s.limits[side]
	if l == nil {
		burst := othersAtOnce
		if side.stranger {
			burst = strangersAtOnce
		}
		l = rate.NewLimiter(rate.Every(noteEvery), burst)
		s.limits[side] = l
	}
	return l.AllowN(now, 1)
}

// due returns the sums that are to be recorded by now; at the end, all sums.
func (s *sums) due(now time.Time, end bool) (due []sum) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for key, one := range s.all {
		switch {
		case !end && now.Before(one.until):
		case one.times == 0:
			delete(s.all, key)
		default:
			due = append(due, *one)
			one.times, one.lasts = 0, min(2*one.lasts, sumLongest)
			one.until = now.Add(one.lasts)
		}
	}
	return due
}

// NoteOnce records a note, or counts it if an equal one was recorded lately.
func (g *Guard) NoteOnce(ctx context.Context, key string, n Note) {
	if g.sums.add(key, n, g.now()) {
		g.Note(ctx, n)
	}
}

// NoteStranger is NoteOnce for a principal without a valid credential. Notes are equal if the claimed name, the
// network, the subject and the detail are.
func (g *Guard) NoteStranger(
	ctx context.Context, p access.Principal, what access.Action, of Subject, detail map[string]any,
) {
	raw, _ := json.Marshal(detail) // can't fail: it holds texts
	key := fmt.Sprintf("%q/%s/%s/%s", p.Actor.Name, inbound.NetworkOf(p.Actor.Address), of.Name, raw)
	p.Role = "" // counts as a stranger's
	g.NoteOnce(ctx, key, Note{p, what, of, detail})
}

// NoteDenied records that a caller was refused an operation.
func (g *Guard) NoteDenied(ctx context.Context, p access.Principal, of Subject, detail map[string]any) {
	g.NoteOnce(ctx, "", Note{p, access.Denied, of, detail})
}

// SumUp records how often notes were repeated.
func (g *Guard) SumUp(ctx context.Context, end bool) error {
	var errs []error
	for _, one := range g.sums.due(g.now(), end) {
		n := one.note
		if n.Detail = maps.Clone(n.Detail); n.Detail == nil {
			n.Detail = map[string]any{}
		}
		n.Detail["times"] = one.times
		errs = append(errs, g.write(ctx, n))
	}
	return errors.Join(errs...)
}
