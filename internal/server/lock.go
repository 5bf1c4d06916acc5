package server

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/casehook/casehook/internal/fault"
)

const lockName = "lock" // in the data directory

// errHeld is lockFile's error when another process holds the lock.
var errHeld = errors.New("held by another process")

// openData is lockData for a server. It fails if a backup was being restored there and is not whole.
func openData(dir string) (io.Closer, error) {
	lock, err := lockData(dir)
	if err != nil {
		return nil, err
	}
	if _, err := os.Stat(filepath.Join(dir, restoringName)); err == nil {
		return nil, errors.Join(lock.Close(), fault.New(fault.Conflict, "config.restoring",
			"A backup was being restored into the data directory %s, and that was interrupted. Run casehook restore "+
				"again. To go on without it, move %s out of the way, and put back the files of the newest "+
				"before-restore folder, if there is one.", dir, filepath.Join(dir, restoringName)))
	}
	return lock, nil
}

// lockData creates the data directory, for its owner alone, and locks it for this process. If it
// exists, lockData checks that its files are private. The system releases the lock when the process
// ends for any reason.
func lockData(dir string) (io.Closer, error) {
	restrict()
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fault.Wrap(err, fault.Invalid, "config.data",
			"The data directory %s can't be made: %v. Name another with --data.", dir, err)
	}
	lock, err := lockFile(filepath.Join(dir, lockName))
	switch {
	case errors.Is(err, errHeld):
		return nil, fault.New(fault.Conflict, "config.data_in_use",
			"Another Casehook uses the data directory %s. Stop it first, or name another directory with --data; "+
				"several at once need PostgreSQL.", dir)
	case err != nil:
		return nil, fmt.Errorf("locking %s: %w", dir, err)
	}
	if err := checkModes(dir); err != nil {
		return nil, errors.Join(err, lock.Close())
	}
	return lock, nil
}
