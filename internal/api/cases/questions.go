package cases

import (
	"context"
	"net/http"
	"time"

	"github.com/casehook/casehook/internal/access"
	"github.com/casehook/casehook/internal/api/rest"
	"github.com/casehook/casehook/internal/casework"
	"github.com/casehook/casehook/internal/store"
)

// Question is a question that a callback was asked.
type Question struct {
	ID         string     `json:"id" doc:"Its id." example:"qst_4be71e2b9ab9d2bb7bd7c8f3a1f0c3d2"`
	At         rest.Time  `json:"at" doc:"When it was asked first."`
	By         rest.Actor `json:"by" doc:"The submitter."`
	CaseID     *int64     `json:"case_id" doc:"The case; null: the creation of one, which was refused." example:"4539148803436467"`
	Version    *int64     `json:"version" doc:"The version of the case that the change led to; null: nothing was saved." example:"7"`
	CaseType   string     `json:"case_type" doc:"The key of the case type whose callback was asked." example:"kyc"`
	Transition string     `json:"transition" doc:"The name of the callback: a transition, or an operation such as @delete." example:"submit"`
	Question   string     `json:"question" enum:"about_to_start,mid_event,about_to_submit,submitted" doc:"The point at which it was asked: before a form is shown, when a page of it is left, before a submission is saved, or after." example:"about_to_submit"`
	Page       *string    `json:"page" doc:"The key of the page that was left; null: it is not about a page." example:"1"`
	Callback   *string    `json:"callback_key" doc:"The key of the callback, where several are asked at the point; null: it has none." example:"screening"`
	URL        string     `json:"url" doc:"As configured, variables not expanded, and without its query; empty: by a definition that you may not see." example:"${CASEHOOK_VAR_CALLBACKS}/kyc/submit"`
	Verdict    string     `json:"verdict" enum:"accepted,warnings,errors,unfit,failed,timeout,cancelled" doc:"How it ended. unfit: the answer can't be carried out. cancelled: it was given up. The others are what the callback answered, or did not." example:"errors"`
	Code       *string    `json:"code" doc:"The code of the problem that the submission was answered with, whatever the reason; null: it was accepted." example:"callback.errors"`
	Failure    *string    `json:"failure" doc:"Why there was no usable answer; null: there was one."`
	Override   *string    `json:"override_state" doc:"The state that the answer diverts the case to; null: none." example:"escalated"`
	Status     *int       `json:"status" doc:"The HTTP status of the last attempt; null: there was no answer." example:"200"`
	Attempts   int        `json:"attempts" doc:"The number of requests." example:"1"`
	DurationMS int64      `json:"duration_ms" doc:"The duration, waits between attempts included." example:"38"`
	WebhookID  string     `json:"webhook_id" doc:"The webhook-id that it was asked with." example:"msg_Zm9vYmFyYmF6cXV4Zm9vYmFy"`

	AnsweredBy *rest.Actor `json:"answered_by,omitempty" doc:"The worker that answered, where workers pull the questions, or the submitter whose machine listened; absent: none did."`
	Listener   bool        `json:"listener" doc:"The submitter's own machine answered in place of the URL." example:"false"`
}

// AnsweredQuestion is a question with its answer.
type AnsweredQuestion struct {
	Question
	CallbackAnswer
}

// CallbackAnswer is the answer to a question, and what it changes.
type CallbackAnswer struct {
	BodySHA256  string           `json:"body_sha256" doc:"The hash of the body sent, in hexadecimal; empty: the callback was shown more than you are cleared for."`
	Answer      KeptAnswer       `json:"answer" doc:"The body of the last attempt's answer."`
	Changes     []CallbackChange `json:"changes" doc:"The fields that the answer changed in what was submitted, and the case's name: the first 50, as far as you may see them."`
	MoreChanges int              `json:"more_changes" doc:"How many more there are." example:"0"`
}

// KeptAnswer is the body of an answer, as far as it is kept.
type KeptAnswer struct {
	Body      string `json:"body,omitempty" doc:"Its beginning, up to 16 KiB. Of one from an address that is not public, the documented members." example:"{\"errors\": [\"Clients resident in KP are not accepted.\"]}"`
	Base64    []byte `json:"body_base64,omitempty" doc:"The same, where it is no text."`
	Truncated bool   `json:"truncated,omitempty" doc:"It was longer."`
	Withheld  bool   `json:"withheld,omitempty" doc:"The callback was shown more than you are cleared for; or the answer came from an address that is not public, has not the documented form, and was not kept."`
}

// CallbackChange is one field before and after a callback's answer.
type CallbackChange struct {
	Change
	Long bool `json:"long,omitempty" doc:"One of the values is longer than 1 KiB, and both are left out."`
}

