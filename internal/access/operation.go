package access

import (
	"maps"
	"slices"
)

// Operation is an operation that needs permission, named as the API names it.
type Operation string

// The operations of a tenant, named as the API names them.
const (
	GetSession     Operation = "get-session"
	DeleteSession  Operation = "delete-session"
	ChangePassword Operation = "change-password"

	ListSessions     Operation = "list-sessions"
	EndSession       Operation = "end-session"
	EndOtherSessions Operation = "end-other-sessions"

	ListOwnTokens  Operation = "list-own-tokens"
	CreateOwnToken Operation = "create-own-token"
	DeleteOwnToken Operation = "delete-own-token"

	ListCases          Operation = "list-cases"
	CountCases         Operation = "count-cases"
	GetCase            Operation = "get-case"
	SetPresence        Operation = "set-presence"
	ListPresences      Operation = "list-presences"
	DeletePresence     Operation = "delete-presence"
	GetClaim           Operation = "get-claim"
	GetHistory         Operation = "get-history"
	ListComments       Operation = "list-comments"
	ListDocuments      Operation = "list-documents"
	DownloadDocument   Operation = "download-document"
	ListProofs         Operation = "list-proofs"
	DownloadProof      Operation = "download-proof"
	ListCaseTypes      Operation = "list-case-types"
	GetCaseType        Operation = "get-case-type"
	GetCaseTypeOpenAPI Operation = "get-case-type-openapi"
	ListLabels         Operation = "list-labels"
	GetLabel           Operation = "get-label"
	ListContacts       Operation = "list-contacts"
	GetContact         Operation = "get-contact"
	GetContactHistory  Operation = "get-contact-history"
	ListCaseContacts   Operation = "list-case-contacts"
	ListContactCases   Operation = "list-contact-cases"

	CreateCase       Operation = "create-case"
	SubmitTransition Operation = "submit-transition"
	StartTransition  Operation = "start-transition"
	ListCaseRoles    Operation = "list-case-roles"
	SetCaseRoles     Operation = "set-case-roles"
	CheckPage        Operation = "check-page"
	EditCase         Operation = "edit-case"
	DeleteCase       Operation = "delete-case"
	AddComment       Operation = "add-comment"
	GenerateDocument Operation = "generate-document"
	DeleteDocument   Operation = "delete-document"
	DeleteDocuments  Operation = "delete-documents"
	UploadProof      Operation = "upload-proof"
	DeleteProof      Operation = "delete-proof"
	AddLabel         Operation = "add-label"
	RemoveLabel      Operation = "remove-label"
	AssignCase       Operation = "assign-case"
	UnassignCase     Operation = "unassign-case"
	ListColleagues   Operation = "list-colleagues"
	SwitchType       Operation = "switch-type"
	DryRunTransition Operation = "dry-run-transition"
	RunBacktest      Operation = "run-backtest"
	CreateJob        Operation = "create-job"
	ListJobs         Operation = "list-jobs"
	GetJob           Operation = "get-job"
	ListJobCases     Operation = "list-job-cases"
	CancelJob        Operation = "cancel-job"
	CreateContact    Operation = "create-contact"
	UpdateContact    Operation = "update-contact"
	DeleteContact    Operation = "delete-contact"
	LinkContact      Operation = "link-contact"
	UnlinkContact    Operation = "unlink-contact"

	CreateLabel          Operation = "create-label"
	EditLabel            Operation = "edit-label"
	DeleteLabel          Operation = "delete-label"
	PutCaseType          Operation = "put-case-type"
	RetireCaseType       Operation = "retire-case-type"
	RestoreCaseType      Operation = "restore-case-type"
	ListCallbackSecrets  Operation = "list-callback-secrets"
	RotateCallbackSecret Operation = "rotate-callback-secret"
	DeleteCallbackSecret Operation = "delete-callback-secret"

	GetCallbackCredentials    Operation = "get-callback-credentials"
	SetCallbackCredentials    Operation = "set-callback-credentials"
	DeleteCallbackCredentials Operation = "delete-callback-credentials"

	ListQuestions         Operation = "list-questions"
	GetQuestion           Operation = "get-question"
	ListShadowDifferences Operation = "list-shadow-differences"
	ClaimQuestion         Operation = "claim-question"
	AnswerQuestion        Operation = "answer-question"
	CreateEndpoint        Operation = "create-endpoint"
	ListEndpoints         Operation = "list-endpoints"
	GetEndpoint           Operation = "get-endpoint"
	UpdateEndpoint        Operation = "update-endpoint"
	DeleteEndpoint        Operation = "delete-endpoint"
	ListAttempts          Operation = "list-attempts"
	FindAttempts          Operation = "find-attempts"
	GetAttempt            Operation = "get-attempt"
	CountAttempts         Operation = "count-attempts"
	ListProblems          Operation = "list-problems"
	GetDeliveryMetrics    Operation = "get-delivery-metrics"
	ListCaseDeliveries    Operation = "list-case-deliveries"
	ListContactDeliveries Operation = "list-contact-deliveries"
	GetLag                Operation = "get-lag"
	GetBacklog            Operation = "get-backlog"
	GetEndpointHealth     Operation = "get-endpoint-health"
	ListEndpointSecrets   Operation = "list-endpoint-secrets"
	RotateEndpointSecret  Operation = "rotate-endpoint-secret"
	DeleteEndpointSecret  Operation = "delete-endpoint-secret"
	PreviewFilter         Operation = "preview-filter"
	PollJournal           Operation = "poll-journal"
	StreamJournal         Operation = "stream-journal"
	CreateReplay          Operation = "create-replay"
	ListReplays           Operation = "list-replays"
	GetReplay             Operation = "get-replay"
	CancelReplay          Operation = "cancel-replay"
	ResendMessage         Operation = "resend-message"
	ListDead              Operation = "list-dead"
	RetryDead             Operation = "retry-dead"
	DropDead              Operation = "drop-dead"
	ListParked            Operation = "list-parked"
	RetryParked           Operation = "retry-parked"
	DropParked            Operation = "drop-parked"
	TestEndpoint          Operation = "test-endpoint"
	ListTriggers          Operation = "list-triggers"
	GetTargets            Operation = "get-targets"
	SetTargets            Operation = "set-targets"

	MigrateCases Operation = "migrate-cases"
	CreateToken  Operation = "create-token"
	ListTokens   Operation = "list-tokens"
	DeleteToken  Operation = "delete-token"
	CreateUser   Operation = "create-user"
	ListUsers    Operation = "list-users"
	GetUser      Operation = "get-user"
	UpdateUser   Operation = "update-user"
	ListAudit    Operation = "list-audit"
	ExportAudit  Operation = "export-audit"

	ListViews  Operation = "list-views"
	CreateView Operation = "create-view"
	DeleteView Operation = "delete-view"

	CreatePortalLink Operation = "create-portal-link"
	ListPortalLinks  Operation = "list-portal-links"
	DeletePortalLink Operation = "delete-portal-link"
)

