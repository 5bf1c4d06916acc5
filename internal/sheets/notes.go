package sheets

import (
	"cmp"
	"slices"
	"strings"
)

// Note is one thing that an import leaves out, changes or doubts, with the number of rows that it concerns.
type Note struct {
	What  string // "CaseTypeTab: tabs are not imported"
	Count int
	First Place // by file and row
}

// Notes collects what people have to be told of an import. Each thing is told once, with its count.
type Notes struct{ all map[string]*Note }

// Add notes a thing at a place.
func (n *Notes) Add(what string, at Place) {
	if n.all == nil {
		n.all = map[string]*Note{}
	}
	known := n.all[what]
	if known == nil {
		n.all[what] = &Note{what, 1, at}
		return
	}
	known.Count++
	if at.compare(known.First) < 0 {
		known.First = at
	}
}

// List returns the notes in alphabetical order.
func (n *Notes) List() (all []Note) {
	for _, note := range n.all {
		all = append(all, *note)
	}
	slices.SortFunc(all, func(a, b Note) int {
		return cmp.Or(strings.Compare(strings.ToLower(a.What), strings.ToLower(b.What)),
			strings.Compare(a.What, b.What))
	})
	return all
}
