package cases

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"time"

	"github.com/casehook/casehook/internal/access"
	"github.com/casehook/casehook/internal/callback"
	"github.com/casehook/casehook/internal/casetype"
	"github.com/casehook/casehook/internal/casework"
	"github.com/casehook/casehook/internal/fault"
	"github.com/casehook/casehook/internal/store"
	"github.com/casehook/casehook/internal/web/ui"
)

// questionsPage is a page of the list of questions.
type questionsPage struct {
	Rows  []questionRow
	Chips []ui.Chip
	Next  string
	Set   bool // a filter is set
}

// questionRow is a question in a list.
type questionRow struct {
	ID, Who, About, AboutHref, Callback, Transition string
	At                                              time.Time
	Verdict, Color                                  string
	Version                                         int64
	Attempts                                        int
	Took                                            time.Duration
}

// verdictColors are the colours of verdicts.
var verdictColors = map[callback.Verdict]string{
	callback.Accepted: "green", callback.Warnings: "orange", callback.Errors: "red", callback.Timeout: "red",
	callback.Failed: "red", callback.Cancelled: "gray", callback.Unfit: "red",
}

// verdictWords say what verdicts mean.
var verdictWords = map[callback.Verdict]string{
	callback.Accepted: "accepted", callback.Warnings: "warned", callback.Errors: "refused",
	callback.Timeout: "did not answer in time", callback.Failed: "failed", callback.Cancelled: "given up",
	callback.Unfit: "answered what can’t be carried out",
}

// questionFilters are the parameters of the address that select questions.
var questionFilters = []string{"type", "transition", "question", "page", "verdict", "case", "callback", "callback_key"}

func (h handler) questions(ctx context.Context, r *ui.Request) (ui.View, error) {
	query := r.HTTP.URL.Query()
	f := store.QuestionFilter{
		Type: query.Get("type"), Transition: query.Get("transition"), Verdict: query.Get("verdict"),
		URL: query.Get("callback"), Question: query.Get("question"), Page: query.Get("page"),
		Callback: query.Get("callback_key"), Limit: 50,
	}
	if text := query.Get("case"); text != "" {
		id, err := strconv.ParseInt(text, 10, 64)
		if err != nil || id <= 0 {
			return ui.View{}, fault.New(fault.Invalid, "request.invalid", "case is the id of a case, a number.")
		}
		f.Case = id
	}
	if err := r.Position("console questions", &f.Before); err != nil {
		return ui.View{}, err
	}
	found, next, err := h.services.Questions.Questions(ctx, r.Principal, f)
	if err != nil {
		return ui.View{}, err
	}
	page := questionsPage{}
	for _, q := range found {
		page.Rows = append(page.Rows, h.questionRow(r.Principal, q))
	}
	for _, name := range questionFilters {
		if value := query.Get(name); value != "" {
			page.Set = true
			page.Chips = append(page.Chips, ui.Chip{
				Name: name, Value: value, Without: ui.Without("/questions", query, name),
			})
		}
	}
	if next > 0 {
		if page.Next, err = r.Cursor("console questions", next); err != nil {
			return ui.View{}, err
		}
	}
	return ui.View{
		Title: "Questions", Section: "/questions", Body: questionsTemplate(page), Call: "GET /v1/questions",
	}, nil
}

func (h handler) questionRow(p access.Principal, q store.Question) questionRow {
	verdict := callback.Verdict(q.Verdict)
	row := questionRow{
		ID: h.questionIDs.Seal(q.Tenant, q.ID), Who: p.Redact(q.Actor).Title(), About: "new " + q.Type,
		Callback: cmp.Or(shortURL(q.URL), "a callback"), Transition: q.Transition, At: q.At,
		Verdict: verdictWords[verdict], Color: verdictColors[verdict], Version: q.Version, Attempts: q.Attempts,
		Took: q.Duration,
	}
	if q.Case != 0 {
		row.About, row.AboutHref = strconv.FormatInt(q.Case, 10), casePath(q.Case)
		if q.Version > 0 {
			row.AboutHref += "#v" + strconv.FormatInt(q.Version, 10)
		}
	}
	return row
}

