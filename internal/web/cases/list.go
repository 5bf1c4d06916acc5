package cases

import (
	"cmp"
	"context"
	"errors"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/casehook/casehook/internal/access"
	"github.com/casehook/casehook/internal/cases"
	"github.com/casehook/casehook/internal/casework"
	"github.com/casehook/casehook/internal/definitions"
	"github.com/casehook/casehook/internal/event"
	"github.com/casehook/casehook/internal/fault"
	"github.com/casehook/casehook/internal/store"
	"github.com/casehook/casehook/internal/web/ui"
)

// listPage is a page of the list of cases.
type listPage struct {
	Title  string
	Count  string
	Rows   []caseRow
	Chips  []ui.Chip
	Hidden []hidden // the filters, beside the search, that the form keeps
	Text   string
	Sort   string
	Next   string
	Facets []facet
	Failed string // why the list can't be shown, for the one who asked
	Now    time.Time
	Users  []event.Person
	Labels []cases.Label
	May    may
	Moves  []move
}

// may tells what the reader may do with the cases of the list.
type may struct{ create, assign, label, move bool }

func mayOf(p access.Principal) may {
	return may{
		create: p.Role.Permits(access.CreateCase),
		assign: p.Role.Permits(access.AssignCase),
		label:  p.Role.Permits(access.AddLabel),
		move:   p.Role.Permits(access.SubmitTransition),
	}
}

func (m may) any() bool { return m.assign || m.label || m.move }

// caseRow is a case in the list.
type caseRow struct {
	cases.Case
	Color, StateName string
	Final            bool
}

type hidden struct{ Name, Value string }

// column is a column that the list can be sorted by.
type column struct {
	Title, Sort string // the value of sort for the newest or greatest first
}

var columns = []column{
	{"Created", "-created"}, {"Updated", "-modified"}, {"Activity", "-last_activity"}, {"Closed", "-closed"},
}

// filterNames are the parameters of the address that select cases, beside the search.
var filterNames = []string{"type", "state", "label", "assignee", "created", "updated"}

func (h handler) list(ctx context.Context, r *ui.Request) (ui.View, error) {
	query := r.HTTP.URL.Query()
	known, err := h.known(ctx, r.Principal)
	if err != nil {
		return ui.View{}, err
	}
	f, err := h.filter(r)
	if err != nil {
		return ui.View{}, err
	}
	list := listPage{
		Title: "Cases", Text: f.Text, Sort: sortOf(query), Now: h.guard.Now(), May: mayOf(r.Principal),
		Chips: known.chips(query), Users: known.users, Labels: known.labels,
	}
	for _, name := range append([]string{"sort"}, filterNames...) {
		if value := query.Get(name); value != "" {
			list.Hidden = append(list.Hidden, hidden{name, value})
		}
	}
	view := ui.View{Title: "Cases", Section: "/cases", Call: apiCall(f)}
	if err := h.fill(ctx, r, &list, f); err != nil {
		e := fault.As(err)
		if e.Kind != fault.Invalid && e.Kind != fault.Unprocessable {
			return ui.View{}, err
		}
		list.Failed, view.Status = e.Detail, 422
	} else if list.Facets, list.Count, err = h.facets(ctx, r, f, known); err != nil {
		return ui.View{}, err
	}
	view.Body = listTemplate(list)
	return view, nil
}

// fill reads the rows of a list.
func (h handler) fill(ctx context.Context, r *ui.Request, list *listPage, f store.CaseFilter) error {
	found, err := h.services.Cases.Cases(ctx, r.Principal, f)
	if err != nil {
		return err
	}
	var last store.Position
	for view, err := range found.All(ctx) {
		if errors.Is(err, casework.ErrPageEnds) {
			found.More = true
			break
		}
		if err != nil {
			return err
		}
		state, _ := view.Definition.State(view.State)
		list.Rows = append(list.Rows, caseRow{
			view.Case, view.EffectiveColor(view.Definition), stateName(state.Name, view.State), state.Final,
		})
		list.addMoves(view)
		last = view.Position
	}
	if found.To != (store.Position{}) {
		last, found.More = found.To, true
	}
	if found.More {
		list.Next, err = r.Cursor("console cases", last)
	}
	return err
}

func stateName(name, key string) string {
	if name == "" {
		return key
	}
	return name
}

// sortOf returns the order of the list. A search has the best matches first, unless it is sorted by the creation.
func sortOf(query url.Values) string {
	sort := query.Get("sort")
	if strings.TrimSpace(query.Get("q")) != "" {
		if strings.TrimPrefix(sort, "-") == "created" {
			return sort
		}
		return "relevance"
	}
	for _, c := range columns {
		if strings.TrimPrefix(sort, "-") == strings.TrimPrefix(c.Sort, "-") {
			return sort
		}
	}
	return "-last_activity"
}

// filter reads the address of the list, with its place in the list.
func (h handler) filter(r *ui.Request) (store.CaseFilter, error) {
	f, err := filterOf(r.HTTP.URL.Query(), r.Principal, h.guard.Now())
	if err != nil {
		return f, err
	}
	return f, r.Position("console cases", &f.After)
}

