package api_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/casehook/casehook/internal/casetype"
	"github.com/casehook/casehook/internal/store"
	"github.com/casehook/casehook/internal/waits"
	"github.com/casehook/casehook/internal/wire"
	"github.com/casehook/casehook/internal/wire/wiretest"
)

// attempted records, in every tenant, that each endpoint refused the first entry's
// message once, then accepted it.
func (w *world) attempted() {
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
		if len(found.Entries) == 0 {
			continue
		}
		first := found.Entries[0]
		m := wire.Messages(first, "1.2.3", casetype.Restricted)[0]
		sum := sha256.Sum256(m.Body)
		for _, e := range endpoints.Items {
			a := store.Attempt{Tenant: tenant.ID, Endpoint: e.ID, Place: store.Place{Seq: first.Seq, Message: m.ID},
				Subject: first.Subject,
				Trigger: m.Trigger, Number: 1, At: first.At.Add(time.Second), Duration: time.Millisecond,
				Address: "192.0.2.1:443", Status: 500,
				Request: `{"headers":{}}`, Response: `{}`, BodySHA256: hex.EncodeToString(sum[:])}
			b := a
			b.Number, b.Status, b.Delivered, b.BodySHA256 = 2, 200, true, strings.Repeat("0", 64)
			must(w.t, w.store.Update(ctx, func(tx *store.Tx) error {
				_, err := tx.Settle(ctx,
					[]store.Settlement{{Tenant: tenant.ID, Endpoint: e.ID, Attempts: []store.Attempt{a, b}}})
				return err
			}))
		}
	}
}

// storyOfAttempts reads the attempts of the endpoint at a path.
func (w *world) storyOfAttempts(path string) {
	t := w.t
	w.attempted()
	all := w.get(path+"/attempts").is(200, "").items()
	if len(all) != 2 {
		t.Fatalf("the endpoint has %d attempts", len(all))
	}
	newest, oldest := all[0].(map[string]any), all[1].(map[string]any)
	id, subject := newest["id"].(string), newest["subject"].(string)
	endpoint, message := newest["endpoint_id"].(string), newest["message"].(string)
	for query, want := range map[string]int{
		"": 2, "?limit=1": 1, "?outcome=delivered": 1, "?outcome=failed": 1, "?class=timeout": 0, "?status=500": 1, "?status=422": 0, "?trigger=case_created": 2, "?trigger=case_changed": 0,
		"?message=" + message: 2, "?message=msg_other": 0, "?endpoint=" + endpoint: 2, "?case=" + strings.TrimPrefix(subject, "case/"): 2,
		"?subject=" + subject + "&endpoint=" + endpoint + "&outcome=failed": 1, "?since=2999-01-01T00:00:00Z": 0, "?until=2020-01-01T00:00:00Z": 0,
		"?case=4242": 0, "?subject=nonsense": 0, "?since=2020-01-01T00:00:00Z&until=2999-01-01T00:00:00Z": 2,
	} {
		if n := len(w.get("/v1/attempts"+query).is(200, "").items()); n != want {
			t.Errorf("%q finds %d attempts, not %d", query, n, want)
		}
		if strings.Contains(query, "endpoint=") || strings.Contains(query, "case=") ||
			strings.Contains(query, "subject=") {
			continue
		}
		if n := len(w.get(path+"/attempts"+query).is(200, "").items()); n != want {
			t.Errorf("%q lists %d attempts, not %d", query, n, want)
		}
	}
	deliveries := w.get("/v1/"+strings.Replace(subject, "case", "cases", 1)+"/deliveries").is(200, "").items()
	first := deliveries[len(deliveries)-2].(map[string]any)["deliveries"].([]any) // the creation has two triggers
	if len(first) != 1 {
		t.Errorf("the first deliveries are %v", first)
	}
	hasMembers(t, "the first", first[0], members{"endpoint_id": endpoint, "status": "delivered", "attempts": "2"})
	problem := w.get("/v1/problems").is(200, "").items()[0]
	hasMembers(t, "the problem", problem, members{"endpoint_id": endpoint, "status": "500", "count": "1",
		"last_attempt": oldest["id"].(string)})
	w.storyOfFailures(endpoint, subject)
	w.storyOfMetrics(endpoint, newest["at"].(string))
	if g := w.get("/v1/attempts/"+id).is(200, ""); g.text("body_state") != "differs" {
		t.Errorf("a body with another hash is shown as %s", g.body)
	}
	g := w.get("/v1/attempts/"+oldest["id"].(string)).is(200, "")
	if body := g.json()["body"].(map[string]any); g.text("body_state") != "same" || body["trigger"] != "case_created" ||
		!bytes.Contains(g.body, []byte(`"status":500`)) {
		t.Errorf("the attempt is %s", g.body)
	}
}

