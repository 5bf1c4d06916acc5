package authz

import (
	"github.com/casehook/casehook/internal/store"
)

// FillPage reads a list of which callers see a part, until there are limit items or most bytes, and at least one item
// if there is any. More reports whether they see another item; they learn nothing of the rest. Read looks at up to
// limit further items, and returns those that they see, and whether there are more to look at.
func FillPage[T any](limit, most int, size func(T) int,
	read func(limit int) (store.Page[T], error)) (shown store.Page[T], err error) {
	full := func() bool { return len(shown.Items) == limit || most <= 0 && len(shown.Items) > 0 }
	for {
		ask := 1 // which shows whether the list goes on
		if !full() {
			ask += limit - len(shown.Items)
		}
		found, err := read(ask)
		if err != nil {
			return store.Page[T]{}, err
		}
		for _, item := range found.Items {
			if full() {
				shown.More = true
				return shown, nil
			}
			most -= size(item)
			shown.Items = append(shown.Items, item)
		}
		if !found.More {
			return shown, nil
		}
	}
}
