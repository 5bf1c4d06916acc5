package weburl_test

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os/exec"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/casehook/casehook/internal/weburl"
)

var canonical = map[string]string{
	"https://crm.example.com":                  "https://crm.example.com/",
	" HTTPS://CRM.Example.COM:443/Hooks\n":     "https://crm.example.com/Hooks",
	"http://a.example:80":                      "http://a.example/",
	"http://a.example:":                        "http://a.example/",
	"http://a.example:0080/":                   "http://a.example/",
	"https://a.example:80/":                    "https://a.example:80/",
	"https://a.example./x":                     "https://a.example/x",
	"http://a.example?a=b c":                   "http://a.example/?a=b%20c",
	"http://a.example/?ü":                      "http://a.example/?%C3%BC",
	"http://a.example/ü/%2f/%2F?q=%2b+":        "http://a.example/%C3%BC/%2f/%2F?q=%2b+",
	"http://a.example/100%":                    "http://a.example/100%25",
	"http://a.example/%zz?%":                   "http://a.example/%25zz?%25",
	`http://a.example/?a="<x>"|{y}^\` + "`":    "http://a.example/?a=%22%3Cx%3E%22%7C%7By%7D%5E%5C%60",
	"http://a.example/a/../b/./c/..":           "http://a.example/b/",
	"http://a.example/?":                       "http://a.example/?",
	"http://a.example/x#":                      "http://a.example/x",
	"https://Bücher.example/":                  "https://xn--bcher-kva.example/",
	"https://xn--bcher-kva.example/":           "https://xn--bcher-kva.example/",
	"https://ｅｘａｍｐｌｅ.com/":                     "https://example.com/",
	"http://my_service:8080/hook":              "http://my_service:8080/hook",
	"http://192.0.2.1:8080/":                   "http://192.0.2.1:8080/",
	"http://[2001:DB8:0:0:0:0:0:1]/":           "http://[2001:db8::1]/",
	"http://[fe80::1%25eth0]:81/":              "http://[fe80::1%25eth0]:81/",
	"https://a.example/?u=http://b.example/?x": "https://a.example/?u=http://b.example/?x",
}

func TestAURLHasOneForm(t *testing.T) {
	for raw, want := range canonical {
		got, err := weburl.Canonical(raw)
		if err != nil || got != want {
			t.Errorf("%q: %q, %v; want %q", raw, got, err, want)
		}
		if again, err := weburl.Canonical(got); err != nil || again != got {
			t.Errorf("%q: again, it is %q, %v", raw, again, err)
		}
		if u, err := url.Parse(got); err != nil || u.String() != got {
			t.Errorf("%q: taken apart it is %v, %v", got, u, err)
		}
	}
}

func TestARefusedURLSaysWhy(t *testing.T) {
	for raw, want := range map[string]string{
		"":                             "http:// or https://",
		"crm.example.com/hooks":        "http:// or https://",
		"ftp://a.example/":             "http:// or https://",
		"javascript:alert(1)":          "http:// or https://",
		"http:/a.example":              "names no host",
		"http:a.example":               "names no host",
		"http://":                      "names no host",
		"http:///x":                    "names no host",
		"http://:80/":                  "names no host",
		"http://a.example:0/":          "port",
		"http://a.example:65536/":      "port",
		"http://a.example:99999/":      "port",
		"http://a.example:8o/":         "port",
		"http://a.example:-1/":         "port",
		"http://[::1]x/":               "port",
		"http://127.1/":                "four decimal numbers",
		"http://0x7f.1/":               "four decimal numbers",
		"http://2130706433/":           "four decimal numbers",
		"http://0177.0.0.1/":           "four decimal numbers",
		"http://127.0.0.1./":           "four decimal numbers",
		"http://256.1.1.1/":            "four decimal numbers",
		"http://a.example\\b.example/": "backslash",
		"http://ann:secret@a.example/": "user name or password",
		"http://@a.example/":           "user name or password",
		"http://a.example/#x":          "fragment",
		"http://a.exa\tmple/":          "control character",
		"http://a.example/\x00":        "control character",
		"http://a.example/\xff":        "UTF-8",
		"http://a b/":                  "host",
		"http://a..b/":                 "host",
		"http://" + strings.Repeat("a", 64) + ".example/": "host",
		"http://[::1":                                  "IPv6",
		"http://[127.0.0.1]/":                          "IPv6",
		"http://[::1%25eth0]/":                         "zone",
		"http://[fe80::1%eth0]/":                       "IPv6",
		"http://xn--a.example/":                        "IDNA",
		"http://a.example/" + strings.Repeat("ü", 400): "2048",
	} {
		got, err := weburl.Canonical(raw)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %q, %v; want %q", raw, got, err, want)
		}
		if err != nil && strings.Contains(err.Error(), "secret") {
			t.Errorf("%q: the reason quotes it: %v", raw, err)
		}
	}
}

