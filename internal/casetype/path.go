package casetype

import "strconv"

// step leads to a member by its name, or to an item by its index. Paths are made of
// steps, and written out only where somebody is told of them.
type step struct {
	name  string
	index int // -1: by name
}

func tokens(steps []step) []string {
	path := make([]string, len(steps))
	for i, s := range steps {
		if path[i] = s.name; s.index >= 0 {
			path[i] = strconv.Itoa(s.index)
		}
	}
	return path
}

// place writes a path as a JSON Pointer.
func place(steps []step) string { return pointer("", tokens(steps)...) }
