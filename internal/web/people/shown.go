package people

import (
	"context"
	"strconv"

	"github.com/casehook/casehook/internal/access"
	apipeople "github.com/casehook/casehook/internal/api/people"
	"github.com/casehook/casehook/internal/web/ui"
)

// signsInWith says how a user signs in.
func signsInWith(u access.User) string {
	switch {
	case u.Password != "" && u.Issuer != "":
		return "password, " + u.Issuer
	case u.Issuer != "":
		return u.Issuer
	case u.Password != "":
		return "password"
	}
	return "nothing yet"
}

func userTitle(f userForm) string {
	if f.ID == 0 {
		return "New account"
	}
	return f.Name
}

func userPath(f userForm) string {
	if f.ID == 0 {
		return "/people/new"
	}
	return "/people/" + strconv.FormatInt(f.ID, 10)
}

func saveTitle(f userForm) string {
	if f.ID == 0 {
		return "Make the account"
	}
	return "Save"
}

func passwordHint(f userForm) string {
	switch {
	case f.ID == 0:
		return "12 characters or more. Empty: they sign in with OpenID Connect alone."
	case f.HasPassword:
		return "Empty: it stays as it is."
	}
	return "They have none. 12 characters or more."
}

func otherSessions(n int) string {
	if n == 1 {
		return "your other session"
	}
	return "your " + strconv.Itoa(n) + " other sessions"
}

// changePassword changes the reader's own password.
func (h handler) changePassword(ctx context.Context, r *ui.Request) (ui.View, error) {
	err := h.sessions.ChangePassword(ctx, apipeople.NewPassword{
		Old: r.Form("old_password"), New: r.Form("new_password"),
	})
	if err == nil {
		return ui.Redirect("/profile?saved=1"), nil
	}
	page := profilePage{Principal: r.Principal}
	if page.Faults, err = ui.FaultsOf(err, userField); err != nil {
		return ui.View{}, err
	}
	return h.profileView(ctx, page)
}
