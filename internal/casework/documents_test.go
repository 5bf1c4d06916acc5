package casework_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/casehook/casehook/internal/access"
	"github.com/casehook/casehook/internal/authz"
	"github.com/casehook/casehook/internal/cases"
	"github.com/casehook/casehook/internal/casetype"
	"github.com/casehook/casehook/internal/casework"
	"github.com/casehook/casehook/internal/fault"
	"github.com/casehook/casehook/internal/store"
	"github.com/casehook/casehook/internal/wire"
)

// letters is a case type with documents for several clearances. One is longer than a document may be.
const letters = `{"key": "letters", "edit": "edit",
	"fields": {"type": "object", "properties": {"client": {"type": "string"}, "long": {"type": "string"},
		"email": {"type": "string", "x-classification": "PRIVATE"}, "iban": {"type": "string", "x-classification": "RESTRICTED"}}},
	"states": [{"key": "open"}], "transitions": [{"key": "make", "to": "open"}, {"key": "edit", "from": ["open"]}],
	"documents": [{"key": "public", "template": "For {client}"}, {"key": "private", "template": "To {email}"},
		{"key": "restricted", "template": "{iban}"}, {"key": "other", "template": "Dear {client}"},
		{"key": "long", "template": "{long} {long} {long} {long}"}]}`

func (w *world) letters() casework.View {
	w.t.Helper()
	w.put(w.p, letters)
	return w.submit(casework.Submission{
		Type: "letters", Data: object(`{"client":"Ann","email":"a@b.example","iban":"CH93"}`),
	})
}

// keysSeen lists the document_keys of each case_documents_updated of a case's last
// entry, as a clearance sees it.
func (w *world) keysSeen(caseID int64, clearance casetype.Classification) (keys []string) {
	w.t.Helper()
	entries := w.history(caseID)
	for _, m := range wire.Messages(entries[len(entries)-1], "0.1.0", clearance) {
		if m.Trigger != "case_documents_updated" || m.Hidden {
			continue
		}
		_, after, _ := strings.Cut(string(m.Body), `"document_keys":`)
		keys = append(keys, after)
	}
	return keys
}

func TestSeveralDocumentsAreOneCommitAndOneMessageWithAllKeysInOrder(t *testing.T) {
	engines(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		c := w.letters()
		g := casework.Generation{CaseID: c.ID, Keys: []string{"other", "restricted", "public", "private"}}
		made, err := w.files.GenerateDocuments(ctx, w.p, g, authz.Once{})
		if err != nil || len(made) != 4 {
			t.Fatalf("%d documents, %v", len(made), err)
		}
		var ids []string
		for i, a := range made {
			ids = append(ids, a.ID)
			if a.Key != g.Keys[i] || a.Version != 2 || a.Size == 0 {
				t.Errorf("document %d: %+v", i, a)
			}
		}
		all, err := w.files.Attachments(ctx, w.p, store.AttachmentFilter{CaseID: c.ID, Kind: cases.Document})
		if diff := cmp.Diff(made, all); err != nil || diff != "" {
			t.Error(err, diff)
		}
		w.checkKeysSeen(c.ID, "generated")
		type counts struct {
			Contents, Entries int
			Version, Revision int64
		}
		v := w.load(c.ID)
		got := counts{w.contents(), len(w.history(c.ID)), v.Version, v.Revision}
		if diff := cmp.Diff(counts{4, 2, 2, 1}, got); diff != "" {
			t.Error(diff)
		}

		low := w.p
		low.Clearance = casetype.Private
		wantFault(t, w.files.DeleteDocuments(ctx, low, c.ID, ids), fault.NotFound, "document.not_found")
		wantFault(t, w.files.DeleteDocuments(ctx, w.p, c.ID, append(ids, "doc_none")),
			fault.NotFound, "document.not_found")
		wantFault(t, w.files.DeleteDocuments(ctx, w.p, c.ID, append(ids, ids[0])),
			fault.Invalid, "document.ids_invalid")
		if n, v := w.contents(), w.load(c.ID); n != 4 || v.Version != 2 {
			t.Errorf("refused deletions left %d contents, version %d", n, v.Version)
		}
		if err := w.files.DeleteDocuments(ctx, w.p, c.ID, ids); err != nil {
			t.Fatal(err)
		}
		w.checkKeysSeen(c.ID, "deleted")
		if n, v := w.contents(), w.load(c.ID); n != 0 || v.Version != 3 {
			t.Errorf("%d contents are left, version %d", n, v.Version)
		}
	})
}

