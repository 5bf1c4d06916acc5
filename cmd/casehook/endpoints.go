package main

import (
	"context"
	"time"

	"github.com/casehook/casehook/internal/dev"
)

type endpointsCmd struct {
	List   endpointsListCmd  `cmd:"" default:"withargs" help:"List them, with how far each is behind. The default."`
	Show   endpointShowCmd   `cmd:"" help:"Show all that is known of one, as JSON."`
	Pause  endpointPauseCmd  `cmd:"" help:"Hold messages back; they wait."`
	Resume endpointResumeCmd `cmd:"" help:"Let them flow again, also after the endpoint was disabled."`
}

// Help is shown below the command's summary.
func (endpointsCmd) Help() string {
	return `BEHIND is how many commits an endpoint has not passed yet, and how old the oldest is; what it is not told is passed within ten seconds. PARKED are cases whose next message failed and waits for its next try, DEAD messages that were given up.

  casehook endpoints
  casehook endpoints --json | jq -r 'select(.status != "active") | .name'
  casehook endpoints show crm
  casehook endpoints pause crm`
}

type endpointsListCmd struct {
	JSON bool `name:"json" help:"Print one JSON object a line, with all that is known."`
	remote
}

func (c *endpointsListCmd) Run(ctx context.Context, s stdio) error {
	return dev.Endpoints(ctx, c.client(), dev.Output{Out: s.out, JSON: c.JSON}, time.Now())
}

// oneEndpoint is what every command on one endpoint needs to know.
type oneEndpoint struct {
	Endpoint string `arg:"" help:"Its name or id."`
	remote
}

type endpointShowCmd struct{ oneEndpoint }

func (c *endpointShowCmd) Run(ctx context.Context, s stdio) error {
	return dev.Endpoint(ctx, c.client(), dev.Output{Out: s.out}, c.Endpoint)
}

type endpointPauseCmd struct{ oneEndpoint }

func (c *endpointPauseCmd) Run(ctx context.Context, s stdio) error {
	return dev.Pause(ctx, c.client(), dev.Output{Out: s.out}, c.Endpoint)
}

type endpointResumeCmd struct {
	AtHead bool `help:"Pass over all that it is owed until now."`
	oneEndpoint
}

func (c *endpointResumeCmd) Run(ctx context.Context, s stdio) error {
	return dev.Resume(ctx, c.client(), dev.Output{Out: s.out}, c.Endpoint, c.AtHead)
}
