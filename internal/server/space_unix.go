//go:build linux || darwin || freebsd

package server

import (
	"math"
	"syscall"
)

// diskSpace returns the free bytes and files of the disk that has a folder, as an ordinary user may use them.
func diskSpace(dir string) (free, files int64, known bool) {
	var s syscall.Statfs_t
	if err := syscall.Statfs(dir, &s); err != nil {
		return 0, 0, false
	}
	if files = int64(s.Ffree); s.Files == 0 {
		files = math.MaxInt64 // made as they are needed, as on Btrfs
	}
	return int64(s.Bavail) * int64(s.Bsize), files, true
}
