package casework_test

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/casehook/casehook/internal/access"
	"github.com/casehook/casehook/internal/authz"
	"github.com/casehook/casehook/internal/casetype"
	"github.com/casehook/casehook/internal/casework"
	"github.com/casehook/casehook/internal/fault"
)

// filed is a type whose cases have documents of several clearances, in a complex type and in a collection.
const filed = `{"key": "filed", "edit": "edit", "blank": "allow", "document_urls": ["https://dm.example/documents/"],
	"fields": {"type": "object", "properties": {
		"proof": {"x-casehook-type": "document"},
		"hidden": {"x-casehook-type": "document", "x-classification": "RESTRICTED"},
		"parts": {"x-casehook-type": "collection", "items": {"$ref": "#/$defs/part"}},
		"note": {"type": "string"}},
		"$defs": {"part": {"type": "object", "properties": {"scan": {"x-casehook-type": "document"}}}}},
	"states": [{"key": "open"}],
	"transitions": [{"key": "open", "to": "open"}, {"key": "edit", "from": ["open"]},
		{"key": "begin", "from": ["open"], "about_to_start": {"url": "${CASEHOOK_VAR_CALLBACKS}/begin", "retries": []},
			"pages": [{"key": "1", "mid_event": {"url": "${CASEHOOK_VAR_CALLBACKS}/page", "retries": []}}]},
		{"key": "ask", "from": ["open"], "about_to_submit": {"url": "${CASEHOOK_VAR_CALLBACKS}/ask", "retries": []}}]}`

// upload uploads a document as a caller.
func (w *world) upload(p access.Principal, name string) casework.StoredDocument {
	w.t.Helper()
	_, grant, err := w.documents.Create(w.t.Context(), p, name)
	if err != nil {
		w.t.Fatal(err)
	}
	d, err := w.documents.Upload(w.t.Context(), grant, casework.Upload{Body: strings.NewReader("contents of " + name)})
	if err != nil {
		w.t.Fatal(err)
	}
	return d
}

func documentAt(url string) map[string]any { return map[string]any{"document_url": url} }

// filed creates a case.
func (w *world) filed(data map[string]any) casework.View {
	w.t.Helper()
	return w.submit(casework.Submission{Type: "filed", Transition: "open", Data: data})
}

// tryFiled edits a case as a caller; 0: they create one.
func (w *world) tryFiled(p access.Principal, id int64, data map[string]any) error {
	in := casework.Submission{CaseID: id, Edit: true, Data: data}
	if id == 0 {
		in = casework.Submission{Type: "filed", Transition: "open", Data: data}
	}
	_, err := w.submissions.Submit(w.t.Context(), p, in, authz.Once{})
	return err
}

// readsDocument reports whether a caller may read a document; otherwise it must be as if there were none.
func (w *world) readsDocument(p access.Principal, id string) bool {
	w.t.Helper()
	_, _, err := w.documents.Document(w.t.Context(), p, id)
	_, contents, opened := w.documents.Open(w.t.Context(), p, id)
	if err == nil && opened == nil {
		contents.Close()
		return true
	}
	wantFault(w.t, err, fault.NotFound, "field_document.not_found")
	wantFault(w.t, opened, fault.NotFound, "field_document.not_found")
	return false
}

func TestADocumentIsFilledInWhereverACaseNamesIt(t *testing.T) {
	engines(t, func(t *testing.T, w *world) {
		w.put(w.p, filed)
		d := w.upload(w.p, `C:\scans\pass.pdf`)
		full := map[string]any{
			"document_url":        "https://casehook.example/quickcase/documents/" + d.ID,
			"document_binary_url": "https://casehook.example/quickcase/documents/" + d.ID + "/binary",
			"document_filename":   "pass.pdf",
		}
		if d.URL != full["document_url"] || d.Size != int64(len(`contents of C:\scans\pass.pdf`)) {
			t.Errorf("uploaded, it is %+v", d)
		}
		named := map[string]any{"document_url": d.URL, "document_filename": "mine.pdf", "document_binary_url": nil}
		v := w.filed(map[string]any{
			"proof": documentAt(d.URL), "hidden": map[string]any{},
			"parts": []any{map[string]any{"id": "1", "value": map[string]any{"scan": named}}},
		})
		if diff := cmp.Diff(full, v.Data["proof"]); diff != "" {
			t.Error(diff)
		}
		full["document_filename"] = "mine.pdf"
		part := v.Data["parts"].([]any)[0].(map[string]any)["value"].(map[string]any)
		if diff := cmp.Diff(map[string]any{"scan": full}, part); diff != "" {
			t.Error(diff)
		}
		for _, d := range []any{v.Data["proof"], documentAt("https://dm.example/documents/7")} {
			if err := w.tryFiled(w.p, v.ID, map[string]any{"proof": d}); err != nil {
				t.Error(err)
			}
		}
	})
}