// The operations outside of tenants, which have no least role: those before sign-in, the operator's, and the
// server's own.
const (
	BeginOIDC           Operation = "begin-oidc"
	FinishOIDC          Operation = "finish-oidc"
	CreateSession       Operation = "create-session"
	CreateTenant        Operation = "create-tenant"
	ListTenants         Operation = "list-tenants"
	UpdateTenant        Operation = "update-tenant"
	CreateAdministrator Operation = "create-administrator"
	GetHealth           Operation = "health"
	GetReadiness        Operation = "ready"
)

// least has the lowest role that may carry out each operation. An operation that is not
// listed is for administrators alone.
var least = map[Operation]Role{
	ListViews:  Viewer,
	CreateView: Viewer,
	DeleteView: Viewer,

	GetSession:     Viewer,
	DeleteSession:  Viewer,
	ChangePassword: Viewer,

	ListSessions:     Viewer,
	EndSession:       Viewer,
	EndOtherSessions: Viewer,

	ListOwnTokens:  Viewer,
	CreateOwnToken: Viewer,
	DeleteOwnToken: Viewer,

	ListCases:          Viewer,
	CountCases:         Viewer,
	GetCase:            Viewer,
	SetPresence:        Viewer,
	ListPresences:      Viewer,
	DeletePresence:     Viewer,
	GetClaim:           Viewer,
	GetHistory:         Viewer,
	ListComments:       Viewer,
	ListDocuments:      Viewer,
	DownloadDocument:   Viewer,
	ListProofs:         Viewer,
	DownloadProof:      Viewer,
	ListCaseTypes:      Viewer,
	GetCaseType:        Viewer,
	GetCaseTypeOpenAPI: Viewer,
	ListLabels:         Viewer,
	GetLabel:           Viewer,
	ListContacts:       Viewer,
	GetContact:         Viewer,
	GetContactHistory:  Viewer,
	ListCaseContacts:   Viewer,
	ListContactCases:   Viewer,

	CreateCase:       Caseworker,
	SubmitTransition: Caseworker,
	StartTransition:  Caseworker,
	ListCaseRoles:    Manager,
	SetCaseRoles:     Manager,
	CheckPage:        Caseworker,
	EditCase:         Caseworker,
	DeleteCase:       Caseworker,
	AddComment:       Caseworker,
	GenerateDocument: Caseworker,
	DeleteDocument:   Caseworker,
	DeleteDocuments:  Caseworker,
	UploadProof:      Caseworker,
	DeleteProof:      Caseworker,
	AddLabel:         Caseworker,
	RemoveLabel:      Caseworker,
	AssignCase:       Caseworker,
	UnassignCase:     Caseworker,
	ListColleagues:   Caseworker,
	SwitchType:       Caseworker,
	DryRunTransition: Caseworker,
	CreateJob:        Caseworker,
	ListJobs:         Caseworker,
	GetJob:           Caseworker,
	ListJobCases:     Caseworker,
	CancelJob:        Caseworker,
	CreateContact:    Caseworker,
	UpdateContact:    Caseworker,
	DeleteContact:    Caseworker,
	LinkContact:      Caseworker,
	UnlinkContact:    Caseworker,

	CreateLabel:          Manager,
	EditLabel:            Manager,
	DeleteLabel:          Manager,
	PutCaseType:          Manager,
	RunBacktest:          Manager,
	RetireCaseType:       Manager,
	RestoreCaseType:      Manager,
	ListCallbackSecrets:  Manager,
	RotateCallbackSecret: Manager,
	DeleteCallbackSecret: Manager,

	GetCallbackCredentials:    Manager,
	SetCallbackCredentials:    Manager,
	DeleteCallbackCredentials: Manager,

	ListQuestions:         Manager,
	GetQuestion:           Manager,
	ListShadowDifferences: Manager,
	ClaimQuestion:         Manager,
	AnswerQuestion:        Manager,
	CreateEndpoint:        Manager,
	ListEndpoints:         Manager,
	GetEndpoint:           Manager,
	UpdateEndpoint:        Manager,
	DeleteEndpoint:        Manager,
	ListAttempts:          Manager,
	FindAttempts:          Manager,
	GetAttempt:            Manager,
	ListProblems:          Manager,
	CountAttempts:         Manager,
	GetDeliveryMetrics:    Manager,
	ListCaseDeliveries:    Manager,
	ListContactDeliveries: Manager,
	GetLag:                Manager,
	GetBacklog:            Manager,
	GetEndpointHealth:     Manager,
	ListEndpointSecrets:   Manager,
	RotateEndpointSecret:  Manager,
	DeleteEndpointSecret:  Manager,
	PreviewFilter:         Manager,
	PollJournal:           Manager,
	StreamJournal:         Manager,
	CreateReplay:          Manager,
	ListReplays:           Manager,
	GetReplay:             Manager,
	CancelReplay:          Manager,
	ResendMessage:         Manager,
	ListDead:              Manager,
	RetryDead:             Manager,
	DropDead:              Manager,
	ListParked:            Manager,
	RetryParked:           Manager,
	DropParked:            Manager,
	TestEndpoint:          Manager,
	ListTriggers:          Manager,
	GetTargets:            Manager,
	SetTargets:            Manager,
	CreatePortalLink:      Manager,
	ListPortalLinks:       Manager,
	DeletePortalLink:      Manager,

	MigrateCases: Admin,
	CreateToken:  Admin,
	ListTokens:   Admin,
	DeleteToken:  Admin,
	CreateUser:   Admin,
	ListUsers:    Admin,
	GetUser:      Admin,
	UpdateUser:   Admin,
	ListAudit:    Admin,
	ExportAudit:  Admin,
}

