package server

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/casehook/casehook/internal/hostile"
	"github.com/casehook/casehook/internal/testclient"
)

var (
	clientsTime = flag.Duration("clients.time", 0,
		"how long half-open clients come back; 0: each way comes a few times")
	clientsSeed = flag.Uint64("clients.seed", 1, "what is drawn at random of half-open clients")
)

// The server ends every connection on which a client leaves a request incomplete or sends one for
// ever, and serves other clients meanwhile.
func TestHalfOpenClientsAreEnded(t *testing.T) {
	s, _ := start(t, Config{Data: filepath.Join(t.TempDir(), "data"), Patience: 500 * time.Millisecond})
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	until := time.Now().Add(*clientsTime)
	var held atomic.Int64
	var all sync.WaitGroup
	for i, client := range hostile.Clients() {
		r := rand.New(rand.NewPCG(*clientsSeed, uint64(i)))
		all.Go(func() {
			for round := 0; round < 3 || time.Now().Before(until); round++ {
				way := client
				if round > 0 {
					way = client.Cut(r)
				}
				if err := way.Misbehave(ctx, s.listener.Addr().String(), 20*time.Millisecond); err != nil {
					t.Errorf("one that %s: %v", way.Name, err)
				}
				held.Add(1)
			}
		})
	}
	ended := make(chan struct{})
	go func() { defer close(ended); all.Wait() }()
	for served := 0; ; served++ {
		if status, body := get(t, s, "/v1/cases", s.Token()); status != http.StatusOK {
			t.Fatalf("others are answered %d %s", status, body)
		}
		select {
		case <-ended:
			t.Logf("%d half-open clients were ended, and %d requests answered meanwhile", held.Load(), served+1)
			return
		case <-time.After(10 * time.Millisecond): // leave the processor to the clients
		}
	}
}

// More half-open clients than there may be connections stop nobody, and are logged once.
func TestAThousandHalfOpenClientsStopNobody(t *testing.T) {
	var log bytes.Buffer
	s, stop := start(t, Config{
		Data: filepath.Join(t.TempDir(), "data"), Patience: time.Hour, Grace: time.Second,
		MaxConnections: 64, Log: slog.New(slog.NewTextHandler(&log, nil)),
	})
	for range 1100 {
		conn, err := net.Dial("tcp", s.listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		// the server may refuse it
		io.WriteString(conn,
			"POST /v1/session HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n{")
	}
	if status, body := get(t, s, "/v1/cases", s.Token()); status != http.StatusOK {
		t.Errorf("others are answered %d %s", status, body)
	}
	stop()
	if n := strings.Count(log.String(), "--trusted-proxies"); n != 1 {
		t.Errorf("what to do is logged %d times: %s", n, log.String())
	}
}

// answered sends text, and returns the whole answer once the connection has ended.
func answered(t *testing.T, s *Server, say string) string {
	t.Helper()
	return answeredAt(t, s.listener.Addr().String(), say)
}

func answeredAt(t *testing.T, address, say string) string {
	t.Helper()
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := io.WriteString(conn, say); err != nil {
		t.Fatal(err)
	}
	answer, err := io.ReadAll(conn)
	if err != nil {
		t.Errorf("%q: %v", say, err)
	}
	return string(answer)
}

// A request that is refused before its body is read is answered at once, and the connection ends. A
// server that waited for the body would wait until the test ends.
func TestRefusalsDoNotWaitForTheBody(t *testing.T) {
	t.Parallel()
	s, _ := start(t,
		Config{Data: filepath.Join(t.TempDir(), "data"), Patience: time.Hour, MetricsListen: "127.0.0.1:0"})
	for request, status := range map[string]string{
		"POST /x":                     "404 Not Found",
		"DELETE /v1/session":          "401 Unauthorized",
		"PATCH /docs":                 "405 Method Not Allowed",
		"OPTIONS *":                   "404 Not Found",
		"GET /healthz":                "200 OK",
		"POST /v1/case-types/a/cases": "401 Unauthorized",
		"POST /v1/cases/1/proofs?key=a&filename=b":    "401 Unauthorized",
		"POST /v1/session":                            "413 Request Entity Too Large",
		"POST /v1/session|Content-Encoding: nonsense": "415 Unsupported Media Type",
		"POST /v1/session|Sec-Fetch-Site: cross-site": "403 Forbidden",
	} {
		line, header, _ := strings.Cut(request, "|")
		if header != "" {
			header += "\r\n"
		}
		answer := answered(t, s,
			line+" HTTP/1.1\r\nHost: x\r\n"+header+"Content-Type: application/json\r\nContent-Length: 1000000\r\n\r\n")
		if !strings.HasPrefix(answer, "HTTP/1.1 "+status+"\r\n") || !strings.Contains(answer, "Connection: close\r\n") {
			t.Errorf("%s: answered %q", request, answer)
		}
	}
	metrics := strings.TrimSuffix(strings.TrimPrefix(s.MetricsURL(), "http://"), "/metrics")
	for _, method := range []string{"POST", "GET"} {
		answer := answeredAt(t, metrics, method+" /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\n")
		if !strings.Contains(answer, "Connection: close\r\n") {
			t.Errorf("%s of metrics: answered %.200q", method, answer)
		}
	}
}

// proofs creates a case that accepts proofs, and returns the path for them.
func proofs(t *testing.T, s *Server) string {
	t.Helper()
	call(t, s, "PUT /v1/case-types/note", s.Token(),
		`{"key": "note", "fields": {"type": "object", "properties": {}}, "states": [{"key": "open"}],
		"transitions": [{"key": "write", "to": "open"}], "proofs": [{"key": "passport"}]}`)
	made := call(t, s, "POST /v1/case-types/note/cases", s.Token(), `{"data": {}}`)
	return fmt.Sprintf("/v1/cases/%.0f/proofs", made["id"])
}

// A request with a credential, too, has to send its whole body.
func TestAnUploadThatStopsIsNotSaved(t *testing.T) {
	t.Parallel()
	s, _ := start(t, Config{Data: filepath.Join(t.TempDir(), "data"), Patience: 300 * time.Millisecond})
	path := proofs(t, s)
	for _, length := range []string{"Content-Length: 1000", "Transfer-Encoding: chunked"} {
		answer := answered(t, s, "POST "+path+"?key=passport&filename=p HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer "+
			s.Token()+"\r\n"+length+"\r\n\r\n5\r\nonly")
		if !strings.HasPrefix(answer, "HTTP/1.1 400 ") || !strings.Contains(answer, "proof.incomplete") {
			t.Errorf("%s: answered %q", length, answer)
		}
	}
	if all := call(t, s, "GET "+path, s.Token(), ""); len(all["items"].([]any)) != 0 {
		t.Errorf("saved: %v", all)
	}
}

// An uploaded form leaves the connection open for the next request.
func TestTheConnectionOfAFormGoesOn(t *testing.T) {
	t.Parallel()
	s, _ := start(t, Config{Data: filepath.Join(t.TempDir(), "data")})
	form := "--b\r\nContent-Disposition: form-data; name=\"key\"\r\n\r\npassport\r\n" +
		"--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"p\"\r\n\r\nfile\r\n--b--\r\n" +
		strings.Repeat("\r\n", 8000)
	r, err := http.NewRequestWithContext(t.Context(), "POST", s.URL()+proofs(t, s),
		io.MultiReader(strings.NewReader(form)))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+s.Token())
	r.Header.Set("Content-Type", "multipart/form-data; boundary=b")
	response, err := testclient.Client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusCreated || response.Close {
		t.Errorf("status %d; closed: %t", response.StatusCode, response.Close)
	}
}
