package store

import "syscall"

// userTimeout is TCP_USER_TIMEOUT, which package syscall lacks.
const userTimeout = 18

// endUnanswered makes the system close a connection whose packets are not acknowledged for a time in milliseconds.
func endUnanswered(_, _ string, raw syscall.RawConn) error {
	var failed error
	err := raw.Control(func(fd uintptr) {
		failed = syscall.SetsockoptInt(int(fd), syscall.IPPROTO_TCP, userTimeout, int(unacknowledged.Milliseconds()))
	})
	if err != nil {
		return err
	}
	return failed
}
