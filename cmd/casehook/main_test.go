package main

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/alecthomas/kong"
	"github.com/google/go-cmp/cmp"

	"github.com/casehook/casehook/internal/outbound"
)

// runCommand runs a command line, and returns its exit status and its output.
func runCommand(t *testing.T, args ...string) (status int, stdout, stderr string) {
	t.Helper()
	var out, err bytes.Buffer
	ctx, stop := context.WithCancel(t.Context())
	stop() // a server that starts by mistake ends at once
	status = run(ctx, args, stdio{strings.NewReader(""), &out, &err})
	return status, out.String(), err.String()
}

func file(t *testing.T, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "casehook.yaml")
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// parsed returns the options of a command line.
func parsed(t *testing.T, args ...string) (serveCmd, error) {
	t.Helper()
	var c commands
	parser, err := kong.New(&c, kong.BindTo(t.Context(), (*context.Context)(nil)))
	if err != nil {
		t.Fatal(err)
	}
	_, err = parser.Parse(append([]string{"serve"}, args...))
	return c.Serve, err
}

func TestAFlagWinsOverAVariableOverTheFileOverTheDefault(t *testing.T) {
	path := file(t, "listen: 127.0.0.1:3\nmax-upload: 3MiB\n")
	for _, test := range []struct {
		name, variable string
		args           []string
		want           string
	}{
		{"the default", "", nil, "127.0.0.1:8080"},
		{"the file", "", []string{"--config", path}, "127.0.0.1:3"},
		{"a variable", "127.0.0.1:2", []string{"--config", path}, "127.0.0.1:2"},
		{"a flag", "127.0.0.1:2", []string{"--config", path, "--listen", "127.0.0.1:1"}, "127.0.0.1:1"},
	} {
		t.Run(test.name, func(t *testing.T) {
			if test.variable != "" {
				t.Setenv("CASEHOOK_LISTEN", test.variable)
			}
			c, err := parsed(t, test.args...)
			if err != nil {
				t.Fatal(err)
			}
			if c.Listen != test.want {
				t.Errorf("it listens on %s, want %s", c.Listen, test.want)
			}
			if want := size(3 << 20); test.args != nil && c.MaxUpload != want {
				t.Errorf("uploads of %d bytes, want the file's %d", c.MaxUpload, want)
			}
		})
	}
}

func TestTheFileMayBeNamedByAVariableAndHoldLists(t *testing.T) {
	t.Setenv("CASEHOOK_CONFIG",
		file(t,
			"allow-address: [127.0.0.0/8, 10.0.0.0/8]\ntrusted-proxies: [10.0.0.7, 'fd00::1/8']\nlease-ttl: "+
				"4s\nlog-level: warn\n"))
	c, err := parsed(t)
	if err != nil {
		t.Fatal(err)
	}
	want := []outbound.AllowedPrefix{
		{Prefix: netip.MustParsePrefix("127.0.0.0/8")}, {Prefix: netip.MustParsePrefix("10.0.0.0/8")},
	}
	if diff := cmp.Diff(want, c.AllowAddress,
		cmp.Comparer(func(a, b netip.Prefix) bool { return a == b })); diff != "" {
		t.Error(diff)
	}
	if proxies := fmt.Sprint(prefixes(c.Proxies)); proxies != "[10.0.0.7/32 fd00::/8]" {
		t.Errorf("it trusts %s", proxies)
	}
	if c.LeaseTTL != 4*time.Second || c.LogLevel.String() != "WARN" {
		t.Errorf("lease %s, level %s", c.LeaseTTL, c.LogLevel)
	}
}

// For every option, an empty variable counts as not set.
func TestAnEmptyVariableIsAsUnset(t *testing.T) {
	var c commands
	parser, err := kong.New(&c, kong.BindTo(t.Context(), (*context.Context)(nil)))
	if err != nil {
		t.Fatal(err)
	}
	variables := []string{
		"CASEHOOK_KEY", "CASEHOOK_OIDC_CLIENT_SECRET", "CASEHOOK_METRICS_TOKEN", "CASEHOOK_VAR_ORDERS",
	}
	for _, command := range parser.Model.Children {
		for _, flags := range command.AllFlags(false) {
			for _, flag := range flags {
				variables = append(variables, flag.Envs...)
			}
		}
	}
	if len(variables) < 20 {
		t.Fatalf("%d variables", len(variables))
	}
	for _, variable := range variables {
		t.Setenv(variable, "")
	}
	if _, err := parsed(t, "--data", t.TempDir()); err == nil {
		t.Fatal("the parser itself ignores empty variables, so unsetEmptyVariables is not needed")
	}
	status, _, stderr := runCommand(t, "serve", "--data", t.TempDir(), "--listen", "127.0.0.1:0")
	if status == exitUsage {
		t.Errorf("empty variables are taken as values: %s", stderr)
	}
	for _, variable := range variables {
		if _, set := os.LookupEnv(variable); set {
			t.Errorf("%s is still set", variable)
		}
	}
}

