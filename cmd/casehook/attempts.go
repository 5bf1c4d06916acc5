package main

import (
	"context"
	"fmt"
	"time"

	"github.com/casehook/casehook/internal/dev"
)

type attemptsCmd struct {
	Endpoint string `placeholder:"NAME" help:"Select the attempts at this endpoint, by its name or id."`
	Case     int64  `placeholder:"ID" help:"Select the attempts about this case."`
	Trigger  string `placeholder:"NAME" help:"Select the attempts of this trigger."`
	Message  string `placeholder:"ID" help:"Select the attempts of the message with this webhook-id."`
	Outcome  string `enum:"delivered,failed," default:"" placeholder:"OUTCOME" help:"Select the attempts that were delivered, or that failed."`
	Since    moment `placeholder:"WHEN" help:"Show all attempts since then, up to 10000: 10m ago, or 2026-01-31T08:00:00Z. The last ones if not set."`
	Last     int    `default:"20" placeholder:"N" help:"Number of the last attempts to show, up to 10000. 20 if not set."`
	Follow   bool   `short:"f" help:"Print further attempts as they happen, until Ctrl-C."`
	JSON     bool   `name:"json" help:"Print one JSON object a line, with all recorded details."`
	remote
}

// Help is shown below the command's summary.
func (attemptsCmd) Help() string {
	return `An attempt is one request to an endpoint. The newest comes last.

  casehook attempts --follow
  casehook attempts --endpoint crm --since 1h --outcome failed
  casehook attempts --case 4539148803436467        all attempts about this case
  casehook attempts --json --last 1 | jq .response`
}

// Validate checks --last.
func (c *attemptsCmd) Validate() error {
	if c.Last < 1 || c.Last > dev.MostAttempts {
		return fmt.Errorf("--last is %d; it has to be between 1 and %d", c.Last, dev.MostAttempts)
	}
	return nil
}

// Run shows attempts.
func (c *attemptsCmd) Run(ctx context.Context, s stdio) error {
	return dev.Attempts(ctx, c.client(), dev.AttemptQuery{
		Output:   dev.Output{Out: s.out, JSON: c.JSON},
		Endpoint: c.Endpoint,
		Case:     c.Case,
		Trigger:  c.Trigger,
		Message:  c.Message,
		Outcome:  c.Outcome,
		Since:    c.Since.format(time.Now()),
		Last:     c.Last,
		Follow:   c.Follow,
		Notes:    s.err,
	})
}
