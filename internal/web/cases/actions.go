package cases

import (
	"context"
	"net/http"
	"slices"
	"strconv"

	"github.com/casehook/casehook/internal/authz"
	"github.com/casehook/casehook/internal/casework"
	"github.com/casehook/casehook/internal/fault"
	"github.com/casehook/casehook/internal/web/ui"
)

// comment adds a comment to a case.
func (h handler) comment(ctx context.Context, r *ui.Request) (ui.View, error) {
	id, err := h.caseID(r)
	if err != nil {
		return ui.View{}, err
	}
	_, err = h.services.Comments.AddComment(ctx, r.Principal,
		casework.NewComment{CaseID: id, Text: r.Form("text")}, authz.Once{})
	if e := fault.As(err); err != nil && e.Kind == fault.Unprocessable {
		view, readErr := h.services.Cases.Case(ctx, r.Principal, id)
		if readErr != nil {
			return ui.View{}, readErr
		}
		page, readErr := h.readPage(ctx, r, view)
		if readErr != nil {
			return ui.View{}, readErr
		}
		page.Comment, page.CommentFail = r.Form("text"), e.Detail
		if len(e.Fields) > 0 {
			page.CommentFail = "The comment " + e.Fields[0].Message + "."
		}
		return ui.View{
			Title: view.Reference, Section: "/cases", Body: caseTemplate(page), Status: http.StatusUnprocessableEntity,
		}, nil
	}
	return ui.Redirect(casePath(id) + "#timeline"), err
}

// assign assigns a case, or takes it from its assignee.
func (h handler) assign(ctx context.Context, r *ui.Request) (ui.View, error) {
	id, err := h.caseID(r)
	if err != nil {
		return ui.View{}, err
	}
	to, _ := strconv.ParseInt(r.Form("assignee"), 10, 64) // 0: nobody
	_, err = h.services.Cases.Assign(ctx, r.Principal, casework.Assignment{CaseID: id, UserID: to})
	return ui.Redirect(casePath(id)), err
}

// label adds the chosen labels to a case, and removes the others.
func (h handler) label(ctx context.Context, r *ui.Request) (ui.View, error) {
	id, err := h.caseID(r)
	if err != nil {
		return ui.View{}, err
	}
	view, err := h.services.Cases.Case(ctx, r.Principal, id)
	if err != nil {
		return ui.View{}, err
	}
	chosen, label := r.HTTP.PostForm["label"], casework.CaseLabel{CaseID: id}
	for _, slug := range chosen {
		if !slices.Contains(view.Labels, slug) {
			label.Slug = slug
			if _, err := h.services.Labels.AddLabel(ctx, r.Principal, label); err != nil {
				return ui.View{}, err
			}
		}
	}
	for _, slug := range view.Labels {
		if !slices.Contains(chosen, slug) {
			label.Slug = slug
			if _, err := h.services.Labels.RemoveLabel(ctx, r.Principal, label); err != nil {
				return ui.View{}, err
			}
		}
	}
	return ui.Redirect(casePath(id)), nil
}

// generate makes a document of a case.
func (h handler) generate(ctx context.Context, r *ui.Request) (ui.View, error) {
	id, err := h.caseID(r)
	if err != nil {
		return ui.View{}, err
	}
	_, err = h.services.Files.GenerateDocuments(ctx, r.Principal, casework.Generation{
		CaseID: id, Keys: []string{r.Form("key")}, Single: true,
	}, authz.Once{})
	return ui.Redirect(casePath(id) + "#documents"), err
}
