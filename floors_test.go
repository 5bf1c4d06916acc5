package casehook_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/casehook/casehook"

// floors says how high each package stands. Imports only go down, never sideways.
var floors = map[string]int{
	"cmd/casehook": 7,

	"internal/server": 6, "internal/demo": 6, "internal/apply": 6, "internal/dev": 6, "internal/bench": 6,

	"internal/api": 5, "internal/web": 5, "internal/client": 5,

	"internal/casework": 4, "internal/delivery": 4, "internal/session": 4,

	"internal/store": 3, "internal/filter": 3, "internal/blob": 3, "internal/callback": 3, "internal/oidc": 3,

	"internal/cases": 2, "internal/access": 2, "internal/endpoint": 2, "internal/wire": 2, "internal/document": 2,
	"internal/outbound": 2, "internal/inbound": 2,

	"internal/casetype": 1, "internal/event": 1,

	"internal/fault": 0, "internal/id": 0, "internal/observe": 0, "internal/expression": 0, "internal/weburl": 0, "internal/schema": 0,
	"internal/spelling": 0, "internal/yaml": 0, "internal/cache": 0, "examples": 0, public: 0,
}

// public is the package that programs of others import. It imports none of ours.
const public = "webhook"

// testOnly are the packages that only tests import.
var testOnly = []string{"internal/pgtest", "internal/hostile", "internal/store/storetest", "internal/store/faulty", "internal/blob/blobtest", "internal/wire/wiretest", "e2e", ""}

// pure packages do no I/O, read no clock and draw no randomness: these come in as
// arguments.
var pure = []string{
	"internal/casetype", "internal/event", "internal/cases", "internal/access", "internal/endpoint", "internal/wire", "internal/fault", "internal/expression", "internal/filter",
	"internal/weburl", "internal/schema", "internal/spelling", "internal/yaml", "internal/cache",
}

var impure = []string{"os", "os/exec", "net", "net/http", "database/sql", "math/rand", "math/rand/v2", "crypto/rand", "log", "log/slog", "io/ioutil"}

// goPackage is what go list says of a package.
type goPackage struct {
	ImportPath string
	Imports    []string
}

func packages(t *testing.T) []goPackage {
	t.Helper()
	out, err := exec.Command("go", "list", "-json=ImportPath,Imports", "./...").Output()
	if err != nil {
		var failed *exec.ExitError
		if errors.As(err, &failed) {
			t.Fatalf("%v\n%s", err, failed.Stderr)
		}
		t.Fatal(err)
	}
	var all []goPackage
	for d := json.NewDecoder(bytes.NewReader(out)); ; {
		var p goPackage
		switch err := d.Decode(&p); {
		case errors.Is(err, io.EOF):
			return all
		case err != nil:
			t.Fatal(err)
		}
		all = append(all, p)
	}
}

// inside returns an import path relative to the module, and whether it is in it.
func inside(path string) (string, bool) {
	rest, ok := strings.CutPrefix(path, module)
	return strings.TrimPrefix(rest, "/"), ok
}

func TestImportsOnlyGoDown(t *testing.T) {
	for _, p := range packages(t) {
		name, _ := inside(p.ImportPath)
		if slices.Contains(testOnly, name) {
			continue
		}
		floor, placed := floors[name]
		if !placed && strings.HasPrefix(name, "examples/") {
			floor, placed = 1, true // programs of others: they import none of ours but what is public
		}
		if !placed {
			t.Errorf("%s stands on no floor: give it one here and in ARCHITECTURE.md", name)
		}
		for _, path := range p.Imports {
			imported, ours := inside(path)
			if !ours {
				continue
			}
			if strings.HasPrefix(name, "examples/") && imported != public {
				t.Errorf("%s imports %s, which programs of others can't", name, imported)
			}
			if slices.Contains(testOnly, imported) {
				t.Errorf("%s imports %s, which is for tests", name, imported)
			}
			if below, placed := floors[imported]; placed && below >= floor {
				t.Errorf("%s (floor %d) imports %s (floor %d)", name, floor, imported, below)
			}
		}
	}
}

func TestOnePackageReadsYAML(t *testing.T) {
	for _, p := range packages(t) {
		for _, path := range p.Imports {
			if name, _ := inside(p.ImportPath); strings.HasPrefix(path, "go.yaml.in/yaml") && name != "internal/yaml" {
				t.Errorf("%s imports %s; internal/yaml reads YAML for all", name, path)
			}
		}
	}
}

func TestPurePackagesDoNoInputAndOutput(t *testing.T) {
	for _, p := range packages(t) {
		name, _ := inside(p.ImportPath)
		for _, path := range p.Imports {
			if slices.Contains(pure, name) && slices.Contains(impure, path) {
				t.Errorf("%s is pure, and imports %s", name, path)
			}
			if name == "internal/store" && path == "net/http" {
				t.Error("internal/store imports net/http")
			}
		}
	}
}

var clock = regexp.MustCompile(`\btime\.(Now|Since|Until|Sleep|After|AfterFunc|Tick|NewTimer|NewTicker)\b`)

func TestPurePackagesReadNoClock(t *testing.T) {
	for _, name := range pure {
		files, err := filepath.Glob(filepath.Join(filepath.FromSlash(name), "*.go"))
		if err != nil || len(files) == 0 {
			t.Fatalf("%s has no files: %v", name, err)
		}
		for _, file := range files {
			source, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if found := clock.Find(source); found != nil && !strings.HasSuffix(file, "_test.go") {
				t.Errorf("%s is pure, and says %s", file, found)
			}
		}
	}
}
