package access

// Role says what somebody may do, unless a case type refines it.
type Role string

// The roles, from the one that may most to the one that may least.
const (
	Admin      Role = "admin"      // everything, people and tokens included
	Manager    Role = "manager"    // case types, endpoints, labels, and all that a caseworker may
	Caseworker Role = "caseworker" // works on cases and contacts
	Viewer     Role = "viewer"     // reads
)

// Operator is the role of whoever runs the installation. It is nobody's in a
// tenant: it is not among [Roles], and permits none of their operations.
const Operator Role = "operator"

// Roles lists the roles, from the one that may most to the one that may least.
func Roles() []Role { return []Role{Admin, Manager, Caseworker, Viewer} }
