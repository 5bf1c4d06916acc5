package people

import (
	"context"

	"github.com/casehook/casehook/internal/access"
	"github.com/casehook/casehook/internal/people"
)

// Sessions signs users in and out for pages. Their requests are in the contexts.
type Sessions struct {
	handler sessionHandler

	Provider bool // users may sign in with OpenID Connect, below /v1/oidc/login
	operator []byte
}

// Operator returns the operator who has a credential.
func (s Sessions) Operator(credential, address string) (access.Principal, error) {
	return people.Operator(address), checkOperator(s.operator, credential)
}

// SignIn starts a user's session.
func (s Sessions) SignIn(ctx context.Context, in SignIn) error {
	_, err := s.handler.signIn(ctx, nil, in)
	return err
}

// SignOut ends the caller's session.
func (s Sessions) SignOut(ctx context.Context) error {
	_, err := s.handler.signOut(ctx, nil)
	return err
}

// ChangePassword changes the caller's password.
func (s Sessions) ChangePassword(ctx context.Context, in NewPassword) error {
	_, err := s.handler.changePassword(ctx, nil, in)
	return err
}

// SignedIn reports whether the request is of a session that somebody has begun.
func (s Sessions) SignedIn(ctx context.Context) bool {
	_, ok := s.handler.sessions.User(ctx)
	return ok
}

// Start starts the session of a user who has been made just now.
func (s Sessions) Start(ctx context.Context, u access.User) error {
	_, err := s.handler.start(ctx, u)
	return err
}
