//go:build !unix

package store

import "errors"

// identity is not supported on this system, so that the file is checked at each start.
func identity(string) (string, error) { return "", errors.ErrUnsupported }
