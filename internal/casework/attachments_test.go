package casework_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"strings"
	"sync"
	"testing"
	"testing/iotest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/casehook/casehook/internal/authz"
	"github.com/casehook/casehook/internal/cases"
	"github.com/casehook/casehook/internal/casework"
	"github.com/casehook/casehook/internal/event"
	"github.com/casehook/casehook/internal/fault"
	"github.com/casehook/casehook/internal/id"
	"github.com/casehook/casehook/internal/store"
)

func TestProofsComeAndGo(t *testing.T) {
	engines(t, func(t *testing.T, w *world) {
		w.put(w.p, loan("loan", ""))
		c := w.open("loan")
		const contents = "%PDF-1.7 contents"
		a, err := w.files.UploadProof(t.Context(), w.p, c.ID, casework.Upload{
			Key: "passport", Filename: `C:\scans\my "pass".pdf`, MediaType: "application/octet-stream",
			Body: strings.NewReader(contents),
		}, authz.Once{})
		if err != nil {
			t.Fatal(err)
		}
		sum := sha256.Sum256([]byte(contents))
		want := cases.Attachment{
			Filename: "my _pass_.pdf", MediaType: "application/pdf", Version: 2,
			Size: int64(len(contents)), SHA256: hex.EncodeToString(sum[:]),
		}
		uploaded := cases.Attachment{
			Filename: a.Filename, MediaType: a.MediaType, Version: a.Version, Size: a.Size, SHA256: a.SHA256,
		}
		if diff := cmp.Diff(want, uploaded); diff != "" {
			t.Error(diff)
		}
		if got := w.facts(c.ID); got != "proofs_uploaded" {
			t.Errorf("facts %q", got)
		}
		fact, err := event.CaseProofsUploaded.Decode(w.history(c.ID)[1].Facts[0])
		if diff := cmp.Diff(event.Proofs{Keys: []string{"passport"}, IDs: []string{a.ID}}, fact); err != nil ||
			diff != "" {
			t.Error(err, diff)
		}
		if after := w.load(c.ID); after.Version != 2 || after.Revision != 1 || !after.ModifiedAt.Equal(c.ModifiedAt) {
			t.Errorf("an upload changed the content: %+v", after.Case)
		}
		got, body, err := w.files.OpenAttachment(t.Context(), w.p, c.ID, cases.Proof, a.ID)
		if err != nil {
			t.Fatal(err)
		}
		raw, _ := io.ReadAll(body)
		body.Close()
		if diff := cmp.Diff(a, got); diff != "" || string(raw) != contents {
			t.Errorf("contents %q, %s", raw, diff)
		}
		_, _, err = w.files.OpenAttachment(t.Context(), w.p, c.ID, cases.Document, a.ID)
		wantFault(t, err, fault.NotFound, "document.not_found")
		if err := w.files.DeleteAttachment(t.Context(), w.p, c.ID, cases.Proof, a.ID); err != nil {
			t.Fatal(err)
		}
		type deletion struct {
			Facts    string
			Version  int64
			Contents int
		}
		deleted := deletion{w.facts(c.ID), w.load(c.ID).Version, w.contents()}
		if diff := cmp.Diff(deletion{"proofs_deleted", 3, 0}, deleted); diff != "" {
			t.Error(diff)
		}
		wantFault(t, w.files.DeleteAttachment(t.Context(), w.p, c.ID, cases.Proof, a.ID),
			fault.NotFound, "proof.not_found")
		if n := len(w.history(c.ID)); n != 3 || w.load(c.ID).Version != 3 {
			t.Errorf("%d entries after a deletion that failed", n)
		}
		_, _, err = w.files.OpenAttachment(t.Context(), w.p, c.ID, cases.Proof, a.ID)
		wantFault(t, err, fault.NotFound, "proof.not_found")
	})
}

// oneDocument asks for one document by its key.
func oneDocument(caseID int64, key string) casework.Generation {
	return casework.Generation{CaseID: caseID, Keys: []string{key}, Single: true}
}

