package dev

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/casehook/casehook/internal/client"
)

// endpointRow is an endpoint in a list.
type endpointRow struct {
	ID       string   `json:"id"`
	Name     string   `json:"name"`
	URL      string   `json:"url"`
	Status   string   `json:"status"`
	Triggers []string `json:"triggers"`
	Health   struct {
		Condition string  `json:"condition"`
		Reason    *string `json:"reason"`
	} `json:"health"`

	lag lag
	raw map[string]json.RawMessage // the endpoint as the server sent it
}

// lag is how far an endpoint is behind.
type lag struct {
	Entries   int64      `json:"entries"`
	Estimated bool       `json:"estimated"`
	Oldest    *time.Time `json:"oldest"`
	Parked    int64      `json:"parked"`
	Dead      int64      `json:"dead"`
}

// behind describes a lag in a few words: "1,204 commits, 3 h", or "~120,000 commits, 3 h" where the number is an
// estimate.
func (l lag) behind(now time.Time) string {
	if l.Oldest == nil {
		return "-"
	}
	about, noun := "", "commits"
	if l.Estimated {
		about = "~"
	}
	if l.Entries == 1 {
		noun = "commit"
	}
	return fmt.Sprintf("%s%s %s, %s", about, Grouped(l.Entries), noun, Long(now.Sub(*l.Oldest)))
}

// mostDead is the number at which the server stops counting dead messages.
const mostDead = 1000

// deadCount returns the number of dead messages for people.
func (l lag) deadCount() string {
	if l.Dead >= mostDead {
		return Grouped(mostDead) + "+"
	}
	return Grouped(l.Dead)
}

func (s *endpointRow) UnmarshalJSON(raw []byte) error {
	type plain endpointRow
	if err := json.Unmarshal(raw, (*plain)(s)); err != nil {
		return err
	}
	return json.Unmarshal(raw, &s.raw)
}

// Endpoints prints the endpoints, and how far each is behind.
func Endpoints(ctx context.Context, c *client.Client, o Output, now time.Time) error {
	var all []*endpointRow
	for e, err := range client.Each[*endpointRow](ctx, c, "/v1/endpoints", nil) {
		if err != nil {
			return err
		}
		all = append(all, e)
	}
	if err := lags(ctx, c, all); err != nil {
		return err
	}
	if o.JSON {
		for _, e := range all {
			if err := o.object(e.raw); err != nil {
				return err
			}
		}
		return nil
	}
	if onHold(ctx, c) {
		o.line("The server was started with --hold: it delivers nothing and asks no callback.")
	}
	table := Table{
		Columns: []string{"NAME", "STATUS", "HEALTH", "BEHIND", "PARKED", "DEAD", "TRIGGERS", "URL"},
		Shorten: []string{"NAME", "HEALTH", "TRIGGERS", "URL"},
	}
	short := onTerminal(o.Out)
	for _, e := range all {
		table.Rows = append(table.Rows, []string{
			cmp.Or(e.Name, e.ID), e.Status, e.health(short), e.lag.behind(now), Grouped(e.lag.Parked),
			e.lag.deadCount(),
			few(e.Triggers, short), e.URL,
		})
	}
	return table.Print(o.Out)
}

// onHold reports whether the server was started with --hold.
func onHold(ctx context.Context, c *client.Client) bool {
	var ready struct {
		Held bool `json:"held"`
	}
	return c.Get(ctx, "/readyz", &ready) == nil && ready.Held
}

// health describes the endpoint's health, in a few words if short is set.
func (s *endpointRow) health(short bool) string {
	const most = 40
	switch {
	case s.Health.Reason == nil:
		return s.Health.Condition
	case !short:
		return s.Health.Condition + ": " + *s.Health.Reason
	}
	return s.Health.Condition + ": " + cut(*s.Health.Reason, most)
}

// few joins a list, shortened if asked.
func few(names []string, short bool) string {
	if len(names) < 2 || !short {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s, +%d", names[0], len(names)-1)
}

// lags requests the lags of endpoints, several at a time.
func lags(ctx context.Context, c *client.Client, all []*endpointRow) error {
	const together = 8
	var asking sync.WaitGroup
	errs, turns := make([]error, len(all)), make(chan struct{}, together)
	for i, e := range all {
		turns <- struct{}{}
		asking.Go(func() {
			defer func() { <-turns }()
			errs[i] = e.askLag(ctx, c)
		})
	}
	asking.Wait()
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

func (s *endpointRow) askLag(ctx context.Context, c *client.Client) error {
	var raw json.RawMessage
	if err := c.Get(ctx, endpointPath(s.ID, "/lag"), &raw); err != nil {
		return err
	}
	s.raw["lag"] = raw
	return json.Unmarshal(raw, &s.lag)
}

// Endpoint prints all details of one endpoint, which is named by its id or name.
func Endpoint(ctx context.Context, c *client.Client, o Output, named string) error {
	id, err := endpointID(ctx, c, named)
	if err != nil {
		return err
	}
	var e endpointRow
	if err := c.Get(ctx, endpointPath(id), &e); err != nil {
		return err
	}
	if err := e.askLag(ctx, c); err != nil {
		return err
	}
	return o.indented(e.raw)
}

// Pause stops sending to an endpoint. Its messages wait.
func Pause(ctx context.Context, c *client.Client, o Output, named string) error {
	return change(ctx, c, o, named, map[string]string{"status": "paused"})
}

// Resume sends to an endpoint again: from where it stopped, or from the head of the journal on,
// which skips all messages until now.
func Resume(ctx context.Context, c *client.Client, o Output, named string, atHead bool) error {
	body := map[string]string{"status": "active"}
	if atHead {
		body["resume"] = "head"
	}
	return change(ctx, c, o, named, body)
}

func change(ctx context.Context, c *client.Client, o Output, named string, body map[string]string) error {
	id, err := endpointID(ctx, c, named)
	if err != nil {
		return err
	}
	var e endpointRow
	if err := c.Patch(ctx, endpointPath(id), body, &e); err != nil {
		return err
	}
	o.line("endpoint %s: %s", cmp.Or(e.Name, e.ID), e.Status)
	return nil
}
