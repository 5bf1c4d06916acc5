//go:build unix

package outbound_test

import (
	"net/http"
	"net/http/httptest"
	"syscall"
	"testing"

	"github.com/casehook/casehook/internal/outbound"
)

// A process without descriptors can't send, which is its own failure; once it has some again, it
// can.
func TestALackOfDescriptorsIsOurs(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	defer server.Close()
	c, url := client(t), server.URL
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		t.Fatal(err)
	}
	set := func(cur uint64) {
		if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &syscall.Rlimit{Cur: cur, Max: limit.Max}); err != nil {
			t.Fatal(err)
		}
	}
	set(1)
	byAddress, byName := post(t, c, url), post(t, c, "http://example.org/")
	set(limit.Cur)
	for _, r := range []outbound.Result{byAddress, byName} {
		if r.Class != outbound.Ours || r.Connected || r.Err == nil {
			t.Errorf("%+v", r)
		}
	}
	if r := post(t, c, url); r.Class != outbound.Answered {
		t.Errorf("afterwards: %+v", r)
	}
}
