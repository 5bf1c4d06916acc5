package main

import (
	"context"
	"fmt"
	"time"

	"github.com/casehook/casehook/internal/dev"
)

type attemptsCmd struct {
	Endpoint string `placeholder:"NAME" help:"Only those at this endpoint. Its name or id."`
	Case     int64  `placeholder:"ID" help:"Only those about this case."`
	Trigger  string `placeholder:"NAME" help:"Only those of this trigger."`
	Message  string `placeholder:"ID" help:"Only those with this webhook-id."`
	Outcome  string `enum:"delivered,failed," default:"" placeholder:"OUTCOME" help:"Only those that were delivered, or that failed."`
	Since    moment `placeholder:"WHEN" help:"All since then, up to 10000: 10m ago, or 2026-01-31T08:00:00Z. The last ones if not set."`
	Last     int    `default:"20" placeholder:"N" help:"How many of the last ones, up to 10000. 20 if not set."`
	Follow   bool   `short:"f" help:"Go on with those that are made from now on, until Ctrl-C."`
	JSON     bool   `name:"json" help:"Print one JSON object a line, with all that was recorded."`
	remote
}

// Help is shown below the command's summary.
func (attemptsCmd) Help() string {
	return `An attempt is one request to an endpoint. The newest comes last.

  casehook attempts --follow
  casehook attempts --endpoint crm --since 1h --outcome failed
  casehook attempts --case 4539148803436467        who was told what of this case
  casehook attempts --json --last 1 | jq .response`
}

// Validate refuses what is no number of attempts.
func (c *attemptsCmd) Validate() error {
	if c.Last < 1 || c.Last > dev.MostAttempts {
		return fmt.Errorf("--last is %d; it has to be between 1 and %d", c.Last, dev.MostAttempts)
	}
	return nil
}

// Run shows attempts.
func (c *attemptsCmd) Run(ctx context.Context, s stdio) error {
	return dev.Attempts(ctx, c.client(), dev.Watching{
		Output: dev.Output{Out: s.out, JSON: c.JSON}, Endpoint: c.Endpoint, Case: c.Case, Trigger: c.Trigger, Message: c.Message, Outcome: c.Outcome,
		Since: c.Since.at(time.Now()), Last: c.Last, Follow: c.Follow, Notes: s.err,
	})
}
