package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/casehook/casehook/internal/dev"
)

type endpointsCmd struct {
	List    endpointsListCmd   `cmd:"" default:"withargs" help:"List the endpoints, and how far each is behind. The default."`
	Show    endpointShowCmd    `cmd:"" help:"Show all details of an endpoint, as JSON."`
	Create  endpointCreateCmd  `cmd:"" help:"Create an endpoint, and print its secret."`
	Delete  endpointDeleteCmd  `cmd:"" help:"Delete an endpoint. Its waiting messages are given up."`
	Pause   endpointPauseCmd   `cmd:"" help:"Stop sending to an endpoint; its messages wait."`
	Resume  endpointResumeCmd  `cmd:"" help:"Send to an endpoint again that was paused or disabled."`
	Rotate  endpointRotateCmd  `cmd:"" help:"Give an endpoint a new secret; the earlier ones sign too for some time."`
	Dead    endpointDeadCmd    `cmd:"" help:"List messages that were given up."`
	Parked  endpointParkedCmd  `cmd:"" help:"List messages that failed and wait for their next try."`
	Retry   endpointRetryCmd   `cmd:"" help:"Send messages again that were given up, or send waiting ones at once."`
	Drop    endpointDropCmd    `cmd:"" help:"Drop messages that were given up, or waiting ones."`
	Replay  endpointReplayCmd  `cmd:"" help:"Send messages of the past again."`
	Replays endpointReplaysCmd `cmd:"" help:"List the replays of an endpoint, with their progress."`
	Cancel  endpointCancelCmd  `cmd:"" help:"Cancel a replay."`
}

// Help is shown below the command's summary.
func (endpointsCmd) Help() string {
	return `BEHIND is the number of commits that an endpoint has not passed, and the age of the oldest; ~ marks an
estimate. An endpoint passes commits without messages for it within ten seconds. PARKED is the number of cases
whose next message failed and waits for its next try, DEAD the number of messages that were given up. All commands
take an endpoint's name or id.

  casehook endpoints
  casehook endpoints --json | jq -r 'select(.status != "active") | .name'
  casehook endpoints create crm --url https://crm.example.com/hooks --triggers case_created
  casehook endpoints pause crm
  casehook endpoints dead crm; casehook endpoints retry crm`
}

type endpointsListCmd struct{ listing }

// Help is shown below the command's summary.
func (endpointsListCmd) Help() string {
	return `casehook endpoints --help explains the columns.

  casehook endpoints list
  casehook endpoints --json | jq .lag`
}

func (c *endpointsListCmd) Run(ctx context.Context, s stdio) error {
	return dev.Endpoints(ctx, c.client(), c.output(s), time.Now())
}

// oneEndpoint has the arguments of every command about one endpoint.
type oneEndpoint struct {
	Endpoint string `arg:"" help:"The name or id."`
	remote
}

type endpointShowCmd struct{ oneEndpoint }

// Help is shown below the command's summary.
func (endpointShowCmd) Help() string {
	return `Secrets are not shown.

  casehook endpoints show crm
  casehook endpoints show crm | jq .health`
}

func (c *endpointShowCmd) Run(ctx context.Context, s stdio) error {
	return dev.Endpoint(ctx, c.client(), dev.Output{Out: s.out}, c.Endpoint)
}

type endpointCreateCmd struct {
	Name        string   `arg:"" help:"The name, which commands and files use."`
	URL         webURL   `required:"" placeholder:"URL" help:"URL of the receiver: https://crm.example.com/hooks."`
	Triggers    []string `required:"" placeholder:"TRIGGER" help:"Triggers to send: case_created, case_finished, ... Repeat it, or separate by commas."`
	Source      []string `enum:"ui,api" placeholder:"SOURCE" help:"Select the activity of people (ui), or of programs (api). Both if not set."`
	IgnoreOwn   bool     `help:"Skip messages that your token caused, so that an integration gets none about its own calls."`
	Filter      string   `placeholder:"CEL" help:"A condition that messages have to meet: case.type == 'kyc'."`
	Clearance   string   `enum:",PUBLIC,PRIVATE,RESTRICTED" default:"" placeholder:"CLASS" help:"The highest classification that is sent: PUBLIC, PRIVATE or RESTRICTED. Yours if not set."`
	Order       string   `enum:",per-case,strict,none" default:"" placeholder:"ORDER" help:"Order of messages: of the same case (per-case), of all cases (strict), or none. per-case if not set."`
	Since       moment   `default:"now" placeholder:"WHEN" help:"Begin in the past: 1h ago, 2026-01-31T08:00:00Z, or at the beginning. Now if not set."`
	Secret      string   `placeholder:"WHSEC" env:"CASEHOOK_ENDPOINT_SECRET" help:"The signing secret: whsec_...; better set the variable. One is made and printed if not set."`
	Description string   `placeholder:"TEXT" help:"The purpose, for people."`
	remote
}

