package hooks

import (
	"context"
	"net/http"

	"github.com/casehook/casehook/internal/access"
	"github.com/casehook/casehook/internal/api/rest"
	"github.com/casehook/casehook/internal/authz"
	"github.com/casehook/casehook/internal/hooks"
	"github.com/casehook/casehook/internal/store"
)

// DeadMessage is a message that delivery gave up.
type DeadMessage struct {
	Message string          `json:"message" doc:"Its webhook-id." example:"msg_Zm9vYmFyYmF6cXV4Zm9vYmFy"`
	Trigger string          `json:"trigger" doc:"Its trigger." example:"case_created"`
	Subject string          `json:"subject" doc:"Its subject." example:"case/4539148803436467"`
	State   store.DeadState `json:"state" enum:"dead,retrying,dropped,delivered" doc:"dead; retrying: a replay tries it again; dropped by a person; delivered by a replay after all." example:"dead"`
	At      rest.Time       `json:"at" doc:"When it was given up."`
	Reason  string          `json:"reason" doc:"Why: the result of its last try, or why its body can't be made." example:"400 Bad Request"`
}

// ParkedMessage is a message that waits for its next try, at the head of its lane.
type ParkedMessage struct {
	Message string    `json:"message" doc:"Its webhook-id." example:"msg_Zm9vYmFyYmF6cXV4Zm9vYmFy"`
	Trigger string    `json:"trigger" doc:"Its trigger." example:"case_created"`
	Subject string    `json:"subject" doc:"Its subject." example:"case/4539148803436467"`
	Tries   int       `json:"tries" doc:"Requests made." example:"3"`
	Due     rest.Time `json:"due" doc:"When it is tried next. While the endpoint as a whole is away it may be later."`
	Reason  string    `json:"reason" doc:"The result of its last try." example:"503 Service Unavailable"`
	Behind  int64     `json:"behind" doc:"Commits of the same case that came after it, and may wait for it; 100 stands for all beyond." example:"2"`
	Replay  *string   `json:"replay" doc:"The replay that it is of; null: it is new." example:"rpl_0197c2f0a1b27c3d8e4f5a6b7c8d9e0f"`
	Asked   *string   `json:"asked" doc:"The request of a person that is not carried out yet, retry or drop; null: none." example:"retry"`
}

// MessageSelection is the body that selects messages of an endpoint.
type MessageSelection struct {
	Messages *[]string `json:"messages,omitempty" minItems:"1" maxItems:"1000" doc:"The webhook-ids of some." example:"[\"msg_Zm9vYmFyYmF6cXV4Zm9vYmFy\"]"`
	All      bool      `json:"all,omitempty" doc:"All that there are, instead." example:"true"`
}

func (b MessageSelection) selection() hooks.MessageSelection {
	out := hooks.MessageSelection{All: b.All}
	rest.Set(&out.Messages, b.Messages)
	return out
}

// MessageCount is the number of messages that an operation changed.
type MessageCount struct {
	Count int64 `json:"count" doc:"How many messages." example:"1"`
}

// repairHandler has the operations on dead and parked messages.
type repairHandler struct {
	kernel  *rest.Kernel
	service hooks.Services
}

