package authz

import (
	"github.com/casehook/casehook/internal/store"
)

// FillPage reads a list of which callers see a part, until it has limit items or most bytes, but at least one item if
// there is any. More reports whether the caller sees another item; it tells nothing of hidden ones. Read reads up to
// limit further items, and returns those that the caller sees, and whether there are more to read.
func FillPage[T any](limit, most int, size func(T) int,
	read func(limit int) (store.Page[T], error)) (shown store.Page[T], err error) {
	full := func() bool { return len(shown.Items) == limit || most <= 0 && len(shown.Items) > 0 }
	for {
		ask := 1 // one more shows whether the list goes on
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
