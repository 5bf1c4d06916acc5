package endpoint_test

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/casehook/casehook/internal/endpoint"
)

// settled is an endpoint that has all settings.
var settled = endpoint.Endpoint{
	URL: "https://example.com/", Description: "d", Metadata: map[string]string{"a": "1"}, Sources: []string{"ui"},
	IgnoreOwn: true, Filter: "true", Token: "tok_1", Owner: "user/7",
	Policy: endpoint.Policy{
		Retries: []time.Duration{time.Second}, Timeout: time.Minute, Concurrency: 3, Order: endpoint.Strict,
		RateLimit: 0.25,
	},
	Options: endpoint.Options{KeepAnswers: true, AtfinityVersion: "2.4.1", Payload: endpoint.Thin},
}

func TestADocumentHoldsAllSettings(t *testing.T) {
	if v := reflect.ValueOf(settled.Options); !filled(v) {
		t.Fatalf("set all options of this test's endpoint: %+v", settled.Options)
	}
	raw, err := settled.Document()
	if err != nil {
		t.Fatal(err)
	}
	var got endpoint.Endpoint
	err = got.SetDocument(raw)
	if diff := cmp.Diff(settled, got); diff != "" || err != nil {
		t.Error(err, diff)
	}
}

func filled(v reflect.Value) bool {
	for i := range v.NumField() {
		if v.Field(i).IsZero() {
			return false
		}
	}
	return true
}

// A document distinguishes the default schedule from an empty one.
func TestADocumentTellsNoRetriesFromTheDefault(t *testing.T) {
	for _, retries := range [][]time.Duration{nil, {}} {
		raw, err := endpoint.Endpoint{Policy: endpoint.Policy{Retries: retries}}.Document()
		if err != nil {
			t.Fatal(err)
		}
		var got endpoint.Endpoint
		if err := got.SetDocument(raw); err != nil || (got.Policy.Retries == nil) != (retries == nil) {
			t.Errorf("%#v is read as %#v, %v", retries, got.Policy.Retries, err)
		}
	}
}

func TestADocumentHoldsNoSecret(t *testing.T) {
	e := endpoint.Endpoint{
		Secrets: []endpoint.Secret{{ID: "sec_1", Key: []byte("sesame")}},
		Headers: []endpoint.Header{{Name: "X-Key", Value: "sesame"}},
		Auth:    endpoint.Auth{Kind: endpoint.BasicAuth, Username: "sesame", Password: "sesame"},
		TLS:     endpoint.TLS{Key: "sesame"},
	}
	raw, err := e.Document()
	if err != nil || strings.Contains(string(raw), "sesame") || strings.Contains(string(raw), "c2VzYW1l") {
		t.Errorf("%s, %v", raw, err)
	}
}

// While servers are upgraded one after the other, an older one must not lose settings that a newer one has saved.
func TestSettingsOfANewerVersionAreKept(t *testing.T) {
	var e endpoint.Endpoint
	if err := e.SetDocument([]byte(`{"format":1,"url":"https://a.example/","sound":"bell","nested":{"a":1.50}}`)); err != nil {
		t.Fatal(err)
	}
	e = e.Clone()
	e.Description = "Changed."
	raw, err := e.Document()
	if err != nil {
		t.Fatal(err)
	}
	var members map[string]json.RawMessage
	if err := json.Unmarshal(raw, &members); err != nil {
		t.Fatal(err)
	}
	got := []string{
		string(members["url"]), string(members["description"]), string(members["sound"]), string(members["nested"]),
	}
	if diff := cmp.Diff([]string{`"https://a.example/"`, `"Changed."`, `"bell"`, `{"a":1.50}`}, got); diff != "" {
		t.Error(diff)
	}
}

func TestADocumentThatCannotBeReadNamesItsEndpoint(t *testing.T) {
	for raw, want := range map[string]string{
		`{"format":2}`:              "format 2",
		`{"format":1,"timeout":"x"`: "unexpected end",
		`{"timeout":"x"}`:           "timeout",
	} {
		e := endpoint.Endpoint{ID: "ep_1"}
		if err := e.SetDocument([]byte(raw)); err == nil || !strings.Contains(err.Error(), "ep_1") ||
			!strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", raw, err)
		}
	}
}
