package access

import (
	"time"

	"github.com/casehook/casehook/internal/casetype"
)

// Credential identifies the means by which a principal was authenticated, and when. A request checks it
// again before it commits. The zero Credential belongs to the server itself and is never revoked.
type Credential struct {
	At      time.Time // when it was looked at
	Moment  int64     // the store's moment of rights before that
	Expires time.Time // of a token; zero: never
	Session string    // the key of a session in the store; empty: it is a token
	Epoch   int64     // of the session's user
}

// Standing holds the rights behind a credential at a later moment. The zero Standing is that of a revoked
// credential.
type Standing struct {
	Role      Role
	Further   FurtherRoles
	Clearance casetype.Classification
	TypeAt    int64 // the newest version of the case type in question; 0: there is none
}
