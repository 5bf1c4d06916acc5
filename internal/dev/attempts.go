package dev

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/casehook/casehook/internal/client"
)

// AttemptQuery selects the attempts to show.
type AttemptQuery struct {
	Output
	Endpoint string    // id or name; empty: of all
	Case     int64     // 0: of all
	Trigger  string    // empty: of all
	Message  string    // a webhook-id; empty: of all
	Outcome  string    // delivered or failed; empty: both
	Since    string    // a time; empty: the last ones
	Last     int       // how many of them
	Follow   bool      // also show new attempts until ctx ends, which is no error
	Notes    io.Writer // receives messages about the listing; nil: they are dropped
	Every    time.Duration
}

// attempt is one try at a message, as the server recorded it.
type attempt struct {
	ID         string    `json:"id"`
	Endpoint   string    `json:"endpoint_id"`
	Message    string    `json:"message"`
	Trigger    string    `json:"trigger"`
	Subject    string    `json:"subject"`
	Number     int       `json:"number"`
	At         time.Time `json:"at"`
	DurationMS int64     `json:"duration_ms"`
	Status     *int      `json:"status"`
	Failure    string    `json:"failure"`
	Delivered  bool      `json:"delivered"`

	raw json.RawMessage // the attempt as the server sent it
}

// UnmarshalJSON decodes an attempt, and keeps its JSON.
func (a *attempt) UnmarshalJSON(raw []byte) error {
	type plain attempt
	a.raw = slices.Clone(raw)
	return json.Unmarshal(raw, (*plain)(a))
}

// outcome describes the outcome in a few words.
func (a attempt) outcome() string {
	if a.Status != nil {
		return strconv.Itoa(*a.Status)
	}
	return cmp.Or(strings.ReplaceAll(a.Failure, "_", " "), "no answer")
}

// Attempts prints the last attempts, the oldest of them first. With Follow, it then prints each new one as it is
// made.
func Attempts(ctx context.Context, c *client.Client, w AttemptQuery) error {
	query, err := w.query(ctx, c)
	if err != nil {
		return err
	}
	names, err := endpointNames(ctx, c)
	if err != nil {
		return err
	}
	p := &attemptPrinter{AttemptQuery: w, client: c, query: query, names: names, seen: map[string]bool{}}
	if !w.JSON {
		p.line(attemptRow, "TIME", "ENDPOINT", "TRIGGER", "SUBJECT", "TRY", "TOOK", "STATUS")
	}
	most := min(w.Last, MostAttempts)
	if w.Since != "" {
		most = MostAttempts
	}
	more, err := p.poll(ctx, most)
	if err != nil {
		return err
	}
	if more && w.Since != "" && w.Notes != nil {
		fmt.Fprintf(w.Notes,
			"There are more than these %d attempts since then. Narrow the list by a later --since, by "+
				"--endpoint or --trigger.\n", MostAttempts)
	}
	if !w.Follow {
		return nil
	}
	return p.follow(ctx)
}

// MostAttempts bounds the past attempts to show: all are kept in memory, since the oldest is
// printed first.
const MostAttempts = 10_000

func (w AttemptQuery) query(ctx context.Context, c *client.Client) (url.Values, error) {
	query := url.Values{}
	if w.Endpoint != "" {
		id, err := endpointID(ctx, c, w.Endpoint)
		if err != nil {
			return nil, err
		}
		query.Set("endpoint", id)
	}
	if w.Case != 0 {
		query.Set("case", strconv.FormatInt(w.Case, 10))
	}
	for name, value := range map[string]string{
		"trigger": w.Trigger, "message": w.Message, "outcome": w.Outcome, "since": w.Since,
	} {
		if value != "" {
			query.Set(name, value)
		}
	}
	return query, nil
}

// attemptRow formats a row of the table of attempts: time, endpoint, trigger, subject, number, duration, outcome.
const attemptRow = "%-8s  %-15s  %-22s  %-25s  %-3s  %-6s  %s"

// attemptPrinter polls the server for attempts, and prints them.
type attemptPrinter struct {
	AttemptQuery
	client *client.Client
	query  url.Values
	names  map[string]string // of endpoints, by id

	seen  map[string]bool // the ids in order
	order []string        // the oldest first
}

// remembered is the number of printed attempts that are remembered. An attempt that another node records late
// appears among newer ones, but not behind that many.
const remembered = 20_000

// follow polls until ctx ends.
func (w *attemptPrinter) follow(ctx context.Context) error {
	ticker := time.NewTicker(cmp.Or(w.Every, time.Second))
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
		switch _, err := w.poll(ctx, 0); {
		case ctx.Err() != nil:
			return nil
		case err != nil && !passing(err):
			return err
		}
	}
}

// overlap is the number of consecutive printed attempts after which poll stops reading: an attempt
// that is recorded late appears among newer ones.
const overlap = 100

// poll prints up to most new attempts, the oldest first; 0: all. It skips older ones for good, and reports in more
// whether there were any.
func (w *attemptPrinter) poll(ctx context.Context, most int) (more bool, err error) {
	var fresh, old []attempt
	known := 0
	for a, err := range client.Each[attempt](ctx, w.client, "/v1/attempts", w.query) {
		switch {
		case err != nil:
			return false, err
		case w.seen[a.ID]:
			known++
		case most > 0 && len(fresh) == most:
			old = append(old, a)
		default:
			fresh = append(fresh, a)
		}
		if known == overlap || len(old) == overlap {
			break
		}
	}
	slices.Reverse(fresh)
	for _, a := range fresh {
		if err := w.print(a); err != nil {
			return false, err
		}
	}
	w.remember(append(old, fresh...))
	return len(old) > 0, nil
}

func (w *attemptPrinter) remember(fresh []attempt) {
	for _, a := range fresh {
		w.seen[a.ID] = true
		w.order = append(w.order, a.ID)
	}
	for len(w.order) > remembered {
		delete(w.seen, w.order[0])
		w.order = w.order[1:]
	}
}

func (w *attemptPrinter) print(a attempt) error {
	if w.JSON {
		return w.object(a.raw)
	}
	w.line(attemptRow, clock(a.At), cmp.Or(w.names[a.Endpoint], a.Endpoint), a.Trigger, a.Subject,
		strconv.Itoa(a.Number), formatDuration(time.Duration(a.DurationMS)*time.Millisecond), a.outcome())
	return nil
}

// endpointNames returns the names of endpoints by their ids.
func endpointNames(ctx context.Context, c *client.Client) (map[string]string, error) {
	names := map[string]string{}
	for e, err := range client.Each[namedRef](ctx, c, "/v1/endpoints", nil) {
		if err != nil {
			return nil, err
		}
		names[e.ID] = e.Name
	}
	return names, nil
}
