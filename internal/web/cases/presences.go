package cases

import (
	"context"

	"github.com/casehook/casehook/internal/web/ui"
)

// presence reports that the reader is at a case, for its script, and shows who else is.
func (h handler) presence(ctx context.Context, r *ui.Request) (ui.View, error) {
	id, err := h.caseID(r)
	if err != nil {
		return ui.View{}, err
	}
	all, err := h.services.Presences.SetPresence(ctx, r.Principal, id, r.Form("editing") != "")
	if err != nil {
		return ui.View{}, err
	}
	return ui.View{Body: presencesTemplate(all), Part: true}, nil
}

func (h handler) endPresence(ctx context.Context, r *ui.Request) (ui.View, error) {
	id, err := h.caseID(r)
	if err != nil {
		return ui.View{}, err
	}
	return ui.Redirect(casePath(id)), h.services.Presences.DeletePresence(ctx, r.Principal, id)
}
