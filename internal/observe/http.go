package observe

import (
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// HTTP counts the requests to the API.
type HTTP struct {
	requests *prometheus.CounterVec
	duration *prometheus.HistogramVec
	inFlight prometheus.Gauge
}

func newHTTP(r prometheus.Registerer) *HTTP {
	return &HTTP{
		requests: counter(r, "http_requests_total",
			"Requests to the API, by operation (none: no operation) and status: 2xx to 5xx.", "operation", "status"),
		duration: histogram(r, "http_request_duration_seconds",
			"How long requests took until their answer was sent, by operation.", short, "operation"),
		inFlight: gauge(r, "http_requests_in_flight", "Requests that are being answered.").WithLabelValues(),
	}
}

// Received counts a request that came in.
func (h *HTTP) Received() {
	if h != nil {
		h.inFlight.Inc()
	}
}

// Answered counts the answer to a request. Status 0 means that there was none. The
// operation is the API's name for it, never text from the request.
func (h *HTTP) Answered(operation string, status int, took time.Duration) {
	if h == nil {
		return
	}
	h.inFlight.Dec()
	class := strconv.Itoa(status/100) + "xx"
	if status == 0 {
		class = "none"
	}
	h.requests.WithLabelValues(operation, class).Inc()
	h.duration.WithLabelValues(operation).Observe(took.Seconds())
}
