package casework

import "slices"

// Revisions are the revisions on which a change may be based: of a case's content, or the versions of a contact. Nil
// allows any, and an empty list none.
type Revisions []int64

// Allow reports whether a change may be based on a revision.
func (r Revisions) Allow(revision int64) bool { return r == nil || slices.Contains(r, revision) }
