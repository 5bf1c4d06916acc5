package api

import (
	"context"
	"net/http"

	"github.com/casehook/casehook/internal/cases"
	"github.com/casehook/casehook/internal/casework"
	"github.com/casehook/casehook/internal/store"
)

// Label is a mark for cases of all types.
type Label struct {
	Slug      string  `json:"slug" doc:"What cases name it by; it never changes." example:"fast_track"`
	Name      string  `json:"name" doc:"For people." example:"Fast track"`
	Color     *string `json:"color" doc:"What it is shown in." example:"teal"`
	CreatedAt Time    `json:"created_at" doc:"When it was created."`
}

// NewLabel is the body that creates a label.
type NewLabel struct {
	Slug  string `json:"slug" minLength:"1" maxLength:"64" pattern:"^[a-z0-9]([a-z0-9_-]*[a-z0-9])?$" doc:"What cases name it by." example:"fast_track"`
	Name  string `json:"name,omitempty" maxLength:"200" doc:"For people; absent: the slug." example:"Fast track"`
	Color string `json:"color,omitempty" maxLength:"32" doc:"#rrggbb, or a name in lower case." example:"teal"`
}

// LabelEdit is the body that changes a label.
type LabelEdit struct {
	Name  Optional `json:"name,omitzero" doc:"For people; null: the slug."`
	Color Optional `json:"color,omitzero" doc:"What it is shown in; null: nothing special." example:"teal"`
}

// InLabel is embedded in the parameters of what is about one label.
type InLabel struct {
	Slug string `path:"slug" maxLength:"100" doc:"The slug of the label." example:"fast_track"`
}

// InCaseLabel is a label on a case.
type InCaseLabel struct {
	InCase
	InLabel
}

func (a *API) labels() {
	handleBody(a, status(http.StatusCreated, operation("create-label", http.MethodPost, "/v1/labels", "labels", "Create a label",
		"Every kind of case can carry it.", http.StatusConflict)), a.createLabel)
	handle(a, operation("list-labels", http.MethodGet, "/v1/labels", "labels", "List the labels", "By slug."),
		func(ctx context.Context, in *InList) (*listed[Label], error) {
			all, err := a.service.Labels(ctx, principalOf(ctx))
			if err != nil {
				return nil, err
			}
			return ordered(a, "labels", *in, all, showLabel, func(l cases.Label) string { return l.Slug })
		})
	handle(a, operation("get-label", http.MethodGet, "/v1/labels/{slug}", "labels", "Get a label", "By its slug.",
		http.StatusNotFound),
		func(ctx context.Context, in *InLabel) (*shownLabel, error) {
			l, err := a.service.Label(ctx, principalOf(ctx), in.Slug)
			return &shownLabel{showLabel(l)}, err
		})
	handleBody(a, operation("edit-label", http.MethodPatch, "/v1/labels/{slug}", "labels", "Change a label",
		"Its name and its colour. Its slug never changes.", http.StatusNotFound),
		func(ctx context.Context, in *InLabel, body LabelEdit) (*shownLabel, error) {
			l, err := a.service.ChangeLabel(ctx, principalOf(ctx), in.Slug, casework.LabelChange{Name: body.Name.pointer(), Color: body.Color.pointer()})
			return &shownLabel{showLabel(l)}, err
		})
	handle(a, operation("delete-label", http.MethodDelete, "/v1/labels/{slug}", "labels", "Delete a label",
		"While cases that you may read carry it, the answer is 409. Others keep it.", http.StatusNotFound, http.StatusConflict),
		func(ctx context.Context, in *InLabel) (*noContent, error) {
			return &noContent{}, a.service.DeleteLabel(ctx, principalOf(ctx), in.Slug)
		})
	handle(a, operation("add-label", http.MethodPut, "/v1/cases/{id}/labels/{slug}", "labels", "Add a label to a case",
		"A label that the case has already changes nothing.", http.StatusNotFound),
		func(ctx context.Context, in *InCaseLabel) (*shownCase, error) {
			return a.mark(ctx, in, a.service.AddLabel)
		})
	handle(a, operation("remove-label", http.MethodDelete, "/v1/cases/{id}/labels/{slug}", "labels", "Remove a label from a case",
		"A label that the case has not changes nothing.", http.StatusNotFound),
		func(ctx context.Context, in *InCaseLabel) (*shownCase, error) {
			return a.mark(ctx, in, a.service.RemoveLabel)
		})
}

type shownLabel struct{ Body Label }

func (a *API) createLabel(ctx context.Context, in *Idempotent, body NewLabel) (*created[Label], error) {
	return create[Label](ctx, "create-label", *in, func(l cases.Label) (store.Answer, error) {
		return answer(http.StatusCreated, showLabel(l), "Location", "/v1/labels/"+l.Slug)
	}, func(o casework.Once) (cases.Label, error) {
		return a.service.CreateLabel(ctx, principalOf(ctx), cases.Label{Slug: body.Slug, Name: body.Name, Color: body.Color}, o)
	})
}

func showLabel(l cases.Label) Label {
	return Label{Slug: l.Slug, Name: l.Name, Color: orNull(l.Color), CreatedAt: Time(l.CreatedAt)}
}
