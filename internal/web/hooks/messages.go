package hooks

import (
	"context"
	"maps"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/a-h/templ"

	"github.com/casehook/casehook/internal/endpoint"
	"github.com/casehook/casehook/internal/hooks"
	"github.com/casehook/casehook/internal/store"
	"github.com/casehook/casehook/internal/web/ui"
	"github.com/casehook/casehook/internal/wire"
)

// messageList is the list of attempts at all endpoints.
type messageList struct {
	Rows      []messageRow
	Chips     []ui.Chip
	Quick     []quickFilter
	Filter    messageFilter
	Endpoints []endpoint.Endpoint
	Triggers  []string
	Classes   []classChoice
	More      string
	Searched  time.Time // how far back the contents were searched; zero: there is no older page, or all were shown
	Newest    string    // the address of the first page; empty: it is this one
	Filtered  bool
	Portal    bool   // the reader is a receiver
	Selected  string // the attempt that is shown beside the list
}

// messageRow is an attempt in a list.
type messageRow struct {
	ID, Href string
	At       time.Time
	Endpoint string
	Trigger  string
	Subject  subject
	Number   int
	Outcome  outcome
	Took     string
	Failed   bool
}

// quickFilter is a filter that one press sets.
type quickFilter struct {
	Name, Href string
	Count      string
	Current    bool
}

// messageFilter has the parameters of the list as they are written in its address.
type messageFilter struct {
	Endpoint, Trigger, Outcome, Class, Status, Subject, Message, Contains, Time, At string

	path  string
	query url.Values
}

// spans are the presets of time.
var spans = []struct {
	Key, Name string
	Length    time.Duration
}{
	{"15m", "last 15 minutes", 15 * time.Minute},
	{"1h", "last hour", time.Hour},
	{"24h", "last 24 hours", 24 * time.Hour},
	{"7d", "last 7 days", 7 * 24 * time.Hour},
}

// momentForm is how a field for a moment writes it, in UTC.
const momentForm = "2006-01-02T15:04"

func readFilter(r *ui.Request) messageFilter {
	return messageFilter{
		Endpoint: r.Query("endpoint"),
		Trigger:  r.Query("trigger"),
		Outcome:  r.Query("outcome"),
		Class:    r.Query("class"),
		Status:   r.Query("status"),
		Subject:  r.Query("subject"),
		Message:  r.Query("message"),
		Contains: r.Query("contains"),
		Time:     r.Query("time"),
		At:       r.Query("at"),
		path:     "/messages",
		query:    kept(r.HTTP.URL.Query()),
	}
}

// kept returns the parameters of an address that have values.
func kept(query url.Values) url.Values {
	all := url.Values{}
	for name, values := range query {
		if values[0] != "" && name != "q" {
			all.Set(name, values[0])
		}
	}
	return all
}

// selection returns the filter as the use case reads it. Parts that can't be read select nothing less.
func (f messageFilter) selection(now time.Time) hooks.AttemptQuery {
	s := hooks.AttemptQuery{Contains: f.Contains}
	s.AttemptFilter = store.AttemptFilter{
		Endpoint: f.Endpoint, Trigger: f.Trigger, Class: f.Class, Subject: f.Subject, Message: f.Message,
		Outcome: map[string]store.Outcome{"delivered": store.Delivered, "failed": store.Failed}[f.Outcome],
	}
	s.Status, _ = strconv.Atoi(f.Status) // 0: any
	for _, span := range spans {
		if span.Key == f.Time {
			s.Since = now.Add(-span.Length)
		}
	}
	if at, err := time.Parse(momentForm, f.At); err == nil {
		s.Until = at.Add(time.Minute)
	}
	return s
}

// chips lists the filters that are set.
func (f messageFilter) chips(names map[string]string) (all []ui.Chip) {
	add := func(parameter, name, value string) {
		if value != "" {
			all = append(all, ui.Chip{Name: name, Value: value, Without: ui.Without(f.path, f.query, parameter)})
		}
	}
	for _, span := range spans {
		if span.Key == f.Time {
			add("time", "time", span.Name)
		}
	}
	if at, err := time.Parse(momentForm, f.At); err == nil {
		add("at", "until", at.Format("2 Jan 2006 15:04")+" UTC")
	}
	name, known := names[f.Endpoint]
	if !known {
		name = f.Endpoint
	}
	add("endpoint", "endpoint", name)
	add("trigger", "trigger", f.Trigger)
	add("outcome", "outcome", f.Outcome)
	if f.Class != "" {
		add("class", "failure", className(f.Class))
	}
	add("status", "status", f.Status)
	add("subject", "about", f.Subject)
	add("message", "message", f.Message)
	add("contains", "contains", f.Contains)
	return all
}

