// Package people has the console's pages about users and programs: to sign in, to set up, one's own profile, users,
// tokens, and the audit.
package people

import (
	"github.com/casehook/casehook/internal/access"
	apipeople "github.com/casehook/casehook/internal/api/people"
	"github.com/casehook/casehook/internal/authz"
	"github.com/casehook/casehook/internal/people"
	"github.com/casehook/casehook/internal/web/ui"
)

type handler struct {
	services people.Services
	sessions apipeople.Sessions
	guard    *authz.Guard
	settings []Setting
}

// Config is what the pages need beside the use cases.
type Config struct {
	Guard    *authz.Guard
	Settings []Setting // of the server
}

// Register registers the pages.
func Register(s *ui.Site, services people.Services, sessions apipeople.Sessions, c Config) {
	h := handler{services, sessions, c.Guard, c.Settings}
	s.Open("GET /sign-in", h.showSignIn)
	s.Open("POST /sign-in", h.signIn)
	s.Open("GET /setup", h.showSetUp)
	s.Open("POST /setup", h.setUp)
	s.Open("GET /portal", h.showPortal)
	s.Open("POST /portal", h.openPortal)
	s.Open("GET /operator", h.showOperator)
	s.Open("POST /operator", h.operate)
	s.Page("POST /sign-out", access.DeleteSession, h.signOut)
	s.Page("GET /profile", access.GetSession, h.profile)
	s.Page("POST /profile/password", access.ChangePassword, h.changePassword)
	s.Page("POST /profile/sessions", access.EndSession, h.endSession)
	s.Page("POST /profile/sessions/others", access.EndOtherSessions, h.endOtherSessions)
	s.Page("POST /profile/tokens", access.CreateOwnToken, h.createOwnToken)
	s.Page("POST /profile/tokens/delete", access.DeleteOwnToken, h.deleteOwnToken)
	s.Page("GET /people", access.ListUsers, h.listUsers)
	s.Page("GET /people/new", access.CreateUser, h.newUser)
	s.Page("POST /people/new", access.CreateUser, h.createUser)
	s.Page("GET /people/{id}", access.GetUser, h.showUser)
	s.Page("POST /people/{id}", access.UpdateUser, h.updateUser)
	s.Page("GET /tokens", access.ListTokens, h.listTokens)
	s.Page("POST /tokens", access.CreateToken, h.createToken)
	s.Page("POST /tokens/delete", access.DeleteToken, h.deleteToken)
	s.Page("GET /settings", access.ListAudit, h.showSettings)
	s.Page("GET /audit", access.ListAudit, h.audit)
}
