package rest

import "time"

// PeriodEnd returns the end of a period that a client sent as t. Answers show times in
// milliseconds, so an event that an answer shows at a time before t is in the period.
func PeriodEnd(t time.Time) time.Time {
	if whole := t.Truncate(time.Millisecond); whole.Before(t) {
		return whole.Add(time.Millisecond)
	}
	return t
}
