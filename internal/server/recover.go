package server

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/casehook/casehook/internal/fault"
	"github.com/casehook/casehook/internal/observe"
	"github.com/casehook/casehook/internal/people"
)

// RecoverToken creates an administrator's token for a tenant directly in the database. It needs the
// data directory, or the database's URL, and the key. With SQLite no server may be running. It
// creates neither a database nor a key.
func RecoverToken(ctx context.Context, c Config, tenant, name string) (bearer string, err error) {
	s := &Server{config: c.withDefaults(), metrics: observe.New(c.Version)}
	if err := s.config.needsDatabase(); err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, s.opened.Close()) }()
	if _, err := s.openStore(ctx); err != nil {
		return "", err
	}
	guard, _ := s.openGuard(s.store)
	made, err := people.New(people.Config{Store: s.store, Guard: guard, Log: s.config.Log}).Tenants.RecoverToken(ctx,
		tenant, name)
	return made.Bearer, err
}

// needsDatabase returns an error if there is no database yet, which a server would make.
func (c Config) needsDatabase() error {
	if c.Database != "" {
		return nil
	}
	if _, err := os.Stat(filepath.Join(c.Data, fileName)); errors.Is(err, fs.ErrNotExist) {
		return fault.Wrap(err, fault.Invalid, "config.no_database",
			"There is no database in %s. Name the --data of the server, or its --database.", c.Data)
	}
	return nil
}