func TestFaultsInTheFileAreListedByLine(t *testing.T) {
	for name, test := range map[string]struct{ content, want string }{
		"an unknown key":   {"listen: x\nlisten-on: y\n", `:2: there is no option "listen-on"`},
		"a key of no flag": {"config: other.yaml\n", `:1: there is no option "config"`},
		"no mapping":       {"- listen\n", ":1: a file of options is a list of keys and values"},
		"a nested value":   {"listen: { host: x }\n", ":1: /listen: is neither a plain value nor a list"},
		"a wrong value":    {"max-upload: much\n", `"much" is not a size`},
		"a nested list":    {"allow-address:\n  - [x]\n", ":1: /allow-address: is a list of values that are not plain"},
		"an option twice":  {"listen: x\ndata: y\nlisten: z\n", ":3: /listen: is given twice; the first is on line 1"},
		"no YAML":          {"data: x\nlisten: [\n", "casehook.yaml:3: /: is not YAML: "},
	} {
		t.Run(name, func(t *testing.T) {
			status, _, stderr := runCommand(t, "serve", "--config", file(t, test.content))
			if status != exitUsage || !strings.Contains(stderr, test.want) {
				t.Errorf("status %d, %q; want %q", status, stderr, test.want)
			}
		})
	}
}

func TestOneFaultInTheFileHidesNoOther(t *testing.T) {
	wrong := map[string]string{
		"lisen: x": `there is no option "lisen" (did you mean "listen"?)`, "grace: 3": `/grace: "3" is not a length of time`,
		"max-connections: many": `/max-connections: "many" is not a whole number`, "log-format: xml": "write auto, text or json",
		"allow-address: [10.0.0.0/8, x]": "/allow-address: ", "public-url: a.example": "/public-url: ", "hold: maybe": "/hold: ",
		"log-level: loud": "write debug, info, warn or error", "keep-journal: [x]": "/keep-journal: ", "data: {a: b}": "/data: ",
	}
	content, want := "", []string{}
	for _, line := range slices.Sorted(maps.Keys(wrong)) {
		content += line + "\n"
		want = append(want, wrong[line])
	}
	_, _, stderr := runCommand(t, "serve", "--config", file(t, content))
	for i, text := range want {
		if at := fmt.Sprintf("casehook.yaml:%d: ", i+1); !strings.Contains(stderr, at) ||
			!strings.Contains(stderr, text) {
			t.Errorf("%s %s is not in\n%s", at, text, stderr)
		}
	}
	_, _, stderr = runCommand(t, "serve", "--lease-ttl", "9h", "--grace", "0s")
	if !strings.Contains(stderr, "--lease-ttl is") || !strings.Contains(stderr, "--grace is") {
		t.Errorf("of two wrong options it says %s", stderr)
	}
}

func TestErrorsOfTheCommandLineAreExplained(t *testing.T) {
	for name, test := range map[string]struct {
		args []string
		want string
	}{
		"an unknown command":  {[]string{"sevre"}, `did you mean "serve"`},
		"an unknown flag":     {[]string{"serve", "--lisen", "x"}, `did you mean "--listen"`},
		"a missing file":      {[]string{"serve", "--config", "/none/casehook.yaml"}, "no such file"},
		"an end at once":      {[]string{"serve", "--disable-after", "1s"}, "between 1m and 720h"},
		"a lease of nothing":  {[]string{"serve", "--lease-ttl", "0s"}, "between 1s and 5m"},
		"an upload too large": {[]string{"serve", "--max-upload", "999999999999GiB"}, "not a size"},
		"no attempts":         {[]string{"attempts", "--last", "0"}, "--last is 0; it has to be between 1 and 10000"},
		"no definition":       {[]string{"casetype", "check"}, "<file>"},
	} {
		t.Run(name, func(t *testing.T) {
			status, stdout, stderr := runCommand(t, test.args...)
			if status != exitUsage || !strings.Contains(stderr, test.want) || stdout != "" {
				t.Errorf("status %d, stdout %q, stderr %q; want %q", status, stdout, stderr, test.want)
			}
		})
	}
}

