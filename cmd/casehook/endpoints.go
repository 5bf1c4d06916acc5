package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/casehook/casehook/internal/dev"
)

type endpointsCmd struct {
	List    endpointsListCmd   `cmd:"" default:"withargs" help:"List them, with how far each is behind. The default."`
	Show    endpointShowCmd    `cmd:"" help:"Show all that is known of one, as JSON."`
	Create  endpointCreateCmd  `cmd:"" help:"Create one, and print its secret."`
	Delete  endpointDeleteCmd  `cmd:"" help:"Delete one. What waits for it is given up."`
	Pause   endpointPauseCmd   `cmd:"" help:"Hold messages back; they wait."`
	Resume  endpointResumeCmd  `cmd:"" help:"Let them flow again, also after the endpoint was disabled."`
	Rotate  endpointRotateCmd  `cmd:"" help:"Give it a new secret, while those of before sign too for some time."`
	Dead    endpointDeadCmd    `cmd:"" help:"List messages that were given up."`
	Parked  endpointParkedCmd  `cmd:"" help:"List messages that failed and wait for their next try."`
	Retry   endpointRetryCmd   `cmd:"" help:"Try messages again that were given up, or at once those that wait."`
	Drop    endpointDropCmd    `cmd:"" help:"Drop messages that were given up, or that wait."`
	Replay  endpointReplayCmd  `cmd:"" help:"Tell it again what happened since some time."`
	Replays endpointReplaysCmd `cmd:"" help:"List its replays, with how far they are."`
	Cancel  endpointCancelCmd  `cmd:"" help:"Cancel a replay."`
}

// Help is shown below the command's summary.
func (endpointsCmd) Help() string {
	return `BEHIND is how many commits an endpoint has not passed yet, and how old the oldest is; ~ stands before what is an estimate. What it is not told is passed within ten seconds. PARKED are cases whose next message failed and waits for its next try, DEAD messages that were given up. All commands take its name or its id.

  casehook endpoints
  casehook endpoints --json | jq -r 'select(.status != "active") | .name'
  casehook endpoints create crm --url https://crm.example.com/hooks --triggers case_created
  casehook endpoints pause crm
  casehook endpoints dead crm; casehook endpoints retry crm`
}

type endpointsListCmd struct{ listing }

// Help is shown below the command's summary.
func (endpointsListCmd) Help() string {
	return `See casehook endpoints --help for what the columns mean.

  casehook endpoints list
  casehook endpoints --json | jq .lag`
}

func (c *endpointsListCmd) Run(ctx context.Context, s stdio) error {
	return dev.Endpoints(ctx, c.client(), c.output(s), time.Now())
}

// oneEndpoint is what every command on one endpoint needs to know.
type oneEndpoint struct {
	Endpoint string `arg:"" help:"Its name or id."`
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
	Name        string   `arg:"" help:"Its name, by which commands and files call it."`
	URL         webURL   `required:"" placeholder:"URL" help:"Where messages go: https://crm.example.com/hooks."`
	Triggers    []string `required:"" placeholder:"TRIGGER" help:"What it hears of: case_created, case_finished, ... Repeat it, or separate by commas."`
	Source      []string `enum:"ui,api" placeholder:"SOURCE" help:"Only people's activity (ui), or only programs' (api). Both if not set."`
	IgnoreOwn   bool     `help:"It hears nothing of what your token caused, so that an integration is not told of its own calls."`
	Filter      string   `placeholder:"CEL" help:"A condition that messages have to meet: case.type == 'kyc'."`
	Clearance   string   `enum:",PUBLIC,PRIVATE,RESTRICTED" default:"" placeholder:"CLASS" help:"The highest classification that it is told: PUBLIC, PRIVATE or RESTRICTED. Yours if not set."`
	Order       string   `enum:",per-case,strict,none" default:"" placeholder:"ORDER" help:"Which messages wait for which: those of the same case (per-case, if not set), all (strict), or none."`
	Since       moment   `default:"now" placeholder:"WHEN" help:"Tell it of the past too: 1h, 2026-01-31T08:00:00Z, or beginning. Now if not set."`
	Secret      string   `placeholder:"WHSEC" env:"CASEHOOK_ENDPOINT_SECRET" help:"What signs its messages: whsec_...; rather set the variable. One is made and printed if not set."`
	Description string   `placeholder:"TEXT" help:"What it is for, for people."`
	remote
}

