package weburl_test

import (
	"bufio"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/casehook/casehook/internal/weburl"
)

// forms are URLs and their canonical forms.
var forms = map[string]string{
	"https://example.com":                  "https://example.com/",
	"HTTPS://Example.COM:443/A":            "https://example.com/A",
	"http://example.com:80":                "http://example.com/",
	"http://example.com:443":               "http://example.com:443/",
	"http://example.com:/":                 "http://example.com/",
	"http://example.com:08080/":            "http://example.com:8080/",
	"https://example.com.":                 "https://example.com/",
	"  https://example.com/a\n":            "https://example.com/a",
	"https://example.com/?a=b c":           "https://example.com/?a=b%20c",
	"https://example.com?ü":                "https://example.com/?%C3%BC",
	"https://example.com/a b/ü":            "https://example.com/a%20b/%C3%BC",
	"https://example.com/a%2Fb c%2f?x=%2F": "https://example.com/a%2Fb%20c%2f?x=%2F",
	"https://example.com/a+b?c+d=%2B":      "https://example.com/a+b?c+d=%2B",
	"https://example.com/?a=100%&b=%zz":    "https://example.com/?a=100%25&b=%25zz",
	`https://example.com/?f[a]="<{|}>^\`:   "https://example.com/?f%5Ba%5D=%22%3C%7B%7C%7D%3E%5E%5C",
	"https://example.com/a?b?c/d:e@f":      "https://example.com/a?b?c/d:e@f",
	"https://example.com/?a=%":             "https://example.com/?a=%25",
	"https://example.com/?a=%2":            "https://example.com/?a=%252",
	"https://example.com/?%09%AF%af%0g":    "https://example.com/?%09%AF%af%250g",
	"https://example.com/09azAZ-._~":       "https://example.com/09azAZ-._~",
	"https://example.com/?":                "https://example.com/?",
	"https://example.com/#":                "https://example.com/",
	"https://example.com/./a/../b/.":       "https://example.com/b/",
	"https://example.com/../..":            "https://example.com/",
	"https://example.com/%2e%2E/a/.%2e/b":  "https://example.com/b",
	"https://example.com/%2e/a%2eb/%2e":    "https://example.com/a%2eb/",
	"https://example.com//a//":             "https://example.com//a//",
	"https://münchen.example/":             "https://xn--mnchen-3ya.example/",
	"https://MÜNCHEN.example/":             "https://xn--mnchen-3ya.example/",
	"https://mu\u0308nchen.example/":       "https://xn--mnchen-3ya.example/",
	"https://m%C3%BCnchen.example/":        "https://xn--mnchen-3ya.example/",
	"https://XN--MNCHEN-3YA.example/":      "https://xn--mnchen-3ya.example/",
	"https://straße.example/":              "https://xn--strae-oqa.example/",
	"https://例え。jp/":                       "https://xn--r8jz45g.jp/",
	"http://１２７.０.０.１/":                    "http://127.0.0.1/",
	"http://my_receiver:3000/hook":         "http://my_receiver:3000/hook",
	"http://a-.example/":                   "http://a-.example/",
	"http://localhost:3000":                "http://localhost:3000/",
	"http://AZaz09.example":                "http://azaz09.example/",
	"http://[0:0::0:1]:80/":                "http://[::1]/",
	"http://[2001:DB8::1]:8080/":           "http://[2001:db8::1]:8080/",
	"http://[fe80::1%25eth0]/":             "http://[fe80::1%25eth0]/",
}

func TestPathsAreWrittenBehindABase(t *testing.T) {
	for raw, want := range map[string]string{
		"HTTPS://Acme.example:443/": "https://acme.example", "http://acme.example:8080/desk//": "http://acme.example:8080/desk",
		"https://MÜNCHEN.example": "https://xn--mnchen-3ya.example",
		"https://acme.example?":   "", "https://acme.example/?a=b": "", "https://acme.example/#a": "", "https://me@acme.example": "",
		"ftp://acme.example": "", "acme.example": "", "": "", "https://127.1": "", "https://acme.example:99999": "",
	} {
		if got, err := weburl.Base(raw); got != want || (err == nil) != (want != "") {
			t.Errorf("%q: %q, %v", raw, got, err)
		}
	}
}

// The longest names, zones and URLs are accepted, and those longer by a byte are refused.
func TestTheLongestURLsAreAccepted(t *testing.T) {
	for name, most := range map[string]string{
		"a label": "http://" + strings.Repeat("a", 63) + "/",
		"a name":  "http://" + strings.Repeat("a.", 125) + "abc/",
		"a zone":  "http://[fe80::1%25" + strings.Repeat("a", 32) + "]/",
		"a URL":   "http://a/" + strings.Repeat("a", 2048-len("http://a/")),
	} {
		if got, err := weburl.Canonical(most); got != most || err != nil {
			t.Errorf("the longest of %s: %q, %v", name, got, err)
		}
		last := strings.LastIndexByte(most, 'a')
		if got, err := weburl.Canonical(most[:last] + "a" + most[last:]); err == nil {
			t.Errorf("%s that is too long: %q", name, got)
		}
	}
}

func TestEveryURLHasOneCanonicalForm(t *testing.T) {
	for raw, want := range forms {
		got, err := weburl.Canonical(raw)
		if got != want || err != nil {
			t.Errorf("%q: %q, %v; want %q", raw, got, err, want)
		}
	}
}

func TestAURLThatCannotBeCalledIsRefusedWithTheReason(t *testing.T) {
	for reason, refused := range map[string][]string{
		"http:// or https://": {"", "example.com", "//example.com", "ftp://example.com", "javascript:x", "example.com:80", "https//example.com"},
		"names no host":       {"http:", "http:/x", "http:x", "http://", "http:///x", "https://:443/", "https://?x", `http:\\example.com`},
		"port":                {"http://x:0", "http://x:65536", "http://x:99999/", "http://x:-1", "http://x:+1", "http://x:http", "http://x:1:2", "http://[::1]x", "http://x:８０"},
		"four decimal numbers": {
			"http://127.1", "http://0x7f.1/", "http://2130706433", "http://127.0.0.1./", "http://0177.0.0.1", "http://1.2.3.4.5",
			"http://0X7F000001", "http://127.0.0.01", "http://256.1.1.1", "http://example.1", "http://１２７.１",
		},
		"IPv6":              {"http://[::1", "http://[]", "http://[127.0.0.1]", "http://[x]", "http://[::1%eth0]"},
		"begins no escape":  {"http://x/100%", "http://x/%zz", "http://x/%2", "http://x/%ü1?a"},
		"zone":              {"http://[::1%25eth0]", "http://[fe80::1%25]", "http://[fe80::1%25a%20b]", "http://[2001:db8::1%25eth0]", "http://[::ffff:127.0.0.1%25eth0]"},
		"neither a name":    {"http://a..b", "http://.a", "http://xn--.example", "http://a b", "http://a%20b", "http://a%2Fb", "http://a%zz", "http://a!b", "http://a~b", "http://" + strings.Repeat("a", 64), "http://" + strings.Repeat("a.", 130) + "b", "http://x<y", "http://℀.example"},
		"internationalised": {"http://xn--a", "http://a\u0080.example", "http://a\u200db.example", "http://א1b.example"},
		"backslash":         {`http://example.com\@other`, `http://example.com/a\b`, `https://a\b`},
		"user name":         {"http://user@example.com", "http://user:pass@example.com/", "http://@example.com", "https://a:443@b"},
		"fragment":          {"http://example.com/#x", "http://example.com/?a#b", "http://example.com#x"},
		"control character": {"http://exa\tmple.com", "http://example.com/a\nb", "http://example.com/\x00", "http://example.com/?\x7f", "http://a\rb"},
		"UTF-8":             {"http://example.com/\xff", "http://\xc3.example"},
		"2048":              {"http://example.com/" + strings.Repeat("a", 2048), "http://example.com/" + strings.Repeat("ü", 400)},
	} {
		for _, raw := range refused {
			if got, err := weburl.Canonical(raw); err == nil || !strings.Contains(err.Error(), reason) {
				t.Errorf("%q: %q, %v; want %q", raw, got, err, reason)
			}
		}
	}
}

