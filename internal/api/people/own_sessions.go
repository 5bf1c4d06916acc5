package people

import (
	"context"
	"net/http"

	"github.com/casehook/casehook/internal/access"
	"github.com/casehook/casehook/internal/api/rest"
	"github.com/casehook/casehook/internal/people"
	"github.com/casehook/casehook/internal/session"
)

// OpenSession is a session of the caller that has not ended.
type OpenSession struct {
	ID       string          `json:"id" doc:"Its id." example:"ses_4be71e2b9ab9d2bb7bd7c8f3a1f0c3d2"`
	Began    rest.TimeOrNull `json:"began_at" doc:"When you signed in; null: unknown."`
	LastUsed rest.Time       `json:"last_used_at" doc:"When it was last used, at most a minute behind."`
	Ends     rest.Time       `json:"ends_at" doc:"When it ends, unless it is used before."`
	This     bool            `json:"this" doc:"The request is of this session." example:"true"`
}

// openSessionHandler has the operations on the caller's own sessions.
type openSessionHandler struct {
	kernel *rest.Kernel
	users  *people.Users
}

func (h openSessionHandler) register() {
	const path, tag = "/v1/sessions", "session"
	rest.Handle(h.kernel, rest.Operation{
		ID: access.ListSessions, Pattern: "GET " + path, Tag: tag,
		Summary:     "List your sessions",
		Description: "In all browsers, those that last longest first. A token has none.",
	}, func(ctx context.Context, in *rest.InList) (*rest.PageAnswer[OpenSession], error) {
		p := rest.PrincipalOf(ctx)
		all, err := h.users.Sessions(ctx, p)
		if err != nil {
			return nil, err
		}
		show := func(o session.Open) OpenSession { return showOpenSession(p, o) }
		return rest.PageBehind(rest.NewPager(h.kernel, "sessions", show,
			func(o session.Open) string { return o.ID }), in.Cursor, all)
	})
	rest.Handle(h.kernel, rest.Operation{
		ID: access.EndSession, Pattern: "DELETE " + path + "/{id}", Tag: tag,
		Summary:     "End one of your sessions",
		Description: "Another one than the request's, at once.",
		Problems:    []int{http.StatusNotFound, http.StatusConflict},
	}, func(ctx context.Context, in *struct {
		ID string `path:"id" maxLength:"100" doc:"The id of the session." example:"ses_4be71e2b9ab9d2bb7bd7c8f3a1f0c3d2"`
	}) (*rest.NoContent, error) {
		return &rest.NoContent{}, h.users.EndSession(ctx, rest.PrincipalOf(ctx), in.ID)
	})
	rest.Handle(h.kernel, rest.Operation{
		ID: access.EndOtherSessions, Pattern: "DELETE " + path, Tag: tag,
		Summary:     "End all your other sessions",
		Description: "All except the request's, at once.",
		Problems:    []int{http.StatusConflict},
	}, func(ctx context.Context, _ *struct{}) (*rest.NoContent, error) {
		return &rest.NoContent{}, h.users.EndOtherSessions(ctx, rest.PrincipalOf(ctx))
	})
}

func showOpenSession(p access.Principal, o session.Open) OpenSession {
	return OpenSession{
		ID: o.ID, Began: rest.TimeOrNull(o.Began), LastUsed: rest.Time(o.LastUsed), Ends: rest.Time(o.Ends),
		This: o.Key == p.Credential.Session,
	}
}
