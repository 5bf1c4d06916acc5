package casehook_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/casehook/casehook"

// public is the package that programs of others import.
const public = "webhook"

// pkg is a package of this module. Its path is relative to the module.
type pkg struct {
	path    string
	imports []string // as go list prints them
}

// plan is the Floors section of ARCHITECTURE.md.
type plan struct {
	floors    map[string]int // by path
	pure      []string
	testsOnly []string
}

// planLine matches a line of the section: a floor or "tests", a path, "pure" or nothing, and a description.
var planLine = regexp.MustCompile(`^(\d+|tests) +(\S+) +(pure +)?\S`)

// parsePlan reads the section's block, and lists what is wrong with it.
func parsePlan(block string) (plan, []string) {
	p := plan{floors: map[string]int{}}
	var faults []string
	seen := map[string]bool{}
	for line := range strings.Lines(block) {
		line = strings.TrimRight(line, "\n")
		found := planLine.FindStringSubmatch(line)
		switch {
		case line == "":
			continue
		case found == nil:
			faults = append(faults, fmt.Sprintf("%q is not: floor, path, pure or nothing, description", line))
			continue
		case seen[found[2]]:
			faults = append(faults, found[2]+" has two lines")
		}
		path := found[2]
		seen[path] = true
		if found[3] != "" {
			p.pure = append(p.pure, path)
		}
		if found[1] == "tests" {
			p.testsOnly = append(p.testsOnly, path)
			continue
		}
		p.floors[path], _ = strconv.Atoi(found[1])
	}
	return p, faults
}

// readPlan returns the floors that ARCHITECTURE.md gives to the packages.
func readPlan(t *testing.T) plan {
	t.Helper()
	text, err := os.ReadFile("ARCHITECTURE.md")
	if err != nil {
		t.Fatal(err)
	}
	block := regexp.MustCompile("(?s)\n## Floors\n.*?\n```floors\n(.*?)```").FindSubmatch(text)
	if block == nil {
		t.Fatal("ARCHITECTURE.md has no section Floors with a block ```floors")
	}
	p, faults := parsePlan(string(block[1]))
	for _, fault := range faults {
		t.Errorf("ARCHITECTURE.md, Floors: %s", fault)
	}
	return p
}

// packages returns all packages of this module but the root, which has tests only.
func packages(t *testing.T) []pkg {
	t.Helper()
	out, err := exec.Command("go", "list", "-json=ImportPath,Imports", "./...").Output()
	if err != nil {
		var failed *exec.ExitError
		if errors.As(err, &failed) {
			t.Fatalf("%v\n%s", err, failed.Stderr)
		}
		t.Fatal(err)
	}
	var all []pkg
	for d := json.NewDecoder(bytes.NewReader(out)); ; {
		var listed struct {
			ImportPath string
			Imports    []string
		}
		switch err := d.Decode(&listed); {
		case errors.Is(err, io.EOF):
			return all
		case err != nil:
			t.Fatal(err)
		}
		if path, _ := inside(listed.ImportPath); path != "" {
			all = append(all, pkg{path: path, imports: listed.Imports})
		}
	}
}

// inside returns an import path relative to the module, and whether it is in it.
func inside(path string) (string, bool) {
	rest, ok := strings.CutPrefix(path, module)
	return strings.TrimPrefix(rest, "/"), ok
}

var impure = []string{
	"os", "os/exec", "net", "net/http", "database/sql", "math/rand", "math/rand/v2", "crypto/rand",
	"log", "log/slog", "io/ioutil",
}

// check lists where the packages differ from the plan.
func (p plan) check(all []pkg) (faults []string) {
	fault := func(format string, args ...any) { faults = append(faults, fmt.Sprintf(format, args...)) }
	exists := map[string]bool{}
	for _, one := range all {
		exists[one.path] = true
		floor, placed := p.floors[one.path]
		forTests := slices.Contains(p.testsOnly, one.path)
		if !placed && !forTests {
			fault("%s is on no floor", one.path)
			continue
		}
		for _, path := range one.imports {
			if slices.Contains(p.pure, one.path) && slices.Contains(impure, path) {
				fault("%s is pure, and imports %s", one.path, path)
			}
			imported, ours := inside(path)
			if !ours || forTests {
				continue
			}
			switch below, placed := p.floors[imported]; {
			case slices.Contains(p.testsOnly, imported):
				fault("%s imports %s, which is for tests", one.path, imported)
			case placed && below >= floor:
				fault("%s (floor %d) imports %s (floor %d)", one.path, floor, imported, below)
			}
		}
	}
	for _, path := range slices.Concat(slices.Sorted(maps.Keys(p.floors)), p.testsOnly) {
		if !exists[path] {
			fault("%s has a floor, and does not exist", path)
		}
	}
	return faults
}

