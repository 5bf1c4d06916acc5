package oidc

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/casehook/casehook/internal/fault"
)

// A provider that hangs gets one request, and delays nobody longer than their own request lasts.
func TestAProviderThatHangsStopsNobodyElse(t *testing.T) {
	var asked atomic.Int64
	arrived, release := make(chan struct{}), make(chan struct{})
	once := sync.OnceFunc(func() { close(arrived) })
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		once()
		<-release
		w.Header().Set("Content-Type", "application/json")
		base := "http://" + r.Host
		w.Write([]byte(`{"issuer": "` + base + `", "authorization_endpoint": "` + base + `/auth", "token_endpoint": "` +
			base + `/token", "jwks_uri": "` + base + `/keys"}`))
	}))
	defer server.Close()
	p := New(Config{Issuer: server.URL, ClientID: "web"})
	patient := make(chan error, 1)
	go func() {
		_, _, err := p.Start(t.Context())
		patient <- err
	}()
	<-arrived
	for range 5 { // they leave before the provider answers
		gone, leave := context.WithCancel(t.Context())
		leave()
		if _, _, err := p.Start(gone); !errors.Is(err, fault.Upstream) || !errors.Is(err, context.Canceled) {
			t.Errorf("Begin = %v", err)
		}
	}
	close(release)
	if err := <-patient; err != nil {
		t.Errorf("the one who waits: %v", err)
	}
	if n := asked.Load(); n != 1 {
		t.Errorf("it was asked %d times", n)
	}
	if _, _, err := p.Start(t.Context()); err != nil || asked.Load() != 1 {
		t.Errorf("later: %v, asked %d times", err, asked.Load())
	}
}
