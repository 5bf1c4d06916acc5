package dev

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/casehook/casehook/internal/client"
)

// NewEndpoint is an endpoint to create, in the form of the API's request.
type NewEndpoint struct {
	Name        string          `json:"name"`
	URL         string          `json:"url"`
	Triggers    []string        `json:"triggers"`
	Sources     []string        `json:"sources,omitempty"`
	IgnoreOwn   bool            `json:"ignore_own,omitempty"`
	Filter      string          `json:"filter,omitempty"`
	Clearance   string          `json:"clearance,omitempty"`
	Description string          `json:"description,omitempty"`
	Secret      string          `json:"secret,omitempty"`
	Start       string          `json:"start,omitempty"`
	Policy      *EndpointPolicy `json:"policy,omitempty"`
}

// EndpointPolicy is the part of an endpoint's policy that a NewEndpoint can set.
type EndpointPolicy struct {
	Order string `json:"order"`
}

// CreateEndpoint creates an endpoint, and prints its secret.
func CreateEndpoint(ctx context.Context, c *client.Client, o Output, e NewEndpoint) error {
	var made struct {
		ID     string `json:"id"`
		Secret string `json:"secret"`
	}
	if err := c.Post(ctx, "/v1/endpoints", e, &made); err != nil {
		return err
	}
	o.line("endpoint %s: created, %s", e.Name, made.ID)
	if made.Secret == "" {
		return nil // the user supplied it
	}
	o.line("Its secret, shown this once; the receiver verifies signatures with it:\n\n  %s", made.Secret)
	return nil
}

// DeleteEndpoint deletes an endpoint.
func DeleteEndpoint(ctx context.Context, c *client.Client, o Output, named string) error {
	id, err := endpointID(ctx, c, named)
	if err != nil {
		return err
	}
	if err := c.Delete(ctx, endpointPath(id)); err != nil {
		return err
	}
	o.line("endpoint %s: deleted", named)
	return nil
}

// Rotation is a request for a new secret of an endpoint.
type Rotation struct {
	Endpoint string        // id or name
	Kind     string        // of the secret; empty: the server chooses it
	Overlap  time.Duration // for how long the earlier secrets sign too
}

// Rotate makes a new secret for an endpoint, and prints it.
func Rotate(ctx context.Context, c *client.Client, o Output, r Rotation) error {
	id, err := endpointID(ctx, c, r.Endpoint)
	if err != nil {
		return err
	}
	return rotate(ctx, c, o, rotation{
		path:    endpointPath(id, "/secrets"),
		owner:   "endpoint " + r.Endpoint,
		kind:    r.Kind,
		overlap: r.Overlap,
	})
}

// rotation is a request for a new secret of an endpoint or a callback.
type rotation struct {
	path    string
	owner   string // the secret's kind, in words
	kind    string // may be empty
	overlap time.Duration
}

// rotate makes a new secret, and prints it.
func rotate(ctx context.Context, c *client.Client, o Output, r rotation) error {
	body := map[string]string{"overlap": r.overlap.String()}
	if r.kind != "" {
		body["kind"] = r.kind
	}
	var made struct {
		ID        string  `json:"id"`
		Secret    *string `json:"secret"`
		PublicKey *string `json:"public_key"`
	}
	if err := c.Post(ctx, r.path, body, &made); err != nil {
		return err
	}
	o.line("%s: has a new secret, %s; those of the same kind sign too for %s", r.owner, made.ID, Long(r.overlap))
	if made.Secret != nil {
		o.line("The secret, shown this once:\n\n  %s", *made.Secret)
	} else if made.PublicKey != nil {
		o.line("The public key, with which the receiver verifies signatures:\n\n  %s", *made.PublicKey)
	}
	return nil
}

// Messages selects messages of an endpoint.
type Messages struct {
	Endpoint string   // id or name
	IDs      []string // none: all
	Parked   bool     // select parked messages, not dead ones
}

func (m Messages) body() map[string]any {
	if len(m.IDs) > 0 {
		return map[string]any{"messages": m.IDs}
	}
	return map[string]any{"all": true}
}

// RetryMessages has the server send messages again.
func RetryMessages(ctx context.Context, c *client.Client, o Output, m Messages) error {
	if m.Parked {
		return m.changeMessages(ctx, c, o, "/parked/retry", "tried at once")
	}
	id, err := endpointID(ctx, c, m.Endpoint)
	if err != nil {
		return err
	}
	var started replayStatus
	if err := c.Post(ctx, endpointPath(id, "/dead/retry"), m.body(), &started); err != nil {
		return err
	}
	o.line("endpoint %s: %s will be tried again, by the replay %s", m.Endpoint, counted(started.Messages, "message"),
		started.ID)
	return nil
}

// DropMessages has the server drop messages. They stay listed as dropped.
func DropMessages(ctx context.Context, c *client.Client, o Output, m Messages) error {
	path := "/dead/drop"
	if m.Parked {
		path = "/parked/drop"
	}
	return m.changeMessages(ctx, c, o, path, "dropped")
}

func (m Messages) changeMessages(ctx context.Context, c *client.Client, o Output, path, done string) error {
	id, err := endpointID(ctx, c, m.Endpoint)
	if err != nil {
		return err
	}
	var answer struct {
		Count int64 `json:"count"`
	}
	if err := c.Post(ctx, endpointPath(id, path), m.body(), &answer); err != nil {
		return err
	}
	o.line("endpoint %s: %s %s", m.Endpoint, counted(answer.Count, "message"), done)
	return nil
}

// counted formats a number with its noun.
func counted(n int64, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return Grouped(n) + " " + noun + "s"
}