// storyOfFailures counts the failures at an endpoint that refused one message about a subject.
func (w *world) storyOfFailures(endpoint, subject string) {
	w.t.Helper()
	for query, found := range map[string]bool{
		"": true, "?endpoint=" + endpoint: true, "?subject=" + subject: true, "?trigger=case_created": true,
		"?since=2020-01-01T00:00:00Z": true, "?endpoint=ep_none": false, "?endpoint=%20": false,
		"?until=2020-01-01T00:00:00Z": false, "?trigger=case_changed": false, "?subject=nonsense": false,
	} {
		g := w.get("/v1/attempts/facets"+query).is(200, "").json()
		failures := g["failures"].([]any)
		if g["complete"] != true || len(failures) > 0 != found {
			w.t.Errorf("%q counts %v", query, g)
		}
		for _, one := range failures {
			hasMembers(w.t, "the failures", one, members{"failure": nil, "status": "500", "count": "1"})
		}
	}
	w.get("/v1/attempts/facets?case=1&subject=case/2").is(400, "request.invalid")
}

// storyOfMetrics reads the counts of an endpoint at which there were a failure and a delivery at a time.
func (w *world) storyOfMetrics(endpoint, at string) {
	w.t.Helper()
	for _, step := range []string{"minute", "hour"} {
		for query, found := range map[string]bool{
			"&endpoint=" + endpoint: true, "": true, "&endpoint=ep_none": false, "&endpoint=%20": false,
		} {
			g := w.get("/v1/metrics/deliveries?step="+step+"&since="+at+query).is(200, "").json()
			points := g["points"].([]any)
			want := members{"delivered": "0", "failed": "0", "duration_ms": "0"}
			if found {
				want = members{"delivered": "1", "failed": "1", "duration_ms": "2"}
			}
			hasMembers(w.t, "the first "+step+" of "+query, points[0], want)
		}
	}
	g := w.get("/v1/metrics/deliveries").is(200, "").json()
	if n := len(g["points"].([]any)); n != 60 || g["complete"] != true {
		w.t.Errorf("by default there are %d points: %v", n, g)
	}
	const day = "/v1/metrics/deliveries?since=2026-01-01T00:00:00Z&until=2026-01-01T"
	for end, want := range map[string]int{"06:40:00Z": 400, "00:00:00.001Z": 1, "00:00:00Z": 0} {
		if n := len(w.get(day+end).is(200, "").json()["points"].([]any)); n != want {
			w.t.Errorf("until %s there are %d points, not %d", end, n, want)
		}
	}
	if n := len(w.get(day+"23:30:00Z&step=hour").is(200, "").json()["points"].([]any)); n != 24 {
		w.t.Errorf("a day has %d hours", n)
	}
	w.get(day+"06:40:00.001Z").is(400, "request.invalid")
	w.get("/v1/metrics/deliveries?until=9999-12-31T23:59:59Z&since=0001-01-02T00:00:00Z").is(400, "request.invalid")
}

func TestAnAttemptIsShownWhateverHasGoneSince(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, w *world) {
		w.putTypes()
		path := w.open(`{"client": "Ann"}`)
		made := w.post("/v1/endpoints", `{"url": "https://crm.example.com/hooks", "triggers": ["case_created"]}`).
			is(201, "")
		w.attempted()
		id := w.get("/v1/attempts?outcome=failed").items()[0].(map[string]any)["id"].(string)
		w.do("DELETE", made.header.Get("Location"), nil).is(204, "")
		w.do("DELETE", path, nil).is(204, "")
		if g := w.get("/v1/attempts/"+id).is(200, ""); g.text("body_state") != "same" {
			t.Errorf("it shows %s", g.body)
		}
		if n := len(w.get(made.header.Get("Location")+"/attempts").is(200, "").items()); n != 2 {
			t.Errorf("the deleted endpoint has %d attempts", n)
		}
		lower := w.token(`{"name": "lower", "role": "admin", "clearance": "PRIVATE"}`)
		w.get("/v1/attempts/"+id, "Authorization", lower).is(404, "attempt.not_found")
		if n := len(w.get("/v1/attempts", "Authorization", lower).is(200, "").items()); n != 0 {
			t.Errorf("below the endpoint's clearance %d are found", n)
		}
	})
}

