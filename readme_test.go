package casehook_test

import (
	"os"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/casehook/casehook/internal/wire"
)

var quoted = regexp.MustCompile("`([^`]+)`")

// receivingPage lists the triggers, and the headers of requests.
const receivingPage = "docs/receiving.md"

// tableRows returns the cells of the tables of that page.
func tableRows(t *testing.T) (rows [][]string) {
	t.Helper()
	text, err := os.ReadFile(receivingPage)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		if cells := strings.Split(strings.TrimSpace(line), "|"); len(cells) > 3 && cells[0] == "" {
			rows = append(rows, cells[1:len(cells)-1])
		}
	}
	return rows
}

func namesIn(cell string) (names []string) {
	for _, found := range quoted.FindAllStringSubmatch(cell, -1) {
		names = append(names, found[1])
	}
	return names
}

// looksLikeATrigger matches what is a trigger's name, or was meant as one.
var looksLikeATrigger = regexp.MustCompile(`^(case_[a-z_]+|(claim|contact|endpoint|com\.casehook)\.[a-z_.]+)$`)

func TestTheDocsListEveryTriggerOnce(t *testing.T) {
	listed := map[string]int{}
	for _, row := range tableRows(t) {
		for _, name := range namesIn(row[0]) {
			if looksLikeATrigger.MatchString(name) {
				listed[name]++
			}
		}
	}
	for _, trigger := range wire.Triggers() {
		if listed[trigger.Name] != 1 {
			t.Errorf("%s: %s is listed %d times", receivingPage, trigger.Name, listed[trigger.Name])
		}
		delete(listed, trigger.Name)
	}
	if len(listed) > 0 {
		t.Errorf("%s: these are no triggers: %v", receivingPage, listed)
	}
}

// The second column of the table says on which requests a header is: patterns of
// triggers, all triggers, callbacks, or all.
func TestTheDocsListTheHeadersOfEachRequest(t *testing.T) {
	said := map[string][]string{} // by request
	begun := false
	question := wire.AboutToSubmit("1.0.0")
	for _, row := range tableRows(t) {
		if strings.TrimSpace(row[0]) == "header" {
			begun = true
			continue
		}
		if !begun || len(row) != 3 || strings.HasPrefix(row[0], "-") {
			begun = begun && len(row) == 3
			continue
		}
		on, patterns := strings.TrimSpace(row[1]), namesIn(row[1])
		for _, header := range namesIn(row[0]) {
			for _, trigger := range wire.Triggers() {
				matches := func(pattern string) bool { ok, _ := path.Match(pattern, trigger.Name); return ok }
				if on == "all" || on == "all triggers" || slices.ContainsFunc(patterns, matches) {
					said[trigger.Name] = append(said[trigger.Name], header)
				}
			}
			if on == "all" || on == "callbacks" {
				said[question.Name] = append(said[question.Name], header)
			}
		}
	}
	compare := func(name string, docs []wire.HeaderDoc) {
		var have []string
		for _, doc := range docs {
			have = append(have, doc.Name)
		}
		slices.Sort(have)
		slices.Sort(said[name])
		if !slices.Equal(have, said[name]) {
			t.Errorf("%s has the headers %v; %s lists %v", name, have, receivingPage, said[name])
		}
	}
	for _, trigger := range wire.Triggers() {
		compare(trigger.Name, wire.Headers(trigger.Name, "1.0.0", "1.0.0"))
	}
	compare(question.Name, question.Headers)
}
