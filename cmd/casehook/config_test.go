package main

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// shownSettings returns the settings that casehook config prints as JSON, by option or variable.
func shownSettings(t *testing.T, args ...string) map[string]setting {
	t.Helper()
	status, out, errs := runCommand(t, append([]string{"config", "--json"}, args...)...)
	if status != exitOK {
		t.Fatalf("status %d: %s", status, errs)
	}
	all := map[string]setting{}
	for line := range strings.Lines(out) {
		var s setting
		if err := json.Unmarshal([]byte(line), &s); err != nil {
			t.Fatal(err)
		}
		name := s.Option
		if name == "" {
			name = s.Variable
		}
		all[name] = s
	}
	return all
}

// Each field of serveCmd is an option that is shown.
func TestConfigShowsEveryOptionOfServe(t *testing.T) {
	fields := reflect.TypeFor[serveCmd]()
	var variables, shown []string
	for i := range fields.NumField() {
		variables = append(variables, fields.Field(i).Tag.Get("env"))
	}
	for _, s := range shownSettings(t) {
		shown = append(shown, s.Variable)
		if s.From != fromDefault {
			t.Errorf("%+v is not from its default", s)
		}
	}
	slices.Sort(variables)
	slices.Sort(shown)
	if diff := cmp.Diff(variables, shown); diff != "" {
		t.Errorf("the variables of serve (-all +shown): %s", diff)
	}
}

func TestConfigShowsWhereAValueIsFrom(t *testing.T) {
	path := file(t, "grace: 20s\nlease-ttl: 30s\nallow-address: [10.0.0.0/8, 192.0.2.0/24]\nmax-upload: 1MiB\n")
	t.Setenv("CASEHOOK_LEASE_TTL", "40s")
	t.Setenv("CASEHOOK_MAX_UPLOAD", "2MiB")
	t.Setenv("CASEHOOK_VAR_CALLBACKS", "https://callbacks.example.com")
	got := shownSettings(t, "--config", path, "--max-upload", "3MiB", "--keep-attempts", "30d", "--hold")
	for name, want := range map[string][2]string{
		"config": {path, fromFlag}, "grace": {"20s", fromFile}, "lease-ttl": {"40s", fromVariable},
		"max-upload": {"3MiB", fromFlag}, "drain-delay": {"0s", fromDefault}, "keep-attempts": {"30d", fromFlag},
		"allow-address": {"10.0.0.0/8,192.0.2.0/24", fromFile}, "hold": {"true", fromFlag},
		"CASEHOOK_VAR_CALLBACKS": {"https://callbacks.example.com", fromVariable},
	} {
		if s := got[name]; s.Value != want[0] || s.From != want[1] {
			t.Errorf("%s is %+v, want %v", name, s, want)
		}
	}
}

// No value of an option or a variable that may be secret is printed, in either form.
func TestConfigPrintsNoSecret(t *testing.T) {
	const secret = "5esame"
	urls := []string{
		"https://user:" + secret + "@example.com/x", "https://" + secret + "@example.com",
		"https://example.com/?api_key=" + secret, "https://example.com/?x=1&access_token=" + secret + "#" + secret,
		"postgres://casehook:" + secret + "@db:5432/casehook", "postgres://db/casehook?password=" + secret,
		"postgres://casehook:" + secret + "%zz@db/casehook", "host=db password=" + secret,
		"postgresql:casehook:" + secret + "@db",
	}
	for _, name := range variablesAlone {
		t.Setenv(name, secret)
	}
	for i, u := range urls {
		t.Setenv(fmt.Sprint("CASEHOOK_VAR_", i), u)
	}
	t.Setenv("CASEHOOK_UNHEARD_OF", secret)
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", urls[0])
	t.Setenv("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", urls[1])
	for _, u := range urls {
		args := []string{"config", "--database", u, "--cors-origin", u}
		if strings.HasPrefix(u, "https") {
			args = append(args, "--public-url", u, "--oidc-issuer", u, "--otlp-endpoint", u)
		}
		for _, form := range [][]string{args, append(args[:len(args):len(args)], "--json")} {
			status, out, errs := runCommand(t, form...)
			if status != exitOK || strings.Contains(out+errs, secret) {
				t.Errorf("%s: status %d: %s%s", u, status, out, errs)
			}
			if !strings.Contains(errs, "CASEHOOK_UNHEARD_OF") || !strings.Contains(out, "CASEHOOK_KEY") {
				t.Errorf("%s%s", out, errs)
			}
		}
	}
}

func TestConfigReportsWhatItDoesNotKnow(t *testing.T) {
	path := file(t, "listen: 127.0.0.1:1\nlisen: 127.0.0.1:2\n")
	status, _, errs := runCommand(t, "config", "--config", path)
	if status != exitUsage || !strings.Contains(errs, `:2: there is no option "lisen" (did you mean "listen"?)`) {
		t.Errorf("status %d: %s", status, errs)
	}
	t.Setenv("CASEHOOK_LISTN", "127.0.0.1:3")
	if _, _, errs := runCommand(t, "config"); !strings.Contains(errs, `CASEHOOK_LISTN is set, and is no variable`) ||
		!strings.Contains(errs, `did you mean "CASEHOOK_LISTEN"?`) {
		t.Errorf("%s", errs)
	}
}