func TestAURLIsParsedInItsCanonicalForm(t *testing.T) {
	if u, err := weburl.Parse("HTTP://Example.com:80/a b?c"); err != nil || u.String() != "http://example.com/a%20b?c" {
		t.Errorf("%v, %v", u, err)
	}
	if u, err := weburl.Parse("example.com"); err == nil || u != nil {
		t.Errorf("a URL without a scheme is %v", u)
	}
}

func TestAURLStoredBeforeStaysWhereItWouldBeRefused(t *testing.T) {
	for raw, want := range map[string]string{
		"http://x:99999/": "http://x:99999/", "HTTP://x?a b": "http://x/?a%20b", "": "",
	} {
		if got := weburl.Stored(raw); got != want {
			t.Errorf("%q: %q, want %q", raw, got, want)
		}
	}
}

// FuzzCanonical holds what is canonical against net/url and the server of net/http.
func FuzzCanonical(f *testing.F) {
	for raw := range forms {
		f.Add(raw)
	}
	for _, raw := range []string{
		"http://a\u00adb/", "http://ẞ.example", "http://İ.K", "http://[::ffff:1.2.3.4]/%", "http://x/%%20%2",
		"http://x/..%2e/.", "http://x/*?*",
	} {
		f.Add(raw)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		canonical, err := weburl.Canonical(raw)
		if err != nil {
			return
		}
		if again, err := weburl.Canonical(canonical); again != canonical || err != nil {
			t.Fatalf("%q: %q, and then %q, %v", raw, canonical, again, err)
		}
		u, err := url.Parse(canonical)
		if err != nil || u.User != nil || u.Hostname() == "" || u.Path == "" {
			t.Fatalf("%q: %q: %v", raw, canonical, err)
		}
		checkRequest(t, canonical, u)
	})
}

// checkRequest has net/http write a request and read it again.
func checkRequest(t *testing.T, canonical string, u *url.URL) {
	t.Helper()
	var wire strings.Builder
	if err := (&http.Request{Method: http.MethodPost, URL: u, Host: u.Host}).Write(&wire); err != nil {
		t.Fatalf("%q: %v", canonical, err)
	}
	r, err := http.ReadRequest(bufio.NewReader(strings.NewReader(wire.String())))
	if err != nil {
		t.Fatalf("%q: %v", canonical, err)
	}
	_, rest, _ := strings.Cut(canonical, "://")
	host, _, _ := strings.Cut(rest, "/")
	if target := strings.TrimPrefix(rest, host); r.RequestURI != target {
		t.Fatalf("%q: sent as %q", canonical, r.RequestURI)
	}
	if zone := strings.Index(host, "%25"); zone >= 0 {
		host = host[:zone] + host[strings.IndexByte(host, ']'):]
	}
	if r.Host != host {
		t.Fatalf("%q: Host is %q", canonical, r.Host)
	}
	if strings.HasPrefix(host, "[") {
		return
	}
	if name, _, err := net.SplitHostPort(host + ":80"); err == nil && strings.Trim(name, "0123456789.") == "" &&
		net.ParseIP(name) == nil {
		t.Fatalf("%q: the host is a number", canonical)
	}
}
