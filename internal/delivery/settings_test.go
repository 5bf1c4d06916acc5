package delivery_test

import (
	"bytes"
	"crypto/ed25519"
	"encoding/base64"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"github.com/casehook/casehook/internal/endpoint"
	"github.com/casehook/casehook/internal/id"
	"github.com/casehook/casehook/internal/outbound"
	"github.com/casehook/casehook/internal/store"
	"github.com/casehook/casehook/internal/wire/wiretest"
	"github.com/casehook/casehook/webhook"
)

// received is a request as a receiver saw it.
type received struct {
	header http.Header
	body   []byte
}

// repeater is a receiver that answers with the whole request.
func (b *bench) repeater() (*httptest.Server, <-chan received) {
	requests := make(chan received, 1000)
	s := httptest.NewServer(wiretest.Handler(b, http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		body, _ := io.ReadAll(q.Body)
		for name, values := range q.Header {
			w.Header()["Told-"+name] = values
			io.WriteString(w, strings.Join(values, ",")+"\n")
		}
		requests <- received{q.Header.Clone(), body}
	})))
	b.Cleanup(s.Close)
	return s, requests
}

func next(b *bench, requests <-chan received) received {
	b.Helper()
	select {
	case t := <-requests:
		return t
	case <-b.progress.Late():
		b.Fatal("nothing arrived")
		return received{}
	}
}

// add saves an endpoint.
func (b *bench) add(e endpoint.Endpoint) endpoint.Endpoint {
	b.Helper()
	made := b.listening(e.URL, e.Policy)
	made.Headers, made.Auth, made.TLS, made.Options = e.Headers, e.Auth, e.TLS, e.Options
	if len(e.Secrets) > 0 {
		made.Secrets = e.Secrets
	}
	b.update(func(tx *store.Tx) error { return tx.CreateEndpoint(b.Context(), made, id.New("cur")) })
	return made
}

// record returns an endpoint's only attempt.
func (b *bench) record(e endpoint.Endpoint) store.Attempt {
	b.Helper()
	b.served(e)
	attempts, err := b.store.Attempts(b.Context(), b.tenant, e.ID, 1<<62, 10)
	if err != nil || len(attempts) != 1 {
		b.Fatalf("%d attempts, %v", len(attempts), err)
	}
	return attempts[0]
}

func TestHeadersOfItsOwnGoWithEachRequestAndIntoNoRecord(t *testing.T) {
	onBothEngines(t, func(b *bench) {
		server, requests := b.repeater()
		e := b.add(endpoint.Endpoint{URL: server.URL,
			Options: endpoint.Options{KeepAnswers: true}, Headers: []endpoint.Header{
				{Name: "X-Api-Key", Value: "sesame-open"}, {Name: "x-lower", Value: "kept as spelt"},
				// The API refuses such settings; another program wrote these.
				{Name: "Webhook-Id", Value: "forged-id"}, {Name: "content-type", Value: "forged/type"}, {Name: "Connection", Value: "forged-close"},
			}})
		b.comment(1, 1)
		got := next(b, requests)
		for name, want := range map[string]string{
			"X-Api-Key": "sesame-open", "X-Lower": "kept as spelt", "Content-Type": "application/json; charset=UTF-8",
		} {
			if values := got.header.Values(name); len(values) != 1 || values[0] != want {
				b.Errorf("%s is %q", name, values)
			}
		}
		if got.header.Get("webhook-id") == "forged-id" || strings.Contains(got.header.Get("Connection"), "forged") {
			b.Errorf("a header of ours was overridden: %v", got.header)
		}
		a := b.record(e)
		for _, secret := range []string{"sesame", "kept as spelt"} {
			if strings.Contains(a.Request+a.Response, secret) {
				b.Errorf("the attempt contains a value: %s %s", a.Request, a.Response)
			}
		}
		if !strings.Contains(a.Request, `["X-Api-Key","(redacted)"]`) || !strings.Contains(a.Response, "(redacted)") {
			b.Errorf("the attempt lacks the name: %s %s", a.Request, a.Response)
		}
	})
}

