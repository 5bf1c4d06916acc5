package ccd

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/casehook/casehook/internal/sheets"
)

var lostOfEvents = map[string]string{
	"Description":             "descriptions of events are not imported",
	"EndButtonLabel":          looks,
	"ShowSummary":             looks,
	"ShowSummaryChangeOption": looks,
	"ShowEventNotes":          looks,
	"CanSaveDraft":            looks,
	"SignificantEvent":        "significant events are not marked",
	"PreCondition":            "QuickCase's preconditions are not imported",
	"PostCondition":           "QuickCase's postconditions are not imported",
}

const looks = "says how forms look, and is not imported"

// transitions makes the transitions of the events.
func (t *typeImporter) transitions() ([]any, error) {
	events := t.im.of(sheets.CaseEvent, t.id)
	inOrder(events, "DisplayOrder", "ID")
	known := map[string]bool{}
	for _, row := range events {
		known[row.ID("ID")] = true
	}
	may := t.granted(sheets.EventAccess, "CaseEventID", func(id string) bool { return known[id] })
	pages := t.pageRows(known)
	all := []any{}
	for _, row := range events {
		made, err := t.transition(row, may[row.ID("ID")], pages[row.ID("ID")])
		if err != nil {
			return nil, err
		}
		if made != nil {
			all = append(all, made)
			t.counts.Events++
		}
	}
	return all, nil
}

// transition makes the transition of an event, or none if no case can have it.
func (t *typeImporter) transition(row sheets.Row, may *grants, fields []pageRow) (tree, error) {
	t.noteEvent(row)
	made := tree{}.with("key", row.ID("ID")).with("name", oneLine(t.im, row, "Name"))
	from, ok := t.before(row)
	if !ok {
		return nil, nil
	}
	made = made.with("from", from)
	to, err := t.after(row, from == nil)
	if err != nil {
		return nil, err
	}
	made = made.with("to", to)
	roles := onlyAdmins
	if may != nil && len(may.create) > 0 {
		roles = may.create
	} else {
		t.im.note(row.Place(), "AuthorisationCaseEvent: no profile has C for an event, which only administrators may "+
			"submit")
	}
	made = made.with("roles", roles).with("offered_if", t.offered(row))
	defaults, nullify := t.starts(fields)
	made = made.with("defaults", defaults).with("nullify", nullify)
	for _, one := range []struct {
		key, url, retries string
		count             *int
	}{
		{"about_to_start", "CallBackURLAboutToStartEvent", "RetriesTimeoutAboutToStartEvent", &t.counts.AboutToStart},
		{"about_to_submit", "CallBackURLAboutToSubmitEvent", "RetriesTimeoutURLAboutToSubmitEvent",
			&t.counts.AboutToSubmit},
		{"submitted", "CallBackURLSubmittedEvent", "RetriesTimeoutURLSubmittedEvent", &t.counts.Submitted},
	} {
		ask, err := t.im.callback(row, one.url, one.retries)
		if err != nil {
			return nil, err
		}
		if ask != nil {
			made = append(made, member{one.key, ask})
			*one.count++
		}
	}
	pages, err := t.pages(fields)
	if err != nil {
		return nil, err
	}
	return made.with("pages", pages), nil
}

// noteEvent notes what is left out of an event.
func (t *typeImporter) noteEvent(row sheets.Row) {
	t.im.noteColumns(row, lostOfEvents)
	if c := t.classification(row); c != "" {
		t.im.note(row.At("SecurityClassification"), "CaseEvent.SecurityClassification: events have none; roles decide "+
			"who may submit them")
	}
	if row.Has("TTLIncrement") {
		t.im.note(row.At("TTLIncrement"), "CaseEvent.TTLIncrement: of %s is left out; the time of deletion does not "+
			"move", row.ID("ID"))
	}
}

