package casetype

import "github.com/casehook/casehook/internal/schema"

// Equal reports whether two values of data are the same. Numbers are the same
// whatever their spelling: 10, 10.0 and 1e1. They are compared exactly, however
// large they are. Texts are the same if readers can't tell them apart, composed or
// decomposed; letter case matters.
func Equal(a, b any) bool { return schema.Equal(a, b) }
