package cases

import (
	"context"
	"net/http"

	"github.com/casehook/casehook/internal/access"
	"github.com/casehook/casehook/internal/api/rest"
	"github.com/casehook/casehook/internal/casework"
	"github.com/casehook/casehook/internal/wire"
)

// NewDryRun is the body that tries out a submission.
type NewDryRun struct {
	Case          int64         `json:"case,omitempty" minimum:"1" doc:"The case that it is about; absent: it creates one." example:"4539148803436467"`
	Type          string        `json:"type,omitempty" maxLength:"100" doc:"The key of the type of the case to create; absent: it is about a case."`
	Transition    string        `json:"transition,omitempty" maxLength:"100" doc:"The key of the transition; absent: the plain edit of the case or, for a creation, the only one that creates cases." example:"submit"`
	Data          Data          `json:"data,omitempty" doc:"The fields to set; null clears one." example:"{\"email\": \"office@acme.example\"}"`
	Name          rest.Optional `json:"name,omitzero" doc:"A name of its own, where the transition may set one."`
	Color         rest.Optional `json:"color,omitzero" doc:"A colour of its own, where the transition may set one." example:"teal"`
	IgnoreWarning bool          `json:"ignore_warning,omitempty" doc:"Go on although the callback warns."`
	Callback      string        `json:"callback,omitempty" maxLength:"2000" doc:"The URL of a callback to ask in place of the transition's, without variables. For those who may put the case type's next version; the callback is shown what they may see." example:"https://callbacks.example.com/kyc/next"`
	CallbackKey   string        `json:"callback_key,omitempty" maxLength:"100" doc:"The key of the callback, where several are asked, whose place that URL takes; the others are asked too. Absent: the one that has none." example:"screening"`
	Secret        string        `json:"secret,omitempty" maxLength:"200" doc:"Signs the question to that URL, which the callback's own secret never does; absent: a random one." example:"whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"`
}

// DryRun is what would come of a submission.
type DryRun struct {
	Allowed  bool              `json:"allowed" doc:"It would be saved." example:"true"`
	State    *string           `json:"state" doc:"The key of the state that the case would be in; null: nothing would be saved." example:"in_review"`
	Code     *string           `json:"code" doc:"The code of the problem that it would be answered with; null: none." example:"callback.errors"`
	Detail   *string           `json:"detail" doc:"The detail of that problem."`
	Errors   []string          `json:"errors" doc:"The errors that the callback answered with."`
	Warnings []string          `json:"warnings" doc:"The warnings that the callback answered with, ignored or not."`
	Fields   []rest.FieldFault `json:"fields" doc:"The faults of the answer's data and their places."`
	Changes  []CallbackChange  `json:"changes" doc:"What would be saved: the fields that differ from the case as it is, and its name; the first 50, as far as you may see them."`
	More     int               `json:"more_changes" doc:"How many more there are." example:"0"`
	Besides  *wire.More        `json:"casehook,omitempty" doc:"What callbacks would do with the case besides, as in their answers; absent: nothing."`
	Skipped  bool              `json:"callback_skipped" doc:"A callback of the transition was not asked, since the case type says dry_run: skip." example:"false"`
	Asked    *DryQuestion      `json:"asked,omitempty" doc:"The question that was asked last; absent: no callback was asked."`
	Earlier  []DryQuestion     `json:"asked_earlier,omitempty" doc:"The questions that were asked before it, in order; absent: there are none."`
	NotAsked []NotAsked        `json:"not_asked,omitempty" doc:"The callbacks that were not asked, since their conditions are not true, in order; absent: there are none."`
}

// NotAsked is a callback that was not asked in a dry run.
type NotAsked struct {
	Callback *string `json:"callback_key" doc:"The key of the callback, where several are asked; null: it has none." example:"screening"`
	URL      string  `json:"url" doc:"The URL as configured, without its query, variables not expanded; empty: by a definition that you may not see."`
	Failure  *string `json:"failure" doc:"Why its condition can't be evaluated, which its failure policy ignores; null: it is not true."`
}