// before returns the states in which an event may happen: a list, "*", or nil for one that creates a case. It returns
// false if there is no such state.
func (t *typeImporter) before(row sheets.Row) (from any, ok bool) {
	const column = "PreConditionState(s)"
	var states []string
	for _, state := range strings.FieldsFunc(row.ID(column), func(r rune) bool { return r == ';' || r == ',' }) {
		state = strings.TrimSpace(state)
		switch {
		case state == "" || slices.Contains(states, state):
		case state == stays:
			t.counts.FromAny++
			return stays, true
		case !t.known[state]:
			t.im.note(row.At(column), "CaseEvent.%s: %s is no state of %s, and is left out", column, state, t.id)
		default:
			states = append(states, state)
		}
	}
	switch {
	case !row.Has(column):
		t.counts.Creations++
		return nil, true
	case len(states) == 0:
		t.im.note(row.At(column), "CaseEvent: the event %s is left out: none of the states before it is there",
			row.ID("ID"))
		return nil, false
	case len(states) == 1:
		t.counts.FromOne++
	default:
		t.counts.FromList++
	}
	return states, true
}

// after returns the states after an event: a state, a list of targets, or nil if the case stays in its state.
func (t *typeImporter) after(row sheets.Row, creates bool) (any, error) {
	const column = "PostConditionState"
	text := row.ID(column)
	if text == "" && !creates {
		text = stays
	}
	entries, err := parsePostStates(text)
	if err != nil {
		return nil, sheets.Faultf(row.At(column), "%v", err)
	}
	var targets []any
	moves, conditions := false, 0
	for _, entry := range entries {
		if entry.state == stays && creates {
			return nil, sheets.Faultf(row.At(column), `is "*", the state that a case is in; the event creates a case`)
		}
		when := always
		if entry.condition != "" {
			when = t.condition(row, column, entry.condition)
		}
		if when == never {
			continue
		}
		if entry.state != stays {
			t.declare(entry.state, row, column)
			moves = true
		}
		if when == always {
			targets = append(targets, tree{{"state", entry.state}})
			break
		}
		targets = append(targets, tree{{"when", when}, {"state", entry.state}})
		conditions++
	}
	switch {
	case !moves:
		t.counts.Stay++
		return nil, nil
	case conditions == 0:
		t.counts.ToOne++
		return targets[len(targets)-1].(tree)[0].value, nil
	}
	t.counts.ToConditional++
	return targets, nil
}

// declare adds a state that an event leads to, if the sheet State does not have it.
func (t *typeImporter) declare(state string, row sheets.Row, column string) {
	if !t.known[state] {
		t.known[state] = true
		t.added = append(t.added, state)
		t.im.note(row.At(column), "CaseEvent.%s: %s is not in the sheet State of %s, and is added", column, state, t.id)
	}
}

// maxCEL bounds a condition in CEL, in characters.
const maxCEL = 4000

// condition returns a condition of the engine in CEL.
func (t *typeImporter) condition(row sheets.Row, column, text string) string {
	s := scope{t.kind, map[string]string{"[CASE_TYPE]": t.id, "[JURISDICTION]": t.row.ID("JurisdictionID")}}
	cel, problems := s.inCEL(text)
	if utf8.RuneCountInString(cel) > maxCEL {
		cel, problems = never, append(problems, "is never true here: it is longer than 4,000 characters in CEL")
	}
	for _, problem := range problems {
		t.im.note(row.At(column), "CaseEvent.%s: the condition %.200s of %s %s", column, text, row.ID("ID"), problem)
	}
	return cel
}

// offered returns the condition under which an event is offered.
func (t *typeImporter) offered(row sheets.Row) string {
	const column = "EventEnablingCondition"
	if !row.Has(column) {
		return ""
	}
	cel := t.condition(row, column, row.Text(column))
	if cel == always {
		return ""
	}
	return cel
}

// starts returns the values that an event starts with, by path, and the fields that it empties.
func (t *typeImporter) starts(fields []pageRow) (defaults tree, nullify []string) {
	for _, f := range fields {
		empties := yes(f.row.ID("NullifyByDefault"))
		if !empties && !f.row.Has("DefaultValue") {
			continue
		}
		at, ok := t.path(strings.Split(f.path, "."), false)
		if !ok {
			t.im.note(f.row.Place(), "%s: a member of the items of a collection can't have a default, which is left "+
				"out", f.row.Sheet)
			continue
		}
		if empties {
			nullify = append(nullify, f.path)
		}
		if !f.row.Has("DefaultValue") {
			continue
		}
		value := t.defaultValue(at, f.row.Text("DefaultValue"))
		if value == nil {
			t.im.note(f.row.At("DefaultValue"), "%s.DefaultValue: %.60q is no value of %s, and is left out",
				f.row.Sheet, f.row.Text("DefaultValue"), f.path)
			continue
		}
		defaults = append(defaults, member{f.path, value})
	}
	slices.SortFunc(defaults, func(a, b member) int { return strings.Compare(a.key, b.key) })
	slices.Sort(nullify)
	return defaults, nullify
}

