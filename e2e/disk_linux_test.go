package e2e_test

import (
	"syscall"
	"unsafe"

	"github.com/rogpeppe/go-internal/testscript"
)

// limitFiles lets a server that runs write no file beyond a size, in bytes.
func limitFiles(ts *testscript.TestScript, name string, size uint64) {
	limit := syscall.Rlimit{Cur: size, Max: ^uint64(0)}
	pid := of(ts).servers[name].cmd.Process.Pid
	if _, _, errno := syscall.RawSyscall6(syscall.SYS_PRLIMIT64, uintptr(pid), syscall.RLIMIT_FSIZE,
		uintptr(unsafe.Pointer(&limit)), 0, 0, 0); errno != 0 {
		ts.Fatalf("limiting the files of %s: %v", name, errno)
	}
}
