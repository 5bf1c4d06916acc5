package cases

import (
	"cmp"
	"context"
	"net/url"
	"slices"

	"github.com/casehook/casehook/internal/store"
	"github.com/casehook/casehook/internal/web/ui"
)

// queue is a set of cases that somebody works on.
type queue struct {
	Title, Color string
	Href         string
	Take         string // the address that opens the case that has waited longest
	Count        string
}

// queueGroup is a kind of queues.
type queueGroup struct {
	Title  string
	Queues []queue
}

// queues counts mine, the unassigned cases, and those by type and state.
func (h handler) queues(ctx context.Context, r *ui.Request) (ui.View, error) {
	k, err := h.known(ctx, r.Principal)
	if err != nil {
		return ui.View{}, err
	}
	people := queueGroup{Title: "By assignee"}
	for _, one := range []struct {
		title, value string
		f            store.CaseFilter
	}{
		{"Mine", "me", store.CaseFilter{Assignee: cmp.Or(r.Principal.Actor.UserID, noUser)}},
		{"Unassigned", "none", store.CaseFilter{Assignee: store.Unassigned}},
	} {
		found, err := h.services.Cases.Facets(ctx, r.Principal, one.f)
		if err != nil {
			return ui.View{}, err
		}
		q := newQueue(one.title, "", countOf(found.Cases, found), "assignee", one.value)
		people.Queues = append(people.Queues, q)
	}
	groups := []queueGroup{people}
	for _, t := range k.types {
		found, err := h.services.Cases.Facets(ctx, r.Principal, store.CaseFilter{Type: t.Key})
		if err != nil {
			return ui.View{}, err
		}
		group := queueGroup{Title: t.Name}
		for _, state := range k.order(found.States) {
			group.Queues = append(group.Queues, newQueue(k.states[state], ui.Color(k.colors[state]),
				countOf(found.States[state], found), "type", t.Key, "state", state))
		}
		if len(group.Queues) > 0 {
			groups = append(groups, group)
		}
	}
	return ui.View{
		Title: "Queues", Section: "/queues", Body: queuesTemplate(groups), Call: "GET /v1/cases/facets",
	}, nil
}

// noUser is the id of no user.
const noUser = -2

func countOf(n int64, in store.CaseFacets) string {
	if in.Complete {
		return ui.Number(int(n))
	}
	return ui.Number(int(n)) + "+"
}

func newQueue(title, color, count string, filter ...string) queue {
	query := url.Values{}
	for i := 0; i < len(filter); i += 2 {
		query.Set(filter[i], filter[i+1])
	}
	return queue{
		Title: title, Color: color, Count: count,
		Href: "/cases?" + query.Encode(), Take: "/queues/next?" + query.Encode(),
	}
}

// order returns states in the order of their names.
func (k known) order(counts map[string]int64) []string {
	states := make([]string, 0, len(counts))
	for state := range counts {
		states = append(states, state)
	}
	slices.SortFunc(states, func(a, b string) int { return cmp.Compare(k.states[a], k.states[b]) })
	return states
}

// next opens the case of a queue that was created first.
func (h handler) next(ctx context.Context, r *ui.Request) (ui.View, error) {
	f, err := h.filter(r)
	if err != nil {
		return ui.View{}, err
	}
	f.Sort, f.Limit = "created", 1
	found, err := h.services.Cases.Cases(ctx, r.Principal, f)
	if err != nil {
		return ui.View{}, err
	}
	for view, err := range found.All(ctx) {
		return ui.Redirect(casePath(view.ID)), err
	}
	return ui.Redirect("/queues"), nil
}
