package access

// Role determines which operations a user or a token may carry out. A case type may restrict it.
type Role string

// The roles, from the most powerful to the least.
const (
	Admin      Role = "admin"      // everything, people and tokens included
	Manager    Role = "manager"    // case types, endpoints, labels, and all that a caseworker may
	Caseworker Role = "caseworker" // works on cases and contacts
	Viewer     Role = "viewer"     // reads
)

// Operator is the role of an operator. No user of a tenant has it: it is not among [Roles], and permits
// none of their operations.
const Operator Role = "operator"

// Receiver is the role of the holder of a portal link. No user and no token has it: it is not among [Roles]. It permits
// few operations, and these only on the endpoints in the principal's scope.
const Receiver Role = "receiver"

// Roles lists the roles, from the most powerful to the least.
func Roles() []Role { return []Role{Admin, Manager, Caseworker, Viewer} }