func TestEachEndpointGetsTheVersionThatItExpects(t *testing.T) {
	onBothEngines(t, func(b *bench) {
		expecting, expected := b.repeater()
		plain, usual := b.repeater()
		e := b.add(endpoint.Endpoint{URL: expecting.URL, Options: endpoint.Options{AtfinityVersion: "2.4.1"}})
		b.add(endpoint.Endpoint{URL: plain.URL})
		for version := range int64(3) {
			b.comment(1, version+1)
			for of, requests := range map[string]<-chan received{"2.4.1": expected, "0.1.0": usual} {
				got := next(b, requests)
				if values := got.header["X-Atfinity-Version"]; !slices.Equal(values, []string{of}) ||
					got.header.Get("X-atfinity-event") != "case_comment" {
					b.Errorf("version %d, to an endpoint that expects %s: %v", version, of, got.header)
				}
			}
		}
		for trigger, want := range map[string][]string{
			"case_created": {"2.4.1"}, "claim.closed": nil, "contact.created": nil,
		} {
			if _, _, err := b.tester.Send(b.Context(), e, trigger, nil); err != nil {
				b.Fatal(err)
			}
			if got := next(b, expected); !slices.Equal(got.header["X-Atfinity-Version"], want) {
				b.Errorf("a sample of %s: %v", trigger, got.header)
			}
		}
		b.served(e)
		if attempts, err := b.store.Attempts(b.Context(), b.tenant, e.ID, 1<<62, 10); err != nil ||
			!strings.Contains(attempts[0].Request, `["X-atfinity-version","2.4.1"]`) {
			b.Errorf("the attempts are %+v, %v", attempts, err)
		}
	})
}

func TestNoHeaderThatAFormatSetsCanBeSetByAnEndpoint(t *testing.T) {
	files, err := filepath.Glob("../wire/testdata/*.golden")
	if err != nil || len(files) == 0 {
		t.Fatalf("%d vectors, %v", len(files), err)
	}
	names := map[string]bool{}
	for _, file := range files {
		vector, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		head, _, found := strings.Cut(string(vector), "\n\n")
		for line := range strings.Lines(head) {
			if name, _, isHeader := strings.Cut(line, ": "); found && isHeader {
				names[name] = true
			}
		}
	}
	for name := range names {
		if !endpoint.Reserved(name) {
			t.Errorf("a format sets %s, and so may an endpoint", name)
		}
	}
	if !names["X-atfinity-event"] || !names["Event-Name"] {
		t.Errorf("the vectors have only %v", names)
	}
}

// verified counts the valid signatures of each secret, and fails the test if there are others.
func (t received) verified(b *bench, keys map[string][]byte, public ed25519.PublicKey) map[string]int {
	b.Helper()
	counts := map[string]int{}
	all := strings.Fields(t.header.Get("webhook-signature"))
	for name, key := range keys {
		hook, err := standardwebhooks.NewWebhookRaw(key)
		if err != nil {
			b.Fatal(err)
		}
		for _, signature := range all {
			header := t.header.Clone()
			header.Set("webhook-signature", signature)
			if hook.Verify(t.body, header) == nil {
				counts[name]++
			}
		}
	}
	signed := t.header.Get("webhook-id") + "." + t.header.Get("webhook-timestamp") + "." + string(t.body)
	for _, signature := range all {
		encoded, isV1a := strings.CutPrefix(signature, "v1a,")
		raw, err := base64.StdEncoding.DecodeString(encoded)
		if isV1a && err == nil && ed25519.Verify(public, []byte(signed), raw) {
			counts["v1a"]++
		}
	}
	if counts["new"]+counts["old"]+counts["v1a"] != len(all) {
		b.Errorf("of the signatures %q only %v are right", all, counts)
	}
	return counts
}

