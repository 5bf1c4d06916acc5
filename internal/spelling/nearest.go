package spelling

import "fmt"

// maxTyped bounds the length of a name given to [Nearest], in bytes.
const maxTyped = 64

// Nearest returns the name that the typed one is probably a misspelling of: it is two edits away at most,
// and fewer for a short name. It returns "" if there is none.
func Nearest(typed string, names []string) string {
	best, at := "", min(3, len(typed)/2+1)
	if len(typed) > maxTyped {
		return ""
	}
	for _, name := range names {
		if d := distance(typed, name); d < at {
			best, at = name, d
		}
	}
	return best
}

// DidYouMean returns ` (did you mean "name"?)` with the nearest of the names, or "".
func DidYouMean(typed string, names []string) string {
	nearest := Nearest(typed, names)
	if nearest == "" {
		return ""
	}
	return fmt.Sprintf(" (did you mean %q?)", nearest)
}

// distance counts the single-byte edits between two names.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			substitute := diagonal
			if a[i] != b[j] {
				substitute++
			}
			diagonal = row[j+1]
			row[j+1] = min(substitute, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