// maxKinds bounds the kinds of failures that the list offers. The form has all of them.
const maxKinds = 8

// quick lists the filters that one press sets: the outcomes, and the kinds of failures that there are.
func (f messageFilter) quick(counts *hooks.AttemptCounts) []quickFilter {
	all := []quickFilter{
		f.set("All", "", "", ""), f.set("Delivered", "delivered", "", ""), f.set("Failed", "failed", "", ""),
	}
	if counts == nil {
		return all
	}
	all[2].Count = boundedCount(counts.Sum(), counts.Complete)
	for _, k := range counts.Kinds[:min(maxKinds, len(counts.Kinds))] {
		status := ""
		if k.Status != 0 {
			status = strconv.Itoa(k.Status)
		}
		q := f.set(failureOf(k.Status, k.Class).Name, "", k.Class, status)
		q.Count = boundedCount(k.Count, counts.Complete)
		all = append(all, q)
	}
	return all
}

// set returns the filter that replaces the outcome and the kind of failure, and keeps the others.
func (f messageFilter) set(name, outcome, class, status string) quickFilter {
	query := maps.Clone(f.query)
	query.Del("cursor")
	query.Del("done")
	for parameter, value := range map[string]string{"outcome": outcome, "class": class, "status": status} {
		if query.Del(parameter); value != "" {
			query.Set(parameter, value)
		}
	}
	current := f.Outcome == outcome && f.Class == class && f.Status == status
	return quickFilter{Name: name, Href: withQuery(f.path, query), Current: current}
}

// mostCounted is the highest count that the list shows.
const mostCounted = 1000

// boundedCount formats a count that ends at mostCounted, or that is of the newest alone.
func boundedCount(n int64, complete bool) string {
	text := ui.Number(int(min(n, mostCounted)))
	if n > mostCounted || !complete {
		text += "+"
	}
	return text
}

func withQuery(path string, query url.Values) string {
	if len(query) == 0 {
		return path
	}
	return path + "?" + query.Encode()
}

// listMessages shows attempts at all endpoints, the newest first. A text in the search box leads to what it names.
func (h handler) listMessages(ctx context.Context, r *ui.Request) (ui.View, error) {
	if q := strings.TrimSpace(r.Query("q")); q != "" {
		return ui.Redirect(found(q, kept(r.HTTP.URL.Query()))), nil
	}
	list, err := h.messages(ctx, r)
	if err != nil {
		return ui.View{}, err
	}
	return ui.View{
		Title: "Messages", Section: "/messages", Body: messagesPage(list, nil), Call: list.Filter.call(),
	}, nil
}

// subjectPattern matches what messages are about, as "case/17".
var subjectPattern = regexp.MustCompile(`^(case|contact|endpoint)/\w+$`)

// found returns the address of what a text names: an attempt, a message, a case, an endpoint, or a trigger. A text that
// names none of them is searched for in what was sent and answered.
func found(q string, query url.Values) string {
	switch {
	case strings.HasPrefix(q, "att_"):
		return "/messages/" + url.PathEscape(q)
	case strings.HasPrefix(q, "msg_"):
		query.Set("message", q)
	case strings.HasPrefix(q, "ep_"):
		query.Set("endpoint", q)
	case wire.Known(q):
		query.Set("trigger", q)
	case subjectPattern.MatchString(q):
		query.Set("subject", q)
	default:
		if _, err := strconv.ParseInt(q, 10, 64); err == nil {
			query.Set("subject", "case/"+q)
		} else {
			query.Set("contains", q)
		}
	}
	query.Del("cursor")
	return withQuery("/messages", query)
}

// messages reads the list that a request's address describes.
func (h handler) messages(ctx context.Context, r *ui.Request) (messageList, error) {
	f := readFilter(r)
	names, endpoints, err := h.endpointNames(ctx, r)
	if err != nil {
		return messageList{}, err
	}
	selection := f.selection(time.Now())
	if err := r.Position("messages", &selection.Before); err != nil {
		return messageList{}, err
	}
	first := selection.Before == 0
	found, err := h.search(ctx, r, selection)
	if err != nil {
		return messageList{}, err
	}
	counts, err := h.failureCounts(ctx, r, selection)
	if err != nil {
		return messageList{}, err
	}
	list := messageList{
		Chips: f.chips(names), Quick: f.quick(counts), Filter: f, Endpoints: endpoints, Triggers: wire.Names(),
		Classes: classChoices(),
	}
	list.Filtered, list.Portal = len(list.Chips) > 0, r.Portal()
	for _, a := range found.Items {
		list.Rows = append(list.Rows, h.row(a, names, f.query))
	}
	if err := h.nameRows(ctx, r, list.Rows); err != nil {
		return list, err
	}
	if found.Next > 0 {
		if list.More, err = r.Cursor("messages", found.Next); err != nil {
			return list, err
		}
		if len(found.Items) < pageRows {
			list.Searched = found.SearchedTo
		}
		list.More = strings.Replace(list.More, r.HTTP.URL.Path, f.path, 1)
	}
	if !first {
		list.Newest = ui.Without(f.path, f.query)
	}
	return list, nil
}

