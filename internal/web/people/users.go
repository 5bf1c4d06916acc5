package people

import (
	"context"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/casehook/casehook/internal/access"
	"github.com/casehook/casehook/internal/authz"
	"github.com/casehook/casehook/internal/casetype"
	"github.com/casehook/casehook/internal/fault"
	"github.com/casehook/casehook/internal/people"
	"github.com/casehook/casehook/internal/session"
	"github.com/casehook/casehook/internal/web/ui"
)

// usersPage lists the users.
type usersPage struct {
	Users []access.User
	Next  string
}

const usersPerPage = 100

func (h handler) listUsers(ctx context.Context, r *ui.Request) (ui.View, error) {
	var after int64
	if err := r.Position("console users", &after); err != nil {
		return ui.View{}, err
	}
	users, err := h.services.Users.Users(ctx, r.Principal, after, usersPerPage)
	if err != nil {
		return ui.View{}, err
	}
	page := usersPage{Users: users}
	if len(users) == usersPerPage {
		if page.Next, err = r.Cursor("console users", users[len(users)-1].ID); err != nil {
			return ui.View{}, err
		}
	}
	return ui.View{Title: "People", Section: "/people", Body: usersTemplate(page), Call: "GET /v1/users"}, nil
}

// userForm is the form of a user.
type userForm struct {
	ID                           int64 // 0: a new one
	Name, Email, Role, Clearance string
	Further                      string // roles, separated by blanks or commas
	Disabled                     bool
	HasPassword                  bool
	Faults                       []ui.Fault
	Saved                        bool
}

func (h handler) newUser(context.Context, *ui.Request) (ui.View, error) {
	return userView(userForm{Role: string(access.Caseworker), Clearance: string(casetype.Private)}), nil
}

func userView(f userForm) ui.View {
	view := ui.View{Title: "New account", Section: "/people", Body: userTemplate(f), Call: "POST /v1/users"}
	if f.ID != 0 {
		view.Title, view.Call = f.Name, "PATCH /v1/users/"+strconv.FormatInt(f.ID, 10)
	}
	if len(f.Faults) > 0 {
		view.Status = http.StatusUnprocessableEntity
	}
	return view
}

func (h handler) showUser(ctx context.Context, r *ui.Request) (ui.View, error) {
	u, err := h.user(ctx, r)
	if err != nil {
		return ui.View{}, err
	}
	return userView(userForm{
		ID: u.ID, Name: u.Name, Email: u.Email, Role: string(u.Role), Clearance: string(u.Clearance),
		Further:  strings.Join(u.Further.Names(), ", "),
		Disabled: u.Disabled, HasPassword: u.Password != "", Saved: r.Query("saved") != "",
	}), nil
}

func (h handler) user(ctx context.Context, r *ui.Request) (access.User, error) {
	id, err := strconv.ParseInt(r.Path("id"), 10, 64)
	if err != nil {
		return access.User{}, fault.New(fault.NotFound, "user.not_found", "There is no user %q.", r.Path("id"))
	}
	return h.services.Users.User(ctx, r.Principal, id)
}

// read reads the form of a user. An empty password changes nothing.
func (f userForm) read(password string) people.UserChange {
	role, clearance := access.Role(f.Role), casetype.Classification(f.Clearance)
	further := words(f.Further)
	change := people.UserChange{
		Email: &f.Email, Name: &f.Name, Role: &role, Further: &further, Clearance: &clearance, Disabled: &f.Disabled,
	}
	if password != "" {
		change.Password = &password
	}
	return change
}

// words splits a text at blanks and commas.
func words(text string) []string { return strings.Fields(strings.ReplaceAll(text, ",", " ")) }

func sentUser(r *ui.Request) userForm {
	return userForm{
		Name: strings.TrimSpace(r.Form("name")), Email: strings.TrimSpace(r.Form("email")), Role: r.Form("role"),
		Further: r.Form("further_roles"), Clearance: r.Form("clearance"), Disabled: r.Form("disabled") != "",
	}
}

func (h handler) createUser(ctx context.Context, r *ui.Request) (ui.View, error) {
	f := sentUser(r)
	if _, err := h.services.Users.CreateUser(ctx, r.Principal, f.read(r.Form("password")), authz.Once{}); err != nil {
		if f.Faults, err = ui.FaultsOf(err, userField); err != nil {
			return ui.View{}, err
		}
		return userView(f), nil
	}
	return ui.Redirect("/people"), nil
}

func (h handler) updateUser(ctx context.Context, r *ui.Request) (ui.View, error) {
	u, err := h.user(ctx, r)
	if err != nil {
		return ui.View{}, err
	}
	f := sentUser(r)
	f.ID, f.HasPassword = u.ID, u.Password != ""
	if _, err := h.services.Users.UpdateUser(ctx, r.Principal, u.ID, f.read(r.Form("password"))); err != nil {
		if f.Faults, err = ui.FaultsOf(err, userField); err != nil {
			return ui.View{}, err
		}
		return userView(f), nil
	}
	return ui.Redirect("/people/" + strconv.FormatInt(u.ID, 10) + "?saved=1"), nil
}

// profilePage is the page of the reader's own account.
type profilePage struct {
	Principal access.Principal
	Sessions  []session.Open
	Tokens    []access.Token
	Token     tokenForm
	Bearer    string // of the token that was just made; empty: none was
	Now       time.Time
	Faults    []ui.Fault
	Saved     bool
}

// others counts the sessions that are not the reader's own.
func (p profilePage) others() (n int) {
	for _, s := range p.Sessions {
		if s.Key != p.Principal.Credential.Session {
			n++
		}
	}
	return n
}

func (h handler) profileView(ctx context.Context, page profilePage) (ui.View, error) {
	if page.Principal.Role.Permits(access.ListSessions) {
		var err error
		if page.Sessions, err = h.services.Users.Sessions(ctx, page.Principal); err != nil {
			return ui.View{}, err
		}
	}
	if page.Principal.Role.Permits(access.ListOwnTokens) {
		var err error
		if page.Tokens, err = h.services.Tokens.OwnTokens(ctx, page.Principal); err != nil {
			return ui.View{}, err
		}
	}
	if page.Token.Action == "" {
		page.Token = newTokenForm(page.Principal, "/profile/tokens")
	}
	page.Now = time.Now()
	view := ui.View{Title: "Your account", Section: "/profile", Body: profileTemplate(page), Call: "GET /v1/session"}
	if len(page.Faults)+len(page.Token.Faults) > 0 {
		view.Status = http.StatusUnprocessableEntity
	}
	return view, nil
}

func (h handler) profile(ctx context.Context, r *ui.Request) (ui.View, error) {
	return h.profileView(ctx, profilePage{Principal: r.Principal, Saved: r.Query("saved") != ""})
}

func (h handler) endSession(ctx context.Context, r *ui.Request) (ui.View, error) {
	return ui.Redirect("/profile"), h.services.Users.EndSession(ctx, r.Principal, r.Form("id"))
}

func (h handler) endOtherSessions(ctx context.Context, r *ui.Request) (ui.View, error) {
	return ui.Redirect("/profile"), h.services.Users.EndOtherSessions(ctx, r.Principal)
}
