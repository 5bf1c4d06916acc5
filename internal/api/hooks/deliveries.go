package hooks

import (
	"context"
	"net/http"

	"github.com/casehook/casehook/internal/access"
	"github.com/casehook/casehook/internal/api/rest"
	"github.com/casehook/casehook/internal/hooks"
)

// MessageDeliveries is a message with its delivery to each endpoint.
type MessageDeliveries struct {
	Message    string     `json:"message" doc:"The webhook-id." example:"msg_Zm9vYmFyYmF6cXV4Zm9vYmFy"`
	Trigger    string     `json:"trigger" doc:"Its trigger." example:"case_created"`
	Version    int64      `json:"version" doc:"The version of its subject." example:"7"`
	At         rest.Time  `json:"at" doc:"When it was committed."`
	Deliveries []Delivery `json:"deliveries" doc:"Its state for each endpoint that has received it, or will."`
}

// Delivery is the state of a message for one endpoint.
type Delivery struct {
	Endpoint   string               `json:"endpoint_id" doc:"The id of the endpoint; it may be deleted." example:"ep_0197c2f0a1b27c3d8e4f5a6b7c8d9e0f"`
	Name       string               `json:"name" doc:"Its handle, or empty." example:"crm"`
	Status     hooks.DeliveryStatus `json:"status" enum:"delivered,waiting,parked,dead,dropped,ended" doc:"delivered; waiting for its turn; parked: it failed and is tried again when it is due; dead: given up; dropped: given up and put aside; ended: it failed, and is not tried again, since the endpoint is deleted or does not want it any more." example:"delivered"`
	Attempts   int                  `json:"attempts" doc:"The number of tries, as far as attempts are kept." example:"1"`
	LastAt     rest.TimeOrNull      `json:"last_at" doc:"When the last try began; null: there was none."`
	LastStatus *int                 `json:"last_status" doc:"The HTTP status that it met; null: none." example:"200"`
	Failure    *string              `json:"failure" doc:"The class of its failure; null: there was an answer, or no try." example:"timeout"`
	Due        rest.TimeOrNull      `json:"due" doc:"When it is tried again; null: it is not parked."`
	Reason     string               `json:"reason" doc:"Why it is parked or was given up; else empty."`
}

// deliveryHandler has the operations that list deliveries.
type deliveryHandler struct {
	kernel  *rest.Kernel
	service hooks.Services
}

func (h deliveryHandler) register() {
	const tag = "attempts"
	const description = "By message: the endpoints that have received it, when and with which result, and those that " +
		"will; the newest first. A page has the messages of up to limit commits."
	rest.Handle(h.kernel, rest.Operation{
		ID: access.ListCaseDeliveries, Pattern: "GET /v1/cases/{id}/deliveries", Tag: tag,
		Summary:     "List a case's deliveries",
		Description: description,
		Problems:    []int{http.StatusNotFound},
	}, func(ctx context.Context, in *struct {
		rest.InCase
		rest.Paging
	}) (*rest.PageAnswer[MessageDeliveries], error) {
		id, err := in.CaseID()
		if err != nil {
			return nil, err
		}
		return h.pageOfDeliveries(ctx, "deliveries/case/"+in.ID, id, in.Paging, h.service.Messages.CaseDeliveries)
	})
	rest.Handle(h.kernel, rest.Operation{
		ID: access.ListContactDeliveries, Pattern: "GET /v1/contacts/{id}/deliveries", Tag: tag,
		Summary:     "List a contact's deliveries",
		Description: description,
		Problems:    []int{http.StatusNotFound},
	}, func(ctx context.Context, in *struct {
		rest.InContact
		rest.Paging
	}) (*rest.PageAnswer[MessageDeliveries], error) {
		id, err := in.ContactID()
		if err != nil {
			return nil, err
		}
		return h.pageOfDeliveries(ctx, "deliveries/contact/"+in.ID, id, in.Paging, h.service.Messages.ContactDeliveries)
	})
}

// entryPosition is the position of a commit in a list of deliveries.
type entryPosition struct{ ID int64 }

type deliveriesFunc func(
	ctx context.Context, p access.Principal, id, before int64, limit int,
) ([]hooks.MessageDeliveries, int64, error)

func (h deliveryHandler) pageOfDeliveries(ctx context.Context, name string, id int64, in rest.Paging,
	load deliveriesFunc) (*rest.PageAnswer[MessageDeliveries], error) {
	var before entryPosition
	if err := h.kernel.Open(name, in.Cursor, &before); err != nil {
		return nil, err
	}
	all, next, err := load(ctx, rest.PrincipalOf(ctx), id, before.ID, in.Limit)
	if err != nil {
		return nil, err
	}
	var position *entryPosition
	if next > 0 {
		position = &entryPosition{next}
	}
	pager := rest.NewPager(h.kernel, name, showDeliveries,
		func(t hooks.MessageDeliveries) entryPosition { return entryPosition{t.Entry.ID} })
	return pager.WholePageBefore(all, position)
}

func showDeliveries(t hooks.MessageDeliveries) MessageDeliveries {
	out := MessageDeliveries{Message: t.Message, Trigger: t.Trigger, Version: t.Entry.Version,
		At: rest.Time(t.Entry.At), Deliveries: make([]Delivery, len(t.To))}
	for i, d := range t.To {
		out.Deliveries[i] = Delivery{
			Endpoint:   d.Endpoint,
			Name:       d.Name,
			Status:     d.Status,
			Attempts:   d.Tries.Count,
			LastAt:     rest.TimeOrNull(d.Tries.LastAt),
			LastStatus: rest.OrNull(d.Tries.Status),
			Failure:    rest.OrNull(d.Tries.Class),
			Due:        rest.TimeOrNull(d.Due),
			Reason:     d.Reason,
		}
	}
	return out
}