// A document with a gap in place of a name is worse than none.
func TestADocumentThatCannotShowAllCharactersIsRefusedAndNothingSaved(t *testing.T) {
	engines(t, func(t *testing.T, w *world) {
		w.put(w.p, loan("loan", ""))
		for client, want := range map[string]string{
			"李明": "U+660E (明, Han), U+674E (李, Han)", "Ann\u0001": "U+0001 (control character)", "தமிழ்": "Tamil",
		} {
			c := w.submit(casework.Submission{Type: "loan", Transition: "open", Data: map[string]any{
				"client": client, "amount": 10, "email": "ann@example.com",
			}})
			_, err := w.files.GenerateDocuments(t.Context(), w.p, oneDocument(c.ID, "summary"), authz.Once{})
			wantFault(t, err, fault.Unprocessable, "document.no_font")
			if detail := fault.As(err).Detail; !strings.Contains(detail, want) {
				t.Errorf("%q does not name %s", detail, want)
			}
			if after := w.load(c.ID); after.Version != 1 || len(w.history(c.ID)) != 1 || w.contents() != 0 {
				t.Errorf("version %d, %d entries, %d contents", after.Version, len(w.history(c.ID)), w.contents())
			}
		}
	})
}

func TestDocumentsShowTheCase(t *testing.T) {
	engines(t, func(t *testing.T, w *world) {
		w.put(w.p, loan("loan", ""))
		c := w.open("loan")
		made, err := w.files.GenerateDocuments(t.Context(), w.p, oneDocument(c.ID, "summary"), authz.Once{})
		if err != nil {
			t.Fatal(err)
		}
		a := made[0]
		want := cases.Attachment{
			Filename: "summary-L-001.pdf", MediaType: "application/pdf", Key: "summary", Version: 2,
		}
		got := cases.Attachment{Filename: a.Filename, MediaType: a.MediaType, Key: a.Key, Version: a.Version}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
		_, body, err := w.files.OpenAttachment(t.Context(), w.p, c.ID, cases.Document, a.ID)
		if err != nil {
			t.Fatal(err)
		}
		raw, _ := io.ReadAll(body)
		body.Close()
		if !bytes.HasPrefix(raw, []byte("%PDF-")) || int64(len(raw)) != a.Size {
			t.Errorf("%d bytes that begin with %.8q", len(raw), raw)
		}
		if got := w.facts(c.ID); got != "documents_generated" {
			t.Errorf("facts %q", got)
		}
		all, err := w.files.Attachments(t.Context(), w.p, store.AttachmentFilter{CaseID: c.ID, Kind: cases.Document})
		if diff := cmp.Diff([]cases.Attachment{a}, all); err != nil || diff != "" {
			t.Error(err, diff)
		}
		if err := w.files.DeleteAttachment(t.Context(), w.p, c.ID, cases.Document, a.ID); err != nil {
			t.Fatal(err)
		}
		if got := w.facts(c.ID); got != "documents_deleted" || w.contents() != 0 {
			t.Errorf("facts %q, %d contents", got, w.contents())
		}
	})
}

