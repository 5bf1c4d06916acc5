package main

import (
	"context"
	"fmt"
	"io"
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
	shown := &moveProgress{out: s.err, rewrite: onTerminal(s.err), now: time.Now}
	report, err := server.MoveAttachments(ctx, server.Config{
		Version:     version,
		Data:        c.Data,
		Database:    c.Database,
		KeyFile:     c.KeyFile,
		Key:         os.Getenv("CASEHOOK_KEY"),
		Environment: os.Getenv,
	}, server.AttachmentMove{To: c.To, Keep: c.Keep, Progress: shown.show})
	shown.end()
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

// moveProgress prints how far a move is: on a terminal in one line that is rewritten, else a line now and then.
type moveProgress struct {
	out     io.Writer
	rewrite bool
	now     func() time.Time

	begun, printed time.Time
	open           bool // the line on the terminal has no end
}

// The times between two prints.
const (
	rewriteEvery = 200 * time.Millisecond
	lineEvery    = 5 * time.Second
)

func (p *moveProgress) show(now server.MoveProgress) {
	at, every := p.now(), lineEvery
	if p.rewrite {
		every = rewriteEvery
	}
	if p.begun.IsZero() {
		p.begun = at
	}
	if done := now.Contents == now.AllContents; at.Sub(p.printed) < every && !done {
		return
	}
	p.printed = at
	line := p.line(now, at.Sub(p.begun))
	if p.rewrite {
		fmt.Fprintf(p.out, "\r%s\033[K", line)
		p.open = true
		return
	}
	fmt.Fprintln(p.out, line)
}

// line describes the progress after a time.
func (p *moveProgress) line(now server.MoveProgress, lasted time.Duration) string {
	percent, rate := int64(100), int64(0)
	if now.AllBytes > 0 {
		percent = int64(float64(now.Bytes) / float64(now.AllBytes) * 100)
	}
	if lasted > 0 {
		rate = int64(float64(now.Bytes) / lasted.Seconds())
	}
	return fmt.Sprintf("%d of %d attachments, %s of %s, %d%%, %s/s", now.Contents, now.AllContents,
		bytesText(now.Bytes), bytesText(now.AllBytes), percent, bytesText(rate))
}

// end ends the line on the terminal.
func (p *moveProgress) end() {
	if p.open {
		fmt.Fprintln(p.out)
	}
}

// bytesText writes a number of bytes as people read it.
func bytesText(n int64) string {
	switch {
	case n >= 1<<30:
		return fmt.Sprintf("%.1f GiB", float64(n)/(1<<30))
	case n >= 1<<20:
		return fmt.Sprintf("%.1f MiB", float64(n)/(1<<20))
	case n >= 1<<10:
		return fmt.Sprintf("%.1f KiB", float64(n)/(1<<10))
	}
	return fmt.Sprintf("%d B", n)
}
