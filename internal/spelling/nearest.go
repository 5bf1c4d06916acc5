package spelling

import "fmt"

// maxTyped bounds a name that is looked up in [Nearest], in bytes.
const maxTyped = 64

// Nearest returns the one of the names that is a slip of the finger away from what
// somebody typed: two edits at most, and fewer for a short name. It returns "" where
// there is none.
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

// DidYouMean returns ` (did you mean "name"?)` with the nearest of the names, or nothing.
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