// What is accepted stays as it is, and is a URL for whoever takes it apart.
func TestTheFormOfAFormIsItself(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		raw := rapid.SampledFrom([]string{"http://", "HTTPS://", "http:/", ""}).Draw(t, "scheme") +
			rapid.SampledFrom([]string{"a.example", "Ü.example", "127.0.0.1", "[::1]", "a", ""}).Draw(t, "host") +
			rapid.SampledFrom([]string{"", ":80", ":8080", ":", ":x"}).Draw(t, "port") +
			rapid.StringMatching(`(/[ -~ü%]{0,12})?(\?[ -~ü%]{0,12})?`).Draw(t, "rest")
		got, err := weburl.Canonical(raw)
		if err != nil {
			return
		}
		if again, err := weburl.Canonical(got); err != nil || again != got {
			t.Fatalf("%q is %q, and that is %q, %v", raw, got, again, err)
		}
		if u, err := url.Parse(got); err != nil || u.String() != got || u.Host == "" {
			t.Fatalf("%q is %q, taken apart %v, %v", raw, got, u, err)
		}
	})
}

func FuzzCanonical(f *testing.F) {
	for raw := range canonical {
		f.Add(raw)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		got, err := weburl.Canonical(raw)
		if err != nil {
			return
		}
		if again, err := weburl.Canonical(got); err != nil || again != got {
			t.Fatalf("%q is %q, and that is %q, %v", raw, got, again, err)
		}
		request := "POST " + strings.TrimPrefix(got, got[:strings.Index(got, "//")+2+strings.IndexByte(got[strings.Index(got, "//")+2:], '/')]) + " HTTP/1.1\r\nHost: x\r\n\r\n"
		if _, err := http.ReadRequest(bufio.NewReader(strings.NewReader(request))); err != nil {
			t.Fatalf("%q: a server in Go refuses %q: %v", raw, request, err)
		}
	})
}

// Node refuses request lines and Host headers that other servers take.
func TestNodeTakesTheForm(t *testing.T) {
	const server = `require("http").createServer((q, s) => { q.resume(); s.end("ok"); })
		.listen(0, "127.0.0.1", function () { console.log(this.address().port); });`
	cmd := exec.CommandContext(t.Context(), "node", "-e", server)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatalf("the tests need Node: %v", err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	var port int
	if _, err := fmt.Fscan(out, &port); err != nil {
		t.Fatal(err)
	}
	for _, form := range canonical {
		u, err := url.Parse(form)
		if err != nil {
			t.Fatal(err)
		}
		request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, form, strings.NewReader("{}"))
		if err != nil {
			t.Fatal(err)
		}
		request.URL.Scheme, request.URL.Host, request.Host = "http", fmt.Sprintf("127.0.0.1:%d", port), u.Host
		response, err := http.DefaultTransport.RoundTrip(request)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.Copy(io.Discard, response.Body)
		response.Body.Close()
		if response.StatusCode != http.StatusOK {
			t.Errorf("%s: Node answers %d", form, response.StatusCode)
		}
	}
}
