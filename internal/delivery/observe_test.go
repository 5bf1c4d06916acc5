package delivery

import (
	"log/slog"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/casehook/casehook/internal/delivery/machine"
	"github.com/casehook/casehook/internal/endpoint"
	"github.com/casehook/casehook/internal/observe"
)

func TestMetricsCountTheEndpointsThatRefuseEverything(t *testing.T) {
	metrics := observe.New("0.1.0")
	e := endpoint.Endpoint{URL: "https://crm.example.com", Status: endpoint.Active}
	w := &worker{metrics: metrics.Delivery, endpoint: e, endpointLog: newEndpointLog(slog.New(slog.DiscardHandler), e)}
	w.metrics.Serving(1)
	counts := func(want string) {
		t.Helper()
		answer := httptest.NewRecorder()
		metrics.Handler().ServeHTTP(answer, httptest.NewRequest("GET", "/metrics", nil))
		if body := answer.Body.String(); !strings.Contains(body, "\ncasehook_delivery_endpoints_refusing "+want+"\n") {
			t.Errorf("there are not %s: %s", want, body)
		}
	}
	for _, refuses := range []bool{false, true, true, false, true} {
		want := "0"
		if e.Health.Breaker = endpoint.Closed; refuses {
			e.Health.Breaker, want = endpoint.Refuses, "1"
		}
		w.gate = machine.NewGate(machine.GateConfig{Endpoint: e, Jitter: func() float64 { return 0 }})
		w.observeEndpoint()
		counts(want)
	}
	w.endObserving()
	counts("0")
}
