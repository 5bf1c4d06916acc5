package access

import (
	"time"

	"github.com/casehook/casehook/internal/casetype"
)

// Credential says by what a principal was authenticated, and as of when. A request that
// takes its time is asked again before it commits. The zero Credential is of nobody who
// came with a request; nothing revokes it.
type Credential struct {
	At      time.Time // when it was looked at
	Moment  int64     // what the store's rights had come to before that
	Expires time.Time // of a token; zero: never
	Session string    // the key of a session in the store; empty: it is a token
	Epoch   int64     // of the session's user
}

// Standing is what a credential is worth at a later moment. The zero Standing is that of
// one that was revoked.
type Standing struct {
	Role      Role
	Clearance casetype.Classification
	TypeAt    int64 // the newest version of the case type that was asked about; 0: there is none
}
