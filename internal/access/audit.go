package access

import (
	"encoding/json"
	"time"

	"github.com/casehook/casehook/internal/casetype"
	"github.com/casehook/casehook/internal/event"
)

// Record is one line of the audit: the actor, the action, its object, the time and the address.
type Record struct {
	ID      int64
	Tenant  int64
	At      time.Time
	Action  Action
	Subject string // "user/7", "token/tok_...", or empty
	Actor   event.Actor
	By      Owner           // the actor; set by the store
	Detail  json.RawMessage // a JSON object; never a secret

	Classification casetype.Classification // of the subject; readers below it do not see the record; empty: PUBLIC
}

// Action names an operation that the audit records.
type Action string

// The actions.
const (
	SignedIn              Action = "session.created"
	SignInFailed          Action = "session.refused"
	SignedOut             Action = "session.ended"
	Denied                Action = "access.denied"
	UserCreated           Action = "user.created"
	UserUpdated           Action = "user.updated"
	TokenCreated          Action = "token.created"
	TokenRevoked          Action = "token.revoked"
	EndpointCreated       Action = "endpoint.created"
	EndpointSecretAdded   Action = "endpoint.secret_added"
	EndpointSecretRemoved Action = "endpoint.secret_removed"
	EndpointSkipped       Action = "endpoint.skipped" // it went on at the head of the journal
	EndpointUpdated       Action = "endpoint.updated"
	EndpointDeleted       Action = "endpoint.deleted"
	EndpointExpired       Action = "endpoint.expired"
	TargetsSet            Action = "trigger.targets_set"
	CaseTypePut           Action = "case_type.put"
	CasesMigrated         Action = "case_type.cases_migrated"
	CaseTypeRetired       Action = "case_type.retired"
	CaseTypeRestored      Action = "case_type.restored"
	CaseRolesSet          Action = "case.roles_set"
	SecretRotated         Action = "callback.secret_rotated"
	CallbackSecretRemoved Action = "callback.secret_removed"

	CallbackCredentialsSet     Action = "callback.credentials_set"
	CallbackCredentialsRemoved Action = "callback.credentials_removed"

	PortalLinkCreated Action = "portal_link.created"
	PortalLinkRevoked Action = "portal_link.revoked"
	TenantCreated     Action = "tenant.created"
	TenantUpdated     Action = "tenant.updated"

	ReplayStarted   Action = "replay.started"
	ReplayCancelled Action = "replay.cancelled"
	MessagesHurried Action = "messages.retried"
	MessagesDropped Action = "messages.dropped"
	EndpointTested  Action = "endpoint.tested"
)

// Refused reports whether the action was tried and not done.
func (a Action) Refused() bool { return a == SignInFailed || a == Denied }
