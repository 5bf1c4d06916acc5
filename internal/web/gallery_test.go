package web_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/casehook/casehook/internal/server"
	"github.com/casehook/casehook/internal/web/webtest"
)

func TestTheGalleryIsServedInDevelopmentAlone(t *testing.T) {
	t.Parallel()
	without := webtest.Start(t).Person("ada@example.org", "admin", "RESTRICTED")
	if got := without.Get("/_ui"); got.Status != http.StatusNotFound {
		t.Errorf("without the setting, it is answered with %d", got.Status)
	}
	w := webtest.StartWith(t, func(c *server.Config) { c.Gallery = true })
	page := w.Person("ada@example.org", "admin", "RESTRICTED").Get("/_ui")
	if page.Status != http.StatusOK {
		t.Fatalf("it is answered with %d: %s", page.Status, page.Text())
	}
	for _, want := range []string{
		`data-theme="light"`, `data-theme="dark"`, `class="chart"`, `class="blank"`, `class="notice bad"`, "diff-line added",
	} {
		if !strings.Contains(page.HTML, want) {
			t.Errorf("the gallery lacks %s", want)
		}
	}
	if strings.Contains(page.HTML, " style=") {
		t.Error("it has a style of its own, which the policy forbids")
	}
	ids := map[string]bool{}
	for _, part := range strings.Split(page.HTML, ` id="`)[1:] {
		id, _, _ := strings.Cut(part, `"`)
		if ids[id] {
			t.Errorf("two elements have the id %s", id)
		}
		ids[id] = true
	}
	if got := w.Browser().Get("/_ui"); !strings.HasPrefix(got.Path, "/sign-in") {
		t.Errorf("someone who is not signed in gets %d at %s", got.Status, got.Path)
	}
}