// questionPage shows one question with its answer.
type questionPage struct {
	questionRow
	Question store.Question
	Changes  []diffLine
	More     int
	Outcome  string // what became of the submission
	Answer   string
	Answerer string // the worker that answered; empty: a URL did, or nobody
}

func (h handler) question(ctx context.Context, r *ui.Request) (ui.View, error) {
	q, err := h.services.Questions.Question(ctx, r.Principal, h.questionIDs.Open(r.Principal.Tenant, r.Path("id")))
	if err != nil {
		return ui.View{}, err
	}
	t, err := h.typeOf(ctx, r.Principal, q.Type)
	if err != nil {
		return ui.View{}, err
	}
	page := questionPage{
		questionRow: h.questionRow(r.Principal, q), Question: q, More: q.Changes.More, Answer: answerText(q.Answer),
		Answerer: answererName(r.Principal, q.Answerer),
		Changes:  changeLines(t, q.Changes.Changes),
	}
	page.Outcome = "The submission was saved."
	if q.Version == 0 {
		page.Outcome = "Nothing was saved: the submission was answered with " + cmp.Or(q.Code, "an error") + "."
	}
	return ui.View{
		Title: "Question " + page.ID, Section: "/questions", Body: questionTemplate(page),
		Call: "GET /v1/questions/" + page.ID,
	}, nil
}

// typeOf returns the newest version of a type; nil: it no longer exists.
func (h handler) typeOf(ctx context.Context, p access.Principal, key string) (*casetype.Type, error) {
	found, err := h.services.CaseTypes.CaseType(ctx, p, key, 0)
	if errors.Is(err, fault.NotFound) {
		return nil, nil
	}
	return found.Type, err
}

func answerText(a store.KeptAnswer) string {
	switch {
	case a.Withheld:
		return "The answer is not shown: it was given about more than you are cleared for, or was not kept."
	case len(a.Base64) > 0:
		return "The answer is no text: " + ui.Bytes(int64(len(a.Base64))) + "."
	case a.Truncated:
		return a.Body + "\n… it was longer."
	}
	return a.Body
}

// changeLines shows what an answer changed.
func changeLines(t *casetype.Type, changed []store.KeptChange) (lines []diffLine) {
	words := newWording(t)
	for _, c := range changed {
		if c.Long {
			lines = append(lines, diffLine{words.title(c.Path), "", "(too long to be kept)"})
			continue
		}
		lines = append(lines, words.changed(c.Path, decoded(c.Before), decoded(c.After))...)
	}
	return lines
}

// refused returns the questions about a case whose submissions were refused between two times.
func (h handler) refused(
	ctx context.Context, p access.Principal, view casework.View, since, until time.Time,
) (events []timelineEvent, err error) {
	if !p.Role.Permits(access.ListQuestions) {
		return nil, nil
	}
	found, _, err := h.services.Questions.Questions(ctx, p, store.QuestionFilter{
		Case: view.ID, Since: since, Until: until, Limit: eventsPerPage,
	})
	for _, q := range found {
		if q.Version != 0 {
			continue
		}
		row := h.questionRow(p, q)
		events = append(events, timelineEvent{
			At: q.At, Who: row.Who,
			What: "tried “" + transitionTitle(view.Definition, q.Transition) + "”: nothing was saved",
			Asked: []askedLine{{
				URL: row.Callback, Verdict: row.Verdict, Color: row.Color, Took: q.Duration,
				Href: "/questions/" + row.ID, Note: firstWords(q.Answer),
			}},
		})
	}
	return events, err
}

// answererName names who answered in place of a URL; empty: nobody did.
func answererName(p access.Principal, a *store.Answerer) string {
	if a == nil {
		return ""
	}
	name := p.Redact(a.Actor).Title()
	if a.Listener {
		name += ", whose machine listened"
	}
	return name
}

