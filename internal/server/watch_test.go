package server

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"github.com/casehook/casehook/internal/fault"
	"github.com/casehook/casehook/internal/observe"
	"github.com/casehook/casehook/internal/outbound"
	"github.com/casehook/casehook/internal/testclient"
	"github.com/casehook/casehook/internal/waits"
	"github.com/casehook/casehook/internal/wire/wiretest"
)

// observedServer is a server with a callback, and a receiver that records the messages it accepts.
type observedServer struct {
	server   *Server
	t        *testing.T
	stop     func()
	receiver *httptest.Server
	progress *waits.Progress // of deliveries

	mu     sync.Mutex
	status int
	got    []*http.Request
	asked  []*http.Request
	answer string
}

var loopback = []outbound.AllowedPrefix{{Prefix: netip.MustParsePrefix("127.0.0.0/8")}}

func startObserved(t *testing.T, c Config) *observedServer {
	t.Helper()
	w := &observedServer{t: t, status: 200, progress: waits.NewProgress(t)}
	c.progress = w.progress.Made
	mux := http.NewServeMux()
	mux.HandleFunc("/callback", func(rw http.ResponseWriter, r *http.Request) {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.asked = append(w.asked, r)
		io.WriteString(rw, w.answer)
	})
	mux.Handle("/hook", wiretest.Handler(t, http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.got = append(w.got, r)
		rw.WriteHeader(w.status)
	})))
	w.receiver = httptest.NewServer(mux)
	t.Cleanup(w.receiver.Close)
	c.Allow = loopback
	w.server, w.stop = start(t, c)
	definition := fmt.Sprintf(`{"key": "note", "fields": {"type": "object", "properties": {"text": {"type": "string"}}}, "edit": "edit",
		"states": [{"key": "open"}], "transitions": [{"key": "write", "to": "open"}, {"key": "edit", "from": ["open"],
		"about_to_submit": {"url": "%s/callback", "retries": []}}]}`, w.receiver.URL)
	call(t, w.server, "PUT /v1/case-types/note", w.server.Token(), definition)
	return w
}

// answers sets the receiver's statuses for webhooks and for callbacks.
func (w *observedServer) answers(status int, callback string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.status, w.answer = status, callback
}

func (w *observedServer) received() []*http.Request {
	w.mu.Lock()
	defer w.mu.Unlock()
	return append([]*http.Request(nil), w.got...)
}

// pathOf returns the path of the case in an answer.
func pathOf(made map[string]any) string { return fmt.Sprintf("/v1/cases/%.0f", made["id"]) }

// refused sends a request that must be refused.
func (w *observedServer) refused(method, path, token, body string) {
	w.t.Helper()
	r, err := http.NewRequestWithContext(w.t.Context(), method, w.server.URL()+path, strings.NewReader(body))
	if err != nil {
		w.t.Fatal(err)
	}
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	r.Header.Set("Content-Type", "application/json")
	response, err := testclient.Client.Do(r)
	if err != nil {
		w.t.Fatal(err)
	}
	response.Body.Close()
	if response.StatusCode < 400 {
		w.t.Errorf("%s %s is answered %d", method, path, response.StatusCode)
	}
}

// eventually waits until delivery makes a condition true.
func (w *observedServer) eventually(what string, met func() bool) {
	w.t.Helper()
	w.progress.Until(w.t, what, met)
}

// scraped waits until the metrics meet a condition. It polls: the counts of the database are cached for seconds, so
// only the clock brings new ones.
func (w *observedServer) scraped(what string, met func(map[string]*dto.MetricFamily) bool) {
	w.t.Helper()
	waits.Poll(w.t, what, func() bool { return met(scrape(w.t, w.server.MetricsURL())) })
}

// scrape collects the metrics as Prometheus does.
func scrape(t *testing.T, url string) map[string]*dto.MetricFamily {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), "GET", url, nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := testclient.Client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(response.Body)
	if err != nil || response.StatusCode != 200 {
		t.Fatalf("%s: %v", response.Status, err)
	}
	return families
}