func TestRefusedAttachments(t *testing.T) {
	w := start(t, func(c *settings) { c.MaxUpload = 10 })
	w.put(w.p, loan("loan", ""))
	c := w.open("loan")
	upload := func(id int64, key string, body io.Reader) error {
		_, err := w.files.UploadProof(t.Context(), w.p, id, casework.Upload{Key: key, Body: body}, authz.Once{})
		return err
	}
	wantFault(t, upload(c.ID, "bill", strings.NewReader("12345678901")), fault.TooLarge, "blob.too_large")
	wantFields(t,
		wantFault(t, upload(c.ID, "x\x00", strings.NewReader("1")), fault.Unprocessable, "proof.unknown_key"), "/key")
	wantFault(t, upload(c.ID+1, "bill", strings.NewReader("1")), fault.NotFound, "case.not_found")
	wantFault(t, upload(c.ID, "bill", iotest.ErrReader(errors.New("cut off"))), fault.Invalid, "proof.incomplete")
	wantFault(t,
		upload(c.ID, "bill",
			io.MultiReader(strings.NewReader(strings.Repeat("x", 10)), iotest.ErrReader(errors.New("cut off")))),
		fault.Invalid, "proof.incomplete")
	_, err := w.files.GenerateDocuments(t.Context(), w.p, oneDocument(c.ID, "x"), authz.Once{})
	wantFields(t, wantFault(t, err, fault.Unprocessable, "document.unknown_key"), "/key")
	_, err = w.files.GenerateDocuments(t.Context(), w.p, oneDocument(c.ID+1, "summary"), authz.Once{})
	wantFault(t, err, fault.NotFound, "case.not_found")
	for _, missing := range []string{"", "prf_1", "a\x00b", strings.Repeat("x", 300)} {
		wantFault(t, w.files.DeleteAttachment(t.Context(), w.p, c.ID, cases.Proof, missing), fault.NotFound,
			"proof.not_found")
		_, _, err := w.files.OpenAttachment(t.Context(), w.p, c.ID, cases.Proof, missing)
		wantFault(t, err, fault.NotFound, "proof.not_found")
	}
	_, err = w.files.Attachments(t.Context(), w.p,
		store.AttachmentFilter{CaseID: c.ID, Kind: cases.Proof, After: "\x00", Limit: 10})
	wantFault(t, err, fault.Invalid, "page.invalid")
	if n := w.contents(); n != 0 || w.load(c.ID).Version != 1 {
		t.Errorf("%d contents are left behind, version %d", n, w.load(c.ID).Version)
	}
}

// A case is deleted while a proof is uploaded: the contents are removed.
func TestAProofOfACaseThatGoesIsNotKept(t *testing.T) {
	w := start(t)
	w.put(w.p, loan("loan", ""))
	c := w.open("loan")
	body := reads(sync.OnceFunc(func() {
		if err := w.cases.DeleteCase(t.Context(), w.p, casework.Deletion{CaseID: c.ID}); err != nil {
			t.Error(err)
		}
	}))
	_, err := w.files.UploadProof(t.Context(), w.p, c.ID, casework.Upload{Key: "bill", Body: body}, authz.Once{})
	wantFault(t, err, fault.NotFound, "case.not_found")
	if n := w.contents(); n != 0 {
		t.Errorf("%d contents are left behind", n)
	}
}

// reads is an empty body that calls a function when it is read.
type reads func()

func (r reads) Read([]byte) (int, error) {
	r()
	return 0, io.EOF
}

func TestNamesOfFiles(t *testing.T) {
	w := start(t)
	w.put(w.p, loan("loan", ""))
	c := w.open("loan")
	png := "\x89PNG\r\n\x1a\n"
	for _, f := range []struct{ name, claimed, body, filename, mediaType string }{
		{"", "", "", "file", "text/plain"},
		{"a.txt", "text/plain; charset=utf-8", "hello", "a.txt", "text/plain"},
		{"../../etc/passwd", "", "x", "passwd", "text/plain"},
		{"..", "nonsense", "x", "file", "text/plain"},
		{"a\r\nSet-Cookie: x\x00.pdf", "application/pdf", "%PDF-1", "aSet-Cookie_ x.pdf", "application/pdf"},
		{"\u202egpj.exe", "image/jpeg", png, "gpj.exe", "image/png"},
		{"page.html", "text/html", "<p>x", "page.html", "application/octet-stream"},
		{"page.png", "image/png", "<html><script>", "page.png", "application/octet-stream"},
		{"i.svg", "image/svg+xml", "<svg>", "i.svg", "application/octet-stream"},
		{"x.js", "text/javascript", "alert(1)", "x.js", "application/octet-stream"},
		{"d.docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document", "PK\x03\x04", "d.docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"},
		{"m.eml", "message/rfc822", "From: x", "m.eml", "message/rfc822"},
		{strings.Repeat("é", 300) + ".pdf", "", "%PDF-1", strings.Repeat("é", 116) + ".pdf", "application/pdf"},
		{"\xff\xfe.bin", "x/y\r\nz", "\x00\x01", "_.bin", "application/octet-stream"},
	} {
		a, err := w.files.UploadProof(t.Context(), w.p, c.ID, casework.Upload{
			Key: "bill", Filename: f.name, MediaType: f.claimed, Body: strings.NewReader(f.body),
		}, authz.Once{})
		if err != nil || a.Filename != f.filename || a.MediaType != f.mediaType {
			t.Errorf("%q, %q: %q, %q, %v", f.name, f.claimed, a.Filename, a.MediaType, err)
		}
	}
}

