package main

import (
	"context"
	"time"

	"github.com/casehook/casehook/internal/dev"
)

type triggerCmd struct {
	Trigger  string        `arg:"" help:"The trigger: case_created, claim.closed, ..."`
	Case     int64         `placeholder:"ID" help:"Send the last message about this case, instead of a sample."`
	Endpoint string        `placeholder:"NAME" xor:"to" help:"Have the server send it to this endpoint, like all its messages. Its name or id."`
	Wait     time.Duration `default:"30s" placeholder:"TIME" help:"Time to wait for the outcome at the endpoint. 30s if not set; 0s does not wait."`
	Forward  webURL        `placeholder:"URL" xor:"to" help:"URL of a receiver on your machine, to which this command sends it."`
	Secret   string        `placeholder:"WHSEC" env:"CASEHOOK_LISTEN_SECRET" help:"The signing secret for --forward: whsec_... If not set, that of casehook listen."`
	Timeout  time.Duration `default:"15s" placeholder:"TIME" help:"Time for the request of --forward. 15s if not set."`
	JSON     bool          `name:"json" help:"Print JSON: the message with its headers, and its outcome."`
	remote
}

// Help is shown below the command's summary.
func (triggerCmd) Help() string {
	return `With --case, the message is a real one with its own webhook-id, so a receiver that got it before may drop
it. Without, it is a sample with made-up data, and --endpoint gets it with the header webhook-test: true. Without
--endpoint and --forward, the body is printed. The command exits with 1 if the receiver does not accept the
message.

  casehook trigger case_created                       print a sample
  casehook trigger case_created --forward http://localhost:3000/hook
  casehook trigger case_created --endpoint crm        test whether it is reached, and accepts
  casehook trigger case_state_changed --case 4539148803436467 --forward http://localhost:3000/hook
  casehook trigger case_state_changed --case 4539148803436467 --endpoint crm`
}

func (c *triggerCmd) Run(ctx context.Context, s stdio) error {
	t := dev.TriggerOptions{
		Output:   dev.Output{Out: s.out, JSON: c.JSON},
		Trigger:  c.Trigger,
		Case:     c.Case,
		Endpoint: c.Endpoint,
		Wait:     c.Wait,
		Forward:  string(c.Forward),
		Timeout:  c.Timeout,
		Version:  version,
	}
	if c.Forward != "" {
		var err error
		if t.Key, err = localKey(c.Secret, c.remote, s); err != nil {
			return err
		}
	}
	return dev.Trigger(ctx, c.client(), t)
}