// transitionTitle names a callback's transition.
func transitionTitle(t *casetype.Type, name string) string {
	switch name {
	case casetype.SwitchCallback:
		return "Switch its type"
	case casetype.DeleteCallback:
		return "Delete"
	case casetype.AssignCallback:
		return "Assign"
	case casetype.LabelCallback:
		return "Label"
	case casetype.CommentCallback:
		return "Comment"
	}
	tr, _ := t.Transition(name)
	return stateName(tr.Name, name)
}

// firstWords returns the errors or warnings that an answer begins with.
func firstWords(a store.KeptAnswer) string {
	said, ok := decoded([]byte(a.Body)).(map[string]any)
	if !ok {
		return ""
	}
	for _, name := range []string{"errors", "warnings"} {
		if list, ok := said[name].([]any); ok && len(list) > 0 {
			return field{}.text(list)
		}
	}
	return ""
}

// callbackRow sums up the latest questions to one callback.
type callbackRow struct {
	TypeName, Type, Name, URL, Href string
	Asked, Refused, Failed          int
	More                            bool // there are older ones
	Mean, Slowest                   time.Duration
	Last                            time.Time
}

// summary says in words how a callback did.
func (c callbackRow) summary() string {
	if c.Asked == 0 {
		return "not asked yet"
	}
	more := ""
	if c.More {
		more = "+"
	}
	return fmt.Sprintf("asked %d%s, refused %d, failed %d", c.Asked, more, c.Refused, c.Failed)
}

// latestQuestions bounds the questions that a callback is judged by.
const latestQuestions = 100

// callbacks lists the callbacks of all case types with how they did lately.
func (h handler) callbacks(ctx context.Context, r *ui.Request) (ui.View, error) {
	types, err := h.services.CaseTypes.CaseTypes(ctx, r.Principal)
	if err != nil {
		return ui.View{}, err
	}
	var rows []callbackRow
	for _, summary := range types {
		t, err := h.typeOf(ctx, r.Principal, summary.Key)
		if err != nil || t == nil {
			return ui.View{}, err
		}
		for _, c := range t.Callbacks() {
			row, err := h.callbackRow(ctx, r.Principal, t, c)
			if err != nil {
				return ui.View{}, err
			}
			rows = append(rows, row)
		}
	}
	return ui.View{
		Title: "Callbacks", Section: "/callbacks", Body: callbacksTemplate(rows, h.guard.Now()),
		Call: "GET /v1/questions",
	}, nil
}

func (h handler) callbackRow(
	ctx context.Context, p access.Principal, t *casetype.Type, c casetype.Callback,
) (callbackRow, error) {
	query := url.Values{"type": {t.Key}, "transition": {c.Name}, "question": {string(c.Question)}}
	name := c.Name
	if c.Question != casetype.AboutToSubmit {
		name += " · " + string(c.Question)
	}
	if c.Page != "" {
		query.Set("page", c.Page)
		name += " " + c.Page
	}
	if c.Callback != "" {
		query.Set("callback_key", c.Callback)
		name += " · " + c.Callback
	}
	row := callbackRow{
		TypeName: t.Name, Type: t.Key, Name: name, URL: c.Settings.URL, Href: "/questions?" + query.Encode(),
	}
	found, next, err := h.services.Questions.Questions(ctx, p, store.QuestionFilter{
		Type: t.Key, Transition: c.Name, Question: string(c.Question), Page: c.Page, Callback: c.Callback,
		Limit: latestQuestions,
	})
	var sum time.Duration
	for _, q := range found {
		if q.Callback != c.Callback { // an empty key selects all
			continue
		}
		if row.Asked++; row.Asked == 1 {
			row.Last = q.At
		}
		switch callback.Verdict(q.Verdict) {
		case callback.Errors, callback.Warnings:
			row.Refused++
		case callback.Failed, callback.Timeout, callback.Unfit:
			row.Failed++
		}
		sum += q.Duration
		row.Slowest = max(row.Slowest, q.Duration)
	}
	if row.Asked > 0 {
		row.Mean = sum / time.Duration(row.Asked)
	}
	row.More = next > 0
	return row, err
}