// Help is shown below the command's summary.
func (endpointCreateCmd) Help() string {
	return `The signing secret is printed, this once, unless you bring your own. For headers, authentication and TLS,
or to keep endpoints in a file, see casehook apply --help.

  casehook endpoints create crm --url https://crm.example.com/hooks --triggers case_created
  casehook endpoints create crm --url https://crm.example.com --triggers case_created --since 24h
  casehook trigger case_created --endpoint crm        test whether it is reached, and accepts

The server calls public addresses only, and those of its --allow-address.`
}

func (c *endpointCreateCmd) Run(ctx context.Context, s stdio) error {
	e := dev.NewEndpoint{
		Name: c.Name, URL: string(c.URL), Triggers: c.Triggers, Sources: c.Source, IgnoreOwn: c.IgnoreOwn,
		Filter:    c.Filter,
		Clearance: c.Clearance, Description: c.Description, Secret: c.Secret, Start: c.Since.format(time.Now()),
	}
	if c.Order != "" {
		e.Policy = &dev.EndpointPolicy{Order: c.Order}
	}
	return dev.CreateEndpoint(ctx, c.client(), dev.Output{Out: s.out}, e)
}

type endpointDeleteCmd struct{ oneEndpoint }

// Help is shown below the command's summary.
func (endpointDeleteCmd) Help() string {
	return `Its attempts stay. To stop sending for some time, pause the endpoint instead.

  casehook endpoints delete crm`
}

func (c *endpointDeleteCmd) Run(ctx context.Context, s stdio) error {
	return dev.DeleteEndpoint(ctx, c.client(), dev.Output{Out: s.out}, c.Endpoint)
}

type endpointPauseCmd struct{ oneEndpoint }

// Help is shown below the command's summary.
func (endpointPauseCmd) Help() string {
	return `No message is lost: all wait until casehook endpoints resume.

  casehook endpoints pause crm`
}

func (c *endpointPauseCmd) Run(ctx context.Context, s stdio) error {
	return dev.Pause(ctx, c.client(), dev.Output{Out: s.out}, c.Endpoint)
}

type endpointResumeCmd struct {
	AtHead bool `help:"Skip all messages that wait until now."`
	oneEndpoint
}

// Help is shown below the command's summary.
func (endpointResumeCmd) Help() string {
	return `The endpoint continues where it stopped, in order.

  casehook endpoints resume crm              send all messages that wait
  casehook endpoints resume crm --at-head    skip all messages until now`
}

func (c *endpointResumeCmd) Run(ctx context.Context, s stdio) error {
	return dev.Resume(ctx, c.client(), dev.Output{Out: s.out}, c.Endpoint, c.AtHead)
}

type endpointRotateCmd struct {
	Overlap time.Duration `default:"24h" placeholder:"TIME" help:"Time for which the earlier secrets sign too, up to 168h; 0s ends them at once. 24h if not set."`
	Kind    string        `enum:",v1,v1a" default:"" placeholder:"KIND" help:"Kind of signature: v1, by a shared secret, or v1a, by a key pair whose public key is printed. v1 if not set."`
	oneEndpoint
}

// Help is shown below the command's summary.
func (endpointRotateCmd) Help() string {
	return `The new secret is printed, this once. Configure the receiver with it before the overlap ends: until then
each message has signatures by both.

  casehook endpoints rotate crm
  casehook endpoints rotate crm --overlap 1h`
}

func (c *endpointRotateCmd) Run(ctx context.Context, s stdio) error {
	return dev.Rotate(ctx, c.client(), dev.Output{Out: s.out},
		dev.Rotation{Endpoint: c.Endpoint, Kind: c.Kind, Overlap: c.Overlap})
}

// endpointListing has the arguments of every command that lists things of one endpoint.
type endpointListing struct {
	Endpoint string `arg:"" help:"The name or id."`
	listing
}

type endpointDeadCmd struct{ endpointListing }

// Help is shown below the command's summary.
func (endpointDeadCmd) Help() string {
	return `The list is in the order of the changes. casehook endpoints retry sends the messages again, drop drops
them.

  casehook endpoints dead crm
  casehook endpoints dead crm --json | jq -r .message`
}

func (c *endpointDeadCmd) Run(ctx context.Context, s stdio) error {
	return dev.DeadMessages(ctx, c.client(), c.output(s), c.Endpoint)
}

type endpointParkedCmd struct{ endpointListing }

// Help is shown below the command's summary.
func (endpointParkedCmd) Help() string {
	return `Each message is the first of its case; later ones of the case wait behind it. casehook endpoints retry
--parked sends them at once.

  casehook endpoints parked crm`
}

func (c *endpointParkedCmd) Run(ctx context.Context, s stdio) error {
	return dev.ParkedMessages(ctx, c.client(), c.output(s), c.Endpoint)
}