// checkKeysSeen checks which of four documents each clearance receives.
func (w *world) checkKeysSeen(caseID int64, action string) {
	w.t.Helper()
	for clearance, keys := range map[casetype.Classification]string{
		casetype.Public: `["other","public"]`, casetype.Private: `["other","public","private"]`,
		casetype.Restricted: `["other","restricted","public","private"]`,
	} {
		want := []string{keys + `,"action":"` + action + `"}`}
		if diff := cmp.Diff(want, w.keysSeen(caseID, clearance)); diff != "" {
			w.t.Errorf("%s sees (-want +got):\n%s", clearance, diff)
		}
	}
}

func TestOfSeveralDocumentsAllAreMadeOrNone(t *testing.T) {
	engines(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		c := w.letters()
		make := func(ctx context.Context, keys ...string) error {
			_, err := w.files.GenerateDocuments(ctx, w.p, casework.Generation{CaseID: c.ID, Keys: keys}, authz.Once{})
			return err
		}
		wantFields(t,
			wantFault(t, make(ctx, "public", "none", "private", "nil"), fault.Unprocessable, "document.unknown_key"),
			"/keys/1", "/keys/3")
		wantFields(t,
			wantFault(t, make(ctx, "public", "private", "public"), fault.Unprocessable, "document.keys_invalid"),
			"/keys/2")
		wantFields(t, wantFault(t, make(ctx), fault.Unprocessable, "document.keys_invalid"), "/keys")
		v := w.submit(casework.Submission{
			CaseID: c.ID, Edit: true, Data: map[string]any{"long": strings.Repeat("x", 200<<10)},
		})
		wantFields(t,
			wantFault(t, make(ctx, "public", "private", "long"), fault.Unprocessable, "document.too_long"), "/keys/2")
		gone, cancel := context.WithCancel(ctx)
		cancel()
		if err := make(gone, "public", "private"); !errors.Is(err, fault.Unavailable) {
			t.Errorf("a client that has gone gets %v", err)
		}
		if n, now := w.contents(), w.load(c.ID); n != 0 || now.Version != v.Version {
			t.Errorf("%d contents are left behind, version %d after %d", n, now.Version, v.Version)
		}
	})
}

func TestSeveralDocumentsAreMadeOnceUnderAKey(t *testing.T) {
	engines(t, func(t *testing.T, w *world) {
		c := w.letters()
		g := casework.Generation{CaseID: c.ID, Keys: []string{"public", "private"}}
		o := once(access.GenerateDocument, "k", "r")
		if _, err := w.files.GenerateDocuments(t.Context(), w.p, g, o); err != nil {
			t.Fatal(err)
		}
		_, err := w.files.GenerateDocuments(t.Context(), w.p, g, o)
		if answer := replayed(t, err); !strings.Contains(string(answer.Body), `"public"`) ||
			!strings.Contains(string(answer.Body), `"Version":2`) {
			t.Errorf("the answer that was kept is %s", answer.Body)
		}
		if n := w.contents(); n != 2 || w.load(c.ID).Version != 2 {
			t.Errorf("%d contents, version %d", n, w.load(c.ID).Version)
		}
	})
}

func TestACaseThatChangesMeanwhileGetsNoneOfTheDocuments(t *testing.T) {
	var meanwhile func() // when a document is being made, which looks at the clock
	w := start(t, func(c *settings) {
		clock := c.guard.Now
		c.guard.Now = func() time.Time {
			if do := meanwhile; do != nil {
				meanwhile = nil
				do()
			}
			return clock()
		}
	})
	c := w.letters()
	meanwhile = func() {
		w.submit(casework.Submission{CaseID: c.ID, Edit: true, Data: object(`{"client":"Bo"}`)})
	}
	_, err := w.files.GenerateDocuments(t.Context(), w.p,
		casework.Generation{CaseID: c.ID, Keys: []string{"public", "private"}}, authz.Once{})
	wantFault(t, err, fault.Conflict, "case.version_conflict")
	every := store.AttachmentFilter{CaseID: c.ID, Kind: cases.Document, Clearance: casetype.Restricted, Limit: 9}
	all, err := w.store.Attachments(t.Context(), w.p.Tenant, every)
	if err != nil || len(all) != 0 || w.contents() != 0 {
		t.Errorf("%d rows, %d contents, %v", len(all), w.contents(), err)
	}
}
