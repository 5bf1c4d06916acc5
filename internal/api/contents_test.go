package api_test

import (
	"crypto/sha256"
	"encoding/hex"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/casehook/casehook/internal/store"
	"github.com/casehook/casehook/internal/wire"
)

// answered records that every endpoint was sent its view of the first entry's messages, and what it answered.
func (w *world) answered(response string) {
	w.t.Helper()
	ctx := w.t.Context()
	w.sequence()
	tenants, err := w.store.Tenants(ctx)
	must(w.t, err)
	for _, tenant := range tenants {
		found, err := w.store.TenantJournal(ctx, tenant.ID, 0, 1)
		must(w.t, err)
		endpoints, err := w.store.Endpoints(ctx, tenant.ID, "", 100)
		must(w.t, err)
		for _, e := range endpoints.Items {
			all := wire.Messages(found.Entries[0], "", e.Clearance)
			m := all[slices.IndexFunc(all, func(m wire.Message) bool { return m.Trigger == "claim.created" })]
			sum := sha256.Sum256(m.Body)
			a := store.Attempt{
				Tenant: tenant.ID, Endpoint: e.ID, Place: store.Place{Seq: found.Entries[0].Seq, Message: m.ID},
				Subject: found.Entries[0].Subject, Trigger: m.Trigger, Number: 1, At: found.Entries[0].At, Status: 200,
				Delivered: true, Request: `{"headers":[]}`, Response: response, BodySHA256: hex.EncodeToString(sum[:]),
			}
			must(w.t, w.store.Update(ctx, func(tx *store.Tx) error {
				_, err := tx.Settle(ctx,
					[]store.Settlement{{Tenant: tenant.ID, Endpoint: e.ID, Attempts: []store.Attempt{a}}})
				return err
			}))
		}
	}
}

// A search finds in an attempt what its reader is shown of it, so that it tells nobody what is hidden from them.
func TestNothingHiddenIsFoundByTheContentsOfAttempts(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, w *world) {
		w.do("PUT", "/v1/case-types/open", confidential("open", "")).is(201, "")
		w.post("/v1/case-types/open/cases",
			`{"data": {"text": "Bärenhöhle & \"Söhne\"", "amount": 9007199254740993, "secret": "hushed"}}`).is(201, "")
		lower := w.token(`{"name": "lower", "role": "admin", "clearance": "PUBLIC"}`)
		low := w.post("/v1/endpoints", `{"url": "https://crm.example/low", "clearance": "PUBLIC",
			"triggers": ["claim.created"]}`).is(201, "").text("id")
		high := w.post("/v1/endpoints",
			`{"url": "https://crm.example/high", "triggers": ["claim.created"]}`).is(201, "").text("id")
		w.answered(`{"body":"{\"why\":\"\\u00dcbel \\ud83d\\ude00 \\q\"}",` +
			`"headers":{"X-Request-Id":"r-77"},"error":"lost \\"}`)
		for part, want := range map[string][2]int{ // for who sees all, and for who sees less
			"hushed": {1, 0}, "HUSH": {1, 0}, "bärenHÖHLE &": {2, 1}, `"Söhne"`: {2, 1}, "9007199254740993": {2, 1},
			"übel": {2, 1}, "\U0001f600 \\q": {2, 1}, "x-request-id: R-77": {2, 1}, "lost \\": {2, 1},
			"nowhere": {0, 0}, "webhook-signature": {0, 0}, "\x00": {0, 0}, "%": {0, 0}, "_ushed": {0, 0},
		} {
			query := "?contains=" + url.QueryEscape(part)
			for i, credential := range [][]string{nil, {"Authorization", lower}} {
				g := w.get("/v1/attempts"+query, credential...).is(200, "")
				if n := len(g.items()); n != want[i] || g.json()["next"] != nil {
					t.Errorf("%q finds %d attempts, want %d: %s", part, n, want[i], g.body)
				}
				if n := len(w.get("/v1/attempts"+query+"&outcome=failed", credential...).is(200, "").items()); n != 0 {
					t.Errorf("%q finds %d attempts among those that failed", part, n)
				}
				of := w.get("/v1/endpoints/"+low+"/attempts"+query, credential...).is(200, "").items()
				if len(of) != want[1] {
					t.Errorf("%q finds %d attempts at the lower endpoint, want %d", part, len(of), want[1])
				}
			}
		}
		w.get("/v1/attempts?contains="+strings.Repeat("x", 201)).is(400, "request.invalid")
		w.do("DELETE", "/v1/endpoints/"+high, nil).is(204, "")
		if n := len(w.get("/v1/attempts?contains=hushed").is(200, "").items()); n != 1 {
			t.Errorf("%d attempts at a deleted endpoint are found", n)
		}
		if n := len(w.get("/v1/attempts?contains=hushed", "Authorization", lower).is(200, "").items()); n != 0 {
			t.Errorf("%d attempts at a deleted endpoint tell what is hidden", n)
		}
	})
}
