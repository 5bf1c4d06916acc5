package cases

import (
	"context"
	"net/http"

	"github.com/casehook/casehook/internal/access"
	"github.com/casehook/casehook/internal/api/rest"
	"github.com/casehook/casehook/internal/authz"
	"github.com/casehook/casehook/internal/cases"
	"github.com/casehook/casehook/internal/casework"
	"github.com/casehook/casehook/internal/store"
)

// Comment is a comment on a case.
type Comment struct {
	ID   string     `json:"id" doc:"Its id." example:"cmt_0197c2f0a1b27c3d8e4f5a6b7c8d9e0f"`
	Text string     `json:"text" doc:"The text." example:"Called the client; the passport follows."`
	Due  *string    `json:"due" format:"date" doc:"The date on which it is due; null: it has none." example:"2026-03-14"`
	By   rest.Actor `json:"by" doc:"The author."`
	At   rest.Time  `json:"at" doc:"When."`
}

// NewComment is the body that adds a comment.
type NewComment struct {
	Text string `json:"text" minLength:"1" maxLength:"20000" doc:"The text." example:"Called the client; the passport follows."`

	Due           string `json:"due,omitempty" maxLength:"10" doc:"The date on which it is due; absent: none." example:"2026-03-14"`
	IgnoreWarning bool   `json:"ignore_warning,omitempty" doc:"Go on although the callback warns." example:"true"`
}

// commentHandler has the operations on comments.
type commentHandler struct {
	kernel  *rest.Kernel
	service casework.Services
}

func (h commentHandler) register() {
	rest.HandleBody(h.kernel, rest.Operation{
		ID:          access.AddComment,
		Pattern:     "POST /v1/cases/{id}/comments",
		Tag:         "comments",
		Summary:     "Add a comment",
		Description: "Comments are never changed. The case type may ask a callback before it is added.",
		Problems:    mayAsk,
		Success:     http.StatusCreated,
	}, h.addComment)
	rest.Handle(h.kernel, rest.Operation{
		ID: access.ListComments, Pattern: "GET /v1/cases/{id}/comments", Tag: "comments",
		Summary:     "List a case's comments",
		Description: "The oldest first.",
		Problems:    []int{http.StatusNotFound},
	}, h.listComments)
}

func (h commentHandler) addComment(ctx context.Context, in *struct {
	rest.InCase
	rest.IdempotencyHeader
}, body NewComment) (*rest.PostAnswer[Comment], error) {
	id, err := in.CaseID()
	if err != nil {
		return nil, err
	}
	return rest.Create[Comment](ctx, in.IdempotencyHeader, func(c cases.Comment) (store.Answer, error) {
		return rest.Answer(http.StatusCreated, showComment(rest.PrincipalOf(ctx), c), "Location",
			casePath(id)+"/comments")
	}, func(o authz.Once) (cases.Comment, error) {
		return h.service.Comments.AddComment(ctx, rest.PrincipalOf(ctx), casework.NewComment{
			CaseID: id, Text: body.Text, Due: body.Due, IgnoreWarning: body.IgnoreWarning,
		}, o)
	})
}

func (h commentHandler) listComments(ctx context.Context, in *struct {
	rest.InCase
	rest.Paging
}) (*rest.PageAnswer[Comment], error) {
	id, err := in.CaseID()
	if err != nil {
		return nil, err
	}
	after, name := "", "comments/"+in.ID
	if err := h.kernel.Open(name, in.Cursor, &after); err != nil {
		return nil, err
	}
	all, err := h.service.Comments.Comments(ctx, rest.PrincipalOf(ctx), id, after, in.Limit)
	if err != nil {
		return nil, err
	}
	show := func(c cases.Comment) Comment { return showComment(rest.PrincipalOf(ctx), c) }
	return rest.NewPager(h.kernel, name, show, func(c cases.Comment) string { return c.ID }).PageOf(all)
}

func showComment(p access.Principal, c cases.Comment) Comment {
	return Comment{ID: c.ID, Text: c.Text, Due: rest.OrNull(c.Due), By: rest.ShowActor(p, c.By), At: rest.Time(c.At)}
}
