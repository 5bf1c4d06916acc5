package cases

import (
	"cmp"
	"slices"

	"github.com/casehook/casehook/internal/casetype"
)

// workflow is the drawing of a case type: states in columns, by how many transitions lead to them at least.
type workflow struct {
	Width, Height int
	Nodes         []workflowNode
	Edges         []workflowEdge
}

// workflowNode is a state.
type workflowNode struct {
	Key, Name, Color string
	X, Y             int // of its upper left corner
	Final, Creates   bool
	Outcome          string
}

// workflowEdge is a transition between two states.
type workflowEdge struct {
	Key, Name string
	Path      string // of the line
	X, Y      int    // of its name's middle
	Asks      bool   // a callback is asked
}

// The measures of a drawing, in pixels.
const (
	nodeWidth    = 148
	nodeHeight   = 30
	columnGap    = 132
	rowGap       = 58
	margin       = 28
	maxDrawn     = 60  // states; more are not drawn
	maxDrawnEdge = 200 // transitions from one state to another
)

// draw lays out a type's states and transitions. A type with too many is not drawn.
func draw(t *casetype.Type) (w workflow) {
	if len(t.States) > maxDrawn {
		return workflow{}
	}
	depth := depths(t)
	rows := map[int]int{} // by column
	at := map[string]workflowNode{}
	for _, s := range t.States {
		column := depth[s.Key]
		n := workflowNode{
			Key: s.Key, Name: cmp.Or(s.Name, s.Key), Color: cmp.Or(s.Color, t.Color), Final: s.Final,
			Outcome: string(s.Outcome), Creates: created(t, s.Key),
			X: margin + column*(nodeWidth+columnGap), Y: margin + rows[column]*(nodeHeight+rowGap),
		}
		rows[column]++
		at[s.Key] = n
		w.Nodes = append(w.Nodes, n)
		w.Width = max(w.Width, n.X+nodeWidth+margin)
		w.Height = max(w.Height, n.Y+nodeHeight+margin)
	}
	between := map[[2]string]int{} // the edges drawn so far
	for _, tr := range t.Transitions {
		for _, pair := range pairs(t, tr) {
			if len(w.Edges) >= maxDrawnEdge {
				break
			}
			e := edge(at[pair[0]], at[pair[1]], between[pair])
			between[pair]++
			e.Key, e.Name, e.Asks = tr.Key, cmp.Or(tr.Name, tr.Key), len(tr.AboutToSubmit) > 0
			w.Height = max(w.Height, e.Y+margin)
			w.Edges = append(w.Edges, e)
		}
	}
	return w
}

// pairs lists the different states from and to which a transition leads.
func pairs(t *casetype.Type, tr casetype.Transition) (all [][2]string) {
	for _, from := range t.Origins(tr) {
		for _, to := range tr.To.States() {
			if from != to {
				all = append(all, [2]string{from, to})
			}
		}
	}
	return all
}

// depths returns how many transitions lead to each state at least, from a creation on. A state that none leads to is
// behind all others.
func depths(t *casetype.Type) map[string]int {
	depth := map[string]int{}
	var next []string
	last := 0
	reach := func(tr casetype.Transition, at int) {
		for _, to := range tr.To.States() {
			if _, known := depth[to]; !known {
				depth[to], last = at, at
				next = append(next, to)
			}
		}
	}
	for _, tr := range t.Creations() {
		reach(tr, 0)
	}
	for len(next) > 0 {
		state := next[0]
		next = next[1:]
		for _, tr := range t.Transitions {
			if tr.Starts(state) {
				reach(tr, depth[state]+1)
			}
		}
	}
	for _, s := range t.States {
		if _, known := depth[s.Key]; !known {
			depth[s.Key] = last + 1
		}
	}
	return depth
}

func created(t *casetype.Type, state string) bool {
	return slices.ContainsFunc(t.Creations(), func(tr casetype.Transition) bool { return tr.LeadsTo(state) })
}
