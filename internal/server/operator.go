package server

import (
	"errors"
	"io/fs"
	"path/filepath"
	"time"

	"github.com/casehook/casehook/internal/access"
	"github.com/casehook/casehook/internal/fault"
)

// operatorPurpose is the purpose of the derived key that signs operators' credentials.
const operatorPurpose = "casehook operators"

// OperatorBearer returns a credential for the operations on tenants, made with the key of the server
// that has this configuration. It opens no database, so it works beside a running server, and it
// never creates a key.
func OperatorBearer(c Config, now time.Time) (string, error) {
	c = c.withDefaults()
	if c.Key == "" && c.KeyFile == "" && c.Database == "" {
		c.KeyFile = filepath.Join(c.Data, keyName)
	}
	key, err := c.key()
	if errors.Is(err, fs.ErrNotExist) {
		err = fault.Wrap(err, fault.Invalid, "config.key_missing",
			"There is no key in %s. Name the --data or the --key-file of the server, whose first start makes a key.",
			c.KeyFile)
	}
	if err != nil {
		return "", err
	}
	own, err := derive(key, operatorPurpose)
	return access.OperatorBearer(own, now), err
}
