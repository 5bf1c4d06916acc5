//go:build unix

package bench

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
)

// apart keeps the terminal's signals from a process: it is ended in order, by its standard input.
func apart(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} }

// interrupt asks a process to end. For PostgreSQL this cuts off those who are connected.
func interrupt(p *os.Process) { p.Signal(syscall.SIGINT) }

// unprivileged has PostgreSQL, which refuses root, run as another user, to whom its folder is given. Other programs run
// as this one does.
func unprivileged(cmd *exec.Cmd, folder string) error {
	apart(cmd)
	name := filepath.Base(cmd.Path)
	if os.Geteuid() != 0 || name != "postgres" && name != "initdb" {
		return nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		found, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, err := strconv.ParseUint(found.Uid, 10, 32)
		if err != nil {
			return err
		}
		gid, err := strconv.ParseUint(found.Gid, 10, 32)
		if err != nil {
			return err
		}
		cmd.SysProcAttr.Credential = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
		if err := os.Chown(folder, int(uid), int(gid)); err != nil {
			return fmt.Errorf("the folder of PostgreSQL can't be given to the user %s: %w", name, err)
		}
		return nil
	}
	return errors.New("PostgreSQL does not run as root, and there is no user postgres or nobody: run the benchmark " +
		"as another user, or name a server with --database-url")
}
