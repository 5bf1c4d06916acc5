package endpoint

import (
	"slices"
	"strconv"
	"strings"

	"github.com/casehook/casehook/internal/event"
	"github.com/casehook/casehook/internal/fault"
	"github.com/casehook/casehook/internal/weburl"
)

// Sources are the sources that an endpoint may select: people, programs, or both, which is what an empty list means.
var Sources = []string{string(event.API), string(event.UI)}

// AcceptsActor reports whether the endpoint receives an actor's changes. Those that Casehook itself makes have no
// source, and are sent to all endpoints.
func (e Endpoint) AcceptsActor(a event.Actor) bool {
	if e.IgnoreOwn && a.Source == event.API && a.TokenID == e.Token {
		return false
	}
	return a.Source != event.UI && a.Source != event.API || len(e.Sources) == 0 ||
		slices.Contains(e.Sources, string(a.Source))
}

// sorted returns sources as they are stored: in order, each once, and nil for all.
func sorted(sources []string) []string {
	sources = slices.Compact(slices.Sorted(slices.Values(sources)))
	if len(sources) == len(Sources) {
		return nil
	}
	return sources
}

// Normalise sorts an endpoint's lists, and puts its URLs into their canonical form.
func (e *Endpoint) Normalise() {
	e.URL, e.Auth.TokenURL = weburl.Stored(e.URL), weburl.Stored(e.Auth.TokenURL)
	e.Triggers = slices.Compact(slices.Sorted(slices.Values(e.Triggers)))
	e.Sources = sorted(e.Sources)
	slices.SortFunc(e.Headers, func(a, b Header) int { return strings.Compare(a.Name, b.Name) })
	if len(e.Headers) == 0 {
		e.Headers = nil
	}
	if len(e.Auth.Scopes) == 0 {
		e.Auth.Scopes = nil
	}
	if len(e.Metadata) == 0 {
		e.Metadata = nil
	}
}

func (e Endpoint) checkSources() []fault.Field {
	var faults []fault.Field
	for i, source := range e.Sources {
		if !slices.Contains(Sources, source) {
			faults = append(faults, fault.Field{Path: "/sources/" + strconv.Itoa(i), Message: "is neither ui nor api"})
		}
	}
	if e.IgnoreOwn && e.Token == "" {
		faults = append(faults,
			fault.Field{Path: "/ignore_own", Message: "needs a token whose activity is ignored; name one in token"})
	}
	return faults
}
