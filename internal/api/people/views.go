package people

import (
	"context"
	"net/http"

	"github.com/casehook/casehook/internal/access"
	"github.com/casehook/casehook/internal/api/rest"
	"github.com/casehook/casehook/internal/authz"
	"github.com/casehook/casehook/internal/people"
	"github.com/casehook/casehook/internal/store"
)

// View is a saved filter of a page of the console.
type View struct {
	ID        string    `json:"id" doc:"Its id." example:"view_0197c2f0a1b27c3d8e4f5a6b7c8d9e0f"`
	Name      string    `json:"name" doc:"Its name in the navigation." example:"Drafts of today"`
	Page      string    `json:"page" doc:"The path of the page." example:"/cases"`
	Query     string    `json:"query" doc:"The query of the page's address, its names sorted." example:"state=draft&type=kyc"`
	Shared    bool      `json:"shared" doc:"Everybody in the tenant sees it." example:"false"`
	Own       bool      `json:"own" doc:"It is yours." example:"true"`
	CreatedAt rest.Time `json:"created_at" doc:"When it was saved."`
}

// NewView is the body that saves a view.
type NewView struct {
	Name   string `json:"name" maxLength:"100" doc:"Its name in the navigation." example:"Drafts of today"`
	Page   string `json:"page" maxLength:"100" doc:"The path of the page." example:"/cases"`
	Query  string `json:"query,omitempty" maxLength:"2000" doc:"The query of the page's address; absent: all of the page." example:"type=kyc&state=draft"`
	Shared bool   `json:"shared,omitempty" doc:"Everybody in the tenant sees it. For managers and administrators." example:"false"`
}

// viewHandler has the operations on views.
type viewHandler struct {
	kernel  *rest.Kernel
	service people.Services
}

func (h viewHandler) register() {
	const path, tag = "/v1/views", "views"
	rest.HandleBody(h.kernel, rest.Operation{
		ID:          access.CreateView,
		Pattern:     "POST " + path,
		Tag:         tag,
		Summary:     "Save a view",
		Description: "A filter of a page of the console, under a name. You can have 100.",
		Problems:    []int{http.StatusConflict},
		Success:     http.StatusCreated,
	}, h.createView)
	rest.Handle(h.kernel, rest.Operation{
		ID: access.ListViews, Pattern: "GET " + path, Tag: tag,
		Summary:     "List the views",
		Description: "Yours, and those that are shared; the oldest first.",
	}, func(ctx context.Context, in *rest.InList) (*rest.PageAnswer[View], error) {
		p := rest.PrincipalOf(ctx)
		all, err := h.service.Views.Views(ctx, p)
		if err != nil {
			return nil, err
		}
		show := func(v access.View) View { return showView(p, v) }
		return rest.PageBehind(rest.NewPager(h.kernel, "views", show,
			func(v access.View) string { return v.ID }), in.Cursor, all)
	})
	rest.Handle(h.kernel, rest.Operation{
		ID: access.DeleteView, Pattern: "DELETE " + path + "/{id}", Tag: tag,
		Summary:     "Delete a view",
		Description: "One of yours. Managers and administrators may delete those that others share.",
		Problems:    []int{http.StatusNotFound},
	}, func(ctx context.Context, in *struct {
		ID string `path:"id" maxLength:"100" doc:"The id of the view." example:"view_0197c2f0a1b27c3d8e4f5a6b7c8d9e0f"`
	}) (*rest.NoContent, error) {
		return &rest.NoContent{}, h.service.Views.DeleteView(ctx, rest.PrincipalOf(ctx), in.ID)
	})
}

func (h viewHandler) createView(
	ctx context.Context, in *rest.IdempotencyHeader, body NewView,
) (*rest.PostAnswer[View], error) {
	p := rest.PrincipalOf(ctx)
	return rest.Create[View](ctx, *in, func(v access.View) (store.Answer, error) {
		return rest.Answer(http.StatusCreated, showView(p, v), "Location", "/v1/views/"+v.ID)
	}, func(o authz.Once) (access.View, error) {
		return h.service.Views.CreateView(ctx, p, people.NewView(body), o)
	})
}

func showView(p access.Principal, v access.View) View {
	return View{
		ID: v.ID, Name: v.Name, Page: v.Page, Query: v.Query, Shared: v.Shared, Own: v.Owner == p.Owner(),
		CreatedAt: rest.Time(v.CreatedAt),
	}
}
