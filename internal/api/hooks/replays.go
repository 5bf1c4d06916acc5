package hooks

import (
	"context"
	"net/http"
	"time"

	"github.com/casehook/casehook/internal/access"
	"github.com/casehook/casehook/internal/api/rest"
	"github.com/casehook/casehook/internal/authz"
	"github.com/casehook/casehook/internal/hooks"
	"github.com/casehook/casehook/internal/store"
)

// Replay sends messages of the past to an endpoint again.
type Replay struct {
	ID        string            `json:"id" doc:"Its id." example:"rpl_0197c2f0a1b27c3d8e4f5a6b7c8d9e0f"`
	Kind      store.ReplayKind  `json:"kind" enum:"replay,resend,retry" doc:"Its messages: all of some time; one; or those that were given up." example:"replay"`
	State     store.ReplayState `json:"state" enum:"running,done,cancelled" doc:"Whether it goes on. It stands still while the endpoint is paused or disabled." example:"running"`
	Triggers  []string          `json:"triggers" doc:"The triggers that it sends; empty: all that the endpoint subscribes to." example:"[\"case_created\"]"`
	Subject   *string           `json:"subject" doc:"The subject of its messages; null: any." example:"case/4539148803436467"`
	Messages  *int64            `json:"messages" doc:"How many messages it names; null: it names none, and sends all." example:"1"`
	Progress  float64           `json:"progress" minimum:"0" maximum:"1" doc:"The part that is done." example:"0.25"`
	Left      *int64            `json:"left" doc:"Commits that it has not passed yet, whether it sends them or not; null: it has ended, or you came by a portal link." example:"300"`
	Estimated bool              `json:"estimated" doc:"There are so many left that left is an estimate." example:"false"`
	Delivered int64             `json:"delivered" doc:"Messages that the receiver accepted." example:"100"`
	Dead      int64             `json:"dead" doc:"Messages that were given up." example:"0"`
	AskedBy   string            `json:"asked_by" doc:"The person or program that asked for it. Empty where you came by a portal link, and others did." example:"Grace Hopper"`
	CreatedAt rest.Time         `json:"created_at" doc:"When it was asked for."`
	EndedAt   rest.TimeOrNull   `json:"ended_at" doc:"When it ended; null: it has not."`
}

// NewReplay is the body that starts a replay.
type NewReplay struct {
	Since    Moment     `json:"since" minLength:"1" maxLength:"40" doc:"The time from which on it sends messages: a time, as RFC 3339 writes it, or the beginning of what is kept." example:"2026-11-01T00:00:00Z"`
	Until    *time.Time `json:"until,omitempty" doc:"The time up to which it sends messages; absent: up to now." example:"2026-11-02T00:00:00Z"`
	Triggers *[]string  `json:"triggers,omitempty" minItems:"1" maxItems:"100" doc:"The triggers that it sends, of those that the endpoint subscribes to; absent: all. So it can send the past of a trigger that the endpoint has subscribed to recently." example:"[\"case_finished\"]"`
	Subject  string     `json:"subject,omitempty" maxLength:"130" doc:"The subject of its messages; absent: any." example:"case/4539148803436467"`
}

// Resend is the body that sends a message again.
type Resend struct {
	Message string `json:"message" minLength:"1" maxLength:"100" doc:"Its webhook-id." example:"msg_Zm9vYmFyYmF6cXV4Zm9vYmFy"`
}

type InReplay struct {
	InEndpoint
	Replay string `path:"replay_id" maxLength:"100" doc:"The id of the replay." example:"rpl_0197c2f0a1b27c3d8e4f5a6b7c8d9e0f"`
}

type toEndpoint struct {
	InEndpoint
	rest.IdempotencyHeader
}

// replayHandler has the operations on replays.
type replayHandler struct {
	kernel  *rest.Kernel
	service hooks.Services
}

