//go:build unix

package e2e_test

import (
	"fmt"
	"os"
	"os/exec"
	"sync"
	"testing"
)

// folder is where the programs are that the tests run.
var folder string

func TestMain(m *testing.M) {
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
	out, err := exec.Command("go", "build", "-o", folder+"/", "../cmd/casehook", "../examples/receiver",
		"github.com/zitadel/oidc/v3/example/server").CombinedOutput()
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
