package cases

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/casehook/casehook/internal/access"
	"github.com/casehook/casehook/internal/api/rest"
	"github.com/casehook/casehook/internal/authz"
	"github.com/casehook/casehook/internal/casetype"
	"github.com/casehook/casehook/internal/casework"
	"github.com/casehook/casehook/internal/fault"
	"github.com/casehook/casehook/internal/store"
)

// NewJob is the body that starts a job.
type NewJob struct {
	Action JobAction      `json:"action" doc:"What is done with each case."`
	Cases  *[]int64       `json:"cases,omitempty" minItems:"1" maxItems:"10000" doc:"The ids of the cases; absent: those that select finds." example:"[4539148803436467]"`
	Select *CaseSelection `json:"select,omitempty" doc:"Selects the cases, as the parameters of a list of cases do: 10,000 at most. An empty one selects all."`
	AtMost int64          `json:"at_most,omitempty" minimum:"1" maximum:"10000" doc:"Refuse the job if select finds more cases, because others match meanwhile; absent: 10,000." example:"120"`
}

// JobAction is what a job does with each case.
type JobAction struct {
	Kind          store.JobKind `json:"kind" enum:"assign,unassign,label,unlabel,transition" doc:"What it does." example:"assign"`
	Assignee      int64         `json:"assignee,omitempty" minimum:"1" doc:"assign: the id of the user." example:"7"`
	Label         string        `json:"label,omitempty" maxLength:"64" doc:"label and unlabel: the slug of the label." example:"fast_track"`
	Transition    string        `json:"transition,omitempty" maxLength:"100" doc:"transition: its key. Cases for which it is not available fail." example:"submit"`
	Data          Data          `json:"data,omitempty" doc:"transition: the fields to set; null clears one."`
	IgnoreWarning bool          `json:"ignore_warning,omitempty" doc:"transition: go on although the callback warns."`
}

// CaseSelection selects the cases of a job. It has the fields of InCases.
type CaseSelection struct {
	Type     string   `json:"type,omitempty" maxLength:"100" doc:"Only those of the case type with this key." example:"kyc"`
	State    string   `json:"state,omitempty" maxLength:"100" doc:"Only those in the state with this key." example:"in_review"`
	Text     string   `json:"q,omitempty" maxLength:"200" doc:"Only those with these words, as a list of cases finds them." example:"acme"`
	Label    string   `json:"label,omitempty" maxLength:"100" doc:"Only those with the label with this slug." example:"fast_track"`
	Assignee string   `json:"assignee,omitempty" maxLength:"20" pattern:"^(none|[1-9][0-9]{0,17})$" doc:"Only those that are assigned to the user with this id; none: assigned to nobody." example:"7"`
	Where    []string `json:"where,omitempty" maxItems:"10" doc:"Only those that meet these conditions on indexed fields. It needs type." example:"[\"data.amount>=100\"]"`

	CreatedAfter       time.Time `json:"created_after,omitzero" doc:"Only those that were created at this time or later."`
	CreatedBefore      time.Time `json:"created_before,omitzero" doc:"Only those that were created before this time."`
	ModifiedAfter      time.Time `json:"modified_after,omitzero" doc:"Only those whose content last changed at this time or later."`
	ModifiedBefore     time.Time `json:"modified_before,omitzero" doc:"Only those whose content last changed before this time."`
	ClosedAfter        time.Time `json:"closed_after,omitzero" doc:"Only those that were closed at this time or later."`
	ClosedBefore       time.Time `json:"closed_before,omitzero" doc:"Only those that were closed before this time."`
	LastActivityAfter  time.Time `json:"last_activity_after,omitzero" doc:"Only those whose last activity was at this time or later."`
	LastActivityBefore time.Time `json:"last_activity_before,omitzero" doc:"Only those whose last activity was before this time."`
}

// Job does one thing with many cases.
type Job struct {
	ID        string          `json:"id" doc:"Its id." example:"job_0197c2f0a1b27c3d8e4f5a6b7c8d9e0f"`
	Action    JobAction       `json:"action" doc:"What is done with each case."`
	State     store.JobState  `json:"state" enum:"running,done,cancelled,stopped" doc:"Whether it goes on; stopped: its owner lost their rights." example:"running"`
	Reason    *string         `json:"reason" doc:"Why it was stopped; null: it was not."`
	Cases     int64           `json:"cases" doc:"The number of its cases." example:"120"`
	Done      int64           `json:"done" doc:"Cases with which it was done." example:"80"`
	Failed    int64           `json:"failed" doc:"Cases that stayed as they were." example:"2"`
	CreatedAt rest.Time       `json:"created_at" doc:"When it was started."`
	EndedAt   rest.TimeOrNull `json:"ended_at" doc:"When it ended; null: it runs. It is kept for 30 days from then on."`
}

