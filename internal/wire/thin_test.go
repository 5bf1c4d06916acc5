package wire_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/casehook/casehook/internal/casetype"
	"github.com/casehook/casehook/internal/event"
	"github.com/casehook/casehook/internal/wire"
)

// Each trigger has thin bodies for each of its facts.
func TestThinBodiesIdentifyTheChange(t *testing.T) {
	var all bytes.Buffer
	thin := wire.View{Clearance: casetype.Public, Thin: true, Optional: true}
	for _, trigger := range wire.Names() {
		for _, e := range wire.Samples(trigger) {
			for i, full := range wire.Messages(e, "1.0.0", casetype.Public) {
				m := thin.Messages(e, "1.0.0")[i]
				got := wire.Message{ID: m.ID, Trigger: m.Trigger, Header: m.Header}
				want := wire.Message{ID: full.ID, Trigger: full.Trigger, Header: full.Header}
				if diff := cmp.Diff(want, got); m.Err != nil || diff != "" {
					t.Errorf("%s: the thin message: %v %s", trigger, m.Err, diff)
				}
				if m.Trigger != trigger {
					continue
				}
				if len(m.Body) >= len(full.Body) {
					t.Errorf("%s: the thin body is no shorter: %s", trigger, m.Body)
				}
				subset(t, trigger, full.Body, m.Body)
				fmt.Fprintf(&all, "%s, for %s\n%s\n", trigger, e.Facts[full.Fact].Name, m.Body)
			}
		}
	}
	golden(t, "thin/bodies", all.Bytes())
}

// subset checks that a thin body names its trigger, and that all its members are in the full body with the same
// values.
func subset(t *testing.T, trigger string, full, thin []byte) {
	t.Helper()
	var x, y map[string]any
	for raw, into := range map[*[]byte]*map[string]any{&full: &x, &thin: &y} {
		if err := json.Unmarshal(*raw, into); err != nil {
			t.Fatal(err)
		}
	}
	if wire.TriggerOf(thin) != trigger {
		t.Errorf("the thin body does not name %s: %s", trigger, thin)
	}
	var within func(path string, x, y map[string]any)
	within = func(path string, x, y map[string]any) {
		for name, value := range y {
			inner, isObject := value.(map[string]any)
			outer, wasObject := x[name].(map[string]any)
			if isObject && wasObject {
				within(path+"/"+name, outer, inner)
			} else if cmp.Diff(x[name], value) != "" {
				t.Errorf("%s: %s/%s is %v, and in the full body %v", trigger, path, name, value, x[name])
			}
		}
	}
	within("", x, y)
}

func TestAThinBodyKeepsValuesAsTheyAreWritten(t *testing.T) {
	e := claimEntry(event.CaseCreated.New(event.Creation{}))
	e.Actor.Name = "<Ada> & Co"
	for _, m := range (wire.View{Clearance: casetype.Restricted, Thin: true}).Messages(e, "0.1.0") {
		if m.Trigger == "claim.created" && !strings.Contains(string(m.Body), `"name":"<Ada> & Co"`) {
			t.Errorf("%s", m.Body)
		}
	}
}

// A message above the clearance has no body, thin or not.
func TestAThinViewShowsNoMoreThanItsClearance(t *testing.T) {
	e := caseEntry(event.CaseCreated.New(event.Creation{}))
	e.Snapshot.Case.Classification = string(casetype.Restricted)
	for _, m := range (wire.View{Clearance: casetype.Public, Thin: true}).Messages(e, "0.1.0") {
		if !m.Hidden || m.Body != nil || m.Err != nil {
			t.Errorf("%+v", m)
		}
	}
}

func TestEachViewHasAnIndexOfItsOwn(t *testing.T) {
	seen := map[int]bool{}
	for _, v := range append(wire.ViewsUpTo(casetype.Restricted), wire.View{Optional: true},
		wire.View{Thin: true, Optional: true}) {
		for _, v.Optional = range []bool{true, false} {
			if i := v.Index(); seen[i] || i < 0 || i >= wire.Views {
				t.Errorf("%+v has the index %d", v, i)
			}
			seen[v.Index()] = true
		}
	}
	if len(seen) != wire.Views {
		t.Errorf("there are %d views", len(seen))
	}
}
