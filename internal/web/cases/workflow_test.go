package cases

import (
	"fmt"
	"reflect"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/casehook/casehook/internal/casetype"
)

// anyType returns a case type with some states, and transitions between them.
func anyType(t *rapid.T) *casetype.Type {
	var b strings.Builder
	b.WriteString("key: any\nname: Any\nfields: {type: object, properties: {}}\nstates:\n")
	n := rapid.IntRange(1, 12).Draw(t, "states")
	for i := range n {
		fmt.Fprintf(&b, "  - {key: s%d}\n", i)
	}
	b.WriteString("transitions:\n  - {key: create, to: s0}\n")
	for i := range rapid.IntRange(0, 20).Draw(t, "transitions") {
		from := fmt.Sprintf("[s%d]", rapid.IntRange(0, n-1).Draw(t, "from"))
		to := rapid.IntRange(0, n-1).Draw(t, "to")
		if rapid.Bool().Draw(t, "everywhere") {
			from = `"*"`
		}
		leads := fmt.Sprintf("s%d", to)
		if rapid.Bool().Draw(t, "conditional") {
			other := rapid.IntRange(0, n-1).Draw(t, "other")
			leads = fmt.Sprintf(`[{when: name == "", state: s%d}, {when: state == "", state: "*"}, {state: s%d}]`,
				other, to)
		}
		fmt.Fprintf(&b, "  - {key: t%d, from: %s, to: %s}\n", i, from, leads)
	}
	typ, err := casetype.Parse("any.yaml", []byte(b.String()))
	if err != nil {
		t.Fatal(err)
	}
	return typ
}

func TestADrawingHasAllStatesAndMovesAndNoneOverlap(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		typ := anyType(t)
		w := draw(typ)
		if again := draw(typ); !reflect.DeepEqual(w, again) {
			t.Fatal("the same type is drawn in another way")
		}
		if len(w.Nodes) != len(typ.States) {
			t.Fatalf("%d of %d states are drawn", len(w.Nodes), len(typ.States))
		}
		moves := 0
		for _, tr := range typ.Transitions {
			for _, from := range typ.Origins(tr) {
				for _, to := range typ.States {
					if to.Key != from && tr.LeadsTo(to.Key) {
						moves++
					}
				}
			}
		}
		if len(w.Edges) != min(moves, maxDrawnEdge) {
			t.Fatalf("%d of %d transitions are drawn", len(w.Edges), moves)
		}
		for i, a := range w.Nodes {
			if a.X < 0 || a.Y < 0 || a.X+nodeWidth > w.Width || a.Y+nodeHeight > w.Height {
				t.Fatalf("%s is outside of the drawing", a.Key)
			}
			for _, b := range w.Nodes[i+1:] {
				if a.X < b.X+nodeWidth && b.X < a.X+nodeWidth && a.Y < b.Y+nodeHeight && b.Y < a.Y+nodeHeight {
					t.Fatalf("%s and %s overlap", a.Key, b.Key)
				}
			}
		}
	})
}
