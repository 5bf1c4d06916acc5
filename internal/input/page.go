package input

import (
	"math"

	"github.com/casehook/casehook/internal/fault"
)

// The bounds of a page.
const (
	defaultPage = 50
	MaxPage     = 1000
)

// Page returns how many items a page has when somebody asks for so many; 0: they did not say.
func Page(limit int) int {
	if limit <= 0 {
		return defaultPage
	}
	return min(limit, MaxPage)
}

// Newest turns 0, the beginning of a list that is newest first, into a bound.
func Newest(before int64) int64 {
	if before <= 0 {
		return math.MaxInt64
	}
	return before
}

// CheckAfter refuses the position of a page that can't be one.
func CheckAfter(after string) error {
	if !Word(after) {
		return fault.New(fault.Invalid, "page.invalid", "The position to continue after is not one that a page gave.")
	}
	return nil
}
