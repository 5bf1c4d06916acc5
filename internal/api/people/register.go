// Package people shows people and programs in the REST API: users and tokens, the
// sessions of users, tenants, and the audit. Its [Authenticator] finds out who a
// request comes from.
package people

import (
	"log/slog"

	"github.com/casehook/casehook/internal/api/rest"
	"github.com/casehook/casehook/internal/authz"
	"github.com/casehook/casehook/internal/casework"
	"github.com/casehook/casehook/internal/oidc"
	"github.com/casehook/casehook/internal/session"
)

// Config is what the operations need besides the use cases.
type Config struct {
	Guard     *authz.Guard
	Log       *slog.Logger
	Operator  []byte           // the key of operators' credentials; when empty, nobody is one
	Sessions  *session.Manager // of the people who sign in
	OIDC      *oidc.Provider   // by which people may sign in; nil: by password alone
	PublicURL string           // whose pages may send requests with a session, besides the address that they go to
}

// Register registers the operations on people and programs with a kernel.
func Register(k *rest.Kernel, s *casework.Service, c Config) {
	sessions := sessionHandler{kernel: k, service: s, sessions: c.Sessions}
	sessions.register()
	newOIDCHandler(sessions, c).register()
	userHandler{k, s}.register()
	tokenHandler{k, s}.register()
	tenantHandler{k, s}.register()
	auditHandler{kernel: k, guard: c.Guard, ids: k.SealedIDs("aud_")}.register()
}