func TestAttemptsNeedTheirCasesClearanceAsOfNow(t *testing.T) {
	t.Parallel()
	w := start(t)
	w.putTypes()
	w.do("PUT", "/v1/case-types/vault", strings.Replace(note, `"key": "note"`,
		`"key": "vault", "security_classification": "RESTRICTED"`, 1)).is(201, "")
	lower := w.token(`{"name": "lower", "role": "admin", "clearance": "PRIVATE"}`)
	w.post("/v1/case-types/note/cases", `{"data": {"text": "x"}}`).is(201, "")
	w.post("/v1/endpoints", `{"url": "https://crm.example.com/hooks", "triggers": ["case_created"]}`, "Authorization",
		lower).is(201, "")
	w.attempted()
	found := w.get("/v1/attempts", "Authorization", lower).is(200, "").items()
	if len(found) != 2 {
		t.Fatalf("%d attempts", len(found))
	}
	first := found[0].(map[string]any)
	failures := func(credential ...string) (counts []any) {
		for _, one := range w.get("/v1/attempts/facets", credential...).is(200, "").json()["failures"].([]any) {
			counts = append(counts, one.(map[string]any)["count"])
		}
		return counts
	}
	problems := func(credential ...string) (counts []any) {
		for _, one := range w.get("/v1/problems", credential...).is(200, "").items() {
			counts = append(counts, one.(map[string]any)["count"])
		}
		return counts
	}
	if all, lowers := problems(), problems("Authorization", lower); len(all) != 1 || !slices.Equal(all, lowers) {
		t.Errorf("the failures are %v, and %v for who sees those attempts alone", all, lowers)
	}
	if all, lowers := failures(), failures("Authorization", lower); len(all) != 1 || !slices.Equal(all, lowers) {
		t.Errorf("%v failures are counted, and %v for who sees those attempts alone", all, lowers)
	}
	w.post("/v1/"+strings.Replace(first["subject"].(string), "case", "cases", 1)+"/switch-type",
		`{"type": "vault"}`).is(200, "")
	if found := w.get("/v1/attempts", "Authorization", lower).is(200, "").items(); len(found) != 0 {
		t.Errorf("attempts about cases that are hidden now are found: %v", found)
	}
	if all, lowers := problems(), problems("Authorization", lower); len(all) != 1 || len(lowers) != 0 {
		t.Errorf("the failures are %v, and %v for who sees none of these attempts", all, lowers)
	}
	if all, lowers := failures(), failures("Authorization", lower); len(all) != 1 || len(lowers) != 0 {
		t.Errorf("%v failures are counted, and %v for who sees none of these attempts", all, lowers)
	}
	w.get("/v1/attempts/"+first["id"].(string), "Authorization", lower).is(404, "attempt.not_found")
	if found := w.get("/v1/attempts").is(200, "").items(); len(found) != 2 {
		t.Errorf("%d attempts for who sees all", len(found))
	}
}

func TestDeliveriesOfACase(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, w *world) {
		w.putTypes()
		refuse := make(chan struct{}, 100)
		receiver := httptest.NewServer(wiretest.Handler(t,
			http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
				io.Copy(io.Discard, r.Body)
				if r.URL.Path == "/refuses" {
					rw.WriteHeader(http.StatusTeapot)
				}
				if r.URL.Path == "/gives-up" {
					rw.WriteHeader(http.StatusBadRequest)
				}
				refuse <- struct{}{}
			})))
		t.Cleanup(receiver.Close)
		endpoints := map[string]string{} // by their paths
		for path, policy := range map[string]string{"/takes": `{}`, "/refuses": `{"retries": ["1h"]}`,
			"/gives-up": `{"retries": []}`, "/paused": `{}`} {
			made := w.post("/v1/endpoints", `{"url": "`+receiver.URL+path+
				`", "triggers": ["case_created", "case_comment"], "policy": `+policy+`}`).is(201, "")
			endpoints[made.text("id")] = path
			if path == "/paused" {
				w.do("PATCH", made.header.Get("Location"), `{"status": "paused"}`).is(200, "")
			}
		}
		path := w.open(`{"client": "Ann"}`)
		w.post(path+"/comments", `{"text": "x"}`).is(201, "")
		w.deliver()
		want := map[string]string{ // the newest first: the comment, then the creation's second trigger and its first
			"/takes": "delivered - delivered", "/refuses": "waiting - parked", "/gives-up": "dead - dead", "/paused": "waiting - waiting",
		}
		for late := waits.Context(t); ; {
			got := map[string]string{}
			items := w.get(path+"/deliveries").is(200, "").items()
			for _, i := range []int{0, 1, 2} { // comment, created, state_changed
				for _, d := range items[i].(map[string]any)["deliveries"].([]any) {
					d := d.(map[string]any)
					name := endpoints[d["endpoint_id"].(string)]
					if got[name] != "" {
						got[name] += " - "
					}
					got[name] += d["status"].(string)
				}
			}
			diff := cmp.Diff(want, got)
			if diff == "" {
				break
			}
			if late.Err() != nil {
				t.Fatalf("(-want +got):\n%s", diff)
			}
			select {
			case <-refuse:
			case <-time.After(50 * time.Millisecond):
			}
		}
		first := w.get(path+"/deliveries?limit=1").is(200, "")
		if n := len(first.items()); n != 1 || first.json()["next"] == nil {
			t.Errorf("a page of one commit has %d messages", n)
		}
		if rest := w.get(path+"/deliveries?limit=1&cursor="+first.text("next")).is(200, "").items(); len(rest) != 2 {
			t.Errorf("the next page has %d messages", len(rest))
		}
		lower := w.token(`{"name": "lower", "role": "admin", "clearance": "PUBLIC"}`)
		for _, item := range w.get(path+"/deliveries", "Authorization", lower).is(200, "").items() {
			if deliveries := item.(map[string]any)["deliveries"].([]any); len(deliveries) != 0 {
				t.Errorf("a reader who may not see endpoints sees %v", deliveries)
			}
		}
	})
}
