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

// Refusals change nothing, and strangers may cause them all day. So the audit
// tells the first, and then how often it came again: after a minute, two, four,
// up to an hour, for as long as it does. Different ones, and those of people and
// programs that are known, are told one by one while there are not too many of
// them; those beyond are told as one.
const (
	sumFirst   = time.Minute
	sumLongest = time.Hour
	maxSums    = 1000 // that are remembered

	strangersAtOnce = 100 // notes that a tenant's strangers may cause
	othersAtOnce    = 1000
	noteEvery       = 10 * time.Second // and then as often
)

// Note is something that the audit is told.
type Note struct {
	Who     access.Principal
	What    access.Action
	subject Subject
	Detail  map[string]any
}

// sum is how often a note came again.
type sum struct {
	Note
	times int // that are not told yet
	lasts time.Duration
	until time.Time // when it is told, or forgotten
}

// sums are the notes that came lately.
type sums struct {
	mu     sync.Mutex
	all    map[string]*sum
	limits map[tenantSide]*rate.Limiter
}

// tenantSide is a tenant's people and programs, or all that are none of them.
type tenantSide struct {
	tenant   int64
	stranger bool
}

// add counts a note, and reports whether it is to be told by itself. The same
// notes have the same key; one without a key is like no other.
func (s *sums) add(key string, n Note, now time.Time) (alone bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.all == nil {
		s.all, s.limits = map[string]*sum{}, map[tenantSide]*rate.Limiter{}
	}
	tenant := strconv.FormatInt(n.Who.Tenant, 10) + "/" + string(n.What)
	of := tenant + "/" + key
	if s.all[of] == nil && (len(s.all) >= maxSums || !s.mayTell(n.Who, now)) {
		of = tenant
		n.Who.Actor.Name, n.subject, n.Detail = "", Subject{}, map[string]any{"various": true}
	} else if key == "" {
		return true
	}
	if before := s.all[of]; before != nil {
		before.times++
		return false
	}
	s.all[of] = &sum{Note: n, lasts: sumFirst, until: now.Add(sumFirst)}
	return true
}

func (s *sums) mayTell(p access.Principal, now time.Time) bool {
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

// due returns the sums that are to be told by now, or in the end all there are.
func (s *sums) due(now time.Time, end bool) (told []sum) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for key, one := range s.all {
		switch {
		case !end && now.Before(one.until):
		case one.times == 0:
			delete(s.all, key)
		default:
			told = append(told, *one)
			one.times, one.lasts = 0, min(2*one.lasts, sumLongest)
			one.until = now.Add(one.lasts)
		}
	}
	return told
}

// NoteOnce tells the audit of something, or counts it where the same was told
// lately.
func (g *Guard) NoteOnce(ctx context.Context, key string, n Note) {
	if g.sums.add(key, n, g.now()) {
		g.Note(ctx, n.Who, n.What, n.subject, n.Detail)
	}
}

// NoteStranger is NoteOnce for somebody whose credential is none: the same is who
// they say they are, where, and what.
func (g *Guard) NoteStranger(
	ctx context.Context, p access.Principal, what access.Action, of Subject, detail map[string]any,
) {
	raw, _ := json.Marshal(detail) // of texts
	key := fmt.Sprintf("%q/%s/%s/%s", p.Actor.Name, inbound.NetworkOf(p.Actor.Address), of.Name, raw)
	p.Role = "" // whatever a token's is that may not be used from there
	g.NoteOnce(ctx, key, Note{p, what, of, detail})
}

// NoteDenied tells the audit what somebody may not do.
func (g *Guard) NoteDenied(ctx context.Context, p access.Principal, of Subject, detail map[string]any) {
	g.NoteOnce(ctx, "", Note{p, access.Denied, of, detail})
}

// SumUp tells the audit how often came again what it was told once.
func (g *Guard) SumUp(ctx context.Context, end bool) error {
	var errs []error
	for _, one := range g.sums.due(g.now(), end) {
		detail := maps.Clone(one.Detail)
		if detail == nil {
			detail = map[string]any{}
		}
		detail["times"] = one.times
		errs = append(errs, g.write(ctx, one.Who, one.What, one.subject, detail))
	}
	return errors.Join(errs...)
}