// value returns the value of a metric; for a histogram, the number of observations. Labels come in
// pairs. NaN means that there is no such series.
func value(all map[string]*dto.MetricFamily, name string, labels ...string) float64 {
	for _, m := range all["casehook_"+name].GetMetric() {
		have := map[string]string{}
		for _, l := range m.GetLabel() {
			have[l.GetName()] = l.GetValue()
		}
		fits := true
		for i := 0; i+1 < len(labels); i += 2 {
			fits = fits && have[labels[i]] == labels[i+1]
		}
		if fits {
			return m.GetCounter().GetValue() + m.GetGauge().GetValue() + float64(m.GetHistogram().GetSampleCount())
		}
	}
	return math.NaN()
}

func series(all map[string]*dto.MetricFamily) (n int) {
	for name, f := range all {
		if strings.HasPrefix(name, "casehook_") {
			n += len(f.GetMetric())
		}
	}
	return n
}

func TestMetricsCountWhatHappened(t *testing.T) {
	t.Parallel()
	w := startObserved(t, Config{Data: filepath.Join(t.TempDir(), "data"), MetricsListen: "127.0.0.1:0"})
	endpoint := fmt.Sprintf(`{"url": "%s/hook",
		"triggers": ["case_created", "case_changed"], "policy": {"retries": []}}`, w.receiver.URL)
	call(t, w.server, "POST /v1/endpoints", w.server.Token(), endpoint)
	made := call(t, w.server, "POST /v1/case-types/note/cases", w.server.Token(), `{"data": {"text": "one"}}`)
	w.eventually("the first message arrives", func() bool { return len(w.received()) == 1 })
	w.answers(400, `{"errors": ["No."]}`)
	path := pathOf(made)
	w.refused("PATCH", path, w.server.Token(), `{"data": {"text": "two"}}`)
	w.answers(400, `{"data": {"text": "three"}}`)
	call(t, w.server, "PATCH "+path, w.server.Token(), `{"data": {"text": "two"}}`)
	w.eventually("the second message is given up", func() bool {
		return value(scrape(t, w.server.MetricsURL()), "delivery_dead_total") == 1
	})
	get(t, w.server, "/v1/nothing", w.server.Token())
	all := scrape(t, w.server.MetricsURL())
	for _, want := range []struct {
		value  float64
		name   string
		labels []string
	}{
		{1, "delivery_attempts_total", []string{"outcome", "delivered"}},
		{1, "delivery_attempts_total", []string{"outcome", "refused"}},
		{1, "delivery_attempt_duration_seconds", []string{"outcome", "delivered"}},
		{1, "delivery_latency_seconds", nil},
		{1, "delivery_dead_total", nil},
		{0, "delivery_in_flight", nil},
		{1, "delivery_endpoints", nil},
		{0, "delivery_breakers_open", nil},
		{2, "settle_batch_size", nil},
		{2, "settle_duration_seconds", nil},
		{0, "settle_failures_total", nil},
		{1, "callback_outcomes_total", []string{"outcome", "accepted"}},
		{1, "callback_outcomes_total", []string{"outcome", "errors"}},
		{0, "callback_outcomes_total", []string{"outcome", "timeout"}},
		{1, "callback_duration_seconds", []string{"outcome", "accepted"}},
		{2, "callback_attempts_total", nil},
		{1, "http_requests_total", []string{"operation", "create-case", "status", "2xx"}},
		{1, "http_requests_total", []string{"operation", "edit-case", "status", "2xx"}},
		{1, "http_requests_total", []string{"operation", "edit-case", "status", "4xx"}},
		{1, "http_requests_total", []string{"operation", "none", "status", "4xx"}},
		{2, "http_request_duration_seconds", []string{"operation", "edit-case"}},
		{0, "http_requests_in_flight", nil},
		{0, "store_errors_total", []string{"kind", "internal"}},
		{1, "build_info", []string{"version", "dev"}},
	} {
		if got := value(all, want.name, want.labels...); got != want.value {
			t.Errorf("%s %v is %v, not %v", want.name, want.labels, got, want.value)
		}
	}
	committed := value(all, "store_transactions_total", "result", "committed")
	if batches := value(all, "store_commit_batch_size"); committed < 6 || batches < 6 || batches > committed {
		t.Errorf("%v transactions in %v commits", committed, batches)
	}
	if value(all, "store_transaction_duration_seconds", "result", "committed") != committed {
		t.Error("not every transaction's duration is there")
	}
	for _, ours := range []string{"go_goroutines", "process_resident_memory_bytes"} {
		if all[ours] == nil {
			t.Errorf("%s is missing", ours)
		}
	}
}