// InQuestions has the parameters of the list of questions.
type InQuestions struct {
	Case       int64     `query:"case" minimum:"1" doc:"About the case with this id." example:"4539148803436467"`
	Type       string    `query:"type" maxLength:"100" doc:"Of the callbacks of this case type." example:"kyc"`
	Transition string    `query:"transition" maxLength:"100" doc:"Of the callbacks with this name: a transition, or an operation such as @delete." example:"submit"`
	Question   string    `query:"question" enum:"about_to_start,mid_event,about_to_submit,submitted" doc:"Asked at this point." example:"about_to_submit"`
	Page       string    `query:"page" maxLength:"100" doc:"About this page." example:"1"`
	Callback   string    `query:"callback" maxLength:"2000" doc:"Asked at this URL, as it is configured, without its query." example:"${CASEHOOK_VAR_CALLBACKS}/kyc/submit"`
	Key        string    `query:"callback_key" maxLength:"100" doc:"To the callback with this key." example:"screening"`
	Verdict    string    `query:"verdict" enum:"accepted,warnings,errors,unfit,failed,timeout,cancelled" doc:"With this verdict." example:"errors"`
	Since      time.Time `query:"since" doc:"Select questions that were asked then or later." example:"2026-01-31T08:00:00Z"`
	Until      time.Time `query:"until" doc:"Select questions that were asked before." example:"2026-02-01T00:00:00Z"`
	rest.Paging
}

type shownQuestion struct{ Body rest.Reply[AnsweredQuestion] }

// questionHandler has the operations on questions.
type questionHandler struct {
	kernel  *rest.Kernel
	service casework.Services
	ids     rest.SealedIDs
}

func (h questionHandler) register() {
	const tag = "questions"
	rest.Handle(h.kernel, rest.Operation{
		ID: access.ListQuestions, Pattern: "GET /v1/questions", Tag: tag,
		Summary: "List questions",
		Description: "The questions that callbacks were asked, those about refused submissions included, the newest " +
			"first. They are kept as long as attempts. A page may have fewer than limit, or none, although there is " +
			"a next.",
	}, h.listQuestions)
	rest.Handle(h.kernel, rest.Operation{
		ID: access.GetQuestion, Pattern: "GET /v1/questions/{id}", Tag: tag,
		Summary:     "Get a question",
		Description: "With the answer, and the changes that it made to what was submitted.",
		Problems:    []int{http.StatusNotFound},
	}, h.getQuestion)
}

func (h questionHandler) listQuestions(ctx context.Context, in *InQuestions) (*rest.PageAnswer[Question], error) {
	const name = "questions"
	f := store.QuestionFilter{
		Case:       in.Case,
		Type:       in.Type,
		Transition: in.Transition,
		Question:   in.Question,
		Page:       in.Page,
		Callback:   in.Key,
		URL:        in.Callback,
		Verdict:    in.Verdict,
		Since:      in.Since,
		Until:      rest.PeriodEnd(in.Until),
		Limit:      in.Limit,
	}
	if err := h.kernel.Open(name, in.Cursor, &f.Before); err != nil {
		return nil, err
	}
	p := rest.PrincipalOf(ctx)
	found, next, err := h.service.Questions.Questions(ctx, p, f)
	if err != nil {
		return nil, err
	}
	show := func(q store.Question) Question { return h.show(p, q) }
	return rest.NewPager(h.kernel, name, show, func(q store.Question) int64 { return q.ID }).
		PageBefore(found, rest.OrNull(next))
}

func (h questionHandler) getQuestion(ctx context.Context, in *struct {
	ID string `path:"id" maxLength:"100" doc:"The id of the question." example:"qst_4be71e2b9ab9d2bb7bd7c8f3a1f0c3d2"`
}) (*shownQuestion, error) {
	p := rest.PrincipalOf(ctx)
	q, err := h.service.Questions.Question(ctx, p, h.ids.Open(p.Tenant, in.ID))
	if err != nil {
		return nil, err
	}
	body, err := rest.NewReply(AnsweredQuestion{h.show(p, q), showAnswer(q)})
	return &shownQuestion{body}, err
}

func (h questionHandler) show(p access.Principal, q store.Question) Question {
	out := Question{
		ID:         h.ids.Seal(q.Tenant, q.ID),
		At:         rest.Time(q.At),
		By:         rest.ShowActor(p, q.Actor),
		CaseID:     rest.OrNull(q.Case),
		Version:    rest.OrNull(q.Version),
		CaseType:   q.Type,
		Transition: q.Transition,
		Question:   q.Question,
		Page:       rest.OrNull(q.Page),
		Callback:   rest.OrNull(q.Callback),
		URL:        q.URL,
		Verdict:    q.Verdict,
		Code:       rest.OrNull(q.Code),
		Failure:    rest.OrNull(q.Failure),
		Override:   rest.OrNull(q.Override),
		Status:     rest.OrNull(q.Status),
		Attempts:   q.Attempts,
		DurationMS: q.Duration.Milliseconds(),
		WebhookID:  q.WebhookID,
	}
	if by := q.Answerer; by != nil {
		actor := rest.ShowActor(p, by.Actor)
		out.AnsweredBy, out.Listener = &actor, by.Listener
	}
	return out
}

func showAnswer(q store.Question) CallbackAnswer {
	return CallbackAnswer{
		BodySHA256:  q.BodySHA256,
		Answer:      KeptAnswer(q.Answer),
		Changes:     showChanges(q.Changes),
		MoreChanges: q.Changes.More,
	}
}

func showChanges(kept store.KeptChanges) []CallbackChange {
	out := make([]CallbackChange, len(kept.Changes))
	for i, c := range kept.Changes {
		out[i] = CallbackChange{
			Change: Change{Path: c.Path, Before: rest.Value(c.Before), After: rest.Value(c.After)},
			Long:   c.Long,
		}
	}
	return out
}
