package casetype

import "github.com/casehook/casehook/internal/schema"

// Equal reports whether two values of data are the same. Numbers are compared exactly, whatever their size
// and spelling: 10, 10.0 and 1e1 are the same. Texts are the same if readers can't tell them apart,
// composed or decomposed; letter case matters.
func Equal(a, b any) bool { return schema.Equal(a, b) }
