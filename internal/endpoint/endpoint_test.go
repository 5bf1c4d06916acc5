package endpoint_test

import (
	"math"
	"slices"
	"strings"
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

// Each bound of an endpoint can be reached, and not exceeded.
func TestCheckAcceptsTheBoundsAndNothingBeyond(t *testing.T) {
	policy := func(p endpoint.Policy) endpoint.Endpoint { return endpoint.Endpoint{Policy: p} }
	waits := func(n int, wait time.Duration) []time.Duration { return slices.Repeat([]time.Duration{wait}, n) }
	for _, test := range []struct {
		path         string
		most, beyond endpoint.Endpoint
	}{
		{"/name", endpoint.Endpoint{Name: strings.Repeat("n", 100)}, endpoint.Endpoint{Name: strings.Repeat("n", 101)}},
		{
			"/policy/timeout", policy(endpoint.Policy{Timeout: time.Minute}),
			policy(endpoint.Policy{Timeout: time.Minute + 1}),
		},
		{"/policy/concurrency", policy(endpoint.Policy{Concurrency: 64}), policy(endpoint.Policy{Concurrency: 65})},
		{"/policy/concurrency", policy(endpoint.Policy{Concurrency: 0}), policy(endpoint.Policy{Concurrency: -1})},
		{
			"/policy/retries", policy(endpoint.Policy{Retries: waits(30, time.Hour)}),
			policy(endpoint.Policy{Retries: waits(31, time.Hour)}),
		},
		{
			"/policy/retries/0", policy(endpoint.Policy{Retries: waits(1, 24*time.Hour)}),
			policy(endpoint.Policy{Retries: waits(1, 24*time.Hour+1)}),
		},
		{"/policy/retries/0", policy(endpoint.Policy{Retries: waits(1, 1)}), policy(endpoint.Policy{Retries: waits(1, 0)})},
		{
			"/payload", endpoint.Endpoint{Options: endpoint.Options{Payload: endpoint.Thin}},
			endpoint.Endpoint{Options: endpoint.Options{Payload: "slim"}},
		},
		{
			"/payload", endpoint.Endpoint{Options: endpoint.Options{Payload: endpoint.Full}},
			endpoint.Endpoint{Options: endpoint.Options{Payload: "Full"}},
		},
		{
			"/ignore_own", endpoint.Endpoint{IgnoreOwn: true, Token: "tok_1"}, endpoint.Endpoint{IgnoreOwn: true},
		},
	} {
		if got := faultsOf(test.most); got != nil {
			t.Errorf("%s: within the bound it has the faults %v", test.path, got)
		}
		if diff := cmp.Diff([]string{test.path}, faultsOf(test.beyond)); diff != "" {
			t.Errorf("%s, beyond the bound: %s", test.path, diff)
		}
	}
}

func TestDefaultsReplaceUnsetFields(t *testing.T) {
	want := endpoint.Policy{
		Retries: endpoint.DefaultRetries, Timeout: 15 * time.Second, Concurrency: 8, Order: endpoint.PerCase,
	}
	if diff := cmp.Diff(want, endpoint.Policy{}.WithDefaults()); diff != "" {
		t.Error(diff)
	}
	own := endpoint.Policy{
		Retries: []time.Duration{time.Second}, Timeout: time.Second, Concurrency: 1, Order: endpoint.Strict, RateLimit: 5,
	}
	if diff := cmp.Diff(own, own.WithDefaults()); diff != "" {
		t.Error(diff)
	}
	day := 24 * time.Hour
	total := time.Duration(0)
	for _, wait := range endpoint.DefaultRetries {
		total += wait
	}
	if total < day || total > day+4*time.Hour {
		t.Errorf("the default schedule tries for %s", total)
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

// The jitter makes the longest wait of a schedule a fifth longer, wherever in the schedule it is.
func TestTheLongestWaitIsThatOfAnyTry(t *testing.T) {
	for want, retries := range map[time.Duration][]time.Duration{
		0:                {},
		12 * time.Minute: {time.Minute, 10 * time.Minute, 2 * time.Minute},
		72 * time.Minute: {time.Hour},
		24 * time.Second: {time.Second, 20 * time.Second},
	} {
		if got := (endpoint.Policy{Retries: retries}).LongestWait(); got != want {
			t.Errorf("of %v it is %s, want %s", retries, got, want)
		}
	}
}

func TestAnEmptyScheduleMeansOneTry(t *testing.T) {
	p := endpoint.Policy{Retries: []time.Duration{}}.WithDefaults()
	if _, again := p.Retry(1, 0); again {
		t.Error("retries: [] tries again")
	}
}
