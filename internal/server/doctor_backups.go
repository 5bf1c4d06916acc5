package server

import (
	"context"
	"fmt"
	"time"

	"github.com/casehook/casehook/internal/backup"
)

// backups checks the place of scheduled backups, and how old the newest one is.
func (d *doctor) backups(ctx context.Context) {
	b := d.config.Backups
	if b.To == "" {
		d.warn("backups", "the server makes none by itself",
			"Start it with --backup-to, or run casehook backup regularly.")
		return
	}
	all, err := d.config.listBackups(ctx)
	var age time.Duration
	if len(all) > 0 {
		age = time.Since(all[len(all)-1].At).Round(time.Second)
	}
	switch {
	case err != nil:
		d.fail("backups", reasonFor(err), "Correct --backup-to, or make the place reachable.")
	case len(all) == 0:
		d.fail("backups", "there is none in "+b.To, "Start the server with --backup-to, or run casehook backup.")
	case age > 2*b.Every:
		d.fail("backups", fmt.Sprintf("the newest of %d in %s is %v old, and one is due every %v", len(all), b.To,
			age, b.Every),
			"Look for \"the backup failed\" in the server's log.")
	default:
		d.ok("backups", fmt.Sprintf("the newest of %d in %s is %v old", len(all), b.To, age))
	}
}

// listBackups lists the scheduled backups. It makes no folder.
func (c Config) listBackups(ctx context.Context) (all []backup.Entry, err error) {
	place, closer, err := OpenBackups(c.Backups.To, c.Environment)
	if err != nil {
		return nil, err
	}
	defer closer.Close()
	return backup.List(ctx, place)
}
