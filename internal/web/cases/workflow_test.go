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
		from, to := rapid.IntRange(0, n-1).Draw(t, "from"), rapid.IntRange(0, n-1).Draw(t, "to")
		fmt.Fprintf(&b, "  - {key: t%d, from: [s%d], to: s%d}\n", i, from, to)
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
			if len(tr.From) > 0 && tr.To != tr.From[0] {
				moves++
			}
		}
		if len(w.Edges) != moves {
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
