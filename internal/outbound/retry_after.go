package outbound

import (
	"net/http"
	"strconv"
	"strings"
	"time"
)

// RetryAfter returns the wait that the receiver asks for, as RFC 9110 specifies: in seconds, or until a date.
// A date is compared with the receiver's own clock if its answer has the time, else with now. It returns 0 if
// the header is missing, unreadable or in the past, and a year at most.
func (r Result) RetryAfter(now time.Time) time.Duration {
	text := strings.TrimSpace(r.Header.Get("Retry-After"))
	if text == "" {
		return 0
	}
	const longest = 365 * 24 * time.Hour
	if strings.Trim(text, "0123456789") == "" {
		seconds, err := strconv.ParseInt(text, 10, 64)
		if err != nil || seconds > int64(longest/time.Second) {
			return longest // more digits than fit
		}
		return time.Duration(seconds) * time.Second
	}
	until, err := http.ParseTime(text)
	if err != nil {
		return 0
	}
	if theirs, err := http.ParseTime(r.Header.Get("Date")); err == nil {
		now = theirs
	}
	return min(max(until.Sub(now), 0), longest)
}
