package main

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/casehook/casehook/internal/server"
)

type attachmentsCmd struct {
	Move attachmentsMoveCmd `cmd:"" help:"Move all attachments to another place. No server may run."`
}

type attachmentsMoveCmd struct {
	To       string `required:"" placeholder:"WHERE" help:"The new place: disk, database, or s3://BUCKET/PREFIX?endpoint=URL&region=NAME."`
	Keep     bool   `help:"Delete nothing in the old place."`
	Data     string `type:"path" default:"casehook-data" placeholder:"DIR" env:"CASEHOOK_DATA" help:"The server's data folder. ./casehook-data if not set."`
	Database string `placeholder:"URL" env:"CASEHOOK_DATABASE" help:"Set if the server uses PostgreSQL: postgres://user:password@host:5432/name?sslmode=require."`
	KeyFile  string `type:"path" placeholder:"FILE" env:"CASEHOOK_KEY_FILE" help:"File with the server's key. CASEHOOK_KEY may contain the key itself. With SQLite it is in --data."`
}

// Help is shown below the command's summary.
func (attachmentsMoveCmd) Help() string {
	return `Stop all servers first. Each attachment is copied, read back, and compared with the size and the hash in the
database. Then the database records the new place, and the old one is emptied, unless --keep is set. Start the
servers with --attachments and the new place afterwards; with another one they refuse to start.

The command can be interrupted at any point: repeat it to go on where it stopped. Until then no server starts. To go
back, name the old place with --to. Credentials of S3 are in AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and
AWS_SESSION_TOKEN. The progress is printed on standard error.

  casehook attachments move --to database --data /var/lib/casehook
  casehook attachments move --to 's3://files/casehook?endpoint=https://s3.example.com'`
}

func (c *attachmentsMoveCmd) Run(ctx context.Context, s stdio) error {
	shown := newProgress(s.err)
	report, err := server.MoveAttachments(ctx, server.Config{
		Version:     version,
		Data:        c.Data,
		Database:    c.Database,
		KeyFile:     c.KeyFile,
		Key:         os.Getenv("CASEHOOK_KEY"),
		Environment: os.Getenv,
	}, server.AttachmentMove{To: c.To, Keep: c.Keep, Progress: shown.ofMove()})
	shown.done()
	if err != nil {
		return err
	}
	moved := report.Progress
	if report.From == report.To {
		fmt.Fprintf(s.out, "The attachments are in %s already.\n", report.To)
	} else {
		fmt.Fprintf(s.out, "%d attachments (%s) moved from %s to %s; %d of them were there already.\n",
			moved.Contents, bytesText(moved.Bytes), report.From, report.To, moved.Present)
	}
	if report.Deleted > 0 {
		fmt.Fprintf(s.out, "%d copies in the old place deleted.\n", report.Deleted)
	}
	_, err = fmt.Fprintf(s.out, "Start the servers with --attachments '%s'.\n", report.To)
	return err
}

// ofMove returns a function that shows the progress of a move.
func (p *progress) ofMove() func(server.MoveProgress) {
	begun := time.Now()
	return func(now server.MoveProgress) {
		rate := int64(float64(now.Bytes) / max(time.Since(begun).Seconds(), 0.001))
		p.show(now.Contents == now.AllContents, "%d of %d attachments, %s of %s%s, %s/s", now.Contents, now.AllContents,
			bytesText(now.Bytes), bytesText(now.AllBytes), percent(now.Bytes, now.AllBytes), bytesText(rate))
	}
}