// An outage shows as unreachable attempts, an open breaker, and entries that are not delivered.
// After it, none of these is left.
func TestMetricsShowAnOutage(t *testing.T) {
	t.Parallel()
	w := startObserved(t, Config{Data: filepath.Join(t.TempDir(), "data"), MetricsListen: "127.0.0.1:0"})
	w.answers(503, "")
	endpoint := fmt.Sprintf(`{"url": "%s/hook",
		"triggers": ["case_created"], "policy": {"retries": ["1s", "1s", "1h"], "concurrency": 1}}`, w.receiver.URL)
	call(t, w.server, "POST /v1/endpoints", w.server.Token(), endpoint)
	for range 12 {
		call(t, w.server, "POST /v1/case-types/note/cases", w.server.Token(), `{"data": {"text": "one"}}`)
	}
	w.scraped("it is seen", func(all map[string]*dto.MetricFamily) bool {
		return value(all, "delivery_attempts_total", "outcome", "unreachable") >= 5 &&
			value(all, "delivery_breakers_open") == 1 &&
			value(all, "lag_entries") > 0 && value(all, "lag_entries_max") == value(all, "lag_entries") &&
			value(all, "lanes_parked") > 0
	})
	w.answers(200, "")
	w.scraped("it is over", func(all map[string]*dto.MetricFamily) bool {
		return value(all, "delivery_latency_seconds") == 12 && value(all, "delivery_breakers_open") == 0 &&
			value(all, "lag_entries") == 0 &&
			value(all, "lanes_parked") == 0 && value(all, "delivery_in_flight") == 0
	})
	w.stop()
	if n := value(gathered(t, w.server.metrics), "delivery_endpoints"); n != 0 {
		t.Errorf("at the end it delivers to %v endpoints", n)
	}
}

// gathered returns the metrics of a server that has ended.
func gathered(t *testing.T, m *observe.Metrics) map[string]*dto.MetricFamily {
	t.Helper()
	s := httptest.NewServer(m.Handler())
	defer s.Close()
	return scrape(t, s.URL)
}