func TestACaseNamesNoDocumentThatItsSubmitterMayNotUse(t *testing.T) {
	engines(t, func(t *testing.T, w *world) {
		ctx, other := t.Context(), w.tenant("other")
		w.put(w.p, filed)
		worker := w.as(access.Caseworker)
		d, foreign := w.upload(w.p, "a.pdf"), w.upload(other, "b.pdf")
		waiting, _, err := w.documents.Create(ctx, worker, "c.pdf")
		if err != nil {
			t.Fatal(err)
		}
		c := w.filed(map[string]any{"hidden": documentAt(d.URL)})
		worker.Clearance = casetype.Private
		for name, url := range map[string]string{
			"another's": d.URL, "another tenant's": foreign.URL, "one that was not uploaded": waiting.URL,
			"none": waiting.URL + "x", "a place below": d.URL + "/binary", "another server": "https://evil.example/" + d.ID,
			"a way out of the prefix": "https://dm.example/documents/../x", "no URL": "dm.example/documents/7",
			"a prefix as a user": "https://dm.example@evil.example/", "a script": "javascript:alert(1)",
		} {
			for _, id := range []int64{0, c.ID} {
				err := w.tryFiled(worker, id, map[string]any{"proof": documentAt(url)})
				f := wantFault(t, err, fault.Unprocessable, "case.data_invalid")
				if f.Fields[0].Path != "/data/proof/document_url" {
					t.Errorf("%s: %v", name, f.Fields)
				}
			}
			_, err := w.submissions.CheckPage(ctx, worker, casework.FilledPage{
				CaseID: c.ID, Transition: "begin", Page: "1", Data: map[string]any{"proof": documentAt(url)},
			})
			wantFault(t, err, fault.Unprocessable, "case.data_invalid")
		}
		own := w.upload(worker, "d.pdf")
		for _, urls := range [][2]string{
			{own.URL, d.BinaryURL()}, {own.URL, "https://evil.example/x"}, {"https://dm.example/documents/1", d.BinaryURL()},
			{"", "https://evil.example/x"},
		} {
			err := w.tryFiled(worker, c.ID, map[string]any{
				"proof": map[string]any{"document_url": urls[0], "document_binary_url": urls[1]},
			})
			f := wantFault(t, err, fault.Unprocessable, "case.data_invalid")
			wantFields(t, f, "/data/proof/document_binary_url")
		}
		if w.readsDocument(worker, d.ID) || w.readsDocument(other, own.ID) || !w.readsDocument(worker, own.ID) {
			t.Error("a refused submission changed who reads a document")
		}
	})
}

func TestADocumentIsReadByThoseWhoReadAFieldThatNamesIt(t *testing.T) {
	engines(t, func(t *testing.T, w *world) {
		w.put(w.p, strings.Replace(filed, `"edit": "edit"`, `"edit": "edit", "access": {"read": ["caseworker"]}`, 1))
		worker, cleared, manager := w.as(access.Caseworker), w.as(access.Caseworker), w.as(access.Manager)
		other := w.tenant("other")
		worker.Clearance = casetype.Private
		cleared.Actor.TokenID = "tok_cleared"
		shown, hidden := w.upload(w.p, "shown.pdf"), w.upload(worker, "hidden.pdf")
		others := w.readsDocument(worker, shown.ID) || w.readsDocument(other, shown.ID)
		if others || !w.readsDocument(worker, hidden.ID) {
			t.Error("before a case names it, a document is not its owner's alone")
		}
		c, raised := w.filed(map[string]any{"proof": documentAt(shown.URL)}), worker
		raised.Clearance = casetype.Restricted
		if err := w.tryFiled(raised, c.ID, map[string]any{"hidden": documentAt(hidden.URL)}); err != nil {
			t.Fatal(err)
		}
		for name, reads := range map[string]bool{
			"worker, shown":   w.readsDocument(worker, shown.ID),
			"worker, hidden":  !w.readsDocument(worker, hidden.ID), // though it was theirs
			"cleared, hidden": w.readsDocument(cleared, hidden.ID),
			"manager, shown":  !w.readsDocument(manager, shown.ID), // who may not read the case
			"other, shown":    !w.readsDocument(other, shown.ID),
		} {
			if !reads {
				t.Errorf("the wrong people read: %s", name)
			}
		}
		if err := w.tryFiled(w.p, c.ID, map[string]any{"hidden": nil}); err != nil {
			t.Fatal(err)
		}
		if w.readsDocument(cleared, hidden.ID) || !w.readsDocument(worker, hidden.ID) {
			t.Error("a document that no case names any more is not its owner's")
		}
	})
}

