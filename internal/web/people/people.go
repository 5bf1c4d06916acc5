// Package people has the console's pages about users and programs: to sign in, to set up, one's own profile, users,
// tokens, and the audit.
package people

import (
	"github.com/casehook/casehook/internal/access"
	apipeople "github.com/casehook/casehook/internal/api/people"
	"github.com/casehook/casehook/internal/people"
	"github.com/casehook/casehook/internal/web/ui"
)

type handler struct {
	services people.Services
	sessions apipeople.Sessions
}

// Register registers the pages.
func Register(s *ui.Site, services people.Services, sessions apipeople.Sessions) {
	h := handler{services, sessions}
	s.Open("GET /sign-in", h.showSignIn)
	s.Open("POST /sign-in", h.signIn)
	s.Open("GET /setup", h.showSetUp)
	s.Open("POST /setup", h.setUp)
	s.Page("POST /sign-out", access.DeleteSession, h.signOut)
}
