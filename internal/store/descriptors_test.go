//go:build unix

package store_test

import (
	"errors"
	"syscall"
	"testing"

	"github.com/casehook/casehook/internal/fault"
)

// A process without descriptors can't read its database. That is not the request's error, and it is temporary.
func TestSQLiteWithoutDescriptorsIsUnavailable(t *testing.T) {
	s := open(t, engines["sqlite"](t))
	id := tenant(t, s)
	s.Readers().SetMaxIdleConns(0) // each query opens the file
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		t.Fatal(err)
	}
	set := func(cur uint64) {
		if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &syscall.Rlimit{Cur: cur, Max: limit.Max}); err != nil {
			t.Fatal(err)
		}
	}
	set(1)
	_, err := s.Case(t.Context(), id, 1)
	set(limit.Cur)
	if got := fault.As(err); err == nil || got.Code != "store.exhausted" || !errors.Is(err, fault.Unavailable) {
		t.Errorf("Case = %v, want store.exhausted", err)
	}
	if _, err := s.Case(t.Context(), id, 1); !errors.Is(err, fault.NotFound) {
		t.Errorf("afterwards: %v", err)
	}
}
