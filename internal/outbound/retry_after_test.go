package outbound_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/casehook/casehook/internal/outbound"
)

func TestRetryAfterIsReadInSecondsAndAsADate(t *testing.T) {
	now := time.Date(2026, 3, 14, 15, 9, 26, 0, time.UTC)
	const year = 365 * 24 * time.Hour
	for _, test := range []struct {
		name, value, date string
		want              time.Duration
	}{
		{"none", "", "", 0},
		{"seconds", "120", "", 2 * time.Minute},
		{"seconds with spaces", " 7 ", "", 7 * time.Second},
		{"no seconds", "0", "", 0},
		{"negative", "-5", "", 0},
		{"a fraction", "1.5", "", 0},
		{"more than a year", "99999999999", "", year},
		{"more than fits", "99999999999999999999999999", "", year},
		{"words", "soon", "", 0},
		{"a date by our clock", "Sat, 14 Mar 2026 15:10:26 GMT", "", time.Minute},
		{"a date by a clock that is an hour behind", "Sat, 14 Mar 2026 14:10:26 GMT", "Sat, 14 Mar 2026 14:09:26 GMT", time.Minute},
		{"a date by a clock that can't be read", "Sat, 14 Mar 2026 15:10:26 GMT", "noon", time.Minute},
		{"an old format", "Saturday, 14-Mar-26 15:10:26 GMT", "", time.Minute},
		{"the past", "Sat, 14 Mar 2026 15:09:25 GMT", "", 0},
		{"a far future", "Sat, 14 Mar 2099 15:09:25 GMT", "", year},
	} {
		r := outbound.Result{Header: http.Header{}}
		if test.value != "" {
			r.Header.Set("Retry-After", test.value)
		}
		if test.date != "" {
			r.Header.Set("Date", test.date)
		}
		if got := r.RetryAfter(now); got != test.want {
			t.Errorf("%s: %v, want %v", test.name, got, test.want)
		}
	}
	if got := (outbound.Result{}).RetryAfter(now); got != 0 {
		t.Errorf("without an answer: %v", got)
	}
}
