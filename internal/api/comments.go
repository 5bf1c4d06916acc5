package api

import (
	"context"
	"net/http"

	"github.com/casehook/casehook/internal/access"
	"github.com/casehook/casehook/internal/cases"
	"github.com/casehook/casehook/internal/casework"
	"github.com/casehook/casehook/internal/store"
)

// Comment is what somebody said about a case.
type Comment struct {
	ID   string `json:"id" doc:"Its id." example:"cmt_0197c2f0a1b27c3d8e4f5a6b7c8d9e0f"`
	Text string `json:"text" doc:"What was said." example:"Called the client; the passport follows."`
	By   Actor  `json:"by" doc:"Who said it."`
	At   Time   `json:"at" doc:"When."`
}

// NewComment is the body that adds a comment.
type NewComment struct {
	Text string `json:"text" minLength:"1" maxLength:"20000" doc:"What to say." example:"Called the client; the passport follows."`
}

func (a *API) comments() {
	handleBody(a, status(http.StatusCreated, operation("add-comment", http.MethodPost, "/v1/cases/{id}/comments", "comments", "Add a comment",
		"Comments are never changed.", http.StatusNotFound, http.StatusConflict)), a.addComment)
	handle(a, operation("list-comments", http.MethodGet, "/v1/cases/{id}/comments", "comments", "List a case's comments",
		"The oldest first.", http.StatusNotFound), a.listComments)
}

func (a *API) addComment(ctx context.Context, in *struct {
	InCase
	Idempotent
}, body NewComment) (*created[Comment], error) {
	id, err := in.caseID()
	if err != nil {
		return nil, err
	}
	return create[Comment](ctx, "add-comment", in.Idempotent, func(c cases.Comment) (store.Answer, error) {
		return answer(http.StatusCreated, showComment(principalOf(ctx), c), "Location", casePath(id)+"/comments")
	}, func(o casework.Once) (cases.Comment, error) {
		return a.service.AddComment(ctx, principalOf(ctx), id, body.Text, o)
	})
}

func (a *API) listComments(ctx context.Context, in *struct {
	InCase
	Paging
}) (*listed[Comment], error) {
	id, err := in.caseID()
	if err != nil {
		return nil, err
	}
	after, name := "", "comments/"+in.ID
	if err := a.cursors.open(name, in.Cursor, &after); err != nil {
		return nil, err
	}
	all, err := a.service.Comments(ctx, principalOf(ctx), id, after, in.Limit)
	if err != nil {
		return nil, err
	}
	show := func(c cases.Comment) Comment { return showComment(principalOf(ctx), c) }
	return pageOf(a, name, all, show, func(c cases.Comment) string { return c.ID })
}

func showComment(p access.Principal, c cases.Comment) Comment {
	return Comment{ID: c.ID, Text: c.Text, By: showActor(p, c.By), At: Time(c.At)}
}