// defaultValue reads a default, or returns nil if it is none of the type.
func (t *typeImporter) defaultValue(of fieldType, text string) any {
	has := func(code string) bool {
		return slices.ContainsFunc(t.im.lists[of.parameter], func(r sheets.Row) bool {
			return r.ID("ListElementCode") == code
		})
	}
	switch t.im.sort(of) {
	case textSort, dateSort:
		return text
	case moneySort, numberSort:
		if _, err := strconv.ParseFloat(strings.TrimSpace(text), 64); err == nil {
			return strings.TrimSpace(text)
		}
	case yesNoSort:
		switch word := strings.ToLower(strings.TrimSpace(text)); {
		case yes(word):
			return "Yes"
		case slices.Contains([]string{"n", "no", "f", "false"}, word):
			return "No"
		}
	case listSort:
		if code := strings.TrimSpace(text); has(code) || len(t.im.lists[of.parameter]) == 0 {
			return code
		}
	case choiceSort:
		codes := []string{}
		for code := range strings.SplitSeq(text, ",") {
			if code = strings.TrimSpace(code); code != "" && has(code) && !slices.Contains(codes, code) {
				codes = append(codes, code)
			}
		}
		if len(codes) > 0 {
			return codes
		}
	case collectionSort, complexSort, dynamicSort, documentSort:
		if raw := json.RawMessage(strings.TrimSpace(text)); json.Valid(raw) && (raw[0] == '{' || raw[0] == '[') {
			return raw
		}
	}
	return nil
}

// callback returns the settings of a callback, or nil if the row has no URL for it.
func (im *importer) callback(row sheets.Row, column, retries string) (tree, error) {
	if !row.Has(column) {
		return nil, nil
	}
	made := tree{{"url", im.url(row, column)}}
	var seconds []int
	for part := range strings.SplitSeq(row.ID(retries), ",") {
		part = strings.TrimSpace(part)
		if part == "" {
			continue
		}
		n, err := strconv.Atoi(part)
		if err != nil || n < 0 {
			return nil, sheets.Faultf(row.At(retries), "is %.40q; whole numbers, separated by commas, are expected",
				row.ID(retries))
		}
		seconds = append(seconds, n)
	}
	switch {
	case len(seconds) == 1 && seconds[0] == 0:
		made = append(made, member{"retries", []any{}})
	case len(seconds) == 0:
	case im.retries == QuickCase:
		made = im.timeouts(made, seconds, row.At(retries))
	default:
		im.note(row.At(retries), "%s.%s: HMCTS's engine knows only 0, one attempt; other values are left out, so that "+
			"there are three attempts", row.Sheet, retries)
	}
	return append(made, member{"retry_on", "any"}), nil
}

// The bounds of a callback's settings.
const (
	maxTimeout = 60 // seconds
	maxWaits   = 10
	maxBudget  = 300 // seconds
)

// timeouts adds the settings of a list that has the timeout of each attempt.
func (im *importer) timeouts(made tree, seconds []int, at sheets.Place) tree {
	seconds = slices.DeleteFunc(seconds, func(n int) bool { return n == 0 })
	if len(seconds) == 0 {
		return append(made, member{"retries", []any{}})
	}
	timeout := min(slices.Max(seconds), maxTimeout)
	if slices.Max(seconds) != slices.Min(seconds) || slices.Max(seconds) > maxTimeout || len(seconds) > maxWaits+1 {
		im.note(at, "columns on retries: all attempts have the longest timeout of a list, 60 s at most, and there are "+
			"11 attempts at most")
	}
	waits := []any{}
	budget := timeout
	for i := range min(len(seconds)-1, maxWaits) {
		wait := 1
		if i > 0 {
			wait = 3
		}
		waits = append(waits, duration(wait))
		budget += wait + timeout
	}
	return append(made, member{"timeout", duration(timeout)}, member{"retries", waits},
		member{"budget", duration(min(budget, maxBudget))})
}

func duration(seconds int) string { return (time.Duration(seconds) * time.Second).String() }
