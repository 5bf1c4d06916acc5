package authz

import (
	"github.com/casehook/casehook/internal/fault"
)

// MaxRaces bounds how often something starts again because another was faster.
const MaxRaces = 5

// Retry does something again while it fails with this code.
func Retry(code string, do func() error) error {
	var err error
	for range MaxRaces {
		if err = do(); err == nil || fault.As(err).Code != code {
			break
		}
	}
	return err
}
