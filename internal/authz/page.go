package authz

import (
	"github.com/casehook/casehook/internal/store"
)

// FillPage reads a list of which somebody sees a part, until there are limit items of
// most bytes, and at least one if there is any. More says that there is another
// that they see: of the others they learn nothing. Read returns the next of them,
// out of up to limit that it looks at, and whether there are more to look at.
func FillPage[T any](limit, most int, size func(T) int,
	read func(limit int) (store.Page[T], error)) (shown store.Page[T], err error) {
	full := func() bool { return len(shown.Items) == limit || most <= 0 && len(shown.Items) > 0 }
	for {
		ask := 1 // which tells whether the list goes on
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
