// Command casehook is a case-management backend built around webhooks.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"os"
	"os/signal"
	"runtime/debug"
	"strings"
	"syscall"

	"github.com/alecthomas/kong"

	"github.com/casehook/casehook/internal/fault"
)

// version is the version of Casehook. It is defined nowhere else.
const version = "0.1.0"

func main() {
	log.SetOutput(io.Discard) // net/http logs receivers' text to it; we use slog
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the process at once
	os.Exit(run(ctx, os.Args[1:], stdio{os.Stdin, os.Stdout, os.Stderr}))
}

// stdio has the input and outputs of a command.
type stdio struct {
	in       io.Reader
	out, err io.Writer
}

// commands defines the command line.
type commands struct {
	Serve       serveCmd       `cmd:"" help:"Run the server."`
	Demo        demoCmd        `cmd:"" help:"Play a story with a temporary server, a sample callback and a sample receiver."`
	Casetype    casetypeCmd    `cmd:"" help:"Work on definitions of case types."`
	Backup      backupCmd      `cmd:"" help:"Copy the database and the attachments, while servers run."`
	Backups     backupsCmd     `cmd:"" help:"List the backups in a folder or a bucket."`
	Restore     restoreCmd     `cmd:"" help:"Put a backup in place of a database and its attachments."`
	Import      importCmd      `cmd:"" help:"Make case types of a definition of CCD or QuickCase."`
	Apply       applyCmd       `cmd:"" help:"Make the case types and endpoints of a server equal to a file."`
	Endpoints   endpointsCmd   `cmd:"" help:"List endpoints and their health; create, pause, repair and replay them."`
	Attempts    attemptsCmd    `cmd:"" help:"List the requests to endpoints, with their outcomes."`
	Resend      resendCmd      `cmd:"" help:"Send a message to an endpoint again."`
	Listen      listenCmd      `cmd:"" help:"Forward a server's messages to a receiver on your machine, and print them."`
	DryRun      dryRunCmd      `cmd:"" help:"Try out a submission: the verdict of its callback, and what it changes."`
	Backtest    backtestCmd    `cmd:"" help:"Ask a callback about submissions of the past, and show what it would change."`
	Trigger     triggerCmd     `cmd:"" help:"Send one message to a receiver: a sample, or the last one about a case."`
	Tenant      tenantCmd      `cmd:"" help:"Create, list and change the isolated tenants of a server."`
	Token       tokenCmd       `cmd:"" help:"Create, list and revoke the tokens by which programs use the API."`
	User        userCmd        `cmd:"" help:"Create, list and disable users, and give them passwords."`
	Attachments attachmentsCmd `cmd:"" help:"Move attachments between disk, database and S3."`
	Bench       benchCmd       `cmd:"" help:"Measure this program on this machine, and the best that the machine allows."`
	Schema      schemaCmd      `cmd:"" help:"Print the JSON Schema of the files that you write, for your editor."`
	Completion  completionCmd  `cmd:"" help:"Print the completion of commands and options for a shell."`
	Config      configCmd      `cmd:"" help:"Show the options of serve: each with its value, and where it is from."`
	Doctor      doctorCmd      `cmd:"" help:"Check an installation, and the way to an endpoint; say what to do."`
	Version     versionCmd     `cmd:"" help:"Print the version."`

	BenchWorker benchWorkerCmd `cmd:"" hidden:"" help:"A process of casehook bench."`
	Complete    completeCmd    `cmd:"" hidden:"" help:"Print the words that may follow, for casehook completion."`
	Man         manCmd         `cmd:"" hidden:"" help:"Write the manual pages into a folder."`
}

// The exit statuses of commands.
const (
	exitOK     = 0
	exitFailed = 1
	exitUsage  = 2 // the command line is invalid
)

// run runs one command line, and returns its exit status.
func run(ctx context.Context, args []string, s stdio) (status int) {
	type exit int
	defer func() { // for --help the parser calls kong.Exit, which panics
		if cause := recover(); cause != nil {
			code, asked := cause.(exit)
			if !asked {
				panic(cause)
			}
			status = int(code)
		}
	}()
	if err := unsetEmptyVariables(); err != nil {
		fmt.Fprintln(s.err, "casehook:", err)
		return exitFailed
	}
	parser, err := kong.New(&commands{}, kong.Name("casehook"), kong.Description(description),
		kong.Writers(s.out, s.err), kong.Exit(func(code int) { panic(exit(code)) }),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, WrapUpperBound: 100}),
		kong.BindTo(ctx, (*context.Context)(nil)), kong.Bind(s))
	if err != nil {
		fmt.Fprintln(s.err, "casehook:", err)
		return exitFailed
	}
	if len(args) == 0 {
		args = []string{"--help"}
	}
	command, err := parser.Parse(args)
	if err != nil {
		fmt.Fprintln(s.err, "casehook:", usage(err))
		fmt.Fprintln(s.err, "casehook --help lists the commands, and casehook COMMAND --help the options of one.")
		return exitUsage
	}
	err = command.Run()
	switch {
	case err == nil:
		return exitOK
	case !errors.Is(err, errShown):
		fmt.Fprintln(s.err, "casehook:", explain(err))
	}
	return exitFailed
}

// unsetEmptyVariables unsets variables that are empty, both for options and for the URLs of
// callbacks: compose files and units set a variable to nothing to leave it out.
func unsetEmptyVariables() error {
	for _, variable := range os.Environ() {
		name, value, _ := strings.Cut(variable, "=")
		if !strings.HasPrefix(name, "CASEHOOK_") || value != "" {
			continue
		}
		if err := os.Unsetenv(name); err != nil {
			return err
		}
	}
	return nil
}

const description = `Casehook keeps cases, asks your callbacks before a change is saved, and tells your endpoints after.

  casehook demo                       see it work, without any set-up
  casehook serve                      run the server, on SQLite in ./casehook-data
  casehook casetype init permit       start a definition of your own
  casehook casetype check kyc.yaml    list the faults of a definition
  casehook apply -f casehook.yaml     put case types and endpoints on a server`

// errShown ends a command that has already printed its error.
var errShown = errors.New("shown")

// explain returns an error's message for people: the detail of a fault, with its cause.
func explain(err error) string {
	var known *fault.Error
	if !errors.As(err, &known) {
		return err.Error()
	}
	text := known.Detail
	for _, f := range known.Fields {
		text += "\n  " + f.Path + ": " + f.Message
	}
	if known.Err != nil && known.Kind != fault.Invalid {
		text += "\n  cause: " + known.Err.Error()
	}
	return text
}

type versionCmd struct{}

func (versionCmd) Run(s stdio) error {
	_, err := fmt.Fprintf(s.out, "casehook %s, commit %s\n", version, commit())
	return err
}

// commit returns the commit that the program was built from, as recorded by Go.
func commit() string {
	build, _ := debug.ReadBuildInfo()
	if build == nil {
		build = &debug.BuildInfo{}
	}
	settings := map[string]string{}
	for _, s := range build.Settings {
		settings[s.Key] = s.Value
	}
	switch revision := settings["vcs.revision"]; {
	case revision == "":
		return "unknown"
	case settings["vcs.modified"] == "true":
		return revision + " with changes"
	default:
		return revision
	}
}
