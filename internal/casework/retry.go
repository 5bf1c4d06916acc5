package casework

import "github.com/casehook/casehook/internal/fault"

// maxRaces bounds how often something starts again because another was faster.
const maxRaces = 5

// retry does something again while it fails with this code.
func retry(code string, do func() error) error {
	var err error
	for range maxRaces {
		if err = do(); err == nil || fault.As(err).Code != code {
			break
		}
	}
	return err
}