// waitingMessage is a message that was given up, or that waits for its next try.
type waitingMessage struct {
	Message string    `json:"message"`
	Trigger string    `json:"trigger"`
	Subject string    `json:"subject"`
	At      time.Time `json:"at"`
	Due     time.Time `json:"due"`
	Tries   int       `json:"tries"`
	Reason  string    `json:"reason"`
}

// DeadMessages lists the messages of an endpoint that were given up.
func DeadMessages(ctx context.Context, c *client.Client, o Output, named string) error {
	table := Table{Columns: []string{"MESSAGE", "TRIGGER", "SUBJECT", "SINCE", "REASON"},
		Shorten: []string{"TRIGGER", "REASON"}}
	row := func(m waitingMessage) []string {
		return []string{m.Message, m.Trigger, m.Subject, m.At.Local().Format("01-02 15:04"), m.Reason}
	}
	return listOf(ctx, c, o, named, Listing[waitingMessage]{Path: "/dead", Table: table, Row: row})
}

// ParkedMessages lists the messages of an endpoint that wait for their next try.
func ParkedMessages(ctx context.Context, c *client.Client, o Output, named string) error {
	table := Table{Columns: []string{"MESSAGE", "TRIGGER", "SUBJECT", "TRIES", "DUE", "REASON"},
		Shorten: []string{"TRIGGER", "REASON"}}
	row := func(m waitingMessage) []string {
		return []string{m.Message, m.Trigger, m.Subject, fmt.Sprint(m.Tries), clock(m.Due), m.Reason}
	}
	return listOf(ctx, c, o, named, Listing[waitingMessage]{Path: "/parked", Table: table, Row: row})
}

// Listing is a list of the API and the table that shows it.
type Listing[T any] struct {
	Path  string
	Table Table
	Row   func(item T) []string // returns the cells of an item
}

// listOf prints a list whose path is below that of an endpoint.
func listOf[T any](ctx context.Context, c *client.Client, o Output, named string, l Listing[T]) error {
	id, err := endpointID(ctx, c, named)
	if err != nil {
		return err
	}
	l.Path = endpointPath(id, l.Path)
	return List(ctx, c, o, l)
}

// List prints a list of the API: as JSON, or as a table with a row for each item.
func List[T any](ctx context.Context, c *client.Client, o Output, l Listing[T]) error {
	for raw, err := range client.Each[json.RawMessage](ctx, c, l.Path, client.AnyLimit()) {
		if err != nil {
			return err
		}
		if o.JSON {
			o.line("%s", raw)
			continue
		}
		var item T
		if err := json.Unmarshal(raw, &item); err != nil {
			return err
		}
		l.Table.Rows = append(l.Table.Rows, l.Row(item))
	}
	if o.JSON {
		return nil
	}
	return l.Table.Print(o.Out)
}

// ReplayRequest selects the messages to send to an endpoint again.
type ReplayRequest struct {
	Endpoint string // id or name
	Since    string // a time, or beginning
	Until    string // a time; empty: now
	Triggers []string
	Case     int64 // 0: all
}

// replayStatus is a replay as the server returns it.
type replayStatus struct {
	ID        string    `json:"id"`
	Kind      string    `json:"kind"`
	State     string    `json:"state"`
	Messages  int64     `json:"messages"`
	Progress  float64   `json:"progress"`
	Delivered int64     `json:"delivered"`
	Dead      int64     `json:"dead"`
	AskedBy   string    `json:"asked_by"`
	CreatedAt time.Time `json:"created_at"`
}

// Replay has the server send past messages to an endpoint again.
func Replay(ctx context.Context, c *client.Client, o Output, r ReplayRequest) error {
	id, err := endpointID(ctx, c, r.Endpoint)
	if err != nil {
		return err
	}
	body := map[string]any{"since": r.Since}
	if r.Until != "" {
		body["until"] = r.Until
	}
	if len(r.Triggers) > 0 {
		body["triggers"] = r.Triggers
	}
	if r.Case != 0 {
		body["subject"] = fmt.Sprintf("case/%d", r.Case)
	}
	var started replayStatus
	if err := c.Post(ctx, endpointPath(id, "/replays"), body, &started); err != nil {
		return err
	}
	o.line("endpoint %s: the replay %s sends it messages again", r.Endpoint, started.ID)
	o.line("casehook endpoints replays %s shows how far it is.", r.Endpoint)
	return nil
}

// Replays lists the replays of an endpoint.
func Replays(ctx context.Context, c *client.Client, o Output, named string) error {
	table := Table{
		Columns: []string{"REPLAY", "KIND", "STATE", "DONE", "DELIVERED", "DEAD", "ASKED", "BY"},
		Shorten: []string{"BY"},
	}
	row := func(r replayStatus) []string {
		return []string{
			r.ID, r.Kind, r.State, fmt.Sprintf("%d%%", int(r.Progress*100)), Grouped(r.Delivered), Grouped(r.Dead),
			r.CreatedAt.Local().Format("01-02 15:04"), r.AskedBy,
		}
	}
	return listOf(ctx, c, o, named, Listing[replayStatus]{Path: "/replays", Table: table, Row: row})
}

// CancelReplay ends a replay.
func CancelReplay(ctx context.Context, c *client.Client, o Output, named, replay string) error {
	id, err := endpointID(ctx, c, named)
	if err != nil {
		return err
	}
	if err := c.Delete(ctx, endpointPath(id, "/replays/"+url.PathEscape(strings.TrimSpace(replay)))); err != nil {
		return err
	}
	o.line("endpoint %s: the replay %s is cancelled", named, replay)
	return nil
}
