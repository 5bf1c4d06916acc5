//go:build unix

package inbound

import (
	"errors"
	"math"
	"slices"
	"syscall"
)

// descriptors returns how many files and connections the process may have open. Go raises the soft limit
// to the hard one when a program starts.
func descriptors() int {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return 2 * defaultConnections
	}
	return int(min(uint64(limit.Cur), math.MaxInt32))
}

// outOfFiles reports whether a connection could not be accepted for lack of a descriptor, or of
// memory for one.
func outOfFiles(err error) bool {
	var number syscall.Errno
	return errors.As(err, &number) &&
		slices.Contains([]syscall.Errno{syscall.EMFILE, syscall.ENFILE, syscall.ENOBUFS, syscall.ENOMEM}, number)
}