// JobCase is a case of a job.
type JobCase struct {
	Case      int64             `json:"case" doc:"The id of the case." example:"4539148803436467"`
	Reference *string           `json:"reference" doc:"Its reference; null: it is gone, or you no longer see it." example:"KYC-0042"`
	Result    store.JobResult   `json:"result" enum:"waiting,done,failed" doc:"What came of it." example:"failed"`
	Code      *string           `json:"code" doc:"The code of the problem; null: there is none." example:"case.transition_unavailable"`
	Detail    *string           `json:"detail" doc:"The detail of the problem."`
	Errors    []string          `json:"errors" doc:"The errors that a callback answered with; the first 20, as with warnings and fields."`
	Warnings  []string          `json:"warnings" doc:"The warnings that a callback answered with."`
	Fields    []rest.FieldFault `json:"fields" doc:"What is wrong, and where."`
}

// InJob is embedded in the parameters of operations on a job.
type InJob struct {
	ID string `path:"id" maxLength:"100" doc:"The id of the job." example:"job_0197c2f0a1b27c3d8e4f5a6b7c8d9e0f"`
}

// jobHandler has the operations on jobs.
type jobHandler struct {
	kernel  *rest.Kernel
	service casework.Services
}

func (h jobHandler) register() {
	const path, tag = "/v1/jobs", "jobs"
	rest.HandleBody(h.kernel, rest.Operation{
		ID: access.CreateJob, Pattern: "POST " + path, Tag: tag,
		Summary: "Do one thing with many cases",
		Description: "Assigns, labels or moves many cases, one after the other, in the background. Each is " +
			"submitted by itself, as you: with its callbacks, and with the rights that you have then. A case that " +
			"fails stays as it is, and does not stop the others. A job goes on after a restart of the server.",
		Problems: []int{http.StatusConflict},
		Success:  http.StatusCreated,
	}, h.createJob)
	rest.Handle(h.kernel, rest.Operation{
		ID: access.ListJobs, Pattern: "GET " + path, Tag: tag,
		Summary: "List your jobs", Description: "The newest first.",
	}, h.listJobs)
	rest.Handle(h.kernel, rest.Operation{
		ID: access.GetJob, Pattern: "GET " + path + "/{id}", Tag: tag,
		Summary: "Get a job", Description: "How far it has come. Jobs are seen by those who started them alone.",
		Problems: []int{http.StatusNotFound},
	}, func(ctx context.Context, in *InJob) (*struct{ Body Job }, error) {
		j, err := h.service.Jobs.Job(ctx, rest.PrincipalOf(ctx), in.ID)
		if err != nil {
			return nil, err
		}
		shown, err := showJob(j)
		return &struct{ Body Job }{shown}, err
	})
	rest.Handle(h.kernel, rest.Operation{
		ID: access.ListJobCases, Pattern: "GET " + path + "/{id}/cases", Tag: tag,
		Summary: "List the cases of a job", Description: "With what came of each, in the order of the job.",
		Problems: []int{http.StatusNotFound},
	}, h.listCases)
	rest.Handle(h.kernel, rest.Operation{
		ID: access.CancelJob, Pattern: "DELETE " + path + "/{id}", Tag: tag,
		Summary: "Cancel a job",
		Description: "The case that it is at is finished; those that are done stay so. A job that has ended stays as " +
			"it is.",
		Problems: []int{http.StatusNotFound},
	}, func(ctx context.Context, in *InJob) (*rest.NoContent, error) {
		_, err := h.service.Jobs.CancelJob(ctx, rest.PrincipalOf(ctx), in.ID)
		return &rest.NoContent{}, err
	})
}

