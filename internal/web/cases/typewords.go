package cases

import (
	"maps"
	"slices"
	"strings"

	"github.com/casehook/casehook/internal/casetype"
)

// fromStates names the states that a transition starts in.
func fromStates(t *casetype.Type, tr casetype.Transition) string {
	switch {
	case tr.Creates():
		return "(creates)"
	case tr.StartsEverywhere():
		return "(every state)"
	}
	return strings.Join(stateNames(t, tr.From), ", ")
}

// toStates names the states that a transition leads to.
func toStates(t *casetype.Type, tr casetype.Transition) string {
	names := stateNames(t, tr.To.States())
	if tr.MayStay() {
		names = append(names, "(stays)")
	}
	return strings.Join(names, ", ")
}

func stateNames(t *casetype.Type, keys []string) []string {
	names := make([]string, len(keys))
	for i, key := range keys {
		s, _ := t.State(key)
		names[i] = stateName(s.Name, key)
	}
	return names
}

func rolesOf(tr casetype.Transition) string {
	if tr.Roles == nil {
		return "all that may write"
	}
	return strings.Join(tr.Roles, ", ")
}

var kinds = map[widget]string{
	textWidget: "text", areaWidget: "long text", numberWidget: "number", dateWidget: "date", boolWidget: "yes or no",
	choiceWidget: "one of a list", choicesWidget: "several of a list", objectWidget: "group", listWidget: "list",
	jsonWidget: "JSON", offerWidget: "one of a list", offersWidget: "several of a list",
}

func kindOf(f field) string {
	if f.Widget == choiceWidget {
		words := make([]string, len(f.Options))
		for i, code := range f.Options {
			if words[i] = f.word(code); words[i] != code {
				words[i] += " (" + code + ")"
			}
		}
		return strings.Join(words, ", ")
	}
	return kinds[f.Widget]
}

func classOf(f field) string {
	if f.Class == "" {
		return string(casetype.Public)
	}
	return f.Class
}

func yes(b bool) string {
	if b {
		return "yes"
	}
	return ""
}

func sorted(m map[string]string) []string { return slices.Sorted(maps.Keys(m)) }

// shorten cuts a name to a number of characters.
func shorten(name string, most int) string {
	if runes := []rune(name); len(runes) > most {
		return string(runes[:most-1]) + "…"
	}
	return name
}
