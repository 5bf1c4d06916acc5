package cases

import (
	"context"
	"net/url"
	"strconv"
	"strings"

	"github.com/casehook/casehook/internal/authz"
	"github.com/casehook/casehook/internal/casework"
	"github.com/casehook/casehook/internal/fault"
	"github.com/casehook/casehook/internal/store"
	"github.com/casehook/casehook/internal/web/ui"
)

// jobView is a job as it is shown.
type jobView struct {
	store.Job
	Title string
}

// Percent is the part of the cases that the job has come to.
func (j jobView) Percent() int {
	if j.Cases == 0 {
		return 100
	}
	return int((j.Done + j.Failed) * 100 / j.Cases)
}

// Summary counts what has been done.
func (j jobView) Summary() string {
	text := ui.Number(int(j.Done)) + " of " + ui.Count(int(j.Cases), "case") + " done"
	if j.Failed > 0 {
		text += ", " + ui.Number(int(j.Failed)) + " failed"
	}
	return text
}

// jobPage is a job with some of its cases.
type jobPage struct {
	jobView
	Only  store.JobResult // the result of the cases that are shown; empty: any
	Cases []store.JobCase
	Next  string
}

// startPage asks what is to be done with all cases that a filter selects.
type startPage struct {
	list   listPage
	Count  int64
	Too    bool // there are too many
	Facets []facet
	Query  string
	Fault  string
}

// maxSample bounds the cases that are named before something is done with all.
const maxSample = 5

func (h handler) jobs(ctx context.Context, r *ui.Request) (ui.View, error) {
	var after string
	if err := r.Position("console jobs", &after); err != nil {
		return ui.View{}, err
	}
	found, err := h.services.Jobs.Jobs(ctx, r.Principal, after, 50)
	if err != nil {
		return ui.View{}, err
	}
	known, err := h.known(ctx, r.Principal)
	if err != nil {
		return ui.View{}, err
	}
	var all []jobView
	for _, j := range found.Items {
		all = append(all, jobView{j, known.jobTitle(j.Action)})
	}
	next := ""
	if found.More {
		next, err = r.Cursor("console jobs", all[len(all)-1].ID)
	}
	return ui.View{Title: "Jobs", Section: "/jobs", Body: jobsTemplate(all, next), Call: "GET /v1/jobs"}, err
}

// jobTitle says what a job does.
func (k known) jobTitle(a store.JobAction) string {
	label := func(slug string) string {
		for _, l := range k.labels {
			if l.Slug == slug {
				return l.Name
			}
		}
		return slug
	}
	switch a.Kind {
	case store.JobAssign:
		for _, u := range k.users {
			if u.UserID == a.Assignee {
				return "Assign to " + u.Name
			}
		}
		return "Assign to user " + strconv.FormatInt(a.Assignee, 10)
	case store.JobUnassign:
		return "Take from their assignees"
	case store.JobLabel:
		return "Label " + label(a.Label)
	case store.JobUnlabel:
		return "Remove the label " + label(a.Label)
	}
	return "Move by " + a.Transition
}

func (h handler) showJob(ctx context.Context, r *ui.Request) (ui.View, error) {
	j, err := h.services.Jobs.Job(ctx, r.Principal, r.Path("id"))
	if err != nil {
		return ui.View{}, err
	}
	known, err := h.known(ctx, r.Principal)
	if err != nil {
		return ui.View{}, err
	}
	page := jobPage{jobView: jobView{j, known.jobTitle(j.Action)}}
	switch only := store.JobResult(r.Query("result")); only {
	case store.JobCaseWaits, store.JobCaseDone, store.JobCaseFailed:
		page.Only = only
	}
	filter := store.JobCaseFilter{Job: j.ID, Result: page.Only, After: -1, Limit: 50}
	if err := r.Position("console job", &filter.After); err != nil {
		return ui.View{}, err
	}
	found, err := h.services.Jobs.JobCases(ctx, r.Principal, filter)
	if err != nil {
		return ui.View{}, err
	}
	if page.Cases = found.Items; found.More {
		page.Next, err = r.Cursor("console job", page.Cases[len(page.Cases)-1].Place)
	}
	return ui.View{
		Title: page.Title, Section: "/jobs", Body: jobTemplate(page), Call: "GET /v1/jobs/" + j.ID,
	}, err
}

func (h handler) cancelJob(ctx context.Context, r *ui.Request) (ui.View, error) {
	j, err := h.services.Jobs.CancelJob(ctx, r.Principal, r.Path("id"))
	if err != nil {
		return ui.View{}, err
	}
	return ui.Redirect("/jobs/" + j.ID), nil
}

// newJob shows what all cases of a list are before something is done with them.
func (h handler) newJob(ctx context.Context, r *ui.Request) (ui.View, error) {
	query := r.HTTP.URL.Query()
	query.Del("cursor")
	return h.start(ctx, r, query, nil)
}

