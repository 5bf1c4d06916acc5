package store

import (
	"encoding/hex"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/casehook/casehook/internal/endpoint"
)

// endpointsWithColumns are endpoints as they were before their settings were one document:
// one with all settings, and one with none.
const endpointsWithColumns = `insert into endpoints (id, tenant, name, url, status, policy, secrets, revision, created_at,
		updated_at, clearance, reached, sources, ignore_own, token, description, metadata, condition, owner, name_key,
		expired_from, expired_to, health_version, failing_since, failing_counted, failing_reason, failing_told, breaker)
	values ('ep_1', 1, 'CRM', 'https://a.example/?a=b&c="d"', 'paused',
		'{"retries":[],"timeout":3000000000,"concurrency":3,"order":"strict","rate_limit":0.05,"keep_answers":true,"atfinity_version":"2.4.1"}',
		x'SEALED1', 9, 1, 2, 'PRIVATE', 'RESTRICTED', 'ui', true, 'tok_1', 'It''s "new"', '{"team":"ü\"","":"1"}',
		'case.type == "kyc"', 'user/7', 'crm', 3, 4, 5, 6, 7, 'timeout', true, 'open'),
	('ep_2', 1, '', 'https://b.example/', 'active', '{}', x'SEALED2', 1, 1, 2, 'PUBLIC', 'PUBLIC', '', false, '', '', '',
		'', '', '', 0, 0, 0, 0, 0, '', false, '')`

func TestAnEndpointOfBeforeKeepsEverySetting(t *testing.T) {
	t.Parallel()
	seal, err := newSealer(testKey)
	if err != nil {
		t.Fatal(err)
	}
	rows := []string{`insert into tenants (key, name, created_at) values ('acme', 'Acme', 1)`}
	text := endpointsWithColumns
	for n, id := range []string{"ep_1", "ep_2"} {
		sealed := hex.EncodeToString(seal.seal([]byte(`{"keys":[]}`), endpointPlace(id)))
		text = strings.Replace(text, []string{"SEALED1", "SEALED2"}[n], sealed, 1)
	}
	rows = append(rows, text,
		`insert into subscriptions (tenant, endpoint, trigger_name) values (1, 'ep_1', 'case_created')`)
	want := endpoint.Endpoint{
		ID:          "ep_1",
		Tenant:      1,
		Name:        "CRM",
		URL:         `https://a.example/?a=b&c=%22d%22`,
		Status:      endpoint.Paused,
		Description: `It's "new"`,
		Metadata:    map[string]string{"team": `ü"`, "": "1"},
		Triggers:    []string{"case_created"},
		Sources:     []string{"ui"},
		IgnoreOwn:   true,
		Token:       "tok_1",
		Filter:      `case.type == "kyc"`,
		Owner:       "user/7",
		Policy: endpoint.Policy{
			Retries: []time.Duration{}, Timeout: 3 * time.Second, Concurrency: 3, Order: endpoint.Strict,
			RateLimit: 0.05,
		},
		Options:     endpoint.Options{KeepAnswers: true, AtfinityVersion: "2.4.1"},
		Clearance:   "PRIVATE",
		Reached:     "RESTRICTED",
		ExpiredFrom: fromMicros(3),
		ExpiredTo:   fromMicros(4),
		Health: endpoint.Health{
			Version: 5, Since: fromMicros(6), Counted: fromMicros(7), Reason: "timeout", Reported: true, Notable: true,
			Breaker: endpoint.Open,
		},
		Revision:  9,
		CreatedAt: fromMicros(1),
		UpdatedAt: fromMicros(2),
	}
	plain := endpoint.Endpoint{
		ID:        "ep_2",
		Tenant:    1,
		URL:       "https://b.example/",
		Status:    endpoint.Active,
		Clearance: "PUBLIC",
		Reached:   "PUBLIC",
		Revision:  1,
		CreatedAt: fromMicros(1),
		UpdatedAt: fromMicros(2),
	}
	afterMigration(t, 27, rows, func(t *testing.T, s *Store, engine string) {
		got, err := s.Endpoints(t.Context(), 1, "", 9)
		if diff := cmp.Diff([]endpoint.Endpoint{want, plain}, got.Items); diff != "" || err != nil {
			t.Errorf("%s: %v\n%s", engine, err, diff)
		}
	})
}