func (h repairHandler) register() {
	const path, tag = "/v1/endpoints/{id}", "endpoints"
	rest.Handle(h.kernel, rest.Operation{
		ID: access.ListDead, Pattern: "GET " + path + "/dead", Tag: tag,
		Summary:     "List messages that were given up",
		Description: "In the order of their commits.",
		Problems:    []int{http.StatusNotFound},
	}, h.listDead)
	rest.HandleBody(h.kernel, rest.Operation{
		ID:      access.RetryDead,
		Pattern: "POST " + path + "/dead/retry",
		Tag:     tag,
		Summary: "Try messages again that were given up",
		Description: "In their order, as a replay. Accepted messages are delivered; the others are dead again. Up " +
			"to 100,000 at a time.",
		Problems: []int{http.StatusNotFound, http.StatusConflict},
		Success:  http.StatusCreated,
	}, h.retryDead)
	rest.Handle(h.kernel, rest.Operation{
		ID: access.ListParked, Pattern: "GET " + path + "/parked", Tag: tag,
		Summary:     "List messages that wait for their next try",
		Description: "Each is the first of its lane: later messages about the same case wait for it.",
		Problems:    []int{http.StatusNotFound},
	}, h.listParked)
	for _, o := range []struct {
		id                         access.Operation
		path, summary, description string
		do                         func(context.Context, access.Principal, string, hooks.MessageSelection,
			authz.Once) (int64, error)
	}{
		{access.DropDead, "/dead/drop", "Drop messages that were given up", "They stay listed as dropped.",
			h.service.Messages.DropDead},
		{access.RetryParked, "/parked/retry", "Try waiting messages at once",
			"While the endpoint as a whole is away, they wait until it is back.", h.service.Messages.RetryParked},
		{access.DropParked, "/parked/drop", "Drop messages that wait",
			"They are listed as dropped, and the messages behind them go on. One that is being sent is dropped " +
				"unless the receiver accepts it. This happens within moments, or once a paused endpoint is active.",
			h.service.Messages.DropParked},
	} {
		rest.HandleBody(h.kernel, rest.Operation{
			ID: o.id, Pattern: "POST " + path + o.path, Tag: tag,
			Summary:     o.summary,
			Description: o.description,
			Problems:    []int{http.StatusNotFound, http.StatusConflict},
		}, func(ctx context.Context, in *toEndpoint, body MessageSelection) (*rest.PostAnswer[MessageCount], error) {
			return rest.Create[MessageCount](ctx, in.IdempotencyHeader, func(n int64) (store.Answer, error) {
				return rest.Answer(http.StatusOK, MessageCount{n})
			}, func(once authz.Once) (int64, error) {
				return o.do(ctx, rest.PrincipalOf(ctx), in.ID, body.selection(), once)
			})
		})
	}
}

func (h repairHandler) listDead(ctx context.Context, in *struct {
	InEndpoint
	State store.DeadState `query:"state" enum:"dead,retrying,dropped,delivered" default:"dead" doc:"Their state."`
	rest.Paging
}) (*rest.PageAnswer[DeadMessage], error) {
	var after store.Place
	name := "dead/" + in.ID + "/" + string(in.State)
	if err := h.kernel.Open(name, in.Cursor, &after); err != nil {
		return nil, err
	}
	all, next, err := h.service.Messages.DeadMessages(ctx, rest.PrincipalOf(ctx), hooks.DeadSelection{
		Endpoint: in.ID, State: in.State, After: after, Limit: in.Limit,
	})
	if err != nil {
		return nil, err
	}
	return rest.NewPager(h.kernel, name, showDead, func(d store.DeadMessage) store.Place { return d.Place }).
		PageBefore(all, next)
}

func showDead(d store.DeadMessage) DeadMessage {
	return DeadMessage{Message: d.Message, Trigger: d.Trigger, Subject: d.Subject, State: d.State, At: rest.Time(d.At),
		Reason: d.Reason}
}

func (h repairHandler) retryDead(
	ctx context.Context, in *toEndpoint, body MessageSelection,
) (*rest.PostAnswer[Replay], error) {
	return rest.Create[Replay](ctx, in.IdempotencyHeader, answerReplay, func(o authz.Once) (hooks.Replay, error) {
		return h.service.Messages.RetryDead(ctx, rest.PrincipalOf(ctx), in.ID, body.selection(), o)
	})
}

func (h repairHandler) listParked(ctx context.Context, in *struct {
	InEndpoint
	rest.Paging
}) (*rest.PageAnswer[ParkedMessage], error) {
	var after store.LanePlace
	name := "parked/" + in.ID
	if err := h.kernel.Open(name, in.Cursor, &after); err != nil {
		return nil, err
	}
	all, next, err := h.service.Messages.Parked(ctx, rest.PrincipalOf(ctx), in.ID, after, in.Limit)
	if err != nil {
		return nil, err
	}
	return rest.NewPager(h.kernel, name, showParked, store.ParkedLane.Place).PageBefore(all, next)
}

func showParked(w store.ParkedLane) ParkedMessage {
	out := ParkedMessage{
		Message: w.Message,
		Trigger: w.Trigger,
		Subject: w.Subject,
		Tries:   w.Tries,
		Due:     rest.Time(w.Due),
		Reason:  w.Reason,
		Behind:  w.Behind,
		Asked:   rest.OrNull(w.Requested),
	}
	if w.Replay {
		out.Replay = &w.Cursor
	}
	return out
}
