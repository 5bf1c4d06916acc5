package api_test

import (
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// deadlines is a connection's read deadline, as it was set.
type deadlines struct {
	*httptest.ResponseRecorder
	set []time.Time
}

func (d *deadlines) SetReadDeadline(at time.Time) error {
	d.set = append(d.set, at)
	return nil
}

// A read deadline that outlives the body would cancel the request, and with it a
// submission whose callback takes its time.
func TestTheDeadlineOfABodyEndsWithIt(t *testing.T) {
	t.Parallel()
	w := start(t)
	w.putTypes()
	for _, body := range []string{"", `{"transition": "open"}`} {
		r := httptest.NewRequestWithContext(t.Context(), "POST", "/v1/case-types/loan/cases", strings.NewReader(body))
		r.Header.Set("Authorization", "Bearer "+w.bearer)
		r.Header.Set("Content-Type", "application/json")
		answer := &deadlines{ResponseRecorder: httptest.NewRecorder()}
		w.handler.ServeHTTP(answer, r)
		if n := len(answer.set); n < 2 || answer.set[0].IsZero() || !answer.set[n-1].IsZero() {
			t.Errorf("%q: the deadlines were %v", body, answer.set)
		}
	}
}