// Help is shown below the command's summary.
func (endpointCreateCmd) Help() string {
	return `The secret that signs its messages is printed, this once, unless it is yours. For headers, authentication and TLS, or to keep endpoints in a file, see casehook apply --help.

  casehook endpoints create crm --url https://crm.example.com/hooks --triggers case_created
  casehook endpoints create crm --url https://crm.example.com --triggers case_created --since 24h
  casehook trigger case_created --endpoint crm        is it reached, and does it take it?

The server calls public addresses only, and what it allows by --allow-address.`
}

func (c *endpointCreateCmd) Run(ctx context.Context, s stdio) error {
	e := dev.NewEndpoint{
		Name: c.Name, URL: string(c.URL), Triggers: c.Triggers, Sources: c.Source, IgnoreOwn: c.IgnoreOwn,
		Filter:    c.Filter,
		Clearance: c.Clearance, Description: c.Description, Secret: c.Secret, Start: c.Since.at(time.Now()),
	}
	if c.Order != "" {
		e.Policy = &dev.EndpointPolicy{Order: c.Order}
	}
	return dev.CreateEndpoint(ctx, c.client(), dev.Output{Out: s.out}, e)
}

type endpointDeleteCmd struct{ oneEndpoint }

// Help is shown below the command's summary.
func (endpointDeleteCmd) Help() string {
	return `Its attempts stay. To hold messages back for some time, pause it instead.

  casehook endpoints delete crm`
}

func (c *endpointDeleteCmd) Run(ctx context.Context, s stdio) error {
	return dev.DeleteEndpoint(ctx, c.client(), dev.Output{Out: s.out}, c.Endpoint)
}

type endpointPauseCmd struct{ oneEndpoint }

// Help is shown below the command's summary.
func (endpointPauseCmd) Help() string {
	return `Nothing is lost: what it is owed waits until casehook endpoints resume.

  casehook endpoints pause crm`
}

func (c *endpointPauseCmd) Run(ctx context.Context, s stdio) error {
	return dev.Pause(ctx, c.client(), dev.Output{Out: s.out}, c.Endpoint)
}

type endpointResumeCmd struct {
	AtHead bool `help:"Pass over all that it is owed until now."`
	oneEndpoint
}

// Help is shown below the command's summary.
func (endpointResumeCmd) Help() string {
	return `It goes on where it stands, in order.

  casehook endpoints resume crm              it is told of all that waits
  casehook endpoints resume crm --at-head    it is told of nothing that happened until now`
}

func (c *endpointResumeCmd) Run(ctx context.Context, s stdio) error {
	return dev.Resume(ctx, c.client(), dev.Output{Out: s.out}, c.Endpoint, c.AtHead)
}

type endpointRotateCmd struct {
	Overlap time.Duration `default:"24h" placeholder:"TIME" help:"For how long secrets of before sign too, up to 168h; 0s ends them at once. 24h if not set."`
	Kind    string        `enum:",v1,v1a" default:"" placeholder:"KIND" help:"How it signs: v1, with a secret that both know (if not set), or v1a, with a key whose public half is printed."`
	oneEndpoint
}

// Help is shown below the command's summary.
func (endpointRotateCmd) Help() string {
	return `The new secret is printed, this once. Give it to the receiver before the overlap is over: until then each message has signatures by both.

  casehook endpoints rotate crm
  casehook endpoints rotate crm --overlap 1h`
}

func (c *endpointRotateCmd) Run(ctx context.Context, s stdio) error {
	return dev.Rotate(ctx, c.client(), dev.Output{Out: s.out}, c.Endpoint, c.Kind, c.Overlap)
}

// endpointListing is what every command needs to know that lists things of one endpoint.
type endpointListing struct {
	Endpoint string `arg:"" help:"Its name or id."`
	listing
}

type endpointDeadCmd struct{ endpointListing }

// Help is shown below the command's summary.
func (endpointDeadCmd) Help() string {
	return `In the order in which it happened what they tell. casehook endpoints retry tries them again, drop drops them.

  casehook endpoints dead crm
  casehook endpoints dead crm --json | jq -r .message`
}

func (c *endpointDeadCmd) Run(ctx context.Context, s stdio) error {
	return dev.DeadMessages(ctx, c.client(), c.output(s), c.Endpoint)
}

type endpointParkedCmd struct{ endpointListing }

// Help is shown below the command's summary.
func (endpointParkedCmd) Help() string {
	return `Each is the first of its case: what came after it waits for it. casehook endpoints retry --parked tries them at once.

  casehook endpoints parked crm`
}

