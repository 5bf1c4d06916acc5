//go:build !unix

package pgtest

import (
	"errors"
	"os/exec"
)

func unprivileged(*exec.Cmd, string) error {
	return errors.New("pgtest: temporary servers need a Unix; name a server where databases may be made: " +
		ServerVariable + "=postgres://...")
}
