package dev

import (
	"context"
	"net/url"
	"time"

	"github.com/casehook/casehook/internal/client"
	"github.com/casehook/casehook/internal/fault"
)

// ResendOptions selects a message to send again, and its endpoint.
type ResendOptions struct {
	Output
	Message  string        // its webhook-id
	Endpoint string        // id or name
	Wait     time.Duration // how long to wait for the outcome; zero: not at all
}

// replay is a replay as the server returns it.
type replay struct {
	ID        string    `json:"id"`
	State     string    `json:"state"`
	Delivered int64     `json:"delivered"`
	Dead      int64     `json:"dead"`
	CreatedAt time.Time `json:"created_at"`
}

// Resend has the server send a message to an endpoint again, and prints the outcome.
func Resend(ctx context.Context, c *client.Client, r ResendOptions) error {
	id, err := endpointID(ctx, c, r.Endpoint)
	if err != nil {
		return err
	}
	return r.start(ctx, c, id, "/resend", map[string]string{"message": r.Message})
}

// start starts a replay of one message, and waits for its outcome.
func (r ResendOptions) start(ctx context.Context, c *client.Client, id, path string, body any) error {
	var started replay
	if err := c.Post(ctx, endpointPath(id, path), body, &started); err != nil {
		return err
	}
	return r.await(ctx, c, id, started)
}

// await waits for the end of a replay, or for its first try that fails: others follow by the
// endpoint's policy.
func (r ResendOptions) await(ctx context.Context, c *client.Client, id string, started replay) error {
	ctx, cancel := context.WithTimeout(ctx, max(r.Wait, time.Millisecond))
	defer cancel()
	for wait := 50 * time.Millisecond; ; wait = min(2*wait, time.Second) {
		timer := time.NewTimer(wait)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			r.line("%s: on its way to %s", r.Message, r.Endpoint)
			return nil
		}
		var now replay
		if err := c.Get(ctx, endpointPath(id, "/replays/"+started.ID), &now); err != nil {
			return err
		}
		tries, err := r.tries(ctx, c, id, started.CreatedAt)
		switch {
		case err != nil:
			return err
		case len(tries) > 0:
			return r.say(tries[0])
		case now.State != "running":
			return fault.New(fault.Conflict, "dev.not_sent",
				"%s was not sent: it does not match the settings of %s. casehook endpoints show %s shows its "+
					"triggers, sources, filter and clearance.",
				r.Message, r.Endpoint, r.Endpoint)
		}
	}
}

// tries returns the attempts at the message since a time, the newest first.
func (r ResendOptions) tries(
	ctx context.Context, c *client.Client, id string, since time.Time,
) (tries []attempt, err error) {
	query := url.Values{"message": {r.Message}, "since": {since.Format(time.RFC3339Nano)}}
	for a, err := range client.Each[attempt](ctx, c, endpointPath(id, "/attempts"), query) {
		if err != nil {
			return nil, err
		}
		tries = append(tries, a)
	}
	return tries, nil
}

func (r ResendOptions) say(a attempt) error {
	if r.JSON {
		if err := r.object(a.raw); err != nil {
			return err
		}
	} else {
		r.line("%s %s: %s after %s", a.Trigger, a.Message, a.outcome(),
			formatDuration(time.Duration(a.DurationMS)*time.Millisecond))
	}
	if !a.Delivered {
		return fault.New(fault.Upstream, "dev.not_taken",
			"%s did not accept it. It is tried again by its policy; casehook attempts --endpoint %s --follow "+
				"shows it.",
			r.Endpoint, r.Endpoint)
	}
	return nil
}
