package pgtest

import "syscall"

// room is what the clusters of several test processes may take together, in bytes.
const room = 2 << 30

// folder returns the folder for the data of clusters: one in memory if it has room. A database has some 400 files.
// Most file systems take longer to create and remove these than PostgreSQL takes for all that tests do with it.
func folder() string {
	const memory, tmpfs, writable = "/dev/shm", 0x01021994, 2
	var s syscall.Statfs_t
	if err := syscall.Statfs(memory, &s); err != nil || s.Type != tmpfs || s.Bavail*uint64(s.Bsize) < room ||
		syscall.Access(memory, writable) != nil {
		return "" // that of temporary files
	}
	return memory
}