func (h handler) start(ctx context.Context, r *ui.Request, query url.Values, failed error) (ui.View, error) {
	known, err := h.known(ctx, r.Principal)
	if err != nil {
		return ui.View{}, err
	}
	f, err := filterOf(query, r.Principal, h.guard.Now())
	if err != nil {
		return ui.View{}, err
	}
	page := startPage{
		list: listPage{Text: f.Text, Chips: known.chips(query),
			Users: known.users, Labels: known.labels, May: mayOf(r.Principal)},
		Query: query.Encode(),
	}
	counts, err := h.services.Cases.Facets(ctx, r.Principal, f)
	if err != nil {
		return ui.View{}, err
	}
	page.Count, page.Too = counts.Cases, !counts.Complete
	if page.Facets, _, err = h.facets(ctx, r, f, known); err != nil {
		return ui.View{}, err
	}
	if err := h.fill(ctx, r, &page.list, f); err != nil {
		return ui.View{}, err
	}
	page.list.Rows = page.list.Rows[:min(len(page.list.Rows), maxSample)]
	view := ui.View{Title: "All that match", Section: "/cases", Body: startTemplate(page), Call: "POST /v1/jobs"}
	if failed != nil {
		page.Fault, view.Status = fault.As(failed).Detail, 422
		view.Body = startTemplate(page)
	}
	return view, nil
}

// createJob starts a job with the selected cases of a list, or with all that its filter selects.
func (h handler) createJob(ctx context.Context, r *ui.Request) (ui.View, error) {
	job, query, err := h.jobOf(r)
	if err != nil {
		return ui.View{}, err
	}
	j, err := h.services.Jobs.CreateJob(ctx, r.Principal, job, authz.Once{})
	if err != nil && query != nil && fault.As(err).Kind != fault.Internal {
		return h.start(ctx, r, query, err)
	}
	if err != nil {
		return ui.View{}, err
	}
	return ui.Redirect("/jobs/" + j.ID), nil
}

// jobOf reads a form. The query is that of the list, if the job is about all of it.
func (h handler) jobOf(r *ui.Request) (job casework.NewJob, query url.Values, err error) {
	form := r.HTTP.PostForm
	if job.Action, err = actionOf(form); err != nil {
		return job, nil, err
	}
	if !form.Has("filter") {
		job.Cases = []int64{}
		for _, text := range form["case"] {
			if id, err := strconv.ParseInt(text, 10, 64); err == nil {
				job.Cases = append(job.Cases, id)
			}
		}
		return job, nil, nil
	}
	if query, err = url.ParseQuery(form.Get("filter")); err != nil {
		return job, nil, fault.New(fault.Invalid, "request.invalid", "The filter can't be read. Go back to the list.")
	}
	if job.AtMost, err = strconv.ParseInt(form.Get("count"), 10, 64); err != nil {
		return job, nil, fault.New(fault.Invalid, "request.invalid", "The form has no count. Go back to the list.")
	}
	job.Filter, err = filterOf(query, r.Principal, h.guard.Now())
	return job, query, err
}

// actionOf reads what is to be done with each case.
func actionOf(form url.Values) (store.JobAction, error) {
	switch form.Get("action") {
	case "assign":
		to, err := strconv.ParseInt(form.Get("assignee"), 10, 64)
		if err != nil {
			return store.JobAction{Kind: store.JobUnassign}, nil
		}
		return store.JobAction{Kind: store.JobAssign, Assignee: to}, nil
	case "label":
		return store.JobAction{Kind: store.JobLabel, Label: form.Get("label")}, nil
	case "unlabel":
		return store.JobAction{Kind: store.JobUnlabel, Label: form.Get("label")}, nil
	case "move":
		return store.JobAction{
			Kind: store.JobTransition, Transition: form.Get("transition"), IgnoreWarnings: form.Has("ignore_warning"),
		}, nil
	}
	return store.JobAction{}, fault.New(fault.Invalid, "request.invalid", "Choose what to do with the cases.")
}

// allOf returns the address of the page that asks what to do with all cases of the list.
func (l listPage) allOf() string {
	query := url.Values{}
	for _, h := range l.Hidden {
		query.Set(h.Name, h.Value)
	}
	if l.Text != "" {
		query.Set("q", l.Text)
	}
	query.Del("sort")
	return "/jobs/new?" + query.Encode()
}

// because says why nothing was done with a case.
func because(c store.JobCase) string {
	var said []string
	for _, text := range append(append([]string{}, c.Errors...), c.Warnings...) {
		said = append(said, "“"+text+"”")
	}
	for _, f := range c.Fields {
		said = append(said, strings.TrimPrefix(strings.TrimPrefix(f.Path, "/"), "data/")+" "+f.Message)
	}
	if c.Detail == "" {
		return "It failed: " + c.Code
	}
	return strings.TrimSpace(c.Detail + " " + strings.Join(said, "; "))
}
