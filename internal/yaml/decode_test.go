package yaml_test

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/casehook/casehook/internal/yaml"
)

// shout decodes itself: from a text, in capitals.
type shout string

func (s *shout) DecodeYAML(n yaml.Node) string {
	text, ok := n.Text()
	if !ok || strings.HasPrefix(text, "quiet") {
		return "is too quiet"
	}
	*s = shout(strings.ToUpper(text))
	return ""
}

type place struct {
	City string `yaml:"city"`
}

// person has a field of each type that is decoded.
type person struct {
	place
	Name    string            `yaml:"name,omitempty"`
	Age     int               `yaml:"age"`
	ID      int64             `yaml:"id"`
	Rate    float64           `yaml:"rate"`
	Active  bool              `yaml:"active"`
	Wait    time.Duration     `yaml:"wait"`
	Manager *person           `yaml:"manager"`
	Tags    []string          `yaml:"tags"`
	Labels  map[string]string `yaml:"labels"`
	Cry     shout             `yaml:"cry"`
	secret  string
}

func TestValuesAreDecodedIntoTheirFields(t *testing.T) {
	got := person{Name: "before", Tags: []string{"before"}, secret: "kept"}
	doc := read(`
name: 0x10
age: 7
id: -9007199254740993
rate: 1.50
active: true
wait: 1m30s
manager: {name: Grace, tags: null}
tags: [a, 007, true]
labels: {x: y, n: 1}
cry: hello
city: Zurich
`)
	if all := doc.Root().Decode(&got); len(all) > 0 {
		t.Fatal(faults(all))
	}
	want := person{
		place: place{"Zurich"}, Name: "0x10", Age: 7, ID: -9007199254740993, Rate: 1.5, Active: true, Wait: 90 * time.Second,
		Manager: &person{Name: "Grace"}, Tags: []string{"a", "007", "true"}, Labels: map[string]string{"x": "y", "n": "1"},
		Cry: "HELLO", secret: "kept",
	}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(person{})); diff != "" {
		t.Error(diff)
	}
}

// A null leaves the value unchanged. A node accepts any value, null too.
func TestANullLeavesTheValueUnchanged(t *testing.T) {
	got := struct {
		Name string        `yaml:"name"`
		Wait time.Duration `yaml:"wait"`
		Cry  shout         `yaml:"cry"`
		Node yaml.Node     `yaml:"node"`
		None yaml.Node     `yaml:"none"`
	}{Name: "before", Wait: time.Second, Cry: "BEFORE"}
	if all := read("{name: null, wait: , cry: ~, node: [1], none: }").Root().Decode(&got); len(all) > 0 {
		t.Fatal(faults(all))
	}
	want := got
	want.Name, want.Wait, want.Cry = "before", time.Second, "BEFORE"
	if diff := cmp.Diff(want, got, cmpopts.IgnoreTypes(yaml.Node{})); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	nodes := []string{got.Node.Kind(), got.None.Kind(), got.None.Path}
	if diff := cmp.Diff([]string{"a list", "null", "/none"}, nodes); diff != "" {
		t.Errorf("the kinds of the nodes, and the path (-want +got):\n%s", diff)
	}
}

func TestAValueThatDoesNotFitItsFieldIsAFault(t *testing.T) {
	for source, want := range map[string]string{
		"name: [a]":               "1:1 /name: is a list, not text",
		"name: {}":                "1:1 /name: is an object, not text",
		"age: x":                  "1:1 /age: is not a whole number within the possible range",
		"age: 1.5":                "1:1 /age: is not a whole number within the possible range",
		"id: 9223372036854775808": "1:1 /id: is not a whole number within the possible range",
		"rate: x":                 "1:1 /rate: is text, not a number within the possible range",
		"rate: 1e999":             "1:1 /rate: is a number, not a number within the possible range",
		"active: 1":               "1:1 /active: is a number, not true or false",
		"wait: 5":                 "1:1 /wait: is a number without a unit: write 5s",
		"wait: soon":              "1:1 /wait: is not a duration such as 250ms, 5s or 1m30s",
		"tags: a":                 "1:1 /tags: is text, not a list",
		"tags:\n- a\n- [b]":       "3:3 /tags/1: is a list, not text",
		"labels: true":            "1:1 /labels: is true or false, not an object",
		"labels: {x: []}":         "1:10 /labels/x: is a list, not text",
		"manager: {age: x}":       "1:11 /manager/age: is not a whole number within the possible range",
		"cry: quietly":            "1:1 /cry: is too quiet",
		"secret: x": "1:1 /secret: is not a known key; there are city, name, age, id, rate, active, wait, manager, tags, " +
			"labels, cry",
		"7": "1:1 : is a number, not an object",
	} {
		var into person
		if diff := cmp.Diff([]string{want}, faults(read(source).Root().Decode(&into))); diff != "" {
			t.Errorf("%s: %s", source, strings.ReplaceAll(diff, "\u00a0", " "))
		}
	}
}

// A message lists up to thirty keys. Known lists all.
func TestTheMessageOfAnUnknownKeyListsTheFirstKeys(t *testing.T) {
	for n, end := range map[int]string{30: ", k29", 31: ", k29, ..."} {
		var fields []reflect.StructField
		for i := range n {
			tag := fmt.Sprintf(`yaml:"k%02d"`, i)
			fields = append(fields, reflect.StructField{
				Name: fmt.Sprintf("K%d", i), Type: reflect.TypeFor[string](), Tag: reflect.StructTag(tag),
			})
		}
		all := read("x: 1").Root().Decode(reflect.New(reflect.StructOf(fields)).Interface())
		if len(all) != 1 || !strings.HasSuffix(all[0].Message, end) || len(all[0].Known) != n {
			t.Errorf("of %d keys: %v", n, all)
		}
	}
}
