package dev

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/casehook/casehook/internal/client"
	"github.com/casehook/casehook/internal/fault"
	"github.com/casehook/casehook/internal/wire"
)

// TriggerOptions selects a message, and its receiver.
type TriggerOptions struct {
	Output
	Trigger string
	Case    int64 // send the last message about this case; 0: a sample

	Endpoint string        // id or name; empty: to Forward
	Wait     time.Duration // how long to wait for the outcome at Endpoint; zero: not at all

	Forward string        // a URL; both empty: it is only printed
	Key     []byte        // signs messages to Forward
	Timeout time.Duration // for Forward
	Version string        // of Casehook, for Forward's User-Agent
}

// Trigger sends a message of a trigger, and prints the outcome.
func Trigger(ctx context.Context, c *client.Client, t TriggerOptions) error {
	if t.Endpoint != "" && t.Case == 0 {
		return t.test(ctx, c)
	}
	find := t.sample
	if t.Case != 0 {
		find = t.last
	}
	m, err := find(ctx, c)
	switch {
	case err != nil:
		return err
	case t.Endpoint != "":
		return t.replay(ctx, c, m)
	case t.Forward == "":
		return t.show(m)
	}
	return t.forward(ctx, m)
}

// testResult is the outcome of a sample that the server sent.
type testResult struct {
	Message    string          `json:"message"`
	Trigger    string          `json:"trigger"`
	Delivered  bool            `json:"delivered"`
	Reason     string          `json:"reason"`
	DurationMS int64           `json:"duration_ms"`
	Status     *int            `json:"status"`
	Failure    *string         `json:"failure"`
	Response   json.RawMessage `json:"response"`
}

// test has the server send a sample to an endpoint.
func (t TriggerOptions) test(ctx context.Context, c *client.Client) error {
	id, err := endpointID(ctx, c, t.Endpoint)
	if err != nil {
		return err
	}
	var came testResult
	if err := c.Post(ctx, endpointPath(id, "/test"), map[string]string{"trigger": t.Trigger}, &came); err != nil {
		return err
	}
	if t.JSON {
		if err := t.object(came); err != nil {
			return err
		}
	} else {
		t.line("%s %s: %s after %dms", came.Trigger, came.Message, came.Reason, came.DurationMS)
	}
	if !came.Delivered {
		return fault.New(fault.Upstream, "dev.not_taken", "%s did not accept it: only 2xx is success.", t.Endpoint)
	}
	return nil
}

// replay has the server send a message to an endpoint, even one that it never received.
func (t TriggerOptions) replay(ctx context.Context, c *client.Client, m *message) error {
	id, err := endpointID(ctx, c, t.Endpoint)
	if err != nil {
		return err
	}
	return t.resendOptions(m.ID).start(ctx, c, id, "/replays", map[string]any{
		"since": m.Timestamp, "until": wire.Timestamp(time.Time(m.Timestamp).Add(time.Millisecond)),
		"subject": m.Subject, "triggers": []string{m.Trigger},
	})
}

// resendOptions returns the options for waiting for the outcome at the endpoint.
func (t TriggerOptions) resendOptions(message string) ResendOptions {
	return ResendOptions{Output: t.Output, Message: message, Endpoint: t.Endpoint, Wait: t.Wait}
}

// show prints a message without sending it.
func (t TriggerOptions) show(m *message) error {
	if t.JSON {
		return t.object(m)
	}
	return t.indented(m.Body)
}

func (t TriggerOptions) forward(ctx context.Context, m *message) error {
	to, err := newForwarder(t.Forward, t.Key, t.Timeout, t.Version)
	if err != nil {
		return err
	}
	defer to.client.Close()
	f := to.send(ctx, *m, 1)
	if t.JSON {
		if err := t.object(printJob{*m, &f}); err != nil {
			return err
		}
	} else {
		t.line("%s %s: %s after %s", m.Trigger, m.ID, f.outcome(), formatDuration(f.duration))
	}
	switch {
	case f.delivered():
		return nil
	case f.Status == nil:
		return fault.New(fault.Upstream, "dev.not_taken",
			"%s did not accept it: there was no answer (%s). Is the receiver running?", t.Forward, f.Failure)
	case *f.Status == http.StatusUnauthorized:
		return fault.New(fault.Upstream, "dev.not_taken",
			"%s did not accept it: only 2xx is success. Does the receiver verify with the secret above?", t.Forward)
	}
	return fault.New(fault.Upstream, "dev.not_taken", "%s did not accept it: only 2xx is success.", t.Forward)
}

