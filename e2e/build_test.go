//go:build unix

package e2e_test

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
)

// folder has the programs that the tests run.
var folder string

func TestMain(m *testing.M) {
	os.Setenv("GORACE", os.Getenv("GORACE")+" halt_on_error=1") // a race ends a program
	status := m.Run()
	if err := os.RemoveAll(folder); err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
	os.Exit(status)
}

// build builds the programs, once.
var build = sync.OnceValue(func() (err error) {
	if folder, err = os.MkdirTemp("", "casehook-e2e-"); err != nil {
		return err
	}
	args := append([]string{"build", "-o", folder + "/"}, raceFlags()...)
	out, err := exec.Command("go", append(args, "../cmd/casehook", "../examples/receiver",
		"github.com/zitadel/oidc/v3/example/server")...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("building: %w\n%s", err, out)
	}
	return nil
})

// programs returns the folder of the programs: casehook, receiver, and server,
// which is an OpenID Connect provider that others wrote.
func programs(t testing.TB) string {
	t.Helper()
	if err := build(); err != nil {
		t.Fatal(err)
	}
	return folder
}

// raceFlags returns the flags that make the programs watch for races, where these
// tests do: CASEHOOK_RACE_FLAGS says, line by line, what is not watched.
func raceFlags() []string {
	if !raceEnabled {
		return nil
	}
	flags := []string{"-race"}
	if more := os.Getenv("CASEHOOK_RACE_FLAGS"); more != "" {
		flags = append(flags, strings.Split(more, "\n")...)
	}
	return flags
}
