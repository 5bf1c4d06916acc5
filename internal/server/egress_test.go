package server

import (
	"bytes"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/casehook/casehook/internal/fault"
	"github.com/casehook/casehook/internal/outbound"
	"github.com/casehook/casehook/internal/waits"
)

// Messages leave by the operator's proxy alone, and their attempts name it if it is at fault. The password is nowhere.
func TestMessagesLeaveByTheProxy(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	var asked []string
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		user, password, _ := (&http.Request{
			Header: http.Header{"Authorization": r.Header["Proxy-Authorization"]},
		}).BasicAuth()
		asked = append(asked, r.Method+" "+r.Host+" "+user+" "+password)
		w.WriteHeader(http.StatusForbidden)
	}))
	t.Cleanup(proxy.Close)
	dir := t.TempDir()
	file := filepath.Join(dir, "proxy")
	url := strings.Replace(proxy.URL, "http://", "http://casehook:hunter2@", 1)
	if err := os.WriteFile(file, []byte(url+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer // read after the end
	s, stop := start(t, Config{
		Data: filepath.Join(dir, "data"), EgressProxyFile: file,
		Allow: []outbound.AllowedPrefix{{Prefix: netip.MustParsePrefix("203.0.113.0/24")}},
		Log:   slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug})),
	})
	made := call(t, s, "POST /v1/endpoints", s.Token(),
		`{"name": "crm", "url": "http://203.0.113.7/hooks", "triggers": ["case_created"]}`)
	path := proofs(t, s) // creates a case
	var attempt map[string]any
	waits.Poll(t, "an attempt", func() bool {
		all := call(t, s, "GET /v1/endpoints/"+made["id"].(string)+"/attempts", s.Token(), "")["items"].([]any)
		if len(all) > 0 {
			attempt = all[0].(map[string]any)
		}
		return attempt != nil
	})
	if attempt["failure"] != "proxy" {
		t.Errorf("after %s, the attempt is %v", path, attempt)
	}
	stop()
	mu.Lock()
	defer mu.Unlock()
	if want := "CONNECT 203.0.113.7:80 casehook hunter2"; len(asked) == 0 || asked[0] != want {
		t.Errorf("the proxy was asked for %v, want %s", asked, want)
	}
	if text := log.String(); strings.Contains(text, "hunter2") || !strings.Contains(text, "egress proxy http://127") {
		t.Errorf("the log is %s", text)
	}
}

func TestAProxyThatCannotBeUsedStopsTheStart(t *testing.T) {
	t.Parallel()
	for text, c := range map[string]Config{
		"scheme": {EgressProxy: "ftp://u:hunter2@proxy.example"}, "can't be read": {EgressProxyFile: "nowhere"},
		"no URL": {EgressProxyFile: "egress_test.go"},
	} {
		c.Data, c.Listen = filepath.Join(t.TempDir(), "data"), "127.0.0.1:0"
		_, err := Start(t.Context(), c)
		f := fault.As(err)
		if err == nil || f.Code != "config.egress_proxy" || !strings.Contains(f.Detail, text) ||
			strings.Contains(f.Error(), "hunter2") {
			t.Errorf("%v, want %s", err, text)
		}
	}
}
