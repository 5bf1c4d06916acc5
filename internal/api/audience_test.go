package api_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/casehook/casehook/internal/event"
	"github.com/casehook/casehook/internal/store"
	"github.com/casehook/casehook/internal/wire/wiretest"
)

// commitFailing appends the entry that delivery writes about an unreachable endpoint.
func (w *world) commitFailing(tenant int64, id string) {
	w.t.Helper()
	now := time.Now().UTC().Truncate(time.Microsecond)
	must(w.t, w.store.Update(w.t.Context(), func(tx *store.Tx) error {
		_, err := tx.Append(w.t.Context(), event.Entry{
			Tenant:  tenant,
			Subject: event.EndpointSubject(id),
			Version: 1,
			At:      now,
			Actor:   event.Actor{Source: event.System, Name: "Casehook"},
			Facts:   []event.Fact{event.EndpointFailing.New(event.NoDetails{})},
			Snapshot: event.Snapshot{Endpoint: &event.Endpoint{
				ID: id, URL: "https://crm.example.com", Since: now, Reason: "503 Service Unavailable", Class: "PUBLIC",
			}},
		})
		return err
	}))
}

// The journal, the preview of a filter and the deliveries of a case show exactly the messages that delivery sends to an
// endpoint.
func TestAnEndpointsShownMessagesAreItsSentOnes(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, w *world) {
		var mu sync.Mutex
		sent := map[string][]string{} // messages, by the path at the receiver
		receiver := httptest.NewServer(wiretest.Handler(t,
			http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
				io.Copy(io.Discard, r.Body)
				mu.Lock()
				defer mu.Unlock()
				sent[r.URL.Path] = append(sent[r.URL.Path], r.Header.Get("webhook-id"))
			})))
		t.Cleanup(receiver.Close)
		w.do("PUT", "/v1/case-types/note", note).is(201, "")
		manager := []string{"Authorization", w.token(`{"name": "m", "role": "manager"}`)}
		w.do("PUT", "/v1/case-types/closed", narrowed("closed", `["admin"]`)).is(201, "")
		const all = `"triggers": ["case_created", "case_comment", "endpoint.failing"]`
		type kind struct {
			name, settings string
			header         []string
			want           string // triggers, in order
		}
		kinds := []kind{
			{"everything", all, nil, "case_comment case_created case_created endpoint.failing"},
			{"by trigger", `"triggers": ["case_comment"]`, nil, "case_comment"},
			{"by source", all + `, "sources": ["ui"]`, nil, "endpoint.failing"},
			{"not its own", all + `, "ignore_own": true`, nil, "endpoint.failing"},
			{"by filter", all + `, "filter": "message.trigger != 'case_comment'"`, nil, "case_created case_created endpoint.failing"},
			{"of its owner", all, manager, "case_comment case_created endpoint.failing"},
		}
		endpoints := map[string]string{} // ids, by name
		for _, k := range kinds {
			url := receiver.URL + "/" + strings.ReplaceAll(k.name, " ", "-")
			made := w.post("/v1/endpoints", `{"url": "`+url+`", "start": "beginning", `+k.settings+`}`,
				k.header...).is(201, "")
			endpoints[k.name] = made.text("id")
		}
		open, closed := w.write("note"), w.write("closed")
		w.post("/v1/cases/"+open+"/comments", `{"text": "x"}`).is(201, "")
		tenant, err := w.store.TenantByKey(t.Context(), "default")
		must(t, err)
		for _, id := range endpoints {
			w.commitFailing(tenant.ID, id)
		}
		w.sequence()

		polled, _, _ := w.poll("after=beginning&limit=1000")
		triggers := map[string]string{} // by message
		for _, m := range polled {
			triggers[m.ID] = m.Trigger
		}
		// short lists triggers, each endpoint's own facts among them.
		short := func(messages []string) string {
			var names []string
			for _, m := range messages {
				names = append(names, triggers[m])
			}
			slices.Sort(names)
			text := strings.Join(names, " ")
			others := strings.TrimSpace(strings.Repeat("endpoint.failing ", len(kinds)-1))
			return strings.Replace(text, others, "endpoint.failing", 1)
		}
		waiting := map[string][]string{} // messages about cases, by endpoint
		for _, id := range []string{open, closed} {
			for _, item := range w.get("/v1/cases/"+id+"/deliveries").is(200, "").items() {
				item := item.(map[string]any)
				for _, d := range item["deliveries"].([]any) {
					to := d.(map[string]any)["endpoint_id"].(string)
					waiting[to] = append(waiting[to], item["message"].(string))
				}
			}
		}
		type views struct{ Journal, Preview, Cases, Sent string }
		got, want := map[string]views{}, map[string]views{}
		for _, k := range kinds {
			var journal, preview []string
			messages, _, _ := w.poll("after=beginning&limit=1000&endpoint=" + endpoints[k.name])
			for _, m := range messages {
				journal = append(journal, m.ID)
			}
			_, _, previewed := w.preview("", "&entries=200&endpoint="+endpoints[k.name])
			for _, m := range previewed {
				if m := m.(map[string]any); m["outcome"] == "matched" {
					preview = append(preview, m["id"].(string))
				}
			}
			got[k.name] = views{
				Journal: short(journal), Preview: short(preview), Cases: short(waiting[endpoints[k.name]]),
			}
			want[k.name] = views{
				k.want, k.want, strings.TrimSpace(strings.TrimSuffix(k.want, "endpoint.failing")), k.want,
			}
		}
		w.deliver()
		for _, k := range kinds {
			w.awaitDelivered("/v1/endpoints/" + endpoints[k.name])
		}
		mu.Lock()
		defer mu.Unlock()
		for _, k := range kinds {
			v := got[k.name]
			v.Sent = short(sent["/"+strings.ReplaceAll(k.name, " ", "-")])
			got[k.name] = v
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	})
}