func TestHelpNamesTheVariableOfEveryOption(t *testing.T) {
	status, help, _ := runCommand(t, "serve", "--help")
	if status != exitOK {
		t.Fatalf("status %d", status)
	}
	help = strings.Join(strings.Fields(help), " ")
	flags := regexp.MustCompile(`--([a-z-]+)=`).FindAllStringSubmatch(help, -1)
	if len(flags) < 10 {
		t.Fatalf("the help shows %d options", len(flags))
	}
	for _, flag := range flags {
		variable := "$CASEHOOK_" + strings.ToUpper(strings.ReplaceAll(flag[1], "-", "_"))
		if !strings.Contains(help, variable) {
			t.Errorf("--%s: its help does not name %s", flag[1], variable)
		}
	}
}

func TestEveryCommandHasHelp(t *testing.T) {
	for _, command := range [][]string{
		{}, {"serve"}, {"demo"}, {"casetype"}, {"casetype", "check"}, {"apply"}, {"version"}, {"endpoints"},
		{"endpoints", "show"}, {"endpoints", "pause"}, {"endpoints", "resume"}, {"listen"}, {"trigger"}, {"resend"},
		{"attempts"},
	} {
		status, help, stderr := runCommand(t, append(command, "--help")...)
		if status != exitOK || !strings.Contains(help, "Usage: casehook") || stderr != "" {
			t.Errorf("%v --help: status %d, %q, %q", command, status, help, stderr)
		}
	}
}

// Developers of receivers learn the commands from their examples.
func TestTheHelpOfCommandsForDevelopersHasExamples(t *testing.T) {
	for _, command := range []string{"listen", "trigger", "resend", "endpoints", "attempts"} {
		_, help, _ := runCommand(t, command, "--help")
		if strings.Count(help, "    casehook "+command) < 2 {
			t.Errorf("the help of %s shows no two examples:\n%s", command, help)
		}
	}
}

func TestAMomentIsNowOrBeforeIt(t *testing.T) {
	now := time.Date(2026, 3, 14, 15, 9, 26, 0, time.UTC)
	for text, want := range map[string]string{
		"now": "now", "beginning": "beginning", "10m": "2026-03-14T14:59:26Z", "2026-01-31T09:00:00+01:00": "2026-01-31T08:00:00Z",
		"": "", "-1m": "", "0s": "", "yesterday": "",
	} {
		var m moment
		err := m.UnmarshalText([]byte(text))
		if (err != nil) != (want == "") || err == nil && m.format(now) != want {
			t.Errorf("%q is %q, %v; want %q", text, m.format(now), err, want)
		}
	}
}

func TestASizeIsBytesOrHasAUnit(t *testing.T) {
	for text, want := range map[string]size{
		"1": 1, "512B": 512, "2KiB": 2 << 10, "32MiB": 32 << 20, "1 GiB": 1 << 30, "": 0, "0": 0, "-1": 0, "1MB": 0,
		"999999999999GiB": 0,
	} {
		var got size
		err := got.UnmarshalText([]byte(text))
		if (err != nil) != (want == 0) || err == nil && got != want {
			t.Errorf("%q is %d, %v; want %d", text, got, err, want)
		}
	}
}

// The help of each command shows an example of it.
func TestTheHelpOfEveryCommandHasAnExample(t *testing.T) {
	parser, err := kong.New(&commands{})
	if err != nil {
		t.Fatal(err)
	}
	for _, leaf := range parser.Model.Leaves(true) {
		command := strings.Fields(leaf.FullPath())[1:]
		if command[0] == "version" || command[0] == "demo" { // these need none
			continue
		}
		_, out, _ := runCommand(t, append(command, "--help")...)
		if example := "    casehook " + strings.Join(command, " "); !strings.Contains(out, example) &&
			!strings.Contains(out, strings.TrimSuffix(example, " list")) {
			t.Errorf("casehook %s --help shows none:\n%s", strings.Join(command, " "), out)
		}
	}
}
