package hooks_test

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/casehook/casehook/internal/access"
	"github.com/casehook/casehook/internal/authz"
	"github.com/casehook/casehook/internal/casetype"
	"github.com/casehook/casehook/internal/endpoint"
	"github.com/casehook/casehook/internal/fault"
	"github.com/casehook/casehook/internal/hooks"
	"github.com/casehook/casehook/internal/people"
	"github.com/casehook/casehook/internal/store"
)

// endpoint creates an endpoint.
func (w *world) endpoint(name, url string, triggers ...string) endpoint.Endpoint {
	w.t.Helper()
	e, err := w.endpoints.CreateEndpoint(w.t.Context(), w.p,
		endpoint.Endpoint{Name: name, URL: url, Triggers: triggers}, authz.Once{})
	if err != nil {
		w.t.Fatal(err)
	}
	return e
}

func attemptsAt(endpoint string) hooks.AttemptQuery {
	return hooks.AttemptQuery{AttemptFilter: store.AttemptFilter{Endpoint: endpoint}}
}

func TestEndpointsAreMadeChangedAndDeleted(t *testing.T) {
	engines(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		made := w.endpoint("crm", "https://crm.example", "case_created", "case_approved", "case_created")
		if len(made.Secrets) != 1 || len(made.Secrets[0].Key) != 32 || made.Status != endpoint.Active ||
			made.Revision != 1 {
			t.Errorf("made %+v", made)
		}
		got, err := w.endpoints.Endpoint(ctx, w.p, made.ID)
		if diff := cmp.Diff(made, got); err != nil || diff != "" {
			t.Error(err, diff)
		}
		changed, err := w.endpoints.UpdateEndpoint(ctx, w.p, made.ID, func(e *endpoint.Endpoint) {
			e.ID, e.Tenant, e.Secrets, e.Revision = "ep_x", 99, nil, 99 // these can't be changed
			e.URL, e.Triggers, e.Status = "https://other.example/", []string{"case_finished"}, endpoint.Paused
			e.Policy.Timeout = time.Second
		})
		if err != nil {
			t.Fatal(err)
		}
		want := made
		want.URL, want.Triggers, want.Status, want.Revision = "https://other.example/", []string{"case_finished"},
			endpoint.Paused, 2
		want.Policy.Timeout, want.UpdatedAt = time.Second, changed.UpdatedAt
		if diff := cmp.Diff(want, changed); diff != "" {
			t.Error(diff)
		}
		if got, err = w.endpoints.Endpoint(ctx, w.p, made.ID); cmp.Diff(want, got) != "" || err != nil {
			t.Errorf("stored %+v, %v", got, err)
		}
		other := w.endpoint("", "https://crm.example", "case_created")
		all, err := items(w.endpoints.Endpoints(ctx, w.p, "", 0))
		if err != nil || len(all) != 2 {
			t.Errorf("%d endpoints, %v", len(all), err)
		}
		if all, err = items(w.endpoints.Endpoints(ctx, w.p, made.ID, 10)); err != nil || len(all) != 1 ||
			all[0].ID != other.ID {
			t.Errorf("after the first: %+v, %v", all, err)
		}
		_, err = w.endpoints.UpdateEndpoint(ctx, w.p, other.ID, func(e *endpoint.Endpoint) { e.Name = "crm" })
		wantFault(t, err, fault.Conflict, "endpoint.name_taken")
		if found, err := w.messages.Attempts(ctx, w.p, attemptsAt(made.ID)); err != nil || len(found.Items) != 0 {
			t.Errorf("%d attempts, %v", len(found.Items), err)
		}
		if err := w.endpoints.DeleteEndpoint(ctx, w.p, made.ID); err != nil {
			t.Fatal(err)
		}
		for _, missing := range []string{made.ID, "", "a\x00b"} {
			wantFault(t, w.endpoints.DeleteEndpoint(ctx, w.p, missing), fault.NotFound, "endpoint.not_found")
			_, err = w.endpoints.Endpoint(ctx, w.p, missing)
			wantFault(t, err, fault.NotFound, "endpoint.not_found")
			_, err = w.endpoints.UpdateEndpoint(ctx, w.p, missing, func(*endpoint.Endpoint) {})
			wantFault(t, err, fault.NotFound, "endpoint.not_found")
			_, err = w.messages.Attempts(ctx, w.p, attemptsAt(missing))
			wantFault(t, err, fault.NotFound, "endpoint.not_found")
		}
	})
}