func TestComments(t *testing.T) {
	engines(t, func(t *testing.T, w *world) {
		w.put(w.p, loan("loan", ""))
		c := w.open("loan")
		for _, text := range []string{"", " \n", strings.Repeat("é", 20_001), "a\x00b", "\xff"} {
			_, err := w.comment(w.p, c.ID, text, authz.Once{})
			wantFields(t, wantFault(t, err, fault.Unprocessable, "comment.invalid"), "/text")
		}
		_, err := w.comment(w.p, c.ID+1, "x", authz.Once{})
		wantFault(t, err, fault.NotFound, "case.not_found")
		var want []cases.Comment
		for _, text := range []string{"first", strings.Repeat("é", 20_000)} {
			comment, err := w.comment(w.p, c.ID, text, authz.Once{})
			if err != nil {
				t.Fatal(err)
			}
			want = append(want, comment)
		}
		got, err := items(w.comments.Comments(t.Context(), w.p, c.ID, "", 10))
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Error(err, diff)
		}
		if got, err = items(w.comments.Comments(t.Context(), w.p, c.ID, want[0].ID, 10)); err != nil || len(got) != 1 {
			t.Errorf("%d comments after the first, %v", len(got), err)
		}
		fact, err := event.CaseCommented.Decode(w.history(c.ID)[2].Facts[0])
		if err != nil || fact.ID != want[1].ID || w.load(c.ID).Version != 3 {
			t.Errorf("fact %+v, %v, version %d", fact, err, w.load(c.ID).Version)
		}
		_, err = items(w.comments.Comments(t.Context(), w.p, c.ID+1, "", 10))
		wantFault(t, err, fault.NotFound, "case.not_found")
	})
}

func TestCleanRemovesWhatNothingRefersTo(t *testing.T) {
	w := start(t)
	w.put(w.p, loan("loan", ""))
	c := w.open("loan")
	if _, err := w.files.UploadProof(t.Context(), w.p, c.ID, casework.Upload{Key: "bill", Body: strings.NewReader("x")},
		once("proof", "k", "r")); err != nil {
		t.Fatal(err)
	}
	if _, err := w.blobs.Put(t.Context(), id.New("blob"), strings.NewReader("left"), 10); err != nil {
		t.Fatal(err)
	}
	clean := func() {
		t.Helper()
		if err := w.files.Clean(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if clean(); w.contents() != 2 {
		t.Errorf("%d contents, and both are new", w.contents())
	}
	w.later(25 * time.Hour)
	if clean(); w.contents() != 1 {
		t.Errorf("%d contents, and one is referred to", w.contents())
	}
	all, err := w.files.Attachments(t.Context(), w.p, store.AttachmentFilter{CaseID: c.ID, Kind: cases.Proof})
	if err != nil || len(all) != 1 {
		t.Fatal(len(all), err)
	}
	_, body, err := w.files.OpenAttachment(t.Context(), w.p, c.ID, cases.Proof, all[0].ID)
	if err != nil {
		t.Fatal(err)
	}
	body.Close()
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if err := w.files.Clean(ended); err == nil {
		t.Error("cleaning went on after its end")
	}
}
