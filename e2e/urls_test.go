package e2e_test

import (
	"bufio"
	"encoding/json"
	"net/netip"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/casehook/casehook/internal/outbound"
	"github.com/casehook/casehook/internal/weburl"
)

// echo is a server in Node that answers with what its parser made of a request.
const echo = `const server = require("http").createServer((request, answer) =>
	answer.end(JSON.stringify({ url: request.url, host: request.headers.host })));
server.listen(0, "127.0.0.1", () => console.log(server.address().port));`

func TestNodeReadsEveryURLAsItWasCanonicalised(t *testing.T) {
	port := startNode(t)
	client := outbound.New(outbound.Config{AllowPrefixes: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}})
	defer client.Close()
	for path, want := range map[string]string{
		"":                       "/",
		"?a=b c":                 "/?a=b%20c",
		"?ü":                     "/?%C3%BC",
		"/a b/ü?f[a]=\"<|>`^":    "/a%20b/%C3%BC?f%5Ba%5D=%22%3C%7C%3E%60%5E",
		"/a%2Fb+c?d%2Be+f=100%":  "/a%2Fb+c?d%2Be+f=100%25",
		"//a//b?":                "//a//b?",
		"/./x/../y;v=1/(*)!'$&,": "/y;v=1/(*)!'$&,",
		"/日本?語=\U0001F600":       "/%E6%97%A5%E6%9C%AC?%E8%AA%9E=%F0%9F%98%80",
	} {
		raw := "HTTP://127.0.0.1:" + port + path
		canonical, err := weburl.Canonical(raw)
		if err != nil {
			t.Fatal(err)
		}
		result := client.Post(t.Context(), outbound.Request{URL: canonical, Timeout: time.Minute})
		var got struct{ URL, Host string }
		if err := json.Unmarshal(result.Body, &got); err != nil || result.Status != 200 {
			t.Errorf("%s: status %d, %v", raw, result.Status, result.Err)
			continue
		}
		if got.URL != want || got.Host != "127.0.0.1:"+port {
			t.Errorf("%s: Node read %q at %q, want %q", raw, got.URL, got.Host, want)
		}
	}
}

// startNode starts [echo] and returns its port.
func startNode(t *testing.T) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "node", "-e", echo)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatalf("this test runs node: install it, or run .ci/need: %v", err)
	}
	t.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() })
	port, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(port)
}
