package cases

import (
	"net/url"
	"slices"

	"github.com/casehook/casehook/internal/casework"
	"github.com/casehook/casehook/internal/web/ui"
)

// move is a transition that moves some of the listed cases, if they have what it needs.
type move struct{ Key, Title string }

// sortedBy returns the address of the list in another order; the same order is turned round.
func (l listPage) sortedBy(sort string) string {
	query := url.Values{}
	for _, h := range l.Hidden {
		query.Set(h.Name, h.Value)
	}
	if l.Text != "" {
		query.Set("q", l.Text)
	}
	if l.Sort == sort {
		sort = sort[1:]
	}
	return ui.With("/cases", query, "sort", sort)
}

func ariaSort(current, sort string) string {
	switch current {
	case sort:
		return "descending"
	case sort[1:]:
		return "ascending"
	}
	return "none"
}

// addMoves adds the transitions of a row to those that the list offers, also those that wait for data.
func (l *listPage) addMoves(view casework.View) {
	keys := slices.Clone(view.Transitions)
	for _, b := range view.Blocked {
		keys = append(keys, b.Key)
	}
	for _, key := range keys {
		if tr, ok := view.Definition.Transition(key); ok && len(tr.To) > 0 &&
			!slices.ContainsFunc(l.Moves, func(m move) bool { return m.Key == key }) {
			l.Moves = append(l.Moves, move{key, stateName(tr.Name, key)})
		}
	}
}
