package webhook_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/casehook/casehook/internal/wire"
	"github.com/casehook/casehook/webhook"
)

// vector is a request from the server's own tests: headers, and a body.
type vector struct {
	name   string
	header http.Header
	body   []byte
}

// vectors returns the vectors whose names begin with prefix.
func vectors(t testing.TB, prefix string) []vector {
	t.Helper()
	files, err := filepath.Glob("../internal/wire/testdata/" + prefix + "*.golden")
	if err != nil || len(files) == 0 {
		t.Fatalf("there are no vectors: %v", err)
	}
	var all []vector
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		v := vector{name: filepath.Base(file), header: http.Header{}, body: content}
		if head, body, found := bytes.Cut(content, []byte("\n\n")); found {
			v.body = body
			for line := range strings.Lines(string(head)) {
				name, value, _ := strings.Cut(strings.TrimSpace(line), ": ")
				v.header.Set(name, value)
			}
		}
		all = append(all, v)
	}
	return all
}

// A thin body is decoded like a full one, without the members that it lacks.
func TestThinBodiesAreDecoded(t *testing.T) {
	content, err := os.ReadFile("../internal/wire/testdata/thin/bodies.golden")
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(string(content)), "\n")
	for i := 0; i+1 < len(lines); i += 2 { // a heading, and a body
		trigger, _, _ := strings.Cut(lines[i], ",")
		e, err := webhook.Decode(http.Header{}, []byte(lines[i+1]))
		if err != nil {
			t.Errorf("%s: %v", lines[i], err)
			continue
		}
		if e.Trigger != trigger || e.Payload == nil {
			t.Errorf("%s: trigger %q, payload %v", lines[i], e.Trigger, e.Payload)
		}
	}
}

// Every trigger has a payload, and a vector that shows that the payload holds all of the body.
func TestEveryTriggerHasATypedPayload(t *testing.T) {
	seen := map[string]bool{}
	for _, v := range vectors(t, "") {
		if strings.HasPrefix(v.name, "about_to_submit") {
			continue
		}
		e, err := webhook.Decode(v.header, v.body)
		if err != nil {
			t.Fatalf("%s: %v", v.name, err)
		}
		if e.Payload == nil {
			t.Errorf("%s: %s has no typed payload", v.name, e.Trigger)
			continue
		}
		seen[e.Trigger] = true
		if diff := cmp.Diff(known(t, v.body), known(t, written(t, e.Payload)), sameMoments); diff != "" {
			t.Errorf("%s: %T does not hold all of the body: %s", v.name, e.Payload, diff)
		}
		if c, ok := e.Case(); ok != strings.HasPrefix(e.Trigger, "case_") || ok && c.Version != e.Sequence {
			t.Errorf("%s: its case is %+v, %v", v.name, c, ok)
		}
	}
	for _, trigger := range wire.Triggers() {
		if !seen[trigger.Name] {
			t.Errorf("%s has no vector that is decoded", trigger.Name)
		}
	}
}

