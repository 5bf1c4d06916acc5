//go:build unix

package store

import (
	"fmt"
	"os"
	"syscall"
)

// identity returns a text that differs between a file and its copies, and changes when the file is written to.
func identity(path string) (string, error) {
	info, err := os.Stat(path)
	if err != nil {
		return "", err
	}
	system, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return "", fmt.Errorf("the system does not identify %s", path)
	}
	return fmt.Sprintf("%d %d %d %d", system.Dev, system.Ino, info.Size(), info.ModTime().UnixNano()), nil
}