// filterOf reads the query of the list's address.
func filterOf(query url.Values, p access.Principal, now time.Time) (store.CaseFilter, error) {
	f := store.CaseFilter{
		Type: query.Get("type"), State: query.Get("state"), Text: strings.TrimSpace(query.Get("q")),
		Label: query.Get("label"), Limit: 50,
	}
	switch who := query.Get("assignee"); who {
	case "":
	case "none":
		f.Assignee = store.Unassigned
	case "me":
		f.Assignee = cmp.Or(p.Actor.UserID, noUser)
	default:
		id, err := strconv.ParseInt(who, 10, 64)
		if err != nil || id <= 0 {
			return f, fault.New(fault.Invalid, "request.invalid", "assignee is the id of a user, me, or none.")
		}
		f.Assignee = id
	}
	f.Created.From, f.Modified.From = sinceOf(query.Get("created"), now), sinceOf(query.Get("updated"), now)
	if sort := sortOf(query); sort != "-created" {
		f.Sort = store.CaseSort(sort)
	}
	return f, nil
}

// spans are the times that a list can be narrowed to.
var spans = []struct {
	key, title string
	length     time.Duration
}{
	{"1h", "the last hour", time.Hour},
	{"24h", "the last 24 hours", 24 * time.Hour},
	{"7d", "the last 7 days", 7 * 24 * time.Hour},
	{"30d", "the last 30 days", 30 * 24 * time.Hour},
}

func sinceOf(key string, now time.Time) time.Time {
	for _, s := range spans {
		if s.key == key {
			return now.Add(-s.length)
		}
	}
	return time.Time{}
}

// apiCall returns the call of the API that lists the same cases.
func apiCall(f store.CaseFilter) string {
	query := url.Values{}
	set := func(name, value string) {
		if value != "" {
			query.Set(name, value)
		}
	}
	set("type", f.Type)
	set("state", f.State)
	set("q", f.Text)
	set("label", f.Label)
	switch {
	case f.Assignee == store.Unassigned:
		set("assignee", "none")
	case f.Assignee > 0:
		set("assignee", strconv.FormatInt(f.Assignee, 10))
	}
	for name, at := range map[string]time.Time{"created_after": f.Created.From, "modified_after": f.Modified.From} {
		if !at.IsZero() {
			set(name, at.UTC().Format(time.RFC3339))
		}
	}
	set("sort", string(f.Sort))
	if len(query) == 0 {
		return "GET /v1/cases"
	}
	return "GET /v1/cases?" + query.Encode()
}

// known has the names of what cases are filtered by.
type known struct {
	types  []definitions.TypeSummary
	states map[string]string // names, by key
	colors map[string]string // of states, by key
	users  []event.Person
	labels []cases.Label
	me     int64
}

// maxKnown bounds the users that a page offers.
const maxKnown = 100

func (h handler) known(ctx context.Context, p access.Principal) (k known, err error) {
	k = known{states: map[string]string{}, colors: map[string]string{}, me: p.Actor.UserID}
	if k.types, err = h.services.CaseTypes.CaseTypes(ctx, p); err != nil {
		return k, err
	}
	for _, t := range k.types {
		full, err := h.services.CaseTypes.CaseType(ctx, p, t.Key, 0)
		if errors.Is(err, fault.NotFound) {
			continue
		}
		if err != nil {
			return k, err
		}
		for _, s := range full.Type.States {
			k.states[s.Key], k.colors[s.Key] = stateName(s.Name, s.Key), s.Color
		}
	}
	if k.labels, err = h.services.Labels.Labels(ctx, p); err != nil {
		return k, err
	}
	if p.Role.Permits(access.AssignCase) {
		k.users, _, err = h.users.Colleagues(ctx, p, 0, maxKnown)
	}
	return k, err
}

// chips shows the filters of an address.
func (k known) chips(query url.Values) (all []ui.Chip) {
	titles := map[string]string{"type": "type", "state": "state", "label": "label", "assignee": "assigned to",
		"created": "created", "updated": "updated"}
	for _, name := range filterNames {
		if value := query.Get(name); value != "" {
			all = append(all, ui.Chip{
				Name: titles[name], Value: k.title(name, value), Without: ui.Without("/cases", query, name),
			})
		}
	}
	return all
}

// title names a value of a filter.
func (k known) title(filter, value string) string {
	switch filter {
	case "type":
		for _, t := range k.types {
			if t.Key == value {
				return t.Name
			}
		}
	case "state":
		if name := k.states[value]; name != "" {
			return name
		}
	case "label":
		for _, l := range k.labels {
			if l.Slug == value {
				return l.Name
			}
		}
	case "assignee":
		return k.person(value)
	case "created", "updated":
		for _, s := range spans {
			if s.key == value {
				return s.title
			}
		}
	}
	return value
}

func (k known) person(value string) string {
	switch value {
	case "none":
		return "nobody"
	case "me":
		return "me"
	}
	for _, u := range k.users {
		if strconv.FormatInt(u.UserID, 10) == value {
			return u.Name
		}
	}
	return "user " + value
}
