package main

import (
	"context"

	"github.com/casehook/casehook/internal/dev"
)

type migrateCmd struct {
	Key      string            `arg:"" help:"The key of the case type."`
	DryRun   bool              `help:"Print the effects on the cases, and move none."`
	States   map[string]string `mapsep:"," placeholder:"OLD=NEW" help:"New states for states that the version lacks; separated by commas, or once for each."`
	Finished bool              `help:"Move cases in final states too."`
	To       int64             `placeholder:"N" help:"The version to move the cases to. The newest if not set."`
	Limit    int               `placeholder:"N" help:"Cases per request, up to 200. 200 if not set."`
	JSON     bool              `name:"json" help:"Print the cases that don't fit as JSON, one object a line."`
	remote
}

// Help is shown below the command's summary.
func (migrateCmd) Help() string {
	return `Running cases follow the version of the definition by which they were made, until they are moved to a
newer one. Cases that don't fit are left as they are and printed, each with its faults; then the command exits
with 1. You can interrupt and repeat it: each case is moved by itself, and moved cases are skipped. Cases in final
states are counted and left alone, unless you say --finished.

A migration takes no transition and asks no callback; therefore only administrators may migrate. The progress is
printed on standard error.

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