// failureCounts counts the failures that the other filters select; nil: they select by contents, which are not counted.
func (h handler) failureCounts(
	ctx context.Context, r *ui.Request, q hooks.AttemptQuery,
) (*hooks.AttemptCounts, error) {
	if q.Contains != "" {
		return nil, nil
	}
	f := q.AttemptFilter
	f.Class, f.Status, f.Outcome, f.Before = "", 0, store.Failed, 0
	counts, err := h.services.Messages.CountAttempts(ctx, r.Principal, f)
	return &counts, err
}

// The bounds of a search for a page of attempts. One that finds few looks on until then.
const (
	pageRows   = 50
	searchTime = 100 * time.Millisecond
)

// search finds a page of attempts.
func (h handler) search(
	ctx context.Context, r *ui.Request, q hooks.AttemptQuery,
) (page hooks.AttemptPage, err error) {
	lasting := searchTime
	if q.Contains != "" {
		lasting /= 2 // one search of contents takes about as long
	}
	for begin := time.Now(); ; q.Before = page.Next {
		q.Limit = pageRows - len(page.Items)
		found, err := h.services.Messages.FindAttempts(ctx, r.Principal, q)
		if err != nil {
			return page, err
		}
		page.Items, page.Next = append(page.Items, found.Items...), found.Next
		if !found.SearchedTo.IsZero() {
			page.SearchedTo = found.SearchedTo
		}
		if page.Next == 0 || len(page.Items) == pageRows || time.Since(begin) > lasting {
			return page, nil
		}
	}
}

// row returns an attempt as a row. Its address keeps the list's filters.
func (h handler) row(a store.Attempt, names map[string]string, query url.Values) messageRow {
	id := h.ids.Seal(a.Tenant, a.ID)
	name, known := names[a.Endpoint]
	if !known {
		name = "(deleted)"
	}
	return messageRow{
		ID: id, Href: withQuery("/messages/"+id, query), At: a.At, Endpoint: name, Trigger: a.Trigger,
		Subject: subjectOf(a.Subject), Number: a.Number, Outcome: outcomeOf(a), Took: ui.Took(a.Duration),
		Failed: !a.Delivered,
	}
}

// nameRows names the subjects of rows.
func (h handler) nameRows(ctx context.Context, r *ui.Request, rows []messageRow) error {
	var named []*subject
	for i := range rows {
		named = append(named, &rows[i].Subject)
	}
	return h.nameSubjects(ctx, r, named...)
}

// subject is what a message is about.
type subject struct {
	Name, Href string

	of string // as entries name it
}

// subjectOf returns what an entry is about: "case/17" leads to the case's page.
func subjectOf(text string) subject {
	kind, id, _ := strings.Cut(text, "/")
	switch kind {
	case "case":
		return subject{id, "/cases/" + id, text}
	case "contact":
		return subject{"contact " + id, "/contacts/" + id, text}
	case "endpoint":
		return subject{id, "/endpoints/" + id, text}
	}
	return subject{Name: text, of: text}
}

// call returns the call of the API that does the same.
func (f messageFilter) call() string {
	query := url.Values{}
	for name, value := range map[string]string{
		"endpoint": f.Endpoint, "trigger": f.Trigger, "outcome": f.Outcome, "class": f.Class, "status": f.Status,
		"subject": f.Subject, "message": f.Message, "contains": f.Contains,
	} {
		if value != "" {
			query.Set(name, value)
		}
	}
	s := f.selection(time.Now())
	if !s.Since.IsZero() {
		query.Set("since", s.Since.UTC().Format(time.RFC3339))
	}
	if !s.Until.IsZero() {
		query.Set("until", s.Until.UTC().Format(time.RFC3339))
	}
	return "GET " + withQuery("/v1/attempts", query)
}

// hidden returns the filters that a search keeps, by their parameters' names.
func (f messageFilter) hidden() map[string]string {
	all := map[string]string{}
	for name := range f.query {
		if name != "cursor" {
			all[name] = f.query.Get(name)
		}
	}
	return all
}

// rowClass returns the classes of a row.
func (l messageList) rowClass(row messageRow) templ.KeyValue[string, bool] {
	return templ.KV("cursor", row.ID == l.Selected)
}
