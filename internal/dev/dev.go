// Package dev has tools for developers and operators of receivers: it forwards a server's messages
// to a port on their machine, sends messages again, shows their outcomes, and manages endpoints. It
// uses the server's REST API.
package dev

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/casehook/casehook/internal/client"
	"github.com/casehook/casehook/internal/fault"
	"github.com/casehook/casehook/internal/spelling"
)

// Output is the destination and the format of results.
type Output struct {
	Out  io.Writer
	JSON bool // one JSON object a line
}

func (o Output) line(format string, args ...any) { fmt.Fprintf(o.Out, format+"\n", args...) }

// object prints v as a line of JSON.
func (o Output) object(v any) error {
	e := json.NewEncoder(o.Out)
	e.SetEscapeHTML(false)
	return e.Encode(v)
}

// indented prints v as JSON for people.
func (o Output) indented(v any) error {
	e := json.NewEncoder(o.Out)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(v)
}

// endpointID returns the id of an endpoint, which is named by its id or its name. The letter case of a name does not
// matter unless it is ambiguous.
func endpointID(ctx context.Context, c *client.Client, named string) (string, error) {
	if strings.HasPrefix(named, "ep_") {
		return named, nil
	}
	var names []string
	alike := "" // the first endpoint whose name differs in spelling only
	for e, err := range client.Each[namedRef](ctx, c, "/v1/endpoints", nil) {
		switch {
		case err != nil:
			return "", err
		case e.Name == named:
			return e.ID, nil
		case alike == "" && e.Name != "" && spelling.Key(e.Name) == spelling.Key(named):
			alike = e.ID
			fallthrough
		case e.Name != "":
			names = append(names, e.Name)
		}
	}
	if alike != "" {
		return alike, nil
	}
	slices.Sort(names)
	known := "No endpoint has a name. casehook endpoints lists their ids."
	if len(names) > 0 {
		known = "There are: " + strings.Join(names, ", ") + "."
	}
	return "", fault.New(fault.NotFound, "dev.endpoint_unknown", "There is no endpoint %q. %s", named, known)
}

type namedRef struct{ ID, Name string }

// endpointPath returns the path of an endpoint.
func endpointPath(id string, of ...string) string {
	return "/v1/endpoints/" + url.PathEscape(id) + strings.Join(of, "")
}

// clock formats times of the current day, in the local time zone.
func clock(t time.Time) string { return t.Local().Format("15:04:05") }

// formatDuration formats durations for people.
func formatDuration(d time.Duration) string {
	if d < 10*time.Second {
		return fmt.Sprintf("%dms", d.Milliseconds())
	}
	return d.Round(100 * time.Millisecond).String()
}
