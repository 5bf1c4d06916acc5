package ccd

import (
	"cmp"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// stays stands for the state that the case is in, and before an event for every state.
const stays = "*"

// postState is a state after an event.
type postState struct {
	state     string
	condition string // empty: it is the state when no condition is true
	priority  int
}

var (
	conditional     = regexp.MustCompile(`^([^()"]+)\((.*)\)\s*:\s*([0-9]{1,2})$`)
	withoutPriority = regexp.MustCompile(`^([^()"]+)\((.*)\)`)
)

// parsePostStates reads the states after an event in order of their priority. The last one has no condition.
func parsePostStates(text string) ([]postState, error) {
	var all []postState
	otherwise := ""
	for _, entry := range splitOutsideQuotes(text, ';') {
		entry = strings.TrimSpace(entry)
		found := conditional.FindStringSubmatch(entry)
		switch {
		case entry == "":
		case found != nil:
			priority, _ := strconv.Atoi(found[3])
			all = append(all, postState{strings.TrimSpace(found[1]), strings.TrimSpace(found[2]), priority})
		case withoutPriority.MatchString(entry):
			return nil, fmt.Errorf("%.80q has a condition, and no priority behind it: write %.80s:1", entry, entry)
		case otherwise != "":
			return nil, fmt.Errorf("has two states without a condition, %q and %.80q", otherwise, entry)
		default:
			otherwise = entry
		}
	}
	if otherwise == "" {
		return nil, errors.New("has no state without a condition, in which the case is when no condition is true")
	}
	slices.SortStableFunc(all, func(a, b postState) int { return cmp.Compare(a.priority, b.priority) })
	for i := range len(all) - 1 {
		if all[i].priority == all[i+1].priority {
			return nil, fmt.Errorf("has two states of the priority %d", all[i].priority)
		}
	}
	return append(all, postState{state: otherwise}), nil
}

// splitOutsideQuotes splits a text at a character that stands outside of quotation marks.
func splitOutsideQuotes(text string, at byte) (parts []string) {
	quoted, begin := false, 0
	for i := range len(text) {
		switch {
		case text[i] == '"':
			quoted = !quoted
		case text[i] == at && !quoted:
			parts = append(parts, text[begin:i])
			begin = i + 1
		}
	}
	return append(parts, text[begin:])
}