type endpointRetryCmd struct {
	Endpoint string   `arg:"" help:"The name or id."`
	Messages []string `arg:"" optional:"" name:"message" help:"The webhook-ids of messages: msg_... All if not set."`
	Parked   bool     `help:"Select messages that wait for their next try, instead of those that were given up."`
	remote
}

// Help is shown below the command's summary.
func (endpointRetryCmd) Help() string {
	return `A replay sends the messages that were given up, in their order. Those that fail again are given up again.

  casehook endpoints retry crm                                 all that were given up
  casehook endpoints retry crm msg_Zm9vYmFyYmF6cXV4Zm9vYmFy    one of them
  casehook endpoints retry crm --parked                        all that wait, at once`
}

func (c *endpointRetryCmd) Run(ctx context.Context, s stdio) error {
	return dev.RetryMessages(ctx, c.client(), dev.Output{Out: s.out},
		dev.Messages{Endpoint: c.Endpoint, IDs: c.Messages, Parked: c.Parked})
}

type endpointDropCmd struct {
	Endpoint string   `arg:"" help:"The name or id."`
	Messages []string `arg:"" optional:"" name:"message" help:"The webhook-ids of messages: msg_..."`
	All      bool     `help:"Select all messages."`
	Parked   bool     `help:"Select messages that wait for their next try, instead of those that were given up."`
	remote
}

// Help is shown below the command's summary.
func (endpointDropCmd) Help() string {
	return `Dropped messages stay listed as dropped. Messages that wait behind a dropped one go on.

  casehook endpoints drop crm msg_Zm9vYmFyYmF6cXV4Zm9vYmFy
  casehook endpoints drop crm --all --parked`
}

// Validate requires messages or --all.
func (c *endpointDropCmd) Validate() error {
	if c.All == (len(c.Messages) > 0) {
		return errors.New("name the messages to drop, or say --all")
	}
	return nil
}

func (c *endpointDropCmd) Run(ctx context.Context, s stdio) error {
	return dev.DropMessages(ctx, c.client(), dev.Output{Out: s.out},
		dev.Messages{Endpoint: c.Endpoint, IDs: c.Messages, Parked: c.Parked})
}

type endpointReplayCmd struct {
	Since    moment   `required:"" placeholder:"WHEN" help:"Start: 1h ago, 2026-01-31T08:00:00Z, or beginning."`
	Until    moment   `placeholder:"WHEN" help:"End: 10m ago, or 2026-01-31T09:00:00Z. Now if not set."`
	Triggers []string `placeholder:"TRIGGER" help:"Select these triggers. Repeat it, or separate by commas."`
	Case     int64    `placeholder:"ID" help:"Select messages about this case."`
	oneEndpoint
}

// Help is shown below the command's summary.
func (endpointReplayCmd) Help() string {
	return `Messages keep their webhook-ids. New messages are sent meanwhile. For one message, see casehook resend.

  casehook endpoints replay crm --since 1h
  casehook endpoints replay crm --since beginning --triggers case_finished
  casehook endpoints replay crm --since 24h --case 4539148803436467`
}

// Validate checks --since and --until.
func (c *endpointReplayCmd) Validate() error {
	now := time.Now()
	if c.Since.format(now) == "now" || c.Until.name != "" {
		return fmt.Errorf("--since and --until are times in the past: 1h or " +
			"2026-01-31T08:00:00Z; --since may be beginning")
	}
	return nil
}

func (c *endpointReplayCmd) Run(ctx context.Context, s stdio) error {
	now := time.Now()
	return dev.Replay(ctx, c.client(), dev.Output{Out: s.out}, dev.ReplayRequest{
		Endpoint: c.Endpoint, Since: c.Since.format(now), Until: c.Until.format(now), Triggers: c.Triggers,
		Case: c.Case,
	})
}

type endpointReplaysCmd struct{ endpointListing }

// Help is shown below the command's summary.
func (endpointReplaysCmd) Help() string {
	return `The newest is first. Those of resend and retry are listed too.

  casehook endpoints replays crm`
}

func (c *endpointReplaysCmd) Run(ctx context.Context, s stdio) error {
	return dev.Replays(ctx, c.client(), c.output(s), c.Endpoint)
}

type endpointCancelCmd struct {
	Endpoint string `arg:"" help:"The name or id."`
	Replay   string `arg:"" help:"The id of the replay: rpl_..."`
	remote
}

// Help is shown below the command's summary.
func (endpointCancelCmd) Help() string {
	return `Messages under way may still arrive.

  casehook endpoints cancel crm rpl_0197c2f0a1b27c3d8e4f5a6b7c8d9e0f`
}

func (c *endpointCancelCmd) Run(ctx context.Context, s stdio) error {
	return dev.CancelReplay(ctx, c.client(), dev.Output{Out: s.out}, c.Endpoint, c.Replay)
}