// attemptHeaders are the headers that are added when a message is sent.
var attemptHeaders = []string{"webhook-id", "webhook-timestamp", "webhook-signature", "webhook-attempt", "user-agent"}

// sample returns the trigger's example from the catalogue.
func (t TriggerOptions) sample(ctx context.Context, c *client.Client) (*message, error) {
	var catalogue struct {
		Items []struct {
			Name    string
			Headers []struct {
				Name, Example string
				Optional      bool
			}
			Example json.RawMessage
		}
	}
	if err := c.Get(ctx, "/v1/triggers", &catalogue); err != nil {
		return nil, err
	}
	var names []string
	for _, known := range catalogue.Items {
		names = append(names, known.Name)
		if known.Name != t.Trigger {
			continue
		}
		now := time.Now().UTC()
		m := &message{
			ID: "msg_sample" + strconv.FormatInt(now.UnixNano(), 36), Trigger: t.Trigger,
			Timestamp: wire.Timestamp(now), Source: "api",
			Headers: map[string]string{}, Body: known.Example,
		}
		for _, h := range known.Headers {
			if !h.Optional && !slices.Contains(attemptHeaders, strings.ToLower(h.Name)) {
				m.Headers[h.Name] = h.Example
			}
		}
		m.Subject = m.Headers["webhook-subject"]
		m.Sequence, _ = strconv.ParseInt(m.Headers["webhook-sequence"], 10, 64) // 0, where there is none
		return m, nil
	}
	return nil, fault.New(fault.NotFound, "dev.trigger_unknown", "There is no trigger %q. There are: %s.", t.Trigger,
		strings.Join(names, ", "))
}

// mostEntries bounds the entries of a case's history that are searched.
const mostEntries = 500

// last returns the newest message of the trigger about the case.
func (t TriggerOptions) last(ctx context.Context, c *client.Client) (*message, error) {
	looked := 0
	for entry, err := range client.Each[struct {
		Version int64
		At      time.Time
	}](ctx, c, fmt.Sprintf("/v1/cases/%d/history", t.Case), nil) {
		if err != nil {
			return nil, err
		}
		if looked++; looked > mostEntries {
			break
		}
		m, err := t.of(ctx, c, entry.Version, entry.At)
		if m != nil || err != nil {
			return m, err
		}
	}
	return nil, fault.New(fault.NotFound, "dev.trigger_never",
		"No change in the history of case %d has a message of the trigger %s. Leave out --case to send a sample.",
		t.Case, t.Trigger)
}

// of returns the message of the trigger about one version of the case, which was committed at a
// time; nil: there is none.
func (t TriggerOptions) of(ctx context.Context, c *client.Client, version int64, at time.Time) (*message, error) {
	query := url.Values{"after": {at.Format(time.RFC3339Nano)}, "triggers": {t.Trigger}, "limit": {"1000"}}
	for {
		var page struct {
			Messages []*message
			Next     string
			More     bool
		}
		if err := c.Get(ctx, "/v1/journal?"+query.Encode(), &page); err != nil {
			return nil, err
		}
		for _, m := range page.Messages {
			switch {
			case m.Subject == fmt.Sprintf("case/%d", t.Case) && m.Sequence == version:
				return m, nil
			case time.Time(m.Timestamp).After(at.Add(time.Minute)): // clocks of several nodes may differ
				return nil, nil
			}
		}
		if !page.More {
			return nil, nil
		}
		query.Set("after", page.Next)
	}
}