// The metrics that come from the database exist, and more tenants, endpoints, triggers and paths
// add no series.
func TestMetricsHaveAsManySeriesWithManyEndpointsAsWithOne(t *testing.T) {
	t.Parallel()
	w := startObserved(t, Config{Data: filepath.Join(t.TempDir(), "data"), MetricsListen: "127.0.0.1:0"})
	w.answers(200, `{}`)
	tell := func(token string) {
		t.Helper()
		before := len(w.received())
		endpoint := fmt.Sprintf(`{"url": "%s/hook",
		"triggers": ["case_created", "case_changed", "case_comment"], "policy": {"retries": ["1h"]}}`, w.receiver.URL)
		call(t, w.server, "POST /v1/endpoints", token, endpoint)
		made := call(t, w.server, "POST /v1/case-types/note/cases", token, `{"data": {"text": "one"}}`)
		call(t, w.server, "PATCH "+pathOf(made), token, `{"data": {"text": "two"}}`)
		call(t, w.server, "POST "+pathOf(made)+"/comments", token, `{"text": "x"}`)
		get(t, w.server, fmt.Sprint("/v1/nothing/", before), token)
		get(t, w.server, fmt.Sprint("/v1/cases/", before), token)
		w.eventually("all is told", func() bool { return len(w.received()) >= before+3 })
	}
	scrape(t, w.server.MetricsURL())
	tell(w.server.Token())
	w.eventually("it is all settled",
		func() bool { return value(scrape(t, w.server.MetricsURL()), "settle_batch_size") > 0 })
	first := series(scrape(t, w.server.MetricsURL()))
	for range 5 {
		tell(w.server.Token())
	}
	w.scraped("the database has been asked", func(all map[string]*dto.MetricFamily) bool {
		return value(all, "endpoints", "status", "active") == 6 && value(all, "lag_entries") == 0 &&
			value(all, "journal_position") >= 18
	})
	// a series whose outcome or status class occurred for the first time
	if n := series(scrape(t, w.server.MetricsURL())); n > first+2 {
		t.Errorf("there were %d series with one endpoint, and there are %d with six", first, n)
	}
}

func TestMetricsNeedTheirToken(t *testing.T) {
	t.Parallel()
	const token = "0123456789abcdef0123"
	off, _ := start(t, Config{Data: filepath.Join(t.TempDir(), "data")})
	if status, body := get(t, off, "/metrics", off.Token()); status != 404 || !strings.Contains(body, "metrics.off") ||
		!strings.Contains(body, "--metrics-listen") {
		t.Errorf("without a token: %d %s", status, body)
	}
	s, _ := start(t, Config{Data: filepath.Join(t.TempDir(), "data"), MetricsToken: token})
	if s.MetricsURL() != "" {
		t.Errorf("they are open at %s", s.MetricsURL())
	}
	for _, wrong := range []string{"", s.Token(), token + "0", token[1:]} {
		if status, body := get(t, s, "/metrics", wrong); status != 401 || strings.Contains(body, "casehook_") {
			t.Errorf("with %q: %d %s", wrong, status, body)
		}
	}
	if status, body := get(t, s, "/metrics", token); status != 200 || !strings.Contains(body, "casehook_build_info") {
		t.Errorf("with the token: %d %s", status, body)
	}
	_, err := Start(t.Context(),
		Config{Data: filepath.Join(t.TempDir(), "data"), Listen: "127.0.0.1:0", MetricsToken: "short"})
	if fault.As(err).Code != "config.metrics_token" {
		t.Errorf("with a short token: %v", err)
	}
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	_, err = Start(t.Context(),
		Config{Data: filepath.Join(t.TempDir(), "data"), Listen: "127.0.0.1:0", MetricsListen: taken.Addr().String()})
	if fault.As(err).Code != "config.metrics_listen" {
		t.Errorf("where something listens already: %v", err)
	}
}

// A load balancer learns that the server stops while the server still accepts requests.
func TestItIsNotReadyBeforeItStops(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	progress := waits.NewProgress(t)
	s, err := Start(ctx, Config{
		Data: filepath.Join(t.TempDir(), "data"), Listen: "127.0.0.1:0", DrainDelay: 2 * time.Second,
		progress: progress.Made,
	})
	if err != nil {
		t.Fatal(err)
	}
	progress.Until(t, "it is ready", func() bool { status, _ := get(t, s, "/readyz", ""); return status == 200 })
	cancel()
	<-s.draining
	if status, body := get(t, s, "/readyz", ""); status != 503 || !strings.Contains(body, "stopping") {
		t.Errorf("/readyz answers %d: %s", status, body)
	}
	if status, _ := get(t, s, "/healthz", ""); status != 200 {
		t.Errorf("meanwhile /healthz answers %d", status)
	}
	if status, _ := get(t, s, "/v1/cases", s.Token()); status != 200 {
		t.Errorf("meanwhile requests are answered %d", status)
	}
	if err := s.Wait(); err != nil {
		t.Error(err)
	}
}

