package server

import (
	"context"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"testing"

	"github.com/casehook/casehook/internal/waits"
	"github.com/casehook/casehook/internal/wire/wiretest"
)

func TestAServerAsksTheShadowsOfCallbacks(t *testing.T) {
	t.Parallel()
	asked := make(chan string, 10)
	callbacks := httptest.NewServer(wiretest.Callback(t, http.HandlerFunc(
		func(_ http.ResponseWriter, r *http.Request) { asked <- r.URL.Path },
	)))
	t.Cleanup(callbacks.Close)
	s, stop := start(t, Config{Data: filepath.Join(t.TempDir(), "data"), Allow: loopback})
	defer stop()
	call(t, s, "PUT /v1/case-types/note", s.Token(),
		`{"key": "note", "fields": {"type": "object", "properties": {}}, "states": [{"key": "open"}],
		"transitions": [{"key": "write", "to": "open", "about_to_submit": {"url": "`+callbacks.URL+`/live",
			"shadow": {"url": "`+callbacks.URL+`/next"}}}]}`)
	call(t, s, "POST /v1/case-types/note/cases", s.Token(), `{}`)
	late := waits.Context(t)
	for _, want := range []string{"/live", "/next"} {
		if got := receive(late, asked); got != want {
			t.Errorf("%q is asked, want %s", got, want)
		}
	}
}

// receive returns what comes first; empty: nothing comes.
func receive(late context.Context, from <-chan string) string {
	select {
	case text := <-from:
		return text
	case <-late.Done():
		return ""
	}
}