// DryQuestion is the question of a dry run, and its answer.
type DryQuestion struct {
	Callback   *string `json:"callback_key" doc:"The key of the callback, where several are asked; null: it has none." example:"screening"`
	Verdict    string  `json:"verdict" enum:"accepted,warnings,errors,unfit,failed,timeout" doc:"How it ended, as of questions." example:"errors"`
	URL        string  `json:"url" doc:"The URL, without its query; of a definition as configured, variables not expanded; empty: by a definition that you may not see." example:"https://callbacks.example.com/kyc/next"`
	Failure    *string `json:"failure" doc:"Why there was no usable answer; null: there was one."`
	Status     *int    `json:"status" doc:"The HTTP status of the last attempt; null: there was no answer." example:"200"`
	Attempts   int     `json:"attempts" doc:"The number of requests." example:"1"`
	DurationMS int64   `json:"duration_ms" doc:"The duration, waits between attempts included." example:"38"`
	WebhookID  string  `json:"webhook_id" doc:"The webhook-id that it was asked with." example:"msg_Zm9vYmFyYmF6cXV4Zm9vYmFy"`
	Listener   bool    `json:"listener" doc:"Your own machine answered in place of the URL." example:"false"`
	CallbackAnswer
}

type shownDryRun struct{ Body rest.Reply[DryRun] }

// dryRunHandler has the operation that tries out submissions.
type dryRunHandler struct{ service casework.Services }

func (h dryRunHandler) register(k *rest.Kernel) {
	rest.HandleBody(k, rest.Operation{
		ID: access.DryRunTransition, Pattern: "POST /v1/dry-runs", Tag: "questions",
		Summary: "Try out a submission",
		Description: "Checks a submission, asks the transition's callbacks with the header dry-run: true, and checks " +
			"the answer, but saves nothing and tells nobody: no entry, no question and no number is used up. A " +
			"creation of a type with sequential ids is asked about as the case 0. What would be refused before the " +
			"callback is asked is answered with the same problem as if it was submitted.",
		Problems: []int{http.StatusNotFound, http.StatusConflict},
	}, h.dryRun)
}

func (h dryRunHandler) dryRun(ctx context.Context, _ *struct{}, body NewDryRun) (*shownDryRun, error) {
	result, err := h.service.Submissions.DryRun(ctx, rest.PrincipalOf(ctx), casework.DryRun{
		Submission: casework.Submission{
			CaseID:        body.Case,
			Type:          body.Type,
			Transition:    body.Transition,
			Data:          body.Data,
			Name:          body.Name.Pointer(),
			Color:         body.Color.Pointer(),
			IgnoreWarning: body.IgnoreWarning,
		},
		URL:    body.Callback,
		Secret: body.Secret,
		Place:  body.CallbackKey,
	})
	if err != nil {
		return nil, err
	}
	reply, err := rest.NewReply(showDryRun(result))
	return &shownDryRun{reply}, err
}

func showDryRun(r casework.DryRunResult) DryRun {
	out := DryRun{
		Allowed:  r.Refusal == nil,
		State:    rest.OrNull(r.State),
		Errors:   []string{},
		Warnings: append([]string{}, r.Warnings...),
		Fields:   []rest.FieldFault{},
		Changes:  showChanges(r.Changes),
		More:     r.Changes.More,
		Skipped:  r.Skipped,
	}
	if !r.More.IsZero() {
		out.Besides = &r.More
	}
	if r.Refusal != nil {
		out.Code, out.Detail = &r.Refusal.Code, &r.Refusal.Detail
		out.Errors = append(out.Errors, r.Refusal.Errors...)
		out.Warnings = append(out.Warnings, r.Refusal.Warnings...)
		for _, f := range r.Refusal.Fields {
			out.Fields = append(out.Fields, rest.FieldFault(f))
		}
	}
	for _, s := range r.NotAsked {
		out.NotAsked = append(out.NotAsked, NotAsked{rest.OrNull(s.Key), s.URL, rest.OrNull(s.Failure)})
	}
	for i := range r.Questions {
		if out.Asked != nil {
			out.Earlier = append(out.Earlier, *out.Asked)
		}
		q := &r.Questions[i]
		out.Asked = &DryQuestion{
			Callback:       rest.OrNull(q.Callback),
			Verdict:        q.Verdict,
			URL:            q.URL,
			Failure:        rest.OrNull(q.Failure),
			Status:         rest.OrNull(q.Status),
			Attempts:       q.Attempts,
			DurationMS:     q.Duration.Milliseconds(),
			WebhookID:      q.WebhookID,
			Listener:       q.Answerer != nil && q.Answerer.Listener,
			CallbackAnswer: showAnswer(*q),
		}
	}
	return out
}
