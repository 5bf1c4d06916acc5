package inbound

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// deadlines records an answer, and the read deadlines of its connection.
type deadlines struct {
	recorder *httptest.ResponseRecorder
	set      []time.Time
}

func (d *deadlines) Header() http.Header            { return d.recorder.Header() }
func (d *deadlines) Write(body []byte) (int, error) { return d.recorder.Write(body) }
func (d *deadlines) WriteHeader(status int)         { d.recorder.WriteHeader(status) }

func (d *deadlines) SetReadDeadline(at time.Time) error {
	d.set = append(d.set, at)
	return nil
}

func handled(t *testing.T, body io.Reader, do http.HandlerFunc) *deadlines {
	w := &deadlines{recorder: httptest.NewRecorder()}
	New(Config{}).Handler(do).ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), "POST", "/", body))
	return w
}

// A read deadline that outlives the body would cancel the request, and with it a submission whose
// callback is slow.
func TestTheDeadlineOfABodyEndsWithIt(t *testing.T) {
	for name, body := range map[string]io.Reader{
		"known": strings.NewReader("{}"), "chunked": io.MultiReader(strings.NewReader("{}")),
	} {
		w := handled(t, body, func(w http.ResponseWriter, r *http.Request) {
			io.Copy(io.Discard, r.Body)
			w.WriteHeader(http.StatusOK)
		})
		if n := len(w.set); n < 2 || w.set[0].IsZero() || !w.set[n-1].IsZero() {
			t.Errorf("%s: the deadlines were %v", name, w.set)
		}
		if w.recorder.Header().Get("Connection") != "" {
			t.Errorf("%s: the connection is closed after it", name)
		}
	}
}

// The server does not wait for the rest of a body, and closes the connection, however the answer is
// started.
func TestAnAnswerBeforeTheBodyClosesTheConnection(t *testing.T) {
	for name, do := range map[string]http.HandlerFunc{
		"a status": func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNotFound) },
		"a body":   func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "no") },
		"nothing":  func(http.ResponseWriter, *http.Request) {},
		"a part":   func(w http.ResponseWriter, r *http.Request) { r.Body.Read(make([]byte, 1)) },
	} {
		w := handled(t, strings.NewReader("{}"), do)
		if w.recorder.Header().Get("Connection") != "close" || len(w.set) == 0 || w.set[len(w.set)-1].IsZero() {
			t.Errorf("%s: Connection is %q, the deadlines were %v", name, w.recorder.Header().Get("Connection"), w.set)
		}
	}
	if w := handled(t, nil, func(http.ResponseWriter, *http.Request) {}); w.recorder.Header().Get("Connection") != "" {
		t.Error("the connection of a request without a body is closed")
	}
}

// Progress extends the deadline, and a client below minRate is disconnected.
func TestAPaceIsARate(t *testing.T) {
	for name, c := range map[string]struct {
		bytes int
		ends  bool
	}{
		"a byte a second": {1, true}, "nearly fast enough": {minRate - 1, true}, "just fast enough": {minRate, false},
		"fast": {1 << 20, false},
	} {
		p := newPace(30 * time.Second)
		for range 100_000 {
			p.moved(c.bytes, time.Second)
		}
		if (p.left <= 0) != c.ends || p.left > 30*time.Second {
			t.Errorf("%s: %s are left", name, p.left)
		}
	}
}
