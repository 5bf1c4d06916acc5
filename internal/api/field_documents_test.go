package api_test

import (
	"bytes"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/casehook/casehook/internal/access"
)

const permitWithDocuments = `
key: Filed
fields:
  type: object
  properties:
    proof: { x-casehook-type: document }
    secret: { x-casehook-type: document, x-classification: RESTRICTED }
states: [{ key: open }]
transitions: [{ key: open, to: open }, { key: edit, from: [open] }]
edit: edit
`

// local returns the path of a URL of the server, which has another name in public.
func (w *world) local(url string) string {
	w.t.Helper()
	path, ok := strings.CutPrefix(url, "https://cases.example")
	if !ok {
		w.t.Fatalf("%s is not at the server", url)
	}
	return path
}

// uploaded uploads a document, and returns the answer.
func (w *world) uploaded(name, contents string, header ...string) answer {
	w.t.Helper()
	made := w.post("/quickcase/documents", `{"metadata": {"filename": "`+name+`", "organisation": "Org",
		"caseType": "Filed", "case": "4539148803436467", "field": "proof"}}`, header...).is(201, "")
	put := w.do("PUT", w.local(made.text("upload_url")), contents, "Authorization", "",
		"Content-Type", "application/pdf").is(200, "")
	for _, key := range []string{"id", "document_url", "document_binary_url", "document_filename"} {
		if put.text(key) != made.text(key) {
			w.t.Errorf("%s is %q, and then %q", key, made.text(key), put.text(key))
		}
	}
	return put
}

// inField returns the body of a creation that names a document.
func inField(field string, d answer) string {
	return `{"data": {"` + field + `": {"document_url": "` + d.text("document_url") + `"}}}`
}

func TestQuickCaseTakesDocuments(t *testing.T) {
	t.Parallel()
	w := start(t)
	w.do("PUT", "/v1/case-types/Filed", permitWithDocuments, "Content-Type", "application/yaml").is(201, "")
	d := w.uploaded(`..\\..\\pässport\r\nX-Evil: 1.pdf`, "%PDF-1.7 contents")
	path := "/quickcase/documents/" + d.text("id")
	got := w.get(path).is(200, "")
	for name, g := range map[string]answer{
		"by its URL":  w.get(w.local(got.text("download_url")), "Authorization", ""),
		"by a token":  w.get(path + "/binary"),
		"without all": w.get(path+"/binary", "Authorization", ""),
	} {
		if name == "without all" {
			g.is(401, "token.missing")
			continue
		}
		g.is(200, "")
		h := g.header
		got := []string{string(g.body), h.Get("Content-Type"), h.Get("X-Content-Type-Options"), h.Get("X-Evil")}
		want := []string{"%PDF-1.7 contents", "application/pdf", "nosniff", ""}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
		if !strings.HasPrefix(h.Get("Content-Disposition"), "attachment; filename*=utf-8''p") ||
			!strings.Contains(h.Get("Content-Security-Policy"), "sandbox") {
			t.Errorf("%s: a browser may show it: %v", name, h)
		}
	}
	page := w.uploaded("page.html", "<!doctype html><script>alert(1)</script>")
	sent := w.get("/quickcase/documents/"+page.text("id")+"/binary").is(200, "").header.Get("Content-Type")
	if sent != "application/octet-stream" {
		t.Errorf("a page is sent as %s", sent)
	}
	made := w.post("/v1/case-types/Filed/cases", inField("proof", d)).is(201, "")
	proof, _ := made.json()["data"].(map[string]any)["proof"].(map[string]any)
	for _, key := range []string{"document_filename", "document_binary_url"} {
		if proof[key] != d.text(key) {
			t.Errorf("the case has %v", proof)
		}
	}
	for _, body := range []string{`{}`, `{"metadata": []}`, `{"metadata": {"filename": 7}}`} {
		w.post("/quickcase/documents", body).is(422, "quickcase.metadata_invalid")
	}
}

