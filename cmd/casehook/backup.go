package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/casehook/casehook/internal/backup"
	"github.com/casehook/casehook/internal/server"
)

// installation says where an installation is, for commands that use its database themselves.
type installation struct {
	Data     string `type:"path" default:"casehook-data" placeholder:"DIR" env:"CASEHOOK_DATA" help:"The server's data folder. ./casehook-data if not set."`
	Database string `placeholder:"URL" env:"CASEHOOK_DATABASE" help:"Set if the server uses PostgreSQL: postgres://user:password@host:5432/name?sslmode=require."`
	KeyFile  string `type:"path" placeholder:"FILE" env:"CASEHOOK_KEY_FILE" help:"File with the server's key. CASEHOOK_KEY may contain the key itself. With SQLite it is in --data."`
}

func (i installation) config() server.Config {
	return server.Config{
		Version: version, Data: i.Data, Database: i.Database, KeyFile: i.KeyFile, Key: os.Getenv("CASEHOOK_KEY"),
		Environment: os.Getenv,
	}
}

type backupCmd struct {
	To string `arg:"" help:"A folder, or a bucket (s3://BUCKET/PREFIX?endpoint=URL), which may have earlier backups; a file whose name ends in .tar; or - for standard output."`
	installation
	Keep age `default:"0" placeholder:"TIME" help:"Then remove backups there that are older: 30d. The newest one always stays. All stay if not set."`
}

// Help is shown below the command's summary.
func (backupCmd) Help() string {
	return `The backup has the database and all attachments as they were at one moment. Servers may be running. In a
folder or a bucket, every backup is complete and can be restored by itself, and writes only what is new since the one
before. The credentials for a bucket are in AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.

A backup is sealed with the server's key, and does not contain it: keep a copy of the key elsewhere. With SQLite it is
the file named key in the data folder.

  casehook backup /mnt/backups --data /var/lib/casehook --keep 30d
  casehook backup 's3://backups/casehook?region=eu-central-1' --data /var/lib/casehook
  casehook backup casehook.tar --database "$CASEHOOK_DATABASE" --key-file /etc/casehook/key
  casehook backup - --data /var/lib/casehook | ssh vault 'cat > casehook.tar'`
}

// Validate refuses what fits no archive.
func (c *backupCmd) Validate() error {
	if c.Keep > 0 && isArchive(c.To) {
		return errors.New("--keep is for a folder of backups: an archive has one")
	}
	return nil
}

// isArchive reports whether a backup is written to one file.
func isArchive(to string) bool { return to == "-" || strings.HasSuffix(to, ".tar") }

func (c *backupCmd) Run(ctx context.Context, s stdio) error {
	if !isArchive(c.To) {
		return c.toPlace(ctx, s)
	}
	if c.To == "-" {
		return c.toArchive(ctx, s, s.out, s.err)
	}
	file, err := os.CreateTemp(filepath.Dir(c.To), ".casehook-backup-*") // mode 0600
	if err != nil {
		return fmt.Errorf("making the archive: %w", err)
	}
	defer os.Remove(file.Name()) // does nothing once the file has moved
	err = c.toArchive(ctx, s, file, s.out)
	if err == nil {
		err = file.Sync()
	}
	if err := errors.Join(err, file.Close()); err != nil {
		return err
	}
	return os.Rename(file.Name(), c.To)
}

// toArchive writes an archive to out, and reports to report.
func (c *backupCmd) toArchive(ctx context.Context, s stdio, out, report io.Writer) error {
	buffered := bufio.NewWriterSize(out, 1<<20)
	archive := backup.NewArchive(buffered)
	if err := c.make(ctx, s, archive, report); err != nil {
		return err
	}
	return errors.Join(archive.Close(), buffered.Flush())
}

// toPlace writes to a folder or a bucket.
func (c *backupCmd) toPlace(ctx context.Context, s stdio) (err error) {
	place, closer, err := server.OpenPlace(c.To, os.Getenv)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, closer.Close()) }()
	if err := c.make(ctx, s, place, s.out); err != nil || c.Keep == 0 {
		return err
	}
	key, err := server.BackupKey(c.config())
	if err != nil {
		return err
	}
	pruned, err := backup.Prune(ctx, place, key, time.Now().Add(-time.Duration(c.Keep)))
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(s.out, "removed: backups %d, files %d, %s\n", pruned.Backups, pruned.Chunks,
		bytesText(pruned.Bytes))
	return err
}

func (c *backupCmd) make(ctx context.Context, s stdio, place backup.Place, report io.Writer) error {
	p := newProgress(s.err)
	done, err := server.Backup(ctx, c.config(), place, p.ofBackup("copied"))
	p.done()
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(report, "backup %s: %s of data and %d attachments (%s), of which %s were new\n",
		done.Manifest.ID(), bytesText(done.Manifest.Bytes-done.Manifest.Files.Bytes), done.Manifest.Files.Count,
		bytesText(done.Manifest.Files.Bytes), bytesText(done.Written))
	return err
}

// ofBackup returns a function that shows the progress of a backup, or of its restoration.
func (p *progress) ofBackup(verb string) func(backup.Progress) {
	return func(now backup.Progress) {
		amount := bytesText(now.Done) + " of data"
		if now.Step == backup.StepAttachments {
			amount = fmt.Sprintf("%d attachments", now.Done)
		}
		p.show(false, "%s %s%s", amount, verb, percent(now.Done, now.Total))
	}
}

type backupsCmd struct {
	From string `arg:"" help:"A folder or a bucket of backups, or an archive."`
}

// Help is shown below the command's summary.
func (backupsCmd) Help() string {
	return `The oldest backup is first. The name of a backup is its time, in UTC; casehook restore takes it as --at.

  casehook backups /mnt/backups`
}

func (c *backupsCmd) Run(ctx context.Context, s stdio) (err error) {
	place, closer, err := server.OpenBackups(c.From, os.Getenv)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, closer.Close()) }()
	all, err := backup.List(ctx, place)
	if err != nil {
		return err
	}
	for _, e := range all {
		if _, err := fmt.Fprintf(s.out, "%s  %s ago\n", e.ID, time.Since(e.At).Round(time.Second)); err != nil {
			return err
		}
	}
	if len(all) == 0 {
		_, err = fmt.Fprintf(s.out, "There is no backup in %s.\n", c.From)
	}
	return err
}
