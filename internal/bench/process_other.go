//go:build !unix

package bench

import (
	"os"
	"os/exec"
	"path/filepath"
)

func apart(*exec.Cmd) {}

func interrupt(p *os.Process) { p.Kill() }

func unprivileged(cmd *exec.Cmd, _ string) error {
	if name := filepath.Base(cmd.Path); name == "postgres.exe" || name == "initdb.exe" {
		return errNoPostgres
	}
	return nil
}