func TestWrongEndpointsAreRefusedFieldByField(t *testing.T) {
	w := start(t)
	_, err := w.endpoints.CreateEndpoint(t.Context(), w.p,
		endpoint.Endpoint{Name: "a\x00", URL: "ftp://x", Triggers: []string{"case_created", "x"}}, authz.Once{})
	wantFields(t, wantFault(t, err, fault.Unprocessable, "endpoint.invalid"), "/url", "/triggers/1", "/name")
	e := w.endpoint("", "https://a.example", "case_created")
	for _, status := range []endpoint.Status{"x", endpoint.Disabled} {
		_, err = w.endpoints.UpdateEndpoint(t.Context(), w.p, e.ID, func(e *endpoint.Endpoint) { e.Status = status })
		wantFields(t, wantFault(t, err, fault.Unprocessable, "endpoint.invalid"), "/status")
	}
	_, err = w.endpoints.UpdateEndpoint(t.Context(), w.p, e.ID, func(e *endpoint.Endpoint) { e.Triggers = nil })
	wantFields(t, wantFault(t, err, fault.Unprocessable, "endpoint.invalid"), "/triggers")
}

func TestTargetsAreTheSameRelationSeenFromTheTrigger(t *testing.T) {
	const a, b, c = "https://a.example/x", "https://b.example/x", "https://c.example/x"
	engines(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		both := w.endpoint("both", a, "case_created", "case_finished")
		only := w.endpoint("only", b, "case_created")
		deaf := w.endpoint("deaf", c, "case_finished")

		targets, err := w.endpoints.Targets(ctx, w.p, "case_created")
		if err != nil || len(targets) != 2 || targets[0].Endpoint.ID != both.ID || targets[1].Endpoint.ID != only.ID {
			t.Fatalf("targets %+v, %v", targets, err)
		}
		const d = "https://d.example/x"
		if targets, err = w.endpoints.SetTargets(ctx, w.p, "case_created", []string{d, c}); err != nil {
			t.Fatal(err)
		}
		if len(targets) != 2 || !targets[0].Created || targets[0].Endpoint.URL != d ||
			len(targets[0].Endpoint.Secrets) != 1 ||
			targets[1].Created || targets[1].Endpoint.ID != deaf.ID {
			t.Errorf("set %+v", targets)
		}
		all, err := items(w.endpoints.Endpoints(ctx, w.p, "", 0))
		if err != nil {
			t.Fatal(err)
		}
		got := map[string][]string{}
		for _, e := range all {
			got[e.URL] = e.Triggers
		}
		want := map[string][]string{a: {"case_finished"}, c: {"case_created", "case_finished"}, d: {"case_created"}}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
		revision := targets[1].Endpoint.Revision
		if targets, err = w.endpoints.SetTargets(ctx, w.p, "case_created", []string{c, d}); err != nil ||
			targets[0].Endpoint.Revision != revision {
			t.Errorf("the same targets again changed something: %+v, %v", targets, err)
		}
		if targets, err = w.endpoints.SetTargets(ctx, w.p, "case_created", nil); err != nil || len(targets) != 0 {
			t.Errorf("%+v, %v", targets, err)
		}
		_, err = w.endpoints.Endpoint(ctx, w.p, only.ID)
		wantFault(t, err, fault.NotFound, "endpoint.not_found")
	})
}

func TestAURLIsTheSameHoweverItIsSpelt(t *testing.T) {
	engines(t, func(t *testing.T, w *world) {
		const url, token = "https://xn--mnchen-3ya.example/a%20b?x=%C3%BC", "https://login.example/token"
		e, err := w.endpoints.CreateEndpoint(t.Context(), w.p, endpoint.Endpoint{
			URL: " HTTPS://MÜNCHEN.example.:443/a b?x=ü", Triggers: []string{"case_created"}, Clearance: "PUBLIC",
			Auth: endpoint.Auth{
				Kind: endpoint.OAuth2Auth, TokenURL: "https://LOGIN.example:443/token", ClientID: "c",
				ClientSecret: "s",
			},
		}, authz.Once{})
		if err != nil || e.URL != url || e.Auth.TokenURL != token {
			t.Fatalf("%+v, %v", e, err)
		}
		targets, err := w.endpoints.SetTargets(t.Context(), w.p, "case_finished",
			[]string{"https://mu\u0308nchen.EXAMPLE/./a%20b?x=%C3%BC"})
		if err != nil || len(targets) != 1 || targets[0].Created || targets[0].Endpoint.ID != e.ID {
			t.Errorf("%+v, %v", targets, err)
		}
		after, err := w.endpoints.UpdateEndpoint(t.Context(), w.p, e.ID,
			func(e *endpoint.Endpoint) { e.Point("https://München.example/a b?x=ü") })
		if err != nil {
			t.Fatal(err)
		}
		type identity struct {
			URL, Secret string
			Revision    int64
		}
		got := identity{after.URL, after.Auth.ClientSecret, after.Revision}
		if diff := cmp.Diff(identity{url, "s", targets[0].Endpoint.Revision}, got); diff != "" {
			t.Errorf("the same URL changed something: %s", diff)
		}
		_, err = w.endpoints.UpdateEndpoint(t.Context(), w.p, e.ID,
			func(e *endpoint.Endpoint) { e.Point("https://münchen.example:99999/") })
		wantFields(t, wantFault(t, err, fault.Unprocessable, "endpoint.invalid"), "/url", "/auth/client_secret")
		_, err = w.endpoints.SetTargets(t.Context(), w.p, "case_created",
			[]string{"https://a.example", "HTTPS://A.example:443/"})
		wantFields(t, wantFault(t, err, fault.Unprocessable, "endpoint.invalid"), "/urls/1")
	})
}

