package client

import (
	"bufio"
	"cmp"
	"context"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/casehook/casehook/internal/fault"
)

// Event is one event of a stream, as the server sent it.
type Event struct {
	ID   string // opens the stream after this event
	Type string
	Data []byte // none: the event only has an ID
}

// Stream opens a stream of server-sent events after the event with the ID after, or at the path's
// own position if after is empty. It calls each with every event until each fails or the stream
// ends. The error is nil when the server ended the stream, as it does now and then; reopen it after
// the last event. The error is of kind Upstream when the stream broke off, or was silent for longer
// than silence; reopening it may help.
func (c *Client) Stream(ctx context.Context, path, after string, silence time.Duration, each func(Event) error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	silent := time.AfterFunc(cmp.Or(c.Timeout, 30*time.Second), cancel)
	defer silent.Stop()
	header := http.Header{"Accept": {"text/event-stream"}}
	if after != "" {
		header.Set("Last-Event-ID", after)
	}
	response, err := c.send(ctx, Request{Method: http.MethodGet, Path: path, Header: header})
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		body, _ := io.ReadAll(io.LimitReader(response.Body, maxAnswer))
		return c.problem(Answer{response.StatusCode, response.Header, body})
	}
	return c.events(bufio.NewReader(io.TeeReader(response.Body, onBytes(func() { silent.Reset(silence) }))), each)
}

// onBytes is a function that is called whenever bytes arrive.
type onBytes func()

func (f onBytes) Write(b []byte) (int, error) { f(); return len(b), nil }

// events reads events until the stream ends.
func (c *Client) events(lines *bufio.Reader, each func(Event) error) error {
	var e Event
	var data []string
	for {
		line, err := lines.ReadString('\n')
		switch {
		case err == io.EOF:
			return nil // an incomplete event is sent again
		case err != nil:
			return fault.Wrap(err, fault.Upstream, "client.unreachable", "The stream of %s broke off.", c.Server)
		}
		name, value, _ := strings.Cut(strings.TrimRight(line, "\r\n"), ":")
		value = strings.TrimPrefix(value, " ")
		switch {
		case name == "id":
			e.ID = value
		case name == "event":
			e.Type = value
		case name == "data":
			data = append(data, value)
		case line == "\n" || line == "\r\n":
			if e.Data = []byte(strings.Join(data, "\n")); data != nil || e.ID != "" {
				if err := each(e); err != nil {
					return err
				}
			}
			e, data = Event{}, nil
		}
	}
}
