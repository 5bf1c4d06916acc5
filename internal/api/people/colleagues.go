package people

import (
	"context"

	"github.com/casehook/casehook/internal/access"
	"github.com/casehook/casehook/internal/api/rest"
	"github.com/casehook/casehook/internal/event"
)

// Colleague is a person to whom cases can be assigned.
type Colleague struct {
	ID   int64  `json:"id" doc:"The user's id." example:"7"`
	Name string `json:"name" doc:"The user's name. Of an e-mail address in it, caseworkers see the part before the @." example:"Ada Lovelace"`
}

func (h userHandler) registerColleagues() {
	rest.Handle(h.kernel, rest.Operation{
		ID: access.ListColleagues, Pattern: "GET /v1/colleagues", Tag: "users",
		Summary: "List those to whom cases can be assigned",
		Description: "The users who may sign in, by their ids. A page may have fewer than its limit, and still " +
			"a next.",
	}, h.listColleagues)
}

func (h userHandler) listColleagues(ctx context.Context, in *rest.Paging) (*rest.PageAnswer[Colleague], error) {
	const name = "colleagues"
	var after int64
	if err := h.kernel.Open(name, in.Cursor, &after); err != nil {
		return nil, err
	}
	all, next, err := h.service.Users.Colleagues(ctx, rest.PrincipalOf(ctx), after, in.Limit)
	if err != nil {
		return nil, err
	}
	show := func(who event.Person) Colleague { return Colleague{who.UserID, who.Name} }
	position := func(who event.Person) int64 { return who.UserID }
	return rest.NewPager(h.kernel, name, show, position).PageBefore(all, rest.OrNull(next))
}
