package web_test

import (
	"net/http"
	"net/url"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/casehook/casehook/internal/web/webtest"
)

func TestViewsAreSavedSharedCountedAndDeleted(t *testing.T) {
	t.Parallel()
	w := webtest.Start(t)
	definition, err := os.ReadFile("../../examples/leave.yaml")
	if err != nil {
		t.Fatal(err)
	}
	w.API(http.MethodPut, "/v1/case-types/leave", definition, nil)
	w.API(http.MethodPost, "/v1/case-types/leave/cases",
		map[string]any{"data": map[string]any{"employee": "Ada", "days": 3}}, nil)
	boss := w.Person("bob@example.org", "manager", "RESTRICTED")
	worker := w.Person("cid@example.org", "caseworker", "RESTRICTED")
	saved := boss.Post("/views", url.Values{
		"name": {"<b>Asked</b>"}, "page": {"/cases"}, "query": {"state=asked&cursor=x"}, "shared": {"true"},
	})
	if saved.Path != "/cases?state=asked" || !strings.Contains(saved.HTML, "&lt;b&gt;Asked&lt;/b&gt;") {
		t.Errorf("the view leads to %s", saved.Path)
	}
	mine := worker.Post("/views", url.Values{"name": {"Of mine"}, "page": {"/cases"}, "query": {"assignee=me"}})
	for _, name := range []string{"Asked", "Of mine", "Unassigned"} {
		if !strings.Contains(mine.HTML, name) {
			t.Errorf("the navigation lacks %s", name)
		}
	}
	if strings.Contains(boss.Get("/cases").HTML, "Of mine") {
		t.Error("a private view is shown to a colleague")
	}
	counted := worker.Get("/views?page=/cases")
	if strings.Contains(counted.HTML, "<html") || !strings.Contains(counted.Text(), "Unassigned 1") ||
		!strings.Contains(counted.Text(), "<b>Asked</b> 1") || !strings.Contains(counted.Text(), "Of mine 0") {
		t.Errorf("the counts are %s", counted.Text())
	}
	shared := url.Values{"name": {"x"}, "page": {"/cases"}, "shared": {"true"}}
	if got := worker.Post("/views", shared); got.Status != http.StatusForbidden {
		t.Errorf("a caseworker who shares a view gets %d", got.Status)
	}
	shared.Set("page", "//elsewhere.example")
	if got := boss.Post("/views", shared); got.Status != http.StatusUnprocessableEntity {
		t.Errorf("a view of another site gets %d", got.Status)
	}
	id := regexp.MustCompile(`name="id" value="(view_\w+)"`).FindStringSubmatch(boss.Get("/cases").HTML)
	if id == nil {
		t.Fatal("the view can't be deleted")
	}
	deleted := boss.Post("/views/delete", url.Values{"id": {id[1]}, "page": {"/cases?type=x"}})
	if !deleted.CanUndo() || strings.Contains(deleted.HTML, "%26undo%3D") || strings.Contains(deleted.HTML, "&amp;undo=") {
		t.Errorf("the deletion can't be taken back, or is in a link: %s", deleted.Path)
	}
	const named = `<span class="view-name">&lt;b&gt;Asked&lt;/b&gt;</span>`
	if gone := boss.Get("/cases"); strings.Contains(gone.HTML, named) {
		t.Error("a deleted view is shown")
	}
	if back := boss.Undo(deleted); back.Path != "/cases?state=asked" || !strings.Contains(back.HTML, named) {
		t.Errorf("the view is not saved again: %s", back.Path)
	}
}
