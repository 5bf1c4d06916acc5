package main

import (
	"context"

	"github.com/casehook/casehook/internal/dev"
)

type migrateCmd struct {
	Key      string            `arg:"" help:"The key of the case type."`
	DryRun   bool              `help:"Only say what would become of the cases."`
	States   map[string]string `mapsep:"," placeholder:"OLD=NEW" help:"Where the cases of a state go on that the version lacks; separated by commas, or once for each."`
	Finished bool              `help:"Move cases in final states too, which are left alone if not set."`
	To       int64             `placeholder:"N" help:"The version that they are to work by. The newest if not set."`
	Limit    int               `placeholder:"N" help:"How many cases one request looks at. 200, which is the most, if not set."`
	JSON     bool              `name:"json" help:"Print the cases that don't fit as JSON, one object a line."`
	remote
}

// Help is shown below the command's summary.
func (migrateCmd) Help() string {
	return `Running cases work by the version of the definition that they were made by, until they are moved to a newer one. Those that don't fit are left as they are and printed, each with what is wrong; then the command ends with 1. It can be repeated and interrupted: each case is moved by itself, and those that were moved are passed over. Cases in final states are left alone and counted, unless you say --finished.

No transition is taken and nobody is asked, so that only administrators may migrate. The progress goes to standard error.

  casehook casetype migrate kyc --dry-run
  casehook casetype migrate kyc --states in_review=assessing,waiting=assessing`
}

func (c *migrateCmd) Run(ctx context.Context, s stdio) error {
	fit, err := dev.Migrate(ctx, c.client(), dev.Migration{
		Output: dev.Output{Out: s.out, JSON: c.JSON}, Progress: s.err,
		Type: c.Key, To: c.To, States: c.States, Finished: c.Finished, DryRun: c.DryRun, Limit: c.Limit,
	})
	if err == nil && !fit {
		err = errShown
	}
	return err
}
