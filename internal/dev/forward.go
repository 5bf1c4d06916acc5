package dev

import (
	"context"
	"encoding/json"
	"fmt"
	"net/netip"
	"strings"
	"time"

	"github.com/casehook/casehook/internal/fault"
	"github.com/casehook/casehook/internal/outbound"
	"github.com/casehook/casehook/internal/weburl"
	"github.com/casehook/casehook/internal/wire"
)

// message is a message from the server's stream.
type message struct {
	ID        string            `json:"id"`
	Trigger   string            `json:"trigger"`
	Subject   string            `json:"subject"`
	Sequence  int64             `json:"sequence"`
	Timestamp wire.Timestamp    `json:"timestamp"`
	Source    string            `json:"source"`
	Headers   map[string]string `json:"headers"`
	Body      json.RawMessage   `json:"body"`
	Error     *string           `json:"error"`
}

// forwardResult is the outcome of one try to send a message to its receiver.
type forwardResult struct {
	Attempt    int    `json:"attempt"`
	Status     *int   `json:"status"`  // null: there was no answer
	Failure    string `json:"failure"` // the error; empty: there was an answer
	DurationMS int64  `json:"duration_ms"`

	duration time.Duration
}

func (f forwardResult) delivered() bool { return f.Status != nil && *f.Status/100 == 2 }

// again reports whether to try again: the receiver can't be reached or is overloaded, and does not refuse this
// message in particular.
func (f forwardResult) again() bool { return f.Status == nil || *f.Status >= 500 || *f.Status == 429 }

// outcome describes the result in a few words.
func (f forwardResult) outcome() string {
	if f.Status == nil {
		return f.Failure
	}
	return fmt.Sprint(*f.Status)
}

// forwarder sends messages to a receiver, with the same requests that a server makes.
type forwarder struct {
	url     string
	key     []byte
	timeout time.Duration
	client  *outbound.Client
}

// newForwarder returns a forwarder. It may call any address, since the receiver is on the user's
// own machine. It refuses a URL that can't be called.
func newForwarder(raw string, key []byte, timeout time.Duration, version string) (*forwarder, error) {
	url, err := weburl.Canonical(raw)
	if err != nil {
		return nil, fault.Wrap(err, fault.Invalid, "dev.forward", "The URL of --forward %s.", err)
	}
	everywhere := []netip.Prefix{netip.MustParsePrefix("0.0.0.0/0"), netip.MustParsePrefix("::/0")}
	return &forwarder{
		url, key, timeout, outbound.New(outbound.Config{AllowPrefixes: everywhere, Version: version}),
	}, nil
}

func (f *forwarder) send(ctx context.Context, m message, attempt int) forwardResult {
	r := outbound.Request{
		URL:      f.url,
		Body:     m.Body,
		Timeout:  f.timeout,
		Truncate: true,
		ID:       m.ID,
		Attempt:  attempt,
		At:       time.Now(),
		Keys:     [][]byte{f.key},
	}
	for name, value := range m.Headers {
		r.Header = append(r.Header, outbound.Header{Name: name, Value: value})
	}
	result := f.client.Post(ctx, r)
	out := forwardResult{Attempt: attempt, duration: result.Duration, DurationMS: result.Duration.Milliseconds()}
	if result.Status != 0 {
		out.Status = &result.Status
		return out
	}
	out.Failure = strings.ReplaceAll(string(result.Class), "_", " ")
	return out
}
