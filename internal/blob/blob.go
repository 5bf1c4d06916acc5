// Package blob stores the contents of attachments: bytes under a key, written once, read as a stream, deleted as a
// whole. It does not interpret them.
//
// The contents live outside the transactions that refer to them: write first, commit the reference after;
// delete the reference first, the content after. A crash in between leaves an unreferenced content, never
// a dangling reference; List finds it.
package blob

import (
	"context"
	"io"
	"regexp"
	"time"

	"github.com/casehook/casehook/internal/fault"
)

// Store keeps contents. The tests of package blobtest define its promises.
type Store interface {
	// Put reads r to its end and keeps it under a new key, as id.New makes them.
	// It fails with fault.TooLarge, code blob.too_large, beyond limit bytes; with
	// fault.Conflict, code blob.exists, if the key is taken; and with the error of
	// r, wrapped. Then nothing of it is kept.
	Put(ctx context.Context, key string, r io.Reader, limit int64) (Info, error)

	// Open returns the content and its size in bytes; the caller closes it. It fails
	// with fault.NotFound, code blob.not_found.
	Open(ctx context.Context, key string) (io.ReadCloser, int64, error)

	// Delete removes a content. A missing one is no error.
	Delete(ctx context.Context, key string) error

	// List calls each with every key and the time it was put, in no set order,
	// until each fails; then it returns that error. Each may delete the key.
	List(ctx context.Context, each func(key string, modified time.Time) error) error
}

// Info is the result of Put. It is an alias of a plain struct, so that a Store needs no import of
// this package.
type Info = struct {
	Size   int64 // bytes
	SHA256 [32]byte
}

var keyPattern = regexp.MustCompile(`^[a-z]+_[0-9a-f]{32}$`)

// CheckKey refuses, with fault.Invalid, a key that id.New can't have made. A key that passes is a
// safe file name.
func CheckKey(key string) error {
	if !keyPattern.MatchString(key) {
		return fault.New(fault.Invalid, "blob.key_invalid", "%q is not the key of a file.", key)
	}
	return nil
}
