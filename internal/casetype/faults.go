package casetype

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/casehook/casehook/internal/schema"
	"github.com/casehook/casehook/internal/spelling"
)

// Fault is an error in a definition.
type Fault struct {
	File    string // as given to Parse; may be empty
	Line    int    // from 1; 0 when unknown
	Path    string // JSON Pointer (RFC 6901) into the definition
	Message string
}

func (f Fault) String() string {
	at := fmt.Sprintf("%s:%d: ", cmp.Or(f.File, "definition"), f.Line)
	if f.Path != "" {
		at += f.Path + ": "
	}
	return at + f.Message
}

// Faults are all faults of a definition, ordered by line, then path. It is the error of [Parse].
type Faults []Fault

// Error lists the faults, one a line.
func (fs Faults) Error() string {
	lines := make([]string, len(fs))
	for i, f := range fs {
		lines[i] = f.String()
	}
	return strings.Join(lines, "\n")
}

// ordered sorts faults and drops duplicates.
func (fs Faults) ordered() Faults {
	slices.SortStableFunc(fs, func(a, b Fault) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Path, b.Path), cmp.Compare(a.Message, b.Message))
	})
	return slices.Compact(fs)
}

// pointer appends tokens to a JSON Pointer.
func pointer(base string, tokens ...string) string { return schema.Pointer(base, tokens...) }

// suggest returns ` (did you mean "name"?)` with a name that is one typing error away, or "".
func suggest(name string, names []string) string {
	return spelling.DidYouMean(name, names)
}