// written returns a payload as JSON, a claim with its data.
func written(t *testing.T, payload any) []byte {
	t.Helper()
	raw, err := json.Marshal(payload)
	if err != nil {
		t.Fatal(err)
	}
	of, isClaim := payload.(webhook.ClaimEvent)
	if !isClaim {
		return raw
	}
	whole := map[string]any{}
	if err := json.Unmarshal(raw, &whole); err != nil {
		t.Fatal(err)
	}
	data := map[string]any{}
	if err := of.Claim.Decode(&data); err != nil {
		t.Fatal(err)
	}
	kept := whole["claim"].(map[string]any)
	for name, value := range data {
		if _, is := kept[name]; !is {
			kept[name] = value
		}
	}
	raw, err = json.Marshal(whole)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// known returns JSON without null, zero and empty members, which payloads do not tell apart, and without the name of
// the trigger, which the event has.
func known(t *testing.T, raw []byte) any {
	t.Helper()
	var v map[string]any
	if err := json.Unmarshal(raw, &v); err != nil {
		t.Fatal(err)
	}
	delete(v, "trigger")
	return pruned(v)
}

func pruned(v any) any {
	object, is := v.(map[string]any)
	if !is {
		return v
	}
	for name, value := range object {
		value = pruned(value)
		empty := value == nil || value == "0001-01-01T00:00:00Z" || reflect.ValueOf(value).IsZero()
		if list, is := value.([]any); is && len(list) == 0 {
			empty = true
		}
		if object[name] = value; empty {
			delete(object, name)
		}
	}
	return object
}

func TestAnEventHasTheValuesOfItsHeaders(t *testing.T) {
	v := vectors(t, "case_state_changed_corrected")[0]
	v.header.Set("webhook-attempt", "3")
	v.header.Set("webhook-timestamp", "1772439300")
	e, err := webhook.Decode(v.header, v.body)
	if err != nil {
		t.Fatal(err)
	}
	p, ok := e.Payload.(webhook.CaseStateChanged)
	if !ok || p.Transition != "" || p.Current == "" || p.ID != 4539148803436467 {
		t.Errorf("the payload is %#v", e.Payload)
	}
	if e.ID == "" {
		t.Error("the event has no id")
	}
	want := webhook.Event{
		Trigger: "case_state_changed", Subject: "case/4539148803436467", Sequence: 7, Attempt: 3, SentAt: now,
	}
	got := webhook.Event{
		Trigger: e.Trigger, Subject: e.Subject, Sequence: e.Sequence, Attempt: e.Attempt, SentAt: e.SentAt,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestAClaimsDataIsDecodedIntoAStruct(t *testing.T) {
	v := vectors(t, "claim_assigned_ui")[0]
	e, err := webhook.Decode(v.header, v.body)
	if err != nil {
		t.Fatal(err)
	}
	p := e.Payload.(webhook.ClaimEvent)
	type claimant struct {
		LastName string `json:"last_name"`
	}
	type glass struct {
		Policy   string      `json:"policy_no"`
		Cost     json.Number `json:"estimated_claim_cost"`
		Claimant claimant    `json:"claimant"`
	}
	var got glass
	if err := p.Claim.Decode(&got); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(glass{"P-4711 <&>", "64000", claimant{"Meier"}}, got); diff != "" {
		t.Error(diff)
	}
	if p.Claim.AssignedTo == nil || p.Claim.AssignedTo.UserID != 17 || !p.Claim.ClosedAt.IsZero() ||
		p.PerformedBy.UserID != 2642 {
		t.Errorf("%+v", p)
	}
	if err := p.Claim.Decode(new([]string)); !errors.Is(err, webhook.ErrBody) {
		t.Errorf("read into a list: %v", err)
	}
}

// A claim type may have fields whose names differ from Casehook's own only in letter case.
func TestAClaimsDataIsNotTakenForCasehooksFields(t *testing.T) {
	body := `{"event_name":"claim.created","claim":{"id":7,"status":"open","labels":["a"],"Status":"closed","ID":9,"LABELS":"none"}}`
	e, err := webhook.Decode(http.Header{}, []byte(body))
	if err != nil {
		t.Fatal(err)
	}
	c := e.Payload.(webhook.ClaimEvent).Claim
	if c.ID != 7 || c.Status != "open" || !slices.Equal(c.Labels, []string{"a"}) {
		t.Errorf("%+v", c)
	}
	var data map[string]any
	if err := c.Decode(&data); err != nil || data["Status"] != "closed" || data["LABELS"] != "none" {
		t.Errorf("its data: %v, %v", data, err)
	}
}

func TestTheTriggerComesFromTheBody(t *testing.T) {
	e, err := webhook.Decode(http.Header{"X-Atfinity-Event": {"case_approved"}}, []byte(`{"trigger":"case_declined"}`))
	if err != nil || e.Trigger != "case_declined" {
		t.Errorf("%+v, %v", e, err)
	}
}

func TestAnUnknownTriggerStaysRaw(t *testing.T) {
	for _, body := range []string{`{"trigger":"case_frozen","x":1}`, `{"event_name":"case_frozen","x":1}`} {
		e, err := webhook.Decode(http.Header{}, []byte(body))
		if err != nil || e.Trigger != "case_frozen" || e.Payload != nil || string(e.Body) != body {
			t.Errorf("%+v, %v", e, err)
		}
	}
}

func TestABodyOfAnotherShapeIsRefused(t *testing.T) {
	for _, body := range []string{
		``, `[]`, `{}`, `{"trigger":7}`, `{"trigger":"case_created","case_id":"x"}`,
		`{"event_name":"claim.closed","claim":[]}`, `{"trigger":"case_created"}x`,
	} {
		if e, err := webhook.Decode(http.Header{}, []byte(body)); !errors.Is(err, webhook.ErrBody) || e != nil {
			t.Errorf("%s: %+v, %v", body, e, err)
		}
	}
}

func TestOperationalTriggersAreTyped(t *testing.T) {
	for _, trigger := range []string{"endpoint.failing", "endpoint.disabled", "endpoint.recovered"} {
		e, err := webhook.Decode(http.Header{},
			[]byte(`{"trigger":"`+trigger+`","endpoint_id":"ep_1","url":"https://crm.example.com/hooks",
			"since":"2026-03-02T08:15:00Z","reason":"timeout","occurred_at":"2026-03-02T08:20:00Z"}`))
		if err != nil {
			t.Fatal(err)
		}
		p, ok := e.Payload.(webhook.EndpointEvent)
		if !ok || p.OccurredAt.Sub(p.Since) != 5*time.Minute {
			t.Errorf("%#v", e.Payload)
		}
		got := []string{p.Trigger, p.EndpointID, p.Reason}
		if diff := cmp.Diff([]string{trigger, "ep_1", "timeout"}, got); diff != "" {
			t.Error(diff)
		}
	}
}

// Decoding depends on the bytes alone, and never panics.
func FuzzDecode(f *testing.F) {
	for _, v := range vectors(f, "") {
		f.Add(v.body)
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		e, err := webhook.Decode(http.Header{}, body)
		if (e == nil) != (err != nil) || err != nil && !errors.Is(err, webhook.ErrBody) {
			t.Fatalf("%+v, %v", e, err)
		}
		if q, err := webhook.DecodeAboutToSubmit(http.Header{}, body); err == nil {
			if a, err := q.Amend(map[string]any{"a": 1}); err == nil &&
				!slices.Contains(slices.Collect(maps.Keys(a.Data.(map[string]json.RawMessage))), "a") {
				t.Fatalf("%+v", a)
			}
		}
	})
}

// sameMoments compares times by value: bodies have three digits of a second, and Go's own as many as it needs.
var sameMoments = cmp.FilterValues(func(a, b string) bool {
	_, errA := time.Parse(time.RFC3339, a)
	_, errB := time.Parse(time.RFC3339, b)
	return errA == nil && errB == nil
}, cmp.Comparer(func(a, b string) bool {
	x, _ := time.Parse(time.RFC3339, a)
	y, _ := time.Parse(time.RFC3339, b)
	return x.Equal(y)
}))
