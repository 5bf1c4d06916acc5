package casetype_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/casehook/casehook/internal/casetype"
)

// size is the size of a made-up definition, as large ones of other systems are.
type size struct{ fields, objects, transitions int }

// The objects refer to each other through lists, so many deep, and the last of a chain has texts alone.
const chained = 6

// definition returns a definition of a size, in JSON. A quarter of the fields are lists of objects, a quarter choices.
func (s size) definition() []byte {
	text := func(max int) any {
		return map[string]any{"type": "string", "maxLength": max, "title": "A text for people"}
	}
	listOf := func(object int) any {
		return map[string]any{"type": "array", "items": map[string]any{
			"type": "object", "required": []string{"value"},
			"properties": map[string]any{"id": text(40), "value": map[string]any{"$ref": fmt.Sprintf("#/$defs/Object%d", object)}},
		}}
	}
	defs, fields := map[string]any{}, map[string]any{}
	for i := range s.objects {
		members := map[string]any{}
		for j := range 10 {
			members[fmt.Sprintf("Member %d", j)] = text(200)
		}
		if (i+1)%chained != 0 && i+1 < s.objects {
			members["Next"] = listOf(i + 1)
		}
		defs[fmt.Sprintf("Object%d", i)] = map[string]any{"type": "object", "properties": members}
	}
	var names []string
	for i := range s.fields {
		name := fmt.Sprintf("field%d-Of_Type", i)
		if i == 1 {
			name = "field1"
		}
		names = append(names, name)
		switch {
		case i%4 == 0 && s.objects > 0:
			fields[name] = listOf(i / 4 % s.objects)
		case i%4 == 1:
			fields[name] = map[string]any{"enum": []string{"one", "two", "three"}, "title": "A choice"}
		default:
			fields[name] = text(100 + i)
		}
	}
	states, transitions := []any{}, []any{}
	for i := range 30 {
		states = append(states, map[string]any{"key": fmt.Sprintf("State%d", i)})
	}
	for i := range s.transitions {
		tr := map[string]any{
			"key": fmt.Sprintf("event%d", i), "name": "An event", "to": fmt.Sprintf("State%d", i%30),
			"fields": names[:min(len(names), 1+i*7%600)],
		}
		if i > 0 {
			tr["from"] = []string{fmt.Sprintf("State%d", (i+29)%30), fmt.Sprintf("State%d", (i+7)%30)}
		}
		if i%3 == 1 {
			tr["about_to_submit"] = map[string]any{"url": "https://callbacks.example.com/about-to-submit"}
		}
		if i%5 == 1 {
			tr["precondition"] = fmt.Sprintf(
				`has(data.field1) && data.field1 == "one" || !("%s" in data) || data["%[1]s"] != "x"`, names[2])
		}
		transitions = append(transitions, tr)
	}
	source, err := json.Marshal(map[string]any{
		"key": "Large", "states": states, "transitions": transitions,
		"fields": map[string]any{"type": "object", "properties": fields, "$defs": defs},
	})
	if err != nil {
		panic(err) // there are only maps
	}
	return source
}

func BenchmarkLargeDefinition(b *testing.B) {
	for _, s := range []size{{20, 5, 10}, {2000, 0, 600}, {1700, 250, 300}} {
		source := s.definition()
		b.Run(fmt.Sprintf("%d fields, %d objects, %d transitions", s.fields, s.objects, s.transitions),
			func(b *testing.B) {
				for b.Loop() {
					if _, err := casetype.Parse("", source); err != nil {
						b.Fatal(err)
					}
				}
				b.ReportMetric(float64(len(source)), "bytes")
			})
	}
}

// parse parses a definition of a size.
func (s size) parse(t testing.TB) *casetype.Type {
	t.Helper()
	ct, err := casetype.Parse("", s.definition())
	if err != nil {
		t.Fatal(err)
	}
	return ct
}

// deepest returns the deepest value of a field: lists in objects in lists, each with all its texts.
func deepest(depth int) any {
	value := map[string]any{}
	for j := range 10 {
		value[fmt.Sprintf("Member %d", j)] = strings.Repeat("x", 200)
	}
	if depth > 1 {
		value["Next"] = deepest(depth - 1)
	}
	item := map[string]any{"id": "1", "value": value}
	return []any{item, item}
}

// The breadth of a type doesn't make its values deeper: the work is that of the schemas which judge a value.
func TestTheDeepestValueOfABroadTypeIsAccepted(t *testing.T) {
	broad, narrow := size{1700, 250, 50}.parse(t), size{20, chained, 2}.parse(t)
	data := map[string]any{"field0-Of_Type": deepest(chained), "field1": "two"}
	var steps []int
	for _, ct := range []*casetype.Type{broad, narrow} {
		work := casetype.Budget(t.Context())
		wrong, err := ct.Validate(work, data, "/data")
		if err != nil || len(wrong) > 0 {
			t.Errorf("%v, %v", wrong, err)
		}
		steps = append(steps, work.Used())
	}
	if steps[0] != steps[1] {
		t.Errorf("%d steps in the broad type, %d in a narrow one", steps[0], steps[1])
	}
	t.Logf("%d steps", steps[0])
}

func TestALargeDefinitionTakesLessThanASecondOfSteps(t *testing.T) {
	for _, s := range []size{{2000, 0, 600}, {1700, 250, 300}} {
		source := s.definition()
		if steps := casetype.StepsOf(source); steps > 10_000_000 {
			t.Errorf("%v takes %d steps", s, steps)
		} else {
			t.Logf("%v: %d bytes, %d steps", s, len(source), steps)
		}
	}
}

func TestDefinitionsHaveTheseBounds(t *testing.T) {
	for name, c := range map[string]struct {
		most size
		over size
		want string
	}{
		"fields":      {size{5000, 0, 1}, size{5001, 0, 1}, "/fields/properties: has more entries than 5000"},
		"transitions": {size{3, 0, 2000}, size{3, 0, 2001}, "/transitions: has more than 2000 items"},
	} {
		if _, err := casetype.Parse("", c.most.definition()); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := casetype.Parse("", c.over.definition()); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
}

func TestADefinitionMayHaveAMillionValues(t *testing.T) {
	of := func(values int) []byte {
		return []byte(`{"key":"k","states":[{"key":"s"}],"transitions":[{"key":"t","to":"s"}],"fields":{"type":"object",
			"properties":{"f":{"type":"integer","examples":[` + strings.Repeat("1,", values-16) + `1]}}}}`)
	}
	if _, err := casetype.Parse("", of(1_000_000)); err != nil {
		t.Error(err)
	}
	_, err := casetype.Parse("", of(1_000_001))
	if err == nil || !strings.Contains(err.Error(), "goes beyond the limit of 1000000 values") {
		t.Errorf("one more: %v", err)
	}
}
