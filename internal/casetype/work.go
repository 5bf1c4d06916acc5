package casetype

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// maxWork bounds how many times a schema judges a value while the data of a case
// is validated: a few seconds.
const maxWork = 4_000_000

// maxCounts bounds the counting itself: half a second.
const maxCounts = 200_000

// What stands for the part of a value that no schema names, and begins an item's.
const (
	anyName  = "\x00"
	itemMark = "\x01"

	// And for all parts of a value.
	everyName = "\x02"
)

// judges counts the schemas that may judge one value.
type judges struct {
	*checker
	counts map[judged]int
	names  map[string]map[string]bool // by path of a schema: the parts of a value that it tells apart
}

// judged is a value depth levels below the one that the schema at path judges,
// and the name of the part that it is in.
type judged struct {
	path, name string
	depth      int
}

// countJudges gives, by its depth in the data, how many schemas may judge one
// value. Where a schema refers to itself more than once for the same part, that
// grows with every level.
func (c *checker) countJudges() []int {
	j := judges{c, map[judged]int{}, map[string]map[string]bool{}}
	var counts []int
	for depth := range maxDepth + 1 {
		n := j.below(c.root()["fields"], "/fields", depth)
		if counts = append(counts, n); n == 0 {
			break
		}
	}
	return counts
}

// below counts for the value for which there are most.
func (j *judges) below(schema any, path string, depth int) int {
	if depth == 0 {
		return j.at(schema, path, "", 0)
	}
	for refersOnly(object(schema)) { // the many fields of one form are counted once
		schema, path, _ = j.resolve(text(object(schema)["$ref"]))
	}
	key := judged{path, everyName, depth}
	if n, known := j.counts[key]; known {
		return n
	}
	most := 0
	for name := range j.namesOf(schema, path) {
		if len(j.counts) > maxCounts {
			return maxWork + 1 // nothing is known of what lies so deep
		}
		most = max(most, j.at(schema, path, name, depth))
	}
	j.counts[key] = most
	return most
}

func (j *judges) at(schema any, path, name string, depth int) int {
	key := judged{path, name, depth}
	if n, known := j.counts[key]; known {
		return n
	}
	n := 0
	if depth == 0 {
		n = 1
	} else {
		for at, part := range parts(object(schema), path, name) {
			n += j.below(part, at, depth-1)
		}
	}
	for at, same := range j.same(schema, path) {
		n += j.at(same, at, name, depth)
	}
	n = min(n, maxWork+1)
	j.counts[key] = n
	return n
}

// refersOnly reports whether all that a schema says about a value is a reference.
func refersOnly(s map[string]any) bool {
	for keyword := range s {
		if !slices.Contains(otherKeywords, keyword) && !strings.HasPrefix(keyword, "x-") {
			return false
		}
	}
	return s["$ref"] != nil
}

// same returns the schemas that judge the same value, those referred to included.
func (j *judges) same(schema any, path string) map[string]any {
	s := object(schema)
	all := inPlace(s, path)
	if target, at, ok := j.resolve(text(s["$ref"])); ok && s["$ref"] != nil {
		all[at] = target
	}
	return all
}

func (j *judges) namesOf(schema any, path string) map[string]bool {
	if names, known := j.names[path]; known {
		return names
	}
	s, names := object(schema), map[string]bool{anyName: true, itemMark: true}
	for name := range object(s["properties"]) {
		names[name] = true
	}
	for i := range items(s["prefixItems"]) {
		names[itemMark+strconv.Itoa(i)] = true
	}
	for at, same := range j.same(schema, path) {
		for name := range j.namesOf(same, at) {
			names[name] = true
		}
	}
	j.names[path] = names
	return names
}

// parts returns the schemas that may judge the named part of a value.
func parts(s map[string]any, path, name string) map[string]any {
	all := map[string]any{}
	ones := func(keywords ...string) {
		for _, keyword := range keywords {
			if part, ok := s[keyword]; ok {
				all[pointer(path, keyword)] = part
			}
		}
	}
	if index, isItem := strings.CutPrefix(name, itemMark); isItem {
		prefix := items(s["prefixItems"])
		if i, err := strconv.Atoi(index); err == nil && i < len(prefix) {
			all[pointer(path, "prefixItems", index)] = prefix[i]
		} else {
			ones("items", "unevaluatedItems")
		}
		ones("contains")
		return all
	}
	if part, ok := object(s["properties"])[name]; ok {
		all[pointer(path, "properties", name)] = part
	} else {
		ones("additionalProperties", "unevaluatedProperties")
	}
	for pattern, part := range object(s["patternProperties"]) {
		all[pointer(path, "patternProperties", pattern)] = part
	}
	return all
}

// tooMuchWork says so of data that the schema would judge for too long.
func (t *Type) tooMuchWork(data map[string]any) string {
	if t.work(data, 0) <= maxWork {
		return ""
	}
	return fmt.Sprintf("is too large, and nested too deep, for its schema: judging it takes more than %d steps", maxWork)
}

// work is how many steps the validation of a value at a depth may take.
func (t *Type) work(v any, depth int) int {
	if depth >= len(t.judges) {
		return 0
	}
	steps := t.judges[depth]
	switch v := v.(type) {
	case map[string]any:
		for _, part := range v {
			steps += t.work(part, depth+1)
		}
	case []any:
		for _, part := range v {
			steps += t.work(part, depth+1)
		}
	}
	return steps
}