func TestWrongTargets(t *testing.T) {
	w := start(t)
	e := w.endpoint("", "https://a.example", "case_created")
	_, err := w.endpoints.SetTargets(t.Context(), w.p, "case_created",
		[]string{"https://b.example", "x", "https://b.example"})
	wantFields(t, wantFault(t, err, fault.Unprocessable, "endpoint.invalid"), "/urls/1", "/urls/2")
	_, err = w.endpoints.SetTargets(t.Context(), w.p, "case_created", slices.Repeat([]string{"https://b.example"}, 101))
	wantFields(t, wantFault(t, err, fault.Unprocessable, "endpoint.invalid"), "/urls")
	_, err = w.endpoints.SetTargets(t.Context(), w.p, "x", nil)
	wantFault(t, err, fault.NotFound, "trigger.not_found")
	_, err = w.endpoints.Targets(t.Context(), w.p, "x")
	wantFault(t, err, fault.NotFound, "trigger.not_found")
	if _, err := w.endpoints.Endpoint(t.Context(), w.p, e.ID); err != nil {
		t.Errorf("a refused change deleted an endpoint: %v", err)
	}
}

func TestTargetsSetAtOnceAreCreatedOnce(t *testing.T) {
	engines(t, func(t *testing.T, w *world) {
		var all sync.WaitGroup
		for range 8 {
			all.Go(func() {
				if _, err := w.endpoints.SetTargets(t.Context(), w.p, "case_created",
					[]string{"https://a.example", "https://b.example"}); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		if got, err := items(w.endpoints.Endpoints(t.Context(), w.p, "", 0)); err != nil || len(got) != 2 {
			t.Errorf("%d endpoints, %v, want 2", len(got), err)
		}
	})
}

func TestAnEndpointRemembersTheTokenThatMadeIt(t *testing.T) {
	engines(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		theirs, err := w.tokens.CreateToken(ctx, w.tenant("second"), people.TokenRequest{Name: "theirs"}, authz.Once{})
		if err != nil {
			t.Fatal(err)
		}
		mine := w.endpoint("crm", "https://crm.example", "case_created")
		if mine.Token != w.p.Actor.TokenID || mine.IgnoreOwn || mine.Sources != nil {
			t.Errorf("made %+v", mine)
		}
		second, err := w.tokens.CreateToken(ctx, w.p, people.TokenRequest{Name: "second", Role: access.Manager},
			authz.Once{})
		if err != nil {
			t.Fatal(err)
		}
		changed, err := w.endpoints.UpdateEndpoint(ctx, w.p, mine.ID, func(e *endpoint.Endpoint) {
			e.Token, e.IgnoreOwn, e.Sources = second.Token.ID, true, []string{"ui", "api", "ui"}
		})
		if err != nil || changed.Token != second.Token.ID || !changed.IgnoreOwn || changed.Sources != nil {
			t.Errorf("changed %+v, %v", changed, err)
		}
		for name, wrong := range map[string]struct {
			path   string
			change func(*endpoint.Endpoint)
		}{
			"a token that is none":      {"/token", func(e *endpoint.Endpoint) { e.Token = "tok_none" }},
			"a token that is no word":   {"/token", func(e *endpoint.Endpoint) { e.Token = "tok\x00" }},
			"another tenant's token":    {"/token", func(e *endpoint.Endpoint) { e.Token = theirs.Token.ID }},
			"nobody's activity ignored": {"/ignore_own", func(e *endpoint.Endpoint) { e.Token = "" }},
			"a source that is none":     {"/sources/0", func(e *endpoint.Endpoint) { e.Sources = []string{"mail"} }},
		} {
			_, err := w.endpoints.UpdateEndpoint(ctx, w.p, mine.ID, wrong.change)
			if f := fault.As(err); f.Code != "endpoint.invalid" || len(f.Fields) != 1 ||
				f.Fields[0].Path != wrong.path {
				t.Errorf("%s: %v", name, err)
			}
		}
		if err := w.tokens.DeleteToken(ctx, w.p, second.Token.ID); err != nil {
			t.Fatal(err)
		}
		if _, err := w.endpoints.UpdateEndpoint(ctx, w.p, mine.ID,
			func(e *endpoint.Endpoint) { e.Name = "new" }); err != nil {
			t.Errorf("with its token revoked it can't be changed any more: %v", err)
		}
	})
}

func TestAnUpdateWithoutChangeKeepsTheRevision(t *testing.T) {
	w := start(t)
	e := w.endpoint("crm", "https://a.example/x", "case_created", "case_changed")
	records := len(w.audited(t))
	same, err := w.endpoints.UpdateEndpoint(t.Context(), w.p, e.ID, func(e *endpoint.Endpoint) {
		e.Name, e.Triggers, e.Metadata = "crm", []string{"case_changed", "case_created", "case_changed"},
			map[string]string{}
	})
	if err != nil || same.Revision != e.Revision || len(w.audited(t)) != records {
		t.Errorf("revision %d, %v, %d records", same.Revision, err, len(w.audited(t))-records)
	}
	changed, err := w.endpoints.UpdateEndpoint(t.Context(), w.p, e.ID,
		func(e *endpoint.Endpoint) { e.Metadata = map[string]string{"a": "b"} })
	if err != nil || changed.Revision != e.Revision+1 || len(w.audited(t)) != records+1 {
		t.Errorf("revision %d, %v, %d records", changed.Revision, err, len(w.audited(t))-records)
	}
}

func TestACertificateThatExpiredIsRefusedWhenItIsSet(t *testing.T) {
	w := start(t)
	e := w.endpoint("", "https://a.example", "case_created")
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	key, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	pair := func(ends time.Time) endpoint.TLS {
		template := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: ends.Add(-time.Hour), NotAfter: ends}
		der, err := x509.CreateCertificate(rand.Reader, template, template, public, private)
		if err != nil {
			t.Fatal(err)
		}
		return endpoint.TLS{
			Certificate: string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})),
			Key:         string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key})),
		}
	}
	now := time.Now()
	_, err = w.endpoints.UpdateEndpoint(t.Context(), w.p, e.ID,
		func(e *endpoint.Endpoint) { e.TLS = pair(now.Add(-time.Minute)) })
	wantFields(t, wantFault(t, err, fault.Unprocessable, "endpoint.invalid"), "/tls/certificate")
	_, err = w.endpoints.CreateEndpoint(t.Context(), w.p,
		endpoint.Endpoint{
			URL: "https://a.example", Triggers: []string{"case_created"}, TLS: pair(now.Add(-time.Minute)),
		}, authz.Once{})
	wantFields(t, wantFault(t, err, fault.Unprocessable, "endpoint.invalid"), "/tls/certificate")
	if _, err = w.endpoints.UpdateEndpoint(t.Context(), w.p, e.ID,
		func(e *endpoint.Endpoint) { e.TLS = pair(now.Add(time.Minute)) }); err != nil {
		t.Error(err)
	}
}

