package cases

import (
	"context"
	"net/http"
	"strings"

	"github.com/casehook/casehook/internal/access"
	"github.com/casehook/casehook/internal/authz"
	"github.com/casehook/casehook/internal/cases"
	"github.com/casehook/casehook/internal/casework"
	"github.com/casehook/casehook/internal/web/ui"
)

// labelsPage lists the labels, with the form of a new one.
type labelsPage struct {
	Labels []cases.Label
	New    cases.Label
	Faults []ui.Fault
	Edits  bool // the reader may change them
}

func (h handler) labels(ctx context.Context, r *ui.Request) (ui.View, error) {
	return h.labelsView(ctx, r, labelsPage{})
}

func (h handler) labelsView(ctx context.Context, r *ui.Request, page labelsPage) (ui.View, error) {
	var err error
	if page.Labels, err = h.services.Labels.Labels(ctx, r.Principal); err != nil {
		return ui.View{}, err
	}
	page.Edits = r.Principal.Role.Permits(access.EditLabel)
	view := ui.View{Title: "Labels", Section: "/labels", Body: labelsTemplate(page), Call: "GET /v1/labels"}
	if len(page.Faults) > 0 {
		view.Status = http.StatusUnprocessableEntity
	}
	return view, nil
}

func (h handler) createLabel(ctx context.Context, r *ui.Request) (ui.View, error) {
	l := cases.Label{
		Slug: strings.TrimSpace(r.Form("slug")), Name: strings.TrimSpace(r.Form("name")), Color: r.Form("color"),
	}
	_, err := h.services.Labels.CreateLabel(ctx, r.Principal, l, authz.Once{})
	return h.labelDone(ctx, r, labelsPage{New: l}, err)
}

func (h handler) editLabel(ctx context.Context, r *ui.Request) (ui.View, error) {
	name, color := strings.TrimSpace(r.Form("name")), r.Form("color")
	_, err := h.services.Labels.ChangeLabel(ctx, r.Principal, r.Path("slug"),
		casework.LabelChange{Name: &name, Color: &color})
	return h.labelDone(ctx, r, labelsPage{}, err)
}

// deleteLabel deletes a label that no case has, so that making it again takes that back.
func (h handler) deleteLabel(ctx context.Context, r *ui.Request) (ui.View, error) {
	l, err := h.services.Labels.Label(ctx, r.Principal, r.Path("slug"))
	if err != nil {
		return ui.View{}, err
	}
	if err := h.services.Labels.DeleteLabel(ctx, r.Principal, l.Slug); err != nil {
		return h.labelDone(ctx, r, labelsPage{}, err)
	}
	return r.RedirectUndo("/labels", ui.Undo{
		Note: "The label " + l.Name + " is deleted.", Path: "/labels",
		Form: map[string]string{"slug": l.Slug, "name": l.Name, "color": l.Color},
	})
}

// labelDone shows the labels after a change, or why nothing was changed.
func (h handler) labelDone(ctx context.Context, r *ui.Request, page labelsPage, err error) (ui.View, error) {
	if err == nil {
		return ui.Redirect("/labels"), nil
	}
	page.Faults, err = ui.FaultsOf(err, func(path string) (id, title string) {
		id = strings.TrimPrefix(path, "/")
		return "label-" + id, id
	})
	if err != nil {
		return ui.View{}, err
	}
	return h.labelsView(ctx, r, page)
}
