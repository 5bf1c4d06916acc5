package people

import (
	"context"

	"github.com/casehook/casehook/internal/web/ui"
)

func (h handler) createOwnToken(ctx context.Context, r *ui.Request) (ui.View, error) {
	f := newTokenForm(r.Principal, "/profile/tokens")
	bearer, err := f.create(ctx, r, h.services.Tokens.CreateOwnToken)
	if err != nil {
		return ui.View{}, err
	}
	return h.profileView(ctx, profilePage{Principal: r.Principal, Bearer: bearer, Token: f})
}

func (h handler) deleteOwnToken(ctx context.Context, r *ui.Request) (ui.View, error) {
	return ui.Redirect("/profile"), h.services.Tokens.DeleteOwnToken(ctx, r.Principal, r.Form("id"))
}
