package casehook_test

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// serves matches what starts an HTTP server, or a demo with one.
var serves = regexp.MustCompile(`httptest\.New(TLS|Unstarted)?Server\(|http\.Serve\(|http\.Server\{|demo\.Run\(`)

// unchecked are the tests whose servers need not hold what they are sent against
// the catalogue, with the reason.
var unchecked = map[string]string{
	"internal/api/oidc_test.go":          "an OpenID Connect provider",
	"internal/api/payload_test.go":       "thin bodies, which the catalogue does not describe",
	"internal/api/addresses_test.go":     "each fails, before it has read anything",
	"e2e/programs_test.go":               "a callback",
	"internal/apply/run_test.go":         "a made-up server; e2e has a real one",
	"internal/bucket/stall_test.go":      "S3 that fails, which the real one doesn't when told to",
	"internal/callback/callback_test.go": "callbacks",
	"internal/client/client_test.go":     "a server that speaks http alone",
	"internal/delivery/bench_test.go":    "a benchmark, which would measure the check",
	"internal/outbound":                  "it knows of no messages",
	"internal/oidc":                      "an OpenID Connect provider",
	"internal/dev/listen_test.go":        "a made-up server, and its messages; e2e has real ones",
	"internal/dev/questions_test.go":     "a made-up server, and a callback that looks at its request",
	"internal/dev/migrate_test.go":       "a made-up server; e2e has a real one",
	"internal/server/doctor_test.go":     "it refuses all but OPTIONS, which is no message",
	"internal/server/reach_test.go":      "what nobody should hear from",
	"internal/server/tracing_test.go":    "an OpenTelemetry collector",
	"internal/server/acme_test.go":       "an ACME authority",
	"internal/server/silence_test.go":    "a callback that is asked once",
	"internal/server/egress_test.go":     "a proxy that refuses",
	"internal/inbound/tls_test.go":       "a certificate is borrowed from it",
	"webhook":                            "what it receives is made by the tests",
}

// Every test that receives messages has them checked.
func TestEveryReceiverChecksWhatItGets(t *testing.T) {
	found := 0
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, "_test.go") || path == "receivers_test.go" {
			return err
		}
		source, err := os.ReadFile(path)
		if err != nil || !serves.Match(source) {
			return err
		}
		found++
		path = filepath.ToSlash(path)
		checks := bytes.Contains(source, []byte("wiretest."))
		excused := unchecked[path] != "" || unchecked[filepath.ToSlash(filepath.Dir(path))] != ""
		switch {
		case checks && excused:
			t.Errorf("%s checks what it gets; it needs no excuse", path)
		case !checks && !excused:
			t.Errorf("%s starts a server that does not check what it gets: put wiretest.Handler around the receiver, "+
				"or say here why not", path)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if found < 10 {
		t.Errorf("only %d tests start servers", found)
	}
}
