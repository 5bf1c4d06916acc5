package server

import (
	"bytes"
	"compress/gzip"
	"encoding/hex"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	otlp "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"

	"github.com/casehook/casehook/internal/testclient"
)

// spanCollector is an OpenTelemetry collector that records spans.
type spanCollector struct {
	server *httptest.Server
	t      *testing.T

	mu  sync.Mutex
	all []*otlp.Span
}

func collect(t *testing.T) *spanCollector {
	c := &spanCollector{t: t}
	c.server = httptest.NewServer(c)
	t.Cleanup(c.server.Close)
	return c
}

func (c *spanCollector) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body := io.Reader(r.Body)
	if r.Header.Get("Content-Encoding") == "gzip" {
		body, _ = gzip.NewReader(r.Body)
	}
	raw, err := io.ReadAll(body)
	var request collector.ExportTraceServiceRequest
	if err := proto.Unmarshal(raw, &request); err != nil || r.URL.Path != "/v1/traces" {
		c.t.Errorf("%s: %v", r.URL.Path, err)
	}
	if err != nil || bytes.Contains(raw, []byte("planted")) {
		c.t.Errorf("what is nobody's to read is in a span: %v %q", err, raw)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, resource := range request.ResourceSpans {
		if !strings.Contains(resource.Resource.String(), "casehook") {
			c.t.Errorf("the resource is %v", resource.Resource)
		}
		for _, scope := range resource.ScopeSpans {
			c.all = append(c.all, scope.Spans...)
		}
	}
}

// span returns the spans with a name in a trace, ordered by their start.
func (c *spanCollector) named(trace, name string) []*otlp.Span {
	c.t.Helper()
	c.mu.Lock()
	defer c.mu.Unlock()
	var found []*otlp.Span
	for _, s := range c.all {
		if s.Name == name && hex.EncodeToString(s.TraceId) == trace {
			found = append(found, s)
		}
	}
	slices.SortFunc(found,
		func(a, b *otlp.Span) int { return int(int64(a.StartTimeUnixNano) - int64(b.StartTimeUnixNano)) })
	return found
}

// chain follows spans from parent to child by their names, and returns the last.
func (c *spanCollector) chain(trace, parent string, names ...string) (id string) {
	c.t.Helper()
	for _, name := range names {
		found := c.named(trace, name)
		if len(found) != 1 {
			c.t.Fatalf("there are %d spans %q in the trace: %v", len(found), name, c.all)
		}
		if got := hex.EncodeToString(found[0].ParentSpanId); got != parent {
			c.t.Errorf("the parent of %q is %s, not %s", name, got, parent)
		}
		parent = hex.EncodeToString(found[0].SpanId)
	}
	return parent
}

// One trace leads from a request through its callback and its commit to each attempt, including
// attempts that another process makes later.
func TestATraceLeadsFromTheRequestToEachDelivery(t *testing.T) {
	t.Parallel()
	const trace, caller = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
	c := collect(t)
	var log lockedLog
	config := Config{Data: filepath.Join(t.TempDir(), "data"), OTLPEndpoint: c.server.URL,
		Log: slog.New(slog.NewJSONHandler(&log, nil))}
	w := startObserved(t, config)
	endpoint := fmt.Sprintf(`{"url": "%s/hook", "triggers": ["case_changed"], "policy": {"retries": ["1s"]}}`,
		w.receiver.URL)
	call(t, w.server, "POST /v1/endpoints", w.server.Token(), endpoint)
	path := pathOf(call(t, w.server, "POST /v1/case-types/note/cases", w.server.Token(),
		`{"data": {"text": "planted"}}`))
	w.answers(500, `{"data": {"text": "planted too"}}`)

	r, err := http.NewRequestWithContext(t.Context(), "PATCH", w.server.URL()+path,
		strings.NewReader(`{"data": {"text": "planted"}}`))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+w.server.Token())
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Traceparent", "00-"+trace+"-"+caller+"-01")
	response, err := testclient.Client.Do(r)
	if err != nil || response.StatusCode != 200 {
		t.Fatal(response, err)
	}
	response.Body.Close()
	w.eventually("the first attempt is made", func() bool { return len(w.received()) == 1 })
	w.stop()
	w.answers(200, "")
	config.Allow, config.progress = loopback, w.progress.Made
	_, stop := start(t, config)
	w.eventually("the second attempt is made", func() bool { return len(w.received()) == 2 })
	stop()

	if line := `"trace_id":"` + trace + `"`; !strings.Contains(log.String(), line) {
		t.Errorf("the log lacks %s: %s", line, log.String())
	}
	request := c.chain(trace, caller, "edit-case")
	callback := c.chain(trace, request, "submit", "ask", "callback note/edit")
	if got := w.asked[0].Header.Get("Traceparent"); got != "00-"+trace+"-"+callback+"-01" {
		t.Errorf("the callback is told %s", got)
	}
	c.chain(trace, request, "submit", "load")
	commit := c.chain(trace, request, "submit", "commit")
	attempts := c.named(trace, "deliver case_changed")
	if len(attempts) != 2 {
		t.Fatalf("%d attempts are in the trace", len(attempts))
	}
	for i, attempt := range attempts {
		if got := hex.EncodeToString(attempt.ParentSpanId); got != commit {
			t.Errorf("attempt %d: its parent is %s, not %s", i+1, got, commit)
		}
		if got, want := w.received()[i].Header["Traceparent"],
			"00-"+trace+"-"+hex.EncodeToString(attempt.SpanId)+"-01"; len(got) != 1 || got[0] != want {
			t.Errorf("attempt %d is told %s, not %s", i+1, got, want)
		}
	}
	if attempts[0].Status.GetCode() != otlp.Status_STATUS_CODE_ERROR ||
		attempts[1].Status.GetCode() == otlp.Status_STATUS_CODE_ERROR {
		t.Errorf("the attempts ended %v and %v", attempts[0].Status, attempts[1].Status)
	}
}

func TestNothingIsTracedUnlessItIsAskedFor(t *testing.T) {
	t.Parallel()
	w := startObserved(t, Config{Data: filepath.Join(t.TempDir(), "data")})
	endpoint := fmt.Sprintf(`{"url": "%s/hook", "triggers": ["case_created"]}`, w.receiver.URL)
	call(t, w.server, "POST /v1/endpoints", w.server.Token(), endpoint)
	call(t, w.server, "POST /v1/case-types/note/cases", w.server.Token(), `{"data": {}}`)
	w.eventually("it is told", func() bool { return len(w.received()) == 1 })
	if got := w.received()[0].Header.Get("Traceparent"); got != "" {
		t.Errorf("it is told with the trace %s", got)
	}
	_, err := Start(t.Context(),
		Config{Data: filepath.Join(t.TempDir(), "data"), Listen: "127.0.0.1:0", OTLPEndpoint: "collector:4318"})
	if err == nil || !strings.Contains(err.Error(), "http://127.0.0.1:4318") {
		t.Errorf("with a collector that is not a URL: %v", err)
	}
}
