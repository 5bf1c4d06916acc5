// Package people has the operations of the REST API on users and their sessions, tokens,
// tenants, and the audit. Its [Authenticator] authenticates requests.
package people

import (
	"github.com/casehook/casehook/internal/people"

	"log/slog"

	"github.com/casehook/casehook/internal/api/rest"
	"github.com/casehook/casehook/internal/authz"
	"github.com/casehook/casehook/internal/oidc"
	"github.com/casehook/casehook/internal/session"
)

// Config has the settings and collaborators of the operations, besides the use cases.
type Config struct {
	Guard     *authz.Guard
	Log       *slog.Logger
	Operator  []byte // the key of operators' credentials; empty: there are no operators
	Sessions  *session.Manager
	OIDC      *oidc.Provider // nil: people sign in with passwords alone
	PublicURL string         // its pages may send requests with a session, as may pages of the server's own address
}

// Register registers the operations on people and programs with a kernel. It returns the sessions, for pages.
func Register(k *rest.Kernel, s people.Services, c Config) Sessions {
	sessions := sessionHandler{kernel: k, service: s, sessions: c.Sessions}
	sessions.register()
	newOIDCHandler(sessions, c).register()
	userHandler{k, s}.register()
	tokenHandler{k, s}.register()
	ownTokenHandler{k, s.Tokens}.register()
	openSessionHandler{k, s.Users}.register()
	tenantHandler{k, s}.register()
	viewHandler{k, s}.register()
	portalHandler{k, s.Portal}.register()
	auditHandler{kernel: k, guard: c.Guard, ids: k.SealedIDs("aud_")}.register()
	return Sessions{handler: sessions, Provider: c.OIDC != nil, operator: c.Operator}
}