func TestDuringTheOverlapBothSecretsSignAndThenOne(t *testing.T) {
	onBothEngines(t, func(b *bench) {
		keys := map[string][]byte{"new": bytes.Repeat([]byte{1}, 32), "old": bytes.Repeat([]byte{2}, 24)}
		seed := bytes.Repeat([]byte{3}, ed25519.SeedSize)
		public := ed25519.NewKeyFromSeed(seed).Public().(ed25519.PublicKey)
		for name, test := range map[string]struct {
			ends time.Duration
			want map[string]int
		}{
			"during the overlap": {time.Hour, map[string]int{"new": 1, "old": 1, "v1a": 1}},
			"behind it":          {-time.Second, map[string]int{"new": 1, "v1a": 1}},
		} {
			server, requests := b.repeater()
			e := b.add(endpoint.Endpoint{URL: server.URL, Secrets: []endpoint.Secret{
				{ID: "sec_2", Kind: endpoint.V1, Key: keys["new"]},
				{ID: "sec_1", Kind: endpoint.V1, Key: keys["old"], ExpiresAt: time.Now().Add(test.ends)},
				{ID: "sec_3", Kind: endpoint.V1a, Key: seed},
			}})
			b.comment(1, 1)
			got := next(b, requests)
			if diff := gocmp.Diff(test.want, got.verified(b, keys, public)); diff != "" {
				b.Errorf("%s: %s", name, diff)
			}
			b.publicKeyVerifies(seed, got)
			b.served(e)
			e.Status = endpoint.Paused
			b.update(func(tx *store.Tx) error { _, err := tx.UpdateEndpoint(b.Context(), e); return err })
		}
	})
}

// publicKeyVerifies verifies a request with the package that receivers use.
func (b *bench) publicKeyVerifies(seed []byte, got received) {
	b.Helper()
	v, err := webhook.NewVerifier(outbound.FormatPublicKey(seed))
	if err != nil {
		b.Fatal(err)
	}
	if err := v.Verify(got.header, got.body); err != nil {
		b.Error(err)
	}
}

func TestAnEndpointMayResumeAtTheHead(t *testing.T) {
	onBothEngines(t, func(b *bench) {
		entered, leave := make(chan struct{}, 10), make(chan struct{})
		var mu sync.Mutex
		var got []int64
		r := b.receiver(func(a arrival) int {
			if a.version == 2 && a.attempt == 1 { // under way while its cursor is moved past it
				entered <- struct{}{}
				<-leave
				return 500
			}
			if a.caseID == 2 {
				return 404 // parked
			}
			mu.Lock()
			defer mu.Unlock()
			got = append(got, a.version)
			return 200
		})
		e := b.listen(r.url, endpoint.Policy{Retries: every(time.Hour, 3)})
		b.comment(1, 1)
		b.comment(2, 1)
		passed := func(position int64) {
			b.eventually("the cursor moves",
				func() bool { c, parked := b.saved(e); return c.Position == position && len(parked) == 1 })
		}
		passed(2)
		b.comment(1, 2)
		<-entered
		b.comment(1, 3)
		b.update(func(tx *store.Tx) error { return tx.Skip(b.Context(), b.tenant, e.ID) })
		close(leave)
		b.comment(1, 4)
		b.comment(2, 2)
		b.eventually("it goes on at the head",
			func() bool { mu.Lock(); defer mu.Unlock(); return slices.Contains(got, 4) })
		b.eventually("all attempts are recorded", func() bool { return b.tries(e) == 5 })
		passed(6)
		mu.Lock()
		defer mu.Unlock()
		if diff := gocmp.Diff([]int64{1, 4}, got); diff != "" {
			b.Errorf("versions that arrived: %s", diff)
		}
		cursor, parked := b.saved(e)
		type place struct {
			Lane string
			Seq  int64
		}
		var lanes []place
		for _, p := range parked {
			lanes = append(lanes, place{p.Lane, p.Seq})
		}
		if diff := gocmp.Diff([]place{{"case/2", 6}}, lanes); diff != "" || cursor.Position != 6 {
			b.Errorf("the cursor is at %d, and parked are (-want +got):\n%s", cursor.Position, diff)
		}
	})
}
