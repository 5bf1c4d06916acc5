package main

import (
	"context"
	"time"

	"github.com/casehook/casehook/internal/dev"
)

type resendCmd struct {
	Message  string        `arg:"" help:"The webhook-id of the message: msg_..."`
	Endpoint string        `required:"" placeholder:"NAME" help:"Whom to send it to. Its name or id."`
	Wait     time.Duration `default:"30s" placeholder:"TIME" help:"How long to wait for what becomes of it. 30s if not set; 0s does not wait."`
	JSON     bool          `name:"json" help:"Print the attempt as JSON."`
	remote
}

// Help is shown below the command's summary.
func (resendCmd) Help() string {
	return `It goes by the road that all messages to the endpoint take, under the same webhook-id and with the same body: a receiver that had it before may drop it. It ends with 1 when the receiver did not take it.

  casehook resend msg_Zm9vYmFyYmF6cXV4Zm9vYmFy --endpoint crm
  casehook resend msg_Zm9vYmFyYmF6cXV4Zm9vYmFy --endpoint crm --json | jq .response

What the endpoint was never sent, casehook trigger --case sends.`
}

func (c *resendCmd) Run(ctx context.Context, s stdio) error {
	return dev.Resend(ctx, c.client(), dev.Resending{
		Output: dev.Output{Out: s.out, JSON: c.JSON}, Message: c.Message, Endpoint: c.Endpoint, Wait: c.Wait,
	})
}
