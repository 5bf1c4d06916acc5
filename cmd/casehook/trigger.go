package main

import (
	"context"
	"time"

	"github.com/casehook/casehook/internal/dev"
)

type triggerCmd struct {
	Trigger  string        `arg:"" help:"What to send: case_created, claim.closed, ..."`
	Case     int64         `placeholder:"ID" help:"Send what was last told of this case, rather than a sample."`
	Endpoint string        `placeholder:"NAME" xor:"to" help:"Have the server send it to this endpoint, by the road that all its messages take. Its name or id."`
	Wait     time.Duration `default:"30s" placeholder:"TIME" help:"How long to wait for what becomes of it at the endpoint. 30s if not set; 0s does not wait."`
	Forward  webURL        `placeholder:"URL" xor:"to" help:"Send it from here, to a receiver on your machine."`
	Secret   string        `placeholder:"WHSEC" env:"CASEHOOK_LISTEN_SECRET" help:"What is sent from here is signed with: whsec_... If not set, the one of casehook listen."`
	Timeout  time.Duration `default:"15s" placeholder:"TIME" help:"For the receiver on your machine. 15s if not set."`
	JSON     bool          `name:"json" help:"Print JSON: the message with its headers, and what became of it."`
	remote
}

// Help is shown below the command's summary.
func (triggerCmd) Help() string {
	return `With --case it is the real message, under its own webhook-id: a receiver that had it before may drop it. Without, it is a sample, of something made up, which --endpoint gets with the header webhook-test: true. With neither --endpoint nor --forward its body is printed. It ends with 1 when the receiver did not take it.

  casehook trigger case_created                       see what it looks like
  casehook trigger case_created --forward http://localhost:3000/hook
  casehook trigger case_created --endpoint crm        is it reached, and does it take it?
  casehook trigger case_state_changed --case 4539148803436467 --forward http://localhost:3000/hook
  casehook trigger case_state_changed --case 4539148803436467 --endpoint crm`
}

func (c *triggerCmd) Run(ctx context.Context, s stdio) error {
	t := dev.Triggering{
		Output: dev.Output{Out: s.out, JSON: c.JSON}, Trigger: c.Trigger, Case: c.Case, Endpoint: c.Endpoint, Wait: c.Wait,
		Forward: string(c.Forward), Timeout: c.Timeout, Version: version,
	}
	if c.Forward != "" {
		var err error
		if t.Key, err = localKey(c.Secret, c.remote, s); err != nil {
			return err
		}
	}
	return dev.Trigger(ctx, c.client(), t)
}
