package store

import (
	"context"
	"database/sql"
	"embed"
	"fmt"
	"strconv"
	"strings"

	"github.com/pressly/goose/v3"

	"github.com/casehook/casehook/internal/fault"
)

//go:embed migrations
var migrations embed.FS

// scripts returns the migrations in a folder. The engines run each as a whole: to split one into statements, goose
// needs 4 MB of memory for each of its lines.
func scripts(folder string) (all []*goose.Migration, err error) {
	folder = "migrations/" + folder
	files, err := migrations.ReadDir(folder)
	if err != nil {
		return nil, err
	}
	for _, file := range files {
		number, _, _ := strings.Cut(file.Name(), "_")
		version, err := strconv.ParseInt(number, 10, 64)
		if err != nil {
			return nil, err
		}
		script, err := migrations.ReadFile(folder + "/" + file.Name())
		if err != nil {
			return nil, err
		}
		all = append(all, goose.NewGoMigration(version, &goose.GoFunc{
			RunTx: func(ctx context.Context, tx *sql.Tx) error {
				if _, err := tx.ExecContext(ctx, string(script)); err != nil {
					return fmt.Errorf("%s: %w", file.Name(), err)
				}
				return nil
			},
		}, nil))
	}
	return all, nil
}

// newProvider returns what applies the migrations in a folder to a database.
func newProvider(db *sql.DB, d goose.Dialect, folder string, o ...goose.ProviderOption) (*goose.Provider, error) {
	all, err := scripts(folder)
	if err != nil {
		return nil, fmt.Errorf("reading the migrations: %w", err)
	}
	p, err := goose.NewProvider(d, db, nil, append(o, goose.WithGoMigrations(all...))...)
	if err != nil {
		return nil, fmt.Errorf("reading the migrations: %w", err)
	}
	return p, nil
}

func migrate(ctx context.Context, db *sql.DB, d goose.Dialect, folder string, o ...goose.ProviderOption) error {
	p, err := newProvider(db, d, folder, o...)
	if err != nil {
		return err
	}
	if current, known, err := p.GetVersions(ctx); err == nil && current > known {
		return fault.New(fault.Invalid, "store.newer",
			"A newer Casehook upgraded the database to schema %d; this one knows schemas up to %d. Start that "+
				"version or a newer one. To go back, restore a copy of the database from before the upgrade.",
			current, known)
	}
	if pending, err := p.HasPending(ctx); err == nil && !pending {
		return nil // before taking the lock, which a process that hangs might hold
	}
	if _, err := p.Up(ctx); err != nil {
		return fmt.Errorf("migrating the database: %w", err)
	}
	return nil
}
