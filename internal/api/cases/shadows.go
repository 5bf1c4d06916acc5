package cases

import (
	"context"
	"net/http"

	"github.com/casehook/casehook/internal/access"
	"github.com/casehook/casehook/internal/api/rest"
	"github.com/casehook/casehook/internal/casework"
	"github.com/casehook/casehook/internal/store"
)

// ShadowDifference is an answer of a callback's shadow that differs from that of the callback.
type ShadowDifference struct {
	At         rest.Time        `json:"at" doc:"When the shadow was asked."`
	CaseID     *int64           `json:"case_id" doc:"The case; null: the creation of one." example:"4539148803436467"`
	Question   string           `json:"question" enum:"about_to_start,mid_event,about_to_submit,submitted" doc:"The point at which it was asked." example:"about_to_submit"`
	Page       *string          `json:"page" doc:"The key of the page that was left; null: it is not about a page." example:"1"`
	Callback   *string          `json:"callback_key" doc:"The key of the callback, where several are asked at the point; null: it has none." example:"screening"`
	URL        string           `json:"url" doc:"The shadow's, as configured, without its query; empty: by a definition that you may not see." example:"https://next.example.com/kyc/submit"`
	WebhookID  string           `json:"webhook_id" doc:"The webhook-id that the callback was asked with, as in questions." example:"msg_Zm9vYmFyYmF6cXV4Zm9vYmFy"`
	ShadowID   string           `json:"shadow_webhook_id" doc:"The webhook-id that the shadow was asked with." example:"msg_YmFyZm9vYmF6cXV4Zm9vYmFy"`
	Live       string           `json:"live" enum:"accepted,warnings,errors" doc:"The verdict of the callback." example:"accepted"`
	Verdict    string           `json:"verdict" enum:"accepted,warnings,errors,failed,timeout,cancelled" doc:"The verdict of the shadow." example:"errors"`
	Failure    *string          `json:"failure" doc:"Why the shadow has no usable answer; null: it has one."`
	Status     *int             `json:"status" doc:"The HTTP status of the shadow's answer; null: there was none." example:"200"`
	DurationMS int64            `json:"duration_ms" doc:"How long the shadow took." example:"38"`
	Changes    []CallbackChange `json:"changes" doc:"Where the answers differ: errors, warnings, state and fields of the data, in the callback's answer (before) and in the shadow's (after); the first 50, as far as you may see them."`
	More       int              `json:"more_changes" doc:"How many more there are." example:"0"`
}

// shadowHandler has the operation on the shadows of callbacks.
type shadowHandler struct {
	kernel  *rest.Kernel
	service *casework.Shadows
}

func (h shadowHandler) register() {
	rest.Handle(h.kernel, rest.Operation{
		ID: access.ListShadowDifferences, Pattern: "GET /v1/case-types/{key}/callbacks/{transition}/shadow",
		Tag: "questions", Summary: "List what a shadow answers otherwise",
		Description: "The answers of the shadows of a transition's callbacks that differ from those of the callbacks, " +
			"the newest first: the last 100 of each callback, kept as long as questions. A page may have fewer than " +
			"limit, or none, although there is a next.",
		Problems: []int{http.StatusNotFound},
	}, h.list)
}

func (h shadowHandler) list(ctx context.Context, in *struct {
	Key        string `path:"key" maxLength:"100" doc:"The key of the case type." example:"kyc"`
	Transition string `path:"transition" maxLength:"100" doc:"The name of the callback: a transition, @switch or @delete." example:"submit"`
	rest.Paging
}) (*rest.PageAnswer[ShadowDifference], error) {
	const name = "shadows"
	f := store.ShadowFilter{Type: in.Key, Transition: in.Transition, Limit: in.Limit}
	if err := h.kernel.Open(name, in.Cursor, &f.Before); err != nil {
		return nil, err
	}
	found, next, err := h.service.Differences(ctx, rest.PrincipalOf(ctx), f)
	if err != nil {
		return nil, err
	}
	return rest.NewPager(h.kernel, name, showDifference, func(d store.ShadowDifference) int64 { return d.ID }).
		PageBefore(found, rest.OrNull(next))
}

func showDifference(d store.ShadowDifference) ShadowDifference {
	return ShadowDifference{
		At:         rest.Time(d.At),
		CaseID:     rest.OrNull(d.Case),
		Question:   d.Question,
		Page:       rest.OrNull(d.Page),
		Callback:   rest.OrNull(d.Callback),
		URL:        d.URL,
		WebhookID:  d.WebhookID,
		ShadowID:   d.ShadowID,
		Live:       d.Live,
		Verdict:    d.Verdict,
		Failure:    rest.OrNull(d.Failure),
		Status:     rest.OrNull(d.Status),
		DurationMS: d.Duration.Milliseconds(),
		Changes:    showChanges(d.Changes),
		More:       d.Changes.More,
	}
}
