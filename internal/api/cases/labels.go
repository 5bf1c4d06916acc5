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

// Label is a label for cases of all types.
type Label struct {
	Slug      string    `json:"slug" doc:"The name of the label in cases; it never changes." example:"fast_track"`
	Name      string    `json:"name" doc:"For people." example:"Fast track"`
	Color     *string   `json:"color" doc:"Its colour." example:"teal"`
	CreatedAt rest.Time `json:"created_at" doc:"When it was created."`
}

// NewLabel is the body that creates a label.
type NewLabel struct {
	Slug  string `json:"slug" minLength:"1" maxLength:"64" pattern:"^[a-z0-9]([a-z0-9_-]*[a-z0-9])?$" doc:"The name of the label in cases." example:"fast_track"`
	Name  string `json:"name,omitempty" maxLength:"200" doc:"For people; absent: the slug." example:"Fast track"`
	Color string `json:"color,omitempty" maxLength:"32" doc:"#rrggbb, or a name in lower case." example:"teal"`
}

// LabelEdit is the body that changes a label.
type LabelEdit struct {
	Name  rest.Optional `json:"name,omitzero" doc:"For people; null: the slug."`
	Color rest.Optional `json:"color,omitzero" doc:"Its colour; null: none of its own." example:"teal"`
}

// InLabel is embedded in the parameters of operations on one label.
type InLabel struct {
	Slug string `path:"slug" maxLength:"100" doc:"The slug of the label." example:"fast_track"`
}

// InCaseLabel names a label on a case.
type InCaseLabel struct {
	rest.InCase
	InLabel
	InWarned
}

// labelHandler has the operations on labels.
type labelHandler struct {
	kernel  *rest.Kernel
	service casework.Services
}

func (h labelHandler) register() {
	rest.HandleBody(h.kernel, rest.Operation{
		ID:          access.CreateLabel,
		Pattern:     "POST /v1/labels",
		Tag:         "labels",
		Summary:     "Create a label",
		Description: "Cases of all types can have it.",
		Problems:    []int{http.StatusConflict},
		Success:     http.StatusCreated,
	}, h.createLabel)
	rest.Handle(h.kernel, rest.Operation{
		ID: access.ListLabels, Pattern: "GET /v1/labels", Tag: "labels",
		Summary:     "List the labels",
		Description: "By slug.",
	}, func(ctx context.Context, in *rest.InList) (*rest.PageAnswer[Label], error) {
		all, err := h.service.Labels.Labels(ctx, rest.PrincipalOf(ctx))
		if err != nil {
			return nil, err
		}
		return rest.PageBehind(rest.NewPager(h.kernel, "labels", showLabel,
			func(l cases.Label) string { return l.Slug }), in.Cursor, all)
	})
	rest.Handle(h.kernel, rest.Operation{
		ID: access.GetLabel, Pattern: "GET /v1/labels/{slug}", Tag: "labels",
		Summary:     "Get a label",
		Description: "By its slug.",
		Problems:    []int{http.StatusNotFound},
	}, func(ctx context.Context, in *InLabel) (*shownLabel, error) {
		l, err := h.service.Labels.Label(ctx, rest.PrincipalOf(ctx), in.Slug)
		return &shownLabel{showLabel(l)}, err
	})
	rest.HandleBody(h.kernel, rest.Operation{
		ID: access.EditLabel, Pattern: "PATCH /v1/labels/{slug}", Tag: "labels",
		Summary:     "Change a label",
		Description: "Its name and its colour. Its slug never changes.",
		Problems:    []int{http.StatusNotFound},
	}, func(ctx context.Context, in *InLabel, body LabelEdit) (*shownLabel, error) {
		l, err := h.service.Labels.ChangeLabel(ctx, rest.PrincipalOf(ctx), in.Slug,
			casework.LabelChange{Name: body.Name.Pointer(), Color: body.Color.Pointer()})
		return &shownLabel{showLabel(l)}, err
	})
	rest.Handle(h.kernel, rest.Operation{
		ID: access.DeleteLabel, Pattern: "DELETE /v1/labels/{slug}", Tag: "labels",
		Summary:     "Delete a label",
		Description: "While cases that you may read have it, the answer is 409. Cases that you may not read keep it.",
		Problems:    []int{http.StatusNotFound, http.StatusConflict},
	}, func(ctx context.Context, in *InLabel) (*rest.NoContent, error) {
		return &rest.NoContent{}, h.service.Labels.DeleteLabel(ctx, rest.PrincipalOf(ctx), in.Slug)
	})
	h.registerOnCases()
}

// registerOnCases registers the operations on the labels of a case.
func (h labelHandler) registerOnCases() {
	rest.Handle(h.kernel, rest.Operation{
		ID: access.AddLabel, Pattern: "PUT /v1/cases/{id}/labels/{slug}", Tag: "labels",
		Summary:     "Add a label to a case",
		Description: "If the case has the label already, nothing changes. The case type may ask a callback first.",
		Problems:    mayAsk,
	}, func(ctx context.Context, in *InCaseLabel) (*shownCase, error) {
		return in.change(ctx, h.service.Labels.AddLabel)
	})
	rest.Handle(h.kernel, rest.Operation{
		ID: access.RemoveLabel, Pattern: "DELETE /v1/cases/{id}/labels/{slug}", Tag: "labels",
		Summary:     "Remove a label from a case",
		Description: "If the case does not have the label, nothing changes. The case type may ask a callback first.",
		Problems:    mayAsk,
	}, func(ctx context.Context, in *InCaseLabel) (*shownCase, error) {
		return in.change(ctx, h.service.Labels.RemoveLabel)
	})
}

// change adds or removes a label.
func (in *InCaseLabel) change(ctx context.Context,
	do func(context.Context, access.Principal, casework.CaseLabel) (casework.View, error)) (*shownCase, error) {
	id, err := in.CaseID()
	if err != nil {
		return nil, err
	}
	return shown(do(ctx, rest.PrincipalOf(ctx),
		casework.CaseLabel{CaseID: id, Slug: in.Slug, IgnoreWarning: in.IgnoreWarning}))
}

type shownLabel struct{ Body Label }

func (h labelHandler) createLabel(
	ctx context.Context, in *rest.IdempotencyHeader, body NewLabel,
) (*rest.PostAnswer[Label], error) {
	return rest.Create[Label](ctx, *in, func(l cases.Label) (store.Answer, error) {
		return rest.Answer(http.StatusCreated, showLabel(l), "Location", "/v1/labels/"+l.Slug)
	}, func(o authz.Once) (cases.Label, error) {
		return h.service.Labels.CreateLabel(ctx, rest.PrincipalOf(ctx),
			cases.Label{Slug: body.Slug, Name: body.Name, Color: body.Color}, o)
	})
}

func showLabel(l cases.Label) Label {
	return Label{Slug: l.Slug, Name: l.Name, Color: rest.OrNull(l.Color), CreatedAt: rest.Time(l.CreatedAt)}
}