func TestRolesThatReadAFieldOrAStateReadItsDocuments(t *testing.T) {
	engines(t, func(t *testing.T, w *world) {
		for name, narrowed := range map[string]string{
			"a field": `"fields": {"proof": {"read": ["caseworker"]}}`,
			"a state": `"states": {"open": {"read": ["caseworker"]}}`,
		} {
			w.put(w.p, strings.Replace(filed, `"edit": "edit"`, `"edit": "edit", "access": {`+narrowed+`}`, 1))
			d := w.upload(w.p, "a.pdf")
			w.filed(map[string]any{"proof": documentAt(d.URL)})
			for role, reads := range map[access.Role]bool{access.Caseworker: true, access.Manager: false} {
				if w.readsDocument(w.as(role), d.ID) != reads {
					t.Errorf("%s, as a %s: %v", name, role, !reads)
				}
			}
		}
	})
}

func TestCallbacksPutDocumentsIntoCases(t *testing.T) {
	engines(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		w.put(w.p, filed)
		robot, worker, other := w.as(access.Manager), w.as(access.Caseworker), w.tenant("other")
		made, begun, paged := w.upload(robot, "made.pdf"), w.upload(robot, "begun.pdf"), w.upload(robot, "paged.pdf")
		foreign := w.upload(other, "foreign.pdf")
		c := w.filed(nil)
		answer := func(path, url string) {
			w.callbacks.on(path, respond(200, fmt.Sprintf(`{"data": {"proof": {"document_url": %q}}}`, url)))
		}
		ask := func() error {
			in := casework.Submission{CaseID: c.ID, Transition: "ask"}
			_, err := w.submissions.Submit(ctx, worker, in, authz.Once{})
			return err
		}
		for _, url := range []string{foreign.URL, "https://evil.example/"} {
			answer("ask", url)
			wantFields(t, wantFault(t, ask(), fault.Unprocessable, "callback.data_invalid"), "/data/proof/document_url")
		}
		answer("ask", made.URL)
		if err := ask(); err != nil || !w.readsDocument(worker, made.ID) {
			t.Errorf("a document of the callback: %v", err)
		}
		answer("begin", begun.URL)
		started, err := w.submissions.Start(ctx, worker, casework.Start{CaseID: c.ID, Transition: "begin"})
		if err != nil || started.Case.Data["proof"].(map[string]any)["document_filename"] != "begun.pdf" {
			t.Fatalf("started, it is %v, %v", started.Case.Data, err)
		}
		answer("page", paged.URL)
		page := casework.FilledPage{CaseID: c.ID, Transition: "begin", Page: "1"}
		checked, err := w.submissions.CheckPage(ctx, worker, page)
		if err != nil || checked.Data["proof"].(map[string]any)["document_filename"] != "paged.pdf" {
			t.Fatalf("checked, it is %v, %v", checked.Data, err)
		}
		for _, d := range []casework.StoredDocument{begun, paged} {
			if err := w.tryFiled(worker, c.ID, map[string]any{"proof": documentAt(d.URL)}); err != nil {
				t.Errorf("a document of the form: %v", err)
			}
		}
	})
}