// receivers has the operations that a receiver may carry out. All others are refused.
var receivers = map[Operation]bool{
	GetSession:    true,
	DeleteSession: true,

	ListEndpoints:     true,
	GetEndpoint:       true,
	GetEndpointHealth: true,
	ListAttempts:      true,
	FindAttempts:      true,
	GetAttempt:        true,
	CountAttempts:     true,
	ListProblems:      true,
	ListDead:          true,
	ListParked:        true,
	ListReplays:       true,
	GetReplay:         true,

	ResendMessage: true,
	RetryDead:     true,
	RetryParked:   true,
	CreateReplay:  true,
	CancelReplay:  true,
	TestEndpoint:  true,
}

// rank orders the roles, from 0 for the least. It returns -1 for an unknown role.
func (r Role) rank() int {
	upwards := Roles()
	slices.Reverse(upwards)
	return slices.Index(upwards, r)
}

// Includes reports whether r permits everything that other does.
func (r Role) Includes(other Role) bool { return other.rank() >= 0 && r.rank() >= other.rank() }

// Permits reports whether a role may carry out an operation, which case types can restrict further. Administrators
// always may; operations that are not listed are theirs alone.
func (r Role) Permits(o Operation) bool {
	if r == Receiver {
		return receivers[o]
	}
	lowest, listed := least[o]
	return r == Admin || listed && r.Includes(lowest)
}

// Reads reports whether the operation changes nothing.
func (o Operation) Reads() bool { return least[o] == Viewer }

// Among reports whether a list of roles has r. An absent list has all of them,
// and every list has the administrators.
func (r Role) Among(roles []string) bool {
	return r == Admin || roles == nil || slices.Contains(roles, string(r))
}

// Operations lists all operations that are listed for a role.
func Operations() []Operation { return slices.Sorted(maps.Keys(least)) }

// Permitted lists the roles that may carry out an operation and are in all further lists, such as those of a case type
// or a transition. The further roles come first, then the others, the lowest first.
func Permitted(o Operation, among ...[]string) []string {
	in := func(name string) bool {
		lacks := func(list []string) bool { return list != nil && !slices.Contains(list, name) }
		return !slices.ContainsFunc(among, lacks)
	}
	var all []string
	for _, name := range slices.Concat(among...) {
		if Role(name).rank() < 0 && in(name) && !slices.Contains(all, name) {
			all = append(all, name)
		}
	}
	roles := Roles()
	slices.Reverse(roles)
	for _, r := range roles {
		if r.Permits(o) && (r == Admin || in(string(r))) {
			all = append(all, string(r))
		}
	}
	return all
}
