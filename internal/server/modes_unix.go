//go:build unix && !aix && !solaris

package server

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"github.com/casehook/casehook/internal/fault"
)

const othersMode = 0o077 // the permissions of the group and of others

// restrict makes all files that this process creates private to their owner, with any umask.
func restrict() { syscall.Umask(othersMode) }

// checkModes returns an error if other users can read a file: the database holds all cases, and the
// key opens its secrets.
func checkModes(dir string) error {
	var open []string
	for _, name := range []string{fileName, fileName + "-wal", fileName + "-shm", keyName, lockName} {
		info, err := os.Stat(filepath.Join(dir, name))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return fmt.Errorf("looking at the data directory: %w", err)
		}
		if info.Mode().Perm()&othersMode != 0 {
			open = append(open, name)
		}
	}
	if len(open) > 0 {
		return fault.New(fault.Invalid, "config.data_open",
			"Other users of this machine can read or write %v in %s. Close them: chmod -R go= %s", open, dir, dir)
	}
	return nil
}

// openToOthers reports whether other users can read or write a file.
func openToOthers(info fs.FileInfo) bool { return info.Mode().Perm()&othersMode != 0 }
