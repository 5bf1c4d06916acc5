package delivery_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/casehook/casehook/internal/endpoint"
	"github.com/casehook/casehook/internal/id"
	"github.com/casehook/casehook/internal/store"
	"github.com/casehook/casehook/internal/wire/wiretest"
)

// told is a request as a receiver saw it.
type told struct {
	header http.Header
	body   []byte
}

// repeater is a receiver that answers with all it was told.
func (b *bench) repeater() (*httptest.Server, <-chan told) {
	heard := make(chan told, 1000)
	s := httptest.NewServer(wiretest.Handler(b, http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		body, _ := io.ReadAll(q.Body)
		for name, values := range q.Header {
			w.Header()["Told-"+name] = values
			io.WriteString(w, strings.Join(values, ",")+"\n")
		}
		heard <- told{q.Header.Clone(), body}
	})))
	b.Cleanup(s.Close)
	return s, heard
}

func hear(b *bench, heard <-chan told) told {
	b.Helper()
	select {
	case t := <-heard:
		return t
	case <-time.After(patience):
		b.Fatal("nothing arrived")
		return told{}
	}
}

// add adds an endpoint as it is set.
func (b *bench) add(e endpoint.Endpoint) endpoint.Endpoint {
	b.Helper()
	made := b.listening(e.URL, e.Policy)
	made.Headers = e.Headers
	b.update(func(tx *store.Tx) error { return tx.CreateEndpoint(b.Context(), made, id.New("cur")) })
	return made
}

// record is what is kept of an endpoint's only attempt.
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
		server, heard := b.repeater()
		e := b.add(endpoint.Endpoint{URL: server.URL, Headers: []endpoint.Header{
			{Name: "X-Api-Key", Value: "sesame-open"}, {Name: "x-lower", Value: "kept as spelt"},
			// Such ones can't be saved through the API; whoever wrote them did it elsewhere.
			{Name: "Webhook-Id", Value: "forged-id"}, {Name: "content-type", Value: "forged/type"}, {Name: "Connection", Value: "forged-close"},
		}})
		b.comment(1, 1)
		got := hear(b, heard)
		for name, want := range map[string]string{"X-Api-Key": "sesame-open", "X-Lower": "kept as spelt", "Content-Type": "application/json; charset=UTF-8"} {
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
				b.Errorf("the attempt holds a value: %s %s", a.Request, a.Response)
			}
		}
		if !strings.Contains(a.Request, `["X-Api-Key","(redacted)"]`) || !strings.Contains(a.Response, "(redacted)") {
			b.Errorf("the attempt lacks the name: %s %s", a.Request, a.Response)
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
