package api_test

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/casehook/casehook/internal/access"
	"github.com/casehook/casehook/internal/event"
	"github.com/casehook/casehook/internal/store"
)

func TestIdsOfAuditRecordsDoNotCount(t *testing.T) {
	w := start(t)
	w.token(`{"name": "one"}`)
	w.token(`{"name": "two"}`)
	seen := map[string]bool{}
	for _, item := range w.get("/v1/audit").is(200, "").items() {
		id, _ := item.(map[string]any)["id"].(string)
		if !strings.HasPrefix(id, "aud_") || len(id) != len("aud_")+32 || seen[id] {
			t.Errorf("the id is %q", id)
		}
		seen[id] = true
	}
	if len(seen) < 2 {
		t.Errorf("there are %d records", len(seen))
	}
}

func TestTheAuditIsNarrowed(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, w *world) {
		viewer := w.token(`{"name": "the viewer", "role": "viewer"}`)
		made := w.post("/v1/tokens", `{"name": "crm"}`).is(201, "")
		token := "token/" + made.text("id")
		for range 3 {
			w.get("/v1/audit", "Authorization", viewer).is(403, "access.denied")
		}
		denied := w.get("/v1/audit?outcome=refused").is(200, "").items()
		by := denied[0].(map[string]any)["by"].(map[string]any)["token_id"].(string)
		at := denied[0].(map[string]any)["at"].(string)
		for query, want := range map[string]int{
			"action=access.denied": len(denied), "action=token.created&subject=" + token: 1, "by=token/" + by: len(denied),
			"by=token/" + by + "&outcome=done": 0, "subject=token/none": 0, "by=user/77": 0, "action=%20": 0,
			"subject=" + token + "&since=2020-01-01T00:00:00Z": 1, "subject=" + token + "&until=2020-01-01T00:00:00Z": 0,
			"since=2999-01-01T00:00:00Z": 0, "outcome=refused&since=" + at + "&until=2999-01-01T00:00:00Z": 1,
		} {
			found := w.get("/v1/audit?limit=200&"+query).is(200, "").items()
			if len(found) < want || want != 1 && len(found) != want {
				t.Errorf("%s finds %d records, not %d: %v", query, len(found), want, found)
			}
		}
		pages, n := 0, 0
		for next := "/v1/audit?limit=1&outcome=done"; next != ""; pages++ {
			page := w.get(next).is(200, "")
			n += len(page.items())
			if next = ""; page.json()["next"] != nil {
				next = "/v1/audit?limit=1&outcome=done&cursor=" + page.text("next")
			}
		}
		if all := len(w.get("/v1/audit?limit=200&outcome=done").items()); n != all || all < 2 {
			t.Errorf("%d pages have %d records of %d", pages, n, all)
		}
		w.get("/v1/audit?outcome=maybe").is(400, "request.invalid")
		w.get("/v1/audit?since=soon").is(400, "request.invalid")
	})
}

// An export has the newest 10,000 records of the list, whatever a spreadsheet would make of them.
func TestTheAuditIsExported(t *testing.T) {
	t.Parallel()
	w := start(t)
	const formula = `=HYPERLINK("https://crm.example/","x")`
	must(t, w.store.Update(t.Context(), func(tx *store.Tx) error {
		for range 10_020 {
			err := tx.Audit(t.Context(), access.Record{
				Tenant: 1, At: time.Now(), Action: access.SignInFailed,
				Actor: event.Actor{Source: event.UI, Name: formula, Address: "192.0.2.1"},
			})
			if err != nil {
				return err
			}
		}
		return nil
	}))
	newest := w.get("/v1/audit?outcome=refused&limit=1").is(200, "").items()[0].(map[string]any)
	table := w.get("/v1/audit/export?outcome=refused").is(200, "")
	rows, err := csv.NewReader(bytes.NewReader(table.body)).ReadAll()
	must(t, err)
	if len(rows) != 10_001 || rows[1][0] != newest["id"] {
		t.Errorf("the table has %d rows, the first of them %q", len(rows), rows[1])
	}
	if name := rows[1][slices.Index(rows[0], "name")]; name != "'"+formula {
		t.Errorf("a spreadsheet takes the name for a formula: %s", name)
	}
	lines := w.get("/v1/audit/export?format=jsonl&outcome=refused").is(200, "")
	seen := map[string]bool{}
	for line := range strings.Lines(string(lines.body)) {
		var record struct {
			ID string
			By struct{ Name string }
		}
		must(t, json.Unmarshal([]byte(line), &record))
		if seen[record.ID] = true; record.By.Name != formula {
			t.Fatalf("the name is %q", record.By.Name)
		}
	}
	if len(seen) != 10_000 || table.header.Get("Content-Disposition") != `attachment; filename="audit.csv"` {
		t.Errorf("there are %d records; the header is %v", len(seen), table.header)
	}
	if done := w.get("/v1/audit/export?outcome=done").is(200, ""); bytes.Count(done.body, []byte("\n")) > 20 {
		t.Errorf("what was done is %s", done.body)
	}
	w.get("/v1/audit/export?format=xml").is(400, "request.invalid")
	viewer := w.token(`{"name": "the viewer", "role": "viewer"}`)
	w.get("/v1/audit/export", "Authorization", viewer).is(403, "access.denied")
}