func (h replayHandler) register() {
	const path, tag = "/v1/endpoints/{id}", "endpoints"
	rest.HandleBody(h.kernel, rest.Operation{
		ID:      access.CreateReplay,
		Pattern: "POST " + path + "/replays",
		Tag:     tag,
		Summary: "Replay past messages to an endpoint",
		Description: "Messages keep their ids, and their order among themselves. New messages go on, and share the " +
			"endpoint's limits. Whether the endpoint wants a message is decided when it is sent.",
		Problems: []int{http.StatusNotFound, http.StatusConflict},
		Success:  http.StatusCreated,
	}, h.createReplay)
	rest.Handle(h.kernel, rest.Operation{
		ID: access.ListReplays, Pattern: "GET " + path + "/replays", Tag: tag,
		Summary:     "List an endpoint's replays",
		Description: "The newest first.",
		Problems:    []int{http.StatusNotFound},
	}, h.listReplays)
	rest.Handle(h.kernel, rest.Operation{
		ID: access.GetReplay, Pattern: "GET " + path + "/replays/{replay_id}", Tag: tag,
		Summary:     "Get a replay",
		Description: "How far it has got.",
		Problems:    []int{http.StatusNotFound},
	}, func(ctx context.Context, in *InReplay) (*struct{ Body Replay }, error) {
		r, err := h.service.Messages.Replay(ctx, rest.PrincipalOf(ctx), in.ID, in.Replay)
		if err != nil {
			return nil, err
		}
		return &struct{ Body Replay }{showReplay(r)}, nil
	})
	rest.Handle(h.kernel, rest.Operation{
		ID: access.CancelReplay, Pattern: "DELETE " + path + "/replays/{replay_id}", Tag: tag,
		Summary:     "Cancel a replay",
		Description: "Messages that are being sent may still arrive.",
		Problems:    []int{http.StatusNotFound, http.StatusConflict},
	}, func(ctx context.Context, in *InReplay) (*rest.NoContent, error) {
		return &rest.NoContent{}, h.service.Messages.CancelReplay(ctx, rest.PrincipalOf(ctx), in.ID, in.Replay)
	})
	rest.HandleBody(h.kernel, rest.Operation{
		ID:          access.ResendMessage,
		Pattern:     "POST " + path + "/resend",
		Tag:         tag,
		Summary:     "Send a message again",
		Description: "In any state: with the same webhook-id and the same body, as a replay of its own.",
		Problems:    []int{http.StatusNotFound, http.StatusConflict},
		Success:     http.StatusCreated,
	}, h.resend)
}

func (h replayHandler) createReplay(
	ctx context.Context, in *toEndpoint, body NewReplay,
) (*rest.PostAnswer[Replay], error) {
	since, err := body.Since.parse("/since")
	if err != nil {
		return nil, err
	}
	request := hooks.ReplayRequest{Since: since, Subject: body.Subject}
	if body.Until != nil {
		request.Until = rest.PeriodEnd(*body.Until)
	}
	rest.Set(&request.Triggers, body.Triggers)
	return rest.Create[Replay](ctx, in.IdempotencyHeader, answerReplay, func(o authz.Once) (hooks.Replay, error) {
		return h.service.Messages.CreateReplay(ctx, rest.PrincipalOf(ctx), in.ID, request, o)
	})
}

func (h replayHandler) resend(ctx context.Context, in *toEndpoint, body Resend) (*rest.PostAnswer[Replay], error) {
	return rest.Create[Replay](ctx, in.IdempotencyHeader, answerReplay, func(o authz.Once) (hooks.Replay, error) {
		return h.service.Messages.Resend(ctx, rest.PrincipalOf(ctx), in.ID, body.Message, o)
	})
}

func answerReplay(r hooks.Replay) (store.Answer, error) {
	return rest.Answer(http.StatusCreated, showReplay(r), "Location", "/v1/endpoints/"+r.Endpoint+"/replays/"+r.ID)
}

func (h replayHandler) listReplays(ctx context.Context, in *struct {
	InEndpoint
	rest.Paging
}) (*rest.PageAnswer[Replay], error) {
	var before string
	name := "replays/" + in.ID
	if err := h.kernel.Open(name, in.Cursor, &before); err != nil {
		return nil, err
	}
	all, err := h.service.Messages.Replays(ctx, rest.PrincipalOf(ctx), in.ID, before, in.Limit+1)
	if err != nil {
		return nil, err
	}
	return rest.NewPager(h.kernel, name, showReplay, func(r hooks.Replay) string { return r.ID }).
		PageOfList(all, in.Limit)
}

func showReplay(r hooks.Replay) Replay {
	out := Replay{
		ID:        r.ID,
		Kind:      r.Kind,
		State:     r.State,
		Triggers:  append([]string{}, r.Triggers...),
		Subject:   rest.OrNull(r.Subject),
		Messages:  rest.OrNull(r.Messages),
		Progress:  1,
		Delivered: r.Delivered,
		Dead:      r.Dead,
		AskedBy:   r.RequestedBy,
		CreatedAt: rest.Time(r.CreatedAt),
		EndedAt:   rest.TimeOrNull(r.EndedAt),
	}
	if whole := r.Until - r.After; whole > 0 {
		out.Progress = min(1, float64(r.Position-r.After)/float64(whole)) // retention may have moved it beyond its end
	}
	if r.Left != nil {
		out.Left, out.Estimated = &r.Left.Entries, r.Left.Estimated
	}
	return out
}
