package access

import (
	"maps"
	"slices"
)

// Operation is something that somebody may or may not do, named as the API
// names it.
type Operation string

// least returns the lowest role that may carry out each operation. What is not
// here is the administrators' alone.
var least = map[Operation]Role{
	"get-session": Viewer, "delete-session": Viewer, "change-password": Viewer,

	"list-cases": Viewer, "get-case": Viewer, "get-claim": Viewer, "get-history": Viewer, "list-comments": Viewer,
	"list-documents": Viewer, "download-document": Viewer, "list-proofs": Viewer, "download-proof": Viewer,
	"list-case-types": Viewer, "get-case-type": Viewer, "get-case-type-openapi": Viewer,
	"list-labels": Viewer, "get-label": Viewer,
	"list-contacts": Viewer, "get-contact": Viewer, "get-contact-history": Viewer,
	"list-case-contacts": Viewer, "list-contact-cases": Viewer,

	"create-case": Caseworker, "submit-transition": Caseworker, "edit-case": Caseworker, "delete-case": Caseworker,
	"add-comment": Caseworker, "generate-document": Caseworker, "delete-document": Caseworker, "delete-documents": Caseworker,
	"upload-proof": Caseworker, "delete-proof": Caseworker, "add-label": Caseworker, "remove-label": Caseworker,
	"assign-case": Caseworker, "unassign-case": Caseworker, "switch-type": Caseworker,
	"create-contact": Caseworker, "update-contact": Caseworker, "delete-contact": Caseworker,
	"link-contact": Caseworker, "unlink-contact": Caseworker,

	"create-label": Manager, "edit-label": Manager, "delete-label": Manager,
	"put-case-type": Manager, "retire-case-type": Manager, "restore-case-type": Manager,
	"list-callback-secrets": Manager, "rotate-callback-secret": Manager, "delete-callback-secret": Manager,
	"create-endpoint": Manager, "list-endpoints": Manager, "get-endpoint": Manager, "update-endpoint": Manager,
	"delete-endpoint": Manager, "list-attempts": Manager, "find-attempts": Manager, "get-attempt": Manager, "list-case-deliveries": Manager, "list-contact-deliveries": Manager, "get-lag": Manager, "get-endpoint-health": Manager,
	"list-endpoint-secrets": Manager, "rotate-endpoint-secret": Manager, "delete-endpoint-secret": Manager,
	"preview-filter": Manager, "poll-journal": Manager, "stream-journal": Manager,
	"create-replay": Manager, "list-replays": Manager, "get-replay": Manager, "cancel-replay": Manager, "resend-message": Manager,
	"list-dead": Manager, "retry-dead": Manager, "drop-dead": Manager, "list-parked": Manager, "retry-parked": Manager, "drop-parked": Manager, "test-endpoint": Manager,
	"list-triggers": Manager, "get-targets": Manager, "set-targets": Manager,

	"migrate-cases": Admin,
	"create-token":  Admin, "list-tokens": Admin, "delete-token": Admin,
	"create-user": Admin, "list-users": Admin, "get-user": Admin, "update-user": Admin,
	"list-audit": Admin,
}

// rank orders the roles; what is no role ranks below all.
func (r Role) rank() int {
	all := Roles()
	if i := slices.Index(all, r); i >= 0 {
		return len(all) - i
	}
	return 0
}

// Includes reports whether r may all that other may.
func (r Role) Includes(other Role) bool { return other.rank() > 0 && r.rank() >= other.rank() }

// Permits reports whether a role may carry out an operation, as far as the kind
// of case does not narrow that. Administrators always may; what is not listed,
// nobody else may.
func (r Role) Permits(o Operation) bool {
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

// Permitted lists the roles that may carry out an operation, where further lists, such as
// those of a case type or a transition, narrow that; the lowest first.
func Permitted(o Operation, among ...[]string) []Role {
	all := slices.DeleteFunc(Roles(), func(r Role) bool {
		return !r.Permits(o) || slices.ContainsFunc(among, func(roles []string) bool { return !r.Among(roles) })
	})
	slices.Reverse(all)
	return all
}