func (h jobHandler) createJob(
	ctx context.Context, in *rest.IdempotencyHeader, body NewJob,
) (*rest.PostAnswer[Job], error) {
	job, err := body.job()
	if err != nil {
		return nil, err
	}
	return rest.Create[Job](ctx, *in, func(j store.Job) (store.Answer, error) {
		shown, err := showJob(j)
		if err != nil {
			return store.Answer{}, err
		}
		return rest.Answer(http.StatusCreated, shown, "Location", "/v1/jobs/"+j.ID)
	}, func(o authz.Once) (store.Job, error) {
		j, err := h.service.Jobs.CreateJob(ctx, rest.PrincipalOf(ctx), job, o)
		return j, inSelection(err)
	})
}

func (body NewJob) job() (job casework.NewJob, err error) {
	a := body.Action
	job = casework.NewJob{AtMost: body.AtMost, Action: store.JobAction{
		Kind: a.Kind, Assignee: a.Assignee, Label: a.Label, Transition: a.Transition, IgnoreWarnings: a.IgnoreWarning,
	}}
	if a.Data != nil {
		if job.Action.Data, err = casetype.Encode(a.Data); err != nil {
			return job, err
		}
	}
	switch {
	case (body.Cases == nil) == (body.Select == nil):
		return job, fault.In("job.invalid", "The job was not started: see fields.",
			fault.Field{Path: "/cases", Message: "is needed, or select; not both"})
	case body.Cases != nil:
		job.Cases = *body.Cases
	default:
		job.Filter, err = InCases(*body.Select).filter()
	}
	return job, inSelection(err)
}

// inSelection places the faults of a list's parameters in the body.
func inSelection(err error) error {
	var e *fault.Error
	if !errors.As(err, &e) {
		return err
	}
	moved := *e
	moved.Fields = nil
	for _, f := range e.Fields {
		if name, is := strings.CutPrefix(f.Path, "query."); is {
			f.Path = "/select/" + name
		}
		moved.Fields = append(moved.Fields, f)
	}
	return &moved
}

func (h jobHandler) listJobs(ctx context.Context, in *struct{ rest.Paging }) (*rest.PageAnswer[Job], error) {
	pager := rest.NewFalliblePager(h.kernel, "jobs", showJob, func(j store.Job) string { return j.ID })
	var after string
	if err := h.kernel.Open("jobs", in.Cursor, &after); err != nil {
		return nil, err
	}
	found, err := h.service.Jobs.Jobs(ctx, rest.PrincipalOf(ctx), after, in.Limit)
	if err != nil {
		return nil, err
	}
	return pager.PageOf(found)
}

func (h jobHandler) listCases(ctx context.Context, in *struct {
	InJob
	Result string `query:"result" enum:"waiting,done,failed" doc:"Only those with this result; absent: all."`
	rest.Paging
}) (*rest.PageAnswer[JobCase], error) {
	pager := rest.NewPager(h.kernel, "job cases", showJobCase, func(c store.JobCase) int64 { return c.Place })
	f := store.JobCaseFilter{Job: in.ID, Result: store.JobResult(in.Result), After: -1, Limit: in.Limit}
	if err := h.kernel.Open("job cases", in.Cursor, &f.After); err != nil {
		return nil, err
	}
	found, err := h.service.Jobs.JobCases(ctx, rest.PrincipalOf(ctx), f)
	if err != nil {
		return nil, err
	}
	return pager.PageOf(found)
}

func showJob(j store.Job) (Job, error) {
	a := j.Action
	shown := Job{
		ID: j.ID, State: j.State, Reason: rest.OrNull(j.Reason), Cases: j.Cases, Done: j.Done, Failed: j.Failed,
		CreatedAt: rest.Time(j.CreatedAt), EndedAt: rest.TimeOrNull(j.EndedAt),
		Action: JobAction{
			Kind: a.Kind, Assignee: a.Assignee, Label: a.Label, Transition: a.Transition,
			IgnoreWarning: a.IgnoreWarnings,
		},
	}
	if len(a.Data) == 0 {
		return shown, nil
	}
	return shown, shown.Action.Data.UnmarshalJSON(a.Data)
}

func showJobCase(c store.JobCase) JobCase {
	shown := JobCase{
		Case: c.CaseID, Reference: rest.OrNull(c.Reference), Result: c.Result, Code: rest.OrNull(c.Code),
		Detail: rest.OrNull(c.Detail), Errors: append([]string{}, c.Errors...),
		Warnings: append([]string{}, c.Warnings...), Fields: []rest.FieldFault{},
	}
	for _, f := range c.Fields {
		shown.Fields = append(shown.Fields, rest.FieldFault(f))
	}
	return shown
}
