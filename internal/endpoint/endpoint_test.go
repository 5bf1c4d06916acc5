package endpoint_test

import (
	"math"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/casehook/casehook/internal/endpoint"
)

func TestCheckNamesEveryWrongField(t *testing.T) {
	known := []string{"case_created", "x"}
	good := endpoint.Endpoint{URL: "https://example.com/hook?a=b", Triggers: []string{"case_created"}}
	if faults := good.Check(known); len(faults) > 0 {
		t.Errorf("a good endpoint has faults: %v", faults)
	}
	bad := endpoint.Endpoint{
		URL: "ftp://example.com", Triggers: []string{"case_created", "nope"},
		Policy: endpoint.Policy{
			Timeout: -1, Concurrency: 1000, Order: "fifo", RateLimit: -1, Retries: []time.Duration{time.Second, 0},
		},
	}
	var paths []string
	for _, f := range bad.Check(known) {
		paths = append(paths, f.Path)
	}
	want := []string{
		"/url", "/triggers/1", "/policy/timeout", "/policy/concurrency", "/policy/retries/1", "/policy/rate_limit",
		"/policy/order",
	}
	if diff := cmp.Diff(want, paths); diff != "" {
		t.Error(diff)
	}
}

func TestARateIsLimitedOrItIsNot(t *testing.T) {
	for limit, good := range map[float64]bool{
		0: true, 0.01: true, 2.5: true, 1000: true, -1: false, 0.009: false, 1000.5: false, math.NaN(): false,
		math.Inf(1): false,
	} {
		e := endpoint.Endpoint{
			URL: "https://example.com", Triggers: []string{"x"}, Policy: endpoint.Policy{RateLimit: limit},
		}
		if faults := e.Check([]string{"x"}); good != (len(faults) == 0) {
			t.Errorf("%v per second: %v", limit, faults)
		}
	}
}

func TestCheckRefusesURLsThatCannotBeCalled(t *testing.T) {
	known := []string{"case_created", "x"}
	for _, u := range []string{
		"", "example.com", "http://", "http://:80", "https://u:p@example.com", "https://example.com/#x", "http://[::1",
		"file:///etc/passwd",
	} {
		e := endpoint.Endpoint{URL: u, Triggers: []string{"x"}}
		if faults := e.Check(known); len(faults) != 1 || faults[0].Path != "/url" {
			t.Errorf("%q: faults %v, want one at /url", u, faults)
		}
	}
	if faults := (endpoint.Endpoint{URL: "http://localhost:1"}).Check(known); len(faults) != 1 ||
		faults[0].Path != "/triggers" {
		t.Errorf("no triggers: %v", faults)
	}
}

func TestRetryStaysWithinTheScheduleAndEnds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := endpoint.Policy{}.WithDefaults()
		failed := rapid.IntRange(-1, 12).Draw(t, "failed")
		jitter := rapid.Float64Range(0, 0.999).Draw(t, "jitter")
		wait, again := p.Retry(failed, jitter)
		if want := failed >= 1 && failed <= 10; again != want {
			t.Fatalf("after %d failures: again = %v", failed, again)
		}
		if !again {
			return
		}
		base := endpoint.DefaultRetries[failed-1]
		if wait < base*8/10 || wait > base*12/10 {
			t.Fatalf("wait %v is not within 20 %% of %v", wait, base)
		}
	})
}

func TestAnEmptyScheduleMeansOneTry(t *testing.T) {
	p := endpoint.Policy{Retries: []time.Duration{}}.WithDefaults()
	if _, again := p.Retry(1, 0); again {
		t.Error("retries: [] tries again")
	}
}
