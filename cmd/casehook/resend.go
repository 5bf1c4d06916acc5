package main

import (
	"context"
	"time"

	"github.com/casehook/casehook/internal/dev"
)

type resendCmd struct {
	Message  string        `arg:"" help:"The webhook-id of the message: msg_..."`
	Endpoint string        `required:"" placeholder:"NAME" help:"The endpoint to send it to, by its name or id."`
	Wait     time.Duration `default:"30s" placeholder:"TIME" help:"Time to wait for the outcome. 30s if not set; 0s does not wait."`
	JSON     bool          `name:"json" help:"Print the attempt as JSON."`
	remote
}

// Help is shown below the command's summary.
func (resendCmd) Help() string {
	return `The server sends the message like all others, with the same webhook-id and the same body, so a receiver
that got it before may drop it. The command exits with 1 if the receiver does not accept it.

  casehook resend msg_Zm9vYmFyYmF6cXV4Zm9vYmFy --endpoint crm
  casehook resend msg_Zm9vYmFyYmF6cXV4Zm9vYmFy --endpoint crm --json | jq .response

For a message that the endpoint never got, see casehook trigger --case.`
}

func (c *resendCmd) Run(ctx context.Context, s stdio) error {
	return dev.Resend(ctx, c.client(), dev.ResendOptions{
		Output: dev.Output{Out: s.out, JSON: c.JSON}, Message: c.Message, Endpoint: c.Endpoint, Wait: c.Wait,
	})
}
