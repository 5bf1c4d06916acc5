package outbound_test

import (
	"context"
	"errors"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/casehook/casehook/internal/hostile"
	"github.com/casehook/casehook/internal/outbound"
)

// The bounds on the cost of a hostile receiver.
const (
	hostileTimeout = 200 * time.Millisecond
	hostileMemory  = 4 << 20 // bytes allocated for one request, all in all; its own side included
	hostileFlood   = 16 << 20
	hostilePatient = 5 * time.Second // on a machine that is busy
)

func TestHostileReceiversEndAsTheyShould(t *testing.T) {
	for _, receiver := range hostile.Receivers() {
		t.Run(receiver.Name, func(t *testing.T) {
			server := receiver.Start(t, "")
			c := client(t, func(config *outbound.Config) { config.RootCAs = hostile.Roots() })
			request := outbound.Request{
				URL: server.URL, Body: []byte("{}"), Timeout: hostilePatient, MaxResponse: 16 << 10, Truncate: true,
				At: time.Now(),
			}
			if receiver.Slow {
				request.Timeout = hostileTimeout
			}
			if receiver.Slow && receiver.Status != 0 {
				request.Timeout *= 5 // time for the head
			}
			before := allocated()
			r := c.Post(t.Context(), request)
			cost := allocated() - before
			checkResult(t, r, outbound.Class(receiver.Class), receiver.Status)
			if receiver.Long && !r.Truncated || len(r.Body) > 16<<10 {
				t.Errorf("%d bytes are kept, truncated: %v", len(r.Body), r.Truncated)
			}
			if r.Duration > hostilePatient || receiver.Slow && r.Duration < hostileTimeout {
				t.Errorf("it took %v", r.Duration)
			}
			if cost > hostileMemory {
				t.Errorf("it took %d bytes of memory", cost)
			}
			if written := server.Written.Load(); written > hostileFlood {
				t.Errorf("%d bytes were taken in", written)
			}
		})
	}
}

func allocated() uint64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.TotalAlloc
}

func TestAnAnswerWithoutEndIsTooLargeWhereItHasToBeWhole(t *testing.T) {
	for _, receiver := range hostile.Receivers() {
		if !receiver.Long {
			continue
		}
		r := client(t).Post(t.Context(),
			outbound.Request{URL: receiver.Start(t, "").URL, MaxResponse: 1 << 20, At: time.Now()})
		if r.Class != outbound.TooLarge || r.Status != 200 || len(r.Body) > 1<<20 {
			t.Errorf("%s: class %q, status %d, %d bytes, %v", receiver.Name, r.Class, r.Status, len(r.Body), r.Err)
		}
	}
}

// An issuer of tokens may be as hostile as a receiver of messages.
func TestHostileIssuersEndAsTheyShould(t *testing.T) {
	c := client(t, func(config *outbound.Config) { config.RootCAs = hostile.Roots() })
	for _, receiver := range hostile.Receivers() {
		server := receiver.Start(t, "")
		timeout, want := hostilePatient, receiver.Class
		if receiver.Slow {
			timeout = hostileTimeout
		}
		if receiver.Long || receiver.Status == http.StatusInternalServerError {
			want = string(outbound.TooLarge)
		}
		ctx, cancel := context.WithTimeout(t.Context(), timeout)
		request, err := http.NewRequestWithContext(ctx, http.MethodPost, server.URL,
			strings.NewReader("grant_type=client_credentials"))
		if err != nil {
			t.Fatal(err)
		}
		before := allocated()
		response, err := c.Plain(0, 64<<10).RoundTrip(request)
		if cost := allocated() - before; cost > hostileMemory {
			t.Errorf("%s: it took %d bytes of memory", receiver.Name, cost)
		}
		cancel()
		var failure *outbound.Failure
		switch {
		case err == nil && (want != "" || response.StatusCode != receiver.Status):
			t.Errorf("%s: status %d, want class %q", receiver.Name, response.StatusCode, want)
		case err != nil && (!errors.As(err, &failure) || string(failure.Class) != want):
			t.Errorf("%s: %v, want class %q", receiver.Name, err, want)
		}
	}
}
