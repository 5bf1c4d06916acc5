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

// Page returns the number of items of a page for a requested limit; 0: the default.
func Page(limit int) int {
	if limit <= 0 {
		return defaultPage
	}
	return min(limit, MaxPage)
}

// Newest returns the upper bound of ids for a page of a list that is newest first; 0 stands for its beginning.
func Newest(before int64) int64 {
	if before <= 0 {
		return math.MaxInt64
	}
	return before
}

// CheckAfter refuses a position that no page can have.
func CheckAfter(after string) error {
	if !Word(after) {
		return fault.New(fault.Invalid, "page.invalid",
			"The position to continue after is not from an earlier page. Start again without it.")
	}
	return nil
}
