package hooks

import "time"

// periodEnd returns the end of a period that a client gave as t. Answers show milliseconds,
// and what they show with a time is before every later t, by however little.
func periodEnd(t time.Time) time.Time {
	if whole := t.Truncate(time.Millisecond); whole.Before(t) {
		return whole.Add(time.Millisecond)
	}
	return t
}
