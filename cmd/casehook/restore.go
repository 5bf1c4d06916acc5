package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/casehook/casehook/internal/backup"
	"github.com/casehook/casehook/internal/server"
)

type restoreCmd struct {
	From string `arg:"" help:"A folder or a bucket (s3://BUCKET/PREFIX?endpoint=URL) of backups; a file whose name ends in .tar; or - for an archive on standard input."`
	installation
	Attachments string `placeholder:"WHERE" env:"CASEHOOK_ATTACHMENTS" help:"Where attachments are to be: disk, database, or s3://BUCKET/PREFIX?endpoint=URL, as for casehook serve. disk with SQLite, database with PostgreSQL if not set."`
	At          string `placeholder:"NAME" help:"The backup, as casehook backups lists it: 20260102T150405.000Z. The newest one if not set."`
	Replace     bool   `help:"Replace a database that is there already. It is set aside."`
	Check       bool   `help:"Only read the whole backup, and tell whether it could be restored. Servers may be running."`
}

// Help is shown below the command's summary.
func (restoreCmd) Help() string {
	return `Stop all servers first. The whole backup is read, checked and opened as a server does before anything is
replaced, so a backup that is damaged, or sealed with another key, changes nothing. A backup of SQLite can be restored
into PostgreSQL, which is how an installation moves there.

Afterwards, everything is as it was when the backup was made, so endpoints get again what they got since then: with the
same webhook-id, by which receivers drop it. What was committed since then is lost, and no id of it is used again.
People have to sign in again. Tokens that were revoked since then are valid again: revoke them.

  casehook restore --check /mnt/backups --data /var/lib/casehook
  casehook restore /mnt/backups --data /var/lib/casehook --key-file casehook.key
  casehook restore /mnt/backups --at 20260102T150405.000Z --data /var/lib/casehook --replace
  casehook restore casehook.tar --database "$CASEHOOK_DATABASE" --key-file /etc/casehook/key`
}

func (c *restoreCmd) Run(ctx context.Context, s stdio) (err error) {
	place, closer, err := c.open(s)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, closer.Close()) }()
	p := newProgress(s.err)
	if c.Check {
		return c.check(ctx, s, place, p)
	}
	config := c.config()
	config.Attachments = c.Attachments
	done, err := server.Restore(ctx, config, server.Restoration{
		From: place, ID: c.At, Replace: c.Replace, Progress: p.ofBackup("restored"),
	})
	p.done()
	if err != nil {
		return err
	}
	fmt.Fprintf(s.out, "restored the backup %s: %s of data and %d attachments (%s)\n", done.Manifest.ID(),
		bytesText(done.Manifest.Bytes-done.Manifest.Files.Bytes), done.Manifest.Files.Count,
		bytesText(done.Manifest.Files.Bytes))
	switch {
	case done.Replaced != "" && c.Database != "":
		fmt.Fprintf(s.out, "What was there before is in the schema %s. When it is not needed any more: "+
			"drop schema %s cascade\n", done.Replaced, done.Replaced)
	case done.Replaced != "":
		fmt.Fprintf(s.out, "What was there before is in %s. Remove it when it is not needed any more.\n", done.Replaced)
	}
	if done.Key != "" {
		fmt.Fprintf(s.out, "The key is in %s now.\n", done.Key)
	}
	_, err = fmt.Fprintln(s.out, "Start the server. To look around before anything is sent: casehook serve --hold")
	return err
}

func (c *restoreCmd) check(ctx context.Context, s stdio, place backup.Place, p *progress) error {
	key, err := server.BackupKey(c.config())
	if err != nil {
		return err
	}
	manifest, err := backup.Find(ctx, place, key, c.At)
	if err != nil {
		return err
	}
	err = backup.Restoration{
		Place: place, Key: key, Manifest: manifest, Progress: p.ofBackup("read"),
	}.Check(ctx)
	p.done()
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(s.out, "the backup %s is whole: %s of data and %d attachments (%s)\n", manifest.ID(),
		bytesText(manifest.Bytes-manifest.Files.Bytes), manifest.Files.Count, bytesText(manifest.Files.Bytes))
	return err
}

// open opens the place. An archive on standard input is copied to a file first, since it is read twice.
func (c *restoreCmd) open(s stdio) (backup.Place, io.Closer, error) {
	if c.From != "-" {
		return server.OpenBackups(c.From, os.Getenv)
	}
	file, err := os.CreateTemp(c.Data, ".casehook-restore-*")
	if errors.Is(err, os.ErrNotExist) {
		file, err = os.CreateTemp("", ".casehook-restore-*")
	}
	if err != nil {
		return nil, nil, fmt.Errorf("copying the archive: %w", err)
	}
	copied := spooled{file}
	size, err := io.Copy(file, s.in)
	if err != nil {
		return nil, nil, errors.Join(fmt.Errorf("copying the archive: %w", err), copied.Close())
	}
	place, err := backup.OpenArchive(file, size, "standard input")
	if err != nil {
		return nil, nil, errors.Join(err, copied.Close())
	}
	return place, copied, nil
}

// spooled is a file that is removed when it is closed.
type spooled struct{ file *os.File }

func (s spooled) Close() error { return errors.Join(s.file.Close(), os.Remove(s.file.Name())) }
