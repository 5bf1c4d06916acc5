package main

import (
	"reflect"
	"strings"
	"testing"

	"github.com/alecthomas/kong"
)

// Every option that takes a URL, of every command, has the type webURL.
func TestAURLWithoutASchemeIsRefusedAtOnce(t *testing.T) {
	parser, err := kong.New(&commands{})
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]bool{}
	var look func(node *kong.Node)
	look = func(node *kong.Node) {
		for _, flag := range node.Flags {
			if flag.PlaceHolder != "URL" || strings.HasPrefix(flag.Name, "database") || // of PostgreSQL
				flag.Name == "egress-proxy" { // which may be of SOCKS, and is not quoted
				continue
			}
			found[flag.Name] = true
			if taken := flag.Target.Type(); taken != reflect.TypeFor[webURL]() &&
				taken != reflect.TypeFor[serverURL]() {
				t.Errorf("%s --%s is not a webURL", node.FullPath(), flag.Name)
			}
		}
		for _, child := range node.Children {
			look(child)
		}
	}
	look(parser.Model.Node)
	for _, name := range []string{"forward", "server", "public-url", "oidc-issuer", "otlp-endpoint"} {
		if !found[name] {
			t.Errorf("no command has --%s", name)
		}
	}
	for command, want := range map[string]string{
		"listen --forward localhost:3000/hook":        "write http://localhost:3000/hook",
		"listen --forward 3000":                       "write http://localhost:3000",
		"trigger case_created --forward 10.1.2.3:80":  "write http://10.1.2.3:80",
		"endpoints --server cases.example.com":        "write https://cases.example.com",
		"user create --email a@b --server [::1]:8080": "write http://[::1]:8080",
		"tenant list --server //cases.example.com":    "write https://cases.example.com",
		"serve --public-url cases.example.com":        "write https://cases.example.com",
		"serve --oidc-issuer id.example.com/x":        "write https://id.example.com/x",
		"serve --otlp-endpoint collector:4318":        "write http://collector:4318",
		"apply -f x --server ftp://cases":             "does not begin with http:// or https://",
	} {
		if status, _, stderr := runCommand(t, strings.Fields(command)...); status != exitUsage ||
			!strings.Contains(stderr, want) {
			t.Errorf("%s: status %d: %s", command, status, stderr)
		}
	}
}

func TestAURLWithoutASchemeInAVariableIsRefused(t *testing.T) {
	t.Setenv("CASEHOOK_SERVER", "localhost:8080")
	status, _, stderr := runCommand(t, "endpoints")
	if status != exitUsage || !strings.Contains(stderr, "write http://localhost:8080") {
		t.Errorf("status %d: %s", status, stderr)
	}
}

func TestTheURLOfAServerHasNoV1AtItsEnd(t *testing.T) {
	for _, raw := range []string{"http://127.0.0.1:8080/v1", "http://127.0.0.1:8080/v1/"} {
		t.Setenv("CASEHOOK_SERVER", raw)
		status, _, stderr := runCommand(t, "apply", "-f", "casehook.yaml")
		if status != exitUsage || !strings.Contains(stderr, "leave /v1 out: write http://127.0.0.1:8080") {
			t.Errorf("%s: status %d: %s", raw, status, stderr)
		}
	}
	var u serverURL
	if err := u.UnmarshalText([]byte("https://example.com/cases")); err != nil || u != "https://example.com/cases" {
		t.Errorf("a path that a proxy has: %q, %v", u, err)
	}
}
