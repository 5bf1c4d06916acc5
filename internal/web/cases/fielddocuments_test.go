package cases_test

import (
	"html"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/casehook/casehook/internal/testclient"
	"github.com/casehook/casehook/internal/web/webtest"
)

const filed = `
key: filed
document_urls: ["https://elsewhere.example/"]
fields:
  type: object
  properties:
    proof: { x-casehook-type: document }
    scans: { x-casehook-type: collection, items: { x-casehook-type: document } }
    secret: { x-casehook-type: document, x-classification: RESTRICTED }
states: [{ key: open }]
transitions: [{ key: open, to: open }, { key: edit, from: [open] }]
edit: edit
`

// uploaded uploads a file as the script of a form does, and returns the value of the field.
func uploaded(t *testing.T, w *webtest.World, b *webtest.Browser, name string) string {
	t.Helper()
	part := b.Post("/documents", url.Values{"filename": {name}})
	found := regexp.MustCompile(`data-to="([^"]+)" data-value="([^"]+)"`).FindStringSubmatch(part.HTML)
	if found == nil {
		t.Fatalf("it answers %d %s", part.Status, part.HTML)
	}
	to, value := html.UnescapeString(found[1]), html.UnescapeString(found[2])
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPut, w.URL+to, strings.NewReader("contents of "+name))
	if err != nil {
		t.Fatal(err)
	}
	answer, err := testclient.Client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		t.Fatalf("PUT %s answers %s", to, answer.Status)
	}
	return value
}

func TestDocumentsAreUploadedAndDownloadedOnPages(t *testing.T) {
	t.Parallel()
	w := webtest.Start(t)
	w.API(http.MethodPut, "/v1/case-types/filed", []byte(filed), nil)
	ada := w.Person("ada@example.org", "caseworker", "RESTRICTED")
	bo := w.Person("bo@example.org", "viewer", "PRIVATE")
	wants(t, ada.Get("/cases/new?type=filed"), http.StatusOK, "Proof", "Choose a file")
	hostile := `<img src=x>.pdf`
	made := ada.Post("/cases/new?type=filed", url.Values{
		"type": {"filed"}, "transition": {"open"}, "data/proof": {uploaded(t, w, ada, hostile)},
		"data/scans/0/value": {uploaded(t, w, ada, "scan.pdf")}, "data/secret": {uploaded(t, w, ada, "secret.pdf")},
		"data/scans/1/value": {`{"document_url": "https://elsewhere.example/1", "document_filename": "else.pdf"}`},
	})
	wants(t, made, http.StatusOK, "_img src=x_.pdf", "scan.pdf", "else.pdf", "secret.pdf")
	links := regexp.MustCompile(`href="(/documents/[^"]+)"[^>]*>([^<]+)<`).FindAllStringSubmatch(made.HTML, -1)
	if len(links) != 3 || strings.Contains(made.HTML, `href="https://elsewhere`) {
		t.Fatalf("the page has the links %q", links)
	}
	for _, link := range links {
		got := ada.Get(link[1])
		if got.Status != http.StatusOK || !strings.HasPrefix(got.HTML, "contents of ") ||
			!strings.HasPrefix(got.Header.Get("Content-Disposition"), "attachment") {
			t.Errorf("%s is %d %v %s", link[2], got.Status, got.Header, got.HTML)
		}
		want := http.StatusOK
		if link[2] == "secret.pdf" {
			want = http.StatusNotFound
		}
		if got := bo.Get(link[1]); got.Status != want {
			t.Errorf("with a lower clearance %s is %d", link[2], got.Status)
		}
	}
	page := bo.Get(made.Path)
	wants(t, page, http.StatusOK, "scan.pdf", "else.pdf")
	wantsNot(t, page, "secret.pdf", "Choose a file")

	form := url.Values{"data/proof": {`{"document_url": "https://evil.example/"}`}, "revision": {"1"}}
	wants(t, ada.Post(made.Path, form), http.StatusUnprocessableEntity, "is neither that of a document here")
}
