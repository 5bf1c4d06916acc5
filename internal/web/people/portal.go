package people

import (
	"context"
	"net/http"
	"strings"

	"github.com/casehook/casehook/internal/fault"
	"github.com/casehook/casehook/internal/web/ui"
)

func (h handler) showPortal(ctx context.Context, _ *ui.Request) (ui.View, error) {
	return h.portalView(portalForm{SignedIn: h.sessions.SignedIn(ctx)}), nil
}

func (h handler) portalView(f portalForm) ui.View {
	return ui.View{Title: "Portal", Body: portalPage(f), Bare: true}
}

// openPortal starts the session of somebody who has the secret of a portal link. They may have copied the whole link.
func (h handler) openPortal(ctx context.Context, r *ui.Request) (ui.View, error) {
	secret := strings.TrimSpace(r.Form("secret"))
	if _, behind, whole := strings.Cut(secret, "#secret="); whole {
		secret = behind
	}
	err := h.sessions.OpenPortal(ctx, secret)
	if err == nil {
		return ui.Redirect("/messages"), nil
	}
	e := fault.As(err)
	if e.Kind != fault.Unauthenticated {
		return ui.View{}, err
	}
	view := h.portalView(portalForm{SignedIn: h.sessions.SignedIn(ctx), Failed: e.Detail})
	view.Status = http.StatusUnauthorized
	return view, nil
}
