package authz

import (
	"github.com/casehook/casehook/internal/fault"
)

// MaxRaces bounds how often Retry calls a function.
const MaxRaces = 5

// Retry calls do again while it fails with this code, because another request was faster. It calls do at most
// MaxRaces times.
func Retry(code string, do func() error) error {
	var err error
	for range MaxRaces {
		if err = do(); err == nil || fault.As(err).Code != code {
			break
		}
	}
	return err
}