func (c *endpointParkedCmd) Run(ctx context.Context, s stdio) error {
	return dev.ParkedMessages(ctx, c.client(), c.output(s), c.Endpoint)
}

type endpointRetryCmd struct {
	Endpoint string   `arg:"" help:"Its name or id."`
	Messages []string `arg:"" optional:"" name:"message" help:"The webhook-ids of some: msg_... All if not set."`
	Parked   bool     `help:"Those that wait for their next try, rather than those that were given up."`
	remote
}

// Help is shown below the command's summary.
func (endpointRetryCmd) Help() string {
	return `Those that were given up are told in their order, by a replay; those that are not taken are given up again.

  casehook endpoints retry crm                                 all that were given up
  casehook endpoints retry crm msg_Zm9vYmFyYmF6cXV4Zm9vYmFy    one of them
  casehook endpoints retry crm --parked                        all that wait, at once`
}

func (c *endpointRetryCmd) Run(ctx context.Context, s stdio) error {
	return dev.RetryMessages(ctx, c.client(), dev.Output{Out: s.out},
		dev.Messages{Endpoint: c.Endpoint, IDs: c.Messages, Parked: c.Parked})
}

type endpointDropCmd struct {
	Endpoint string   `arg:"" help:"Its name or id."`
	Messages []string `arg:"" optional:"" name:"message" help:"The webhook-ids of some: msg_..."`
	All      bool     `help:"All that there are."`
	Parked   bool     `help:"Those that wait for their next try, rather than those that were given up."`
	remote
}

// Help is shown below the command's summary.
func (endpointDropCmd) Help() string {
	return `They stay listed as dropped. What waits behind a message that waited goes on.

  casehook endpoints drop crm msg_Zm9vYmFyYmF6cXV4Zm9vYmFy
  casehook endpoints drop crm --all --parked`
}

// Validate refuses to drop what nobody named.
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
	Since    moment   `required:"" placeholder:"WHEN" help:"From when on: 1h, 2026-01-31T08:00:00Z, or beginning."`
	Until    moment   `placeholder:"WHEN" help:"Up to when: 10m ago, or 2026-01-31T09:00:00Z. Up to now if not set."`
	Triggers []string `placeholder:"TRIGGER" help:"Only these. Repeat it, or separate by commas."`
	Case     int64    `placeholder:"ID" help:"Only what is about this case."`
	oneEndpoint
}

// Help is shown below the command's summary.
func (endpointReplayCmd) Help() string {
	return `Messages have the webhook-ids that they had. What is new goes on meanwhile. For one message, see casehook resend.

  casehook endpoints replay crm --since 1h
  casehook endpoints replay crm --since beginning --triggers case_finished
  casehook endpoints replay crm --since 24h --case 4539148803436467`
}

// Validate refuses moments that are no times.
func (c *endpointReplayCmd) Validate() error {
	now := time.Now()
	if c.Since.at(now) == "now" || c.Until.name != "" {
		return fmt.Errorf("--since and --until are times in the past: 1h or " +
			"2026-01-31T08:00:00Z; --since may be beginning")
	}
	return nil
}

func (c *endpointReplayCmd) Run(ctx context.Context, s stdio) error {
	now := time.Now()
	return dev.Replay(ctx, c.client(), dev.Output{Out: s.out}, dev.Replaying{
		Endpoint: c.Endpoint, Since: c.Since.at(now), Until: c.Until.at(now), Triggers: c.Triggers, Case: c.Case,
	})
}

type endpointReplaysCmd struct{ endpointListing }

// Help is shown below the command's summary.
func (endpointReplaysCmd) Help() string {
	return `Those of resend and retry too; the newest first.

  casehook endpoints replays crm`
}

func (c *endpointReplaysCmd) Run(ctx context.Context, s stdio) error {
	return dev.Replays(ctx, c.client(), c.output(s), c.Endpoint)
}

type endpointCancelCmd struct {
	Endpoint string `arg:"" help:"Its name or id."`
	Replay   string `arg:"" help:"The id of the replay: rpl_..."`
	remote
}

// Help is shown below the command's summary.
func (endpointCancelCmd) Help() string {
	return `What is on its way may still arrive.

  casehook endpoints cancel crm rpl_0197c2f0a1b27c3d8e4f5a6b7c8d9e0f`
}

func (c *endpointCancelCmd) Run(ctx context.Context, s stdio) error {
	return dev.CancelReplay(ctx, c.client(), dev.Output{Out: s.out}, c.Endpoint, c.Replay)
}