func TestDocumentsAreForThoseWhoMayReadThem(t *testing.T) {
	t.Parallel()
	w := start(t)
	w.do("PUT", "/v1/case-types/Filed", permitWithDocuments, "Content-Type", "application/yaml").is(201, "")
	token := func(role, clearance string) []string {
		made := w.post("/v1/tokens", `{"name": "x", "role": "`+role+`", "clearance": "`+clearance+`"}`).is(201, "")
		return []string{"Authorization", "Bearer " + made.text("token")}
	}
	worker, colleague := token("caseworker", "RESTRICTED"), token("viewer", "RESTRICTED")
	low := token("manager", "PRIVATE")
	tenant := w.post("/v1/tenants", `{"key": "other", "name": "Other"}`).is(201, "")
	other := []string{"Authorization", "Bearer " + tenant.text("token")}
	w.post("/quickcase/documents", `{"metadata": {}}`, colleague...).is(403, "access.denied")
	d := w.uploaded("a.pdf", "contents", worker...)
	path := "/quickcase/documents/" + d.text("id")
	reads := func(when string, want map[string]int) {
		t.Helper()
		for name, as := range map[string][]string{
			"worker": worker, "colleague": colleague, "low": low, "other": other,
		} {
			for _, at := range []string{path, path + "/binary"} {
				if g := w.get(at, as...); g.status != want[name] {
					t.Errorf("%s, %s: GET %s answers %d %s", when, name, at, g.status, g.body)
				}
			}
		}
	}
	reads("unnamed", map[string]int{"worker": 200, "colleague": 404, "low": 404, "other": 404})
	for _, as := range [][]string{low, other} {
		w.do("PUT", "/v1/case-types/Filed", permitWithDocuments,
			append([]string{"Content-Type", "application/yaml"}, other...)...)
		w.post("/v1/case-types/Filed/cases", inField("proof", d), as...).is(422, "case.data_invalid")
	}
	w.post("/v1/case-types/Filed/cases", inField("secret", d), worker...).is(201, "")
	reads("in a field", map[string]int{"worker": 200, "colleague": 200, "low": 404, "other": 404})
	w.get("/quickcase/documents/fdoc_none").is(404, "field_document.not_found")
}

func TestUploadsNeedTheSecretOfTheirURL(t *testing.T) {
	t.Parallel()
	w := start(t)
	create := func(header ...string) (url, id string) {
		made := w.post("/quickcase/documents", `{"metadata": {"filename": "a.pdf"}}`, header...).is(201, "")
		return w.local(made.text("upload_url")), made.text("id")
	}
	url, id := create()
	second, _ := create()
	path, secret, _ := strings.Cut(url, "?upload=")
	_, others, _ := strings.Cut(second, "?upload=")
	for name, wrong := range map[string]string{
		"none": path, "empty": path + "?upload=", "another's": path + "?upload=" + others,
		"changed": url[:len(url)-2] + "AA", "of another document": strings.TrimSuffix(second, others) + secret,
	} {
		w.do("PUT", wrong, "x").is(403, "field_document.url_invalid")
		if t.Failed() {
			t.Fatal(name)
		}
	}
	w.get(path+"?download="+secret).is(403, "field_document.url_invalid")
	w.do("PUT", url, zeros(64<<20+1), "Content-Type", "application/octet-stream").is(413, "blob.too_large")
	w.do("PUT", url, bytes.NewReader(make([]byte, 65<<20)), "Content-Type", "application/octet-stream").
		is(http.StatusRequestEntityTooLarge, "")
	w.do("PUT", url, "contents", "Authorization", "Bearer nonsense").is(200, "") // it is not looked at
	w.do("PUT", url, "again").is(409, "field_document.uploaded")
	download := w.get("/quickcase/documents/"+id).is(200, "").text("download_url")
	_, downloads, _ := strings.Cut(download, "?download=")
	w.do("PUT", second[:strings.Index(second, "?")]+"?upload="+downloads, "x").is(403, "field_document.url_invalid")

	token := w.post("/v1/tokens", `{"name": "x", "role": "caseworker"}`).is(201, "")
	late, _ := create("Authorization", "Bearer "+token.text("token"))
	w.do("DELETE", "/v1/tokens/"+token.text("id"), nil).is(204, "")
	w.do("PUT", late, "x").is(401, "token.invalid")
	log := w.log.String()
	for text, logged := range map[string]bool{
		secret: false, downloads: false, "/quickcase/documents/" + id + "/binary": true, string(access.UploadProof): true,
	} {
		if strings.Contains(log, text) != logged {
			t.Errorf("the log has %s: %v", text, !logged)
		}
	}
}
