package casework

import (
	"fmt"
	"strings"

	"github.com/casehook/casehook/internal/spelling"
)

// maxNamed bounds how many names a message lists.
const maxNamed = 20

// nearestOf returns a sentence with the name that the caller probably meant, or with all names if none is near.
func nearestOf(typed string, names []string) string {
	if nearest := spelling.DidYouMean(typed, names); nearest != "" || len(names) == 0 {
		return nearest
	}
	return "; there are " + listed(names)
}

// listed writes names, the first of them where there are many: "a, b and 3 more".
func listed(names []string) string {
	if len(names) <= maxNamed {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(names[:maxNamed], ", "), len(names)-maxNamed)
}