func TestPackagesStandOnTheFloorsOfTheArchitecture(t *testing.T) {
	for _, fault := range readPlan(t).check(packages(t)) {
		t.Errorf("ARCHITECTURE.md, Floors: %s", fault)
	}
}

func TestFloorsFindFaults(t *testing.T) {
	const block = `
2  high        over the others
1  left  pure  decides
1  right       does I/O

0  low         a description
tests  helper  for tests
`
	sound := []pkg{
		{path: "high", imports: []string{"os", module + "/left", module + "/low"}},
		{path: "left", imports: []string{"strings", module + "/low"}},
		{path: "right", imports: []string{"net/http"}},
		{path: "low"},
		{path: "helper", imports: []string{"os", module + "/high"}},
	}
	p, faults := parsePlan(block)
	if faults = append(faults, p.check(sound)...); len(faults) > 0 {
		t.Errorf("sound packages have faults: %q", faults)
	}
	for _, test := range []struct {
		name   string
		change func(all []pkg) []pkg
		want   string
	}{
		{"on no floor", func(all []pkg) []pkg { return append(all, pkg{path: "new"}) }, "new is on no floor"},
		{"gone", func(all []pkg) []pkg { return slices.Delete(all, 3, 4) }, "low has a floor, and does not exist"},
		{"gone from the tests", func(all []pkg) []pkg { return all[:4] }, "helper has a floor, and does not exist"},
		{"up", importing(3, module+"/left"), "low (floor 0) imports left (floor 1)"},
		{"sideways", importing(1, module+"/right"), "left (floor 1) imports right (floor 1)"},
		{"impure", importing(1, "crypto/rand"), "left is pure, and imports crypto/rand"},
		{"for tests", importing(0, module+"/helper"), "high imports helper, which is for tests"},
	} {
		t.Run(test.name, func(t *testing.T) {
			if faults := p.check(test.change(slices.Clone(sound))); !slices.Equal(faults, []string{test.want}) {
				t.Errorf("got %q, want %q", faults, test.want)
			}
		})
	}
	for _, wrong := range []string{"one low here", "1 low", "1", "  1  low  is indented", "1 a b\n2 a c"} {
		if _, faults := parsePlan(wrong); len(faults) != 1 {
			t.Errorf("%q has the faults %q", wrong, faults)
		}
	}
}

// importing adds an import to one of the packages.
func importing(index int, path string) func([]pkg) []pkg {
	return func(all []pkg) []pkg {
		all[index].imports = append(slices.Clone(all[index].imports), path)
		return all
	}
}

func TestSomeImportsAreForOnePackageAlone(t *testing.T) {
	for _, p := range packages(t) {
		for _, path := range p.imports {
			imported, ours := inside(path)
			switch {
			case strings.HasPrefix(path, "go.yaml.in/yaml") && p.path != "internal/yaml":
				t.Errorf("%s imports %s; internal/yaml reads YAML for all", p.path, path)
			case p.path == "internal/store" && path == "net/http":
				t.Error("internal/store imports net/http")
			case ours && strings.HasPrefix(p.path, "examples/") && imported != public:
				t.Errorf("%s imports %s, which programs of others can't", p.path, imported)
			case ours && p.path == public:
				t.Errorf("%s, which programs of others import, imports %s", public, imported)
			}
		}
	}
}

var clock = regexp.MustCompile(`\btime\.(Now|Since|Until|Sleep|After|AfterFunc|Tick|NewTimer|NewTicker)\b`)

func TestPurePackagesReadNoClock(t *testing.T) {
	pure := readPlan(t).pure
	if len(pure) == 0 {
		t.Fatal("ARCHITECTURE.md, Floors: no package is pure")
	}
	for _, path := range pure {
		files, err := filepath.Glob(filepath.Join(filepath.FromSlash(path), "*.go"))
		if err != nil || len(files) == 0 {
			t.Fatalf("%s has no files: %v", path, err)
		}
		for _, file := range files {
			if strings.HasSuffix(file, "_test.go") {
				continue
			}
			source, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if found := clock.Find(source); found != nil {
				t.Errorf("%s is pure, and says %s", file, found)
			}
		}
	}
}