func TestAnEndpointGetsAtMostWhatItsMakerSees(t *testing.T) {
	w := start(t)
	low := w.p
	low.Clearance = casetype.Private
	made := endpoint.Endpoint{URL: "https://a.example", Triggers: []string{"case_created"}}
	e, err := w.endpoints.CreateEndpoint(t.Context(), low, made, authz.Once{})
	if err != nil || e.Clearance != casetype.Private {
		t.Fatalf("cleared for %s, %v", e.Clearance, err)
	}
	raise := func(e *endpoint.Endpoint) { e.Clearance = casetype.Restricted }
	_, err = w.endpoints.UpdateEndpoint(t.Context(), low, e.ID, raise)
	wantFields(t, wantFault(t, err, fault.Unprocessable, "endpoint.invalid"), "/clearance")
	if _, err := w.endpoints.UpdateEndpoint(t.Context(), w.p, e.ID, raise); err != nil {
		t.Fatal(err)
	}
	// Now it gets more than its maker sees, so the maker can't change its URL.
	_, err = w.endpoints.UpdateEndpoint(t.Context(), low, e.ID,
		func(e *endpoint.Endpoint) { e.URL = "https://mine.example" })
	wantFault(t, err, fault.NotFound, "endpoint.not_found")
	wantFault(t, w.endpoints.DeleteEndpoint(t.Context(), low, e.ID), fault.NotFound, "endpoint.not_found")
	targets, err := w.endpoints.SetTargets(t.Context(), low, "case_created", []string{"https://a.example"})
	if err != nil || len(targets) != 1 || targets[0].Endpoint.ID == e.ID {
		t.Errorf("the targets are %v, %v", targets, err)
	}
	if _, err := w.endpoints.Endpoint(t.Context(), w.p, e.ID); err != nil {
		t.Errorf("it is gone: %v", err)
	}
}
