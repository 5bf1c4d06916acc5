package web_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/casehook/casehook/internal/web/webtest"
	"github.com/casehook/casehook/internal/wire/wiretest"
)

func TestTheOverviewChartsDeliveries(t *testing.T) {
	t.Parallel()
	receiver := httptest.NewServer(wiretest.Handler(t, http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})))
	t.Cleanup(receiver.Close)
	w := webtest.Start(t)
	manager := w.Person("bob@example.org", "manager", "RESTRICTED")
	if page := manager.Get("/"); strings.Contains(page.HTML, "Deliveries a minute") {
		t.Error("nothing is delivered to no endpoint, and charted")
	}
	w.API(http.MethodPut, "/v1/case-types/note", []byte(`{"key": "note", "fields": {"type": "object", "properties": {}},
		"states": [{"key": "open"}], "transitions": [{"key": "create", "to": "open"}]}`), nil)
	w.API(http.MethodPost, "/v1/endpoints",
		map[string]any{"url": receiver.URL, "triggers": []string{"case_created"}}, nil)
	w.API(http.MethodPost, "/v1/case-types/note/cases", map[string]any{"data": map[string]any{}}, nil)
	page := manager.Get("/")
	for end := time.Now().Add(20 * time.Second); !strings.Contains(page.HTML, `<rect class="delivered"`); {
		if time.Now().After(end) {
			t.Fatalf("no delivery is charted: %s", page.Text())
		}
		page = manager.Get("/")
	}
	for _, want := range []string{
		"1 delivered, 0 failed.", "100.0 %", `role="img"`, "Delivered", `<a href="/messages?outcome=delivered&amp;time=1h">1</a>`,
		`<a href="/endpoints?show=dead">0</a>`, `<a href="/endpoints?show=stopped">0</a>`, `<a href="/problems">100.0 %</a>`,
	} {
		if !strings.Contains(page.HTML, want) {
			t.Errorf("the overview lacks %q", want)
		}
	}
	var paused struct {
		ID string `json:"id"`
	}
	w.API(http.MethodPost, "/v1/endpoints",
		map[string]any{"url": receiver.URL, "triggers": []string{"case_created"}}, &paused)
	w.API(http.MethodPatch, "/v1/endpoints/"+paused.ID, map[string]any{"status": "paused"}, nil)
	for range 3 {
		w.API(http.MethodPost, "/v1/case-types/note/cases", map[string]any{"data": map[string]any{}}, nil)
	}
	for end := time.Now().Add(20 * time.Second); ; page = manager.Get("/") {
		if strings.Contains(page.HTML, `<a href="/endpoints?show=behind">3</a></dd><dd class="note">commits, at 1 endpoint`) &&
			strings.Contains(page.HTML, `<a href="/endpoints?show=stopped">1</a>`) {
			break
		}
		if time.Now().After(end) {
			t.Fatalf("the backlog is not counted: %s", page.Text())
		}
	}
	for _, b := range []*webtest.Browser{
		w.Person("cid@example.org", "viewer", "RESTRICTED"), w.Person("low@example.org", "manager", "PUBLIC"),
	} {
		if strings.Contains(b.Get("/").HTML, "Deliveries a minute") {
			t.Error("deliveries are charted for who may not see the endpoint")
		}
	}
}