// Without its database, a server is alive and not ready.
func TestItIsNotReadyWithoutItsDatabase(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	progress := waits.NewProgress(t)
	s, err := Start(ctx,
		Config{Data: filepath.Join(t.TempDir(), "data"), Listen: "127.0.0.1:0", progress: progress.Made})
	if err != nil {
		t.Fatal(err)
	}
	progress.Until(t, "it is ready", func() bool { return s.ready(t.Context()) == nil })
	if err := s.store.Close(); err != nil {
		t.Fatal(err)
	}
	if err := s.ready(t.Context()); !errors.Is(err, fault.Unavailable) {
		t.Errorf("without a database it is %v", err)
	}
	if status, _ := get(t, s, "/readyz", ""); status != 503 {
		t.Errorf("/readyz answers %d", status)
	}
	if status, _ := get(t, s, "/healthz", ""); status != 200 {
		t.Errorf("/healthz answers %d", status)
	}
	cancel()
	s.Wait() // it may still log errors about its database
}

// No line of the log contains secrets or data, at any level.
func TestTheLogHasNoSecretsAndNoCaseData(t *testing.T) {
	t.Parallel()
	var log lockedLog
	w := startObserved(t, Config{Data: filepath.Join(t.TempDir(), "data"),
		Log:          slog.New(slog.NewJSONHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug})),
		MetricsToken: "planted-metrics-token", Key: "cGxhbnRlZC1rZXktcGxhbnRlZC1rZXktcGxhbnRlZC0="})
	w.answers(500, `{"data": {"text": "planted-answer"}, "warnings": ["planted-warning"]}`)
	endpoint := fmt.Sprintf(`{"url": "http://%s/hook?token=planted-query", "triggers": ["case_created", "case_changed", "case_comment"],
		"headers": {"X-Key": "planted-header"}}`, strings.TrimPrefix(w.receiver.URL, "http://"))
	secret := call(t, w.server, "POST /v1/endpoints", w.server.Token(), endpoint)["secret"]
	made := call(t, w.server, "POST /v1/case-types/note/cases", w.server.Token(),
		`{"data": {"text": "planted-data"}, "name": "planted-name"}`)
	path := pathOf(made)
	w.refused("PATCH", path, w.server.Token(), `{"data": {"text": "planted-data"}}`)
	call(t, w.server, "POST "+path+"/comments", w.server.Token(), `{"text": "planted-comment"}`)
	get(t, w.server, "/v1/cases?q=planted-search", w.server.Token())
	get(t, w.server, "/v1/cases", "chk_planted.planted-token")
	call(t, w.server, "POST /v1/users", w.server.Token(),
		`{"email": "planted@example.org", "name": "Ada", "role": "viewer", "password": "planted-password-horse"}`)
	w.refused("POST", "/v1/session", "", `{"email": "planted@example.org", "password": "planted-password-wrong"}`)
	w.eventually("it has tried to deliver", func() bool { return len(w.received()) > 1 })
	w.stop()
	text := log.String()
	for _, must := range []string{`"msg":"request"`, `"operation":"create-case"`, `"status":201`, `"request_id":"req_`,
		`"duration_ms":`, `"msg":"stopped"`} {
		if !strings.Contains(text, must) {
			t.Errorf("the log lacks %s:\n%s", must, text)
		}
	}
	_, half, _ := strings.Cut(w.server.Token(), ".")
	for _, planted := range []string{"planted", "cGxhbnRlZC", half, fmt.Sprint(secret), "whsec_"} {
		for line := range strings.Lines(text) {
			if planted == "" || strings.Contains(line, planted) {
				t.Errorf("the log has %q: %s", planted, line)
			}
		}
	}
}

type lockedLog struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedLog) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(b)
}

func (l *lockedLog) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}