func TestDocumentsLiveAsLongAsCasesNameThem(t *testing.T) {
	engines(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		w.put(w.p, filed)
		unnamed, shared, one := w.upload(w.p, "a.pdf"), w.upload(w.p, "b.pdf"), w.upload(w.p, "c.pdf")
		var ids []int64
		for _, data := range []map[string]any{
			{"proof": documentAt(shared.URL), "hidden": documentAt(one.URL)}, {"proof": documentAt(shared.URL)},
		} {
			ids = append(ids, w.filed(data).ID)
		}
		left := func(want ...string) {
			t.Helper()
			if err := w.files.Clean(ctx); err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, d := range []casework.StoredDocument{unnamed, shared, one} {
				if w.readsDocument(w.p, d.ID) {
					got = append(got, d.Filename)
				}
			}
			if diff := cmp.Diff(want, got); diff != "" || w.contents() != len(want) {
				t.Errorf("%d contents; %s", w.contents(), diff)
			}
		}
		left("a.pdf", "b.pdf", "c.pdf")
		w.later(25 * time.Hour)
		left("b.pdf", "c.pdf")
		if err := w.tryFiled(w.p, ids[0], map[string]any{"hidden": nil}); err != nil { // its history still names it
			t.Fatal(err)
		}
		w.later(25 * time.Hour)
		left("b.pdf", "c.pdf")
		for i, want := range [][]string{{"b.pdf"}, nil} {
			if err := w.cases.DeleteCase(ctx, w.p, casework.Deletion{CaseID: ids[i]}); err != nil {
				t.Fatal(err)
			}
			left(want...)
		}
	})
}

func TestADocumentIsUploadedOnceAndInTime(t *testing.T) {
	engines(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		send := func(grant casework.UploadGrant, body io.Reader) error {
			_, err := w.documents.Upload(ctx, grant, casework.Upload{MediaType: "text/html", Body: body})
			return err
		}
		d, grant, err := w.documents.Create(ctx, w.p, "../../x\r\nSet-Cookie: a=b.html")
		if err != nil || strings.ContainsAny(d.Filename, "/\\\r\n:") {
			t.Fatalf("it is named %q, %v", d.Filename, err)
		}
		wantFault(t, send(grant, io.LimitReader(zeroes{}, 1<<20+1)), fault.TooLarge, "blob.too_large")
		wantFault(t, send(grant, iotest.ErrReader(errors.New("cut off"))), fault.Invalid, "proof.incomplete")
		if err := send(grant, strings.NewReader("<html><script>alert(1)</script>")); err != nil {
			t.Fatal(err)
		}
		wantFault(t, send(grant, strings.NewReader("again")), fault.Conflict, "field_document.uploaded")
		_, right, err := w.documents.Document(ctx, w.p, d.ID)
		if err != nil {
			t.Fatal(err)
		}
		got, contents, err := w.documents.OpenGranted(ctx, right)
		if err != nil || got.MediaType != "application/octet-stream" {
			t.Fatalf("opened, it is %+v, %v", got, err)
		}
		contents.Close()
		_, late, err := w.documents.Create(ctx, w.p, "late.pdf")
		if err != nil {
			t.Fatal(err)
		}
		w.later(16 * time.Minute)
		wantFault(t, send(late, strings.NewReader("x")), fault.Forbidden, "field_document.url_invalid")
		_, _, err = w.documents.OpenGranted(ctx, right)
		wantFault(t, err, fault.Forbidden, "field_document.url_invalid")
		if n := w.contents(); n != 1 {
			t.Errorf("there are %d contents", n)
		}
	})
}

func TestTheUnnamedDocumentsOfOneOwnerAreBounded(t *testing.T) {
	w := start(t)
	w.put(w.p, filed)
	worker := w.as(access.Caseworker)
	var grants []casework.UploadGrant
	for {
		d, grant, err := w.documents.Create(t.Context(), w.p, "x.pdf")
		if err != nil {
			wantFault(t, err, fault.TooMany, "field_document.too_many")
			break
		}
		if w.readsDocument(w.p, d.ID) {
			t.Fatal("a document is read before it is uploaded")
		}
		grants = append(grants, grant)
	}
	last := casework.Upload{Body: strings.NewReader("x")}
	if _, err := w.documents.Upload(t.Context(), grants[len(grants)-1], last); err != nil || len(grants) != 200 {
		t.Errorf("of %d documents the last is not taken: %v", len(grants), err)
	}
	for n := 0; ; n++ {
		_, grant, err := w.documents.Create(t.Context(), worker, "x.pdf")
		if err == nil {
			_, err = w.documents.Upload(t.Context(), grant, casework.Upload{Body: io.LimitReader(zeroes{}, 1<<20)})
		}
		if errors.Is(err, fault.TooMany) {
			if n != 16 {
				t.Errorf("%d MiB were taken", n)
			}
			break
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	w.later(25 * time.Hour)
	if err := w.files.Clean(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, p := range []access.Principal{w.p, worker} {
		w.upload(p, "x.pdf")
	}
}

// zeroes has as many zeros as are read.
type zeroes struct{}

func (zeroes) Read(b []byte) (int, error) {
	clear(b)
	return len(b), nil
}
